// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the bottom half as a tasklet.
 */
#include "igbook.h"

#define IGBOOK_TASKLET_FRAMES	64	/* from one ring in one run */

/*
 * The card's writes get the tag of the CPU that is about to read them. If a
 * ring had more than one run takes, the tasklet asks for another run and the
 * vector stays masked. Otherwise it is unmasked as the very last thing.
 */
static void igbook_tasklet(struct tasklet_struct *tasklet)
{
	struct igbook_vector *vector = from_tasklet(vector, tasklet, tasklet);
	int sent, received;

	igbook_dca_update(vector->priv, vector->index, smp_processor_id());
	sent = igbook_tx_clean(vector->tx, IGBOOK_TASKLET_FRAMES, 0);
	received = igbook_rx_clean(vector->rx, IGBOOK_TASKLET_FRAMES);
	if (sent == IGBOOK_TASKLET_FRAMES || received == IGBOOK_TASKLET_FRAMES)
		tasklet_schedule(tasklet);
	else
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
}

/**
 * igbook_vector_start() - from now on the bottom half may be woken
 * @vector: the vector, masked
 *
 * The first run needs no interrupt. With MSI or INTx a handler that was called
 * for the link may have read, and so cleared, the cause of a frame that came
 * before there was anybody to wake for it.
 *
 * Context: RTNL.
 */
void igbook_vector_start(struct igbook_vector *vector)
{
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
}
