// SPDX-License-Identifier: GPL-2.0
/*
 * metronome: frames on a cable at exact moments of the guest's own time.
 *
 *   insmod metronome.ko
 *   cd /sys/module/metronome/parameters
 *   echo ffffffffffff020000000001... >frame
 *   echo 100000 1 5000 >play            # every 100 us one frame, 5000 times
 *   cat sent
 *   echo eth0 1000000 32 100 >push      # every ms 32 frames out of eth0, 100 times
 *   echo 100000 1 5000 floor >play      # the same frames, but from floor0
 *
 * The measurements need a sender that keeps time by the guest's clock, whatever
 * else the guest is doing, and that costs next to nothing. This one is a second
 * card at the other end of the cable, QEMU's e1000, of which nothing is used but
 * one ring of transmit descriptors that all name the same frame. A timer's
 * interrupt moves the tail; the emulated card does the rest within that write.
 * It is no network driver: there is no net_device, and nothing is received.
 *
 * floor0 is a network device without a card: what a frame costs there is what
 * it costs without a driver. It frees what is sent as dummy0 does, and what is
 * received it makes itself, in its poll, as cheaply as the kernel allows.
 *
 * With steps a frame is a TCP segment, and each one's sequence number and
 * the one it acknowledges lie so far beyond those of the segment before.
 *
 * Registers and descriptor: "PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual", Register Descriptions, and Legacy Transmit
 * Descriptor Format.
 */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/hex.h>
#include <linux/hrtimer.h>
#include <linux/if_ether.h>
#include <linux/io.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/page_ref.h>
#include <linux/pci.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/net_namespace.h>

#define METRONOME_DEVICE	0x100e
#define METRONOME_SLOTS		4096
#define METRONOME_FRAME_MAX	9216
#define METRONOME_HEADERS_MAX	64
#define METRONOME_BUFFERS	256
#define METRONOME_TCP_HEADERS	(ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr))

#define REG_CTRL	0x00000
#define REG_TCTL	0x00400
#define REG_TDBAL	0x03800
#define REG_TDBAH	0x03804
#define REG_TDLEN	0x03808
#define REG_TDH		0x03810
#define REG_TDT		0x03818

#define CTRL_RST	BIT(26)
#define TCTL_EN		BIT(1)

#define DESC_EOP	BIT(24)
#define DESC_IFCS	BIT(25)

struct metronome_desc {
	__le64 address;
	__le32 command;
	__le32 status;
};

/* The frame of which all that are played are copies. */
struct metronome_frame {
	u8 *bytes;
	u32 length;
	u32 seq_step;
	u32 ack_step;
};

struct metronome {
	u8 __iomem *regs;
	struct metronome_desc *ring;
	dma_addr_t ring_dma;
	dma_addr_t frame_dma;
	struct metronome_frame frame;
	u32 tail;
	struct hrtimer timer;
	ktime_t period;
	u32 burst;
	u32 beats;
	u64 sent;
	bool floor;
};

/* Sends out of the device under test. */
struct metronome_pusher {
	struct net_device *netdev;
	struct hrtimer timer;
	ktime_t period;
	u32 burst;
	u32 beats;
	u32 length;
};

struct metronome_buffer {
	struct page *page;
	void *data;
};

/* The device without a card; all frames beyond their headers share its payload. */
struct metronome_floor {
	struct napi_struct napi;
	struct page *payload;
	struct metronome_buffer buffers[METRONOME_BUFFERS];
	u32 next;
	u32 pending;
};

/* One card at most; the mutex is for the parameters against probe and remove. */
static DEFINE_MUTEX(metronome_lock);
static struct metronome *metronome_card;
static struct metronome_pusher metronome_pusher;
static struct net_device *metronome_floor;

/**
 * metronome_step() - make a frame's headers those of the next segment
 * @frame: says how far they are apart
 */
static void metronome_step(struct metronome_frame *frame)
{
	struct tcphdr *tcp = (struct tcphdr *)(frame->bytes + ETH_HLEN + sizeof(struct iphdr));
	__be32 seq = cpu_to_be32(be32_to_cpu(tcp->seq) + frame->seq_step);
	__be32 ack = cpu_to_be32(be32_to_cpu(tcp->ack_seq) + frame->ack_step);

	csum_replace4(&tcp->check, tcp->seq, seq);
	csum_replace4(&tcp->check, tcp->ack_seq, ack);
	tcp->seq = seq;
	tcp->ack_seq = ack;
}

/**
 * metronome_card_send() - put frames on the cable
 * @card: the card
 * @frames: how many
 *
 * The emulated card has read a frame when the write to its tail returns.
 */
