// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 2: one frame sent by hand, from two buffers that stay mapped as
 * long as the device has its file.
 */
#include <linux/bitfield.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "igbook.h"
#include "igbook_lab.h"

#define IGBOOK_REST	(IGBOOK_MAX_MTU + ETH_HLEN - IGBOOK_SPLIT)

/* One device's buffers; used with RTNL held, which keeps writers apart. */
struct igbook_split {
	struct igbook *priv;
	void *mem[2];
	dma_addr_t dma[2];
	bool mapped[2];
};

static const size_t igbook_room[2] = { IGBOOK_SPLIT, IGBOOK_REST };

static int igbook_split_fill(struct igbook_split *split, const void *frame,
			     size_t count, u32 *len)
{
	struct device *dev = &split->priv->pdev->dev;
	int i;

	len[0] = IGBOOK_SPLIT;
	len[1] = max_t(size_t, count, ETH_ZLEN) - IGBOOK_SPLIT;
	for (i = 0; i < 2; i++) {
		if (!split->mapped[i])
			return -ENOMEM;
		dma_sync_single_for_cpu(dev, split->dma[i], igbook_room[i],
					DMA_TO_DEVICE);
	}
	memcpy(split->mem[0], frame, IGBOOK_SPLIT);
	memset(split->mem[1], 0, len[1]);
	memcpy(split->mem[1], frame + IGBOOK_SPLIT, count - IGBOOK_SPLIT);
	for (i = 0; i < 2; i++)
		dma_sync_single_for_device(dev, split->dma[i], igbook_room[i],
					   DMA_TO_DEVICE);
	return 0;
}

static u32 igbook_split_status(union igbook_tx_desc *desc)
{
	return le32_to_cpu(READ_ONCE(desc->wb.status));
}

static int igbook_split_send(struct igbook_split *split, const void *frame,
			     size_t count)
{
	struct igbook *priv = split->priv;
	struct igbook_tx_queue *tx = &priv->tx;
	union igbook_tx_desc *desc[2];
	u32 len[2], status;
	int err, i;

	if (!netif_running(priv->netdev) || !netif_device_present(priv->netdev))
		return -ENETDOWN;
	if (!netif_carrier_ok(priv->netdev))
		return -ENOLINK;
	err = igbook_split_fill(split, frame, count, len);
	if (err)
		return err;

	for (i = 0; i < 2; i++) {
		desc[i] = &tx->desc[(tx->next + i) % IGBOOK_TX_DESC];
		desc[i]->read.buffer_addr = cpu_to_le64(split->dma[i]);
		desc[i]->read.olinfo_status =
			cpu_to_le32(FIELD_PREP(TXD_PAYLEN, len[0] + len[1]));
	}
	desc[0]->read.cmd_type_len =
		cpu_to_le32(FIELD_PREP(TXD_DTYP, TXD_DTYP_DATA) |
			    TXD_DCMD_DEXT | TXD_DCMD_IFCS | len[0]);
	desc[1]->read.cmd_type_len =
		cpu_to_le32(FIELD_PREP(TXD_DTYP, TXD_DTYP_DATA) |
			    TXD_DCMD_DEXT | TXD_DCMD_IFCS | TXD_DCMD_EOP |
			    TXD_DCMD_RS | len[1]);
	tx->next = (tx->next + 2) % IGBOOK_TX_DESC;
	dma_wmb();
	igbook_wr32(priv, REG_TDT(0), tx->next);
	err = read_poll_timeout(igbook_split_status, status,
				status & TXD_STA_DD, 100, 10000, false,
				desc[1]);
	if (err) {
		igbook_down(priv);
		if (igbook_up(priv))
			dev_close(priv->netdev);
	}
	return err;
}

static ssize_t igbook_split_write(struct file *file, const char __user *user,
				  size_t count, loff_t *pos)
{
	struct igbook_split *split = file->private_data;
	void *frame;
	int err;

	if (count < IGBOOK_SPLIT ||
	    count > ETH_HLEN + READ_ONCE(split->priv->netdev->mtu))
		return -EMSGSIZE;
	frame = memdup_user(user, count);
	if (IS_ERR(frame))
		return PTR_ERR(frame);
	rtnl_lock();
	err = igbook_split_send(split, frame, count);
	rtnl_unlock();
	kfree(frame);
	return err ?: count;
}

static const struct file_operations igbook_split_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = igbook_split_write,
};

/**
 * igbook_lab_add() - make the lab's file and its buffers
 * @priv: the device, registered; @priv->debugfs is its directory
 *
 * Context: probe.
 */
void igbook_lab_add(struct igbook *priv)
{
	struct device *dev = &priv->pdev->dev;
	struct igbook_split *split;
	int i;

	split = kzalloc(sizeof(*split), GFP_KERNEL);
	priv->split = split;
	if (!split)
		return;
	split->priv = priv;
	for (i = 0; i < 2; i++) {
		split->mem[i] = kzalloc(igbook_room[i], GFP_KERNEL);
		if (!split->mem[i])
			continue;
		split->dma[i] = dma_map_single(dev, split->mem[i],
					       igbook_room[i], DMA_TO_DEVICE);
		split->mapped[i] = !dma_mapping_error(dev, split->dma[i]);
	}
	debugfs_create_file("split_send", 0200, priv->debugfs, split,
			    &igbook_split_fops);
}

/**
 * igbook_lab_remove() - give the buffers back; nobody writes any more
 * @priv: the device; it is stopped before its memory goes
 *
 * Context: remove, the file is gone.
 */
void igbook_lab_remove(struct igbook *priv)
{
	struct igbook_split *split = priv->split;
	int i;

	if (!split)
		return;
	for (i = 0; i < 2; i++) {
		if (split->mapped[i])
			dma_unmap_single(&priv->pdev->dev, split->dma[i],
					 igbook_room[i], DMA_TO_DEVICE);
		kfree(split->mem[i]);
	}
	kfree(split);
}
