// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses: who has which port, who is connected to whom, and what becomes of
 * them when an interface goes.
 *
 * A socket with a port stands in its namespace's table. Receivers look it up
 * under RCU, without any lock and without a reference; everybody who changes
 * the table holds its lock.
 */
#include <linux/etherdevice.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include "edp_sock.h"

static struct hlist_head *edp_bucket(struct edp_net *en, __be16 port)
{
	return &en->bound[hash_32((__force u32)port, EDP_BUCKET_BITS)];
}

/**
 * edp_find() - who gets what arrives for a port
 * @net: the namespace of the interface it came in by
 * @ifindex: the interface
 * @port: the port
 *
 * Context: RCU read lock held; the socket is there for as long.
 * Return: the socket, or NULL.
 */
struct sock *edp_find(struct net *net, int ifindex, __be16 port)
{
	struct sock *sk;

	sk_for_each_rcu(sk, edp_bucket(edp_net(net), port)) {
		struct edp_sock *edp = edp_sk(sk);

		if (edp->port == port &&
		    (!edp->ifindex || edp->ifindex == ifindex))
			return sk;
	}
	return NULL;
}

/* Whether two could get the same frames, the interface of one being @ifindex. */
static bool edp_overlaps(const struct edp_sock *edp, int ifindex)
{
	return !ifindex || !edp->ifindex || edp->ifindex == ifindex;
}

/* Whether nobody has a port who could get the same frames. */
static bool edp_is_free(struct edp_net *en, int ifindex, __be16 port)
{
	struct sock *sk;

	lockdep_assert_held(&en->lock);
	sk_for_each(sk, edp_bucket(en, port)) {
		struct edp_sock *edp = edp_sk(sk);

		if (edp->port == port && edp_overlaps(edp, ifindex))
			return false;
	}
	return true;
}

/*
 * A free port out of those nobody asks for, or 0. Anybody may make many sockets:
 * when as many tries as there are chains have failed, which is a walk through the
 * table, one more walk shows all that are taken.
 */
static __be16 edp_choose(struct edp_net *en, int ifindex)
{
	u32 start = get_random_u32_below(EDP_FREE_PORTS);
	struct sock *sk;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(en->bound); i++) {
		__be16 port = htons(EDP_FIRST_FREE + (start + i) % EDP_FREE_PORTS);

		if (edp_is_free(en, ifindex, port))
			return port;
	}
	bitmap_zero(en->taken, EDP_FREE_PORTS);
	for (i = 0; i < ARRAY_SIZE(en->bound); i++) {
		sk_for_each(sk, &en->bound[i]) {
			struct edp_sock *edp = edp_sk(sk);
			u32 port = ntohs(edp->port);

			if (port >= EDP_FIRST_FREE && edp_overlaps(edp, ifindex))
				__set_bit(port - EDP_FIRST_FREE, en->taken);
		}
	}
	i = find_next_zero_bit(en->taken, EDP_FREE_PORTS, start);
	if (i == EDP_FREE_PORTS)
		i = find_first_zero_bit(en->taken, EDP_FREE_PORTS);
	return i < EDP_FREE_PORTS ? htons(EDP_FIRST_FREE + i) : 0;
}

/* Whether an interface exists and can carry us; 0 stands for any. */
static int edp_check_device(struct net *net, int ifindex)
{
	struct net_device *dev;
	int err = 0;

	if (!ifindex)
		return 0;
	rcu_read_lock();
	dev = dev_get_by_index_rcu(net, ifindex);
	if (!dev)
		err = -ENODEV;
	else if (!edp_speaks(dev))
		err = -EPROTONOSUPPORT;
	rcu_read_unlock();
	return err;
}

/**
 * edp_hash() - give a socket its port and let receivers find it
 * @sk: the socket
 * @ifindex: the interface, or 0 for any
 * @port: the port, or 0 for one that is free
 *
 * The interface is looked at under the table's lock: were it to vanish after
 * that, the notifier would wait for the lock and then find the socket.
 *
 * Context: process, socket locked; takes the table's lock.
 * Return: 0, or a negative errno.
 */
