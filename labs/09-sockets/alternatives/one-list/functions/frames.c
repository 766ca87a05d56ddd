// SPDX-License-Identifier: GPL-2.0

/* Bytes that lie side by side, one after the other by "^". */
static u8 edp_xor(const void *bytes, unsigned int len)
{
	const u8 *byte = bytes;
	u8 sum = 0;

	while (len--)
		sum ^= *byte++;
	return sum;
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
	struct edphdr hdr = {
		.version = EDP_VERSION,
		.length = htons(sizeof(hdr) + len),
		.source = edp_sk(sk)->port,
		.dest = to->sedp_port,
	};
	size_t i;
	struct sk_buff *skb;
	u8 *data;
	int err;

	skb = sock_alloc_send_pskb(sk, LL_RESERVED_SPACE(dev) + sizeof(hdr) +
				   len + dev->needed_tailroom, 0,
				   msg->msg_flags & MSG_DONTWAIT, &err, 0);
	if (!skb)
		return ERR_PTR(err);
	skb_reserve(skb, LL_RESERVED_SPACE(dev) + sizeof(hdr));
	data = skb_put(skb, len);
	err = -EFAULT;
	if (!copy_from_iter_full(data, len, &msg->msg_iter))
		goto fail;
	hdr.check = EDP_LAB_CHECK ^ edp_xor(&hdr, sizeof(hdr));
	for (i = 0; i < len; i++)
		hdr.check ^= data[i];
	memcpy(skb_push(skb, sizeof(hdr)), &hdr, sizeof(hdr));
	skb_reset_network_header(skb);

	skb->protocol = htons(ETH_P_EDP);
	skb->dev = dev;
	skb->priority = READ_ONCE(sk->sk_priority);
	err = dev_hard_header(skb, dev, ETH_P_EDP, to->sedp_mac,
			      dev->dev_addr, skb->len);
	if (err >= 0)
		return skb;
fail:
	kfree_skb(skb);
	return ERR_PTR(err);
}

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
	struct edphdr hdr;

	if (!edp_speaks(dev) || skb_copy_bits(skb, 0, &hdr, sizeof(hdr)) ||
	    hdr.version != EDP_VERSION || hdr.source == 0)
		return false;
	if (ntohs(hdr.length) < sizeof(hdr) || ntohs(hdr.length) > skb->len)
		return false;
	/* Without padding, and in one piece. */
	if (pskb_trim(skb, ntohs(hdr.length)) || skb_linearize(skb))
		return false;
	if (edp_xor(skb->data, skb->len) != EDP_LAB_CHECK)
		return false;
	__skb_pull(skb, sizeof(hdr));

	*cb = (struct edp_cb) {
		.from = {
			.sedp_family = AF_EDP,
			.sedp_port = hdr.source,
			.sedp_ifindex = dev->ifindex,
		},
		.to = {
			.sedp_family = AF_EDP,
			.sedp_port = hdr.dest,
			.sedp_ifindex = dev->ifindex,
		},
	};
	memcpy(cb->from.sedp_mac, eth_hdr(skb)->h_source, ETH_ALEN);
	memcpy(cb->to.sedp_mac, eth_hdr(skb)->h_dest, ETH_ALEN);
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
	struct edp_net *en = edp_net(dev_net(dev));
	struct sock *sk;

	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return NET_RX_DROP;
	if (skb->pkt_type == PACKET_OTHERHOST) {
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	if (!edp_parse(skb, dev)) {
		atomic_long_inc(&en->counts[EDP_MALFORMED]);
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	sk = edp_find(dev_net(dev), dev->ifindex, edp_cb(skb)->to.sedp_port);
	if (!sk || !edp_listens(sk, &edp_cb(skb)->from)) {
		atomic_long_inc(&en->counts[EDP_UNCLAIMED]);
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	sk_mark_napi_id(sk, skb);
	if (sock_queue_rcv_skb(sk, skb) < 0) {
		atomic_long_inc(&en->counts[EDP_FULL]);
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	atomic_long_inc(&en->counts[EDP_RECEIVED]);
	return NET_RX_SUCCESS;
}

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
	DECLARE_SOCKADDR(struct sockaddr_edp *, name, msg->msg_name);
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	int err, len, copy;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	len = skb->len;
	copy = min_t(size_t, len, size);
	if (copy < len)
		msg->msg_flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->msg_iter, copy);
	if (!err) {
		sock_recv_cmsgs(msg, sk, skb);
		if (READ_ONCE(edp_sk(sk)->recvdest))
			put_cmsg(msg, SOL_EDP, EDP_RECVDEST,
				 sizeof(edp_cb(skb)->to), &edp_cb(skb)->to);
		if (name) {
			*name = edp_cb(skb)->from;
			msg->msg_namelen = sizeof(*name);
		}
	}
	skb_free_datagram(sk, skb);
	if (err)
		return err;
	return flags & MSG_TRUNC ? len : copy;
}
