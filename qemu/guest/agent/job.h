// SPDX-License-Identifier: GPL-2.0
// One command that the agent runs: its process group, its three pipes and its limits.
//
// A Job knows nothing of the port. The agent polls its descriptors and asks it for messages.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "descriptor.h"

namespace fwts::agent {

/// What is to be run. Built from an "exec" message.
struct Order {
    std::int64_t id = 0;
    std::vector<std::string> argv;
    std::string input;
    std::map<std::string, std::string> environment;
    std::string directory;
    std::optional<std::chrono::milliseconds> timeout;
    std::size_t output_limit = std::size_t{64} << 20;
};

/// @return the order in @p message. @throws ProtocolError if a field has the wrong type.
Order parse_order(const nlohmann::json& message);

class Job {
  public:
    using Clock = std::chrono::steady_clock;

    /// Starts the command in a process group of its own.
    /// @throws std::system_error if it cannot be started (the file is missing, out of processes…).
    explicit Job(Order order);

    /// Kills what is still running of the process group, unless the command ended by itself.
    ~Job();
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    [[nodiscard]] std::int64_t id() const { return order_.id; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::optional<Clock::time_point> deadline() const { return deadline_; }
    [[nodiscard]] const Descriptor& in() const { return in_; }
    [[nodiscard]] const Descriptor& out() const { return out_; }
    [[nodiscard]] const Descriptor& err() const { return err_; }
    [[nodiscard]] bool ended() const { return ended_; }

    /// Writes as much input as the pipe takes; closes it after the last byte.
    void feed();

    /// Reads one piece of standard output or error. @return a message, or null if there was none.
    nlohmann::json collect(bool from_err);

    /// Sends @p signal to the whole process group; @p reason is reported with the exit.
    void kill(int signal, const char* reason);

    /// Notes that the process ended with @p wait_status. @return the exit message.
    nlohmann::json finish(int wait_status);

  private:
    Order order_;
    pid_t pid_ = -1;
    Descriptor in_, out_, err_;
    std::optional<Clock::time_point> deadline_;
    std::size_t fed_ = 0;
    std::size_t collected_ = 0;
    const char* reason_ = nullptr;
    bool ended_ = false;
};

}  // namespace fwts::agent
