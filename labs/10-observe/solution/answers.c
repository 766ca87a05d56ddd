// SPDX-License-Identifier: GPL-2.0
/*
 * What the patients have. It follows from the lab's parameter patient_key.
 */
#include "answers.h"

const struct answer answers[PATIENTS] = {
	[PATIENT_A] = { @answer_a@ },
	[PATIENT_B] = { @answer_b@ },
	[PATIENT_C] = { @answer_c@ },
	[PATIENT_D] = { @answer_d@ },
	[PATIENT_E] = { @answer_e@ },
	[PATIENT_F] = { @answer_f@ },
	[PATIENT_G] = { @answer_g@ },
	[PATIENT_H] = { @answer_h@ },
};
