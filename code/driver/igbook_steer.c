// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: which queue a frame goes to because somebody says so, and not by its
 * hash: filters by EtherType.
 */
#include <linux/bitfield.h>
#include <linux/ethtool.h>

#include "igbook.h"

/*
 * The rule's number is that of the register.
 *
 * 82576 datasheet, "EType Queue Filter".
 */
static void igbook_steer_write_one(struct igbook *priv, unsigned int i, bool on)
{
	const struct igbook_rule *rule = &priv->rules[i];
	u32 etqf = 0;

	if (on && rule->ether_type)
		etqf = FIELD_PREP(ETQF_ETYPE, rule->ether_type) |
		       FIELD_PREP(ETQF_QUEUE, rule->queue) |
		       ETQF_FILTER_EN | ETQF_QUEUE_EN;
	igbook_wr32(priv, REG_ETQF(i), etqf);
}

/**
 * igbook_steer_write() - tell the card all rules, or that there are none
 * @priv: the device
 * @features: those that are on: rules are kept while NETIF_F_NTUPLE is not
 *
 * Context: RTNL.
 */
void igbook_steer_write(struct igbook *priv, netdev_features_t features)
{
	unsigned int i;

	for (i = 0; i < IGBOOK_RULES; i++)
		igbook_steer_write_one(priv, i, features & NETIF_F_NTUPLE);
}

static void igbook_steer_change(struct igbook *priv, unsigned int i,
				struct igbook_rule to)
{
	priv->rules[i] = to;
	if (netif_running(priv->netdev))
		igbook_steer_write_one(priv, i,
				       priv->netdev->features & NETIF_F_NTUPLE);
}

static int igbook_rule_get(struct igbook *priv, struct ethtool_rx_flow_spec *fs)
{
	const struct igbook_rule *rule;

	if (fs->location >= IGBOOK_RULES)
		return -EINVAL;
	rule = &priv->rules[fs->location];
	if (!rule->ether_type)
		return -ENOENT;
	fs->flow_type = ETHER_FLOW;
	fs->h_u.ether_spec.h_proto = htons(rule->ether_type);
	fs->m_u.ether_spec.h_proto = htons(0xffff);
	fs->ring_cookie = rule->queue;
	return 0;
}

static int igbook_rule_list(struct igbook *priv, struct ethtool_rxnfc *info,
			    u32 *rules)
{
	u32 count = 0;
	u32 i;

	info->data = IGBOOK_RULES | RX_CLS_LOC_SPECIAL;
	for (i = 0; i < IGBOOK_RULES; i++) {
		if (!priv->rules[i].ether_type)
			continue;
		if (rules && count == info->rule_cnt)
			return -EMSGSIZE;
		if (rules)
			rules[count] = i;
		count++;
	}
	info->rule_cnt = count;
	return 0;
}

/**
 * igbook_get_rxnfc() - "ethtool -n", and how many queues there are
 * @netdev: the network device
 * @info: what is asked, and the answer
 * @rules: room for the numbers of all rules, if these are asked for
 *
 * Context: RTNL.
 * Return: 0, or a negative errno.
 */
int igbook_get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info,
		     u32 *rules)
{
	struct igbook *priv = netdev_priv(netdev);

	switch (info->cmd) {
	case ETHTOOL_GRXRINGS:
		info->data = priv->num_queues;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		return igbook_rule_list(priv, info, NULL);
	case ETHTOOL_GRXCLSRLALL:
		return igbook_rule_list(priv, info, rules);
	case ETHTOOL_GRXCLSRULE:
		return igbook_rule_get(priv, &info->fs);
	default:
		return -EOPNOTSUPP;
	}
}

/*
 * Addresses and VLANs choose a pool of queues on this card, each pool that of a
 * virtual machine, and not one of the queues that share a hash. IP's types stay
 * with the hash. That of PTP has its own filter.
 */
static bool igbook_rule_possible(const struct ethtool_rx_flow_spec *fs)
{
	const struct ethhdr *mask = &fs->m_u.ether_spec;

	if (fs->flow_type != ETHER_FLOW || fs->ring_cookie == RX_CLS_FLOW_WAKE ||
	    fs->ring_cookie == RX_CLS_FLOW_DISC ||
	    ethtool_get_flow_spec_ring_vf(fs->ring_cookie))
		return false;
	if (mask->h_proto != htons(0xffff) || !is_zero_ether_addr(mask->h_dest) ||
	    !is_zero_ether_addr(mask->h_source))
		return false;
	switch (ntohs(fs->h_u.ether_spec.h_proto)) {
	case ETH_P_IP:
	case ETH_P_IPV6:
	case ETH_P_1588:
		return false;
	default:
		return eth_proto_is_802_3(fs->h_u.ether_spec.h_proto);
	}
}

/* The first free one, if the user has no wish. */
static int igbook_rule_place(struct igbook *priv, u32 location)
{
	unsigned int i;

	if (location < IGBOOK_RULES)
		return location;
	if (!(location & RX_CLS_LOC_SPECIAL))
		return -EINVAL;
	for (i = 0; i < IGBOOK_RULES; i++)
		if (!priv->rules[i].ether_type)
			return i;
	return -ENOSPC;
}

static int igbook_rule_add(struct igbook *priv, struct ethtool_rx_flow_spec *fs)
{
	struct igbook_rule rule = {
		.ether_type = ntohs(fs->h_u.ether_spec.h_proto),
		.queue = fs->ring_cookie,
	};
	int place;
	int i;

	if (!igbook_rule_possible(fs))
		return -EOPNOTSUPP;
	if (fs->ring_cookie >= priv->num_queues)
		return -EINVAL;
	place = igbook_rule_place(priv, fs->location);
	if (place < 0)
		return place;
	for (i = 0; i < IGBOOK_RULES; i++)
		if (i != place && priv->rules[i].ether_type == rule.ether_type)
			return -EEXIST;
	fs->location = place;
	igbook_steer_change(priv, place, rule);
	return 0;
}

/**
 * igbook_set_rxnfc() - "ethtool -N eth0 flow-type ether proto ..." and "delete"
 * @netdev: the network device
 * @info: the rule; where it has gone is filled in
 *
 * Context: RTNL; frames may be received meanwhile.
 * Return: 0; -EOPNOTSUPP for what the card cannot do, or another negative errno.
 */
int igbook_set_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info)
{
	struct igbook *priv = netdev_priv(netdev);

	switch (info->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return igbook_rule_add(priv, &info->fs);
	case ETHTOOL_SRXCLSRLDEL:
		if (info->fs.location >= IGBOOK_RULES)
			return -EINVAL;
		if (!priv->rules[info->fs.location].ether_type)
			return -ENOENT;
		igbook_steer_change(priv, info->fs.location,
				    (struct igbook_rule) {});
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}
