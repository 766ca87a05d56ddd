// SPDX-License-Identifier: GPL-2.0
// The host's end of the conversation with the agent in the guest (qemu/guest/agent).
//
// Any number of threads may have something running; each waits for its own answer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "descriptor.h"
#include "monitor.h"
#include "protocol.h"

namespace fwts::sandbox {

class AgentLink {
  public:
    /// Receives the pieces of standard output (err false) and standard error (err true).
    using OutputHandler = std::function<void(bool err, std::string_view piece)>;

    /// More than this never comes in answer to one message, if the agent is what sends it.
    static constexpr std::size_t kMostOutput = std::size_t{256} << 20;

    /// @param wake  makes the listener thread look again at wants_write(); called with the lock
    /// held
    AgentLink(Descriptor socket, Monitor& monitor, std::function<void()> wake)
        : socket_(std::move(socket)), monitor_(monitor), wake_(std::move(wake)) {}

    /// Sends @p message under a new id, or keeps it until the agent says hello. Never blocks.
    /// @return the id.
    /// Pieces of output and of files go to @p handler, on the listener thread. When more than
    /// @p most bytes come, or something on the port that is no message of an agent, the call ends
    /// with an "error".
    std::int64_t ask(nlohmann::json message, OutputHandler handler = {},
                     std::size_t most = kMostOutput);

    /// Sends @p message under an id of an earlier ask(); nothing comes back for it.
    void tell(nlohmann::json message, std::int64_t id);

    /// Waits for the last message under @p id ("exit", "done", "pong" or "error").
    /// @return nothing if the guest ran for @p limit without it.
    std::optional<nlohmann::json> wait(std::int64_t id, Monitor::Clock::duration limit);

    /// No longer interested in what comes under @p id.
    void forget(std::int64_t id);

    /// Waits for the agent's hello. @return it, or nothing after @p limit.
    std::optional<nlohmann::json> wait_hello(Monitor::Clock::duration limit);

    /// The agent said its hello to somebody before us and is idle: begins a conversation with it.
    void resume();

    /// For the listener thread: reads what is there. @return false when QEMU hung up.
    bool on_readable();
    /// For the listener thread: there are messages that the port did not take yet.
    bool wants_write();
    void on_writable();
    [[nodiscard]] int descriptor() const { return socket_.get(); }

  private:
    struct Call {
        OutputHandler handler;
        std::size_t room = 0;  // bytes that may still come
        std::optional<nlohmann::json> last;
    };

    void flush();
    void accept(const nlohmann::json& message);
    void hand_on(Call& call, const nlohmann::json& message);
    void greet(const nlohmann::json& hello);
    void fail_calls(const std::string& why);

    Descriptor socket_;
    Monitor& monitor_;
    std::function<void()> wake_;
    std::string outbox_;
    agent::Decoder decoder_;
    std::map<std::int64_t, Call> calls_;
    std::optional<nlohmann::json> hello_;
    std::int64_t last_id_ = 0;
};

}  // namespace fwts::sandbox
