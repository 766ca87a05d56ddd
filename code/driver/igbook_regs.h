/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of the Intel 82576, under the names its datasheet gives them.
 *
 * REG_NAME is an offset into BAR 0, NAME_FIELD a bit or a field of that
 * register. Offsets and bits: 82576EB datasheet, chapter "Programming
 * Interface".
 */
#ifndef _IGBOOK_REGS_H_
#define _IGBOOK_REGS_H_

#include <linux/bits.h>

/* General: Device Control, Device Status, Extended Device Control */
#define REG_CTRL		0x00000
#define   CTRL_FD			BIT(0)	/* full duplex */
#define   CTRL_GIO_MASTER_DISABLE	BIT(2)	/* start no new DMA */
#define   CTRL_SLU			BIT(6)	/* set link up */
#define   CTRL_FRCSPD			BIT(11)	/* force speed */
#define   CTRL_FRCDPX			BIT(12)	/* force duplex */
#define   CTRL_RST			BIT(26)	/* software reset, clears itself */
#define REG_STATUS		0x00008
#define   STATUS_FD			BIT(0)	/* full duplex */
#define   STATUS_LU			BIT(1)	/* link up */
#define   STATUS_LAN_ID			GENMASK(3, 2)	/* which port we are */
#define   STATUS_SPEED			GENMASK(7, 6)
#define     STATUS_SPEED_10		0
#define     STATUS_SPEED_100		1
#define   STATUS_GIO_MASTER_ENABLE	BIT(19)	/* DMA may be under way */
#define REG_CTRL_EXT		0x00018
#define   CTRL_EXT_DRV_LOAD		BIT(28)	/* a driver has the device */

/* Non-volatile memory: control, read, configuration done */
#define REG_EECD		0x00010
#define   EECD_AUTO_RD			BIT(9)	/* NVM loaded after reset */
#define REG_EERD		0x00014
#define   EERD_START			BIT(0)
#define   EERD_DONE			BIT(1)
#define   EERD_ADDR			GENMASK(15, 2)
#define   EERD_DATA			GENMASK(31, 16)
#define REG_EEMNGCTL		0x01010
#define   EEMNGCTL_CFG_DONE(port)	BIT(18 + (port))

/* The PHY's management interface */
#define REG_MDIC		0x00020
#define   MDIC_DATA			GENMASK(15, 0)
#define   MDIC_REGADD			GENMASK(20, 16)
#define   MDIC_PHYADD			GENMASK(25, 21)
#define   MDIC_OP_WRITE			BIT(26)
#define   MDIC_OP_READ			BIT(27)
#define   MDIC_R			BIT(28)	/* ready */
#define   MDIC_E			BIT(30)	/* error */

/* Interrupts: cause (cleared by reading it) and mask clear */
#define REG_ICR			0x000c0
#define   ICR_LSC			BIT(2)	/* link status change */
#define REG_IMC			0x000d8

/* Receive: control, longest frame, address filters */
#define REG_RCTL		0x00100
#define   RCTL_UPE			BIT(3)	/* all unicast */
#define   RCTL_MPE			BIT(4)	/* all multicast */
#define   RCTL_LPE			BIT(5)	/* frames longer than 1522 */
#define   RCTL_MO			GENMASK(13, 12)	/* multicast offset */
#define   RCTL_BAM			BIT(15)	/* broadcast */
#define REG_RLPML		0x05004
#define REG_MTA(n)		(0x05200 + 4 * (n))
#define   MTA_WORDS			128
#define REG_RAL(n)		(0x05400 + 8 * (n))
#define REG_RAH(n)		(0x05404 + 8 * (n))
#define   RAH_AV			BIT(31)	/* address valid */
#define   RAR_ENTRIES			16	/* 82576: eight more elsewhere */

/* Transmit control */
#define REG_TCTL		0x00400
#define   TCTL_EN			BIT(1)
#define   TCTL_PSP			BIT(3)	/* pad short packets */

