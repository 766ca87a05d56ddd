// SPDX-License-Identifier: GPL-2.0
/*
 * watchcall: stand beside functions that igbook calls.
 *
 *   insmod watchcall.ko card=0000:01:00.0 calls=pci_ioremap_bar,iounmap regs=0x18
 *
 * Of each call that comes from igbook it notes the time, whether the caller
 * holds RTNL, four arguments, what the card's registers REGS hold at that
 * moment, and what the call returned. It can answer a call itself, or hold it
 * until it is released. Calls from elsewhere are left alone, and functions that
 * the kernel does not have. A function of igbook itself is "igbook:NAME"; of
 * those, igbook must be loaded first.
 *
 * In /sys/kernel/debug/watchcall:
 *   log       the calls, oldest first; writing anything forgets them
 *   counts    since insmod: NAME, calls, those that did not return 0, those
 *             whose first argument was not 0
 *   answer    write "NAME SKIP COUNT VALUE [=SECOND] [WORD...]": after SKIP
 *             calls, the next COUNT are not made and return VALUE. With SECOND,
 *             only calls with that second argument count. The Nth of them
 *             leaves the Nth WORD, or the last, where the third argument points
 *             (u16). Empty: no more of that.
 *   answered  how many were
 *   hold      write NAME: whoever calls it stands there; empty: all go on
 *   held      how many stand there
 *   rtnl      who reads it holds RTNL until it is written
 *   identity  write "VENDOR DEVICE SUBSYSTEM" (hexadecimal): what the kernel
 *             takes the card for; empty: what it is
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/preempt.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "probe.h"

#define WATCH_CALLS	32
#define WATCH_REGS	6
#define WATCH_WORDS	8
#define WATCH_LOG	600
#define WATCH_FILL	0xa5
#define WATCH_LINE	160

static char *card = "";
module_param(card, charp, 0444);
MODULE_PARM_DESC(card, "PCI address of the card");

static char *calls[WATCH_CALLS];
static int num_calls;
module_param_array(calls, charp, &num_calls, 0444);
MODULE_PARM_DESC(calls, "functions to stand beside");

static uint regs[WATCH_REGS];
static int num_regs;
module_param_array(regs, uint, &num_regs, 0444);
MODULE_PARM_DESC(regs, "registers to read at each call");

static bool dirty;
module_param(dirty, bool, 0444);
MODULE_PARM_DESC(dirty, "fill what watched functions allocate, unless zeros are asked for");

typedef unsigned long (*watch_fn)(unsigned long, unsigned long, unsigned long,
				  unsigned long, unsigned long, unsigned long);

struct watch_call {
	struct kprobe probe;
	bool there;
	unsigned int made;
	unsigned int not_zero;
	unsigned int with_first;
};

struct watch_entry {
	u8 call;
	bool rtnl;
	bool returned;
	u64 ns;
	unsigned long arg[4];
	unsigned long value;
	u32 reg[WATCH_REGS];
};

static struct watch_call watch[WATCH_CALLS];
static struct watch_entry entries[WATCH_LOG];
static unsigned int num_entries;
static DEFINE_RAW_SPINLOCK(watch_lock);	/* counters, log and answer */

static struct {
	char name[KSYM_NAME_LEN];
	int skip, count, answered;
	long value;
	int second;	/* argument, or -1 for any */
	int num_words;
	u16 word[WATCH_WORDS];
} answer;

static char hold[KSYM_NAME_LEN];
static atomic_t held = ATOMIC_INIT(0);
static bool rtnl_wanted;
static DECLARE_WAIT_QUEUE_HEAD(watch_wait);

static struct pci_dev *pdev;
static void __iomem *bar;
static u16 own_vendor, own_device, own_subsystem;
static struct dentry *dir;

static void watch_read_regs(u32 *out)
{
	u16 command = 0;
	int i;

	if (!num_regs)
		return;
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	for (i = 0; i < num_regs; i++)
		out[i] = command & PCI_COMMAND_MEMORY ? readl(bar + regs[i]) : ~0U;
}

