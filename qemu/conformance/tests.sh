# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Which of the kernel's selftests are run, in the guest; sourced by `init`. Each test's own name, the seconds it may take
# of the guest's time, its directory below tools/testing/selftests, its command.
#   run NAME LIMIT DIRECTORY COMMAND...
# The card under test is eut0. Its neighbour peer0 is in the network namespace "peer", or, after `together`, in the same.

# drivers/net and drivers/net/hw: what any driver is asked.
run ping 60 drivers/net ./ping.py
run queues 60 drivers/net ./queues.py
run stats 60 drivers/net ./stats.py
# 6.12's csum.py asks its environment for a name that only later versions give it.
run csum 180 drivers/net/hw python3 -c 'import csum, lib.py as l; l.NetDrvEpEnv.remote_ifname = "peer0"; csum.main()'
run pp_alloc_fail 60 drivers/net/hw ./pp_alloc_fail.py

# net: GRO from a neighbour, as net/gro.sh has it between two veth.
for protocol in ipv4 ipv6; do
    for case in data ack flags tcp ip large; do
        run "gro.$protocol.$case" 60 net gro_from_neighbour "$protocol" "$case"
    done
done
run netdevice 60 net in_own_namespace ./netdevice.sh
run hwtstamp_config 20 net ./hwtstamp_config eut0
run txtimestamp 60 net to_neighbour "socat -u UDP4-RECV:9000 OPEN:/dev/null" "./txtimestamp -4 -u $REMOTE_V4"
run msg_zerocopy 60 net to_neighbour "./msg_zerocopy -4 -r -S $LOCAL_V4 -D $REMOTE_V4 -t 3 udp" "./msg_zerocopy -4 -S $LOCAL_V4 -D $REMOTE_V4 -t 2 udp"
for ip in 4 6; do
    remote=REMOTE_V$ip
    run "sctp.ipv$ip" 30 net association "-$ip" "${!remote}"
done

# ptp: the card's clock.
run testptp.capabilities 20 ptp ptp_clock -c
run testptp.get 20 ptp ptp_clock -g
run testptp.set 20 ptp ptp_clock -s
run testptp.adjust 20 ptp ptp_clock -f 1000
run testptp.shift 20 ptp ptp_clock -t 1
run testptp.offsets 20 ptp ptp_clock -k 5

# What has itself for a neighbour, by the loopback feature.
run gro.loopback 120 net ./gro.sh -i eut0 -t data
run toeplitz.loopback 120 net hashed ./toeplitz.sh -i eut0 -u -4 -rss -irq_prefix "eut0-[rT]x[tR]x"
# It leaves another key of the hash behind.
run rss_ctx 180 drivers/net/hw ./rss_ctx.py

# Two cards in one namespace.
together
run ethtool_rmon 180 drivers/net/hw ./ethtool_rmon.sh eut0 peer0
run loopback 60 drivers/net/hw ./loopback.sh eut0 peer0
run ethtool 200 drivers/net/hw ./ethtool.sh eut0 peer0
run min_max_mtu 120 net/forwarding ./min_max_mtu.sh eut0 peer0
