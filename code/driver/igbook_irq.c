// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the card calls. MSI-X where there is MSI-X, else MSI, else a line.
 */
#include <linux/bitfield.h>
#if 0	/* loom: begin irq-include-module until 10 */
#include <linux/module.h>
#endif	/* loom: end irq-include-module */

#include "igbook.h"

#if 0	/* loom: begin irq-parameter until 10 */
static char *irq_mode = "auto";
module_param(irq_mode, charp, 0444);
MODULE_PARM_DESC(irq_mode, "Interrupts: auto, msix, msi or intx");

/* In the order in which they are tried. */
static const struct {
	const char *word;
	unsigned int flag;
} igbook_irq_kinds[] = {
	[IGBOOK_IRQ_MSIX] = { "msix", PCI_IRQ_MSIX },
	[IGBOOK_IRQ_MSI] = { "msi", PCI_IRQ_MSI },
	[IGBOOK_IRQ_INTX] = { "intx", PCI_IRQ_INTX },
};

#endif	/* loom: end irq-parameter */
/*
 * With MSI-X vector n serves queues n, and one more all that is not a queue.
 * Otherwise vector 0 serves everything.
 */
static void igbook_vectors_assign(struct igbook *priv)
{
	unsigned int i;

#if 0	/* loom: begin assign-number until 07 */
	priv->num_vectors = priv->num_queues;
#endif	/* loom: end assign-number */
	/* loom: begin assign-number-07 from 07 */
	priv->num_vectors = priv->max_queues;
	/* loom: end assign-number-07 */
	if (priv->irq_mode == IGBOOK_IRQ_MSIX)
		priv->num_vectors++;

	for (i = 0; i < priv->num_vectors; i++) {
		struct igbook_vector *vector = &priv->vector[i];

		vector->priv = priv;
		vector->index = i;
#if 0	/* loom: begin assign-other until 07 */
		if (i == priv->num_queues)
#endif	/* loom: end assign-other */
		/* loom: begin assign-other-07 from 07 */
		if (i == priv->max_queues)
		/* loom: end assign-other-07 */
			break;
		vector->tx = &priv->tx_ring[i];
		vector->rx = &priv->rx_ring[i];
		igbook_vector_init(vector);
	}
}

#if 0 /* loom: begin irq-alloc until 07 */
/**
 * igbook_irq_alloc() - reserve the card's interrupts
 * @priv: the device
 *
 * Of MSI-X all the messages we want or none: with fewer, queues would have to
 * share them. A single interrupt serves a single pair of queues.
 *
 * Context: probe; sleeps.
 * Return: 0, or a negative errno.
 */
int igbook_irq_alloc(struct igbook *priv)
{
	bool any = !strcmp(irq_mode, "auto");
	int err = -EINVAL;
	int i, n;

	for (i = 0; i < ARRAY_SIZE(igbook_irq_kinds); i++) {
		if (!any && strcmp(irq_mode, igbook_irq_kinds[i].word))
			continue;
		n = i == IGBOOK_IRQ_MSIX ? priv->num_queues + 1 : 1;
		err = pci_alloc_irq_vectors(priv->pdev, n, n,
					    igbook_irq_kinds[i].flag);
		if (err < 0)
			continue;
		priv->irq_mode = i;
		if (i != IGBOOK_IRQ_MSIX)
			priv->num_queues = 1;
		igbook_vectors_assign(priv);
		return 0;
	}
	pci_err(priv->pdev, "no interrupt for irq_mode=%s: %d\n", irq_mode,
		err);
	return err;
}

#endif /* loom: end irq-alloc */
#if 0	/* loom: begin irq-alloc-07 from 07 until 10 */
/**
 * igbook_irq_alloc() - reserve the card's interrupts
 * @priv: the device
 *
 * Of MSI-X one message for each pair of queues there may be and one for the
 * rest; with fewer there may be fewer pairs. A single interrupt serves a single
 * pair. At first no more pairs are used than there are processors.
 *
 * Context: probe; sleeps.
 * Return: 0, or a negative errno.
 */
int igbook_irq_alloc(struct igbook *priv)
{
	bool any = !strcmp(irq_mode, "auto");
	int err = -EINVAL;
	bool msix;
	int i;

	for (i = 0; i < ARRAY_SIZE(igbook_irq_kinds); i++) {
		if (!any && strcmp(irq_mode, igbook_irq_kinds[i].word))
			continue;
		msix = i == IGBOOK_IRQ_MSIX;
		err = pci_alloc_irq_vectors(priv->pdev, msix ? 2 : 1,
					    msix ? IGBOOK_MAX_VECTORS : 1,
					    igbook_irq_kinds[i].flag);
		if (err < 0)
			continue;
		priv->irq_mode = i;
		priv->max_queues = msix ? err - 1 : 1;
		priv->num_queues = min(priv->max_queues, num_online_cpus());
		igbook_vectors_assign(priv);
		return 0;
	}
	pci_err(priv->pdev, "no interrupt for irq_mode=%s: %d\n", irq_mode,
		err);
	return err;
}

