// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 2: one frame sent by hand, from two buffers, which are one list
 * to the DMA API.
 */
#include <linux/bitfield.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/rtnetlink.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "igbook.h"
#include "igbook_lab.h"

static void igbook_lab_describe(struct igbook *priv, struct sg_table *table)
{
	u32 total = table->sgl->length + sg_next(table->sgl)->length;
	struct igbook_tx_queue *tx = &priv->tx;
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(table, sg, i) {
		union igbook_tx_desc *desc = &tx->desc[tx->next];
		u32 cmd = TXD_DCMD_DEXT | FIELD_PREP(TXD_DTYP, TXD_DTYP_DATA) |
			  FIELD_PREP(TXD_DTALEN, sg_dma_len(sg));

		if (sg_is_last(sg))
			cmd |= TXD_DCMD_EOP | TXD_DCMD_RS | TXD_DCMD_IFCS;
		desc->read.buffer_addr = cpu_to_le64(sg_dma_address(sg));
		desc->read.cmd_type_len = cpu_to_le32(cmd);
		desc->read.olinfo_status =
			cpu_to_le32(i ? 0 : FIELD_PREP(TXD_PAYLEN, total));
		tx->next = (tx->next + 1) % IGBOOK_TX_DESC;
	}
}

static int igbook_lab_wait(union igbook_tx_desc *last)
{
	unsigned int tries = 100;
	ktime_t start = ktime_get();

	while (tries-- || ktime_ms_delta(ktime_get(), start) < 10) {
		if (le32_to_cpu(READ_ONCE(last->wb.status)) & TXD_STA_DD)
			return 0;
		if (ktime_ms_delta(ktime_get(), start) >= 10)
			break;
		usleep_range(50, 100);
	}
	return -ETIMEDOUT;
}

static int igbook_lab_send(struct igbook *priv, struct sg_table *table)
{
	struct device *dev = &priv->pdev->dev;
	struct igbook_tx_queue *tx = &priv->tx;
	int err;

	ASSERT_RTNL();
	if (!netif_running(priv->netdev) || !netif_device_present(priv->netdev))
		return -ENETDOWN;
	if (!netif_carrier_ok(priv->netdev))
		return -ENOLINK;
	if (dma_map_sgtable(dev, table, DMA_TO_DEVICE, 0))
		return -ENOMEM;

	igbook_lab_describe(priv, table);
	wmb();
	igbook_wr32(priv, REG_TDT(0), tx->next);
	err = igbook_lab_wait(&tx->desc[(tx->next + IGBOOK_TX_DESC - 1) %
					IGBOOK_TX_DESC]);
	if (err)
		igbook_down(priv);
	dma_unmap_sgtable(dev, table, DMA_TO_DEVICE, 0);
	if (err && igbook_up(priv))
		dev_close(priv->netdev);
	return err;
}

static ssize_t igbook_lab_write(struct file *file, const char __user *user,
				size_t count, loff_t *pos)
{
	struct igbook *priv = file_inode(file)->i_private;
	struct scatterlist list[2];
	struct sg_table table = { .sgl = list, .nents = 2, .orig_nents = 2 };
	void *head, *rest;
	ssize_t err;
	u32 len;

	if (count < IGBOOK_SPLIT)
		return -EMSGSIZE;
	if (count - ETH_HLEN > READ_ONCE(priv->netdev->mtu))
		return -EMSGSIZE;
	len = count < ETH_ZLEN ? ETH_ZLEN : count;

	head = memdup_user(user, IGBOOK_SPLIT);
	if (IS_ERR(head))
		return PTR_ERR(head);
	err = -ENOMEM;
	rest = kmalloc(len - IGBOOK_SPLIT, GFP_KERNEL);
	if (!rest)
		goto free_head;
	err = -EFAULT;
	if (copy_from_user(rest, user + IGBOOK_SPLIT, count - IGBOOK_SPLIT))
		goto free_rest;
	memset(rest + count - IGBOOK_SPLIT, 0, len - count);

	sg_init_table(list, 2);
	sg_set_buf(&list[0], head, IGBOOK_SPLIT);
	sg_set_buf(&list[1], rest, len - IGBOOK_SPLIT);
	rtnl_lock();
	err = igbook_lab_send(priv, &table);
	rtnl_unlock();
	if (!err)
		err = count;
free_rest:
	kfree(rest);
free_head:
	kfree(head);
	return err;
}

static const struct file_operations igbook_lab_fops = {
	.owner = THIS_MODULE,
	.write = igbook_lab_write,
};

/**
 * igbook_lab_add() - make the lab's file in the device's directory of debugfs
 * @priv: the device, registered; @priv->debugfs is its directory
 *
 * Context: probe.
 */
void igbook_lab_add(struct igbook *priv)
{
	debugfs_create_file("split_send", 0200, priv->debugfs, priv,
			    &igbook_lab_fops);
}
