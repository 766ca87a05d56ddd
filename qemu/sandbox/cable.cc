// SPDX-License-Identifier: GPL-2.0
#include "cable.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>

#include "failure.h"
#include "peer.h"

namespace fwts::sandbox {

namespace {

constexpr std::size_t kLongestFrame = std::size_t{64} << 10;
// A guest that floods the cable must not fill the host's memory: old frames go first.
constexpr std::size_t kMostFrames = 100'000;

}  // namespace

Cable::Cable(Descriptor socket, Monitor& monitor, bool peer)
    : socket_(std::move(socket)), monitor_(monitor), peer_(peer) {}

void Cable::enlarge_buffers(const Descriptor& socket) {
    const int size = 4 << 20;
    for (const int option : {SO_SNDBUF, SO_RCVBUF})
        setsockopt(socket.get(), SOL_SOCKET, option, &size, sizeof size);
}

void Cable::send(const Frame& frame) {
    put_in_time(frame, true);
}

bool Cable::try_send(const Frame& frame) {
    const auto lock = monitor_.lock();
    return put(frame, true);
}

void Cable::send_unpadded(const Frame& frame) {
    put_in_time(frame, false);
}

void Cable::put_in_time(const Frame& frame, bool padded) {
    constexpr auto patience = std::chrono::seconds(5);
    constexpr int one_look = 50;  // ms
    const auto end = Monitor::Clock::now() + patience;
    for (;;) {
        {
            const auto lock = monitor_.lock();
            if (Monitor::Clock::now() >= end) return put_or_throw(frame, padded);
            if (put(frame, padded)) return;
        }
        pollfd room{socket_.get(), POLLOUT, 0};
        poll(&room, 1, one_look);
    }
}

void Cable::put_or_throw(const Frame& frame, bool padded) {
    if (!put(frame, padded)) {
        throw SetupError(
            "cable: frame not sent: it is full (the guest does not take frames: is its interface "
            "up, does it have descriptors?)");
    }
}

bool Cable::put(Frame frame, bool padded) {
    if (!socket_.open()) throw SetupError("cable: this guest was started without a card");
    if (frame.size() > kLongestFrame || frame.empty())
        throw SetupError(fmt::format("cable: a frame of {} bytes cannot be sent", frame.size()));
    if (padded) frame = pad(std::move(frame));
    if (::send(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        errno != ECONNREFUSED && errno != ECONNRESET) {
        if (errno == EAGAIN || errno == ENOBUFS) return false;
        throw SetupError(fmt::format("cable: frame not sent: {}", std::strerror(errno)));
    }
    if (capture_) capture_->add(frame, Direction::kToGuest);
    return true;
}

std::optional<Frame> Cable::receive(Monitor::Clock::duration limit) {
    return expect(any_frame(), limit);
}

std::optional<Frame> Cable::expect(const FramePredicate& wanted, Monitor::Clock::duration limit) {
    auto lock = monitor_.lock();
    const auto look = [&] {
        received_.erase(received_.begin(),
                        std::find_if(received_.begin(), received_.end(), wanted));
        return !received_.empty();
    };
    if (!monitor_.wait(lock, limit, look)) return std::nullopt;
    Frame frame = std::move(received_.front());
    received_.pop_front();
    return frame;
}

std::vector<Frame> Cable::take_all() {
    const auto lock = monitor_.lock();
    std::vector<Frame> frames(received_.begin(), received_.end());
    received_.clear();
    return frames;
}

std::uint64_t Cable::received_count() {
    const auto lock = monitor_.lock();
    return received_count_;
}

void Cable::capture(const std::filesystem::path& path) {
    const auto lock = monitor_.lock();
    capture_ = std::make_unique<Capture>(path);
}

void Cable::end_capture() {
    const auto lock = monitor_.lock();
    capture_.reset();
}

void Cable::set_peer(bool on) {
    const auto lock = monitor_.lock();
    peer_ = on;
}

bool Cable::on_readable() {
    std::array<std::uint8_t, 70'000> buffer{};
    const auto lock = monitor_.lock();
    for (;;) {
        const ssize_t n = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n <= 0) break;
        Frame frame(buffer.begin(), buffer.begin() + n);
        if (capture_) capture_->add(frame, Direction::kFromGuest);
        if (const auto answer = peer_ ? peer_answer(frame) : std::nullopt) {
            try {
                put_or_throw(*answer, true);
            } catch (const SetupError&) {
                // A real neighbour's answer to a deaf card is lost too.
            }
        }
        ++received_count_;
        received_.push_back(std::move(frame));
        if (received_.size() > kMostFrames) received_.pop_front();
    }
    monitor_.changed();
    // A datagram socket shows no end of file; QEMU's end shows elsewhere.
    return true;
}

}  // namespace fwts::sandbox