/* @return the entry's number, or -1 when the log is full. */
static int watch_note(unsigned int call, const unsigned long *arg)
{
	struct watch_entry entry = {
		.call = call,
		.rtnl = lockdep_rtnl_is_held(),
		.ns = ktime_get_ns(),
	};
	unsigned long flags;
	int number = -1;

	memcpy(entry.arg, arg, sizeof(entry.arg));
	watch_read_regs(entry.reg);
	raw_spin_lock_irqsave(&watch_lock, flags);
	watch[call].made++;
	if (arg[0])
		watch[call].with_first++;
	if (num_entries < WATCH_LOG) {
		number = num_entries++;
		entries[number] = entry;
	}
	raw_spin_unlock_irqrestore(&watch_lock, flags);
	return number;
}

static void watch_note_return(unsigned int call, int number, unsigned long value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&watch_lock, flags);
	if (value)
		watch[call].not_zero++;
	if (number >= 0 && number < num_entries) {
		entries[number].value = value;
		entries[number].returned = true;
	}
	raw_spin_unlock_irqrestore(&watch_lock, flags);
}

/* Return: whether the call has its answer. */
static bool watch_answer(unsigned int call, const unsigned long *arg,
			 unsigned long *value)
{
	unsigned long flags;
	bool mine = false;
	int which;

	raw_spin_lock_irqsave(&watch_lock, flags);
	if (strcmp(answer.name, calls[call]) == 0 &&
	    (answer.second < 0 || answer.second == (int)(arg[1] & 0xff))) {
		if (answer.skip > 0)
			answer.skip--;
		else
			mine = answer.answered < answer.count;
	}
	if (mine) {
		which = min(answer.answered++, answer.num_words - 1);
		if (which >= 0)
			*(u16 *)arg[2] = answer.word[which];
		*value = answer.value;
	}
	raw_spin_unlock_irqrestore(&watch_lock, flags);
	return mine;
}

/* Fills new memory, of which nobody said that it must be zero. */
static void watch_fill(unsigned int call, const unsigned long *arg, void *mem)
{
	const char *name = calls[call];
	size_t size = arg[0];
	gfp_t gfp = (__force gfp_t)arg[1];

	if (!dirty || !mem)
		return;
	if (strstr(name, "_pages_noprof")) {
		gfp = (__force gfp_t)arg[0];
		size = PAGE_SIZE << arg[1];
		if (!strstarts(name, "get_free"))
			mem = page_address(mem);
	} else if (strcmp(name, "devm_kmalloc") == 0) {
		size = arg[1];
		gfp = (__force gfp_t)arg[2];
	} else if (strstarts(name, "__kmalloc_cache")) {
		size = arg[2];
	} else if (!strstarts(name, "__kmalloc")) {
		return;
	}
	if (mem && !(gfp & __GFP_ZERO))
		memset(mem, WATCH_FILL, size);
}

/* Stands where the function called stands: same arguments, same context. */
static noinline unsigned long watch_call(unsigned int call, unsigned long a,
					 unsigned long b, unsigned long c,
					 unsigned long d, unsigned long e,
					 unsigned long f)
{
	unsigned long arg[] = { a, b, c, d };
	int number = watch_note(call, arg);
	unsigned long value;

	/* Who must not sleep goes on. */
	if (hold[0] && preemptible() && strcmp(hold, calls[call]) == 0) {
		atomic_inc(&held);
		wait_event_killable(watch_wait, strcmp(hold, calls[call]));
		atomic_dec(&held);
	}
	if (!watch_answer(call, arg, &value)) {
		value = ((watch_fn)watch[call].probe.addr)(a, b, c, d, e, f);
		watch_fill(call, arg, (void *)value);
	}
	watch_note_return(call, number, value);
	return value;
}

#define STUB(n)								\
static noinline unsigned long						\
watch_stub##n(unsigned long a, unsigned long b, unsigned long c,	\
	      unsigned long d, unsigned long e, unsigned long f)	\
{									\
	return watch_call(n, a, b, c, d, e, f);				\
}

STUB(0) STUB(1) STUB(2) STUB(3) STUB(4) STUB(5) STUB(6) STUB(7)
STUB(8) STUB(9) STUB(10) STUB(11) STUB(12) STUB(13) STUB(14) STUB(15)
STUB(16) STUB(17) STUB(18) STUB(19) STUB(20) STUB(21) STUB(22) STUB(23)
STUB(24) STUB(25) STUB(26) STUB(27) STUB(28) STUB(29) STUB(30) STUB(31)

