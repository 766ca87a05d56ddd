// SPDX-License-Identifier: GPL-2.0

/**
 * edp_destruct() - nobody can see the socket any more
 * @sk: the socket
 *
 * A receiver that found the socket before edp_release() may have queued a frame
 * after it. Now none can.
 *
 * Context: softirq, when an RCU grace period has passed (SOCK_RCU_FREE).
 */
static void edp_destruct(struct sock *sk)
{
	struct edp_peer *peer = rcu_dereference_raw(edp_sk(sk)->peer);
	struct sk_buff *skb;

	kfree(peer);
	while ((skb = skb_dequeue(&sk->sk_receive_queue)))
		kfree_skb(skb);
	WARN_ON_ONCE(atomic_read(&sk->sk_rmem_alloc));
	WARN_ON_ONCE(refcount_read(&sk->sk_wmem_alloc));
}

static __poll_t edp_poll(struct file *file, struct socket *sock,
			 poll_table *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = 0;

	sock_poll_wait(file, sock, wait);
	if (READ_ONCE(sk->sk_err) || !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= EPOLLERR;
	if (!skb_queue_empty_lockless(&sk->sk_receive_queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sock_writeable(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	return mask;
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

	if (sk) {
		sock_prot_inuse_add(sock_net(sk), &edp_proto, -1);
		lock_sock(sk);
		sock_orphan(sk);
		sock->sk = NULL;
		release_sock(sk);
		edp_unhash(sk);
		sock_put(sk);
	}
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
	sock_set_flag(sk, SOCK_RCU_FREE);
	sk->sk_destruct = edp_destruct;
	sock_prot_inuse_add(net, &edp_proto, 1);
	return 0;
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
	WARN_ON(!hlist_empty(&edp_net(net)->bound));
}
