// SPDX-License-Identifier: GPL-2.0
// The network cable: its other end is the guest's card, this end is ours.
//
// A pair of Unix datagram sockets, so a frame is one message and keeps its boundaries. Frames go in
// and out whole, without FCS; what we put on the cable is padded to Ethernet's least length. QEMU's
// `-netdev dgram` reads into a buffer of 68 KiB, jumbo frames included; the socket buffers are made
// large enough for bursts.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "descriptor.h"
#include "frame.h"
#include "monitor.h"
#include "pcapng.h"

namespace fwts::sandbox {

class Cable {
  public:
    /// @param socket  our end; null descriptor for a guest without a card
    /// @param peer    whether the neighbour of peer.h answers
    Cable(Descriptor socket, Monitor& monitor, bool peer);

    /// Puts a frame on the cable. Does not wait for the guest: a stopped guest finds it later. A
    /// full cable is given a few seconds.
    /// @throws SetupError if the frame is too long or the cable stays full (the guest takes
    /// nothing).
    void send(const Frame& frame);
    /// The same, at once, where a full cable is no error. @return whether the frame is on the
    /// cable.
    bool try_send(const Frame& frame);
    /// send(), but a frame that is too short stays so: an error, as the card counts it.
    void send_unpadded(const Frame& frame);

    /// Waits for the next frame from the guest. @return nothing if there is none within @p limit.
    std::optional<Frame> receive(Monitor::Clock::duration limit);

    /// Waits for a frame that fits; drops those before it. @return nothing if there is none.
    std::optional<Frame> expect(const FramePredicate& wanted, Monitor::Clock::duration limit);

    /// @return all frames that have arrived and that nobody took, and takes them.
    std::vector<Frame> take_all();

    /// Drops what has arrived.
    void clear() { take_all(); }

    /// @return how many frames the guest has sent since its start.
    std::uint64_t received_count();

    /// Writes all frames of both directions, from now on, to a pcapng file.
    void capture(const std::filesystem::path& path);
    void end_capture();

    /// Whether the neighbour answers.
    void set_peer(bool on);

    /// For the listener thread: reads what is there. @return false when QEMU hung up.
    bool on_readable();
    [[nodiscard]] int descriptor() const { return socket_.get(); }

    /// Makes a socket's buffers large enough for bursts and jumbo frames.
    static void enlarge_buffers(const Descriptor& socket);

  private:
    bool put(Frame frame, bool padded);
    void put_or_throw(const Frame& frame, bool padded);
    void put_in_time(const Frame& frame, bool padded);

    Descriptor socket_;
    Monitor& monitor_;
    bool peer_;
    std::deque<Frame> received_;
    std::uint64_t received_count_ = 0;
    std::unique_ptr<Capture> capture_;
};

}  // namespace fwts::sandbox
