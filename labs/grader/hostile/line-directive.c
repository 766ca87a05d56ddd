// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile submission: a mistake that is said to be in another file, so that
 * the compiler quotes it.
 */
#line 1 "/proc/self/mountinfo"
int igbook_mistake = nothing_of_that_name;
#line 1 "/etc/passwd"
#warning no mistake
int igbook_another = nothing_of_that_name;
