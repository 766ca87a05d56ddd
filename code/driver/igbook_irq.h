/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook: interrupts, and who serves a ring when one has come.
 */
#ifndef _IGBOOK_IRQ_H_
#define _IGBOOK_IRQ_H_

#include <linux/interrupt.h>
#include <linux/netdevice.h>

/* loom: begin include-moderation from 06 */
#include "igbook_moderation.h"
/* loom: end include-moderation */
#include "igbook_ring.h"

#define IGBOOK_CAUSES		(ICR_TXDW | ICR_RXDW)	/* of the queues */
#define IGBOOK_MAX_VECTORS	(IGBOOK_MAX_QUEUES + 1)	/* one for the rest */

/**
 * enum igbook_irq_mode - how the card interrupts
 * @IGBOOK_IRQ_MSIX: a message for each pair of queues, and one for the rest
 * @IGBOOK_IRQ_MSI: one message for everything
 * @IGBOOK_IRQ_INTX: a line, which other devices may share
 */
enum igbook_irq_mode {
	IGBOOK_IRQ_MSIX,
	IGBOOK_IRQ_MSI,
	IGBOOK_IRQ_INTX,
};

/**
 * struct igbook_vector - one interrupt, and the queues it speaks for
 * @priv: the device
 * @index: number of the MSI-X message; also its bit in EICR and its friends
 * @irq: the kernel's number of it while it is requested, else 0
 * @tx: the transmit ring it serves, or NULL
 * @rx: the receive ring it serves, or NULL
 * @name: how /proc/interrupts calls it
 * @running: its bottom half may be woken
 * @placed: it was moved to a CPU once; where it is now is the user's choice
 */
struct igbook_vector {
	struct igbook *priv;
	unsigned int index;
	int irq;
	bool running;
	bool placed;
	struct igbook_ring *tx;
	struct igbook_ring *rx;
	char name[IFNAMSIZ + 16];
#if 0	/* loom: begin vector-tasklet from 05 until 06 */
	/** @tasklet: the bottom half */
	struct tasklet_struct tasklet;
#endif	/* loom: end vector-tasklet */
	/* loom: begin vector-napi from 06 */
	/** @napi: the bottom half, as the core knows it */
	struct napi_struct napi;
	/** @moderation: how often it may interrupt */
	struct igbook_moderation moderation;
	/* loom: end vector-napi */
};

/* igbook_irq.c */
int igbook_irq_alloc(struct igbook *priv);
void igbook_irq_free(struct igbook *priv);
int igbook_irq_start(struct igbook *priv);
void igbook_irq_stop(struct igbook *priv);
/* loom: begin prototypes-queue-irq from 07 */
int igbook_irq_add_queue(struct igbook *priv, unsigned int queue);
void igbook_irq_remove(struct igbook_vector *vector);
void igbook_irq_route(struct igbook *priv);
/* loom: end prototypes-queue-irq */

/* igbook_vector.c */
void igbook_vector_mask(struct igbook_vector *vector);
void igbook_vector_unmask(struct igbook_vector *vector);

/* igbook_tasklet.c: the bottom half; from stage 06 on igbook_napi.c */
void igbook_vector_init(struct igbook_vector *vector);
void igbook_vector_start(struct igbook_vector *vector);
void igbook_vector_wake(struct igbook_vector *vector);
void igbook_vector_stop(struct igbook_vector *vector);

#endif /* _IGBOOK_IRQ_H_ */