static const watch_fn stubs[WATCH_CALLS] = {
	watch_stub0, watch_stub1, watch_stub2, watch_stub3,
	watch_stub4, watch_stub5, watch_stub6, watch_stub7,
	watch_stub8, watch_stub9, watch_stub10, watch_stub11,
	watch_stub12, watch_stub13, watch_stub14, watch_stub15,
	watch_stub16, watch_stub17, watch_stub18, watch_stub19,
	watch_stub20, watch_stub21, watch_stub22, watch_stub23,
	watch_stub24, watch_stub25, watch_stub26, watch_stub27,
	watch_stub28, watch_stub29, watch_stub30, watch_stub31,
};

static int watch_pre(struct kprobe *probe, struct pt_regs *cpu)
{
	struct watch_call *call = container_of(probe, struct watch_call, probe);

	if (!probe_from_igbook(cpu))
		return 0;
	cpu->ip = (unsigned long)stubs[call - watch];
	return 1;
}

static int log_show(struct seq_file *seq, void *unused)
{
	const struct watch_entry *entry;
	int i, k;

	for (i = 0; i < READ_ONCE(num_entries); i++) {
		entry = &entries[i];
		seq_printf(seq, "%s ns=%llu rtnl=%d", calls[entry->call],
			   entry->ns, entry->rtnl);
		for (k = 0; k < ARRAY_SIZE(entry->arg); k++)
			seq_printf(seq, " a%d=%lx", k, entry->arg[k]);
		for (k = 0; k < num_regs; k++)
			seq_printf(seq, " r%x=%x", regs[k], entry->reg[k]);
		if (entry->returned)
			seq_printf(seq, " ret=%lx", entry->value);
		seq_putc(seq, '\n');
	}
	return 0;
}

static ssize_t log_write(struct file *file, const char __user *user,
			 size_t count, loff_t *pos)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&watch_lock, flags);
	num_entries = 0;
	raw_spin_unlock_irqrestore(&watch_lock, flags);
	return count;
}

static int counts_show(struct seq_file *seq, void *unused)
{
	int i;

	for (i = 0; i < num_calls; i++)
		if (watch[i].there)
			seq_printf(seq, "%s %u %u %u\n", calls[i],
				   watch[i].made, watch[i].not_zero,
				   watch[i].with_first);
	return 0;
}

/* A line that was written, without its end. */
static int watch_line(char *line, const char __user *user, size_t count)
{
	if (count >= WATCH_LINE)
		return -EMSGSIZE;
	if (copy_from_user(line, user, count))
		return -EFAULT;
	line[count] = '\0';
	strim(line);
	return 0;
}

static int watch_parse_answer(char *line)
{
	char *words, *word;
	int used = 0;

	memset(&answer, 0, sizeof(answer));
	answer.second = -1;
	if (!line[0])
		return 0;
	if (sscanf(line, "%127s %d %d %ld%n", answer.name, &answer.skip,
		   &answer.count, &answer.value, &used) < 4) {
		answer.name[0] = '\0';
		return -EINVAL;
	}
	words = line + used;
	while ((word = strsep(&words, " "))) {
		if (!*word)
			continue;
		if (*word == '=') {
			if (kstrtoint(word + 1, 0, &answer.second))
				return -EINVAL;
			continue;
		}
		if (answer.num_words == WATCH_WORDS ||
		    kstrtou16(word, 0, &answer.word[answer.num_words++]))
			return -EINVAL;
	}
	return 0;
}

static ssize_t answer_write(struct file *file, const char __user *user,
			    size_t count, loff_t *pos)
{
	char line[WATCH_LINE];
	unsigned long flags;
	int err;

	err = watch_line(line, user, count);
	if (err)
		return err;
	raw_spin_lock_irqsave(&watch_lock, flags);
	err = watch_parse_answer(line);
	raw_spin_unlock_irqrestore(&watch_lock, flags);
	return err ? err : count;
}

static int answered_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%d\n", answer.answered);
	return 0;
}

