/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, the book's driver for the Intel 82576: what its files share.
 */
#ifndef _IGBOOK_H_
#define _IGBOOK_H_

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
/* loom: begin include-dca from 03 */
#include <linux/notifier.h>
/* loom: end include-dca */
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

/* loom: begin include-clock from 09 */
#include "igbook_clock.h"
/* loom: end include-clock */
#include "igbook_regs.h"
#if 0 /* loom: begin include-handsend from 02 until 04 */
#include "igbook_handsend.h"
#endif /* loom: end include-handsend */
/* loom: begin include-ring from 04 */
#include "igbook_ring.h"
/* loom: end include-ring */
/* loom: begin include-irq from 05 */
#include "igbook_irq.h"
/* loom: end include-irq */

#define IGBOOK_NAME		"igbook"
#define IGBOOK_PHY_ADDR		1	/* the internal PHY's MDIO address */
#define IGBOOK_NVM_WORDS	64	/* what the checksum covers */
#define IGBOOK_MAX_MTU		9216	/* the card takes frames up to 9.5 KB */
#define IGBOOK_LINK_POLL	msecs_to_jiffies(500)

/* loom: begin dca-state from 03 */
/**
 * struct igbook_dca - direct cache access, as a requester knows it
 * @notifier: tells us that a provider came or goes
 * @membership: one join or leave at a time; taken before @lock
 * @lock: what follows and the DCA registers change together
 * @enabled: a provider has us in its books and answers for tags
 * @cpu: for each queue the CPU whose tag its registers hold, or -1
 */
struct igbook_dca {
	struct notifier_block notifier;
	struct mutex membership;	/* notifications may overlap */
	spinlock_t lock;	/* a tag must not be asked for while we leave */
	bool enabled;
	int cpu[DCA_QUEUES];
};

/* loom: end dca-state */
/* loom: begin rss-state from 07 */
/**
 * struct igbook_rss - receive side scaling
 * @key: what the hash is computed with
 * @table: the queue for each value of the hash's low seven bits
 * @hashed: MRQC bits: which headers are hashed
 */
struct igbook_rss {
	u8 key[RSSRK_BYTES];
	u8 table[RETA_ENTRIES];
	u32 hashed;
};

/* loom: end rss-state */
/* loom: begin shape-state from 07 */
/**
 * struct igbook_shape - how many rings, how long, and for which frames
 * @queues: how many of each direction
 * @tx_count: descriptors in each transmit ring
 * @rx_count: descriptors in each receive ring
 * @mtu: the MTU whose frames the receive buffers take
 */
struct igbook_shape {
	unsigned int queues;
	u16 tx_count;
	u16 rx_count;
	unsigned int mtu;
};

/* loom: end shape-state */
/* loom: begin observe-state from 10 */
#define IGBOOK_NVM_SUM		0xbaba	/* of all words the checksum covers */
#define IGBOOK_RULES		7	/* of eight: the last is for stamps */

/**
 * enum igbook_card_counter - what the card counts
 *
 * Each is named after what it counts; the register is in igbook_card_regs. For
 * CARD_QUEUE_DROPS each queue has one, RQDPC.
 */
enum igbook_card_counter {
	CARD_CRC_ERRORS,
	CARD_ALIGNMENT_ERRORS,
	CARD_SYMBOL_ERRORS,
	CARD_RX_ERRORS,
	CARD_MISSED,
	CARD_QUEUE_DROPS,
	CARD_NO_BUFFER,
	CARD_LENGTH_ERRORS,
	CARD_UNDERSIZE,
	CARD_FRAGMENTS,
	CARD_OVERSIZE,
	CARD_JABBERS,
	CARD_ONE_COLLISION,
	CARD_MORE_COLLISIONS,
	CARD_TOO_MANY_COLLISIONS,
	CARD_LATE_COLLISIONS,
	CARD_COLLISIONS,
	CARD_DEFERRED,
	CARD_RX_XON,
	CARD_TX_XON,
	CARD_RX_XOFF,
	CARD_TX_XOFF,
	CARD_RX_CONTROL_UNKNOWN,
	CARD_RX_PACKETS,
	CARD_RX_BROADCAST,
	CARD_RX_MULTICAST,
	CARD_TX_PACKETS,
	CARD_TX_BROADCAST,
	CARD_TX_MULTICAST,
	CARD_RX_LENGTH,
	CARD_TX_LENGTH = CARD_RX_LENGTH + LENGTH_CLASSES,
	CARD_COUNTERS = CARD_TX_LENGTH + LENGTH_CLASSES,
};

