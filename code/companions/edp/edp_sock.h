/* SPDX-License-Identifier: GPL-2.0 */
/*
 * EDP inside the kernel: the socket, the namespace, and who calls whom.
 */
#ifndef EDP_SOCK_H
#define EDP_SOCK_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include "edp.h"

#define EDP_BUCKET_BITS	6

/* Ports for sockets that do not ask for one: from here to the end. */
#define EDP_FIRST_FREE	0xC000
#define EDP_FREE_PORTS	(0x10000 - EDP_FIRST_FREE)

/**
 * struct edp_peer - where a socket is connected to
 * @rcu: frees it when no receiver can be looking at it
 * @addr: the address
 *
 * Never changed: connect() puts another in its place.
 */
struct edp_peer {
	struct rcu_head rcu;
	struct sockaddr_edp addr;
};

/**
 * struct edp_sock - a socket
 * @sk: what every socket of the kernel has; must be first
 * @ifindex: the interface it is bound to; 0: any
 * @port: the port it is bound to; 0: none yet
 * @peer: where it is connected to, or NULL
 * @recvdest: EDP_RECVDEST
 *
 * @ifindex and @port are written once, under the table's lock, before anybody
 * can find the socket. @peer is changed under both locks, the socket's and the
 * table's.
 */
struct edp_sock {
	struct sock sk;
	int ifindex;
	__be16 port;
	struct edp_peer __rcu *peer;
	bool recvdest;
};

static inline struct edp_sock *edp_sk(const struct sock *sk)
{
	return (struct edp_sock *)sk;
}

/* What became of received frames. */
enum edp_count {
	EDP_RECEIVED,	/* put into a socket's queue */
	EDP_MALFORMED,	/* not a datagram */
	EDP_UNCLAIMED,	/* nobody has the port, or not for this sender */
	EDP_FULL,	/* the socket's queue had no room, or its filter said no */
	EDP_COUNTS
};

/**
 * struct edp_net - the family in one network namespace
 * @lock: held to change @bound, where look-ups are under RCU, and for @taken
 * @bound: sockets that have a port, by port
 * @taken: scratch paper for who chooses a port: which are taken
 * @counts: see enum edp_count
 */
struct edp_net {
	spinlock_t lock; /* of the table */
	struct hlist_head bound[1 << EDP_BUCKET_BITS];
	DECLARE_BITMAP(taken, EDP_FREE_PORTS);
	atomic_long_t counts[EDP_COUNTS];
};

extern unsigned int edp_net_id;

static inline struct edp_net *edp_net(const struct net *net)
{
	return net_generic(net, edp_net_id);
}

/* What is remembered of a received frame, in skb->cb. */
struct edp_cb {
	struct sockaddr_edp from;
	struct sockaddr_edp to;
};

static inline struct edp_cb *edp_cb(struct sk_buff *skb)
{
	sock_skb_cb_check_size(sizeof(struct edp_cb));
	return (struct edp_cb *)skb->cb;
}

/* Whether what a device carries begins with an Ethernet header. */
static inline bool edp_speaks(const struct net_device *dev)
{
	return dev->type == ARPHRD_ETHER || dev->type == ARPHRD_LOOPBACK;
}

/* How much data one datagram on this device can carry; below 0: none. */
static inline int edp_room(const struct net_device *dev)
{
	return (int)min(READ_ONCE(dev->mtu), U16_MAX) - (int)sizeof(struct edphdr);
}

/* table.c */
extern struct notifier_block edp_netdev_notifier;
int edp_bind(struct socket *sock, struct sockaddr_unsized *uaddr, int len);
int edp_autobind(struct sock *sk);
int edp_connect(struct socket *sock, struct sockaddr_unsized *uaddr, int len,
		int flags);
int edp_getname(struct socket *sock, struct sockaddr *uaddr, int peer);
int edp_check_address(const struct sockaddr_edp *addr, int len);
void edp_local_address(const struct sock *sk, struct sockaddr_edp *addr);
bool edp_peer_address(const struct sock *sk, struct sockaddr_edp *addr);
struct sock *edp_find(struct net *net, int ifindex, __be16 port);
void edp_unhash(struct sock *sk);

/* frames.c */
extern struct packet_type edp_packet_type;
int edp_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int edp_recvmsg(struct socket *sock, struct msghdr *msg, size_t size,
		int flags);

/* show.c */
extern const struct sock_diag_handler edp_diag_handler;
int edp_proc_create(struct net *net);
void edp_proc_remove(struct net *net);

#endif