static int edp_hash(struct sock *sk, int ifindex, __be16 port)
{
	struct edp_net *en = edp_net(sock_net(sk));
	struct edp_sock *edp = edp_sk(sk);
	int err;

	if (edp->port)
		return -EINVAL;
	spin_lock(&en->lock);
	err = edp_check_device(sock_net(sk), ifindex);
	if (err)
		goto out;
	if (!port)
		port = edp_choose(en, ifindex);
	if (!port || !edp_is_free(en, ifindex, port)) {
		err = -EADDRINUSE;
		goto out;
	}
	edp->ifindex = ifindex;
	/* Who sees the port (edp_autobind()) sees the interface as well. */
	smp_store_release(&edp->port, port);
	sk_add_node_rcu(sk, edp_bucket(en, port));
out:
	spin_unlock(&en->lock);
	return err;
}

/**
 * edp_unhash() - let no receiver find the socket any more
 * @sk: the socket, in the table or not
 *
 * Those that have found it may go on using it until they leave RCU.
 *
 * Context: process; takes the table's lock.
 */
void edp_unhash(struct sock *sk)
{
	struct edp_net *en = edp_net(sock_net(sk));

	spin_lock(&en->lock);
	sk_del_node_init_rcu(sk);
	spin_unlock(&en->lock);
}

/* Whether a program's address is one of ours. */
int edp_check_address(const struct sockaddr_edp *addr, int len)
{
	if (len < (int)sizeof(*addr))
		return -EINVAL;
	if (addr->sedp_family != AF_EDP)
		return -EAFNOSUPPORT;
	return addr->sedp_ifindex < 0 ? -EINVAL : 0;
}

/**
 * edp_bind() - somebody called bind()
 * @sock: the socket
 * @uaddr: the address, copied from the program, @len bytes of it
 * @len: how long it is
 *
 * Context: process; sleeps.
 * Return: 0, or a negative errno.
 */
int edp_bind(struct socket *sock, struct sockaddr_unsized *uaddr, int len)
{
	struct sockaddr_edp *addr = (struct sockaddr_edp *)uaddr;
	int err;

	err = edp_check_address(addr, len);
	if (err)
		return err;
	lock_sock(sock->sk);
	err = edp_hash(sock->sk, addr->sedp_ifindex, addr->sedp_port);
	release_sock(sock->sk);
	return err;
}

/**
 * edp_autobind() - who sends must have a port, for the answer
 * @sk: the socket
 *
 * Context: process; sleeps.
 * Return: 0, or a negative errno.
 */
int edp_autobind(struct sock *sk)
{
	int err = 0;

	/* Written last (edp_hash()): with it the interface can be read. */
	if (smp_load_acquire(&edp_sk(sk)->port))
		return 0;
	lock_sock(sk);
	if (!edp_sk(sk)->port)
		err = edp_hash(sk, 0, 0);
	release_sock(sk);
	return err;
}

/**
 * edp_set_peer() - put another peer in the place of the old one
 * @sk: the socket
 * @peer: the new one, or NULL
 *
 * A receiver may be comparing with the old one this moment. The interface is
 * looked at under the table's lock, as in edp_hash(): were it to vanish after
 * that, the notifier would find the peer.
 *
 * Context: process; sleeps; takes the table's lock.
 * Return: 0, or a negative errno, and the old one stays.
 */
static int edp_set_peer(struct sock *sk, struct edp_peer *peer)
{
	struct edp_net *en = edp_net(sock_net(sk));
	struct edp_peer *old = NULL;
	int err = 0;

	lock_sock(sk);
	spin_lock(&en->lock);
	if (peer)
		err = edp_check_device(sock_net(sk), peer->addr.sedp_ifindex);
	if (!err) {
		old = rcu_replace_pointer(edp_sk(sk)->peer, peer,
					  lockdep_is_held(&en->lock));
		sk->sk_socket->state = peer ? SS_CONNECTED : SS_UNCONNECTED;
	}
	spin_unlock(&en->lock);
	release_sock(sk);
	if (old)
		kfree_rcu(old, rcu);
	return err;
}

/**
 * edp_connect() - somebody called connect()
 * @sock: the socket
 * @uaddr: the address, copied from the program; AF_UNSPEC: be connected no more
 * @len: how long it is
 * @flags: of the descriptor; nothing here waits
 *
 * Nothing goes over the cable. The address is what send() will use, and nobody
 * else is listened to; so it needs an interface, its own or the socket's.
 *
 * Context: process; sleeps.
 * Return: 0, or a negative errno.
 */
