/* SPDX-License-Identifier: GPL-2.0 */
/* What was found, patient by patient. */
#ifndef _FOUND_H_
#define _FOUND_H_

#define FOUND_A	(@answer_a@)
#define FOUND_B	(@answer_b@)
#define FOUND_C	(@answer_c@)
#define FOUND_D	(@answer_d@)
#define FOUND_E	(@answer_e@)
#define FOUND_F	(@answer_f@)
#define FOUND_G	(@answer_g@)
#define FOUND_H	(@answer_h@)

#endif /* _FOUND_H_ */
