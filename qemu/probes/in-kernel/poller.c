// SPDX-License-Identifier: GPL-2.0
/*
 * poller: poll the NAPI instance of an interface once, with any budget.
 *
 *   insmod poller.ko interface=eth0 budget=5
 *
 * With a budget it does what a busy poller does, without one what netconsole
 * does, which wants frames sent and none received. If the poll keeps the
 * instance, softirq 3 goes on with it. Of several instances it takes one that
 * is enabled and idle: that of a queue which is in use.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

static char *interface = "";
module_param(interface, charp, 0444);
MODULE_PARM_DESC(interface, "whose NAPI instance");

static int budget;
module_param(budget, int, 0444);
MODULE_PARM_DESC(budget, "most frames to receive");

static int work = -1;
module_param(work, int, 0444);
MODULE_PARM_DESC(work, "what the poll returned");

static bool kept;
module_param(kept, bool, 0444);
MODULE_PARM_DESC(kept, "the instance was not given back");

static bool poller_poll(struct napi_struct *napi)
{
	bool idle;

	local_bh_disable();
	idle = napi_schedule_prep(napi);
	if (idle) {
		if (!budget)
			set_bit(NAPI_STATE_NPSVC, &napi->state);
		work = napi->poll(napi, budget);
		if (!budget)
			clear_bit(NAPI_STATE_NPSVC, &napi->state);
		kept = test_bit(NAPI_STATE_SCHED, &napi->state);
		if (kept && list_empty(&napi->poll_list))
			__napi_schedule(napi);
	}
	local_bh_enable();
	return idle;
}

static int __init poller_init(void)
{
	struct net_device *netdev;
	struct napi_struct *napi;
	int err = -ENODEV;

	rtnl_lock();
	netdev = __dev_get_by_name(&init_net, interface);
	if (netdev) {
		err = -EBUSY;
		list_for_each_entry(napi, &netdev->napi_list, dev_list) {
			if (poller_poll(napi)) {
				err = 0;
				break;
			}
		}
	}
	rtnl_unlock();
	return err;
}
module_init(poller_init);

static void __exit poller_exit(void)
{
}
module_exit(poller_exit);

MODULE_DESCRIPTION("Polls a NAPI instance with a given budget");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
