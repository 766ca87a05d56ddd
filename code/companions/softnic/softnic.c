// SPDX-License-Identifier: GPL-2.0
/*
 * softnic: two network cards made of software, joined by a cable.
 *
 * What one sends, the other receives. The receiving half comes in two kinds
 * that do the same work: with napi=0 each interrupt carries its frames to the
 * stack's backlog, with napi=1 the interrupt only asks to be polled. Compare
 * softnic_irq_frames() with softnic_irq_poll() and softnic_poll().
 *
 * The card's interrupt is real: irq_work makes the processor interrupt itself.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

#define SOFTNIC_NAME	"softnic"

static bool use_napi = true;
module_param_named(napi, use_napi, bool, 0444);
MODULE_PARM_DESC(napi, "1: poll (NAPI), 0: an interrupt for each frame");

static uint fifo_size = 256;
module_param_named(fifo, fifo_size, uint, 0444);
MODULE_PARM_DESC(fifo, "frames a card can hold until its driver takes them");

/**
 * struct softnic_counts - what ethtool -S shows
 * @interrupts: times the handler ran
 * @polls: times softnic_poll() ran
 * @frames: frames taken from the FIFO
 * @fifo_full: frames lost because the card had no room
 * @backlog_full: frames the driver took but the stack's backlog refused
 */
struct softnic_counts {
	u64 interrupts;
	u64 polls;
	u64 frames;
	u64 fifo_full;
	u64 backlog_full;
};

static const char softnic_count_names[][ETH_GSTRING_LEN] = {
	"interrupts", "polls", "frames", "fifo_full", "backlog_full",
};

static_assert(ARRAY_SIZE(softnic_count_names) * sizeof(u64) ==
	      sizeof(struct softnic_counts));

/**
 * struct softnic - one of the two cards, and its driver
 * @netdev: the network device the kernel sees
 * @peer: the card at the other end of the cable
 * @napi: asks the core to call softnic_poll(); unused with napi=0
 * @fifo: frames that have arrived; its lock also protects what follows
 * @running: the card takes frames
 * @irq_enabled: the card may interrupt (its mask register, so to say)
 * @irq: the card's interrupt line
 * @counts: see above
 */
struct softnic {
	struct net_device *netdev;
	struct softnic *peer;
	struct napi_struct napi;
	struct sk_buff_head fifo;
	bool running;
	bool irq_enabled;
	struct irq_work irq;
	struct softnic_counts counts;
};

static struct softnic *softnic_pair[2];

/* The card ----------------------------------------------------------------- */

/**
 * softnic_raise() - interrupt, if the card has a reason to and may
 * @nic: the card
 *
 * Context: FIFO lock held, interrupts off: the handler runs once they are on.
 */
static void softnic_raise(struct softnic *nic)
{
	lockdep_assert_held(&nic->fifo.lock);
	if (nic->irq_enabled && !skb_queue_empty(&nic->fifo))
		irq_work_queue(&nic->irq);
}

/**
 * softnic_mask() - write the card's mask register
 * @nic: the card
 * @enabled: whether it may interrupt
 *
 * What arrived while interrupts were off raises one now. A card that only
 * looked at new frames would leave the old ones lying until the next came.
 *
 * Context: any; takes the FIFO lock.
 */
static void softnic_mask(struct softnic *nic, bool enabled)
{
	unsigned long flags;

	spin_lock_irqsave(&nic->fifo.lock, flags);
	nic->irq_enabled = enabled;
	softnic_raise(nic);
	spin_unlock_irqrestore(&nic->fifo.lock, flags);
}

/**
 * softnic_arrive() - a frame comes out of the cable
 * @nic: the card it arrives at
 * @skb: the frame; the card's from here on
 *
 * Context: any; takes the FIFO lock.
 */
