// SPDX-License-Identifier: GPL-2.0
#include "visible.h"

#include <fmt/format.h>

#include <cstdint>

namespace fwts::grader {
namespace {

/// @return how many bytes the UTF-8 character has that begins there; 0 when none does.
std::size_t character_at(const std::string& bytes, std::size_t at, std::uint32_t& character) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0 || at + length > bytes.size()) return 0;
    character = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
        const auto next = static_cast<unsigned char>(bytes[at + k]);
        if ((next & 0xc0U) != 0x80) return 0;
        character = character << 6U | (next & 0x3fU);
    }
    const bool too_long =
        (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
    const bool surrogate = character >= 0xd800 && character < 0xe000;
    return too_long || surrogate || character > 0x10ffff ? 0 : length;
}

/// Controls (those above ASCII, too), line ends, what turns the writing round, what has no width.
bool is_hidden(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c & 0xfffeU) == 0xfffe || (c >= 0xe0000 && c <= 0xe007f);
}

}  // namespace

std::string visible(const std::string& bytes, const std::string& kept) {
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
        std::uint32_t character = 0;
        const auto length = character_at(bytes, at, character);
        const bool shown =
            length > 0 &&
            (!is_hidden(character) || (length == 1 && kept.find(bytes[at]) != std::string::npos));
        const auto end = at + std::max<std::size_t>(length, 1);
        for (; at < end; ++at)
            text += shown ? std::string(1, bytes[at])
                          : fmt::format("\\x{:02X}", static_cast<unsigned char>(bytes[at]));
    }
    return text;
}

std::string name_text(const std::string& bytes) {
    std::string doubled;
    for (const char c : bytes) doubled += c == '\\' ? std::string("\\\\") : std::string(1, c);
    return visible(doubled);
}

std::string name_bytes(const std::string& text) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && text.compare(at + 1, 1, "x") == 0) {
            bytes += static_cast<char>(std::stoi(text.substr(at + 2, 2), nullptr, 16));
            at += 3;
        } else {
            if (text[at] == '\\') ++at;
            bytes += text[at];
        }
    }
    return bytes;
}

}  // namespace fwts::grader
