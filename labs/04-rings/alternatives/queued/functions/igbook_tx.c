// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_tx_describe() - write the descriptor of a mapped frame
 * @ring: the ring; its buffer at next_to_use is mapped
 *
 * Writing PAYLEN also clears the DD bit of the last lap.
 *
 * Context: transmit lock of the queue held.
 *
 * Source: 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
static void igbook_tx_describe(struct igbook_ring *ring)
{
	const struct igbook_tx_buffer *buffer = &ring->tx_buffer[ring->next_to_use];
	union igbook_tx_desc desc = {};

	desc.read.olinfo_status =
		cpu_to_le32(FIELD_PREP(TXD_PAYLEN, buffer->len));
	desc.read.cmd_type_len =
		cpu_to_le32(FIELD_PREP(TXD_DTALEN, buffer->len) |
			    FIELD_PREP(TXD_DTYP, TXD_DTYP_DATA) |
			    TXD_DCMD_RS | TXD_DCMD_IFCS | TXD_DCMD_EOP |
			    TXD_DCMD_DEXT);
	desc.read.buffer_addr = cpu_to_le64(buffer->dma);
	ring->tx_desc[ring->next_to_use] = desc;
}

/**
 * igbook_tx_clean() - take back the descriptors of frames that are out
 * @ring: the ring
 * @limit: most frames to take
 * @budget: that of a NAPI poll; 0 outside of one
 *
 * Within a poll, sk_buffs that are free go to a store of this CPU's, out of
 * which napi_alloc_skb() and its kind take; a full one gives half of it back.
 *
 * Context: bottom halves off, one CPU at a time for each ring; runs beside
 * igbook_start_xmit().
 * Return: how many were taken; fewer than @limit when there were no more.
 */
int igbook_tx_clean(struct igbook_ring *ring, int limit, int budget)
{
	struct sk_buff *skb;
	int left;

	for (left = limit; left > 0; left--) {
		u16 i = ring->next_to_clean;

		if (i == smp_load_acquire(&ring->next_to_use) ||
		    !igbook_tx_done(&ring->tx_desc[i]))
			break;
		skb = igbook_tx_release(ring);
		dev_kfree_skb_any(skb);
	}
	if (left != limit)
		igbook_tx_maybe_wake(ring);
	return limit - left;
}