/* Statistics; each clears when read */
#define REG_CRCERRS		0x04000
#define REG_MPC			0x04010
#define REG_GPRC		0x04074
#define REG_MPRC		0x0407c
#define REG_GPTC		0x04080
#define REG_RUC			0x040a4
#define REG_ROC			0x040ac

/* Semaphores shared with the other port and with the card's firmware */
#define REG_SWSM		0x05b50
#define   SWSM_SMBI			BIT(0)	/* taken by reading it as 0 */
#define   SWSM_SWESMBI			BIT(1)	/* taken if it stays written */
#define REG_SW_FW_SYNC		0x05b5c
#define   SW_FW_SYNC_EEP		BIT(0)	/* the NVM */
#define   SW_FW_SYNC_PHY(port)		BIT(1 + (port))	/* a port's PHY */
#define   SW_FW_SYNC_FW_SHIFT		16	/* firmware's copy of each */

/* loom: begin regs-transmit-queue from 02 */
/* One transmit queue: base, length in bytes, head, tail, control */
#define REG_TDBAL(n)		(0x0e000 + 0x40 * (n))
#define REG_TDBAH(n)		(0x0e004 + 0x40 * (n))
#define REG_TDLEN(n)		(0x0e008 + 0x40 * (n))
#define REG_TDH(n)		(0x0e010 + 0x40 * (n))
#define REG_TDT(n)		(0x0e018 + 0x40 * (n))
#define REG_TXDCTL(n)		(0x0e028 + 0x40 * (n))
#define   TXDCTL_ENABLE			BIT(25)
/* loom: end regs-transmit-queue */

/* loom: begin regs-transmit-more from 04 */
/* More of transmit control: how to treat a collision */
#define   TCTL_CT			GENMASK(11, 4)	/* collision threshold */
#define     TCTL_CT_DEFAULT		15
#define   TCTL_RTLC			BIT(24)	/* retry on a late collision */
/* loom: end regs-transmit-more */

/* loom: begin regs-receive-queue from 04 */
/* One receive queue: base, length in bytes, head, tail, control */
#define REG_RDBAL(n)		(0x0c000 + 0x40 * (n))
#define REG_RDBAH(n)		(0x0c004 + 0x40 * (n))
#define REG_RDLEN(n)		(0x0c008 + 0x40 * (n))
#define REG_SRRCTL(n)		(0x0c00c + 0x40 * (n))
#define   SRRCTL_BSIZEPACKET		GENMASK(6, 0)	/* a buffer, in KB */
#define   SRRCTL_DESCTYPE		GENMASK(27, 25)
#define     SRRCTL_DESCTYPE_ONEBUF	1	/* advanced, one buffer */
#define REG_RDH(n)		(0x0c010 + 0x40 * (n))
#define REG_RDT(n)		(0x0c018 + 0x40 * (n))
#define REG_RXDCTL(n)		(0x0c028 + 0x40 * (n))
/* The same fields in TXDCTL */
#define   RXDCTL_PTHRESH		GENMASK(4, 0)	/* fetch ahead below */
#define   RXDCTL_HTHRESH		GENMASK(12, 8)	/* ... if so many wait */
#define   RXDCTL_WTHRESH		GENMASK(20, 16)	/* write back at once */
#define   RXDCTL_ENABLE			BIT(25)

/* Receive control: run, and what becomes of the FCS */
#define   RCTL_RXEN			BIT(1)
#define   RCTL_SECRC			BIT(26)	/* strip the FCS */

/* Frames that found no descriptor; they may still have waited in the FIFO */
#define REG_RNBC		0x040a0
/* loom: end regs-receive-queue */

/* loom: begin regs-vectors from 05 */
/* More causes, and the mask that lets them through */
#define   ICR_TXDW			BIT(0)	/* transmit descriptor written */
#define   ICR_RXDW			BIT(7)	/* receive descriptor written */
#define   ICR_INTA			BIT(31)	/* the interrupt was ours */
#define REG_IMS			0x000d0