static void metronome_card_send(struct metronome *card, u32 frames)
{
	bool steps = card->frame.seq_step || card->frame.ack_step;

	while (frames) {
		u32 now = steps ? 1 : min_t(u32, frames, METRONOME_SLOTS - 1);

		card->tail = (card->tail + now) % METRONOME_SLOTS;
		writel(card->tail, card->regs + REG_TDT);
		if (steps)
			metronome_step(&card->frame);
		frames -= now;
	}
}

static int metronome_buffer_renew(struct metronome_buffer *buffer)
{
	struct page *page = dev_alloc_page();

	if (!page)
		return -ENOMEM;
	if (buffer->page)
		put_page(buffer->page);
	buffer->page = page;
	buffer->data = page_address(page);
	return 0;
}

/**
 * metronome_floor_skb() - an skb around a page that is used again and again
 * @floor: the device without a card
 *
 * Return: the skb or NULL.
 */
static struct sk_buff *metronome_floor_skb(struct metronome_floor *floor)
{
	struct metronome_buffer *buffer = &floor->buffers[floor->next++ % METRONOME_BUFFERS];
	struct sk_buff *skb;

	if (unlikely(page_ref_count(buffer->page) > 1) && metronome_buffer_renew(buffer))
		return NULL;
	skb = napi_build_skb(buffer->data, PAGE_SIZE);
	if (!skb)
		return NULL;
	page_ref_inc(buffer->page);
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	return skb;
}

/**
 * metronome_floor_frame() - make a received frame
 * @floor: the device without a card
 * @frame: what it is a copy of
 *
 * Return: the frame or NULL.
 */
static struct sk_buff *metronome_floor_frame(struct metronome_floor *floor,
					     struct metronome_frame *frame)
{
	bool steps = frame->seq_step || frame->ack_step;
	u32 headers = steps ? METRONOME_TCP_HEADERS :
			      min_t(u32, frame->length, METRONOME_HEADERS_MAX);
	struct sk_buff *skb = metronome_floor_skb(floor);

	if (!skb)
		return NULL;
	memcpy(skb->data, frame->bytes, METRONOME_HEADERS_MAX);
	__skb_put(skb, headers);
	if (frame->length > headers) {
		page_ref_inc(floor->payload);
		skb_add_rx_frag(skb, 0, floor->payload, 0, frame->length - headers,
				frame->length - headers);
	}
	if (steps)
		metronome_step(frame);
	if (floor->napi.dev->features & NETIF_F_RXCSUM)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->protocol = eth_type_trans(skb, floor->napi.dev);
	return skb;
}

static int metronome_floor_poll(struct napi_struct *napi, int budget)
{
	struct metronome_floor *floor = container_of(napi, struct metronome_floor, napi);
	struct pcpu_sw_netstats *stats = this_cpu_ptr(napi->dev->tstats);
	struct metronome_frame *frame = &metronome_card->frame;
	int work = 0;

	while (work < budget && floor->pending) {
		struct sk_buff *skb = metronome_floor_frame(floor, frame);

		floor->pending--;
		if (!skb)
			continue;
		napi_gro_receive(napi, skb);
		work++;
	}
	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->rx_packets, work);
	u64_stats_add(&stats->rx_bytes, work * frame->length);
	u64_stats_update_end(&stats->syncp);
	if (work < budget)
		napi_complete_done(napi, work);
	return work;
}

/**
 * metronome_beat() - put the next frames on the cable, or have floor0 receive them
 * @timer: the card's timer
 *
 * Moments that were missed (interrupts were off for too long) are made up for:
 * what is offered does not depend on how busy the guest is. floor0 polls without
 * frames, too, so that a poll cancels where that is taken off: how many frames
 * share one is a matter of interrupts, and these of the driver.
 *
 * Context: Hard interrupt.
 * Return: whether the timer goes on.
 */
static enum hrtimer_restart metronome_beat(struct hrtimer *timer)
{
	struct metronome *card = container_of(timer, struct metronome, timer);
	u64 due = hrtimer_forward_now(timer, card->period);
	u32 beats = min_t(u64, due, card->beats);
	u32 frames = beats * card->burst;

