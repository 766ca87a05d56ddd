// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: the card's non-volatile memory, and the address kept in it.
 */
#include <linux/bitfield.h>
#include <linux/iopoll.h>

#include "igbook.h"

#if 0	/* loom: begin nvm-sum until 10 */
#define NVM_SUM		0xbaba	/* what the words below add up to */

#endif	/* loom: end nvm-sum */
/* 82576 datasheet, "EEPROM Read Register". */
static int igbook_nvm_read_word(struct igbook *priv, u16 offset, u16 *word)
{
	u32 eerd;
	int err;

	igbook_wr32(priv, REG_EERD,
		    FIELD_PREP(EERD_ADDR, offset) | EERD_START);
	err = read_poll_timeout(igbook_rd32, eerd, eerd & EERD_DONE, 5, 5000,
				false, priv, REG_EERD);
	if (!err)
		*word = FIELD_GET(EERD_DATA, eerd);
	return err;
}

/**
 * igbook_nvm_read() - read some words
 * @priv: the device
 * @first: the first word's number
 * @count: how many
 * @words: where they go, in the CPU's byte order
 *
 * Context: probe or RTNL, so only one caller at a time; sleeps.
 * Return: 0, or a negative errno.
 */
int igbook_nvm_read(struct igbook *priv, u16 first, u16 count, u16 *words)
{
	int err;
	u16 i;

	err = igbook_swfw_acquire(priv, SW_FW_SYNC_EEP);
	if (err)
		return err;
	for (i = 0; i < count && !err; i++)
		err = igbook_nvm_read_word(priv, first + i, &words[i]);
	igbook_swfw_release(priv, SW_FW_SYNC_EEP);
	return err;
}

/**
 * igbook_nvm_validate() - is there a card's worth of sense in the NVM?
 * @priv: the device
 *
 * Context: probe or RTNL; sleeps.
 * Return: 0, -EIO when the checksum is wrong, or another negative errno.
 *
 * Source: 82576 datasheet, "Checksum Word".
 */
int igbook_nvm_validate(struct igbook *priv)
{
	u16 words[IGBOOK_NVM_WORDS];
	u16 sum = 0;
	int err;
	int i;

	err = igbook_nvm_read(priv, 0, ARRAY_SIZE(words), words);
	if (err) {
		pci_err(priv->pdev, "NVM does not answer: %d\n", err);
		return err;
	}
	for (i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i];
#if 0	/* loom: begin nvm-compare until 10 */
	if (sum != NVM_SUM) {
		pci_err(priv->pdev, "NVM checksum is %#06x, not %#06x\n", sum,
			NVM_SUM);
#endif	/* loom: end nvm-compare */
	/* loom: begin nvm-compare-10 from 10 */
	if (sum != IGBOOK_NVM_SUM) {
		pci_err(priv->pdev, "NVM checksum is %#06x, not %#06x\n", sum,
			IGBOOK_NVM_SUM);
	/* loom: end nvm-compare-10 */
		return -EIO;
	}
	return 0;
}

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
	u32 low = igbook_rd32(priv, REG_RAL(0));
	u32 high = igbook_rd32(priv, REG_RAH(0));
	u8 addr[ETH_ALEN];

	put_unaligned_le32(low, addr);
	put_unaligned_le16(high, addr + 4);
	if ((high & RAH_AV) && is_valid_ether_addr(addr)) {
		eth_hw_addr_set(priv->netdev, addr);
		return;
	}

	eth_hw_addr_random(priv->netdev);
	pci_warn(priv->pdev, "no address in the NVM, using %pM\n",
		 priv->netdev->dev_addr);
}
