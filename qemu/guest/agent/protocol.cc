// SPDX-License-Identifier: GPL-2.0
#include "protocol.h"

#include <algorithm>
#include <array>

namespace fwts::agent {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kLengthBytes = 4;
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

std::string encode(const nlohmann::json& message) {
    // Names and paths of a guest may hold any byte; the message must still be text.
    const std::string text = message.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    std::string bytes;
    bytes.reserve(kLengthBytes + text.size());
    for (std::size_t i = 0; i < kLengthBytes; ++i)
        bytes.push_back(static_cast<char>((text.size() >> (8 * i)) & 0xff));
    bytes += text;
    return bytes;
}

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
        throw ProtocolError("base64 text whose length is no multiple of four");
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
                throw ProtocolError("base64 text with a character that is no digit");
            group = (group << 6) | digit;
        }
        for (std::size_t k = 0; k < 3 - padding; ++k)
            bytes.push_back(static_cast<char>((group >> (16 - 8 * k)) & 0xff));
    }
    return bytes;
}

void Decoder::add(std::string_view bytes) {
    buffer_ += bytes;
    drop_before_beginning();
}

void Decoder::drop_before_beginning() {
    for (;;) {
        const std::size_t at = buffer_.find(kBeginning, searched_);
        if (at == std::string::npos) break;
        buffer_.erase(0, at + kBeginning.size());
        searched_ = 0;
        synchronised_ = true;
    }
    searched_ = buffer_.size() - std::min(buffer_.size(), kBeginning.size() - 1);
    if (!synchronised_) {
        buffer_.erase(0, searched_);
        searched_ = 0;
    }
}

std::optional<nlohmann::json> Decoder::next() {
    if (!synchronised_ || buffer_.size() < kLengthBytes) return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i)
        length |= std::size_t{static_cast<unsigned char>(buffer_[i])} << (8 * i);
    if (length > kLongestMessage) {
        // It may be the first half of kBeginning; only a full one tells.
        if (buffer_.size() < kBeginning.size()) return std::nullopt;
        throw ProtocolError("message length " + std::to_string(length) + " is out of range");
    }
    if (buffer_.size() < kLengthBytes + length) return std::nullopt;
    auto message = nlohmann::json::parse(
        buffer_.begin() + kLengthBytes,
        buffer_.begin() + static_cast<std::ptrdiff_t>(kLengthBytes + length), nullptr, false);
    buffer_.erase(0, kLengthBytes + length);
    searched_ -= std::min(searched_, kLengthBytes + length);
    if (!message.is_object()) throw ProtocolError("a message that is no JSON object");
    return message;
}

}  // namespace fwts::agent
