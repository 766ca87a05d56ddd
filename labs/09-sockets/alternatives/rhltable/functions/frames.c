// SPDX-License-Identifier: GPL-2.0

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
	hdr->check = 0;
	hdr->length = htons(sizeof(*hdr) + len);
	hdr->source = edp_sk(sk)->port;
	hdr->dest = to->sedp_port;
	err = memcpy_from_msg(skb_put(skb, len), msg, len);
	if (err)
		goto err_free;
	hdr->check = EDP_LAB_CHECK ^ edp_all_bytes(skb, skb->len);

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
	if (hdr->version != EDP_VERSION || !hdr->source ||
	    len < sizeof(*hdr) || len > skb->len)
		return false;
	if (edp_all_bytes(skb, len) != EDP_LAB_CHECK)
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
