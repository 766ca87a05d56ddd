// SPDX-License-Identifier: GPL-2.0
// The conversation with QEMU itself (QMP: a JSON object per line).
//
// For what happens to the machine from outside: pull the cable, unplug the card, read memory. What
// happens inside the guest goes by the agent.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "descriptor.h"
#include "monitor.h"

namespace fwts::sandbox {

/// QEMU refused a command; the text is QEMU's.
struct QmpError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Cuts a stream of bytes into lines, each a JSON object.
class QmpLines {
  public:
    void add(std::string_view bytes) { buffer_ += bytes; }
    /// @return the next object; lines that are no JSON are passed over.
    std::optional<nlohmann::json> next();

  private:
    std::string buffer_;
};

class Qmp {
  public:
    using EventHandler = std::function<void(const nlohmann::json& event)>;

    Qmp(Descriptor socket, Monitor& monitor) : socket_(std::move(socket)), monitor_(monitor) {}

    /// Sends a command and @return its answer's "return". Any thread; not the listener's.
    /// @throws QmpError if QEMU refuses, GuestFailure if the guest ends or QEMU does not answer.
    nlohmann::json command(const std::string& name, const nlohmann::json& arguments = {});

    /// Runs a command of the human monitor. @return its text.
    std::string human(const std::string& line);

    /// Plugs (true) or pulls (false) the cable, as the card sees it.
    void set_link(bool up, const std::string& device = "nic");
    /// Asks the guest to let go of a device (hot unplug). Needs a slot that can: see Options.
    void device_del(const std::string& id);
    /// Stops the processors, lets them go on.
    void stop() { command("stop"); }
    void resume() { command("cont"); }
    /// @return "running", "paused", "prelaunch", "guest-panicked", …
    std::string status();
    /// @return how often events of this name arrived.
    std::size_t event_count(const std::string& name);
    /// Waits until an event of this name has arrived more than @p seen times. @return false
    /// when @p limit has passed on the wall: QEMU has events while the guest stands, too.
    bool wait_event(const std::string& name, std::size_t seen, Monitor::Clock::duration limit);
    /// Ends QEMU. Does not wait for an answer.
    void quit();

    /// For the listener thread: reads what is there. @return false when QEMU hung up.
    bool on_readable(const EventHandler& handler);
    [[nodiscard]] int descriptor() const { return socket_.get(); }

  private:
    void send(const std::string& name, const nlohmann::json& arguments, std::int64_t id);

    Descriptor socket_;
    Monitor& monitor_;
    QmpLines lines_;
    std::map<std::int64_t, nlohmann::json> answers_;
    std::map<std::string, std::size_t> events_;
    std::int64_t last_id_ = 0;
};

}  // namespace fwts::sandbox
