// SPDX-License-Identifier: GPL-2.0
#include "pcapng.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "failure.h"

namespace fwts::sandbox {

namespace {

// Block and option numbers of the pcapng specification (draft-ietf-opsawg-pcapng).
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint16_t kOptionName = 2;
constexpr std::uint16_t kOptionFlags = 2;
constexpr std::uint16_t kEthernetLink = 1;
constexpr std::uint32_t kInbound = 1;
constexpr std::uint32_t kOutbound = 2;

template <typename Integer>
void put(std::string& bytes, Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

void pad(std::string& bytes) {
    bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
}

void put_option(std::string& bytes, std::uint16_t code, std::string_view value) {
    put(bytes, code);
    put(bytes, static_cast<std::uint16_t>(value.size()));
    bytes += value;
    pad(bytes);
}

std::string block(std::uint32_t type, const std::string& body) {
    std::string bytes;
    const auto length = static_cast<std::uint32_t>(body.size() + 12);
    put(bytes, type);
    put(bytes, length);
    bytes += body;
    put(bytes, length);
    return bytes;
}

}  // namespace

std::string pcapng_header() {
    std::string section;
    put(section, kByteOrderMagic);
    put(section, std::uint16_t{1});
    put(section, std::uint16_t{0});
    put(section, ~std::uint64_t{0});  // length of the section: not known in advance
    std::string interface;
    put(interface, kEthernetLink);
    put(interface, std::uint16_t{0});
    put(interface, std::uint32_t{0});  // frames are never cut
    put_option(interface, kOptionName, "cable");
    put(interface, std::uint32_t{0});  // end of options
    return block(kSectionHeader, section) + block(kInterfaceDescription, interface);
}

std::string pcapng_packet(const Frame& frame, Direction direction, std::chrono::microseconds time) {
    const auto stamp = static_cast<std::uint64_t>(time.count());
    const auto size = static_cast<std::uint32_t>(frame.size());
    std::string body;
    put(body, std::uint32_t{0});
    put(body, static_cast<std::uint32_t>(stamp >> 32));
    put(body, static_cast<std::uint32_t>(stamp));
    put(body, size);
    put(body, size);
    body.append(frame.begin(), frame.end());
    pad(body);
    std::string flags;
    put(flags, direction == Direction::kToGuest ? kInbound : kOutbound);
    put_option(body, kOptionFlags, flags);
    put(body, std::uint32_t{0});
    return block(kEnhancedPacket, body);
}

Capture::Capture(const std::filesystem::path& path) : file_(path, std::ios::binary) {
    if (!(file_ << pcapng_header() << std::flush))
        throw SetupError("capture " + path.string() + ": " + std::strerror(errno));
}

void Capture::add(const Frame& frame, Direction direction) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    file_ << pcapng_packet(frame, direction,
                           std::chrono::duration_cast<std::chrono::microseconds>(now))
          << std::flush;
}

}  // namespace fwts::sandbox
