// SPDX-License-Identifier: GPL-2.0
/* Lab 9: what the check byte is made of. */
#include <linux/skbuff.h>
#include "check.h"

/**
 * edp_all_bytes() - all bytes of a datagram, one after the other by "^"
 * @skb: the frame, from our header on
 * @len: of header and data together
 *
 * Piece by piece, as they lie in the buffer.
 *
 * Context: any.
 * Return: what comes out.
 */
u8 edp_all_bytes(struct sk_buff *skb, unsigned int len)
{
	struct skb_seq_state state;
	unsigned int done = 0, n;
	const u8 *piece;
	u8 sum = 0;

	skb_prepare_seq_read(skb, 0, len, &state);
	while ((n = skb_seq_read(done, &piece, &state))) {
		/* A piece may go on behind the datagram. */
		n = min(n, len - done);
		done += n;
		while (n--)
			sum ^= *piece++;
	}
	return sum;
}
