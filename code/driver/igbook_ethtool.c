// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: what ethtool asks of the device.
 */
/* loom: begin include-ethtool-fields from 10 */
#include <linux/bitfield.h>
/* loom: end include-ethtool-fields */
#include <linux/ethtool.h>

#include "igbook.h"

#if 0	/* loom: begin regs-version until 10 */
#define IGBOOK_REGS_VERSION	1	/* of the dump; says what stands where */
#endif	/* loom: end regs-version */
/* loom: begin regs-version-10 from 10 */
#define NVM_IMAGE		5	/* the word with its image's version */
#define IGBOOK_REGS_VERSION	2	/* of the dump; says what stands where */
/* loom: end regs-version-10 */

/* The registers of "ethtool -d", in this order. None changes by being read. */
static const u32 igbook_dump[] = {
	REG_CTRL, REG_STATUS, REG_CTRL_EXT, REG_MDIC, REG_RCTL, REG_TCTL,
	REG_RLPML, REG_RAL(0), REG_RAH(0),
	/* loom: begin dump-more from 10 */
	REG_IMS, REG_GPIE, REG_EIMS, REG_EIAC, REG_EIAM, REG_IVAR_MISC,
	REG_RXCSUM, REG_MRQC, REG_ETQF(0), REG_FCTTV, REG_FCRTL, REG_FCRTH,
	REG_LEDCTL, REG_WUC, REG_WUFC,
	/* loom: end dump-more */
};

/* loom: from 10 */
/* And then, for each queue there can be, those of the queue. */
static const u32 igbook_dump_queue[] = {
	REG_RDLEN(0), REG_RDH(0), REG_RDT(0), REG_SRRCTL(0), REG_RXDCTL(0),
	REG_TDLEN(0), REG_TDH(0), REG_TDT(0), REG_TXDCTL(0),
};

static void igbook_get_drvinfo(struct net_device *netdev,
			       struct ethtool_drvinfo *info)
{
	struct igbook *priv = netdev_priv(netdev);
	/* loom: begin drvinfo-image from 10 */
	u16 image;
	/* loom: end drvinfo-image */

	strscpy(info->driver, IGBOOK_NAME, sizeof(info->driver));
	strscpy(info->bus_info, pci_name(priv->pdev), sizeof(info->bus_info));
	/* loom: begin drvinfo-firmware from 10 */
	if (!igbook_nvm_read(priv, NVM_IMAGE, 1, &image))
		snprintf(info->fw_version, sizeof(info->fw_version), "%u.%02x",
			 image >> 12, image >> 4 & 0xff);
	/* loom: end drvinfo-firmware */
}

static int igbook_get_regs_len(struct net_device *netdev)
{
#if 0	/* loom: begin regs-len until 10 */
	return sizeof(igbook_dump);
#endif	/* loom: end regs-len */
	/* loom: begin regs-len-10 from 10 */
	return sizeof(igbook_dump) +
	       IGBOOK_MAX_QUEUES * sizeof(igbook_dump_queue);
	/* loom: end regs-len-10 */
}

static void igbook_get_regs(struct net_device *netdev,
			    struct ethtool_regs *regs, void *data)
{
	struct igbook *priv = netdev_priv(netdev);
	u32 *out = data;
	int i;

	regs->version = IGBOOK_REGS_VERSION;
	for (i = 0; i < ARRAY_SIZE(igbook_dump); i++)
		out[i] = igbook_rd32(priv, igbook_dump[i]);
	/* loom: begin regs-queues from 10 */
	out += ARRAY_SIZE(igbook_dump);
	for (i = 0; i < IGBOOK_MAX_QUEUES * ARRAY_SIZE(igbook_dump_queue); i++) {
		u32 queue = i / ARRAY_SIZE(igbook_dump_queue);
		u32 reg = igbook_dump_queue[i % ARRAY_SIZE(igbook_dump_queue)];

		out[i] = igbook_rd32(priv, reg + 0x40 * queue);
	}
	/* loom: end regs-queues */
}

static int igbook_get_eeprom_len(struct net_device *netdev)
{
	return IGBOOK_NVM_WORDS * sizeof(u16);
}

/*
 * The NVM is read in words, user space asks for bytes: read the words that
 * cover the request and copy the part asked for.
 */
static int igbook_get_eeprom(struct net_device *netdev,
			     struct ethtool_eeprom *eeprom, u8 *data)
{
	struct igbook *priv = netdev_priv(netdev);
	u16 first = eeprom->offset / 2;
	u16 last = (eeprom->offset + eeprom->len - 1) / 2;
	u16 words[IGBOOK_NVM_WORDS];
	int err;
	u32 i;

	err = igbook_nvm_read(priv, first, last - first + 1, words);
	if (err)
		return err;
	for (i = 0; i < eeprom->len; i++) {
		u32 at = eeprom->offset % 2 + i;

		data[i] = words[at / 2] >> 8 * (at % 2);
	}
	eeprom->magic = priv->pdev->vendor | (u32)priv->pdev->device << 16;
	return 0;
}

static u32 igbook_get_msglevel(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);

	return priv->msg_enable;
}

static void igbook_set_msglevel(struct net_device *netdev, u32 value)
{
	struct igbook *priv = netdev_priv(netdev);

	priv->msg_enable = value;
}

/*
 * The link is lost from here on, whether or not the card says so: the emulated
 * one does not.
 */
