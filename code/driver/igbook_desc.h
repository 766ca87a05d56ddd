/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors of the Intel 82576, under the names its datasheet gives them.
 *
 * TXD_FIELD and RXD_FIELD are bits or fields of the 32-bit or 16-bit word that
 * the line above them names.
 */
#ifndef _IGBOOK_DESC_H_
#define _IGBOOK_DESC_H_

#include <linux/bits.h>
#include <linux/types.h>

/**
 * union igbook_tx_desc - one advanced transmit descriptor, 16 bytes
 * @read: what the driver writes and the card reads
 * @wb: what the card writes back over it when the frame is out
 * @read.buffer_addr: bus address of the frame
 * @read.cmd_type_len: TXD_DTALEN, TXD_DTYP and TXD_DCMD fields
 * @read.olinfo_status: TXD_PAYLEN field
 * @wb.rsvd: reserved
 * @wb.nxtseq_seed: reserved
 * @wb.status: TXD_STA_DD once the card is done
 *
 * Source: 82576 datasheet, "Advanced Transmit Data Descriptor".
 */
union igbook_tx_desc {
	struct {
		__le64 buffer_addr;
		__le32 cmd_type_len;
		__le32 olinfo_status;
	} read;
	struct {
		__le64 rsvd;
		__le32 nxtseq_seed;
		__le32 status;
	} wb;
	/* loom: begin desc-context from 08 */
	/** @context: what is to be done to the frames that follow */
	struct {
		__le32 vlan_maclen_iplen;
		__le32 launch_time;
		__le32 tucmd;
		__le32 mss_l4len_idx;
	} context;
	/* loom: end desc-context */
};

/* union igbook_tx_desc, read.cmd_type_len */
#define TXD_DTALEN		GENMASK(15, 0)	/* bytes in this buffer */
#define TXD_DTYP		GENMASK(23, 20)	/* what kind of descriptor */
#define   TXD_DTYP_DATA			3
#define TXD_DCMD_EOP		BIT(24)		/* end of packet */
#define TXD_DCMD_IFCS		BIT(25)		/* insert the FCS */
#define TXD_DCMD_RS		BIT(27)		/* report status */
#define TXD_DCMD_DEXT		BIT(29)		/* advanced format */
/* union igbook_tx_desc, read.olinfo_status */
#define TXD_PAYLEN		GENMASK(31, 14)	/* bytes in the whole packet */
/* union igbook_tx_desc, wb.status */
#define TXD_STA_DD		BIT(0)		/* descriptor done */

/* loom: begin desc-offload from 08 */
/* more of read.cmd_type_len */
#define   TXD_DTYP_CONTEXT		2
#define TXD_DCMD_VLE		BIT(30)		/* insert the context's VLAN */
#define TXD_DCMD_TSE		BIT(31)		/* cut into segments */
/* more of read.olinfo_status */
#define TXD_POPTS_IXSM		BIT(8)		/* insert IPv4's checksum */
#define TXD_POPTS_TXSM		BIT(9)		/* insert TCP's or UDP's */
/* union igbook_tx_desc, context.vlan_maclen_iplen */
#define TXC_IPLEN		GENMASK(8, 0)	/* IP header, extensions too */
#define TXC_MACLEN		GENMASK(15, 9)	/* what comes before it */
#define TXC_VLAN		GENMASK(31, 16)	/* the tag to insert */
/* union igbook_tx_desc, context.tucmd */
#define TXC_IPV4		BIT(10)		/* IPv4, else IPv6 */
#define TXC_L4T			GENMASK(12, 11)	/* what is above IP */
#define   TXC_L4T_UDP			0
#define   TXC_L4T_TCP			1
/* loom: begin desc-sctp from 10 */
#define   TXC_L4T_SCTP			2
/* loom: end desc-sctp */
#define TXC_CONTEXT \
	(FIELD_PREP_CONST(TXD_DTYP, TXD_DTYP_CONTEXT) | TXD_DCMD_DEXT)
/* union igbook_tx_desc, context.mss_l4len_idx */
#define TXC_L4LEN		GENMASK(15, 8)	/* TCP or UDP header */
#define TXC_MSS			GENMASK(31, 16)	/* payload of a segment */
/* loom: end desc-offload */

/* loom: begin desc-stamp from 09 */
/* of a frame that is sent, also in read.cmd_type_len */
#define TXD_MAC_1588		BIT(19)		/* note when it goes out */
/* of one that was received, also in wb.status_error */
#define RXD_STA_TS		BIT(16)		/* there is a stamp of it */
/* loom: end desc-stamp */

/* loom: begin rx-descriptor from 04 */
/**
 * union igbook_rx_desc - one advanced receive descriptor, 16 bytes
 * @read: what the driver writes and the card reads
 * @wb: what the card writes back over it when the buffer is filled
 * @read.pkt_addr: bus address of the buffer
 * @read.hdr_addr: of a buffer for headers; 0, and so RXD_STA_DD is clear
 * @wb.info: RXD_RSS_TYPE, RXD_PKT_TYPE, RXD_HDR_LEN and RXD_SPH fields
 * @wb.rss: RSS hash, or fragment checksum and IP identification
 * @wb.status_error: RXD_STA_* and RXD_ERR_* bits
 * @wb.length: bytes in this buffer
 * @wb.vlan: the VLAN tag that was taken out of the frame
 *
 * Source: 82576 datasheet, "Advanced Receive Descriptors".
 */
union igbook_rx_desc {
	struct {
		__le64 pkt_addr;
		__le64 hdr_addr;
	} read;
	struct {
		__le32 info;
		__le32 rss;
		__le32 status_error;
		__le16 length;
		__le16 vlan;
	} wb;
};

/* loom: end rx-descriptor */
/* loom: begin rx-descriptor-fields from 04 */
/* union igbook_rx_desc, wb.info */
#define RXD_RSS_TYPE		GENMASK(3, 0)	/* what the hash covers */
#define RXD_PKT_TYPE		GENMASK(16, 4)	/* headers recognised */
#define RXD_HDR_LEN		GENMASK(30, 21)	/* of a split frame */
#define RXD_SPH			BIT(31)		/* headers were split off */
/* union igbook_rx_desc, wb.status_error */
#define RXD_STA_DD		BIT(0)		/* descriptor done */
#define RXD_STA_EOP		BIT(1)		/* end of packet */
#define RXD_STA_VP		BIT(3)		/* a VLAN tag was taken out */
#define RXD_STA_UDPCS		BIT(4)		/* UDP checksum looked at */
#define RXD_STA_L4CS		BIT(5)		/* layer 4 checksum looked at */
#define RXD_STA_IPCS		BIT(6)		/* IP checksum looked at */
#define RXD_ERR_L4E		BIT(29)		/* ... and it was wrong */
#define RXD_ERR_IPE		BIT(30)		/* ... and it was wrong */
#define RXD_ERR_RXE		BIT(31)		/* the frame was damaged */
/* loom: end rx-descriptor-fields */

/* loom: begin rss-types from 07 */
/* RXD_RSS_TYPE: what was hashed */
#define   RSS_TYPE_TCP_IPV4		1
#define   RSS_TYPE_IPV4			2
#define   RSS_TYPE_TCP_IPV6		3
#define   RSS_TYPE_IPV6_EX		4
#define   RSS_TYPE_IPV6			5
#define   RSS_TYPE_TCP_IPV6_EX		6
#define   RSS_TYPE_UDP_IPV4		7
#define   RSS_TYPE_UDP_IPV6		8
#define   RSS_TYPE_UDP_IPV6_EX		9
/* loom: end rss-types */

#endif /* _IGBOOK_DESC_H_ */