/* Extended interrupts: with MSI-X a bit for each vector */
#define REG_GPIE		0x01514
#define   GPIE_NSICR			BIT(0)	/* reading ICR clears it */
#define   GPIE_MSIX_MODE		BIT(4)	/* more than one message */
#define   GPIE_EIAME			BIT(30)	/* a message masks by EIAM */
#define   GPIE_PBA			BIT(31)	/* pending bits as in MSI-X */
#define REG_EITR(n)		(0x01680 + 4 * (n))	/* least pause */
/* loom: begin regs-eitr from 06 */
#define   EITR_INTERVAL			GENMASK(14, 2)	/* microseconds */
#define   EITR_CNT_INGR			BIT(31)	/* leave the counter alone */
/* loom: end regs-eitr */
#define REG_EIMS		0x01524		/* set mask */
#define REG_EIMC		0x01528		/* clear mask */
#define REG_EIAC		0x0152c		/* a message clears the cause */
#define REG_EIAM		0x01530		/* a message masks the cause */
#define REG_EICR		0x01580		/* cause */

/* Which vector a queue's causes go to: queues n and n + 8 */
#define REG_IVAR(n)		(0x01700 + 4 * (n))
#define   IVAR_RX			GENMASK(7, 0)
#define   IVAR_TX			GENMASK(15, 8)
#define   IVAR_VALID			BIT(7)	/* in each entry */
#define REG_IVAR_MISC		0x01740
#define   IVAR_OTHER			GENMASK(15, 8)
/* loom: end regs-vectors */

/* loom: begin regs-dca from 03 */
/* Direct cache access: receive and transmit queues, and the whole port */
#define REG_DCA_RXCTRL(n)	(0x0c014 + 0x40 * (n))
#define   DCA_RXCTRL_DESC_DCA_EN	BIT(5)	/* tag descriptor writes */
#define   DCA_RXCTRL_HEAD_DCA_EN	BIT(6)	/* tag header writes */
#define   DCA_RXCTRL_DATA_DCA_EN	BIT(7)	/* tag payload writes */
#define   DCA_RXCTRL_DESC_RRO_EN	BIT(9)	/* relaxed descriptor reads */
#define   DCA_RXCTRL_DATA_WRO_EN	BIT(13)	/* relaxed payload writes */
#define   DCA_RXCTRL_HEAD_WRO_EN	BIT(15)	/* relaxed header writes */
#define REG_DCA_TXCTRL(n)	(0x0e014 + 0x40 * (n))
#define   DCA_TXCTRL_DESC_DCA_EN	BIT(5)	/* tag descriptor write-back */
#define   DCA_TXCTRL_DESC_RRO_EN	BIT(9)	/* relaxed descriptor reads */
#define   DCA_TXCTRL_DESC_WRO_EN	BIT(11)	/* relaxed write-back */
#define   DCA_TXCTRL_DATA_RRO_EN	BIT(13)	/* relaxed data reads */
#define DCA_CPUID		GENMASK(31, 24)	/* the tag, in both */
#define DCA_QUEUES		16
#define REG_DCA_CTRL		0x05b74
#define   DCA_CTRL_DCA_DIS		BIT(0)	/* no tags; set by a reset */
#define   DCA_CTRL_DCA_MODE		GENMASK(4, 1)
#define     DCA_CTRL_DCA_MODE_1_0	1	/* a tag a queue: "DCA 1.0" */
/* loom: end regs-dca */

/* loom: begin regs-offload from 07 */
/* Frames dropped because their queue had no descriptor; clears when read */
#define REG_RQDPC(n)		(0x0c030 + 0x40 * (n))
#define   RQDPC_COUNT			GENMASK(11, 0)	/* stays at its most */

/* Checksums of received frames */
#define REG_RXCSUM		0x05000
#define   RXCSUM_IPOFLD			BIT(8)	/* check that of IPv4 */
#define   RXCSUM_TUOFLD			BIT(9)	/* and those of TCP and UDP */
/* loom: begin regs-sctp from 10 */
#define   RXCSUM_CRCOFL			BIT(11)	/* and that of SCTP */
/* loom: end regs-sctp */
#define   RXCSUM_PCSD			BIT(13)	/* a hash, not a packet's sum */

