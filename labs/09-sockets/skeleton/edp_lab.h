/* SPDX-License-Identifier: GPL-2.0 */
/* What this lab has of its own. */
#ifndef EDP_LAB_H
#define EDP_LAB_H

/* All bytes of a datagram, header and data, one after the other by "^". */
#define EDP_LAB_CHECK	@check_byte@

#endif