static void softnic_arrive(struct softnic *nic, struct sk_buff *skb)
{
	unsigned long flags;
	bool taken = false;

	spin_lock_irqsave(&nic->fifo.lock, flags);
	if (nic->running && skb_queue_len(&nic->fifo) < fifo_size) {
		__skb_queue_tail(&nic->fifo, skb);
		softnic_raise(nic);
		taken = true;
	} else {
		nic->counts.fifo_full++;
	}
	spin_unlock_irqrestore(&nic->fifo.lock, flags);
	if (!taken) {
		dev_core_stats_rx_dropped_inc(nic->netdev);
		dev_kfree_skb_any(skb);
	}
}

/* Receiving: what both kinds share ----------------------------------------- */

/**
 * softnic_take() - take the next frame out of the card
 * @nic: the card
 *
 * Context: any; takes the FIFO lock.
 * Return: a frame ready for the stack, or NULL when there is none.
 */
static struct sk_buff *softnic_take(struct softnic *nic)
{
	struct sk_buff *skb = skb_dequeue(&nic->fifo);

	if (!skb)
		return NULL;
	nic->counts.frames++;
	dev_sw_netstats_rx_add(nic->netdev, skb->len);
	skb->protocol = eth_type_trans(skb, nic->netdev);
	return skb;
}

/* Receiving without NAPI --------------------------------------------------- */

/**
 * softnic_irq_frames() - the interrupt does the work
 * @irq: the card's line
 *
 * Every frame goes to this CPU's backlog, from which a softirq will take it.
 * When frames come faster than the softirq takes them, the backlog fills, and
 * the time it took to get a frame here was spent for nothing.
 *
 * Context: hard interrupt.
 */
static void softnic_irq_frames(struct irq_work *irq)
{
	struct softnic *nic = container_of(irq, struct softnic, irq);
	struct sk_buff *skb;

	nic->counts.interrupts++;
	while ((skb = softnic_take(nic)))
		if (netif_rx(skb) == NET_RX_DROP)
			nic->counts.backlog_full++;
}

/* Receiving with NAPI ------------------------------------------------------ */

/**
 * softnic_irq_poll() - the interrupt asks for a poll, and for silence
 * @irq: the card's line
 *
 * Context: hard interrupt.
 */
static void softnic_irq_poll(struct irq_work *irq)
{
	struct softnic *nic = container_of(irq, struct softnic, irq);

	nic->counts.interrupts++;
	softnic_mask(nic, false);
	napi_schedule_irqoff(&nic->napi);
}

/**
 * softnic_poll() - take up to @budget frames
 * @napi: the card's NAPI instance
 * @budget: how many, at most
 *
 * Less than the budget says that the FIFO was empty. Then, and only if nobody
 * asked for another poll meanwhile, interrupts come back.
 *
 * Context: softirq, or the NAPI's own thread with bottom halves off.
 * Return: frames taken.
 */
static int softnic_poll(struct napi_struct *napi, int budget)
{
	struct softnic *nic = container_of(napi, struct softnic, napi);
	struct sk_buff *skb;
	int work = 0;

	nic->counts.polls++;
	while (work < budget) {
		skb = softnic_take(nic);
		if (!skb)
			break;
		napi_gro_receive(napi, skb);
		work++;
	}
	if (work < budget && napi_complete_done(napi, work))
		softnic_mask(nic, true);
	return work;
}

/* Sending ------------------------------------------------------------------ */

/**
 * softnic_copy() - carry a frame's bytes over the cable
 * @to: the card at the other end
 * @skb: the frame
 *
 * A cable carries bytes and nothing that the sender's kernel knows of them.
 *
 * Context: bottom halves off.
 * Return: a fresh buffer that belongs to @to, or NULL without memory.
 */
static struct sk_buff *softnic_copy(struct softnic *to, struct sk_buff *skb)
{
	struct sk_buff *copy;

	copy = netdev_alloc_skb_ip_align(to->netdev, skb->len);
	if (copy)
		skb_copy_bits(skb, 0, skb_put(copy, skb->len), skb->len);
	return copy;
}

