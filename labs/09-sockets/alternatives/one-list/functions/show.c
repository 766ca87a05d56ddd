// SPDX-License-Identifier: GPL-2.0

/**
 * edp_proc_sockets() - one line for each bound socket
 * @seq: where it goes
 * @unused: says nothing
 *
 * Context: process.
 * Return: 0.
 */
static int edp_proc_sockets(struct seq_file *seq, void *unused)
{
	struct edp_net *en = edp_net(seq_file_single_net(seq));
	struct sockaddr_edp peer;
	struct sock *sk;

	seq_puts(seq, "if  port if peer              port   rmem   wmem drops uid inode\n");
	rcu_read_lock();
	sk_for_each_rcu(sk, &en->bound) {
		if (!edp_peer_address(sk, &peer))
			memset(&peer, 0, sizeof(peer));
		seq_printf(seq, "%2d %5u %2d %pM %5u %6d %6d %5d %3u %lu\n",
			   edp_sk(sk)->ifindex, ntohs(edp_sk(sk)->port),
			   peer.sedp_ifindex, peer.sedp_mac,
			   ntohs(peer.sedp_port), sk_rmem_alloc_get(sk),
			   sk_wmem_alloc_get(sk), atomic_read(&sk->sk_drops),
			   from_kuid_munged(seq_user_ns(seq),
					    READ_ONCE(sk->sk_uid)),
			   (unsigned long)sock_i_ino(sk));
	}
	rcu_read_unlock();
	return 0;
}

/**
 * edp_diag_dump() - describe as many sockets as one message has room for
 * @skb: the message
 * @cb: args[0]: how many the messages before it held
 *
 * Context: process.
 * Return: the message's length; 0 when there was nothing left.
 */
static int edp_diag_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct edp_net *en = edp_net(sock_net(skb->sk));
	struct sock *sk;
	long n = 0;

	rcu_read_lock();
	sk_for_each_rcu(sk, &en->bound) {
		if (n++ < cb->args[0])
			continue;
		if (edp_diag_fill(sk, skb, cb))
			break;
		cb->args[0] = n;
	}
	rcu_read_unlock();
	return skb->len;
}