/* VLANs: which are taken, and whether the tag is taken out */
#define   CTRL_VME			BIT(30)	/* take the tag out */
#define   RCTL_VFE			BIT(18)	/* heed the table */
#define REG_VFTA(n)		(0x05600 + 4 * (n))
#define   VFTA_WORDS			128

/* Receive side scaling: what is hashed, by which key, to which queue */
#define REG_MRQC		0x05818
#define   MRQC_ENABLE			GENMASK(2, 0)
#define     MRQC_ENABLE_RSS		2
#define   MRQC_TCP_IPV4			BIT(16)
#define   MRQC_IPV4			BIT(17)
#define   MRQC_TCP_IPV6_EX		BIT(18)
#define   MRQC_IPV6			BIT(20)
#define   MRQC_TCP_IPV6			BIT(21)
#define   MRQC_UDP_IPV4			BIT(22)
#define   MRQC_UDP_IPV6			BIT(23)
#define   MRQC_UDP_IPV6_EX		BIT(24)
#define REG_RETA(n)		(0x05c00 + 4 * (n))
#define   RETA_ENTRIES			128	/* four in each register */
#define REG_RSSRK(n)		(0x05c80 + 4 * (n))
#define   RSSRK_BYTES			40	/* four in each register */
#define   SRRCTL_DROP_EN		BIT(31)	/* no descriptor: drop, do not wait */
/* loom: end regs-offload */

/* loom: begin regs-clock from 09 */
/* The clock: a counter, and what is added to it how often */
#define REG_SYSTIML		0x0b600
#define REG_SYSTIMH		0x0b604
#define REG_TIMINCA		0x0b608
#define   TIMINCA_INCVALUE		GENMASK(23, 0)
#define   TIMINCA_INCPERIOD		GENMASK(31, 24)	/* in units of 16 ns */

/* One stamp of a frame that was sent, one of a frame that was received */
#define REG_TSYNCTXCTL		0x0b614
#define   TSYNCTXCTL_TXTT		BIT(0)	/* there is a stamp */
#define   TSYNCTXCTL_EN			BIT(4)
#define REG_TXSTMPL		0x0b618
#define REG_TXSTMPH		0x0b61c
#define REG_TSYNCRXCTL		0x0b620
#define   TSYNCRXCTL_RXTT		BIT(0)	/* there is a stamp */
#define   TSYNCRXCTL_TYPE		GENMASK(3, 1)	/* which frames get one */
#define     TSYNCRXCTL_TYPE_EVENT_V2	5	/* events of PTP version 2 */
#define   TSYNCRXCTL_EN			BIT(4)
#define REG_RXSTMPL		0x0b624
#define REG_RXSTMPH		0x0b628
#define REG_RXSATRH		0x0b630	/* whose it is: number, part of the id */

/* Filters by EtherType, and by protocol and port: which frames are PTP's */
#define REG_ETQF(n)		(0x05cb0 + 4 * (n))
#define   ETQF_ETYPE			GENMASK(15, 0)
#define   ETQF_FILTER_EN		BIT(26)
#define   ETQF_1588			BIT(30)	/* they may be stamped */
#define REG_FTQF(n)		(0x059e0 + 4 * (n))
#define   FTQF_PROTOCOL			GENMASK(7, 0)
#define   FTQF_VF_MASK			BIT(15)	/* whichever function it is for */
#define   FTQF_1588			BIT(27)	/* they may be stamped */
#define   FTQF_MASK			GENMASK(31, 28)	/* what is not compared */
#define   FTQF_MASK_PROTOCOL		BIT(28)
#define REG_IMIR(n)		(0x05a80 + 4 * (n))
#define   IMIR_PORT			GENMASK(15, 0)	/* destination */
#define REG_IMIREXT(n)		(0x05aa0 + 4 * (n))
#define   IMIREXT_SIZE_BP		BIT(12)	/* of any length */
#define   IMIREXT_CTRL_BP		BIT(19)	/* with any TCP flags */
/* loom: end regs-clock */

