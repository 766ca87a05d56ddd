// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams become frames, and frames become datagrams.
 */
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <net/busy_poll.h>
#include "edp_sock.h"

/* Sending ------------------------------------------------------------------ */

/**
 * edp_destination() - where a datagram is to go
 * @sk: the socket
 * @msg: what sendmsg() was given
 * @to: becomes the address
 *
 * An address that comes with the message goes before that of connect(). Which
 * interface it leaves by is said by the address or, if it says nothing, by
 * where the socket is bound.
 *
 * Context: process.
 * Return: 0, or a negative errno.
 */
static int edp_destination(struct sock *sk, struct msghdr *msg,
			   struct sockaddr_edp *to)
{
	DECLARE_SOCKADDR(struct sockaddr_edp *, name, msg->msg_name);
	int bound = edp_sk(sk)->ifindex;
	int err;

	if (name) {
		err = edp_check_address(name, msg->msg_namelen);
		if (err)
			return err;
		*to = *name;
	} else if (!edp_peer_address(sk, to)) {
		return -EDESTADDRREQ;
	}
	if (!to->sedp_ifindex)
		to->sedp_ifindex = bound;
	if (bound && to->sedp_ifindex != bound)
		return -ENETUNREACH;
	if (!to->sedp_port)
		return -EINVAL;
	if (is_multicast_ether_addr(to->sedp_mac) &&
	    !sock_flag(sk, SOCK_BROADCAST))
		return -EACCES;
	return 0;
}

/**
 * edp_build() - make a frame
 * @sk: the socket
 * @msg: what sendmsg() was given: flags and data
 * @len: how much data
 * @dev: the device it will leave by
 * @to: where it goes
 *
 * Room for what the device puts in front and behind is reserved here, so that
 * nobody has to copy the frame to get it. The buffer counts against sk_sndbuf
 * from here until the device has freed it; when that is used up, this waits.
 *
 * Context: process; sleeps.
 * Return: the frame, or an ERR_PTR.
 */
static struct sk_buff *edp_build(struct sock *sk, struct msghdr *msg,
				 size_t len, struct net_device *dev,
				 const struct sockaddr_edp *to)
{
	int head = LL_RESERVED_SPACE(dev);
	struct edphdr *hdr;
	struct sk_buff *skb;
	int err;

	skb = sock_alloc_send_skb(sk, head + sizeof(*hdr) + len +
				  dev->needed_tailroom,
				  msg->msg_flags & MSG_DONTWAIT, &err);
	if (!skb)
		return ERR_PTR(err);
	skb_reserve(skb, head);
	skb_reset_network_header(skb);
	hdr = skb_put(skb, sizeof(*hdr));
	hdr->version = EDP_VERSION;
	hdr->reserved = 0;
	hdr->length = htons(sizeof(*hdr) + len);
	hdr->source = edp_sk(sk)->port;
	hdr->dest = to->sedp_port;
	err = memcpy_from_msg(skb_put(skb, len), msg, len);
	if (err)
		goto err_free;

	skb->dev = dev;
	skb->protocol = htons(ETH_P_EDP);
	skb->priority = READ_ONCE(sk->sk_priority);
	err = dev_hard_header(skb, dev, ETH_P_EDP, to->sedp_mac, NULL,
			      skb->len);
	if (err < 0)
		goto err_free;
	return skb;

err_free:
	kfree_skb(skb);
	return ERR_PTR(err);
}

/**
 * edp_sendmsg() - somebody called send(), write() or one of their kin
 * @sock: the socket
 * @msg: address, flags and data
 * @len: how much data
 *
 * Context: process; sleeps.
 * Return: @len, or a negative errno.
 */
int edp_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct sockaddr_edp to;
	struct net_device *dev;
	struct sk_buff *skb;
	int room;
	int err;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = edp_autobind(sk);
	if (!err)
		err = edp_destination(sk, msg, &to);
	if (err)
		return err;
	dev = dev_get_by_index(sock_net(sk), to.sedp_ifindex);
	if (!dev)
		return -ENODEV;
	err = -EPROTONOSUPPORT;
	if (!edp_speaks(dev))
		goto out;
	err = -ENETDOWN;
	if (!(READ_ONCE(dev->flags) & IFF_UP))
		goto out;
	/* Once: the MTU may change this moment. */
	room = edp_room(dev);
	err = -EMSGSIZE;
	if (room < 0 || len > room)
		goto out;
	skb = edp_build(sk, msg, len, dev, &to);
	err = PTR_ERR_OR_ZERO(skb);
	if (err)
		goto out;
	err = dev_queue_xmit(skb);
	if (err > 0)
		err = net_xmit_errno(err);
out:
	dev_put(dev);
	return err ?: len;
}

/* Receiving ---------------------------------------------------------------- */

/**
 * edp_parse() - believe nothing that a frame says
 * @skb: the frame, ours alone, without its Ethernet header
 * @dev: the device it came in by
 *
 * Leaves the data alone in @skb and the addresses in its control block: who
 * receives it later finds neither headers nor device.
 *
 * Context: softirq.
 * Return: whether it is a datagram.
 */
