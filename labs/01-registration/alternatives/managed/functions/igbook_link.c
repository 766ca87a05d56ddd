// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_link_is_up() - ask the PHY and the MAC
 * @priv: the device
 * @lost: set to whether the link was down at any time since the last call
 *
 * BMSR's link bit latches low: the first read tells whether the link was lost
 * since it was last read, the second whether it is there now. The MAC's
 * STATUS.LU must agree, or frames would go nowhere.
 *
 * Context: sleeps.
 * Return: whether frames can pass; false also when the PHY does not answer.
 *
 * Source: IEEE 802.3 clause 22, register 1; 82576 datasheet, "Device Status
 * Register".
 */
static bool igbook_link_is_up(struct igbook *priv, bool *lost)
{
	bool mac = igbook_rd32(priv, REG_STATUS) & STATUS_LU;
	bool phy = false;
	u16 bmsr;
	int look;

	*lost = false;
	for (look = 0; look < 2; look++) {
		if (igbook_phy_read(priv, MII_BMSR, &bmsr)) {
			*lost = true;
			return false;
		}
		phy = bmsr & BMSR_LSTATUS;
		if (!phy)
			*lost = true;
	}
	return mac && phy;
}
