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
	u16 words[ETH_ALEN / 2];
	u8 addr[ETH_ALEN];
	int i;

	/* The first three words; the other port's is the next address. */
	if (!igbook_nvm_read(priv, 0, ARRAY_SIZE(words), words)) {
		for (i = 0; i < ARRAY_SIZE(words); i++)
			put_unaligned_le16(words[i], addr + 2 * i);
		addr[ETH_ALEN - 1] ^= priv->port;
		if (is_valid_ether_addr(addr)) {
			eth_hw_addr_set(priv->netdev, addr);
			return;
		}
	}
	eth_hw_addr_random(priv->netdev);
}
