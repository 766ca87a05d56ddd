// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the bottom half as a tasklet.
 */
#include "igbook.h"

#define IGBOOK_TASKLET_FRAMES	64	/* from one ring in one run */

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
	int most = 0;

	igbook_dca_update(vector->priv, vector->index, smp_processor_id());
	if (igbook_gather_due(vector))
		most = igbook_rx_clean(vector->rx, IGBOOK_TASKLET_FRAMES);
	most = max(most, igbook_tx_clean(vector->tx, IGBOOK_TASKLET_FRAMES, 0));
	if (most == IGBOOK_TASKLET_FRAMES)
		tasklet_schedule(tasklet);
	else if (!igbook_gather_wait(vector))
		igbook_vector_unmask(vector);
}

/**
 * igbook_vector_init() - prepare the bottom half of a vector
 * @vector: the vector
 *
 * Context: probe.
 */
void igbook_vector_init(struct igbook_vector *vector)
{
	tasklet_setup(&vector->tasklet, igbook_tasklet);
	igbook_gather_init(vector);
}

/**
 * igbook_vector_start() - from now on the bottom half may be woken
 * @vector: the vector, masked
 *
 * Context: RTNL.
 */
void igbook_vector_start(struct igbook_vector *vector)
{
	igbook_gather_start(vector);
	WRITE_ONCE(vector->running, true);
	tasklet_schedule(&vector->tasklet);
}

/**
 * igbook_vector_wake() - the queues of a vector want to be served
 * @vector: the vector, masked
 *
 * Context: hard interrupt.
 */
void igbook_vector_wake(struct igbook_vector *vector)
{
	if (READ_ONCE(vector->running))
		tasklet_schedule(&vector->tasklet);
}

/**
 * igbook_vector_stop() - wait for the bottom half; it does not come again
 * @vector: the vector; stopping it twice does no harm
 *
 * A handler that had not seen the flag is waited for. One that comes later
 * masks the vector and wakes nobody.
 *
 * Context: RTNL; sleeps.
 */
void igbook_vector_stop(struct igbook_vector *vector)
{
	WRITE_ONCE(vector->running, false);
	if (vector->irq)
		synchronize_irq(vector->irq);
	tasklet_kill(&vector->tasklet);
	igbook_gather_stop(vector);
}
