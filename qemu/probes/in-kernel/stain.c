// SPDX-License-Identifier: GPL-2.0
/*
 * stain: as long as it is loaded, nothing in skb->cb is 0 by chance when a
 * protocol gets a frame of an EtherType.
 *
 *   insmod stain.ko type=0x88b5
 *
 * Whoever had a buffer before may have left anything there; most often it was
 * nobody, and then all is 0.
 */
#include <linux/if_ether.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

static ushort type;
module_param(type, ushort, 0444);
MODULE_PARM_DESC(type, "the EtherType");

/* Comes before the protocols, and they get the same buffer. */
static int stain_rcv(struct sk_buff *skb, struct net_device *dev,
		     struct packet_type *pt, struct net_device *orig_dev)
{
	if (ntohs(skb->protocol) == type && skb->pkt_type != PACKET_OUTGOING)
		memset(skb->cb, 0xa5, sizeof(skb->cb));
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type stain_all __read_mostly = {
	.type = cpu_to_be16(ETH_P_ALL),
	.func = stain_rcv,
};

static int __init stain_init(void)
{
	dev_add_pack(&stain_all);
	return 0;
}
module_init(stain_init);

static void __exit stain_exit(void)
{
	dev_remove_pack(&stain_all);
}
module_exit(stain_exit);

MODULE_DESCRIPTION("Leaves something in the control block of received frames");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
