// SPDX-License-Identifier: GPL-2.0
// The card's registers as the host knows them: names, offsets and bits of the Intel 82576
// datasheet. The driver has its own statement of them (code/driver/igbook_regs.h), which a test
// compares with this one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fwts::sandbox {

/// A register, or `count` of them, `stride` bytes apart. Of two places with one name the first is
/// the one that this project's driver uses.
struct Register {
    std::string_view name;
    std::uint32_t offset;
    std::uint32_t count = 1;
    std::uint32_t stride = 0;
};

inline constexpr Register kRegisters[] = {
    {"CTRL", 0x00000},
    {"STATUS", 0x00008},
    {"EECD", 0x00010},
    {"EERD", 0x00014},
    {"CTRL_EXT", 0x00018},
    {"MDIC", 0x00020},
    {"FCAL", 0x00028},
    {"FCAH", 0x0002c},
    {"FCT", 0x00030},
    {"VET", 0x00038},
    {"RCTL", 0x00100},
    {"FCTTV", 0x00170},
    {"TCTL", 0x00400},
    {"TCTL_EXT", 0x00404},
    {"LEDCTL", 0x00e00},
    {"EEMNGCTL", 0x01010},
    {"GPIE", 0x01514},
    {"EICR", 0x01580},
    {"EICS", 0x01520},
    {"EIMS", 0x01524},
    {"EIMC", 0x01528},
    {"EIAC", 0x0152c},
    {"EIAM", 0x01530},
    {"ICR", 0x000c0},
    {"ICR", 0x01500},
    {"ICS", 0x000c8},
    {"ICS", 0x01504},
    {"IMS", 0x000d0},
    {"IMS", 0x01508},
    {"IMC", 0x000d8},
    {"IMC", 0x0150c},
    {"IAM", 0x000e0},
    {"IAM", 0x01510},
    {"EITR", 0x01680, 25, 4},
    {"IVAR", 0x01700, 8, 4},
    {"IVAR_MISC", 0x01740},
    {"RXPBS", 0x02404},
    {"PSRTYPE", 0x05480, 8, 4},
    {"RXCSUM", 0x05000},
    {"RLPML", 0x05004},
    {"RFCTL", 0x05008},
    {"MTA", 0x05200, 128, 4},
    {"RAL", 0x05400, 16, 8},
    {"RAH", 0x05404, 16, 8},
    {"VFTA", 0x05600, 128, 4},
    {"MRQC", 0x05818},
    {"WUC", 0x05800},
    {"WUFC", 0x05808},
    {"MANC", 0x05820},
    {"RETA", 0x05c00, 32, 4},
    {"RSSRK", 0x05c80, 10, 4},
    {"RDBAL", 0x0c000, 16, 0x40},
    {"RDBAH", 0x0c004, 16, 0x40},
    {"RDLEN", 0x0c008, 16, 0x40},
    {"SRRCTL", 0x0c00c, 16, 0x40},
    {"RDH", 0x0c010, 16, 0x40},
    {"DCA_RXCTRL", 0x0c014, 16, 0x40},
    {"RDT", 0x0c018, 16, 0x40},
    {"RXDCTL", 0x0c028, 16, 0x40},
    {"RQDPC", 0x0c030, 16, 0x40},
    {"TDBAL", 0x0e000, 16, 0x40},
    {"TDBAH", 0x0e004, 16, 0x40},
    {"TDLEN", 0x0e008, 16, 0x40},
    {"TDH", 0x0e010, 16, 0x40},
    {"DCA_TXCTRL", 0x0e014, 16, 0x40},
    {"TDT", 0x0e018, 16, 0x40},
    {"TXDCTL", 0x0e028, 16, 0x40},
    {"TDWBAL", 0x0e038, 16, 0x40},
    {"TDWBAH", 0x0e03c, 16, 0x40},
    {"TIPG", 0x00410},
    {"DTXCTL", 0x03590},
    {"DCA_ID", 0x05b70},
    {"DCA_CTRL", 0x05b74},
    {"FACTPS", 0x05b30},
    {"SWSM", 0x05b50},
    {"FWSM", 0x05b54},
    {"SW_FW_SYNC", 0x05b5c},
    {"MPC", 0x04010},
    {"GPRC", 0x04074},
    {"GPTC", 0x04080},
    {"TSYNCTXCTL", 0x0b614},
    {"TXSTMPL", 0x0b618},
    {"TXSTMPH", 0x0b61c},
    {"TSYNCRXCTL", 0x0b620},
    {"RXSTMPL", 0x0b624},
    {"RXSTMPH", 0x0b628},
    {"RXSATRH", 0x0b630},
    {"SYSTIML", 0x0b600},
    {"SYSTIMH", 0x0b604},
    {"TIMINCA", 0x0b608},
    {"TSAUXC", 0x0b640},
    {"ETQF", 0x05cb0, 8, 4},
    {"FTQF", 0x059e0, 8, 4},
    {"IMIR", 0x05a80, 8, 4},
    {"IMIREXT", 0x05aa0, 8, 4},
    {"VMOLR", 0x05ad0, 8, 4},
    {"VT_CTL", 0x0581c},
    {"QDE", 0x02408},
    {"PBACL", 0x05b68},
    {"RTTDQSEL", 0x03604},
    {"PCIEMISC", 0x05bb8},
    {"FCRTL", 0x02160},
    {"FCRTH", 0x02168},
    {"WUS", 0x05810},
    {"ALGNERRC", 0x04004},
    {"SYMERRS", 0x04008},
    {"RXERRC", 0x0400c},
    {"SCC", 0x04014},
    {"ECOL", 0x04018},
    {"MCC", 0x0401c},
    {"LATECOL", 0x04020},
    {"COLC", 0x04028},
    {"DC", 0x04030},
    {"RLEC", 0x04040},
    {"XONRXC", 0x04048},
    {"XONTXC", 0x0404c},
    {"XOFFRXC", 0x04050},
    {"XOFFTXC", 0x04054},
    {"FCRUC", 0x04058},
    {"PRC", 0x0405c, 6, 4},
    {"BPRC", 0x04078},
    {"RFC", 0x040a8},
    {"RJC", 0x040b0},
    {"PTC", 0x040d8, 6, 4},
    {"MPTC", 0x040f0},
    {"BPTC", 0x040f4},
    {"CRCERRS", 0x04000},
    {"MPRC", 0x0407c},
    {"RNBC", 0x040a0},
    {"RUC", 0x040a4},
    {"ROC", 0x040ac},
};

