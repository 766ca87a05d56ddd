// SPDX-License-Identifier: GPL-2.0
#include "console.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace fwts::sandbox {

namespace {

// A guest that talks without end must not fill the host's memory.
constexpr std::size_t kMostText = std::size_t{64} << 20;

}  // namespace

std::string Console::text() {
    const auto lock = monitor_.lock();
    return text_;
}

std::vector<std::string> Console::tail(std::size_t count) {
    const auto lock = monitor_.lock();
    std::vector<std::string> lines;
    std::size_t end = text_.size();
    while (end > 0 && lines.size() < count) {
        const std::size_t newline = text_.rfind('\n', end - 1);
        const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
        if (end > begin) lines.push_back(text_.substr(begin, end - begin));
        end = newline == std::string::npos ? 0 : newline;
    }
    std::reverse(lines.begin(), lines.end());
    return lines;
}

void Console::type(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (n >= 0)
            text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "console");
    }
}

bool Console::expect(const std::string& text, Monitor::Clock::duration limit, std::size_t from) {
    auto lock = monitor_.lock();
    return monitor_.wait(lock, limit, [&] { return text_.find(text, from) != std::string::npos; });
}

void Console::listen(Listener listener, const std::function<void(const std::string&)>& before) {
    const auto lock = monitor_.lock();
    if (before) before(text_);
    listener_ = std::move(listener);
}

bool Console::on_readable() {
    std::array<char, 65536> bytes{};
    const ssize_t n = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    const std::string_view piece(bytes.data(), static_cast<std::size_t>(n));
    const auto lock = monitor_.lock();
    if (text_.size() < kMostText) {
        std::copy_if(piece.begin(), piece.end(), std::back_inserter(text_),
                     [](char c) { return c != '\r'; });
    }
    if (listener_) listener_(piece);
    monitor_.changed();
    return true;
}

}  // namespace fwts::sandbox
