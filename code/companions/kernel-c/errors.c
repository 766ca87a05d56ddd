// SPDX-License-Identifier: GPL-2.0
/* Errors: a function that makes three things, or none. */
#include <linux/err.h>
#include <linux/error-injection.h>
#include <linux/slab.h>

#include "kernel_c.h"

struct kc_part {
	char name[32];
};

static noinline struct kc_part *kc_part_new(const char *name)
{
	struct kc_part *part = kzalloc(sizeof(*part), GFP_KERNEL);

	if (!part)
		return ERR_PTR(-ENOMEM);
	strscpy(part->name, name);
	return part;
}
ALLOW_ERROR_INJECTION(kc_part_new, ERRNO);

struct kc_machine {
	struct kc_part *base;
	struct kc_part *arm;
	struct kc_part *hand;
};

static int kc_machine_make(struct kc_machine *machine)
{
	int err;

	machine->base = kc_part_new("base");
	if (IS_ERR(machine->base))
		return PTR_ERR(machine->base);

	machine->arm = kc_part_new("arm");
	if (IS_ERR(machine->arm)) {
		err = PTR_ERR(machine->arm);
		goto err_base;
	}

	machine->hand = kc_part_new("hand");
	if (IS_ERR(machine->hand)) {
		err = PTR_ERR(machine->hand);
		goto err_arm;
	}
	return 0;

err_arm:
	kfree(machine->arm);
err_base:
	kfree(machine->base);
	return err;
}

static int kc_machine_make_badly(struct kc_machine *machine)
{
	machine->base = kc_part_new("base");
	machine->arm = kc_part_new("arm");
	machine->hand = kc_part_new("hand");
	if (IS_ERR(machine->base) || IS_ERR(machine->arm) ||
	    IS_ERR(machine->hand))
		return -ENOMEM;
	return 0;
}

static void kc_machine_break_up(struct kc_machine *machine)
{
	kfree(machine->hand);
	kfree(machine->arm);
	kfree(machine->base);
}

static int kc_unwind_good(void)
{
	struct kc_machine machine = {};
	int err = kc_machine_make(&machine);

	if (err)
		return err;
	kc_machine_break_up(&machine);
	return 0;
}

static int kc_unwind_bad(void)
{
	struct kc_machine machine = {};
	int err = kc_machine_make_badly(&machine);

	if (err)
		return err;
	kc_machine_break_up(&machine);
	return 0;
}

const struct kc_example kc_unwind = { "unwind", kc_unwind_good, kc_unwind_bad };
