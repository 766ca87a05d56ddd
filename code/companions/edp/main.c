// SPDX-License-Identifier: GPL-2.0
/*
 * EDP: a datagram protocol family directly on Ethernet.
 *
 * This file is the family itself: how a socket comes to be and goes, its
 * options, the namespaces, the module. table.c gives sockets addresses,
 * frames.c sends and receives, show.c lets others look.
 */
#include <linux/module.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include "edp_sock.h"

unsigned int edp_net_id;

/* A socket's life ---------------------------------------------------------- */

static struct proto edp_proto = {
	.name = "EDP",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct edp_sock),
};

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
	skb_queue_purge(&sk->sk_receive_queue);
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
	edp_unhash(sk);
	sock_orphan(sk);
	sock->sk = NULL;
	skb_queue_purge(&sk->sk_receive_queue);
	sock_prot_inuse_add(sock_net(sk), &edp_proto, -1);
	sock_put(sk);
	return 0;
}

/* What can be asked of a socket -------------------------------------------- */

/**
 * edp_ioctl() - how much waits
 * @sock: the socket
 * @cmd: SIOCINQ or SIOCOUTQ
 * @arg: where the answer goes, an int
 *
 * Context: process.
 * Return: 0, or a negative errno; -ENOIOCTLCMD lets devices have a look at it.
 */
static int edp_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sk_buff_head *queue = &sock->sk->sk_receive_queue;
	struct sk_buff *skb;
	int amount = 0;

	switch (cmd) {
	case SIOCINQ:
		spin_lock_bh(&queue->lock);
		skb = skb_peek(queue);
		if (skb)
			amount = skb->len;
		spin_unlock_bh(&queue->lock);
		break;
	case SIOCOUTQ:
		amount = sk_wmem_alloc_get(sock->sk);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	return put_user(amount, (int __user *)arg);
}

/**
 * edp_setsockopt() - set an option of level SOL_EDP
 * @sock: the socket
 * @level: whose option
 * @name: which
 * @optval: its value, in a program's memory or the kernel's
 * @optlen: how long it is
 *
 * Context: process.
 * Return: 0, or a negative errno.
 */
static int edp_setsockopt(struct socket *sock, int level, int name,
			  sockptr_t optval, unsigned int optlen)
{
	int value, err;

	if (level != SOL_EDP || name != EDP_RECVDEST)
		return -ENOPROTOOPT;
	err = copy_safe_from_sockptr(&value, sizeof(value), optval, optlen);
	if (err)
		return err;
	WRITE_ONCE(edp_sk(sock->sk)->recvdest, value);
	return 0;
}

/**
 * edp_socket_room() - how much one datagram of this socket can carry
 * @sk: the socket
 *
 * Context: process.
 * Return: bytes, or a negative errno if no interface is known.
 */
static int edp_socket_room(struct sock *sk)
{
	struct sockaddr_edp addr;
	struct net_device *dev;
	int room = -ENODEV;

	if (!edp_peer_address(sk, &addr) || !addr.sedp_ifindex)
		edp_local_address(sk, &addr);
	if (!addr.sedp_ifindex)
		return -ENOTCONN;
	rcu_read_lock();
	dev = dev_get_by_index_rcu(sock_net(sk), addr.sedp_ifindex);
	if (dev)
		room = max(edp_room(dev), 0);
	rcu_read_unlock();
	return room;
}

/**
 * edp_getsockopt() - get an option of level SOL_EDP
 * @sock: the socket
 * @level: whose option
 * @name: which
 * @optval: where its value goes
 * @optlen: how much fits there, and then how much there is
 *
 * Context: process.
 * Return: 0, or a negative errno.
 */
