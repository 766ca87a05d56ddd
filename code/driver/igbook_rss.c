// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: receive side scaling. The card computes a hash of a frame's addresses,
 * looks its low seven bits up in a table, and finds the queue there.
 */
#include <linux/bitfield.h>
#include <linux/ethtool.h>

#include "igbook.h"

/* A protocol whose ports may be hashed, and the bits of MRQC for that. */
static const struct {
	u32 flow;
	u32 bits;
} igbook_rss_ports[] = {
	{ TCP_V4_FLOW, MRQC_TCP_IPV4 },
	{ TCP_V6_FLOW, MRQC_TCP_IPV6 | MRQC_TCP_IPV6_EX },
	{ UDP_V4_FLOW, MRQC_UDP_IPV4 },
	{ UDP_V6_FLOW, MRQC_UDP_IPV6 | MRQC_UDP_IPV6_EX },
};

#define IGBOOK_RSS_ADDRESSES	(RXH_IP_SRC | RXH_IP_DST)
#define IGBOOK_RSS_PORTS	(RXH_L4_B_0_1 | RXH_L4_B_2_3)

/**
 * igbook_rss_init() - what is hashed, and by which key, until a user says other
 * @priv: the device, its number of queues settled
 *
 * The ports of UDP are left out: only the first fragment of a datagram has them,
 * and the others would take another way.
 *
 * Context: probe.
 */
void igbook_rss_init(struct igbook *priv)
{
	netdev_rss_key_fill(priv->rss.key, sizeof(priv->rss.key));
	priv->rss.hashed = MRQC_IPV4 | MRQC_TCP_IPV4 | MRQC_IPV6 |
			   MRQC_TCP_IPV6 | MRQC_TCP_IPV6_EX;
	igbook_rss_spread(priv);
}

/**
 * igbook_rss_spread() - share the table out among the queues
 * @priv: the device
 *
 * A table that the user has written stays.
 *
 * Context: probe or RTNL.
 */
void igbook_rss_spread(struct igbook *priv)
{
	unsigned int queues = priv->num_queues;
	unsigned int i;

	if (netif_is_rxfh_configured(priv->netdev))
		return;
	for (i = 0; i < RETA_ENTRIES; i++)
		priv->rss.table[i] = ethtool_rxfh_indir_default(i, queues);
}

/* 82576 datasheet, "Redirection Table". */
static void igbook_rss_write_table(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < RETA_ENTRIES; i += 4)
		igbook_wr32(priv, REG_RETA(i / 4),
			    get_unaligned_le32(&priv->rss.table[i]));
}

/* 82576 datasheet, "RSS Random Key Register". */
static void igbook_rss_write_key(struct igbook *priv)
{
	unsigned int i;

	for (i = 0; i < RSSRK_BYTES; i += 4)
		igbook_wr32(priv, REG_RSSRK(i / 4),
			    get_unaligned_le32(&priv->rss.key[i]));
}

/*
 * Also with a single queue: the stack has a use for the hash.
 *
 * 82576 datasheet, "Multiple Receive Queues Command Register".
 */
static void igbook_rss_write_hashed(struct igbook *priv)
{
	igbook_wr32(priv, REG_MRQC,
		    FIELD_PREP(MRQC_ENABLE, MRQC_ENABLE_RSS) |
		    priv->rss.hashed);
}

/**
 * igbook_rss_write() - tell the card everything
 * @priv: the device, not receiving
 *
 * Context: RTNL.
 */
void igbook_rss_write(struct igbook *priv)
{
	igbook_rss_write_key(priv);
	igbook_rss_write_table(priv);
	igbook_rss_write_hashed(priv);
}

#if 0	/* loom: begin rxnfc-count until 10 */
/**
 * igbook_get_rxnfc() - "ethtool -x" asks how many queues there are
 * @netdev: the network device
 * @info: what is asked, and the answer
 * @rules: not used
 *
 * Context: RTNL.
 * Return: 0, or -EOPNOTSUPP for any other question.
 */
int igbook_get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info,
		     u32 *rules)
{
	struct igbook *priv = netdev_priv(netdev);

	if (info->cmd != ETHTOOL_GRXRINGS)
		return -EOPNOTSUPP;
	info->data = priv->num_queues;
	return 0;
}

#endif	/* loom: end rxnfc-count */
static u32 igbook_rss_port_bits(u32 flow)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(igbook_rss_ports); i++)
		if (igbook_rss_ports[i].flow == flow)
			return igbook_rss_ports[i].bits;
	return 0;
}

/**
 * igbook_get_rxfh_fields() - "ethtool -n eth0 rx-flow-hash ..."
 * @netdev: the network device
 * @fields: the protocol; what of it is hashed, to be filled in
 *
 * Context: RTNL.
 * Return: 0, or -EINVAL for a protocol the card does not know.
 */