/// A bit or a field of a register.
struct RegisterField {
    std::string_view name;
    std::uint32_t mask;
};

inline constexpr RegisterField kRegisterFields[] = {
    {"CTRL_GIO_MASTER_DISABLE", 1U << 2},
    {"CTRL_SLU", 1U << 6},
    {"CTRL_RST", 1U << 26},
    {"STATUS_LU", 1U << 1},
    {"CTRL_EXT_DRV_LOAD", 1U << 28},
    {"EERD_START", 1U << 0},
    {"EERD_DONE", 1U << 1},
    {"MDIC_OP_READ", 1U << 27},
    {"ICR_TXDW", 1U << 0},
    {"ICR_LSC", 1U << 2},
    {"ICR_RXDW", 1U << 7},
    {"RCTL_RXEN", 1U << 1},
    {"RAH_AV", 1U << 31},
    {"TCTL_EN", 1U << 1},
    {"TXDCTL_ENABLE", 1U << 25},
    {"RXDCTL_ENABLE", 1U << 25},
    {"GPIE_NSICR", 1U << 0},
    {"GPIE_MSIX_MODE", 1U << 4},
    {"GPIE_EIAME", 1U << 30},
    {"GPIE_PBA", 1U << 31},
    {"EITR_CNT_INGR", 1U << 31},
    {"DCA_CTRL_DCA_DIS", 1U << 0},
    {"DCA_RXCTRL_DESC_DCA_EN", 1U << 5},
    {"DCA_RXCTRL_HEAD_DCA_EN", 1U << 6},
    {"DCA_RXCTRL_DATA_DCA_EN", 1U << 7},
    {"DCA_RXCTRL_DESC_RRO_EN", 1U << 9},
    {"DCA_RXCTRL_DATA_WRO_EN", 1U << 13},
    {"DCA_RXCTRL_HEAD_WRO_EN", 1U << 15},
    {"DCA_TXCTRL_DESC_DCA_EN", 1U << 5},
    {"DCA_TXCTRL_DESC_RRO_EN", 1U << 9},
    {"DCA_TXCTRL_DESC_WRO_EN", 1U << 11},
    {"DCA_TXCTRL_DATA_RRO_EN", 1U << 13},
    {"EITR_INTERVAL", 0x7ffcU},
    {"SRRCTL_BSIZEPACKET", 0x7fU},
};

