// SPDX-License-Identifier: GPL-2.0
/* Bits and bytes: a word that a card reads. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/types.h>

#include "kernel_c.h"

#define KC_DONE		BIT(31)
#define KC_KIND		GENMASK(23, 20)
#define KC_LENGTH	GENMASK(15, 0)

/* As the card finds it in memory: little endian, and no byte more than this. */
struct kc_descriptor {
	__le64 address;
	__le32 command;
	__le32 status;
};

static_assert(sizeof(struct kc_descriptor) == 16);

static void kc_descriptor_fill(struct kc_descriptor *desc, u32 length)
{
	u32 command = FIELD_PREP(KC_KIND, 3) | FIELD_PREP(KC_LENGTH, length);

	desc->command = cpu_to_le32(command);
	desc->status = 0;
}

static u32 kc_descriptor_length(const struct kc_descriptor *desc)
{
#ifdef KC_FORGET_THE_ORDER	/* for sparse to find; nothing is built with it */
	return FIELD_GET(KC_LENGTH, desc->command);
#else
	return FIELD_GET(KC_LENGTH, le32_to_cpu(desc->command));
#endif
}

static int kc_bits_good(void)
{
	struct kc_descriptor desc = {};

	kc_descriptor_fill(&desc, 1514);
	pr_info("KC_DONE %08lx, KC_KIND %08lx, KC_LENGTH %08lx\n", KC_DONE,
		KC_KIND, KC_LENGTH);
	pr_info("command %08x, in memory %4ph, length %u\n",
		le32_to_cpu(desc.command), &desc.command,
		kc_descriptor_length(&desc));
	return kc_descriptor_length(&desc) == 1514 ? 0 : -EIO;
}

const struct kc_example kc_bits = { "bits", kc_bits_good, NULL };
