// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_read_mac() - find the port's own address
 * @priv: the device, just reset
 *
 * After a reset the card has copied the address from the NVM into the first
 * receive address register, and has already allowed for the port: the second
 * port's address differs from the first's. So the register is the better
 * source of the two. A card without an address gets a random one: it works,
 * but with another address each time.
 *
 * Context: probe.
 *
 * Source: 82576 datasheet, "Receive Address Low" and "Receive Address High".
 */
void igbook_read_mac(struct igbook *priv)
{
	u8 addr[ETH_ALEN];
	u32 reg[2];
	int i;

	reg[0] = igbook_rd32(priv, REG_RAL(0));
	reg[1] = igbook_rd32(priv, REG_RAH(0));
	for (i = 0; i < ETH_ALEN; i++)
		addr[i] = reg[i / 4] >> (8 * (i % 4));

	if (!(reg[1] & RAH_AV) || !is_valid_ether_addr(addr)) {
		pci_warn(priv->pdev, "the card has no address\n");
		eth_hw_addr_random(priv->netdev);
		return;
	}
	eth_hw_addr_set(priv->netdev, addr);
	ether_addr_copy(priv->netdev->perm_addr, addr);
}