static ssize_t hold_write(struct file *file, const char __user *user,
			  size_t count, loff_t *pos)
{
	char line[WATCH_LINE];
	int err;

	err = watch_line(line, user, count);
	if (err)
		return err;
	strscpy(hold, line, sizeof(hold));
	wake_up_all(&watch_wait);
	return count;
}

static int held_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%d\n", atomic_read(&held));
	return 0;
}

static int rtnl_show(struct seq_file *seq, void *unused)
{
	int err;

	rtnl_lock();
	WRITE_ONCE(rtnl_wanted, true);
	err = wait_event_killable(watch_wait, !READ_ONCE(rtnl_wanted));
	rtnl_unlock();
	return err;
}

static ssize_t rtnl_write(struct file *file, const char __user *user,
			  size_t count, loff_t *pos)
{
	WRITE_ONCE(rtnl_wanted, false);
	wake_up_all(&watch_wait);
	return count;
}

static ssize_t identity_write(struct file *file, const char __user *user,
			      size_t count, loff_t *pos)
{
	unsigned int vendor = own_vendor, device = own_device;
	unsigned int subsystem = own_subsystem;
	char line[WATCH_LINE];
	int err;

	err = watch_line(line, user, count);
	if (err)
		return err;
	if (line[0] && sscanf(line, "%x %x %x", &vendor, &device, &subsystem) != 3)
		return -EINVAL;
	pdev->vendor = vendor;
	pdev->device = device;
	pdev->subsystem_device = subsystem;
	return count;
}

#define READ_ONLY(name)							\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, name##_show, NULL);			\
}									\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.llseek = seq_lseek,						\
	.release = single_release,					\
}

#define READ_WRITE(name)						\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, name##_show, NULL);			\
}									\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.write = name##_write,						\
	.llseek = seq_lseek,						\
	.release = single_release,					\
}

#define WRITE_ONLY(name)						\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = simple_open,						\
	.write = name##_write,						\
}

READ_WRITE(log);
READ_ONLY(counts);
WRITE_ONLY(answer);
READ_ONLY(answered);
WRITE_ONLY(hold);
READ_ONLY(held);
READ_WRITE(rtnl);
WRITE_ONLY(identity);

static void watch_remove(void)
{
	int i;

	debugfs_remove(dir);
	for (i = 0; i < num_calls; i++)
		if (watch[i].there)
			unregister_kprobe(&watch[i].probe);
	if (bar)
		iounmap(bar);
	pdev->vendor = own_vendor;
	pdev->device = own_device;
	pdev->subsystem_device = own_subsystem;
	pci_dev_put(pdev);
}

static int watch_find_card(void)
{
	unsigned int domain, bus, slot, function;

	if (sscanf(card, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;
	own_vendor = pdev->vendor;
	own_device = pdev->device;
	own_subsystem = pdev->subsystem_device;
	return 0;
}

/* Not with the rest: /proc/vmallocinfo names who made a mapping. */
static noinline void watch_map(void)
{
	bar = ioremap(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
}

static int __init watch_init(void)
{
	int err;
	int i;

	err = watch_find_card();
	if (err)
		return err;
	watch_map();
	if (!bar) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}
	for (i = 0; i < num_calls; i++) {
		err = probe_at(&watch[i].probe, calls[i], watch_pre);
		watch[i].there = !err;
		if (err && err != -ENOENT)
			pr_info("watchcall: %s cannot be watched: %d\n", calls[i], err);
	}
	dir = debugfs_create_dir("watchcall", NULL);
	debugfs_create_file("log", 0600, dir, NULL, &log_fops);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	debugfs_create_file("answer", 0200, dir, NULL, &answer_fops);
	debugfs_create_file("answered", 0400, dir, NULL, &answered_fops);
	debugfs_create_file("hold", 0200, dir, NULL, &hold_fops);
	debugfs_create_file("held", 0400, dir, NULL, &held_fops);
	debugfs_create_file("rtnl", 0600, dir, NULL, &rtnl_fops);
	debugfs_create_file("identity", 0200, dir, NULL, &identity_fops);
	return 0;
}
module_init(watch_init);

static void __exit watch_exit(void)
{
	watch_remove();
}
module_exit(watch_exit);

MODULE_DESCRIPTION("Stands beside functions that igbook calls");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
