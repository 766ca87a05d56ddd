// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "failure.h"

namespace fwts::sandbox {

namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kIp4Header = 20;
constexpr std::size_t kIp6Header = 40;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kShortestFrame = 60;
constexpr std::uint16_t kVlan = 0x8100;
constexpr std::uint8_t kEchoReply = 0;
constexpr std::uint8_t kEchoRequest = 8;

void put16(Frame& frame, std::size_t at, std::size_t value) {
    frame[at] = static_cast<std::uint8_t>(value >> 8);
    frame[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint16_t get16(const Frame& frame, std::size_t at) {
    return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

template <typename Bytes>
void append(Frame& frame, const Bytes& bytes) {
    frame.insert(frame.end(), bytes.begin(), bytes.end());
}

template <typename Address>
Address take(const Frame& frame, std::size_t at) {
    Address address;
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), address.size(), address.begin());
    return address;
}

template <typename Address>
std::uint32_t pseudo_header(const Address& from, const Address& to, std::uint8_t protocol,
                            std::size_t length) {
    std::uint32_t sum = checksum_add(0, from.data(), from.size());
    sum = checksum_add(sum, to.data(), to.size());
    return sum + protocol + static_cast<std::uint32_t>(length);
}

Frame udp_segment(std::uint32_t pseudo_sum, std::uint16_t from_port, std::uint16_t to_port,
                  std::string_view payload) {
    Frame segment(kUdpHeader);
    put16(segment, 0, from_port);
    put16(segment, 2, to_port);
    put16(segment, 4, kUdpHeader + payload.size());
    append(segment, payload);
    const std::uint16_t sum =
        checksum_finish(checksum_add(pseudo_sum, segment.data(), segment.size()));
    put16(segment, 6, sum == 0 ? 0xffff : sum);  // 0 would mean "no checksum"
    return segment;
}

Frame arp(std::uint16_t operation, const Mac& from_mac, const Ip4& from, const Mac& to_mac,
          const Ip4& to) {
    Frame body = {0, 1, 8, 0, 6, 4};  // Ethernet, IPv4, lengths of their addresses
    body.push_back(static_cast<std::uint8_t>(operation >> 8));
    body.push_back(static_cast<std::uint8_t>(operation));
    append(body, from_mac);
    append(body, from);
    append(body, to_mac);
    append(body, to);
    return body;
}

// The transport header and what it carries, `length` bytes from parsed.l4_offset.
void parse_transport(const Frame& frame, std::size_t length, std::uint32_t pseudo_sum,
                     Parsed& parsed) {
    const std::size_t at = parsed.l4_offset;
    std::size_t header = 0;
    if (parsed.protocol == kUdp && length >= kUdpHeader) {
        header = kUdpHeader;
    } else if (parsed.protocol == kTcp && length >= 20) {
        header = std::size_t{frame[at + 12]} / 16 * 4;
    } else if ((parsed.protocol == kIcmp || parsed.protocol == kIcmp6) && length >= 4) {
        header = 4;
        parsed.icmp_type = frame[at];
    }
    if (parsed.protocol == kUdp || parsed.protocol == kTcp) {
        parsed.from_port = length >= 4 ? get16(frame, at) : 0;
        parsed.to_port = length >= 4 ? get16(frame, at + 2) : 0;
    }
    const std::uint32_t start = parsed.protocol == kIcmp ? 0 : pseudo_sum;
    const bool absent =
        parsed.protocol == kUdp && length >= kUdpHeader && get16(frame, at + 6) == 0;
    parsed.l4_checksum_ok =
        absent || checksum_finish(checksum_add(start, frame.data() + at, length)) == 0;
    header = std::min(header, length);
    const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(at);
    parsed.payload.assign(begin + static_cast<std::ptrdiff_t>(header),
                          begin + static_cast<std::ptrdiff_t>(length));
}

bool parse_ip4(const Frame& frame, Parsed& parsed) {
    const std::size_t at = parsed.l3_offset;
    if (frame.size() < at + kIp4Header) return false;
    const std::size_t header = std::size_t{frame[at]} % 16 * 4;
    const std::size_t total = get16(frame, at + 2);
    if (header < kIp4Header || total < header || frame.size() < at + total) return false;
    parsed.ip_checksum_ok = checksum_finish(checksum_add(0, frame.data() + at, header)) == 0;
    parsed.hop_limit = frame[at + 8];
    parsed.protocol = frame[at + 9];
    parsed.from4 = take<Ip4>(frame, at + 12);
    parsed.to4 = take<Ip4>(frame, at + 16);
    parsed.l4_offset = at + header;
    const std::size_t length = total - header;
    parse_transport(frame, length,
                    pseudo_header(*parsed.from4, *parsed.to4, parsed.protocol, length), parsed);
    return true;
}

bool parse_ip6(const Frame& frame, Parsed& parsed) {
    const std::size_t at = parsed.l3_offset;
    if (frame.size() < at + kIp6Header) return false;
    const std::size_t length = get16(frame, at + 4);
    if (frame.size() < at + kIp6Header + length) return false;
    parsed.protocol = frame[at + 6];
    parsed.hop_limit = frame[at + 7];
    parsed.from6 = take<Ip6>(frame, at + 8);
    parsed.to6 = take<Ip6>(frame, at + 24);
    parsed.l4_offset = at + kIp6Header;
    parse_transport(frame, length,
                    pseudo_header(*parsed.from6, *parsed.to6, parsed.protocol, length), parsed);
    return true;
}

}  // namespace

std::uint32_t checksum_add(std::uint32_t sum, const std::uint8_t* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

std::uint16_t checksum_finish(std::uint32_t sum) {
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

Frame ethernet(const Mac& to, const Mac& from, std::uint16_t type, const Frame& payload) {
    Frame frame;
    frame.reserve(kEthernetHeader + payload.size());
    append(frame, to);
    append(frame, from);
    frame.push_back(static_cast<std::uint8_t>(type >> 8));
    frame.push_back(static_cast<std::uint8_t>(type));
    append(frame, payload);
    return frame;
}

Frame ip4(const Ip4Ends& ends, std::uint8_t protocol, const Frame& payload) {
    Frame packet(12);
    packet[0] = 0x45;
    put16(packet, 2, kIp4Header + payload.size());
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = protocol;
    append(packet, ends.from);
    append(packet, ends.to);
    put16(packet, 10, checksum_finish(checksum_add(0, packet.data(), packet.size())));
    append(packet, payload);
    return ethernet(ends.to_mac, ends.from_mac, kEtherIp4, packet);
}

Frame ip6(const Ip6Ends& ends, std::uint8_t next_header, const Frame& payload,
          std::uint8_t hop_limit) {
    Frame packet(8);
    packet[0] = 0x60;
    put16(packet, 4, payload.size());
    packet[6] = next_header;
    packet[7] = hop_limit;
    append(packet, ends.from);
    append(packet, ends.to);
    append(packet, payload);
    return ethernet(ends.to_mac, ends.from_mac, kEtherIp6, packet);
}

Frame udp(std::uint16_t to_port, std::string_view payload, std::uint16_t from_port,
          const Ip4Ends& ends) {
    const auto sum = pseudo_header(ends.from, ends.to, kUdp, kUdpHeader + payload.size());
    return ip4(ends, kUdp, udp_segment(sum, from_port, to_port, payload));
}

Frame udp6(std::uint16_t to_port, std::string_view payload, std::uint16_t from_port,
           const Ip6Ends& ends) {
    const auto sum = pseudo_header(ends.from, ends.to, kUdp, kUdpHeader + payload.size());
    return ip6(ends, kUdp, udp_segment(sum, from_port, to_port, payload));
}

Frame ping(std::uint16_t identifier, std::uint16_t sequence, std::string_view payload,
           const Ip4Ends& ends) {
    Frame message(8);
    message[0] = kEchoRequest;
    put16(message, 4, identifier);
    put16(message, 6, sequence);
    append(message, payload);
    put16(message, 2, checksum_finish(checksum_add(0, message.data(), message.size())));
    return ip4(ends, kIcmp, message);
}

Frame arp_request(const Ip4& wanted, const Mac& from_mac, const Ip4& from) {
    return ethernet(kBroadcast, from_mac, kEtherArp, arp(1, from_mac, from, Mac{}, wanted));
}

Frame arp_reply(const Mac& to_mac, const Ip4& to, const Mac& from_mac, const Ip4& from) {
    return ethernet(to_mac, from_mac, kEtherArp, arp(2, from_mac, from, to_mac, to));
}

Frame pad(Frame frame) {
    frame.resize(std::max(frame.size(), kShortestFrame));
    return frame;
}

std::optional<Parsed> parse(const Frame& frame) {
    if (frame.size() < kEthernetHeader) return std::nullopt;
    Parsed parsed;
    parsed.to_mac = take<Mac>(frame, 0);
    parsed.from_mac = take<Mac>(frame, 6);
    parsed.ether_type = get16(frame, 12);
    parsed.l3_offset = kEthernetHeader;
    if (parsed.ether_type == kVlan) {
        if (frame.size() < kEthernetHeader + 4) return std::nullopt;
        parsed.vlan = get16(frame, 14);
        parsed.ether_type = get16(frame, 16);
        parsed.l3_offset += 4;
    }
    bool whole = true;
    if (parsed.ether_type == kEtherIp4) {
        whole = parse_ip4(frame, parsed);
    } else if (parsed.ether_type == kEtherIp6) {
        whole = parse_ip6(frame, parsed);
    } else {
        parsed.payload.assign(frame.begin() + static_cast<std::ptrdiff_t>(parsed.l3_offset),
                              frame.end());
    }
    return whole ? std::optional(parsed) : std::nullopt;
}

FramePredicate is_udp_to(std::uint16_t port) {
    return [port](const Frame& frame) {
        const auto parsed = parse(frame);
        return parsed && parsed->protocol == kUdp && parsed->to_port == port;
    };
}

FramePredicate is_ether_type(std::uint16_t type) {
    return [type](const Frame& frame) {
        const auto parsed = parse(frame);
        return parsed && parsed->ether_type == type;
    };
}

FramePredicate is_icmp_echo_reply() {
    return [](const Frame& frame) {
        const auto parsed = parse(frame);
        return parsed && parsed->protocol == kIcmp && parsed->icmp_type == kEchoReply;
    };
}

FramePredicate equals(Frame wanted) {
    return [wanted = std::move(wanted)](const Frame& frame) { return frame == wanted; };
}

FramePredicate any_frame() {
    return [](const Frame&) { return true; };
}

Frame from_hex(std::string_view text) {
    Frame frame;
    int high = -1;
    for (const char c : text) {
        if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == ':') continue;
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0)
            throw SetupError(fmt::format("'{}' is no hex digit", c));
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            frame.push_back(static_cast<std::uint8_t>(high * 16 + digit));
            high = -1;
        }
    }
    if (high >= 0) throw SetupError("an odd number of hex digits; a byte has two");
    return frame;
}

std::string to_hex(const Frame& frame) {
    return fmt::format("{:02x}", fmt::join(frame, ""));
}

std::string describe(const Frame& frame) {
    const auto parsed = parse(frame);
    if (!parsed) return fmt::format("{} bytes, no whole frame", frame.size());
    std::string text =
        fmt::format("{:02x} > {:02x}, type 0x{:04x}", fmt::join(parsed->from_mac, ":"),
                    fmt::join(parsed->to_mac, ":"), parsed->ether_type);
    if (parsed->from4) {
        text +=
            fmt::format(", {} > {}", fmt::join(*parsed->from4, "."), fmt::join(*parsed->to4, "."));
    }
    if (parsed->l4_offset != 0) text += fmt::format(", protocol {}", parsed->protocol);
    if (parsed->to_port != 0)
        text += fmt::format(", port {} > {}", parsed->from_port, parsed->to_port);
    return text + fmt::format(", {} bytes", frame.size());
}

}  // namespace fwts::sandbox
