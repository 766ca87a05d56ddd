// SPDX-License-Identifier: GPL-2.0
#include "agent_link.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base64.h"

namespace fwts::sandbox {

namespace {

// Whoever got into the guest's kernel can write anything to the port.
void require_well_formed(const nlohmann::json& message) {
    constexpr std::array<std::string_view, 7> kEvents = {"hello", "output", "data", "exit",
                                                         "done",  "pong",   "error"};
    constexpr std::array<const char*, 6> kTexts = {"event",   "stream", "data",
                                                   "message", "reason", "release"};
    constexpr std::array<const char*, 6> kNumbers = {"id",   "status",    "signal",
                                                     "mode", "uptime_ms", "cpus"};
    for (const char* key : kTexts)
        if (message.contains(key) && !message[key].is_string())
            throw agent::ProtocolError(std::string(key) + " is no text");
    for (const char* key : kNumbers)
        if (message.contains(key) && !message[key].is_number_integer())
            throw agent::ProtocolError(std::string(key) + " is no whole number");
    const auto event = message.value("event", std::string());
    if (std::find(kEvents.begin(), kEvents.end(), event) == kEvents.end())
        throw agent::ProtocolError("there is no event \"" + event.substr(0, 20) + "\"");
}

std::string data_of(const nlohmann::json& message) try {
    return base64_decode(message.value("data", std::string()));
} catch (const std::invalid_argument& error) {
    throw agent::ProtocolError(error.what());
}

}  // namespace

std::int64_t AgentLink::ask(nlohmann::json message, OutputHandler handler, std::size_t most) {
    const auto lock = monitor_.lock();
    const std::int64_t id = ++last_id_;
    calls_[id] = {std::move(handler), most, std::nullopt};
    message["id"] = id;
    outbox_ += agent::encode(message);
    wake_();
    return id;
}

void AgentLink::tell(nlohmann::json message, std::int64_t id) {
    const auto lock = monitor_.lock();
    message["id"] = id;
    outbox_ += agent::encode(message);
    wake_();
}

bool AgentLink::wants_write() {
    const auto lock = monitor_.lock();
    return hello_ && !outbox_.empty();
}

void AgentLink::on_writable() {
    const auto lock = monitor_.lock();
    flush();
}

void AgentLink::flush() {
    std::size_t done = 0;
    while (done < outbox_.size()) {
        const ssize_t n = send(socket_.get(), outbox_.data() + done, outbox_.size() - done,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;  // full, or QEMU is gone: then whoever waits for an answer learns why
        done += static_cast<std::size_t>(n);
    }
    outbox_.erase(0, done);
}

std::optional<nlohmann::json> AgentLink::wait(std::int64_t id, Monitor::Clock::duration limit) {
    auto lock = monitor_.lock();
    if (!monitor_.wait(lock, limit, [&] { return calls_[id].last.has_value(); }))
        return std::nullopt;
    return std::move(calls_.extract(id).mapped().last);
}

void AgentLink::forget(std::int64_t id) {
    const auto lock = monitor_.lock();
    calls_.erase(id);
}

std::optional<nlohmann::json> AgentLink::wait_hello(Monitor::Clock::duration limit) {
    auto lock = monitor_.lock();
    if (!monitor_.wait(lock, limit, [&] { return hello_.has_value(); })) return std::nullopt;
    return hello_;
}

void AgentLink::resume() {
    const auto lock = monitor_.lock();
    greet({{"event", "hello"}});
    wake_();
}

bool AgentLink::on_readable() {
    std::array<char, 65536> bytes{};
    const ssize_t n = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    const auto lock = monitor_.lock();
    decoder_.add({bytes.data(), static_cast<std::size_t>(n)});
    try {
        while (auto message = decoder_.next()) accept(*message);
    } catch (const agent::ProtocolError& error) {
        // Whatever writes to the port is not the agent. It will be heard again after a beginning.
        decoder_ = agent::Decoder(agent::Decoder::Start::kWaitBeginning);
        fail_calls(std::string("something else than the agent wrote to its port: ") + error.what());
    }
    monitor_.changed();
    return true;
}

void AgentLink::accept(const nlohmann::json& message) {
    require_well_formed(message);
    if (message["event"] == "hello") {
        greet(message);
        return;
    }
    const auto call = calls_.find(message.value("id", std::int64_t{0}));
    if (call == calls_.end() || call->second.last) return;
    const bool piece = message["event"] == "output" || message["event"] == "data";
    if (!piece)
        call->second.last = message;
    else if (call->second.handler)
        hand_on(call->second, message);
}

void AgentLink::hand_on(Call& call, const nlohmann::json& message) {
    const auto bytes = data_of(message);
    if (bytes.size() > call.room) {
        call.last = {{"event", "error"}, {"message", "more came in answer than was asked for"}};
        return;
    }
    call.room -= bytes.size();
    call.handler(message.value("stream", "") == "stderr", bytes);
}

void AgentLink::fail_calls(const std::string& why) {
    for (auto& [id, call] : calls_)
        if (!call.last) call.last = {{"event", "error"}, {"message", why}};
}

void AgentLink::greet(const nlohmann::json& hello) {
    if (hello_) {
        // What an agent before this one was asked is lost with it.
        fail_calls("the agent in the guest was restarted");
        outbox_.clear();
    }
    hello_ = hello;
    outbox_.insert(0, agent::kBeginning);
    flush();
}

}  // namespace fwts::sandbox
