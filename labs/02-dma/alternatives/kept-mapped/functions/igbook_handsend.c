// SPDX-License-Identifier: GPL-2.0

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
	dma_addr_t dma;
	int err = -ENETDOWN;

	if (netif_running(priv->netdev) && netif_device_present(priv->netdev))
		err = netif_carrier_ok(priv->netdev) ? 0 : -ENOLINK;
	if (err)
		return err;
	dma = dma_map_page(dev, virt_to_page(frame), offset_in_page(frame),
			   len, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, dma))
		return -ENOMEM;
	err = igbook_hand_over(priv, dma, len);
	if (!err)
		dma_unmap_page(dev, dma, len, DMA_TO_DEVICE);
	else
		igbook_hand_recover(priv, dma, len);
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

/**
 * igbook_handsend_remove() - remove them; waits for a write that is under way
 * @priv: the device
 *
 * Context: remove, without RTNL: a write takes it.
 */
void igbook_handsend_remove(struct igbook *priv)
{
	debugfs_remove(priv->debugfs);
	igbook_lab_remove(priv);
}
