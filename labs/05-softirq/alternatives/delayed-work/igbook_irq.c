// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the card calls. MSI-X where there is MSI-X, else MSI, else a line.
 */
#include <linux/bitfield.h>
#include <linux/module.h>

#include "igbook.h"

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

/**
 * igbook_vectors_assign() - share the queues out among the vectors
 * @priv: the device; irq_mode and num_queues are settled
 *
 * With MSI-X vector n serves queues n, and one more all that is not a queue.
 * Otherwise vector 0 serves everything.
 *
 * Context: probe.
 */
static void igbook_vectors_assign(struct igbook *priv)
{
	unsigned int i;

	priv->num_vectors = priv->num_queues;
	if (priv->irq_mode == IGBOOK_IRQ_MSIX)
		priv->num_vectors++;

	for (i = 0; i < priv->num_vectors; i++) {
		struct igbook_vector *vector = &priv->vector[i];

		vector->priv = priv;
		vector->index = i;
		if (i == priv->num_queues)
			break;
		vector->tx = &priv->tx_ring[i];
		vector->rx = &priv->rx_ring[i];
		igbook_vector_init(vector);
	}
}

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

/**
 * igbook_irq_queues() - top half of a pair of queues (MSI-X)
 * @irq: the kernel's number of the interrupt
 * @data: the vector
 *
 * The message says which queues, and sending it has cleared the cause (EIAC),
 * so no register is read here. A real card has masked the vector as well
 * (EIAM); the emulated one does not do that, so we do.
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED, since nobody shares a message.
 */
static irqreturn_t igbook_irq_queues(int irq, void *data)
{
	struct igbook_vector *vector = data;

	igbook_wr32(vector->priv, REG_EIMC, BIT(vector->index));
	igbook_vector_wake(vector);
	return IRQ_HANDLED;
}

/**
 * igbook_irq_other() - top half of all that is not a queue (MSI-X)
 * @irq: the kernel's number of the interrupt
 * @data: the vector
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED.
 */
static irqreturn_t igbook_irq_other(int irq, void *data)
{
	struct igbook_vector *vector = data;
	struct igbook *priv = vector->priv;
	u32 causes;

	causes = igbook_rd32(priv, REG_ICR);
	if (causes & ICR_LSC)
		igbook_link_changed(priv);
	return IRQ_HANDLED;
}

/**
 * igbook_irq_causes() - deal with what ICR said
 * @vector: the one vector
 * @icr: the causes; reading them has cleared them
 *
 * Each cause read must be dealt with, since it will not come again: also one
 * that was masked and came together with another.
 *
 * Context: hard interrupt.
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

/**
 * igbook_irq_msi() - top half of everything (MSI)
 * @irq: the kernel's number of the interrupt
 * @data: the vector
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED, since nobody shares a message.
 */
static irqreturn_t igbook_irq_msi(int irq, void *data)
{
	struct igbook_vector *vector = data;

	igbook_irq_causes(vector, igbook_rd32(vector->priv, REG_ICR));
	return IRQ_HANDLED;
}

/**
 * igbook_irq_intx() - top half of everything, on a line that is shared
 * @irq: the kernel's number of the interrupt
 * @data: the vector
 *
 * Called whenever any device on the line interrupts, so the kernel wants to
 * know whether it was ours. Causes that were masked are dealt with in any case:
 * reading may have cleared them. A card that was pulled out reads as all ones.
 *
 * Context: hard interrupt.
 * Return: IRQ_NONE if it was not us, else IRQ_HANDLED.
 *
 * Source: 82576 datasheet, "Interrupt Cause Read Register", INTA.
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

/**
 * igbook_vector_name() - what /proc/interrupts will call a vector
 * @vector: the vector
 *
 * The interface may have been renamed since it was last up.
 *
 * Context: RTNL.
 */
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

/**
 * igbook_irq_connect() - connect one vector with its handler
 * @vector: the vector
 * @handler: its top half
 * @flags: IRQF_SHARED or 0
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno.
 */
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

