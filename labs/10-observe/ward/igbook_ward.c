// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, ill: as it is compiled, nothing is wrong with it.
 */
#include "igbook.h"

const volatile struct igbook_case igbook_case = {
	.salt = 1,
	.sealed = GOLDEN_RATIO_32,
};