/**
 * softnic_start_xmit() - put a frame on the cable
 * @skb: the frame
 * @netdev: the card that sends it
 *
 * Context: transmit lock of the queue held, bottom halves off.
 * Return: NETDEV_TX_OK always; a frame that cannot be sent is dropped.
 */
static netdev_tx_t softnic_start_xmit(struct sk_buff *skb,
				      struct net_device *netdev)
{
	struct softnic *nic = netdev_priv(netdev);
	struct sk_buff *copy = softnic_copy(nic->peer, skb);

	if (!copy) {
		dev_core_stats_tx_dropped_inc(netdev);
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	skb_tx_timestamp(skb);
	dev_sw_netstats_tx_add(netdev, 1, skb->len);
	dev_consume_skb_any(skb);
	softnic_arrive(nic->peer, copy);
	return NETDEV_TX_OK;
}

/* Up and down -------------------------------------------------------------- */

/**
 * softnic_link() - both ends see light when both are up
 * @nic: either card
 *
 * Context: RTNL.
 */
static void softnic_link(struct softnic *nic)
{
	if (nic->running && nic->peer->running) {
		netif_carrier_on(nic->netdev);
		netif_carrier_on(nic->peer->netdev);
	} else {
		netif_carrier_off(nic->netdev);
		netif_carrier_off(nic->peer->netdev);
	}
}

/**
 * softnic_set_running() - let frames in, or no more
 * @nic: the card
 * @running: which
 *
 * Context: process; takes the FIFO lock.
 */
static void softnic_set_running(struct softnic *nic, bool running)
{
	spin_lock_irq(&nic->fifo.lock);
	nic->running = running;
	nic->irq_enabled = running;
	spin_unlock_irq(&nic->fifo.lock);
}

/**
 * softnic_open() - the interface goes up
 * @netdev: the network device
 *
 * Context: RTNL; sleeps.
 * Return: 0.
 */
static int softnic_open(struct net_device *netdev)
{
	struct softnic *nic = netdev_priv(netdev);

	if (use_napi)
		napi_enable(&nic->napi);
	softnic_set_running(nic, true);
	softnic_link(nic);
	netif_start_queue(netdev);
	return 0;
}

/**
 * softnic_stop() - the interface goes down
 * @netdev: the network device
 *
 * First no frame comes in, then no handler runs, then no poll; only after that
 * is the FIFO ours alone. The last poll may unmask the card on its way out, and
 * frames it left behind then raise one more interrupt: hence the second wait.
 *
 * Context: RTNL; sleeps.
 * Return: 0.
 */
static int softnic_stop(struct net_device *netdev)
{
	struct softnic *nic = netdev_priv(netdev);

	netif_stop_queue(netdev);
	softnic_set_running(nic, false);
	softnic_link(nic);
	irq_work_sync(&nic->irq);
	if (use_napi)
		napi_disable(&nic->napi);
	irq_work_sync(&nic->irq);
	skb_queue_purge(&nic->fifo);
	return 0;
}

static const struct net_device_ops softnic_netdev_ops = {
	.ndo_open = softnic_open,
	.ndo_stop = softnic_stop,
	.ndo_start_xmit = softnic_start_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

/* ethtool ------------------------------------------------------------------ */

static int softnic_get_sset_count(struct net_device *netdev, int sset)
{
	return sset == ETH_SS_STATS ? ARRAY_SIZE(softnic_count_names) :
				      -EOPNOTSUPP;
}

static void softnic_get_strings(struct net_device *netdev, u32 sset, u8 *data)
{
	memcpy(data, softnic_count_names, sizeof(softnic_count_names));
}

static void softnic_get_stats(struct net_device *netdev,
			      struct ethtool_stats *stats, u64 *data)
{
	struct softnic *nic = netdev_priv(netdev);

	memcpy(data, &nic->counts, sizeof(nic->counts));
}

static const struct ethtool_ops softnic_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_ts_info = ethtool_op_get_ts_info,
	.get_sset_count = softnic_get_sset_count,
	.get_strings = softnic_get_strings,
	.get_ethtool_stats = softnic_get_stats,
};

/* The module --------------------------------------------------------------- */

/**
 * softnic_setup() - describe a new card to the network core
 * @netdev: the network device, zeroed
 *
 * Context: alloc_netdev().
 */
static void softnic_setup(struct net_device *netdev)
{
	struct softnic *nic = netdev_priv(netdev);

	ether_setup(netdev);
	netdev->netdev_ops = &softnic_netdev_ops;
	netdev->ethtool_ops = &softnic_ethtool_ops;
	netdev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	eth_hw_addr_random(netdev);

	nic->netdev = netdev;
	skb_queue_head_init(&nic->fifo);
	nic->irq = IRQ_WORK_INIT_HARD(use_napi ? softnic_irq_poll :
						 softnic_irq_frames);
	if (use_napi)
		netif_napi_add(netdev, &nic->napi, softnic_poll);
}

/**
 * softnic_destroy() - the opposite of softnic_create()
 * @nic: one card of the pair, or NULL
 *
 * Context: process, without RTNL.
 */
static void softnic_destroy(struct softnic *nic)
{
	if (nic)
		free_netdev(nic->netdev);
}

/**
 * softnic_create() - allocate one card
 * @name: its name, with %d for a number
 *
 * Context: process; sleeps.
 * Return: the card, or NULL without memory.
 */
static struct softnic *softnic_create(const char *name)
{
	struct net_device *netdev;

