/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * EDP, the Ethernet Datagram Protocol: what the module and programs agree on.
 */
#ifndef EDP_H
#define EDP_H

#include <linux/socket.h>
#include <linux/types.h>

/*
 * The numbers of families end at AF_MAX and all are given away. This was Acorn
 * Econet's (AF_ECONET), which left the kernel with Linux 3.5 and whose number
 * nobody else will get.
 */
#define AF_EDP		19

/* IEEE 802: for local experiments. Nothing that is sold may use it. */
#define ETH_P_EDP	0x88B5

#define EDP_VERSION	1

/**
 * struct edphdr - what stands behind the Ethernet header
 * @version: EDP_VERSION
 * @reserved: 0
 * @length: of this header and the data: Ethernet pads short frames
 * @source: the sender's port, not 0
 * @dest: the receiver's
 */
struct edphdr {
	__u8	version;
	__u8	reserved;
	__be16	length;
	__be16	source;
	__be16	dest;
};

/**
 * struct sockaddr_edp - an address
 * @sedp_family: AF_EDP
 * @sedp_port: the port
 * @sedp_ifindex: the interface on this machine; 0: any, and where a datagram is
 *                to go the one that the socket is bound to
 * @sedp_mac: the station; where a socket is bound it is not looked at
 * @sedp_zero: fills up to the size of struct sockaddr
 */
struct sockaddr_edp {
	__kernel_sa_family_t	sedp_family;
	__be16			sedp_port;
	__s32			sedp_ifindex;
	__u8			sedp_mac[6];
	__u8			sedp_zero[2];
};

/* Level and names of the socket options; all take an int. */
#define SOL_EDP		300
#define EDP_RECVDEST	1	/* recvmsg() tells where to: a sockaddr_edp */
#define EDP_ROOM	2	/* get: how much data one datagram can carry */

/**
 * struct edp_diag_msg - a bound socket, as NETLINK_SOCK_DIAG shows it
 * @family: AF_EDP
 * @connected: whether @peer says something
 * @pad: 0
 * @uid: its owner
 * @inode: what /proc/PID/fd shows
 * @cookie: its number, which no other socket gets
 * @local: where it is bound
 * @peer: where it is connected to
 */
struct edp_diag_msg {
	__u8			family;
	__u8			connected;
	__u8			pad[2];
	__u32			uid;
	__u32			inode;
	__u32			cookie[2];
	struct sockaddr_edp	local;
	struct sockaddr_edp	peer;
};

/* Behind it: memory and drops, in the order of SK_MEMINFO_*. */
#define EDP_DIAG_MEMINFO	1

#endif