static int edp_getsockopt(struct socket *sock, int level, int name,
			  char __user *optval, int __user *optlen)
{
	int len, value;

	if (level != SOL_EDP)
		return -ENOPROTOOPT;
	switch (name) {
	case EDP_RECVDEST:
		value = READ_ONCE(edp_sk(sock->sk)->recvdest);
		break;
	case EDP_ROOM:
		value = edp_socket_room(sock->sk);
		if (value < 0)
			return value;
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min_t(unsigned int, len, sizeof(value));
	if (put_user(len, optlen) || copy_to_user(optval, &value, len))
		return -EFAULT;
	return 0;
}

/* The family --------------------------------------------------------------- */

static const struct proto_ops edp_ops = {
	.family = AF_EDP,
	.owner = THIS_MODULE,
	.release = edp_release,
	.bind = edp_bind,
	.connect = edp_connect,
	.socketpair = sock_no_socketpair,
	.accept = sock_no_accept,
	.getname = edp_getname,
	.poll = datagram_poll,
	.ioctl = edp_ioctl,
	.gettstamp = sock_gettstamp,
	.listen = sock_no_listen,
	.shutdown = sock_no_shutdown,
	.setsockopt = edp_setsockopt,
	.getsockopt = edp_getsockopt,
	.sendmsg = edp_sendmsg,
	.recvmsg = edp_recvmsg,
	.mmap = sock_no_mmap,
};

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
	sock_set_flag(sk, SOCK_RCU_FREE);
	sock_prot_inuse_add(net, &edp_proto, 1);
	return 0;
}

static const struct net_proto_family edp_family = {
	.family = AF_EDP,
	.create = edp_create,
	.owner = THIS_MODULE,
};

/* Namespaces --------------------------------------------------------------- */

/**
 * edp_net_init() - a network namespace comes, or the module comes to one
 * @net: the namespace; its struct edp_net is there and zero
 *
 * Context: process; sleeps.
 * Return: 0, or -ENOMEM.
 */
static int __net_init edp_net_init(struct net *net)
{
	spin_lock_init(&edp_net(net)->lock);
	return edp_proc_create(net);
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
	int i;

	edp_proc_remove(net);
	for (i = 0; i < ARRAY_SIZE(edp_net(net)->bound); i++)
		WARN_ON_ONCE(!hlist_empty(&edp_net(net)->bound[i]));
}

static struct pernet_operations edp_pernet = {
	.init = edp_net_init,
	.exit = edp_net_exit,
	.id = &edp_net_id,
	.size = sizeof(struct edp_net),
};

/* The module --------------------------------------------------------------- */

/**
 * edp_init_module() - put the family in its places
 *
 * From what nobody can call to what everybody can: sock_register() is last,
 * for from then on there may be sockets.
 *
 * Context: process (insmod).
 * Return: 0, or a negative errno with nothing kept.
 */
static int __init edp_init_module(void)
{
	int err;

	err = proto_register(&edp_proto, 1);
	if (err)
		return err;
	err = register_pernet_subsys(&edp_pernet);
	if (err)
		goto err_proto;
	err = register_netdevice_notifier(&edp_netdev_notifier);
	if (err)
		goto err_pernet;
	err = sock_diag_register(&edp_diag_handler);
	if (err)
		goto err_notifier;
	dev_add_pack(&edp_packet_type);
	err = sock_register(&edp_family);
	if (err) {
		pr_err("edp: another module has family %d\n", AF_EDP);
		goto err_pack;
	}
	return 0;

err_pack:
	dev_remove_pack(&edp_packet_type);
	sock_diag_unregister(&edp_diag_handler);
err_notifier:
	unregister_netdevice_notifier(&edp_netdev_notifier);
err_pernet:
	unregister_pernet_subsys(&edp_pernet);
err_proto:
	proto_unregister(&edp_proto);
	return err;
}
module_init(edp_init_module);

/**
 * edp_exit_module() - the other way round
 *
 * No socket is left: each holds the module twice, by edp_ops until it is closed
 * and by edp_proto until its memory is free.
 *
 * Context: process (rmmod).
 */
static void __exit edp_exit_module(void)
{
	sock_unregister(AF_EDP);
	dev_remove_pack(&edp_packet_type);
	sock_diag_unregister(&edp_diag_handler);
	unregister_netdevice_notifier(&edp_netdev_notifier);
	unregister_pernet_subsys(&edp_pernet);
	proto_unregister(&edp_proto);
}
module_exit(edp_exit_module);

MODULE_DESCRIPTION("From Wire to Socket: a datagram family on Ethernet");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