/**
 * struct igbook_linkset - what a user wants of the link
 * @autoneg: agree with the partner on speed and duplex
 * @pause_autoneg: and on pause frames
 * @pause_rx: obey those of the partner
 * @pause_tx: send some
 * @advertise: 10 and 100 Mb/s to be offered, as in MII_ADVERTISE
 * @ctrl1000: 1000 Mb/s, as in MII_CTRL1000
 * @forced: MII_BMCR if nothing is to be agreed upon
 */
struct igbook_linkset {
	bool autoneg;
	bool pause_autoneg;
	bool pause_rx;
	bool pause_tx;
	u16 advertise;
	u16 ctrl1000;
	u16 forced;
};

/**
 * struct igbook_rule - frames of one EtherType go to one queue
 * @ether_type: the type; 0: there is no rule
 * @queue: the queue
 */
struct igbook_rule {
	u16 ether_type;
	u8 queue;
};

/* loom: end observe-state */
/**
 * struct igbook - everything the driver knows about one port
 * @netdev: the network device the kernel sees
 * @pdev: the PCI function behind it
 * @regs: BAR 0, mapped
 * @msg_enable: which messages to print (NETIF_MSG_*)
 * @port: which port of the card this function is
 * @link_check: the link must be asked about on the next poll
 * @link_work: polls the link and folds in the card's counters
 * @mdio_lock: one MDIC transaction at a time
 * @stats_lock: protects @resetting and @stats, the counters clear when read
 * @resetting: the card is being reset, or asleep: it is left alone by those who
 *	       may come at any time
 * @stats: totals of what the card counts
 */
struct igbook {
	struct net_device *netdev;
	struct pci_dev *pdev;
	void __iomem *regs;
	u32 msg_enable;
	u8 port;
	bool link_check;
	struct delayed_work link_work;
	struct mutex mdio_lock;	/* MDIC is one register for two transfers */
	spinlock_t stats_lock;	/* counters clear on read: read and add as one */
	bool resetting;
	struct rtnl_link_stats64 stats;
#if 0	/* loom: begin priv-dma from 02 until 04 */
	/** @tx: transmit queue 0 */
	struct igbook_tx_queue tx;
	/** @hand: result of the last frame sent by hand */
	struct igbook_hand_sent hand;
	/** @debugfs: this device's directory in /sys/kernel/debug/igbook */
	struct dentry *debugfs;
#endif	/* loom: end priv-dma */
	/* loom: begin priv-dca from 03 */
	/** @dca: direct cache access */
	struct igbook_dca dca;
	/* loom: end priv-dca */
	/* loom: begin priv-rings from 04 */
	/** @num_queues: how many queues of each direction are in use */
	unsigned int num_queues;
	/** @tx_count: descriptors in each transmit ring */
	u16 tx_count;
	/** @rx_count: descriptors in each receive ring */
	u16 rx_count;
	/* loom: begin priv-queues from 07 */
	/** @max_queues: how many queues there can be: a pair has a vector */
	unsigned int max_queues;
	/** @rx_copybreak: shorter frames are copied out of their buffer */
	u16 rx_copybreak;
	/* loom: end priv-queues */
	/** @tx_ring: the transmit rings; the first @num_queues have memory */
	struct igbook_ring tx_ring[IGBOOK_MAX_QUEUES];
	/** @rx_ring: the receive rings; the first @num_queues have memory */
	struct igbook_ring rx_ring[IGBOOK_MAX_QUEUES];
#if 0	/* loom: begin priv-polled until 05 */
	/** @poll_work: serves the rings, as long as no interrupt does */
	struct delayed_work poll_work;
#endif	/* loom: end priv-polled */
	/* loom: end priv-rings */
	/* loom: begin priv-vectors from 05 */
	/** @irq_mode: how the card interrupts */
	enum igbook_irq_mode irq_mode;
	/** @num_vectors: how many interrupts it has */
	unsigned int num_vectors;
	/** @vector: the interrupts; the first @num_queues serve queues */
	struct igbook_vector vector[IGBOOK_MAX_VECTORS];
	/* loom: end priv-vectors */
	/* loom: begin priv-moderation from 06 */
	/** @adaptive: the traffic chooses how often a vector interrupts */
	bool adaptive;
	/** @rx_usecs: if not, this is the least time between two interrupts */
	u16 rx_usecs;
	/* loom: end priv-moderation */
	/* loom: begin priv-rss from 07 */
	/** @rss: which queue a frame goes to */
	struct igbook_rss rss;
	/** @vlans: which VLANs the card lets through, a bit for each */
	u32 vlans[VFTA_WORDS];
	/** @vlan_filter: it is to refuse the others; under the address lock */
	bool vlan_filter;
	/* loom: end priv-rss */
	/* loom: begin priv-recover from 08 */
	/** @spread: over how many queues the processors send */
	unsigned int spread;
	/** @stuck: a bit for each queue the stack gave up waiting for */
	unsigned long stuck;
	/** @recover_work: sets these queues going again */
	struct work_struct recover_work;
	/* loom: end priv-recover */
	/* loom: begin priv-clock from 09 */
	/** @clock: the card's clock, and the stamps it takes */
	struct igbook_clock clock;
	/* loom: end priv-clock */
	/* loom: begin priv-observe from 10 */
	/** @gone: the device does not answer any more */
	bool gone;
	/** @wol: what may wake the system (WAKE_*) */
	u32 wol;
	/** @ledctl: LEDCTL while a diode blinks for somebody who looks */
	u32 ledctl;
	/** @linkset: what a user wants of the link */
	struct igbook_linkset linkset;
	/** @rules: which EtherType goes to which queue */
	struct igbook_rule rules[IGBOOK_RULES];
	/** @card: what the card has counted; under @stats_lock */
	u64 card[CARD_COUNTERS];
	/* loom: end priv-observe */
};

