// SPDX-License-Identifier: GPL-2.0
#include "base64.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

namespace fwts {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    return digits;
}

constexpr auto kDigits = make_digits();

}  // namespace

std::string base64_encode(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = (group << 8) | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text.push_back(k <= have ? kAlphabet[(group >> (18 - 6 * k)) & 0x3f] : '=');
    }
    return text;
}

std::string base64_decode(std::string_view text) {
    if (text.size() % 4 != 0)
        throw std::invalid_argument("base64 text whose length is no multiple of four");
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const std::size_t padding =
            i + 4 == text.size()
                ? static_cast<std::size_t>((text[i + 3] == '=') + (text[i + 2] == '='))
                : 0U;
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const std::uint8_t digit =
                k < 4 - padding ? kDigits[static_cast<unsigned char>(text[i + k])] : 0U;
            if (digit == kNoDigit)
                throw std::invalid_argument("base64 text with a character that is no digit");
            group = (group << 6) | digit;
        }
        for (std::size_t k = 0; k < 3 - padding; ++k)
            bytes.push_back(static_cast<char>((group >> (16 - 8 * k)) & 0xff));
    }
    return bytes;
}

}  // namespace fwts
