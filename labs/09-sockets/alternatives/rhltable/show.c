// SPDX-License-Identifier: GPL-2.0
/*
 * What others may see of the family: /proc/net/edp, /proc/net/edp_stat and
 * NETLINK_SOCK_DIAG.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/sock_diag.h>
#include <net/netlink.h>
#include "edp_sock.h"

/* /proc -------------------------------------------------------------------- */

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
	struct rhashtable_iter iter;
	struct sockaddr_edp peer;
	struct sock *sk;

	seq_puts(seq, "if  port if peer              port   rmem   wmem drops uid inode\n");
	rhltable_walk_enter(&en->bound, &iter);
	rhashtable_walk_start(&iter);
	while ((sk = edp_next(&iter))) {
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
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return 0;
}

/**
 * edp_proc_counts() - what became of received frames
 * @seq: where it goes
 * @unused: says nothing
 *
 * Context: process.
 * Return: 0.
 */
static int edp_proc_counts(struct seq_file *seq, void *unused)
{
	static const char * const names[EDP_COUNTS] = {
		[EDP_RECEIVED] = "received",
		[EDP_MALFORMED] = "malformed",
		[EDP_UNCLAIMED] = "unclaimed",
		[EDP_FULL] = "full",
	};
	struct edp_net *en = edp_net(seq_file_single_net(seq));
	int i;

	for (i = 0; i < EDP_COUNTS; i++)
		seq_printf(seq, "%s: %ld\n", names[i],
			   atomic_long_read(&en->counts[i]));
	return 0;
}

/**
 * edp_proc_create() - make the two files of a namespace
 * @net: the namespace
 *
 * Context: process; sleeps.
 * Return: 0, or -ENOMEM.
 */
int edp_proc_create(struct net *net)
{
	if (!proc_create_net_single("edp", 0444, net->proc_net,
				    edp_proc_sockets, NULL))
		return -ENOMEM;
	if (!proc_create_net_single("edp_stat", 0444, net->proc_net,
				    edp_proc_counts, NULL)) {
		remove_proc_entry("edp", net->proc_net);
		return -ENOMEM;
	}
	return 0;
}

/* The opposite. */
void edp_proc_remove(struct net *net)
{
	remove_proc_entry("edp_stat", net->proc_net);
	remove_proc_entry("edp", net->proc_net);
}

/* NETLINK_SOCK_DIAG -------------------------------------------------------- */

/**
 * edp_diag_fill() - describe one socket
 * @sk: the socket
 * @skb: the message so far
 * @cb: what was asked, by whom
 *
 * Context: RCU read lock held.
 * Return: 0, or -EMSGSIZE when the message has no room left.
 */
static int edp_diag_fill(struct sock *sk, struct sk_buff *skb,
			 struct netlink_callback *cb)
{
	struct user_namespace *users = sk_user_ns(NETLINK_CB(cb->skb).sk);
	struct edp_diag_msg *msg;
	struct nlmsghdr *nlh;

	nlh = nlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			SOCK_DIAG_BY_FAMILY, sizeof(*msg), NLM_F_MULTI);
	if (!nlh)
		return -EMSGSIZE;
	msg = nlmsg_data(nlh);
	memset(msg, 0, sizeof(*msg));
	msg->family = AF_EDP;
	msg->uid = from_kuid_munged(users, READ_ONCE(sk->sk_uid));
	msg->inode = sock_i_ino(sk);
	sock_diag_save_cookie(sk, msg->cookie);
	edp_local_address(sk, &msg->local);
	msg->connected = edp_peer_address(sk, &msg->peer);
	if (sock_diag_put_meminfo(sk, skb, EDP_DIAG_MEMINFO)) {
		nlmsg_cancel(skb, nlh);
		return -EMSGSIZE;
	}
	nlmsg_end(skb, nlh);
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
	struct rhashtable_iter iter;
	struct sock *sk;
	long n = 0;

	rhltable_walk_enter(&en->bound, &iter);
	rhashtable_walk_start(&iter);
	while ((sk = edp_next(&iter))) {
		if (n++ < cb->args[0])
			continue;
		if (edp_diag_fill(sk, skb, cb))
			break;
		cb->args[0] = n;
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
	return skb->len;
}

/* Somebody asks about sockets of our family. */
static int edp_diag_ask(struct sk_buff *skb, struct nlmsghdr *nlh)
{
	struct netlink_dump_control control = { .dump = edp_diag_dump };

	if (!(nlh->nlmsg_flags & NLM_F_DUMP))
		return -EOPNOTSUPP;
	return netlink_dump_start(sock_net(skb->sk)->diag_nlsk, skb, nlh,
				  &control);
}

const struct sock_diag_handler edp_diag_handler = {
	.owner = THIS_MODULE,
	.family = AF_EDP,
	.dump = edp_diag_ask,
};