/* loom: begin prototypes-gone from 10 */
/* igbook_gone.c */
void igbook_forsake(struct igbook *priv);
void igbook_suspect(struct igbook *priv);
bool igbook_is_gone(struct igbook *priv);
bool igbook_back(struct igbook *priv);

/* loom: end prototypes-gone */
/**
 * igbook_rd32() - read one register
 * @priv: the device
 * @reg: offset in BAR 0
 *
 * Return: the value, or all ones when the device no longer answers.
 */
static inline u32 igbook_rd32(struct igbook *priv, u32 reg)
{
#if 0	/* loom: begin read-trusting until 10 */
	return readl(priv->regs + reg);
#endif	/* loom: end read-trusting */
	/* loom: begin read-suspicious from 10 */
	u32 value = ~0U;

	if (likely(!READ_ONCE(priv->gone)))
		value = readl(priv->regs + reg);
	if (unlikely(value == ~0U))
		igbook_suspect(priv);
	return value;
	/* loom: end read-suspicious */
}

/**
 * igbook_wr32() - write one register
 * @priv: the device
 * @reg: offset in BAR 0
 * @value: what to write
 *
 * The write is posted: it may still be on its way when this returns. Reading
 * any register afterwards pushes it to the device.
 */
static inline void igbook_wr32(struct igbook *priv, u32 reg, u32 value)
{
	/* loom: begin write-to-nobody from 10 */
	if (unlikely(READ_ONCE(priv->gone)))
		return;
	/* loom: end write-to-nobody */
	writel(value, priv->regs + reg);
}

/* igbook_hw.c */
void igbook_set_resetting(struct igbook *priv, bool resetting);
void igbook_hw_reset(struct igbook *priv);
void igbook_drv_load(struct igbook *priv, bool loaded);
int igbook_swfw_acquire(struct igbook *priv, u32 mask);
void igbook_swfw_release(struct igbook *priv, u32 mask);

/* igbook_nvm.c */
int igbook_nvm_read(struct igbook *priv, u16 first, u16 count, u16 *words);
int igbook_nvm_validate(struct igbook *priv);
void igbook_read_mac(struct igbook *priv);

/* igbook_phy.c */
int igbook_phy_read(struct igbook *priv, u8 reg, u16 *value);
int igbook_phy_write(struct igbook *priv, u8 reg, u16 value);
int igbook_phy_identify(struct igbook *priv);
int igbook_phy_restart_autoneg(struct igbook *priv);

/* igbook_link.c */
void igbook_link_init(struct igbook *priv);
int igbook_link_start(struct igbook *priv);
void igbook_link_stop(struct igbook *priv);

/* igbook_filter.c */
void igbook_set_rar(struct igbook *priv, unsigned int index, const u8 *addr);
void igbook_set_frame_size(struct igbook *priv);
void igbook_filters_write(struct net_device *netdev);
void igbook_set_rx_mode(struct net_device *netdev);
/* loom: begin prototype-vlan-filter from 07 */
void igbook_set_vlan_filter(struct igbook *priv);
/* loom: end prototype-vlan-filter */

/* igbook_stats.c */
void igbook_stats_update(struct igbook *priv);

/* igbook_netdev.c */
extern const struct net_device_ops igbook_netdev_ops;
int igbook_up(struct igbook *priv);
void igbook_down(struct igbook *priv);
/* loom: begin prototype-restart from 04 */
void igbook_attach(struct net_device *netdev);
void igbook_restart(struct igbook *priv);
/* loom: end prototype-restart */

