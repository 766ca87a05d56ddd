// SPDX-License-Identifier: GPL-2.0
/*
 * igbook: reset, and what the driver shares with the card's firmware.
 */
#include <linux/delay.h>
#include <linux/iopoll.h>

#include "igbook.h"

static int igbook_wait_set(struct igbook *priv, u32 reg, u32 bits,
			   unsigned long timeout_us)
{
	u32 value;

	return read_poll_timeout(igbook_rd32, value, value & bits, 1000,
				 timeout_us, false, priv, reg);
}

/*
 * After a reset the card loads its registers from the NVM (EECD.AUTO_RD) and
 * its firmware configures the PHY (EEMNGCTL.CFG_DONE). Neither is fatal when it
 * does not come: a card without an NVM may set neither, and the emulated card
 * does not have them. What matters is checked afterwards: the NVM's checksum,
 * the address, the PHY's identity.
 *
 * 82576 datasheet, "EEPROM/Flash Control Register" and "MNG EEPROM Control
 * Register".
 */
static void igbook_wait_loaded(struct igbook *priv)
{
	u32 done = EEMNGCTL_CFG_DONE(priv->port);

	if (igbook_wait_set(priv, REG_EECD, EECD_AUTO_RD, 10000))
		pci_dbg(priv->pdev, "EECD.AUTO_RD not set after reset\n");
	if (igbook_wait_set(priv, REG_EEMNGCTL, done, 100000))
		pci_dbg(priv->pdev, "EEMNGCTL.CFG_DONE not set after reset\n");
}

/*
 * Reading ICR clears the causes that are pending and pushes the write before it
 * to the card.
 */
static void igbook_mask_interrupts(struct igbook *priv)
{
	igbook_wr32(priv, REG_IMC, ~0U);
	igbook_rd32(priv, REG_ICR);
}

/**
 * igbook_set_resetting() - keep those away who come at any time, or let them in
 * @priv: the device
 * @resetting: a reset or a sleep is ahead; it is over
 *
 * Anybody may ask for the counters or join a group, and a provider of tags may
 * come or go. When this returns nobody is inside who came before.
 *
 * Context: process context; takes stats_lock, and from stage 03 on DCA's below
 * it.
 */
void igbook_set_resetting(struct igbook *priv, bool resetting)
{
	spin_lock_bh(&priv->stats_lock);
	/* loom: begin resetting-dca from 03 */
	spin_lock_irq(&priv->dca.lock);
	/* loom: end resetting-dca */
	priv->resetting = resetting;
	/* loom: begin resetting-dca-end from 03 */
	spin_unlock_irq(&priv->dca.lock);
	/* loom: end resetting-dca-end */
	spin_unlock_bh(&priv->stats_lock);
}

/**
 * igbook_hw_reset() - bring the card into the state the datasheet describes
 * @priv: the device, registers mapped
 *
 * Most of what firmware or another driver left in the registers is gone
 * afterwards. The pauses between interrupts (EITR) stay, and what it left in the
 * PHY may. The link is allowed to come up (CTRL.SLU, which the reset
 * clears) but nothing has started it yet.
 *
 * Context: sleeps.
 *
 * Source: 82576 datasheet, "Software Reset" and "Device Control Register".
 */
void igbook_hw_reset(struct igbook *priv)
{
	u32 ctrl;

	/* loom: begin reset-clock-stop from 09 */
	igbook_clock_stop(priv);
	/* loom: end reset-clock-stop */
	/* loom: begin reset-gone from 10 */
	if (igbook_is_gone(priv))
		return;
	/* loom: end reset-gone */
	igbook_mask_interrupts(priv);
	igbook_wr32(priv, REG_RCTL, 0);
	igbook_wr32(priv, REG_TCTL, TCTL_PSP);
	/* loom: begin reset-master-disable from 02 */
	igbook_dma_master_disable(priv);
	/* loom: end reset-master-disable */

	ctrl = igbook_rd32(priv, REG_CTRL);
	igbook_set_resetting(priv, true);
	igbook_wr32(priv, REG_CTRL, ctrl | CTRL_RST);
	/* Nobody comes near it while it resets itself. */
	usleep_range(1000, 2000);
	igbook_set_resetting(priv, false);
	igbook_wait_loaded(priv);

	igbook_mask_interrupts(priv);
	ctrl = igbook_rd32(priv, REG_CTRL);
	ctrl &= ~(CTRL_FRCSPD | CTRL_FRCDPX);
	igbook_wr32(priv, REG_CTRL, ctrl | CTRL_SLU);
	/* loom: begin reset-clock-start from 09 */
	igbook_clock_start(priv);
	/* loom: end reset-clock-start */
}

