// SPDX-License-Identifier: GPL-2.0
/*
 * patience: as long as it is loaded, the stack waits an hour, not five seconds,
 * before it gives up a stopped queue. For tests that hold the card: how fast the
 * guest's clock runs beside its processor depends on the machine.
 *
 *   insmod patience.ko interface=eth0
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

static char *interface = "eth0";
module_param(interface, charp, 0444);
MODULE_PARM_DESC(interface, "the interface to be patient with; it has been up");

static struct net_device *patience_netdev;
static int patience_before;

static int __init patience_init(void)
{
	patience_netdev = dev_get_by_name(&init_net, interface);
	if (!patience_netdev)
		return -ENODEV;
	patience_before = patience_netdev->watchdog_timeo;
	WRITE_ONCE(patience_netdev->watchdog_timeo, 3600 * HZ);
	return 0;
}
module_init(patience_init);

static void __exit patience_exit(void)
{
	rtnl_lock();
	WRITE_ONCE(patience_netdev->watchdog_timeo, patience_before);
	/* Its timer may have been set while that was an hour. */
	if (netif_running(patience_netdev) && netif_carrier_ok(patience_netdev))
		__netdev_watchdog_up(patience_netdev);
	rtnl_unlock();
	dev_put(patience_netdev);
}
module_exit(patience_exit);

MODULE_DESCRIPTION("Makes the transmit watchdog wait an hour");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