/* igbook_notx.c, from stage 04 on igbook_tx.c */
netdev_tx_t igbook_start_xmit(struct sk_buff *skb, struct net_device *netdev);

/* igbook_ethtool.c */
extern const struct ethtool_ops igbook_ethtool_ops;

/* igbook_linkset.c */
int igbook_get_link_ksettings(struct net_device *netdev,
			      struct ethtool_link_ksettings *cmd);

/* loom: begin prototypes-dma from 02 */
/* igbook_dma.c */
int igbook_dma_set_mask(struct igbook *priv);
void igbook_dma_master_disable(struct igbook *priv);

/* loom: end prototypes-dma */
#if 0 /* loom: begin prototypes-handsend from 02 until 04 */
/* igbook_onering.c */
int igbook_dma_start(struct igbook *priv);
void igbook_dma_stop(struct igbook *priv);

/* igbook_handsend.c */
void igbook_handsend_init(void);
void igbook_handsend_exit(void);
void igbook_handsend_add(struct igbook *priv);
void igbook_handsend_remove(struct igbook *priv);
#endif /* loom: end prototypes-handsend */
/* loom: begin prototypes-dca from 03 */
/* igbook_dca.c */
void igbook_dca_init(struct igbook *priv);
void igbook_dca_add(struct igbook *priv);
void igbook_dca_remove(struct igbook *priv);
void igbook_dca_restore(struct igbook *priv);
void igbook_dca_update(struct igbook *priv, unsigned int queue, int cpu);

/* loom: end prototypes-dca */
/* loom: begin prototypes-rings from 04 */
/* igbook_rings.c */
void igbook_rings_init(struct igbook *priv);
int igbook_rings_alloc(struct igbook *priv);
void igbook_rings_free(struct igbook *priv);
int igbook_rings_enable(struct igbook *priv);
void igbook_rings_disable(struct igbook *priv);
/* loom: begin prototypes-units from 07 */
void igbook_units_enable(struct igbook *priv);
void igbook_units_disable(struct igbook *priv);
/* loom: end prototypes-units */

/* igbook_resize.c */
void igbook_get_ringparam(struct net_device *netdev,
			  struct ethtool_ringparam *param,
			  struct kernel_ethtool_ringparam *kernel_param,
			  struct netlink_ext_ack *extack);
int igbook_set_ringparam(struct net_device *netdev,
			 struct ethtool_ringparam *param,
			 struct kernel_ethtool_ringparam *kernel_param,
			 struct netlink_ext_ack *extack);
#if 0 /* loom: begin prototype-change until 07 */
int igbook_rings_change(struct igbook *priv, u16 tx_count, u16 rx_count,
			unsigned int mtu);
#endif /* loom: end prototype-change */
/* loom: begin prototype-change-07 from 07 */
struct igbook_shape igbook_rings_shape(struct igbook *priv);
int igbook_rings_change(struct igbook *priv, const struct igbook_shape *to);
void igbook_get_channels(struct net_device *netdev,
			 struct ethtool_channels *channels);
int igbook_set_channels(struct net_device *netdev,
			struct ethtool_channels *channels);
/* loom: end prototype-change-07 */

/* igbook_ringstats.c */
extern const struct netdev_stat_ops igbook_stat_ops;
void igbook_sum_rings(struct igbook *priv, struct rtnl_link_stats64 *total);
int igbook_get_sset_count(struct net_device *netdev, int set);
void igbook_get_strings(struct net_device *netdev, u32 set, u8 *data);
void igbook_get_ethtool_stats(struct net_device *netdev,
			      struct ethtool_stats *stats, u64 *data);

/* igbook_polled.c, from stage 05 on igbook_irq.c: who serves the rings */
#if 0	/* loom: begin prototypes-polled until 05 */
void igbook_service_init(struct igbook *priv);
#endif	/* loom: end prototypes-polled */
int igbook_service_start(struct igbook *priv);
void igbook_service_stop(struct igbook *priv);
/* loom: end prototypes-rings */
/* loom: begin prototypes-told from 05 */

/* igbook_link.c: when the card says that the link came or went */
void igbook_link_changed(struct igbook *priv);
/* loom: end prototypes-told */
/* loom: begin prototypes-coalesce from 06 */

/* igbook_coalesce.c: how often it may interrupt, as a user says */
int igbook_get_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack);
int igbook_set_coalesce(struct net_device *netdev,
			struct ethtool_coalesce *coalesce,
			struct kernel_ethtool_coalesce *kernel_coalesce,
			struct netlink_ext_ack *extack);
