// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_serve() - look at the rings of one vector
 * @vector: the vector
 * @budget: most frames to receive; 0: do not receive at all
 * @work: afterwards the number of frames received, at most @budget
 *
 * Taking back what was sent costs little and frees memory: it comes first and
 * is not counted against the budget.
 *
 * Context: igbook_poll().
 * Return: whether there may be more to do.
 */
static bool igbook_serve(struct igbook_vector *vector, int budget, int *work)
{
	int taken, sent;

	igbook_dca_update(vector->priv, vector->index, raw_smp_processor_id());
	sent = igbook_tx_clean(vector->tx, IGBOOK_TX_LIMIT, budget);
	igbook_moderation_count(&vector->moderation, sent);
	taken = igbook_rx_clean(vector->rx, budget);
	igbook_moderation_count(&vector->moderation, taken);
	*work = taken;
	if (sent >= IGBOOK_TX_LIMIT)
		return true;
	return taken >= budget;
}

/**
 * igbook_poll() - NAPI asks for work
 * @napi: that of the vector
 * @budget: most frames to receive; 0 when netconsole only wants frames sent
 *
 * To return @budget means: call again, interrupts stay masked, and the core
 * keeps the instance. To return less is allowed only after
 * napi_complete_done(), which gives the instance back. If that says false
 * somebody else has taken it meanwhile and will poll: the vector stays masked.
 *
 * Context: softirq, a thread of NAPI's, or a busy poller; bottom halves off,
 * one CPU at a time for each vector.
 * Return: frames received, or @budget.
 */
static int igbook_poll(struct napi_struct *napi, int budget)
{
	struct igbook_vector *vector =
		container_of(napi, struct igbook_vector, napi);
	int work = 0;

	if (!igbook_serve(vector, budget, &work)) {
		if (!napi_complete_done(napi, work))
			return work;
		igbook_moderate(vector);
		igbook_vector_unmask(vector);
		return work;
	}
	return budget;
}
