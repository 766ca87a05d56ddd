// SPDX-License-Identifier: GPL-2.0
// The guest's serial console: what it said, and a way to type.
//
// It records text and hands it on; what the text means is kernel_log.h's business.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "descriptor.h"
#include "monitor.h"

namespace fwts::sandbox {

class Console {
  public:
    using Listener = std::function<void(std::string_view bytes)>;

    Console(Descriptor socket, Monitor& monitor) : socket_(std::move(socket)), monitor_(monitor) {}

    /// @return everything since the start, with plain line ends.
    std::string text();

    /// @return the last @p count lines that are not empty, oldest first.
    std::vector<std::string> tail(std::size_t count = 15);

    /// Types. @throws std::system_error when QEMU is gone.
    void type(std::string_view text);

    /// Waits until @p text stands on the console at or behind byte @p from of text().
    /// @return false if the guest ran for @p limit without saying it.
    bool expect(const std::string& text, Monitor::Clock::duration limit, std::size_t from = 0);

    /// Every piece that arrives from now on also goes to @p listener (called by the listener
    /// thread, which holds the monitor). An empty function ends it.
    /// @param before  is first called with all there was, so that no byte is lost between
    void listen(Listener listener, const std::function<void(const std::string&)>& before = {});

    /// For the listener thread: reads what is there. @return false when QEMU hung up.
    bool on_readable();
    [[nodiscard]] int descriptor() const { return socket_.get(); }

  private:
    Descriptor socket_;
    Monitor& monitor_;
    std::string text_;
    Listener listener_;
};

}  // namespace fwts::sandbox
