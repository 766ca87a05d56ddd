// SPDX-License-Identifier: GPL-2.0
#include "protocol.h"

#include <algorithm>
#include <array>

namespace fwts::agent {

namespace {

constexpr std::size_t kLengthBytes = 4;
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
