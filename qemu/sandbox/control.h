// SPDX-License-Identifier: GPL-2.0
// How one program holds a guest and others use it: `sandbox start` serves, `sandbox exec` asks.
//
// JSON lines over a Unix socket with an abstract name, so that nothing has to be cleaned up and a
// name cannot outlive its guest. Only processes of the same user are served. Every connection has
// its own thread: an answer that takes long, or a guest that stands in gdb, holds up nobody else.
// Names are one user's; where $FWTS_GUESTS is set, they are those of this name only, so that a
// script's guests do not meet the user's own.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "guest.h"

namespace fwts::sandbox {

/// @throws SetupError if @p name could not be typed again (letters, digits, '-', '_', '.').
void check_name(const std::string& name);

class ControlServer {
  public:
    /// Claims @p name and serves @p guest from now on.
    /// @param on_stop  called (by a thread of the server) when somebody asks the guest to end
    /// @throws SetupError if a guest of that name runs.
    ControlServer(const std::string& name, Guest& guest, std::function<void()> on_stop);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

  private:
    class Service;
    std::unique_ptr<Service> service_;
};

/// One request to a running guest.
class ControlClient {
  public:
    /// @throws SetupError if no guest of that name runs.
    explicit ControlClient(const std::string& name);

    /// Sends @p request; @return the last answer. Answers with "output" go to @p on_output.
    /// @throws SetupError or a GuestFailure as the server reports it.
    nlohmann::json ask(const nlohmann::json& request,
                       const AgentLink::OutputHandler& on_output = {});

  private:
    std::string name_;
    Descriptor socket_;
};

/// @return the names of this user's running guests, sorted.
std::vector<std::string> running_guests();

/// @return which of the failures of failure.h @p error is: "panic", "hang", "reboot", "exit",
/// "setup".
std::string kind_of(const std::exception& error);

}  // namespace fwts::sandbox
