// SPDX-License-Identifier: GPL-2.0
// The agent's loop: orders come in on one descriptor, what became of them goes out on it.
//
// The descriptor is a virtio-serial port in the guest, one end of a socketpair in the tests.
// Several commands may run at once; none can block the others or the loop.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "job.h"
#include "protocol.h"

namespace fwts::agent {

class Agent {
  public:
    /// What the end of the other side means.
    enum class HangUp {
        kEnds,   ///< the conversation is over
        kPasses  ///< it comes back: the port of a guest that sleeps is closed until it is awake
    };

    enum class End {
        kHangUp,    ///< the other end went away
        kPowerOff,  ///< the host asked for it; the caller does it
    };

    /// @param port  descriptor for both directions; becomes non-blocking.
    explicit Agent(Descriptor port, HangUp hang_up = HangUp::kEnds);
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    /// Serves until the port ends. All commands that still run are then killed.
    End run();

  private:
    void say(const nlohmann::json& message);
    void say_hello();
    void flush();
    void read_port();
    void look_for_host();
    void obey(const nlohmann::json& message);
    void obey_exec(const nlohmann::json& message);
    void obey_put(const nlohmann::json& message);
    void obey_get(const nlohmann::json& message);
    void obey_kill(const nlohmann::json& message);
    void wait_and_serve();
    void reap();
    void drain(Job& job);
    void check_deadlines();
    [[nodiscard]] int poll_timeout() const;

    Descriptor port_;
    Descriptor children_;  // signalfd for SIGCHLD
    Decoder decoder_{Decoder::Start::kWaitBeginning};
    std::string outbox_;
    std::vector<std::unique_ptr<Job>> jobs_;
    HangUp hang_up_;
    bool host_away_ = false;
    bool hung_up_ = false;
    bool power_off_ = false;
};

}  // namespace fwts::agent