#endif	/* loom: end irq-alloc-07 */
/* loom: begin irq-alloc-10 from 10 */
/**
 * igbook_irq_alloc() - reserve the card's interrupts
 * @priv: the device
 *
 * Of MSI-X one message for each pair of queues there may be and one for the
 * rest; with fewer there may be fewer pairs. A single interrupt serves a single
 * pair. At first no more pairs are used than there are processors.
 *
 * Context: probe; sleeps.
 * Return: 0, or a negative errno.
 */
int igbook_irq_alloc(struct igbook *priv)
{
	struct pci_dev *pdev = priv->pdev;
	int count;

	priv->irq_mode = IGBOOK_IRQ_MSIX;
	count = pci_alloc_irq_vectors(pdev, 2, IGBOOK_MAX_VECTORS,
				      PCI_IRQ_MSIX);
	if (count < 0) {
		count = pci_alloc_irq_vectors(pdev, 1, 1,
					      PCI_IRQ_MSI | PCI_IRQ_INTX);
		priv->irq_mode = pdev->msi_enabled ? IGBOOK_IRQ_MSI :
						     IGBOOK_IRQ_INTX;
	}
	if (count < 0) {
		pci_err(pdev, "no interrupt: %d\n", count);
		return count;
	}
	priv->max_queues = max(count - 1, 1);
	priv->num_queues = min(priv->max_queues, num_online_cpus());
	igbook_vectors_assign(priv);
	return 0;
}

/* loom: end irq-alloc-10 */
/**
 * igbook_irq_free() - give the card's interrupts back
 * @priv: the device; none is requested any more
 *
 * Context: probe failed, or remove; sleeps.
 */
void igbook_irq_free(struct igbook *priv)
{
	pci_free_irq_vectors(priv->pdev);
}

/*
 * The message says which queues, and sending it has cleared the cause (EIAC),
 * so no register is read here. A real card has masked the vector as well
 * (EIAM); the emulated one does not do that, so we do.
 */
static irqreturn_t igbook_irq_queues(int irq, void *data)
{
	struct igbook_vector *vector = data;

	igbook_vector_mask(vector);
	igbook_vector_wake(vector);
	return IRQ_HANDLED;
}

static irqreturn_t igbook_irq_other(int irq, void *data)
{
	struct igbook_vector *vector = data;

	if (igbook_rd32(vector->priv, REG_ICR) & ICR_LSC)
		igbook_link_changed(vector->priv);
	return IRQ_HANDLED;
}

/*
 * Each cause read must be dealt with, since it will not come again: also one
 * that was masked and came together with another.
 */
static void igbook_irq_causes(struct igbook_vector *vector, u32 icr)
{
	if (icr & ICR_LSC)
		igbook_link_changed(vector->priv);
	if (icr & IGBOOK_CAUSES) {
		igbook_vector_mask(vector);
		igbook_vector_wake(vector);
	}
}

static irqreturn_t igbook_irq_msi(int irq, void *data)
{
	struct igbook_vector *vector = data;

	igbook_irq_causes(vector, igbook_rd32(vector->priv, REG_ICR));
	return IRQ_HANDLED;
}

/*
 * Called whenever any device on the line interrupts, so the kernel wants to
 * know whether it was ours. Causes that were masked are dealt with in any case:
 * reading may have cleared them. A card that was pulled out reads as all ones.
 *
 * 82576 datasheet, "Interrupt Cause Read Register", INTA.
 */
static irqreturn_t igbook_irq_intx(int irq, void *data)
{
	struct igbook_vector *vector = data;
	u32 icr = igbook_rd32(vector->priv, REG_ICR);

	if (icr == ~0U)
		return IRQ_NONE;
	igbook_irq_causes(vector, icr);
	return icr & ICR_INTA ? IRQ_HANDLED : IRQ_NONE;
}

/* The interface may have been renamed since it was last up. */
static void igbook_vector_name(struct igbook_vector *vector)
{
	const char *device = vector->priv->netdev->name;

	if (vector->priv->irq_mode != IGBOOK_IRQ_MSIX)
		strscpy(vector->name, device, sizeof(vector->name));
	else if (vector->rx)
		snprintf(vector->name, sizeof(vector->name), "%s-rxtx-%u",
			 device, vector->index);
	else
		snprintf(vector->name, sizeof(vector->name), "%s-other",
			 device);
}

