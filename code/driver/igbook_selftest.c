// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the card is tried out: "ethtool -t". The result of a test is 0, or
 * what went wrong.
 */
#include <linux/bitfield.h>
#include <linux/completion.h>
#include <linux/ethtool.h>
#include <linux/iopoll.h>

#include "igbook.h"

#define IGBOOK_TEST_FRAMES	16	/* the shortest transmit ring takes more */
#define IGBOOK_TEST_TYPE	0x88b5	/* IEEE 802: for local experiments */
#define IGBOOK_LINK_US		5000000	/* patience with a link */

/**
 * enum igbook_test - the tests, in their order
 * @IGBOOK_TEST_REGISTERS: what is written is read
 * @IGBOOK_TEST_NVM: the sum of the card's memory
 * @IGBOOK_TEST_INTERRUPT: each vector reaches a handler
 * @IGBOOK_TEST_LOOPBACK: what is sent is received
 * @IGBOOK_TEST_LINK: is there a link?
 * @IGBOOK_TESTS: how many there are
 */
enum igbook_test {
	IGBOOK_TEST_REGISTERS,
	IGBOOK_TEST_NVM,
	IGBOOK_TEST_INTERRUPT,
	IGBOOK_TEST_LOOPBACK,
	IGBOOK_TEST_LINK,
	IGBOOK_TESTS,
};

static const char * const igbook_test_names[IGBOOK_TESTS] = {
	[IGBOOK_TEST_REGISTERS] = "registers (offline)",
	[IGBOOK_TEST_NVM] = "NVM checksum (offline)",
	[IGBOOK_TEST_INTERRUPT] = "interrupts (offline)",
	[IGBOOK_TEST_LOOPBACK] = "loopback (offline)",
	[IGBOOK_TEST_LINK] = "link (online)",
};

/* Registers that do nothing by themselves, and the bits they have. */
static const struct {
	u32 reg;
	u32 mask;
} igbook_test_registers[] = {
	{ REG_FCAL, 0xffffffff }, { REG_FCAH, 0x0000ffff },
	{ REG_FCT, 0x0000ffff }, { REG_FCTTV, 0x0000ffff },
	{ REG_RDBAL(0), 0xffffff80 }, { REG_RDBAH(0), 0xffffffff },
	{ REG_RDLEN(0), 0x000fff80 }, { REG_TDBAL(0), 0xffffff80 },
	{ REG_TDBAH(0), 0xffffffff }, { REG_TDLEN(0), 0x000fff80 },
	{ REG_RAL(1), 0xffffffff }, { REG_RAH(1), 0x0000ffff },
	{ REG_MTA(0), 0xffffffff }, { REG_VFTA(0), 0xffffffff },
	{ REG_RSSRK(0), 0xffffffff },
};

/**
 * struct igbook_test_vector - one vector that is tried
 * @priv: the device
 * @came: its handler has run
 */
struct igbook_test_vector {
	struct igbook *priv;
	struct completion came;
};

/**
 * igbook_test_count() - how many results there are
 *
 * Return: their number.
 */
int igbook_test_count(void)
{
	return IGBOOK_TESTS;
}

/**
 * igbook_test_strings() - what the results are called
 * @data: ETH_GSTRING_LEN bytes for each
 *
 * Context: RTNL.
 */
void igbook_test_strings(u8 *data)
{
	unsigned int i;

	for (i = 0; i < IGBOOK_TESTS; i++)
		ethtool_puts(&data, igbook_test_names[i]);
}

/* Both values of each bit. What it was is written back. */
static bool igbook_test_register(struct igbook *priv, u32 reg, u32 mask)
{
	u32 before = igbook_rd32(priv, reg);
	u32 ones, zeros;

	igbook_wr32(priv, reg, mask & 0x5a5a5a5a);
	ones = igbook_rd32(priv, reg) & mask;
	igbook_wr32(priv, reg, mask & ~0x5a5a5a5a);
	zeros = igbook_rd32(priv, reg) & mask;
	igbook_wr32(priv, reg, before);
	return ones == (mask & 0x5a5a5a5a) && zeros == (mask & ~0x5a5a5a5a);
}

/* The register that does not keep what is written to it, or 0. */
static u64 igbook_test_all_registers(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(igbook_test_registers); i++) {
		u32 reg = igbook_test_registers[i].reg;

		if (!igbook_test_register(priv, reg,
					  igbook_test_registers[i].mask))
			return reg;
	}
	return 0;
}

static irqreturn_t igbook_test_handler(int irq, void *data)
{
	struct igbook_test_vector *test = data;

	if (test->priv->irq_mode != IGBOOK_IRQ_MSIX &&
	    !(igbook_rd32(test->priv, REG_ICR) & ICR_TXDW))
		return IRQ_NONE;
	complete(&test->came);
	return IRQ_HANDLED;
}

/* Software sets a cause, as the card does when it has one. */
static void igbook_test_cause(struct igbook *priv, unsigned int i)
{
	if (priv->irq_mode != IGBOOK_IRQ_MSIX) {
		igbook_wr32(priv, REG_IMS, ICR_TXDW);
		igbook_wr32(priv, REG_ICS, ICR_TXDW);
		return;
	}
	igbook_wr32(priv, REG_GPIE, GPIE_NSICR | GPIE_MSIX_MODE | GPIE_PBA);
	igbook_wr32(priv, REG_EIAC, BIT(i));
	igbook_wr32(priv, REG_EIMS, BIT(i));
	igbook_wr32(priv, REG_EICS, BIT(i));
}

