// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 2: one frame sent by hand, from two buffers.
 *
 * Every write to /sys/kernel/debug/igbook/DEVICE/@split_file@ is one frame. Its
 * first IGBOOK_SPLIT bytes go to the card from one buffer, the others from
 * another, as a stack would do it that keeps headers apart from payload.
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

#define IGBOOK_PIECES	2

/**
 * struct igbook_piece - a part of a frame
 * @data: its bytes
 * @len: how many
 * @dma: where the card finds them, while they are mapped
 */
struct igbook_piece {
	void *data;
	u32 len;
	dma_addr_t dma;
};

/**
 * igbook_unmap_pieces() - take the first pieces back from the card
 * @priv: the device
 * @piece: the pieces
 * @count: how many of them are mapped
 *
 * Context: any.
 */
static void igbook_unmap_pieces(struct igbook *priv,
				const struct igbook_piece *piece, int count)
{
	while (count-- > 0)
		dma_unmap_single(&priv->pdev->dev, piece[count].dma,
				 piece[count].len, DMA_TO_DEVICE);
}

/**
 * igbook_map_pieces() - give all pieces to the card, or none
 * @priv: the device
 * @piece: the pieces
 *
 * Context: any.
 * Return: 0, or -ENOMEM.
 */
static int igbook_map_pieces(struct igbook *priv, struct igbook_piece *piece)
{
	struct device *dev = &priv->pdev->dev;
	int i;

	for (i = 0; i < IGBOOK_PIECES; i++) {
		piece[i].dma = dma_map_single(dev, piece[i].data, piece[i].len,
					      DMA_TO_DEVICE);
		if (dma_mapping_error(dev, piece[i].dma)) {
			igbook_unmap_pieces(priv, piece, i);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * igbook_fill_piece() - describe one piece to the card
 * @desc: the descriptor
 * @piece: the piece, mapped
 * @last: whether the frame ends with it
 * @total: bytes of the whole frame
 *
 * Only the last descriptor ends the packet, and only it is reported. What
 * describes the packet is read in the first; elsewhere it does no harm.
 *
 * Source: 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
static void igbook_fill_piece(union igbook_tx_desc *desc,
			      const struct igbook_piece *piece, bool last,
			      u32 total)
{
	u32 cmd = FIELD_PREP(TXD_DTYP, TXD_DTYP_DATA) | TXD_DCMD_DEXT |
		  TXD_DCMD_IFCS;

	if (last)
		cmd |= TXD_DCMD_EOP | TXD_DCMD_RS;
	desc->read.buffer_addr = cpu_to_le64(piece->dma);
	desc->read.cmd_type_len =
		cpu_to_le32(cmd | FIELD_PREP(TXD_DTALEN, piece->len));
	desc->read.olinfo_status = cpu_to_le32(FIELD_PREP(TXD_PAYLEN, total));
}

/**
 * igbook_piece_status() - what the card wrote back, if it did
 * @desc: the descriptor
 *
 * Return: the status word.
 */
static u32 igbook_piece_status(union igbook_tx_desc *desc)
{
	return le32_to_cpu(READ_ONCE(desc->wb.status));
}

/**
 * igbook_hand_over_pieces() - give the card a mapped frame and wait for it
 * @priv: the device, transmit queue running
 * @piece: the pieces, mapped
 *
 * The doorbell rings once: until then the card knows of no part of the frame.
 *
 * Context: RTNL; sleeps, up to 10 ms.
 * Return: 0, or -ETIMEDOUT: then the card may still read the pieces.
 */
static int igbook_hand_over_pieces(struct igbook *priv,
				   const struct igbook_piece *piece)
{
	struct igbook_tx_queue *tx = &priv->tx;
	u32 total = piece[0].len + piece[1].len;
	union igbook_tx_desc *desc;
	u32 status;
	int err;
	int i;

	for (i = 0; i < IGBOOK_PIECES; i++) {
		desc = &tx->desc[tx->next];
		igbook_fill_piece(desc, &piece[i], i == IGBOOK_PIECES - 1,
				  total);
		tx->next = (tx->next + 1) % IGBOOK_TX_DESC;
	}
	/* writel() waits until both are in memory; dma_wmb() orders memory. */
	dma_wmb();
	igbook_wr32(priv, REG_TDT(0), tx->next);

	err = read_poll_timeout(igbook_piece_status, status,
				status & TXD_STA_DD, 10, 10000, false, desc);
	/* Whatever the card wrote besides DD is read after it. */
	dma_rmb();
	return err;
}

/**
 * igbook_send_pieces() - map a frame, send it, unmap it
 * @priv: the device
 * @piece: the pieces, in memory from kmalloc()
 *
 * Context: RTNL; sleeps.
 * Return: 0 when the frame is out, or a negative errno.
 */
static int igbook_send_pieces(struct igbook *priv, struct igbook_piece *piece)
{
	int err;

	if (!netif_running(priv->netdev) || !netif_device_present(priv->netdev))
		return -ENETDOWN;
	if (!netif_carrier_ok(priv->netdev))
		return -ENOLINK;

	err = igbook_map_pieces(priv, piece);
	if (err)
		return err;
	err = igbook_hand_over_pieces(priv, piece);
	/* A card that is not done must be stopped before the frame is ours. */
	if (err)
		igbook_down(priv);
	igbook_unmap_pieces(priv, piece, IGBOOK_PIECES);
	if (err && igbook_up(priv))
		dev_close(priv->netdev);
	return err;
}

/**
 * igbook_split() - copy a frame from user space into two buffers
 * @user: the frame's bytes
 * @count: how many, at least IGBOOK_SPLIT
 * @piece: the pieces to fill in; their memory is the caller's even on failure
 *
 * A short frame is padded with zeros, behind its payload.
 *
 * Context: process context; sleeps.
 * Return: 0, or a negative errno.
 */
static int igbook_split(const char __user *user, size_t count,
			struct igbook_piece *piece)
{
	piece[0].len = IGBOOK_SPLIT;
	piece[1].len = max_t(size_t, count, ETH_ZLEN) - IGBOOK_SPLIT;
	piece[0].data = kmalloc(piece[0].len, GFP_KERNEL);
	piece[1].data = kzalloc(piece[1].len, GFP_KERNEL);
	if (!piece[0].data || !piece[1].data)
		return -ENOMEM;
	if (copy_from_user(piece[0].data, user, IGBOOK_SPLIT) ||
	    copy_from_user(piece[1].data, user + IGBOOK_SPLIT,
			   count - IGBOOK_SPLIT))
		return -EFAULT;
	return 0;
}

/**
 * split_send_write() - one write is one frame
 * @file: the open file
 * @user: the frame's bytes
 * @count: how many
 * @pos: ignored, a frame has no position
 *
 * Context: process context; takes RTNL, which keeps open and stop away.
 * Return: @count, or a negative errno.
 */
static ssize_t split_send_write(struct file *file, const char __user *user,
				size_t count, loff_t *pos)
{
	struct igbook *priv = file->private_data;
	struct igbook_piece piece[IGBOOK_PIECES] = {};
	int err;

	if (count < IGBOOK_SPLIT ||
	    count > READ_ONCE(priv->netdev->mtu) + ETH_HLEN)
		return -EMSGSIZE;

	err = igbook_split(user, count, piece);
	if (!err) {
		rtnl_lock();
		err = igbook_send_pieces(priv, piece);
		rtnl_unlock();
	}
	kfree(piece[1].data);
	kfree(piece[0].data);
	return err ? err : count;
}

static const struct file_operations split_send_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = split_send_write,
};

/**
 * igbook_lab_add() - make the lab's file in the device's directory of debugfs
 * @priv: the device, registered; @priv->debugfs is its directory
 *
 * igbook_handsend_remove() removes the file with the directory it is in, and
 * waits for a write that is under way.
 *
 * Context: probe.
 */
void igbook_lab_add(struct igbook *priv)
{
	debugfs_create_file("@split_file@", 0200, priv->debugfs, priv,
			    &split_send_fops);
}
