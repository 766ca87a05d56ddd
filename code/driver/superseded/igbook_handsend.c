// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: one frame sent by hand, through one descriptor.
 *
 * Every write to /sys/kernel/debug/igbook/DEVICE/hand_send is one frame, from
 * destination address to the last byte of payload; the card adds the FCS.
 * Reading the file shows the descriptor that was used.
 */
#include <linux/bitfield.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "igbook.h"

static struct dentry *igbook_debugfs;

/*
 * One buffer holds the whole frame, so the buffer's length (DTALEN) and the
 * packet's (PAYLEN) are the same and this descriptor is the last (EOP).
 *
 * 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
static void igbook_fill_desc(union igbook_tx_desc *desc, dma_addr_t dma,
			     u32 len)
{
	u32 cmd = FIELD_PREP(TXD_DTYP, TXD_DTYP_DATA) | TXD_DCMD_DEXT |
		  TXD_DCMD_EOP | TXD_DCMD_IFCS | TXD_DCMD_RS;

	desc->read.buffer_addr = cpu_to_le64(dma);
	desc->read.cmd_type_len =
		cpu_to_le32(cmd | FIELD_PREP(TXD_DTALEN, len));
	desc->read.olinfo_status = cpu_to_le32(FIELD_PREP(TXD_PAYLEN, len));
}

static u32 igbook_desc_status(union igbook_tx_desc *desc)
{
	return le32_to_cpu(READ_ONCE(desc->wb.status));
}

static int igbook_hand_over(struct igbook *priv, dma_addr_t dma, u32 len)
{
	struct igbook_tx_queue *tx = &priv->tx;
	union igbook_tx_desc *desc = &tx->desc[tx->next];
	int err;

	igbook_fill_desc(desc, dma, len);
	priv->hand.index = tx->next;
	priv->hand.desc = *desc;

	/* loom: begin handsend-dca from 03 */
	/* A sender moved while it sends costs a cold line, nothing else. */
	igbook_dca_update(priv, 0, raw_smp_processor_id());
	/* loom: end handsend-dca */
	tx->next = (tx->next + 1) % IGBOOK_TX_DESC;
	/*
	 * The descriptor must be in memory before the card hears of it. The
	 * doorbell's writel() sees to that.
	 */
	igbook_wr32(priv, REG_TDT(0), tx->next);

	err = read_poll_timeout(igbook_desc_status, priv->hand.status,
				priv->hand.status & TXD_STA_DD, 10, 10000,
				false, desc);
	/* DD seen: whatever else the card wrote is read after it, not before. */
	dma_rmb();
	return err;
}

/*
 * The mapping must not end while the card may still read the frame, so the card
 * is stopped first. Afterwards it starts anew with an empty ring.
 */
static void igbook_hand_recover(struct igbook *priv, dma_addr_t dma, u32 len)
{
	netdev_err(priv->netdev, "descriptor %u never done, resetting\n",
		   priv->hand.index);
	igbook_down(priv);
	dma_unmap_single(&priv->pdev->dev, dma, len, DMA_TO_DEVICE);
	if (igbook_up(priv))
		dev_close(priv->netdev);
}

/*
 * Between dma_map_single() and dma_unmap_single() the buffer belongs to the
 * card: the CPU does not touch it.
 */
static int igbook_hand_send(struct igbook *priv, void *frame, u32 len)
{
	struct device *dev = &priv->pdev->dev;
	dma_addr_t dma;
	int err;

	if (!netif_running(priv->netdev) || !netif_device_present(priv->netdev))
		return -ENETDOWN;
	if (!netif_carrier_ok(priv->netdev))
		return -ENOLINK;

	dma = dma_map_single(dev, frame, len, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, dma))
		return -ENOMEM;
	err = igbook_hand_over(priv, dma, len);
	if (err) {
		igbook_hand_recover(priv, dma, len);
		return err;
	}
	dma_unmap_single(dev, dma, len, DMA_TO_DEVICE);
	return 0;
}

