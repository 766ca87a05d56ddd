// SPDX-License-Identifier: GPL-2.0
// Ethernet frames: building them, checking them, taking them apart.
//
// For the frames tests need (UDP, ARP, ICMP, neighbour discovery), on IPv4 and IPv6. Frames carry
// no FCS: neither the card nor the cable shows it. Not a general packet library: no options, no
// fragments.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fwts::sandbox {

using Frame = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;
using Ip4 = std::array<std::uint8_t, 4>;
using Ip6 = std::array<std::uint8_t, 16>;

inline constexpr Mac kGuestMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
inline constexpr Mac kHostMac = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01};
inline constexpr Mac kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
inline constexpr Ip4 kGuestIp4 = {192, 0, 2, 2};
inline constexpr Ip4 kHostIp4 = {192, 0, 2, 1};
inline constexpr Ip6 kGuestIp6 = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
inline constexpr Ip6 kHostIp6 = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

enum EtherType : std::uint16_t { kEtherIp4 = 0x0800, kEtherArp = 0x0806, kEtherIp6 = 0x86dd };
enum Protocol : std::uint8_t { kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58 };

/// The Internet checksum (RFC 1071) over @p bytes, added to @p sum; one's complement not yet taken.
std::uint32_t checksum_add(std::uint32_t sum, const std::uint8_t* bytes, std::size_t size);
/// @return the folded, complemented checksum of @p sum.
std::uint16_t checksum_finish(std::uint32_t sum);

/// An Ethernet frame around @p payload. Not padded: see pad().
Frame ethernet(const Mac& to, const Mac& from, std::uint16_t type, const Frame& payload);

/// The two ends of an IPv4 datagram; by default from the host's end to the guest.
struct Ip4Ends {
    Mac from_mac = kHostMac;
    Mac to_mac = kGuestMac;
    Ip4 from = kHostIp4;
    Ip4 to = kGuestIp4;
};

struct Ip6Ends {
    Mac from_mac = kHostMac;
    Mac to_mac = kGuestMac;
    Ip6 from = kHostIp6;
    Ip6 to = kGuestIp6;
};

/// An IPv4 datagram with a correct header checksum; identification is 0, DF is set, TTL is 64.
Frame ip4(const Ip4Ends& ends, std::uint8_t protocol, const Frame& payload);
Frame ip6(const Ip6Ends& ends, std::uint8_t next_header, const Frame& payload,
          std::uint8_t hop_limit = 64);

/// A UDP datagram with a correct checksum.
Frame udp(std::uint16_t to_port, std::string_view payload, std::uint16_t from_port = 40000,
          const Ip4Ends& ends = {});
Frame udp6(std::uint16_t to_port, std::string_view payload, std::uint16_t from_port = 40000,
           const Ip6Ends& ends = {});

/// An ICMP echo request.
Frame ping(std::uint16_t identifier, std::uint16_t sequence, std::string_view payload = "ping",
           const Ip4Ends& ends = {});

/// "Who has @p to? Tell @p ends.from".
Frame arp_request(const Ip4& wanted = kGuestIp4, const Mac& from_mac = kHostMac,
                  const Ip4& from = kHostIp4);
Frame arp_reply(const Mac& to_mac, const Ip4& to, const Mac& from_mac = kHostMac,
                const Ip4& from = kHostIp4);

/// Pads a frame to the 60 bytes that a real cable would carry at least.
Frame pad(Frame frame);

/// What a frame is, as far as it could be understood. `payload` is what the last protocol carries,
/// without the padding of the cable.
struct Parsed {
    Mac to_mac{};
    Mac from_mac{};
    std::uint16_t ether_type = 0;
    std::optional<std::uint16_t> vlan;  ///< tag control information of an 802.1Q tag
    std::optional<Ip4> from4, to4;
    std::optional<Ip6> from6, to6;
    std::uint8_t protocol = 0;
    std::uint8_t hop_limit = 0;
    std::uint16_t from_port = 0, to_port = 0;
    std::uint8_t icmp_type = 0;
    bool ip_checksum_ok = true;  ///< IPv4 header
    bool l4_checksum_ok = true;  ///< UDP, TCP, ICMP; false too when it cannot be computed
    std::size_t l3_offset = 0;   ///< where the IP or ARP header begins
    std::size_t l4_offset = 0;   ///< where the transport header begins; 0 if there is none
    Frame payload;
};

/// @return nothing if the frame is shorter than its headers say.
std::optional<Parsed> parse(const Frame& frame);

/// Predicates for Cable::expect.
using FramePredicate = std::function<bool(const Frame&)>;
FramePredicate is_udp_to(std::uint16_t port);
FramePredicate is_ether_type(std::uint16_t type);
FramePredicate is_icmp_echo_reply();
FramePredicate equals(Frame wanted);
FramePredicate any_frame();

/// @return the bytes that hex digits stand for; blanks, ':' and line ends between bytes are
/// allowed.
/// @throws SetupError that shows the digit that is none.
Frame from_hex(std::string_view text);

/// @return two digits a byte, without blanks.
std::string to_hex(const Frame& frame);

/// @return one line for people: addresses, protocol, ports, length.
std::string describe(const Frame& frame);

}  // namespace fwts::sandbox