	card->beats -= beats;
	card->sent += frames;
	if (!card->floor) {
		metronome_card_send(card, frames);
	} else {
		struct metronome_floor *floor = netdev_priv(metronome_floor);

		floor->pending += frames;
		napi_schedule_irqoff(&floor->napi);
	}
	return card->beats ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void metronome_set_length(struct metronome *card, unsigned int length)
{
	unsigned int i;

	card->frame.length = length;
	card->frame.seq_step = 0;
	card->frame.ack_step = 0;
	for (i = 0; i < METRONOME_SLOTS; i++) {
		card->ring[i].address = cpu_to_le64(card->frame_dma);
		card->ring[i].command = cpu_to_le32(length | DESC_EOP | DESC_IFCS);
		card->ring[i].status = 0;
	}
}

static int metronome_frame_set(const char *text, const struct kernel_param *kp)
{
	size_t digits = strcspn(text, "\n ");
	u32 length = digits / 2;
	int err = -EINVAL;

	mutex_lock(&metronome_lock);
	if (!metronome_card) {
		err = -ENODEV;
	} else if (digits % 2 == 0 && digits / 2 >= ETH_HLEN &&
		   (text[digits] != ' ' || sscanf(text + digits, " %u", &length) == 1) &&
		   length >= digits / 2 && length <= METRONOME_FRAME_MAX) {
		hrtimer_cancel(&metronome_card->timer);
		memset(metronome_card->frame.bytes, 0, METRONOME_FRAME_MAX);
		err = hex2bin(metronome_card->frame.bytes, text, digits / 2);
		metronome_set_length(metronome_card, length);
	}
	mutex_unlock(&metronome_lock);
	return err;
}

static const struct kernel_param_ops metronome_frame_ops = { .set = metronome_frame_set };
module_param_cb(frame, &metronome_frame_ops, NULL, 0200);
MODULE_PARM_DESC(frame, "HEX [LENGTH]: the frame without FCS, filled up with zeros to LENGTH");

static int metronome_steps_set(const char *text, const struct kernel_param *kp)
{
	u32 seq_step, ack_step;
	int err = -EINVAL;

	if (sscanf(text, "%u %u", &seq_step, &ack_step) != 2)
		return -EINVAL;

	mutex_lock(&metronome_lock);
	if (!metronome_card) {
		err = -ENODEV;
	} else if (metronome_card->frame.length >= METRONOME_TCP_HEADERS) {
		hrtimer_cancel(&metronome_card->timer);
		metronome_card->frame.seq_step = seq_step;
		metronome_card->frame.ack_step = ack_step;
		err = 0;
	}
	mutex_unlock(&metronome_lock);
	return err;
}

static const struct kernel_param_ops metronome_steps_ops = { .set = metronome_steps_set };
module_param_cb(steps, &metronome_steps_ops, NULL, 0200);
MODULE_PARM_DESC(steps, "SEQ ACK: the frame is a TCP segment, and how far the next one is");

static int metronome_play_set(const char *text, const struct kernel_param *kp)
{
	char where[sizeof("floor")] = "";
	u64 period;
	u32 burst, beats;
	int err = 0;

	if (sscanf(text, "%llu %u %u %5s", &period, &burst, &beats, where) < 3 ||
	    period < 1000 || burst >= METRONOME_SLOTS || (*where && strcmp(where, "floor")))
		return -EINVAL;

	mutex_lock(&metronome_lock);
	if (metronome_card) {
		hrtimer_cancel(&metronome_card->timer);
		metronome_card->period = ns_to_ktime(period);
		metronome_card->burst = burst;
		metronome_card->beats = beats;
		metronome_card->floor = *where;
		if (beats)
			hrtimer_start(&metronome_card->timer, metronome_card->period,
				      HRTIMER_MODE_REL_HARD);
	} else {
		err = -ENODEV;
	}
	mutex_unlock(&metronome_lock);
	return err;
}

static const struct kernel_param_ops metronome_play_ops = { .set = metronome_play_set };
module_param_cb(play, &metronome_play_ops, NULL, 0200);
MODULE_PARM_DESC(play, "PERIOD BURST BEATS [floor]: every PERIOD ns BURST frames, BEATS times");

static int metronome_sent_get(char *buffer, const struct kernel_param *kp)
{
	u64 sent = 0;

	mutex_lock(&metronome_lock);
	if (metronome_card)
		sent = READ_ONCE(metronome_card->sent);
	mutex_unlock(&metronome_lock);
	return sysfs_emit(buffer, "%llu\n", sent);
}

static const struct kernel_param_ops metronome_sent_ops = { .get = metronome_sent_get };
module_param_cb(sent, &metronome_sent_ops, NULL, 0444);
MODULE_PARM_DESC(sent, "frames played so far");

/**
 * metronome_push_one() - hand one frame to a driver
 * @netdev: the device under test
 * @length: bytes without FCS
 * @more: another one follows at once: the doorbell can wait
 *
 * As the stack does it, without a queueing discipline.
 *
 * Context: bottom halves off.
 * Return: 0, -ENOMEM, or -EBUSY if the queue is stopped: then a measurement
 * would be one of waiting.
 */
static int metronome_push_one(struct net_device *netdev, u32 length, bool more)
{
	struct netdev_queue *queue = netdev_get_tx_queue(netdev, 0);
	struct sk_buff *skb = netdev_alloc_skb(netdev, length);
	int err = -EBUSY;

	if (!skb)
		return -ENOMEM;
	memset(skb_put(skb, length), 0xff, ETH_ZLEN);
	skb_reset_mac_header(skb);
	skb->protocol = htons(ETH_P_802_EX1);
	HARD_TX_LOCK(netdev, queue, smp_processor_id());
	if (!netif_xmit_frozen_or_drv_stopped(queue) &&
	    netdev_start_xmit(skb, netdev, queue, more) == NETDEV_TX_OK)
		err = 0;
	HARD_TX_UNLOCK(netdev, queue);
	if (err)
		kfree_skb(skb);
	return err;
}

/**
 * metronome_push_beat() - hand the next frames to a driver
 * @timer: the pusher's timer
 *
 * A driver that does not take one ends the play; its counters tell.
 *
 * Context: softirq.
 * Return: whether the timer goes on.
 */
static enum hrtimer_restart metronome_push_beat(struct hrtimer *timer)
{
	struct metronome_pusher *pusher = container_of(timer, struct metronome_pusher, timer);
	u32 beats = min_t(u64, hrtimer_forward_now(timer, pusher->period), pusher->beats);
	int err = 0;

