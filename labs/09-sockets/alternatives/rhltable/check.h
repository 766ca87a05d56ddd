/* SPDX-License-Identifier: GPL-2.0 */
/* Lab 9: what the check byte is made of. */
#ifndef EDP_CHECK_H
#define EDP_CHECK_H

#include <linux/types.h>

struct sk_buff;

u8 edp_all_bytes(struct sk_buff *skb, unsigned int len);

#endif