static int igbook_irq_connect(struct igbook_vector *vector,
			      irq_handler_t handler, unsigned long flags)
{
	struct igbook *priv = vector->priv;
	int irq = pci_irq_vector(priv->pdev, vector->index);
	int err;

	igbook_vector_name(vector);
	err = request_irq(irq, handler, flags, vector->name, vector);
	if (err) {
		netdev_err(priv->netdev, "interrupt %d (%s): %d\n", irq,
			   vector->name, err);
		return err;
	}
	vector->irq = irq;
	return 0;
}

/*
 * The n-th queue goes to the n-th CPU near the card. The suggestion is read in
 * affinity_hint; who wants another CPU writes to smp_affinity, and that holds
 * when the interface is opened again.
 */
static void igbook_irq_home(struct igbook_vector *vector)
{
	int node = dev_to_node(&vector->priv->pdev->dev);
	unsigned int cpu = cpumask_local_spread(vector->index, node);

	if (vector->placed)
		irq_update_affinity_hint(vector->irq, cpumask_of(cpu));
	else
		irq_set_affinity_and_hint(vector->irq, cpumask_of(cpu));
	vector->placed = true;
}

#if 0 /* loom: begin irq-request until 07 */
static int igbook_irq_request(struct igbook *priv)
{
	struct igbook_vector *vector = priv->vector;
	unsigned int i;
	int err;

	if (priv->irq_mode == IGBOOK_IRQ_MSI)
		return igbook_irq_connect(vector, igbook_irq_msi, 0);
	if (priv->irq_mode == IGBOOK_IRQ_INTX)
		return igbook_irq_connect(vector, igbook_irq_intx,
					  IRQF_SHARED);

	for (i = 0; i < priv->num_queues; i++, vector++) {
		err = igbook_irq_connect(vector, igbook_irq_queues, 0);
		if (err)
			return err;
		igbook_irq_home(vector);
	}
	return igbook_irq_connect(vector, igbook_irq_other, 0);
}

/* free_irq() waits for a handler that is running on another CPU. */
static void igbook_irq_release(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < priv->num_vectors; i++) {
		struct igbook_vector *vector = &priv->vector[i];

		if (!vector->irq)
			continue;
		irq_update_affinity_hint(vector->irq, NULL);
		free_irq(vector->irq, vector);
		vector->irq = 0;
	}
}

#endif /* loom: end irq-request */
/* loom: begin irq-request-07 from 07 */
/**
 * igbook_irq_add_queue() - connect the vector of one pair of queues (MSI-X)
 * @priv: the device
 * @queue: the queues
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno.
 */
int igbook_irq_add_queue(struct igbook *priv, unsigned int queue)
{
	struct igbook_vector *vector = &priv->vector[queue];
	int err;

	err = igbook_irq_connect(vector, igbook_irq_queues, 0);
	if (!err)
		igbook_irq_home(vector);
	return err;
}

/**
 * igbook_irq_remove() - disconnect one vector from its handler
 * @vector: the vector; one that was never connected is left alone
 *
 * free_irq() waits for a handler that is running on another CPU.
 *
 * Context: RTNL; sleeps.
 */
void igbook_irq_remove(struct igbook_vector *vector)
{
	if (!vector->irq)
		return;
	irq_update_affinity_hint(vector->irq, NULL);
	free_irq(vector->irq, vector);
	vector->irq = 0;
}

static int igbook_irq_request(struct igbook *priv)
{
	struct igbook_vector *vector = priv->vector;
	unsigned int i;
	int err;

	if (priv->irq_mode == IGBOOK_IRQ_MSI)
		return igbook_irq_connect(vector, igbook_irq_msi, 0);
	if (priv->irq_mode == IGBOOK_IRQ_INTX)
		return igbook_irq_connect(vector, igbook_irq_intx,
					  IRQF_SHARED);

	for (i = 0; i < priv->num_queues; i++) {
		err = igbook_irq_add_queue(priv, i);
		if (err)
			return err;
	}
	return igbook_irq_connect(&vector[priv->max_queues], igbook_irq_other,
				  0);
}

static void igbook_irq_release(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < priv->num_vectors; i++)
		igbook_irq_remove(&priv->vector[i]);
}

/* loom: end irq-request-07 */
/*
 * Four entries of eight bits in each IVAR register: queues n and n + 8, each
 * with one for receive and one for transmit. Also needed with a single vector,
 * for a queue without an entry raises no cause at all.
 *
 * 82576 datasheet, "Interrupt Vector Allocation Registers".
 */