	pusher->beats -= beats;
	while (beats-- && !err) {
		u32 left = pusher->burst;

		while (left-- && !err)
			err = metronome_push_one(pusher->netdev, pusher->length, left);
	}
	return pusher->beats && !err ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void metronome_push_stop(void)
{
	hrtimer_cancel(&metronome_pusher.timer);
	dev_put(metronome_pusher.netdev);
	metronome_pusher.netdev = NULL;
}

static int metronome_push_set(const char *text, const struct kernel_param *kp)
{
	struct net_device *netdev;
	char name[IFNAMSIZ];
	u32 burst, beats, length = ETH_ZLEN;
	u64 period;

	if (sscanf(text, "%15s %llu %u %u %u", name, &period, &burst, &beats, &length) < 4 ||
	    period < 1000 || length < ETH_ZLEN || length > METRONOME_FRAME_MAX)
		return -EINVAL;
	netdev = dev_get_by_name(&init_net, name);
	if (!netdev)
		return -ENODEV;

	mutex_lock(&metronome_lock);
	metronome_push_stop();
	metronome_pusher.netdev = netdev;
	metronome_pusher.period = ns_to_ktime(period);
	metronome_pusher.burst = burst;
	metronome_pusher.beats = beats;
	metronome_pusher.length = length;
	if (beats)
		hrtimer_start(&metronome_pusher.timer, metronome_pusher.period,
			      HRTIMER_MODE_REL_SOFT);
	mutex_unlock(&metronome_lock);
	return 0;
}

static const struct kernel_param_ops metronome_push_ops = { .set = metronome_push_set };
module_param_cb(push, &metronome_push_ops, NULL, 0200);
MODULE_PARM_DESC(push, "DEVICE PERIOD BURST BEATS [LENGTH]: every PERIOD ns BURST frames out of DEVICE, BEATS times");

static void metronome_start_card(struct metronome *card)
{
	writel(CTRL_RST, card->regs + REG_CTRL);
	writel(lower_32_bits(card->ring_dma), card->regs + REG_TDBAL);
	writel(upper_32_bits(card->ring_dma), card->regs + REG_TDBAH);
	writel(METRONOME_SLOTS * sizeof(struct metronome_desc), card->regs + REG_TDLEN);
	writel(0, card->regs + REG_TDH);
	writel(0, card->regs + REG_TDT);
	writel(TCTL_EN, card->regs + REG_TCTL);
}

static int metronome_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct metronome *card;
	int err;

	card = devm_kzalloc(&pdev->dev, sizeof(*card), GFP_KERNEL);
	if (!card)
		return -ENOMEM;
	err = pcim_enable_device(pdev);
	if (err)
		return err;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	card->regs = pcim_iomap(pdev, 0, 0);
	card->ring = dmam_alloc_coherent(&pdev->dev, METRONOME_SLOTS * sizeof(*card->ring),
					 &card->ring_dma, GFP_KERNEL);
	card->frame.bytes = dmam_alloc_coherent(&pdev->dev, METRONOME_FRAME_MAX, &card->frame_dma,
						GFP_KERNEL);
	if (!card->regs || !card->ring || !card->frame.bytes)
		return -ENOMEM;