/* The card counts the frame itself, without our help. */
static void igbook_hand_count(struct igbook *priv, u32 len)
{
	spin_lock_bh(&priv->stats_lock);
	priv->stats.tx_bytes += len;
	spin_unlock_bh(&priv->stats_lock);
}

/*
 * A frame shorter than Ethernet's minimum is padded with zeros here: the
 * datasheet has the card do it (TCTL.PSP), the emulated card does not.
 */
static ssize_t hand_send_write(struct file *file, const char __user *user,
			       size_t count, loff_t *pos)
{
	struct seq_file *seq = file->private_data;
	struct igbook *priv = seq->private;
	u32 len = max_t(size_t, count, ETH_ZLEN);
	void *frame;
	int err;

	if (count < ETH_HLEN || count > READ_ONCE(priv->netdev->mtu) + ETH_HLEN)
		return -EMSGSIZE;

	frame = kzalloc(len, GFP_KERNEL);
	if (!frame)
		return -ENOMEM;
	if (copy_from_user(frame, user, count)) {
		err = -EFAULT;
		goto free;
	}
	rtnl_lock();
	err = igbook_hand_send(priv, frame, len);
	priv->hand.error = err;
	if (!err)
		igbook_hand_count(priv, len);
	rtnl_unlock();
free:
	kfree(frame);
	return err ? err : count;
}

static int hand_send_show(struct seq_file *seq, void *unused)
{
	struct igbook *priv = seq->private;
	const union igbook_tx_desc *desc = &priv->hand.desc;

	rtnl_lock();
	seq_printf(seq, "descriptor    %u\n", priv->hand.index);
	seq_printf(seq, "buffer_addr   %#018llx\n",
		   le64_to_cpu(desc->read.buffer_addr));
	seq_printf(seq, "cmd_type_len  %#010x\n",
		   le32_to_cpu(desc->read.cmd_type_len));
	seq_printf(seq, "olinfo_status %#010x\n",
		   le32_to_cpu(desc->read.olinfo_status));
	seq_printf(seq, "written back  %#010x\n", priv->hand.status);
	seq_printf(seq, "error         %d\n", priv->hand.error);
	rtnl_unlock();
	return 0;
}

static int hand_send_open(struct inode *inode, struct file *file)
{
	return single_open(file, hand_send_show, inode->i_private);
}

static const struct file_operations hand_send_fops = {
	.owner = THIS_MODULE,
	.open = hand_send_open,
	.read = seq_read,
	.write = hand_send_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * igbook_handsend_init() - make the driver's directory in debugfs
 *
 * Nothing here is checked on purpose: a kernel without debugfs, or a directory
 * that could not be made, costs the reader the file and nothing else.
 *
 * Context: module load.
 */
void igbook_handsend_init(void)
{
	igbook_debugfs = debugfs_create_dir(IGBOOK_NAME, NULL);
}

/**
 * igbook_handsend_exit() - remove the driver's directory
 *
 * Context: module unload, all devices gone.
 */
void igbook_handsend_exit(void)
{
	debugfs_remove(igbook_debugfs);
}

/**
 * igbook_handsend_add() - make a device's directory and file
 * @priv: the device, registered
 *
 * Context: probe.
 */
void igbook_handsend_add(struct igbook *priv)
{
	priv->debugfs = debugfs_create_dir(pci_name(priv->pdev),
					   igbook_debugfs);
	debugfs_create_file("hand_send", 0600, priv->debugfs, priv,
			    &hand_send_fops);
}

/**
 * igbook_handsend_remove() - remove them; waits for a write that is under way
 * @priv: the device
 *
 * Context: remove, without RTNL: a write takes it.
 */
void igbook_handsend_remove(struct igbook *priv)
{
	debugfs_remove(priv->debugfs);
}
