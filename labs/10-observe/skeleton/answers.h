/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is handed in. Leave this file as it is: the grader has its own.
 */
#ifndef _ANSWERS_H_
#define _ANSWERS_H_

#include "faults.h"

/* The drivers patient-a.ko to patient-h.ko. */
enum patient {
	PATIENT_A,
	PATIENT_B,
	PATIENT_C,
	PATIENT_D,
	PATIENT_E,
	PATIENT_F,
	PATIENT_G,
	PATIENT_H,
	PATIENTS
};

/**
 * struct answer - what a patient has
 * @fault: which fault
 * @number: where, or which: see enum fault
 */
struct answer {
	enum fault fault;
	unsigned int number;
};

extern const struct answer answers[PATIENTS];

#endif /* _ANSWERS_H_ */