	metronome_set_length(card, ETH_ZLEN);
	hrtimer_init(&card->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	card->timer.function = metronome_beat;
	pci_set_master(pdev);
	metronome_start_card(card);
	pci_set_drvdata(pdev, card);

	mutex_lock(&metronome_lock);
	err = metronome_card ? -EBUSY : 0;
	if (!err)
		metronome_card = card;
	mutex_unlock(&metronome_lock);
	return err;
}

static void metronome_remove(struct pci_dev *pdev)
{
	struct metronome *card = pci_get_drvdata(pdev);

	mutex_lock(&metronome_lock);
	metronome_card = NULL;
	mutex_unlock(&metronome_lock);
	hrtimer_cancel(&card->timer);
	writel(CTRL_RST, card->regs + REG_CTRL);
	pci_clear_master(pdev);
}

static const struct pci_device_id metronome_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, METRONOME_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, metronome_ids);

static struct pci_driver metronome_driver = {
	.name = "metronome",
	.id_table = metronome_ids,
	.probe = metronome_probe,
	.remove = metronome_remove,
};

static int metronome_floor_open(struct net_device *netdev)
{
	struct metronome_floor *floor = netdev_priv(netdev);

	floor->pending = 0;
	napi_enable(&floor->napi);
	return 0;
}

static int metronome_floor_stop(struct net_device *netdev)
{
	struct metronome_floor *floor = netdev_priv(netdev);

	napi_disable(&floor->napi);
	return 0;
}

static netdev_tx_t metronome_floor_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	dev_sw_netstats_tx_add(netdev, 1, skb->len);
	skb_tx_timestamp(skb);
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops metronome_floor_ops = {
	.ndo_open = metronome_floor_open,
	.ndo_stop = metronome_floor_stop,
	.ndo_start_xmit = metronome_floor_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

static void metronome_floor_setup(struct net_device *netdev)
{
	ether_setup(netdev);
	netdev->netdev_ops = &metronome_floor_ops;
	netdev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	netdev->max_mtu = METRONOME_FRAME_MAX;
	netdev->lltx = true;
	netdev->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
			      NETIF_F_GSO_SOFTWARE | NETIF_F_HIGHDMA;
	netdev->features = netdev->hw_features;
	eth_hw_addr_random(netdev);
}

static void metronome_floor_put_pages(struct metronome_floor *floor)
{
	unsigned int i;

	for (i = 0; i < METRONOME_BUFFERS; i++)
		if (floor->buffers[i].page)
			put_page(floor->buffers[i].page);
	if (floor->payload)
		put_page(floor->payload);
}

static int metronome_floor_create(void)
{
	struct metronome_floor *floor;
	unsigned int i;
	int err;

	metronome_floor = alloc_netdev(sizeof(*floor), "floor%d", NET_NAME_ENUM,
				       metronome_floor_setup);
	if (!metronome_floor)
		return -ENOMEM;
	floor = netdev_priv(metronome_floor);
	floor->payload = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO,
				     get_order(METRONOME_FRAME_MAX));
	err = floor->payload ? 0 : -ENOMEM;
	for (i = 0; i < METRONOME_BUFFERS && !err; i++)
		err = metronome_buffer_renew(&floor->buffers[i]);
	if (err)
		goto err_free;
	netif_napi_add(metronome_floor, &floor->napi, metronome_floor_poll);
	err = register_netdev(metronome_floor);
	if (err)
		goto err_del;
	return 0;

err_del:
	netif_napi_del(&floor->napi);
err_free:
	metronome_floor_put_pages(floor);
	free_netdev(metronome_floor);
	return err;
}

static void metronome_floor_destroy(void)
{
	struct metronome_floor *floor = netdev_priv(metronome_floor);

	unregister_netdev(metronome_floor);
	netif_napi_del(&floor->napi);
	metronome_floor_put_pages(floor);
	free_netdev(metronome_floor);
}

static int __init metronome_init(void)
{
	int err;

	hrtimer_init(&metronome_pusher.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	metronome_pusher.timer.function = metronome_push_beat;
	err = metronome_floor_create();
	if (err)
		return err;
	err = pci_register_driver(&metronome_driver);
	if (err)
		metronome_floor_destroy();
	return err;
}
module_init(metronome_init);

static void __exit metronome_exit(void)
{
	metronome_push_stop();
	pci_unregister_driver(&metronome_driver);
	metronome_floor_destroy();
}
module_exit(metronome_exit);

MODULE_DESCRIPTION("Frames on a cable at exact moments of the guest's time");
MODULE_LICENSE("GPL");