static int igbook_nway_reset(struct net_device *netdev)
{
	struct igbook *priv = netdev_priv(netdev);
	int err;

	if (!netif_running(netdev))
		return -EINVAL;
	/* loom: begin nway-forced from 10 */
	if (!priv->linkset.autoneg)
		return -EINVAL;
	/* loom: end nway-forced */
	igbook_link_stop(priv);
	err = igbook_link_start(priv);
	/* loom: begin nway-mute from 05 */
	if (err)
		igbook_link_changed(priv);
	/* loom: end nway-mute */
	return err;
}

/* loom: from 10 */
/* The diode blinks by itself until the user stops looking. */
static int igbook_set_phys_id(struct net_device *netdev,
			      enum ethtool_phys_id_state state)
{
	struct igbook *priv = netdev_priv(netdev);

	switch (state) {
	case ETHTOOL_ID_ACTIVE:
		priv->ledctl = igbook_rd32(priv, REG_LEDCTL);
		igbook_wr32(priv, REG_LEDCTL,
			    (priv->ledctl & ~LEDCTL_LED0_MODE) |
			    FIELD_PREP(LEDCTL_LED0_MODE, LEDCTL_MODE_ON) |
			    LEDCTL_LED0_BLINK);
		return 0;
	case ETHTOOL_ID_INACTIVE:
		igbook_wr32(priv, REG_LEDCTL, priv->ledctl);
		return 0;
	default:
		return -EINVAL;
	}
}

/* loom: from 07 */
static int igbook_get_tunable(struct net_device *netdev,
			      const struct ethtool_tunable *tuna, void *data)
{
	struct igbook *priv = netdev_priv(netdev);

	if (tuna->id != ETHTOOL_RX_COPYBREAK)
		return -EOPNOTSUPP;
	*(u32 *)data = priv->rx_copybreak;
	return 0;
}

/* loom: from 07 */
static int igbook_set_tunable(struct net_device *netdev,
			      const struct ethtool_tunable *tuna,
			      const void *data)
{
	struct igbook *priv = netdev_priv(netdev);
	u32 value = *(const u32 *)data;

	if (tuna->id != ETHTOOL_RX_COPYBREAK)
		return -EOPNOTSUPP;
	if (value > IGBOOK_RX_COPY_MAX)
		return -EINVAL;
	WRITE_ONCE(priv->rx_copybreak, value);
	return 0;
}

const struct ethtool_ops igbook_ethtool_ops = {
	.get_drvinfo = igbook_get_drvinfo,
	.get_regs_len = igbook_get_regs_len,
	.get_regs = igbook_get_regs,
	.get_eeprom_len = igbook_get_eeprom_len,
	.get_eeprom = igbook_get_eeprom,
	.get_msglevel = igbook_get_msglevel,
	.set_msglevel = igbook_set_msglevel,
	.nway_reset = igbook_nway_reset,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = igbook_get_link_ksettings,
	/* loom: begin ethtool-rings from 04 */
	.get_ringparam = igbook_get_ringparam,
	.set_ringparam = igbook_set_ringparam,
	.get_sset_count = igbook_get_sset_count,
	.get_strings = igbook_get_strings,
	.get_ethtool_stats = igbook_get_ethtool_stats,
	/* loom: end ethtool-rings */
	/* loom: begin ethtool-coalesce from 06 */
	.supported_coalesce_params = ETHTOOL_COALESCE_RX_USECS |
				     ETHTOOL_COALESCE_USE_ADAPTIVE_RX,
	.get_coalesce = igbook_get_coalesce,
	.set_coalesce = igbook_set_coalesce,
	/* loom: end ethtool-coalesce */
	/* loom: begin ethtool-queues from 07 */
	.get_channels = igbook_get_channels,
	.set_channels = igbook_set_channels,
	.get_rxnfc = igbook_get_rxnfc,
	.get_rxfh_fields = igbook_get_rxfh_fields,
	.set_rxfh_fields = igbook_set_rxfh_fields,
	.get_rxfh_key_size = igbook_get_rxfh_key_size,
	.get_rxfh_indir_size = igbook_get_rxfh_indir_size,
	.get_rxfh = igbook_get_rxfh,
	.set_rxfh = igbook_set_rxfh,
	.get_tunable = igbook_get_tunable,
	.set_tunable = igbook_set_tunable,
	/* loom: end ethtool-queues */
	/* loom: begin ethtool-stamp from 09 */
	.get_ts_info = igbook_get_ts_info,
	.get_ts_stats = igbook_get_ts_stats,
	/* loom: end ethtool-stamp */
	/* loom: begin ethtool-observe from 10 */
	.set_rxnfc = igbook_set_rxnfc,
	.set_eeprom = igbook_set_eeprom,
	.set_link_ksettings = igbook_set_link_ksettings,
	.get_pauseparam = igbook_get_pauseparam,
	.set_pauseparam = igbook_set_pauseparam,
	.get_pause_stats = igbook_get_pause_stats,
	.get_eth_mac_stats = igbook_get_eth_mac_stats,
	.get_eth_phy_stats = igbook_get_eth_phy_stats,
	.get_eth_ctrl_stats = igbook_get_eth_ctrl_stats,
	.get_rmon_stats = igbook_get_rmon_stats,
	.get_wol = igbook_get_wol,
	.set_wol = igbook_set_wol,
	.set_phys_id = igbook_set_phys_id,
	.self_test = igbook_self_test,
	/* loom: end ethtool-observe */
};
