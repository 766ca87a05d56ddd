// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: writing to the card's memory. EERD only reads; whoever wants to write
 * moves the leads of the memory himself, one after the other.
 */
#include <linux/delay.h>
#include <linux/ethtool.h>
#include <linux/iopoll.h>

#include "igbook.h"

/* What the memory understands, as any serial memory of its kind. */
#define SPI_WRITE		2
#define SPI_READ_STATUS		5
#define   SPI_STATUS_BUSY		BIT(0)
#define SPI_WRITE_ENABLE	6
#define SPI_BUSY_US		20000	/* patience with a word that is written */

/* The read pushes the write to the card; the memory wants a pause as well. */
static void igbook_spi_set(struct igbook *priv, u32 eecd)
{
	igbook_wr32(priv, REG_EECD, eecd);
	igbook_rd32(priv, REG_STATUS);
	udelay(1);
}

static void igbook_spi_select(struct igbook *priv, bool selected)
{
	u32 eecd = igbook_rd32(priv, REG_EECD) & ~(EECD_CS | EECD_SK);

	igbook_spi_set(priv, eecd | (selected ? 0 : EECD_CS));
}

/* The highest bit first; the memory looks when the clock rises. */
static void igbook_spi_put(struct igbook *priv, u16 value, unsigned int bits)
{
	u32 eecd = igbook_rd32(priv, REG_EECD) & ~EECD_SK;

	while (bits--) {
		eecd &= ~EECD_DI;
		if (value & BIT(bits))
			eecd |= EECD_DI;
		igbook_spi_set(priv, eecd);
		igbook_spi_set(priv, eecd | EECD_SK);
		igbook_spi_set(priv, eecd);
	}
}

static u8 igbook_spi_get(struct igbook *priv)
{
	u32 eecd = igbook_rd32(priv, REG_EECD) & ~(EECD_SK | EECD_DI);
	unsigned int i;
	u8 value = 0;

	for (i = 0; i < 8; i++) {
		igbook_spi_set(priv, eecd | EECD_SK);
		value <<= 1;
		if (igbook_rd32(priv, REG_EECD) & EECD_DO)
			value |= 1;
		igbook_spi_set(priv, eecd);
	}
	return value;
}

static u8 igbook_spi_status(struct igbook *priv)
{
	u8 status;

	igbook_spi_select(priv, true);
	igbook_spi_put(priv, SPI_READ_STATUS, 8);
	status = igbook_spi_get(priv);
	igbook_spi_select(priv, false);
	return status;
}

/* The memory counts bytes; a word has its lower byte first. */
static int igbook_nvm_write_word(struct igbook *priv, u16 offset, u16 word)
{
	bool wide = igbook_rd32(priv, REG_EECD) & EECD_ADDR_BITS;
	u8 status;

	igbook_spi_select(priv, true);
	igbook_spi_put(priv, SPI_WRITE_ENABLE, 8);
	igbook_spi_select(priv, false);

	igbook_spi_select(priv, true);
	igbook_spi_put(priv, SPI_WRITE, 8);
	igbook_spi_put(priv, 2 * offset, wide ? 16 : 8);
	igbook_spi_put(priv, swab16(word), 16);
	igbook_spi_select(priv, false);
	return read_poll_timeout(igbook_spi_status, status,
				 !(status & SPI_STATUS_BUSY), 100, SPI_BUSY_US,
				 false, priv);
}

/*
 * The card itself reads the memory by the same leads and gives them when it is
 * asked. The emulated card has no leads and never does.
 *
 * 82576 datasheet, "EEPROM/Flash Control Register".
 */
static int igbook_spi_request(struct igbook *priv)
{
	u32 eecd = igbook_rd32(priv, REG_EECD);

	igbook_wr32(priv, REG_EECD, eecd | EECD_REQ);
	return read_poll_timeout(igbook_rd32, eecd, eecd & EECD_GNT, 100,
				 100000, false, priv, REG_EECD);
}

static int igbook_nvm_write(struct igbook *priv, const u16 *old, const u16 *new)
{
	unsigned int i;
	int err;

	err = igbook_swfw_acquire(priv, SW_FW_SYNC_EEP);
	if (err)
		return err;
	err = igbook_spi_request(priv);
	for (i = 0; i < IGBOOK_NVM_WORDS && !err; i++)
		if (old[i] != new[i])
			err = igbook_nvm_write_word(priv, i, new[i]);
	igbook_wr32(priv, REG_EECD, igbook_rd32(priv, REG_EECD) & ~EECD_REQ);
	igbook_swfw_release(priv, SW_FW_SYNC_EEP);
	return err;
}

/**
 * igbook_set_eeprom() - "ethtool -E"
 * @netdev: the network device
 * @eeprom: where, how many, and a number that shows who knows the device
 * @data: the bytes
 *
 * The last word makes the sum of all right again, whatever was to go there. What
 * is written is read again: a memory that is protected says nothing.
 *
 * Context: RTNL; sleeps.
 * Return: 0; -EINVAL, -ETIMEDOUT when the leads are not given or the memory stays
 * busy, -EIO when it has not taken it, or another negative errno.
 *
 * Source: 82576 datasheet, "Checksum Word".
 */
int igbook_set_eeprom(struct net_device *netdev, struct ethtool_eeprom *eeprom,
		      u8 *data)
{
	struct igbook *priv = netdev_priv(netdev);
	__le16 words[IGBOOK_NVM_WORDS];
	u16 old[IGBOOK_NVM_WORDS];
	u16 new[IGBOOK_NVM_WORDS];
	u16 sum = 0;
	int err;
	int i;

	if (eeprom->magic !=
	    (priv->pdev->vendor | (u32)priv->pdev->device << 16))
		return -EINVAL;
	err = igbook_nvm_read(priv, 0, IGBOOK_NVM_WORDS, old);
	if (err)
		return err;
	for (i = 0; i < IGBOOK_NVM_WORDS; i++)
		words[i] = cpu_to_le16(old[i]);
	memcpy((u8 *)words + eeprom->offset, data, eeprom->len);
	for (i = 0; i < IGBOOK_NVM_WORDS - 1; i++) {
		new[i] = le16_to_cpu(words[i]);
		sum += new[i];
	}
	new[i] = IGBOOK_NVM_SUM - sum;

	err = igbook_nvm_write(priv, old, new);
	if (!err)
		err = igbook_nvm_read(priv, 0, IGBOOK_NVM_WORDS, old);
	if (!err && memcmp(old, new, sizeof(new)))
		err = -EIO;
	return err;
}