static int igbook_test_irq(struct igbook *priv, unsigned int i)
{
	unsigned long flags = priv->irq_mode == IGBOOK_IRQ_INTX ?
			      IRQF_SHARED : 0;
	int irq = pci_irq_vector(priv->pdev, i);
	struct igbook_test_vector test;
	unsigned long left;
	int err;

	test.priv = priv;
	init_completion(&test.came);
	err = request_irq(irq, igbook_test_handler, flags, priv->netdev->name,
			  &test);
	if (err)
		return err;
	igbook_test_cause(priv, i);
	left = wait_for_completion_timeout(&test.came, HZ);
	igbook_wr32(priv, REG_EIMC, ~0U);
	igbook_wr32(priv, REG_IMC, ~0U);
	igbook_rd32(priv, REG_STATUS);
	free_irq(irq, &test);
	return left ? 0 : -ETIMEDOUT;
}

static int igbook_test_irqs(struct igbook *priv)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < priv->num_vectors && !err; i++)
		err = igbook_test_irq(priv, i);
	return err;
}

/* Each frame is longer than the one before and has other bytes. */
static struct sk_buff *igbook_test_frame(struct net_device *netdev,
					 unsigned int number)
{
	unsigned int len = ETH_ZLEN + 94 * number;
	struct sk_buff *skb = netdev_alloc_skb(netdev, len);
	struct ethhdr *header;
	unsigned int i;

	if (!skb)
		return NULL;
	header = skb_put(skb, len);
	ether_addr_copy(header->h_dest, netdev->dev_addr);
	ether_addr_copy(header->h_source, netdev->dev_addr);
	header->h_proto = htons(IGBOOK_TEST_TYPE);
	for (i = ETH_HLEN; i < len; i++)
		skb->data[i] = i * (number + 1);
	return skb;
}

/*
 * By the way of any other frame; only what comes back goes to no stack. It stays
 * in the ring as long as there is one: to take it back would wake the queue. It is
 * nobody's and not to be counted: its batch begins below zero and ends there.
 */
static int igbook_test_round(struct igbook *priv, unsigned int number)
{
	struct netdev_queue *queue = netdev_get_tx_queue(priv->netdev, 0);
	struct sk_buff *skb = igbook_test_frame(priv->netdev, number);
	struct igbook_tx_batch *batch = &priv->tx_ring[0].batch;
	int result;
	int err;

	if (!skb)
		return -ENOMEM;
	__netif_tx_lock_bh(queue);
	batch->segments = -1;
	batch->bytes = -skb->len;
	netdev_start_xmit(skb_get(skb), priv->netdev, queue, false);
	memset(batch, 0, sizeof(*batch));
	__netif_tx_unlock_bh(queue);
	err = read_poll_timeout(igbook_rx_test, result, result != -EAGAIN, 100,
				100000, false, &priv->rx_ring[0], skb->data,
				skb->len);
	dev_kfree_skb(skb);
	return err ?: result;
}

/* A real card has a link at once; the emulated one must find its own first. */
static int igbook_test_wait_link(struct igbook *priv)
{
	u32 status;
	int err;

	err = igbook_phy_restart_autoneg(priv);
	if (err)
		return err;
	return read_poll_timeout(igbook_rd32, status, status & STATUS_LU, 10000,
				 IGBOOK_LINK_US, false, priv, REG_STATUS);
}

static int igbook_test_loopback(struct igbook *priv)
{
	struct net_device *netdev = priv->netdev;
	unsigned int i;
	int err;

	igbook_hw_reset(priv);
	igbook_set_rar(priv, 0, netdev->dev_addr);
	igbook_set_loopback(priv, true);
	err = igbook_rings_alloc(priv);
	if (!err)
		err = igbook_rings_enable(priv);
	if (!err)
		err = igbook_test_wait_link(priv);
	for (i = 0; i < IGBOOK_TEST_FRAMES && !err; i++)
		err = igbook_test_round(priv, i);
	igbook_rings_disable(priv);
	igbook_hw_reset(priv);
	igbook_rings_free(priv);
	return err;
}

static void igbook_test_offline(struct igbook *priv, u64 *data)
{
	struct net_device *netdev = priv->netdev;
	bool carrier = netif_carrier_ok(netdev);
	bool ok;

	netif_device_detach(netdev);
	if (netif_running(netdev))
		igbook_down(priv);
	data[IGBOOK_TEST_REGISTERS] = igbook_test_all_registers(priv);
	data[IGBOOK_TEST_NVM] = -igbook_nvm_validate(priv);
	data[IGBOOK_TEST_INTERRUPT] = -igbook_test_irqs(priv);
	data[IGBOOK_TEST_LOOPBACK] = -igbook_test_loopback(priv);

	igbook_drv_load(priv, true);
	if (netif_running(netdev) && igbook_up(priv)) {
		netdev_err(netdev, "does not come back after its test\n");
		dev_close(netdev);
	}
	igbook_attach(netdev);
	if (carrier && netif_running(netdev))
		read_poll_timeout(netif_carrier_ok, ok, ok, 100000,
				  IGBOOK_LINK_US, false, netdev);
}

/**
 * igbook_self_test() - "ethtool -t"
 * @netdev: the network device
 * @test: whether it may be taken down for that; whether all went well
 * @data: a result for each test
 *
 * Those that take it down give it back as it was, also its link, if that comes
 * in time.
 *
 * Context: RTNL; sleeps, for seconds.
 */
void igbook_self_test(struct net_device *netdev, struct ethtool_test *test,
		      u64 *data)
{
	struct igbook *priv = netdev_priv(netdev);
	unsigned int i;

	data[IGBOOK_TEST_LINK] = netif_carrier_ok(netdev) ? 0 : ENOLINK;
	if (test->flags & ETH_TEST_FL_OFFLINE)
		igbook_test_offline(priv, data);
	for (i = 0; i < IGBOOK_TESTS; i++)
		if (data[i])
			test->flags |= ETH_TEST_FL_FAILED;
}
