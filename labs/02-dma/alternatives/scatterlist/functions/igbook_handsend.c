// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_hand_over() - give the card one mapped frame and wait for it
 * @priv: the device, transmit queue running
 * @dma: bus address of the frame
 * @len: its length in bytes
 *
 * Context: RTNL; sleeps, up to 10 ms.
 * Return: 0 when the card is done with the frame, or -ETIMEDOUT: then it may
 * still read it.
 */
static int igbook_hand_over(struct igbook *priv, dma_addr_t dma, u32 len)
{
	struct igbook_tx_queue *tx = &priv->tx;
	union igbook_tx_desc *desc = &tx->desc[tx->next];
	ktime_t until;
	int err;

	igbook_fill_desc(desc, dma, len);
	priv->hand.index = tx->next;
	priv->hand.desc = *desc;

	tx->next = (tx->next + 1) % IGBOOK_TX_DESC;
	/*
	 * The descriptor must be in memory before the card hears of it. The
	 * doorbell's writel() sees to that.
	 */
	igbook_wr32(priv, REG_TDT(0), tx->next);

	until = ktime_add_ms(ktime_get(), 10);
	for (;;) {
		bool late = ktime_after(ktime_get(), until);

		priv->hand.status = igbook_desc_status(desc);
		if (priv->hand.status & TXD_STA_DD) {
			err = 0;
			break;
		}
		if (late) {
			err = -ETIMEDOUT;
			break;
		}
		usleep_range(20, 50);
	}
	return err;
}

/**
 * igbook_hand_recover() - take the frame back from a card that keeps it
 * @priv: the device
 * @dma: bus address of the frame
 * @len: its length in bytes
 *
 * The mapping must not end while the card may still read the frame, so the
 * card is stopped first. Afterwards it starts anew with an empty ring.
 *
 * Context: RTNL; sleeps.
 */
static void igbook_hand_recover(struct igbook *priv, dma_addr_t dma, u32 len)
{
	netdev_err(priv->netdev, "descriptor %u never done\n",
		   priv->hand.index);
	igbook_down(priv);
}

/**
 * igbook_hand_send() - map a frame, send it, unmap it
 * @priv: the device
 * @frame: the frame, in memory from kmalloc()
 * @len: its length in bytes
 *
 * Between dma_map_single() and dma_unmap_single() the buffer belongs to the
 * card: the CPU does not touch it.
 *
 * Context: RTNL; sleeps.
 * Return: 0 when the frame is out, or a negative errno.
 */
static int igbook_hand_send(struct igbook *priv, void *frame, u32 len)
{
	struct device *dev = &priv->pdev->dev;
	struct scatterlist sg;
	int err;

	if (!netif_running(priv->netdev) || !netif_device_present(priv->netdev))
		return -ENETDOWN;
	if (!netif_carrier_ok(priv->netdev))
		return -ENOLINK;

	sg_init_one(&sg, frame, len);
	if (!dma_map_sg(dev, &sg, 1, DMA_TO_DEVICE))
		return -ENOMEM;
	err = igbook_hand_over(priv, sg_dma_address(&sg), sg_dma_len(&sg));
	if (err)
		igbook_hand_recover(priv, sg_dma_address(&sg), len);
	dma_unmap_sg(dev, &sg, 1, DMA_TO_DEVICE);
	if (err && igbook_up(priv))
		dev_close(priv->netdev);
	return err;
}

/**
 * hand_send_write() - one write is one frame
 * @file: the open file
 * @user: the frame's bytes
 * @count: how many
 * @pos: ignored, a frame has no position
 *
 * A frame shorter than Ethernet's minimum is padded with zeros here: the
 * datasheet has the card do it (TCTL.PSP), the emulated card does not.
 *
 * Context: process context; takes RTNL, which keeps open and stop away.
 * Return: @count, or a negative errno.
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
	rtnl_unlock();
free:
	kfree(frame);
	return err ? err : count;
}