static bool edp_parse(struct sk_buff *skb, const struct net_device *dev)
{
	struct edp_cb *cb = edp_cb(skb);
	struct edphdr *hdr;
	unsigned int len;

	if (!edp_speaks(dev) || !pskb_may_pull(skb, sizeof(*hdr)))
		return false;
	hdr = (struct edphdr *)skb->data;
	len = ntohs(hdr->length);
	if (hdr->version != EDP_VERSION || hdr->reserved || !hdr->source ||
	    len < sizeof(*hdr) || len > skb->len)
		return false;

	memset(cb, 0, sizeof(*cb));
	cb->from.sedp_family = AF_EDP;
	cb->from.sedp_port = hdr->source;
	cb->from.sedp_ifindex = dev->ifindex;
	ether_addr_copy(cb->from.sedp_mac, eth_hdr(skb)->h_source);
	cb->to = cb->from;
	cb->to.sedp_port = hdr->dest;
	ether_addr_copy(cb->to.sedp_mac, eth_hdr(skb)->h_dest);

	/* What is too much is padding. The header may move: it is done with. */
	if (pskb_trim(skb, len))
		return false;
	skb_pull(skb, sizeof(*hdr));
	return true;
}

/* Whether a socket listens to a sender: a connected one to its peer alone. */
static bool edp_listens(const struct sock *sk, const struct sockaddr_edp *from)
{
	struct sockaddr_edp peer;

	return !edp_peer_address(sk, &peer) ||
	       (peer.sedp_port == from->sedp_port &&
		peer.sedp_ifindex == from->sedp_ifindex &&
		ether_addr_equal(peer.sedp_mac, from->sedp_mac));
}

/**
 * edp_rcv() - a frame of our EtherType came in
 * @skb: the frame
 * @dev: the device it came in by
 * @pt: our entry in the table of EtherTypes
 * @orig_dev: the device at the bottom, below VLANs and the like
 *
 * Context: softirq, RCU read lock held.
 * Return: NET_RX_SUCCESS or NET_RX_DROP; the frame is taken in any case.
 */
static int edp_rcv(struct sk_buff *skb, struct net_device *dev,
		   struct packet_type *pt, struct net_device *orig_dev)
{
	enum skb_drop_reason reason;
	enum edp_count count;
	struct sock *sk;
	int err;

	/* For another station, or of a VLAN that nobody here has. */
	if (skb->pkt_type == PACKET_OTHERHOST) {
		kfree_skb_reason(skb, SKB_DROP_REASON_OTHERHOST);
		return NET_RX_DROP;
	}
	/* Others may hold the same buffer, and we are about to change it. */
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return NET_RX_DROP;

	count = EDP_MALFORMED;
	reason = SKB_DROP_REASON_UNHANDLED_PROTO;
	if (!edp_parse(skb, dev))
		goto drop;

	count = EDP_UNCLAIMED;
	reason = SKB_DROP_REASON_NO_SOCKET;
	sk = edp_find(dev_net(dev), dev->ifindex, edp_cb(skb)->to.sedp_port);
	if (!sk || !edp_listens(sk, &edp_cb(skb)->from))
		goto drop;

	count = EDP_FULL;
	sk_mark_napi_id(sk, skb);
	err = sock_queue_rcv_skb(sk, skb);
	if (err) {
		reason = err == -ENOMEM ? SKB_DROP_REASON_SOCKET_RCVBUFF :
					  SKB_DROP_REASON_SOCKET_FILTER;
		goto drop;
	}
	atomic_long_inc(&edp_net(dev_net(dev))->counts[EDP_RECEIVED]);
	return NET_RX_SUCCESS;

drop:
	atomic_long_inc(&edp_net(dev_net(dev))->counts[count]);
	kfree_skb_reason(skb, reason);
	return NET_RX_DROP;
}

struct packet_type edp_packet_type = {
	.type = cpu_to_be16(ETH_P_EDP),
	.func = edp_rcv,
};

/**
 * edp_recvmsg() - somebody called recv(), read() or one of their kin
 * @sock: the socket
 * @msg: where data, address and control messages go
 * @size: how much room there is for data
 * @flags: MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT
 *
 * Context: process; sleeps.
 * Return: how much was copied (with MSG_TRUNC: how much there was), or a
 * negative errno.
 */
int edp_recvmsg(struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	size_t copied;
	int err;

	if (flags & (MSG_OOB | MSG_ERRQUEUE))
		return -EOPNOTSUPP;
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	copied = skb->len;
	if (copied > size) {
		copied = size;
		msg->msg_flags |= MSG_TRUNC;
	}
	err = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (err)
		goto out;
	if (msg->msg_name) {
		memcpy(msg->msg_name, &edp_cb(skb)->from,
		       sizeof(struct sockaddr_edp));
		msg->msg_namelen = sizeof(struct sockaddr_edp);
	}
	sock_recv_cmsgs(msg, sk, skb);
	if (READ_ONCE(edp_sk(sk)->recvdest))
		put_cmsg(msg, SOL_EDP, EDP_RECVDEST,
			 sizeof(struct sockaddr_edp), &edp_cb(skb)->to);
	err = flags & MSG_TRUNC ? skb->len : copied;
out:
	skb_free_datagram(sk, skb);
	return err;
}