/**
 * igbook_drv_load() - tell the card's firmware whether a driver is in charge
 * @priv: the device
 * @loaded: true after probe and after each reset, which says no; false when the
 *	    driver leaves the card, or before it sleeps or somebody resets it
 *
 * Context: RTNL, or remove, when nobody else is left.
 *
 * Source: 82576 datasheet, "Extended Device Control Register", DRV_LOAD.
 */
void igbook_drv_load(struct igbook *priv, bool loaded)
{
	u32 ctrl_ext = igbook_rd32(priv, REG_CTRL_EXT);

	if (loaded)
		ctrl_ext |= CTRL_EXT_DRV_LOAD;
	else
		ctrl_ext &= ~CTRL_EXT_DRV_LOAD;
	igbook_wr32(priv, REG_CTRL_EXT, ctrl_ext);
}

/* While the firmware has its bit the card does not take ours: write it again. */
static u32 igbook_swsm_claim(struct igbook *priv)
{
	igbook_wr32(priv, REG_SWSM, SWSM_SMBI | SWSM_SWESMBI);
	return igbook_rd32(priv, REG_SWSM);
}

/*
 * Two steps: SMBI keeps out the driver of the other port, SWESMBI keeps out the
 * firmware. The card sets SMBI when it is read, so whoever reads 0 has it.
 *
 * 82576 datasheet, "Software Semaphore".
 */
static int igbook_swsm_lock(struct igbook *priv)
{
	u32 swsm;
	int err;

	err = read_poll_timeout(igbook_rd32, swsm, !(swsm & SWSM_SMBI), 50,
				100000, false, priv, REG_SWSM);
	if (err)
		return -EBUSY;

	err = read_poll_timeout(igbook_swsm_claim, swsm, swsm & SWSM_SWESMBI,
				50, 100000, false, priv);
	if (err) {
		igbook_wr32(priv, REG_SWSM, 0);
		return -EBUSY;
	}
	return 0;
}

static int igbook_swfw_try(struct igbook *priv, u32 mask)
{
	u32 taken = mask | mask << SW_FW_SYNC_FW_SHIFT;
	u32 sync;

	if (igbook_swsm_lock(priv))
		return -EBUSY;
	sync = igbook_rd32(priv, REG_SW_FW_SYNC);
	if (!(sync & taken))
		igbook_wr32(priv, REG_SW_FW_SYNC, sync | mask);
	igbook_wr32(priv, REG_SWSM, 0);
	return sync & taken ? -EBUSY : 0;
}

/**
 * igbook_swfw_acquire() - claim the NVM or the PHY
 * @priv: the device
 * @mask: SW_FW_SYNC_EEP or SW_FW_SYNC_PHY()
 *
 * Context: sleeps, up to a second while the firmware has the part.
 * Return: 0, or a negative errno: -EBUSY while somebody else has it.
 */
int igbook_swfw_acquire(struct igbook *priv, u32 mask)
{
	int err;
	int ret;

	/* loom: begin acquire-gone from 10 */
	if (igbook_is_gone(priv))
		return -ENODEV;
	/* loom: end acquire-gone */
	ret = read_poll_timeout(igbook_swfw_try, err, !err, 5000, 1000000,
				false, priv, mask);
	if (ret)
		pci_err(priv->pdev, "SW_FW_SYNC bits %#x stay taken\n", mask);
	return ret ? -EBUSY : 0;
}

/**
 * igbook_swfw_release() - give the NVM or the PHY back
 * @priv: the device
 * @mask: what igbook_swfw_acquire() was given
 *
 * The bit is cleared even if SWSM cannot be won: a part that is never given
 * back is worse than a race with a partner that has hung.
 *
 * Context: sleeps.
 */
void igbook_swfw_release(struct igbook *priv, u32 mask)
{
	u32 sync;
	int err;

	err = igbook_swsm_lock(priv);
	sync = igbook_rd32(priv, REG_SW_FW_SYNC);
	igbook_wr32(priv, REG_SW_FW_SYNC, sync & ~mask);
	if (!err)
		igbook_wr32(priv, REG_SWSM, 0);
}
