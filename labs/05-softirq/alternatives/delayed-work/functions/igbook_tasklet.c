// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_tasklet() - serve the queues of one vector
 * @tasklet: that of the vector
 *
 * The card's writes get the tag of the CPU that is about to read them. If a
 * ring had more than one run takes, the tasklet asks for another run and
 * the vector stays masked. Otherwise it is unmasked as the very last thing.
 *
 * Context: softirq, one CPU at a time for each vector.
 */
static void igbook_tasklet(struct tasklet_struct *tasklet)
{
	struct igbook_vector *vector = from_tasklet(vector, tasklet, tasklet);
	bool more = false;

	igbook_dca_update(vector->priv, vector->index, smp_processor_id());
	if (igbook_gather_due(vector))
		more = igbook_rx_clean(vector->rx, IGBOOK_TASKLET_FRAMES) ==
		       IGBOOK_TASKLET_FRAMES;
	if (igbook_tx_clean(vector->tx, IGBOOK_TASKLET_FRAMES, 0) ==
	    IGBOOK_TASKLET_FRAMES)
		more = true;
	if (more) {
		tasklet_schedule(&vector->tasklet);
		return;
	}
	if (igbook_gather_wait(vector))
		return;
	igbook_vector_unmask(vector);
}
