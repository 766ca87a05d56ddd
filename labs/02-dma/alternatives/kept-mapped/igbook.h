/* SPDX-License-Identifier: GPL-2.0 */
/*
 * igbook, the book's driver for the Intel 82576: what its files share.
 */
#ifndef _IGBOOK_H_
#define _IGBOOK_H_

#include <linux/etherdevice.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "igbook_regs.h"
#include "igbook_handsend.h"

#define IGBOOK_NAME		"igbook"
#define IGBOOK_PHY_ADDR		1	/* the internal PHY's MDIO address */
#define IGBOOK_NVM_WORDS	64	/* what the checksum covers */
#define IGBOOK_MAX_MTU		9216	/* the card takes frames up to 9.5 KB */
#define IGBOOK_LINK_POLL	msecs_to_jiffies(500)

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
 * @resetting: the card resets itself, its counters are not to be read
 * @stats: totals of the card's counters
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
	/** @tx: transmit queue 0 */
	struct igbook_tx_queue tx;
	/** @hand: result of the last frame sent by hand */
	struct igbook_hand_sent hand;
	/** @debugfs: this device's directory in /sys/kernel/debug/igbook */
	struct dentry *debugfs;
	/** @split: buffers of the lab's file */
	struct igbook_split *split;
};

/**
 * igbook_rd32() - read one register
 * @priv: the device
 * @reg: offset in BAR 0
 *
 * Return: the value, or all ones when the device no longer answers.
 */
static inline u32 igbook_rd32(struct igbook *priv, u32 reg)
{
	return readl(priv->regs + reg);
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
	writel(value, priv->regs + reg);
}

/* igbook_hw.c */
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
void igbook_set_rx_mode(struct net_device *netdev);

/* igbook_stats.c */
void igbook_stats_update(struct igbook *priv);

/* igbook_netdev.c */
extern const struct net_device_ops igbook_netdev_ops;
int igbook_up(struct igbook *priv);
void igbook_down(struct igbook *priv);

/* igbook_notx.c, from stage 04 on igbook_tx.c */
netdev_tx_t igbook_start_xmit(struct sk_buff *skb, struct net_device *netdev);

/* igbook_ethtool.c */
extern const struct ethtool_ops igbook_ethtool_ops;

/* igbook_dma.c */
int igbook_dma_set_mask(struct igbook *priv);
void igbook_dma_master_disable(struct igbook *priv);

/* igbook_onering.c */
int igbook_dma_start(struct igbook *priv);
void igbook_dma_stop(struct igbook *priv);

/* igbook_handsend.c */
void igbook_handsend_init(void);
void igbook_handsend_exit(void);
void igbook_handsend_add(struct igbook *priv);
void igbook_handsend_remove(struct igbook *priv);

#endif /* _IGBOOK_H_ */
