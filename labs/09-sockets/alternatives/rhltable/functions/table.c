// SPDX-License-Identifier: GPL-2.0

static const struct rhashtable_params edp_table_params = {
	.key_len = sizeof_field(struct edp_sock, port),
	.key_offset = offsetof(struct edp_sock, port),
	.head_offset = offsetof(struct edp_sock, node),
	.automatic_shrinking = true,
};

/* Make the table of a namespace. Return: 0, or a negative errno. */
int edp_table_init(struct edp_net *en)
{
	return rhltable_init(&en->bound, &edp_table_params);
}

/* The next socket of a walk through a table, or NULL. */
struct sock *edp_next(struct rhashtable_iter *iter)
{
	struct edp_sock *edp;

	do {
		edp = rhashtable_walk_next(iter);
	} while (IS_ERR(edp) && PTR_ERR(edp) == -EAGAIN);
	return IS_ERR_OR_NULL(edp) ? NULL : &edp->sk;
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
	struct rhlist_head *list, *pos;
	struct edp_sock *edp;

	list = rhltable_lookup(&edp_net(net)->bound, &port, edp_table_params);
	rhl_for_each_entry_rcu(edp, pos, list, node)
		if (edp->ifindex == ifindex || edp->ifindex == 0)
			return &edp->sk;
	return NULL;
}

/* Whether nobody has a port who could get the same frames. */
static bool edp_is_free(struct edp_net *en, int ifindex, __be16 port)
{
	struct rhlist_head *list, *pos;
	struct edp_sock *edp;
	bool free = true;

	lockdep_assert_held(&en->lock);
	rcu_read_lock();
	list = rhltable_lookup(&en->bound, &port, edp_table_params);
	rhl_for_each_entry_rcu(edp, pos, list, node)
		if (edp_overlaps(edp, ifindex))
			free = false;
	rcu_read_unlock();
	return free;
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
	err = rhltable_insert_key(&en->bound, &port, &edp->node,
				  edp_table_params);
	if (err) {
		edp->ifindex = 0;
		edp->port = 0;
	} else {
		edp->hashed = true;
	}
out:
	spin_unlock(&en->lock);
	return err;
}

/* Take a socket out, if it is there; with the lock. */
static void edp_take_out(struct edp_net *en, struct sock *sk)
{
	struct edp_sock *edp = edp_sk(sk);

	lockdep_assert_held(&en->lock);
	if (edp->hashed)
		rhltable_remove(&en->bound, &edp->node, edp_table_params);
	edp->hashed = false;
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
	edp_take_out(en, sk);
	spin_unlock(&en->lock);
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
	struct rhashtable_iter iter;
	struct sock *sk;

	if (event != NETDEV_DOWN && event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	rhltable_walk_enter(&en->bound, &iter);
	spin_lock(&en->lock);
	rhashtable_walk_start(&iter);
	while ((sk = edp_next(&iter))) {
		if (!edp_depends(sk, dev->ifindex))
			continue;
		if (event == NETDEV_UNREGISTER) {
			WRITE_ONCE(sk->sk_err, ENODEV);
			if (edp_sk(sk)->ifindex == dev->ifindex)
				edp_take_out(en, sk);
		} else {
			WRITE_ONCE(sk->sk_err, ENETDOWN);
		}
		sk_error_report(sk);
	}
	rhashtable_walk_stop(&iter);
	spin_unlock(&en->lock);
	rhashtable_walk_exit(&iter);
	return NOTIFY_DONE;
}
