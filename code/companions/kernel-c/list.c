// SPDX-License-Identifier: GPL-2.0
/* Structures inside structures: a list whose links are part of what it links. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stddef.h>

#include "kernel_c.h"

struct kc_port {
	u32 number;
	u32 speed;
	struct list_head link;
};

static LIST_HEAD(kc_ports);

static int kc_port_add(u32 number)
{
	struct kc_port *port = kzalloc(sizeof(*port), GFP_KERNEL);

	if (!port)
		return -ENOMEM;
	port->number = number;
	list_add_tail(&port->link, &kc_ports);
	return 0;
}

static void kc_port_show(struct list_head *link)
{
	struct kc_port *port = container_of(link, struct kc_port, link);

	pr_info("port %u: its link is %td bytes after its start\n",
		port->number, (char *)link - (char *)port);
}

static void kc_ports_free(void)
{
	struct kc_port *port, *next;

	list_for_each_entry_safe(port, next, &kc_ports, link) {
		list_del(&port->link);
		kfree(port);
	}
}

static int kc_list_good(void)
{
	struct list_head *link;
	int err = 0;
	u32 i;

	for (i = 1; i <= 3 && !err; i++)
		err = kc_port_add(i);
	list_for_each(link, &kc_ports)
		kc_port_show(link);
	kc_ports_free();
	return err;
}

static int kc_list_bad(void)
{
	struct kc_port *port;
	int err = kc_port_add(1);

	if (err)
		return err;
	port = list_first_entry(&kc_ports, struct kc_port, link);
	list_del(&port->link);
	list_del(&port->link);	/* and once more */
	kfree(port);
	return 0;
}

const struct kc_example kc_list = { "list", kc_list_good, kc_list_bad };