/* loom: begin regs-observe from 10 */
/* More of device control: a speed not agreed upon, and flow control */
#define   CTRL_SPEED			GENMASK(9, 8)
#define     CTRL_SPEED_1000		2
#define   CTRL_RFCE			BIT(27)	/* obey pause frames */
#define   CTRL_TFCE			BIT(28)	/* send them */

/* Flow control: their address and type, the pause, when to send one */
#define REG_FCAL		0x00028
#define REG_FCAH		0x0002c
#define REG_FCT			0x00030
#define REG_FCTTV		0x00170
#define REG_FCRTL		0x02160
#define   FCRTL_XONE			BIT(31)	/* tell when it is over */
#define REG_FCRTH		0x02168

/* The serial memory behind EERD, lead by lead */
#define   EECD_SK			BIT(0)	/* clock */
#define   EECD_CS			BIT(1)	/* not selected */
#define   EECD_DI			BIT(2)	/* into the memory */
#define   EECD_DO			BIT(3)	/* out of it */
#define   EECD_REQ			BIT(6)	/* software wants the leads */
#define   EECD_GNT			BIT(7)	/* ... and has them */
#define   EECD_ADDR_BITS		BIT(10)	/* addresses of 16 bits, not 8 */

/* Causes set by software */
#define REG_ICS			0x000c8
#define REG_EICS		0x01520

/* Light-emitting diode 0 */
#define REG_LEDCTL		0x00e00
#define   LEDCTL_LED0_MODE		GENMASK(3, 0)
#define     LEDCTL_MODE_ON		14
#define   LEDCTL_LED0_BLINK		BIT(7)

/* What is refused is received, and what is sent */
#define   RCTL_SBP			BIT(2)	/* frames with errors */
#define   RCTL_PMCF			BIT(23)	/* frames for the MAC */
#define   RCTL_LBM			GENMASK(7, 6)
#define     RCTL_LBM_MAC		1

/* Which queue a frame goes to for its EtherType: more of ETQF */
#define   ETQF_QUEUE			GENMASK(18, 16)
#define   ETQF_QUEUE_EN			BIT(31)

/* Wake up: whether, by what, and by what it was */
#define REG_WUC			0x05800
#define   WUC_PME_EN			BIT(1)	/* ask for power */
#define   WUC_PME_STATUS		BIT(2)	/* has asked; written as 1: no more */
#define REG_WUFC		0x05808
#define   WUFC_LNKC			BIT(0)	/* a change of the link */
#define   WUFC_MAG			BIT(1)	/* a magic packet */
#define   WUFC_EX			BIT(2)	/* a frame to our address */
#define   WUFC_MC			BIT(3)	/* to a group */
#define   WUFC_BC			BIT(4)	/* to everybody */
#define REG_WUS			0x05810

/* More statistics */
#define REG_ALGNERRC		0x04004
#define REG_SYMERRS		0x04008
#define REG_RXERRC		0x0400c
#define REG_SCC			0x04014
#define REG_ECOL		0x04018
#define REG_MCC			0x0401c
#define REG_LATECOL		0x04020
#define REG_COLC		0x04028
#define REG_DC			0x04030
#define REG_RLEC		0x04040
#define REG_XONRXC		0x04048
#define REG_XONTXC		0x0404c
#define REG_XOFFRXC		0x04050
#define REG_XOFFTXC		0x04054
#define REG_FCRUC		0x04058
#define REG_PRC(n)		(0x0405c + 4 * (n))	/* received, by length */
#define REG_BPRC		0x04078
#define REG_RFC			0x040a8
#define REG_RJC			0x040b0
#define REG_PTC(n)		(0x040d8 + 4 * (n))	/* sent, by length */
#define   LENGTH_CLASSES		6
#define REG_MPTC		0x040f0
#define REG_BPTC		0x040f4
/* loom: end regs-observe */

#endif /* _IGBOOK_REGS_H_ */