/* loom: end prototypes-coalesce */
/* loom: begin prototypes-rss from 07 */

/* igbook_rss.c: which queue a frame goes to */
void igbook_rss_init(struct igbook *priv);
void igbook_rss_spread(struct igbook *priv);
void igbook_rss_write(struct igbook *priv);
int igbook_get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info,
		     u32 *rules);
int igbook_get_rxfh_fields(struct net_device *netdev,
			   struct ethtool_rxfh_fields *fields);
int igbook_set_rxfh_fields(struct net_device *netdev,
			   const struct ethtool_rxfh_fields *fields,
			   struct netlink_ext_ack *extack);
u32 igbook_get_rxfh_key_size(struct net_device *netdev);
u32 igbook_get_rxfh_indir_size(struct net_device *netdev);
int igbook_get_rxfh(struct net_device *netdev,
		    struct ethtool_rxfh_param *rxfh);
int igbook_set_rxfh(struct net_device *netdev, struct ethtool_rxfh_param *rxfh,
		    struct netlink_ext_ack *extack);

/* loom: end prototypes-rss */
/* loom: begin prototypes-offload from 07 */
/* igbook_offload.c: what the card does to a frame before we see it */
void igbook_offload_init(struct igbook *priv);
void igbook_offload_write(struct igbook *priv);
int igbook_set_features(struct net_device *netdev, netdev_features_t features);
int igbook_vlan_add(struct net_device *netdev, __be16 proto, u16 vid);
int igbook_vlan_kill(struct net_device *netdev, __be16 proto, u16 vid);
/* loom: end prototypes-offload */

/* loom: begin prototypes-transmit from 08 */
/* igbook_tx.c */
netdev_features_t igbook_features_check(struct sk_buff *skb,
					struct net_device *netdev,
					netdev_features_t features);
void igbook_tx_spread(struct igbook *priv);

/* igbook_recover.c */
void igbook_recover_init(struct igbook *priv);
void igbook_recover_end(struct igbook *priv);
void igbook_tx_timeout(struct net_device *netdev, unsigned int queue);
/* loom: end prototypes-transmit */

/* loom: begin prototypes-observe from 10 */
/* igbook_linkset.c: what a user wants of the link */
void igbook_linkset_init(struct igbook *priv);
int igbook_linkset_write(struct igbook *priv);
int igbook_flow_write(struct igbook *priv);
void igbook_get_pauseparam(struct net_device *netdev,
			   struct ethtool_pauseparam *pause);
int igbook_set_pauseparam(struct net_device *netdev,
			  struct ethtool_pauseparam *pause);
int igbook_set_link_ksettings(struct net_device *netdev,
			      const struct ethtool_link_ksettings *cmd);

/* igbook_nvmwrite.c */
int igbook_set_eeprom(struct net_device *netdev, struct ethtool_eeprom *eeprom,
		      u8 *data);

/* igbook_steer.c: which queue a frame goes to because a user says so */
void igbook_steer_write(struct igbook *priv, netdev_features_t features);
int igbook_set_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info);

/* igbook_offload.c */
void igbook_ctrl_change(struct igbook *priv, u32 clear, u32 set);
void igbook_set_loopback(struct igbook *priv, bool on);

/* igbook_stats.c: the card's counters in the groups of the standards */
void igbook_get_eth_mac_stats(struct net_device *netdev,
			      struct ethtool_eth_mac_stats *stats);
void igbook_get_eth_phy_stats(struct net_device *netdev,
			      struct ethtool_eth_phy_stats *stats);
void igbook_get_eth_ctrl_stats(struct net_device *netdev,
			       struct ethtool_eth_ctrl_stats *stats);
void igbook_get_pause_stats(struct net_device *netdev,
			    struct ethtool_pause_stats *stats);
void igbook_get_rmon_stats(struct net_device *netdev,
			   struct ethtool_rmon_stats *stats,
			   const struct ethtool_rmon_hist_range **ranges);

/* igbook_selftest.c */
int igbook_test_count(void);
void igbook_test_strings(u8 *data);
void igbook_self_test(struct net_device *netdev, struct ethtool_test *test,
		      u64 *data);

/* igbook_wake.c: what may wake the system */
void igbook_get_wol(struct net_device *netdev, struct ethtool_wolinfo *wol);
int igbook_set_wol(struct net_device *netdev, struct ethtool_wolinfo *wol);
void igbook_wake_arm(struct igbook *priv);
void igbook_wake_end(struct igbook *priv);
/* loom: end prototypes-observe */

#endif /* _IGBOOK_H_ */
