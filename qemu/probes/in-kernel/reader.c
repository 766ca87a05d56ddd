// SPDX-License-Identifier: GPL-2.0
/*
 * reader: somebody who stays under RCU for as long as is wanted.
 *
 *   insmod reader.ko
 *
 * From the moment it is in the kernel until somebody writes 1 to "go" in
 * /sys/module/reader/parameters, or MS milliseconds have passed, a thread of the
 * lowest priority holds the RCU read lock. What is freed after a grace period
 * is not freed before. It needs a kernel that preempts.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

static int ms = 5000;
module_param(ms, int, 0444);
MODULE_PARM_DESC(ms, "how long it reads at most");

static int go;
module_param(go, int, 0644);
MODULE_PARM_DESC(go, "written 1: it reads no longer");

static DECLARE_COMPLETION(begun);
static struct task_struct *thread;

static int reader_read(void *unused)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);

	rcu_read_lock();
	complete(&begun);
	/* Others run: the kernel preempts us. */
	while (!READ_ONCE(go) && time_before(jiffies, end))
		cpu_relax();
	rcu_read_unlock();
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static int __init reader_init(void)
{
	thread = kthread_create(reader_read, NULL, "reader");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	set_user_nice(thread, MAX_NICE);
	wake_up_process(thread);
	wait_for_completion(&begun);
	return 0;
}
module_init(reader_init);

static void __exit reader_exit(void)
{
	WRITE_ONCE(go, 1);
	kthread_stop(thread);
}
module_exit(reader_exit);

MODULE_DESCRIPTION("Holds the RCU read lock for a while");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
