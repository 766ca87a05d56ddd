// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace fwts::sandbox {

namespace {

constexpr std::uint16_t kEchoPort = 7;
constexpr std::uint8_t kEcho4Request = 8;
constexpr std::uint8_t kEcho4Reply = 0;
constexpr std::uint8_t kEcho6Request = 128;
constexpr std::uint8_t kEcho6Reply = 129;
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;

template <typename Address>
bool holds(const Frame& frame, std::size_t at, const Address& address) {
    return frame.size() >= at + address.size() &&
           std::equal(address.begin(), address.end(),
                      frame.begin() + static_cast<std::ptrdiff_t>(at));
}

std::optional<Frame> answer_arp(const Frame& frame, const Parsed& parsed) {
    constexpr std::size_t kOperation = 6;
    constexpr std::size_t kSender = 14;
    constexpr std::size_t kTarget = 24;
    const std::size_t at = parsed.l3_offset;
    if (!holds(frame, at + kTarget, kHostIp4) || frame[at + kOperation + 1] != 1)
        return std::nullopt;
    Ip4 asker;
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at + kSender), asker.size(),
                asker.begin());
    return arp_reply(parsed.from_mac, asker);
}

// The same ICMP message with another type and the checksum that then fits.
Frame icmp_with_type(const Frame& frame, const Parsed& parsed, std::uint8_t type) {
    const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(parsed.l4_offset);
    Frame message(begin, begin + 4 + static_cast<std::ptrdiff_t>(parsed.payload.size()));
    message[0] = type;
    message[2] = message[3] = 0;
    return message;
}

void set_checksum(Frame& message, std::uint32_t start) {
    const std::uint16_t sum = checksum_finish(checksum_add(start, message.data(), message.size()));
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum);
}

Frame icmp6_packet(const Ip6Ends& ends, Frame message, std::uint8_t hop_limit) {
    std::uint32_t sum = checksum_add(0, ends.from.data(), ends.from.size());
    sum = checksum_add(sum, ends.to.data(), ends.to.size());
    set_checksum(message, sum + kIcmp6 + static_cast<std::uint32_t>(message.size()));
    return ip6(ends, kIcmp6, message, hop_limit);
}

std::optional<Frame> answer_ip4(const Frame& frame, const Parsed& parsed) {
    const Ip4Ends ends{kHostMac, parsed.from_mac, kHostIp4, *parsed.from4};
    if (parsed.to4 != kHostIp4 || !parsed.ip_checksum_ok || !parsed.l4_checksum_ok)
        return std::nullopt;
    if (parsed.protocol == kIcmp && parsed.icmp_type == kEcho4Request) {
        Frame message = icmp_with_type(frame, parsed, kEcho4Reply);
        set_checksum(message, 0);
        return ip4(ends, kIcmp, message);
    }
    if (parsed.protocol == kUdp && parsed.to_port == kEchoPort) {
        return udp(parsed.from_port, std::string(parsed.payload.begin(), parsed.payload.end()),
                   kEchoPort, ends);
    }
    return std::nullopt;
}

std::optional<Frame> answer_ip6(const Frame& frame, const Parsed& parsed) {
    const Ip6Ends ends{kHostMac, parsed.from_mac, kHostIp6, *parsed.from6};
    if (!parsed.l4_checksum_ok) return std::nullopt;
    if (parsed.protocol == kIcmp6 && parsed.icmp_type == kSolicitation &&
        holds(parsed.payload, 4, kHostIp6) && parsed.from6 != Ip6{}) {
        Frame message(8);
        message[0] = kAdvertisement;
        message[4] = 0x60;  // solicited, override
        message.insert(message.end(), kHostIp6.begin(), kHostIp6.end());
        message.push_back(2);  // option: target link-layer address,
        message.push_back(1);  // of 8 bytes
        message.insert(message.end(), kHostMac.begin(), kHostMac.end());
        return icmp6_packet(ends, message, 255);
    }
    if (parsed.to6 != kHostIp6) return std::nullopt;
    if (parsed.protocol == kIcmp6 && parsed.icmp_type == kEcho6Request)
        return icmp6_packet(ends, icmp_with_type(frame, parsed, kEcho6Reply), 64);
    if (parsed.protocol == kUdp && parsed.to_port == kEchoPort) {
        return udp6(parsed.from_port, std::string(parsed.payload.begin(), parsed.payload.end()),
                    kEchoPort, ends);
    }
    return std::nullopt;
}

}  // namespace

std::optional<Frame> peer_answer(const Frame& frame) {
    const auto parsed = parse(frame);
    if (!parsed || parsed->from_mac == kHostMac) return std::nullopt;
    if (parsed->ether_type == kEtherArp) return answer_arp(frame, *parsed);
    if (parsed->from4) return answer_ip4(frame, *parsed);
    if (parsed->from6) return answer_ip6(frame, *parsed);
    return std::nullopt;
}

}  // namespace fwts::sandbox
