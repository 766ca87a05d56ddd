// SPDX-License-Identifier: GPL-2.0

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

	sk_for_each_rcu(sk, &edp_net(net)->bound) {
		const struct edp_sock *edp = edp_sk(sk);

		if (edp->port != port)
			continue;
		if (edp->ifindex && edp->ifindex != ifindex)
			continue;
		return sk;
	}
	return NULL;
}

/* Whether nobody has a port who could get the same frames. */
static bool edp_is_free(struct edp_net *en, int ifindex, __be16 port)
{
	struct sock *sk;

	lockdep_assert_held(&en->lock);
	sk_for_each(sk, &en->bound) {
		struct edp_sock *edp = edp_sk(sk);

		if (edp->port == port && edp_overlaps(edp, ifindex))
			return false;
	}
	return true;
}

/* A free port out of those nobody asks for, or 0. */
static __be16 edp_choose(struct edp_net *en, int ifindex)
{
	u32 count = 0x10000 - EDP_FIRST_FREE;
	u32 start = get_random_u32_below(count);
	u32 i;

	for (i = 0; i < count; i++) {
		__be16 port = htons(EDP_FIRST_FREE + (start + i) % count);

		if (edp_is_free(en, ifindex, port))
			return port;
	}
	return 0;
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

	spin_lock(&en->lock);
	if (edp->port) {
		err = -EINVAL;
	} else {
		err = edp_check_device(sock_net(sk), ifindex);
		if (!err && port && !edp_is_free(en, ifindex, port))
			err = -EADDRINUSE;
		if (!err && !port) {
			port = edp_choose(en, ifindex);
			err = port ? 0 : -EADDRINUSE;
		}
	}
	if (!err) {
		WRITE_ONCE(edp->ifindex, ifindex);
		/* With the port, edp_autobind() sees the interface. */
		smp_store_release(&edp->port, port);
		if (ifindex)
			sk_add_node_rcu(sk, &en->bound);
		else
			sk_add_node_tail_rcu(sk, &en->bound);
	}
	spin_unlock(&en->lock);
	return err;
}

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
	int err;

	switch (event) {
	case NETDEV_DOWN:
		err = ENETDOWN;
		break;
	case NETDEV_UNREGISTER:
		err = ENODEV;
		break;
	default:
		return NOTIFY_DONE;
	}
	spin_lock(&en->lock);
	sk_for_each_safe(sk, next, &en->bound) {
		if (!edp_depends(sk, dev->ifindex))
			continue;
		if (err == ENODEV && edp_sk(sk)->ifindex == dev->ifindex)
			sk_del_node_init_rcu(sk);
		sk->sk_err = err;
		sk_error_report(sk);
	}
	spin_unlock(&en->lock);
	return NOTIFY_OK;
}