/// @return the datasheet's name for @p offset, like "TDT(0)", or "0x1234" if it has none here.
std::string register_name(std::uint32_t offset);

/// @return the offset of a register by name ("CTRL", "TDT(3)"; "TDT" is "TDT(0)").
std::optional<std::uint32_t> register_offset(std::string_view name);

/// The same under names of C++, for whoever looks at registers a lot. A name that is in no table
/// does not compile. Of queues, vectors and addresses, the first.
namespace registers {

consteval std::uint32_t at(std::string_view name) {
    for (const Register& each : kRegisters)
        if (each.name == name) return each.offset;
    throw "no such register";
}

consteval std::uint32_t field(std::string_view name) {
    for (const RegisterField& each : kRegisterFields)
        if (each.name == name) return each.mask;
    throw "no such field";
}

inline constexpr std::uint32_t CTRL = at("CTRL");
inline constexpr std::uint32_t STATUS = at("STATUS");
inline constexpr std::uint32_t CTRL_EXT = at("CTRL_EXT");
inline constexpr std::uint32_t EERD = at("EERD");
inline constexpr std::uint32_t MDIC = at("MDIC");
inline constexpr std::uint32_t ICS = at("ICS");
inline constexpr std::uint32_t IMS = at("IMS");
inline constexpr std::uint32_t IMC = at("IMC");
inline constexpr std::uint32_t GPIE = at("GPIE");
inline constexpr std::uint32_t EICS = at("EICS");
inline constexpr std::uint32_t EIMS = at("EIMS");
inline constexpr std::uint32_t EIMC = at("EIMC");
inline constexpr std::uint32_t EIAC = at("EIAC");
inline constexpr std::uint32_t EIAM = at("EIAM");
inline constexpr std::uint32_t IVAR_MISC = at("IVAR_MISC");
inline constexpr std::uint32_t RCTL = at("RCTL");
inline constexpr std::uint32_t RLPML = at("RLPML");
inline constexpr std::uint32_t TCTL = at("TCTL");
inline constexpr std::uint32_t DCA_CTRL = at("DCA_CTRL");

inline constexpr std::uint32_t EITR0 = at("EITR");
inline constexpr std::uint32_t IVAR0 = at("IVAR");
inline constexpr std::uint32_t RAL0 = at("RAL");
inline constexpr std::uint32_t RAH0 = at("RAH");
inline constexpr std::uint32_t RETA0 = at("RETA");
inline constexpr std::uint32_t RSSRK0 = at("RSSRK");
inline constexpr std::uint32_t RDBAL0 = at("RDBAL");
inline constexpr std::uint32_t RDBAH0 = at("RDBAH");
inline constexpr std::uint32_t RDLEN0 = at("RDLEN");
inline constexpr std::uint32_t SRRCTL0 = at("SRRCTL");
inline constexpr std::uint32_t RDH0 = at("RDH");
inline constexpr std::uint32_t DCA_RXCTRL0 = at("DCA_RXCTRL");
inline constexpr std::uint32_t RDT0 = at("RDT");
inline constexpr std::uint32_t RXDCTL0 = at("RXDCTL");
inline constexpr std::uint32_t TDBAL0 = at("TDBAL");
inline constexpr std::uint32_t TDBAH0 = at("TDBAH");
inline constexpr std::uint32_t TDLEN0 = at("TDLEN");
inline constexpr std::uint32_t TDH0 = at("TDH");
inline constexpr std::uint32_t DCA_TXCTRL0 = at("DCA_TXCTRL");
inline constexpr std::uint32_t TDT0 = at("TDT");
inline constexpr std::uint32_t TXDCTL0 = at("TXDCTL");

inline constexpr std::uint32_t CTRL_GIO_MASTER_DISABLE = field("CTRL_GIO_MASTER_DISABLE");
inline constexpr std::uint32_t CTRL_SLU = field("CTRL_SLU");
inline constexpr std::uint32_t CTRL_RST = field("CTRL_RST");
inline constexpr std::uint32_t STATUS_LU = field("STATUS_LU");
inline constexpr std::uint32_t CTRL_EXT_DRV_LOAD = field("CTRL_EXT_DRV_LOAD");
inline constexpr std::uint32_t EERD_START = field("EERD_START");
inline constexpr std::uint32_t EERD_DONE = field("EERD_DONE");
inline constexpr std::uint32_t MDIC_OP_READ = field("MDIC_OP_READ");
inline constexpr std::uint32_t ICR_TXDW = field("ICR_TXDW");
inline constexpr std::uint32_t ICR_LSC = field("ICR_LSC");
inline constexpr std::uint32_t ICR_RXDW = field("ICR_RXDW");
inline constexpr std::uint32_t RCTL_RXEN = field("RCTL_RXEN");
inline constexpr std::uint32_t RAH_AV = field("RAH_AV");
inline constexpr std::uint32_t TCTL_EN = field("TCTL_EN");
inline constexpr std::uint32_t TXDCTL_ENABLE = field("TXDCTL_ENABLE");
inline constexpr std::uint32_t RXDCTL_ENABLE = field("RXDCTL_ENABLE");
inline constexpr std::uint32_t GPIE_NSICR = field("GPIE_NSICR");
inline constexpr std::uint32_t GPIE_MSIX_MODE = field("GPIE_MSIX_MODE");
inline constexpr std::uint32_t GPIE_EIAME = field("GPIE_EIAME");
inline constexpr std::uint32_t GPIE_PBA = field("GPIE_PBA");
inline constexpr std::uint32_t EITR_CNT_INGR = field("EITR_CNT_INGR");
inline constexpr std::uint32_t DCA_CTRL_DCA_DIS = field("DCA_CTRL_DCA_DIS");
inline constexpr std::uint32_t DCA_CTRL_DCA_MODE_1_0 = 1U << 1;  // DCA_MODE 1: "DCA 1.0"
inline constexpr std::uint32_t DCA_RXCTRL_DESC_DCA_EN = field("DCA_RXCTRL_DESC_DCA_EN");
inline constexpr std::uint32_t DCA_RXCTRL_HEAD_DCA_EN = field("DCA_RXCTRL_HEAD_DCA_EN");
inline constexpr std::uint32_t DCA_RXCTRL_DATA_DCA_EN = field("DCA_RXCTRL_DATA_DCA_EN");
inline constexpr std::uint32_t DCA_RXCTRL_DESC_RRO_EN = field("DCA_RXCTRL_DESC_RRO_EN");
inline constexpr std::uint32_t DCA_RXCTRL_DATA_WRO_EN = field("DCA_RXCTRL_DATA_WRO_EN");
inline constexpr std::uint32_t DCA_RXCTRL_HEAD_WRO_EN = field("DCA_RXCTRL_HEAD_WRO_EN");
inline constexpr std::uint32_t DCA_TXCTRL_DESC_DCA_EN = field("DCA_TXCTRL_DESC_DCA_EN");
inline constexpr std::uint32_t DCA_TXCTRL_DESC_RRO_EN = field("DCA_TXCTRL_DESC_RRO_EN");
inline constexpr std::uint32_t DCA_TXCTRL_DESC_WRO_EN = field("DCA_TXCTRL_DESC_WRO_EN");
inline constexpr std::uint32_t DCA_TXCTRL_DATA_RRO_EN = field("DCA_TXCTRL_DATA_RRO_EN");
inline constexpr std::uint32_t EITR_INTERVAL = field("EITR_INTERVAL");
inline constexpr std::uint32_t SRRCTL_BSIZEPACKET = field("SRRCTL_BSIZEPACKET");

}  // namespace registers

}  // namespace fwts::sandbox