int igbook_get_rxfh_fields(struct net_device *netdev,
			   struct ethtool_rxfh_fields *fields)
{
	struct igbook *priv = netdev_priv(netdev);

	switch (fields->flow_type) {
	case TCP_V4_FLOW:
	case UDP_V4_FLOW:
	case SCTP_V4_FLOW:
	case AH_ESP_V4_FLOW:
	case IPV4_FLOW:
	case TCP_V6_FLOW:
	case UDP_V6_FLOW:
	case SCTP_V6_FLOW:
	case AH_ESP_V6_FLOW:
	case IPV6_FLOW:
		break;
	default:
		return -EINVAL;
	}
	fields->data = IGBOOK_RSS_ADDRESSES;
	if (priv->rss.hashed & igbook_rss_port_bits(fields->flow_type))
		fields->data |= IGBOOK_RSS_PORTS;
	return 0;
}

/**
 * igbook_set_rxfh_fields() - "ethtool -N eth0 rx-flow-hash ..."
 * @netdev: the network device
 * @fields: the protocol, and what of it is to be hashed
 * @extack: why not, in words
 *
 * The addresses are always hashed, the ports of TCP and UDP both or not at all.
 *
 * Context: RTNL.
 * Return: 0, or -EINVAL.
 */
int igbook_set_rxfh_fields(struct net_device *netdev,
			   const struct ethtool_rxfh_fields *fields,
			   struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);
	u32 bits = igbook_rss_port_bits(fields->flow_type);
	bool ports = fields->data & IGBOOK_RSS_PORTS;
	struct ethtool_rxfh_fields known = *fields;

	if (igbook_get_rxfh_fields(netdev, &known))
		return -EINVAL;
	if (fields->data != (IGBOOK_RSS_ADDRESSES |
			     (ports ? IGBOOK_RSS_PORTS : 0)) ||
	    (ports && !bits)) {
		NL_SET_ERR_MSG_MOD(extack, "both addresses, and of TCP and UDP both ports or none");
		return -EINVAL;
	}
	if (ports)
		priv->rss.hashed |= bits;
	else
		priv->rss.hashed &= ~bits;
	if (netif_running(netdev))
		igbook_rss_write_hashed(priv);
	return 0;
}

/**
 * igbook_get_rxfh_key_size() - how long the key is
 * @netdev: the network device
 *
 * Context: RTNL.
 * Return: bytes.
 */
u32 igbook_get_rxfh_key_size(struct net_device *netdev)
{
	return RSSRK_BYTES;
}

/**
 * igbook_get_rxfh_indir_size() - how long the table is
 * @netdev: the network device
 *
 * Context: RTNL.
 * Return: entries.
 */
u32 igbook_get_rxfh_indir_size(struct net_device *netdev)
{
	return RETA_ENTRIES;
}

/**
 * igbook_get_rxfh() - "ethtool -x"
 * @netdev: the network device
 * @rxfh: function, table and key, to be filled in where there is room
 *
 * Context: RTNL.
 * Return: 0.
 */
int igbook_get_rxfh(struct net_device *netdev, struct ethtool_rxfh_param *rxfh)
{
	struct igbook *priv = netdev_priv(netdev);
	unsigned int i;

	rxfh->hfunc = ETH_RSS_HASH_TOP;
	for (i = 0; rxfh->indir && i < RETA_ENTRIES; i++)
		rxfh->indir[i] = priv->rss.table[i];
	if (rxfh->key)
		memcpy(rxfh->key, priv->rss.key, RSSRK_BYTES);
	return 0;
}

/**
 * igbook_set_rxfh() - "ethtool -X"
 * @netdev: the network device
 * @rxfh: table and key; the core has checked that the table's queues exist
 * @extack: why not, in words
 *
 * Toeplitz is the only function the card has.
 *
 * Context: RTNL; frames may be received meanwhile.
 * Return: 0, or -EOPNOTSUPP.
 */
int igbook_set_rxfh(struct net_device *netdev, struct ethtool_rxfh_param *rxfh,
		    struct netlink_ext_ack *extack)
{
	struct igbook *priv = netdev_priv(netdev);
	unsigned int i;

	if (rxfh->hfunc != ETH_RSS_HASH_NO_CHANGE &&
	    rxfh->hfunc != ETH_RSS_HASH_TOP) {
		NL_SET_ERR_MSG_MOD(extack, "the hash is toeplitz");
		return -EOPNOTSUPP;
	}
	for (i = 0; rxfh->indir && i < RETA_ENTRIES; i++)
		priv->rss.table[i] = rxfh->indir[i];
	if (rxfh->key)
		memcpy(priv->rss.key, rxfh->key, RSSRK_BYTES);
	if (!netif_running(netdev))
		return 0;
	if (rxfh->indir)
		igbook_rss_write_table(priv);
	if (rxfh->key)
		igbook_rss_write_key(priv);
	return 0;
}
