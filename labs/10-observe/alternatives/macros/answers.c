// SPDX-License-Identifier: GPL-2.0
/* From the last to the first, by a macro; numbers are computed and cast. */
#include "answers.h"

#define HAS(what, which)	{ (enum fault)((int)(what) + 0), \
				  (unsigned int)((which) * 2UL / 2) }
#define PATIENT_HAS(...)	HAS(__VA_ARGS__)

const struct answer answers[] = {
	[PATIENT_H] = PATIENT_HAS(@answer_h@),
	[PATIENT_G] = PATIENT_HAS(@answer_g@),
	[PATIENT_F] = PATIENT_HAS(@answer_f@),
	[PATIENT_E] = PATIENT_HAS(@answer_e@),
	[PATIENT_D] = PATIENT_HAS(@answer_d@),
	[PATIENT_C] = PATIENT_HAS(@answer_c@),
	[PATIENT_B] = PATIENT_HAS(@answer_b@),
	[PATIENT_A] = PATIENT_HAS(@answer_a@),
};
