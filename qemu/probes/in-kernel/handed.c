// SPDX-License-Identifier: GPL-2.0
/*
 * handed: show what igbook hands to the stack in the record of the card's
 * register writes.
 *
 *   insmod handed.ko bar=0xfe800000
 *
 * Each frame that igbook gives to napi_gro_receive() or netif_receive_skb() is
 * a row of writes to registers that the card does not have, one for each thing
 * that is told of it. The first says what comes; the others are as listed at
 * HANDED_*. When igbook lends mapped memory to the CPU or returns it, address
 * and length stand there in the same way. So all of it is in one order with
 * the tail of the ring.
 *
 *   insmod handed.ko bar=0xfe800000 unlent=0xa5 lent=0x5a
 *
 * In memory that is lent to the CPU each byte UNLENT becomes LENT, and the other
 * way round when it is returned: as on a machine where the CPU sees what the
 * card has written only in between. A frame of such bytes shows what was read
 * too early or too late.
 */
#include <linux/bitfield.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "probe.h"

#define HANDED_MOST		8		/* pieces that are shown */

/* What comes */
#define HANDED_TO_CPU		1
#define HANDED_TO_CARD		2
#define HANDED_TO_GRO		3
#define HANDED_TO_STACK		4

/* Of a frame: the number of the register */
#define HANDED_LEN		1
#define HANDED_LINEAR		2	/* of these, in the linear part */
#define HANDED_FRAGS		3
#define HANDED_TRUESIZE		4
#define HANDED_FLAGS		5
#define   HANDED_SUMMED			GENMASK(1, 0)
#define   HANDED_L4_HASH		BIT(2)
#define   HANDED_TAGGED			BIT(3)
#define   HANDED_RECYCLED		BIT(4)
#define HANDED_HASH		6
#define HANDED_TCI		7
#define HANDED_QUEUE		8	/* its number, plus one */
#define HANDED_PROTOCOL		9
#define HANDED_PIECES		16	/* two for each: address and length */

/* Of memory */
#define HANDED_ADDRESS		1
#define HANDED_SIZE		2

static unsigned long bar;
module_param(bar, ulong, 0444);
MODULE_PARM_DESC(bar, "physical address of the card's BAR 0");

static unsigned int at = 0x1fe00;
module_param(at, uint, 0);
MODULE_PARM_DESC(at, "offset of the first of 32 registers: registers that the card lacks");

static int unlent = -1;
module_param(unlent, int, 0444);
MODULE_PARM_DESC(unlent, "byte that the CPU is not to see");

static int lent;
module_param(lent, int, 0444);
MODULE_PARM_DESC(lent, "byte that it sees in its place");

static void __iomem *handed_regs;

static void handed_say(unsigned int what, u32 value)
{
	writel(value, handed_regs + at + 4 * what);
}

static u32 handed_flags(const struct sk_buff *skb)
{
	return FIELD_PREP(HANDED_SUMMED, skb->ip_summed) |
	       (skb->l4_hash ? HANDED_L4_HASH : 0) |
	       (skb_vlan_tag_present(skb) ? HANDED_TAGGED : 0) |
	       (skb->pp_recycle ? HANDED_RECYCLED : 0);
}

static void handed_frame(unsigned int to, const struct sk_buff *skb)
{
	/* eth_type_trans() has taken the header off. */
	unsigned int header = skb->data - skb_mac_header(skb);
	unsigned int i;

	handed_say(0, to);
	handed_say(HANDED_LEN, skb->len + header);
	handed_say(HANDED_LINEAR, skb_headlen(skb) + header);
	handed_say(HANDED_FRAGS, skb_shinfo(skb)->nr_frags);
	handed_say(HANDED_TRUESIZE, skb->truesize);
	handed_say(HANDED_FLAGS, handed_flags(skb));
	handed_say(HANDED_HASH, skb->hash);
	handed_say(HANDED_TCI, skb->vlan_tci);
	handed_say(HANDED_QUEUE, skb->queue_mapping);
	handed_say(HANDED_PROTOCOL, ntohs(skb->protocol));
	for (i = 0; i < min_t(u32, skb_shinfo(skb)->nr_frags, HANDED_MOST); i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		handed_say(HANDED_PIECES + 2 * i,
			   page_to_phys(skb_frag_page(frag)) + skb_frag_off(frag));
		handed_say(HANDED_PIECES + 2 * i + 1, skb_frag_size(frag));
	}
}

static int handed_to_gro(struct kprobe *probe, struct pt_regs *cpu)
{
	if (probe_from_igbook(cpu))
		handed_frame(HANDED_TO_GRO, (struct sk_buff *)cpu->si);
	return 0;
}

static int handed_to_stack(struct kprobe *probe, struct pt_regs *cpu)
{
	if (probe_from_igbook(cpu))
		handed_frame(HANDED_TO_STACK, (struct sk_buff *)cpu->di);
	return 0;
}

static void handed_memory(unsigned int to, const struct pt_regs *cpu)
{
	handed_say(0, to);
	handed_say(HANDED_ADDRESS, cpu->si);
	handed_say(HANDED_SIZE, cpu->dx);
}

static void handed_change(const struct pt_regs *cpu, u8 from, u8 to)
{
	u8 *bytes = phys_to_virt(cpu->si);
	size_t i;

	for (i = 0; i < cpu->dx; i++)
		if (bytes[i] == from)
			bytes[i] = to;
}

static int handed_to_cpu(struct kprobe *probe, struct pt_regs *cpu)
{
	if (!probe_from_igbook(cpu))
		return 0;
	handed_memory(HANDED_TO_CPU, cpu);
	if (unlent >= 0)
		handed_change(cpu, unlent, lent);
	return 0;
}

static int handed_to_card(struct kprobe *probe, struct pt_regs *cpu)
{
	if (!probe_from_igbook(cpu))
		return 0;
	handed_memory(HANDED_TO_CARD, cpu);
	if (unlent >= 0)
		handed_change(cpu, lent, unlent);
	return 0;
}

static const struct {
	const char *symbol;
	kprobe_pre_handler_t handler;
} handed_places[] = {
	{ "napi_gro_receive", handed_to_gro },
	{ "netif_receive_skb", handed_to_stack },
	{ "__dma_sync_single_for_cpu", handed_to_cpu },
	{ "__dma_sync_single_for_device", handed_to_card },
};

static struct kprobe handed_probes[ARRAY_SIZE(handed_places)];

static void handed_forget(unsigned int watched)
{
	while (watched)
		unregister_kprobe(&handed_probes[--watched]);
	iounmap(handed_regs);
}

static int __init handed_init(void)
{
	unsigned int i;
	int err;

	handed_regs = ioremap(bar, PROBE_BAR);
	if (!handed_regs)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(handed_places); i++) {
		err = probe_at(&handed_probes[i], handed_places[i].symbol,
			       handed_places[i].handler);
		if (err) {
			pr_err("handed: no probe at %s: %d\n",
			       handed_places[i].symbol, err);
			handed_forget(i);
			return err;
		}
	}
	return 0;
}
module_init(handed_init);

static void __exit handed_exit(void)
{
	handed_forget(ARRAY_SIZE(handed_places));
}
module_exit(handed_exit);

MODULE_DESCRIPTION("Shows what igbook hands to the stack in the record of register writes");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