/**
 * igbook_irq_home() - suggest a CPU to a vector, and move it there
 * @vector: the vector, requested
 *
 * The n-th queue goes to the n-th CPU near the card. The suggestion is read in
 * affinity_hint; who wants another CPU writes to smp_affinity, and that holds
 * when the interface is opened again.
 *
 * Context: RTNL.
 */
static void igbook_irq_home(struct igbook_vector *vector)
{
	const unsigned int cpu = 1;

	if (vector->placed)
		irq_update_affinity_hint(vector->irq, cpumask_of(cpu));
	else
		irq_set_affinity_and_hint(vector->irq, cpumask_of(cpu));
	vector->placed = true;
}

/**
 * igbook_irq_request() - connect all vectors with their handlers
 * @priv: the device, its interrupts masked
 *
 * Context: RTNL; sleeps.
 * Return: 0, or a negative errno: then igbook_irq_release() cleans up.
 */
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

/**
 * igbook_irq_release() - disconnect the handlers
 * @priv: the device; those that were never connected are left alone
 *
 * free_irq() waits for a handler that is running on another CPU.
 *
 * Context: RTNL; sleeps.
 */
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

/**
 * igbook_irq_route() - tell the card which vector each queue interrupts by
 * @priv: the device
 *
 * Four entries of eight bits in each IVAR register: queues n and n + 8, each
 * with one for receive and one for transmit. Also needed with a single vector,
 * for a queue without an entry raises no cause at all.
 *
 * Context: RTNL.
 *
 * Source: 82576 datasheet, "Interrupt Vector Allocation Registers".
 */
static void igbook_irq_route(struct igbook *priv)
{
	u32 mine = IVAR_VALID;	/* vector 0 */

	igbook_wr32(priv, REG_IVAR(0), mine | mine << 8);
	if (priv->irq_mode != IGBOOK_IRQ_MSIX)
		return;
	igbook_wr32(priv, REG_IVAR_MISC, (IVAR_VALID | 1) << 8);
}

/**
 * igbook_irq_enable() - let the card call, though not yet for its queues
 * @priv: the device; handlers connected
 *
 * GPIE comes first: what the other registers mean depends on it. Sending a
 * message clears its cause (EIAC) and, for queues, masks it (EIAM, EIAME); the
 * vector for the rest is dealt with as a whole in its handler and needs no
 * mask. NSICR makes reading ICR clear it in any case.
 *
 * Context: RTNL.
 *
 * Source: 82576 datasheet, "General Purpose Interrupt Enable Register",
 * "Extended Interrupt Auto Clear Register", "Extended Interrupt Auto Mask
 * Enable Register".
 */
static void igbook_irq_enable(struct igbook *priv)
{
	if (priv->irq_mode != IGBOOK_IRQ_MSIX) {
		igbook_irq_route(priv);
		igbook_wr32(priv, REG_IMS, ICR_LSC);
		return;
	}
	igbook_wr32(priv, REG_GPIE, GPIE_PBA | GPIE_EIAME | GPIE_MSIX_MODE |
				    GPIE_NSICR);
	igbook_wr32(priv, REG_EIAM, BIT(0));
	igbook_wr32(priv, REG_EIAC, BIT(0) | BIT(1));
	igbook_irq_route(priv);
	igbook_wr32(priv, REG_IMS, ICR_LSC);
	igbook_wr32(priv, REG_EIMS, BIT(1));
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
	int err;

	err = igbook_irq_request(priv);
	if (err)
		return err;
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
 * Context: RTNL.
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
 * A bottom half unmasks its vector when it ends, so it must have ended before
 * the mask can hold. A handler that comes in between masks and wakes nobody.
 *
 * Context: RTNL; sleeps.
 */
void igbook_service_stop(struct igbook *priv)
{
	struct igbook_vector *vector = priv->vector;

	for (; vector < priv->vector + priv->num_queues; vector++)
		igbook_vector_stop(vector);
	for (vector = priv->vector; vector < priv->vector + priv->num_queues;
	     vector++)
		igbook_vector_mask(vector);
}