	netdev = alloc_netdev(sizeof(struct softnic), name, NET_NAME_ENUM,
			      softnic_setup);
	return netdev ? netdev_priv(netdev) : NULL;
}

/**
 * softnic_unregister() - take both cards from the kernel
 *
 * Each may still send to the other until both are gone, so neither is freed
 * before.
 *
 * Context: process; takes RTNL.
 */
static void softnic_unregister(void)
{
	LIST_HEAD(gone);
	int i;

	rtnl_lock();
	for (i = 0; i < 2; i++)
		unregister_netdevice_queue(softnic_pair[i]->netdev, &gone);
	unregister_netdevice_many(&gone);
	rtnl_unlock();
}

/**
 * softnic_init_module() - make the pair and show it to the kernel
 *
 * Context: process (insmod).
 * Return: 0, or a negative errno with nothing kept.
 */
static int __init softnic_init_module(void)
{
	int err = -ENOMEM;

	softnic_pair[0] = softnic_create("soft%d");
	softnic_pair[1] = softnic_create("soft%d");
	if (!softnic_pair[0] || !softnic_pair[1])
		goto err_free;
	softnic_pair[0]->peer = softnic_pair[1];
	softnic_pair[1]->peer = softnic_pair[0];
	netif_carrier_off(softnic_pair[0]->netdev);
	netif_carrier_off(softnic_pair[1]->netdev);

	err = register_netdev(softnic_pair[0]->netdev);
	if (err)
		goto err_free;
	err = register_netdev(softnic_pair[1]->netdev);
	if (err)
		goto err_unregister;
	return 0;

err_unregister:
	unregister_netdev(softnic_pair[0]->netdev);
err_free:
	softnic_destroy(softnic_pair[1]);
	softnic_destroy(softnic_pair[0]);
	return err;
}
module_init(softnic_init_module);

/**
 * softnic_exit_module() - take the pair away
 *
 * Context: process (rmmod).
 */
static void __exit softnic_exit_module(void)
{
	softnic_unregister();
	softnic_destroy(softnic_pair[1]);
	softnic_destroy(softnic_pair[0]);
}
module_exit(softnic_exit_module);

MODULE_DESCRIPTION("From Wire to Socket: a pair of software network cards");
MODULE_AUTHOR("The authors of From Wire to Socket");
MODULE_LICENSE("GPL");
