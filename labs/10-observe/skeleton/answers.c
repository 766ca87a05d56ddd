// SPDX-License-Identifier: GPL-2.0
/*
 * What the patients have.
 */
#include "answers.h"

const struct answer answers[PATIENTS] = {
	[PATIENT_A] = { FAULT_UNKNOWN, 0 },
	[PATIENT_B] = { FAULT_UNKNOWN, 0 },
	[PATIENT_C] = { FAULT_UNKNOWN, 0 },
	[PATIENT_D] = { FAULT_UNKNOWN, 0 },
	[PATIENT_E] = { FAULT_UNKNOWN, 0 },
	[PATIENT_F] = { FAULT_UNKNOWN, 0 },
	[PATIENT_G] = { FAULT_UNKNOWN, 0 },
	[PATIENT_H] = { FAULT_UNKNOWN, 0 },
};
