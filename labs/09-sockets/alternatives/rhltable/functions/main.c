// SPDX-License-Identifier: GPL-2.0

/**
 * edp_destruct() - nobody can see the socket any more
 * @sk: the socket
 *
 * Context: any; the last reference has gone, that of a frame perhaps.
 */
static void edp_destruct(struct sock *sk)
{
	kfree(rcu_dereference_protected(edp_sk(sk)->peer, true));
	WARN_ON_ONCE(atomic_read(&sk->sk_rmem_alloc));
	WARN_ON_ONCE(refcount_read(&sk->sk_wmem_alloc));
}

/**
 * edp_release() - the last descriptor of a socket was closed
 * @sock: the half that belonged to the descriptor
 *
 * The other half lives on while frames it sent wait in a device.
 *
 * Context: process.
 * Return: 0.
 */
static int edp_release(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!sk)
		return 0;
	sock->sk = NULL;
	sock_orphan(sk);
	edp_unhash(sk);
	/* Who found it before may be putting a frame into its queue. */
	synchronize_net();
	skb_queue_purge(&sk->sk_receive_queue);
	sock_prot_inuse_add(sock_net(sk), &edp_proto, -1);
	sock_put(sk);
	return 0;
}

/**
 * edp_create() - somebody called socket()
 * @net: the caller's network namespace
 * @sock: the half that belongs to the descriptor; the other half comes to it
 * @protocol: the third argument of socket()
 * @kern: the caller is the kernel
 *
 * Context: process; sleeps.
 * Return: 0, or a negative errno.
 */
static int edp_create(struct net *net, struct socket *sock, int protocol,
		      int kern)
{
	struct sock *sk;

	if (sock->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol)
		return -EPROTONOSUPPORT;
	sk = sk_alloc(net, AF_EDP, GFP_KERNEL, &edp_proto, kern);
	if (!sk)
		return -ENOMEM;
	sock->ops = &edp_ops;
	sock_init_data(sock, sk);
	sk->sk_destruct = edp_destruct;
	sock_prot_inuse_add(net, &edp_proto, 1);
	return 0;
}

/**
 * edp_net_init() - a network namespace comes, or the module comes to one
 * @net: the namespace; its struct edp_net is there and zero
 *
 * Context: process; sleeps.
 * Return: 0, or -ENOMEM.
 */
static int __net_init edp_net_init(struct net *net)
{
	struct edp_net *en = edp_net(net);
	int err;

	spin_lock_init(&en->lock);
	err = edp_table_init(en);
	if (err)
		return err;
	err = edp_proc_create(net);
	if (err)
		rhltable_destroy(&en->bound);
	return err;
}

/**
 * edp_net_exit() - a network namespace goes, or the module goes
 * @net: the namespace
 *
 * Every socket holds its namespace, so none is left.
 *
 * Context: process; sleeps.
 */
static void __net_exit edp_net_exit(struct net *net)
{
	edp_proc_remove(net);
	rhltable_destroy(&edp_net(net)->bound);
}