int edp_connect(struct socket *sock, struct sockaddr_unsized *uaddr, int len,
		int flags)
{
	struct sockaddr_edp *addr = (struct sockaddr_edp *)uaddr;
	struct sock *sk = sock->sk;
	struct edp_peer *peer;
	int ifindex;
	int err;

	if (len < (int)sizeof(addr->sedp_family))
		return -EINVAL;
	if (addr->sedp_family == AF_UNSPEC)
		return edp_set_peer(sk, NULL);
	err = edp_check_address(addr, len);
	if (err)
		return err;
	/* edp_set_peer() looks once more; refused here it costs no port. */
	ifindex = addr->sedp_ifindex ?: edp_sk(sk)->ifindex;
	err = ifindex ? edp_check_device(sock_net(sk), ifindex) : -ENODEV;
	if (!err)
		err = edp_autobind(sk);
	if (err)
		return err;
	peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return -ENOMEM;
	peer->addr = *addr;
	peer->addr.sedp_ifindex = ifindex;
	memset(peer->addr.sedp_zero, 0, sizeof(peer->addr.sedp_zero));
	err = edp_set_peer(sk, peer);
	if (err)
		kfree(peer);
	return err;
}

/* Where a socket is bound, as a program may see it. */
void edp_local_address(const struct sock *sk, struct sockaddr_edp *addr)
{
	struct net_device *dev;

	memset(addr, 0, sizeof(*addr));
	addr->sedp_family = AF_EDP;
	addr->sedp_port = READ_ONCE(edp_sk(sk)->port);
	addr->sedp_ifindex = edp_sk(sk)->ifindex;
	rcu_read_lock();
	dev = dev_get_by_index_rcu(sock_net(sk), addr->sedp_ifindex);
	if (dev)
		ether_addr_copy(addr->sedp_mac, dev->dev_addr);
	rcu_read_unlock();
}

/* Where it is connected to. Return: false when it is not. */
bool edp_peer_address(const struct sock *sk, struct sockaddr_edp *addr)
{
	const struct edp_peer *peer;

	rcu_read_lock();
	peer = rcu_dereference(edp_sk(sk)->peer);
	if (peer)
		*addr = peer->addr;
	rcu_read_unlock();
	return peer;
}

/**
 * edp_getname() - getsockname() and getpeername()
 * @sock: the socket
 * @uaddr: where the address goes: room enough for any family's
 * @peer: which of the two
 *
 * Context: process.
 * Return: the address's length, or a negative errno.
 */
int edp_getname(struct socket *sock, struct sockaddr *uaddr, int peer)
{
	struct sockaddr_edp *addr = (struct sockaddr_edp *)uaddr;

	if (!peer)
		edp_local_address(sock->sk, addr);
	else if (!edp_peer_address(sock->sk, addr))
		return -ENOTCONN;
	return sizeof(*addr);
}

/* Interfaces that go ------------------------------------------------------- */

/* Whether a socket waits for what comes in by an interface. */
static bool edp_depends(const struct sock *sk, int ifindex)
{
	struct sockaddr_edp peer;

	if (edp_sk(sk)->ifindex == ifindex)
		return true;
	return edp_peer_address(sk, &peer) && peer.sedp_ifindex == ifindex;
}

/**
 * edp_netdev_event() - something happened to an interface
 * @nb: our entry in the list of those who want to know
 * @event: what
 * @ptr: holds the device
 *
 * Sockets that depend on it are told, whoever sleeps on one wakes. When the
 * interface is gone for good, those bound to it are bound to a number that the
 * next interface may get, so they leave the table. Who was only connected over
 * it stays: the next connect() gives it another peer. Nobody holds a reference
 * to the device: it may go at once.
 *
 * Context: process, RTNL; takes the table's lock.
 * Return: NOTIFY_DONE.
 */
static int edp_netdev_event(struct notifier_block *nb, unsigned long event,
			    void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct edp_net *en = edp_net(dev_net(dev));
	struct hlist_node *next;
	struct sock *sk;
	int i;

	if (event != NETDEV_DOWN && event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	spin_lock(&en->lock);
	for (i = 0; i < ARRAY_SIZE(en->bound); i++) {
		sk_for_each_safe(sk, next, &en->bound[i]) {
			if (!edp_depends(sk, dev->ifindex))
				continue;
			WRITE_ONCE(sk->sk_err, event == NETDEV_DOWN ?
				   ENETDOWN : ENODEV);
			sk_error_report(sk);
			if (event == NETDEV_UNREGISTER &&
			    edp_sk(sk)->ifindex == dev->ifindex)
				sk_del_node_init_rcu(sk);
		}
	}
	spin_unlock(&en->lock);
	return NOTIFY_DONE;
}

struct notifier_block edp_netdev_notifier = {
	.notifier_call = edp_netdev_event,
};