#if 0 /* loom: begin irq-route until 07 */
static void igbook_irq_route(struct igbook *priv)
#endif /* loom: end irq-route */
/* loom: begin irq-route-07 from 07 */
void igbook_irq_route(struct igbook *priv)
/* loom: end irq-route-07 */
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		u32 entry = IVAR_VALID | priv->vector[i].index;

		igbook_wr32(priv, REG_IVAR(i), FIELD_PREP(IVAR_RX, entry) |
					       FIELD_PREP(IVAR_TX, entry));
	}
	if (priv->irq_mode == IGBOOK_IRQ_MSIX)
		igbook_wr32(priv, REG_IVAR_MISC,
#if 0	/* loom: begin irq-route-other until 07 */
			    FIELD_PREP(IVAR_OTHER, IVAR_VALID | i));
#endif	/* loom: end irq-route-other */
		/* loom: begin irq-route-other-07 from 07 */
			    FIELD_PREP(IVAR_OTHER,
				       IVAR_VALID | priv->max_queues));
		/* loom: end irq-route-other-07 */
}

/*
 * GPIE comes first: what the other registers mean depends on it. Sending a
 * message clears its cause (EIAC) and, for queues, masks it (EIAM, EIAME); the
 * vector for the rest is dealt with as a whole in its handler and needs no
 * mask. NSICR makes reading ICR clear it in any case.
 *
 * 82576 datasheet, "General Purpose Interrupt Enable Register", "Extended
 * Interrupt Auto Clear Register", "Extended Interrupt Auto Mask Enable
 * Register".
 */
static void igbook_irq_enable(struct igbook *priv)
{
#if 0	/* loom: begin irq-enable-vectors until 07 */
	u32 queues = GENMASK(priv->num_queues - 1, 0);
	u32 other = BIT(priv->num_queues);
#endif	/* loom: end irq-enable-vectors */
	/* loom: begin irq-enable-vectors-07 from 07 */
	u32 queues = GENMASK(priv->max_queues - 1, 0);
	u32 other = BIT(priv->max_queues);
	/* loom: end irq-enable-vectors-07 */

	igbook_irq_route(priv);
	if (priv->irq_mode == IGBOOK_IRQ_MSIX) {
		igbook_wr32(priv, REG_GPIE, GPIE_NSICR | GPIE_MSIX_MODE |
					    GPIE_EIAME | GPIE_PBA);
		igbook_wr32(priv, REG_EIAC, queues | other);
		igbook_wr32(priv, REG_EIAM, queues);
		igbook_wr32(priv, REG_EIMS, other);
	}
	igbook_wr32(priv, REG_IMS, ICR_LSC);
}

/**
 * igbook_irq_start() - connect the interrupts
 * @priv: the device, freshly reset
 *
 * The card must not call before there is somebody to answer.
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno: then igbook_irq_stop() cleans up.
 */
int igbook_irq_start(struct igbook *priv)
{
	unsigned int i;
	int err;

	err = igbook_irq_request(priv);
	if (err)
		return err;
	/* A reset leaves the pauses as another driver has set them. */
	for (i = 0; i < priv->num_vectors; i++)
		igbook_wr32(priv, REG_EITR(i), 0);
	igbook_irq_enable(priv);
	return 0;
}

/**
 * igbook_irq_stop() - disconnect the interrupts
 * @priv: the device, rings not served; stopping it twice does no harm
 *
 * The read pushes the writes to the card. The link work goes last, for a
 * handler may have started it.
 *
 * Context: RTNL; sleeps.
 */
void igbook_irq_stop(struct igbook *priv)
{
	igbook_wr32(priv, REG_EIMC, ~0U);
	igbook_wr32(priv, REG_IMC, ~0U);
	igbook_rd32(priv, REG_STATUS);
	igbook_irq_release(priv);
	igbook_link_stop(priv);
}

/**
 * igbook_service_start() - begin to serve the rings
 * @priv: the device, rings enabled
 *
 * Context: RTNL; sleeps.
 * Return: 0.
 */
int igbook_service_start(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_vector_start(&priv->vector[i]);
		igbook_vector_unmask(&priv->vector[i]);
	}
	return 0;
}

/**
 * igbook_service_stop() - serve the rings no more
 * @priv: the device; stopping it twice does no harm
 *
 * A bottom half unmasks its vector when it ends: the mask is set after it was
 * stopped. A handler that comes in between masks and wakes nobody.
 *
 * Context: RTNL; sleeps.
 */
void igbook_service_stop(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < priv->num_queues; i++) {
		igbook_vector_stop(&priv->vector[i]);
		igbook_vector_mask(&priv->vector[i]);
	}
}
