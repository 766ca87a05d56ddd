// SPDX-License-Identifier: GPL-2.0
/*
 * tunneller: sends TCP in IPv4 in IPv4, as a tunnel's device hands it down.
 *
 *   insmod tunneller.ko payload=3000 segment=1000 udp=1
 *
 * With "udp" a header of UDP stands before the inner IPv4, as FOU has it.
 * It is to be cut, into frames of "segment" bytes of payload, and TCP's sum is
 * half done. The payload's bytes count up. No tunnel is in our kernel, and no
 * socket lets a program say that a frame has one.
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/tcp.h>

static char *device = "eth0";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "the interface");

static uint payload = 3000;
module_param(payload, uint, 0444);
MODULE_PARM_DESC(payload, "bytes behind the last header");

static uint segment = 1000;
module_param(segment, uint, 0444);
MODULE_PARM_DESC(segment, "bytes of payload in each frame");

static bool udp;
module_param(udp, bool, 0444);
MODULE_PARM_DESC(udp, "whether the tunnel is one in UDP");

#define MOST	30000
#define HEADERS	128

static void add_ip(struct sk_buff *skb, u8 protocol)
{
	struct iphdr *ip = skb_push(skb, sizeof(*ip));

	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.id = htons(7),
		.tot_len = htons(skb->len),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = protocol,
		.saddr = htonl(0xc0000202),
		.daddr = htonl(0xc0000201),
	};
	ip_send_check(ip);
}

static void add_udp(struct sk_buff *skb)
{
	struct udphdr *header = skb_push(skb, sizeof(*header));

	*header = (struct udphdr){
		.source = htons(5555), .dest = htons(5555),
		.len = htons(skb->len),
	};
	skb_reset_transport_header(skb);
	skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_TUNNEL;
}

static void add_tcp_in_ip(struct sk_buff *skb)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	struct tcphdr *tcp = skb_push(skb, sizeof(*tcp));

	*tcp = (struct tcphdr){
		.source = htons(5000), .dest = htons(5000), .seq = htonl(1),
		.doff = sizeof(*tcp) / 4, .ack = 1,
	};
	skb_reset_transport_header(skb);
	tcp->check = ~tcp_v4_check(skb->len, htonl(0xc0000202),
				   htonl(0xc0000201), 0);
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	add_ip(skb, IPPROTO_TCP);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_inner_headers(skb);
	skb_set_inner_ipproto(skb, IPPROTO_IPIP);
	skb->encapsulation = 1;
	info->gso_size = segment;
	info->gso_segs = DIV_ROUND_UP(payload, segment);
	info->gso_type = SKB_GSO_TCPV4 | SKB_GSO_IPXIP4;
	skb_reset_transport_header(skb);
	if (udp)
		add_udp(skb);
	add_ip(skb, udp ? IPPROTO_UDP : IPPROTO_IPIP);
}

static void add_ethernet(struct sk_buff *skb)
{
	static const u8 neighbour[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
	struct ethhdr *ethernet;

	skb_reset_network_header(skb);
	ethernet = skb_push(skb, sizeof(*ethernet));
	ether_addr_copy(ethernet->h_dest, neighbour);
	ether_addr_copy(ethernet->h_source, skb->dev->dev_addr);
	ethernet->h_proto = htons(ETH_P_IP);
	skb->protocol = htons(ETH_P_IP);
	skb_reset_mac_header(skb);
}

static int __init handmade_init(void)
{
	struct net_device *netdev;
	struct sk_buff *skb;
	u8 *bytes;
	uint i;

	if (payload > MOST || !segment)
		return -EINVAL;
	netdev = dev_get_by_name(&init_net, device);
	if (!netdev)
		return -ENODEV;
	skb = alloc_skb(HEADERS + payload, GFP_KERNEL);
	if (!skb) {
		dev_put(netdev);
		return -ENOMEM;
	}
	skb_reserve(skb, HEADERS);
	bytes = skb_put(skb, payload);
	for (i = 0; i < payload; i++)
		bytes[i] = i;
	skb->dev = netdev;
	skb->ip_summed = CHECKSUM_PARTIAL;
	add_tcp_in_ip(skb);
	add_ethernet(skb);
	dev_queue_xmit(skb);
	dev_put(netdev);
	return 0;
}
module_init(handmade_init);

static void __exit handmade_exit(void)
{
}
module_exit(handmade_exit);

MODULE_DESCRIPTION("Sends what a tunnel would");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
