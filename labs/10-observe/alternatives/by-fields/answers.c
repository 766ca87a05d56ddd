// SPDX-License-Identifier: GPL-2.0
/* In the order in which they are named, the number in front of the fault. */
#include "answers.h"
#include "found.h"

#define WITH(what, which)	{ .number = (which), .fault = (what) }
#define FOUND(pair)		WITH pair

const struct answer answers[PATIENTS] = {
	FOUND(FOUND_A), FOUND(FOUND_B), FOUND(FOUND_C), FOUND(FOUND_D),
	FOUND(FOUND_E), FOUND(FOUND_F), FOUND(FOUND_G), FOUND(FOUND_H),
};
