// SPDX-License-Identifier: GPL-2.0
#include "qmp.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "failure.h"

namespace fwts::sandbox {

namespace {

using std::chrono_literals::operator""s;

// QEMU answers at once unless the machine is heavily loaded or a command walks much memory.
constexpr auto kAnswerLimit = 30s;

}  // namespace

std::optional<nlohmann::json> QmpLines::next() {
    for (;;) {
        const std::size_t end = buffer_.find('\n');
        if (end == std::string::npos) return std::nullopt;
        auto message = nlohmann::json::parse(
            buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
        buffer_.erase(0, end + 1);
        if (message.is_object()) return message;
    }
}

void Qmp::send(const std::string& name, const nlohmann::json& arguments, std::int64_t id) {
    nlohmann::json message = {{"execute", name}, {"id", id}};
    if (!arguments.is_null()) message["arguments"] = arguments;
    const std::string line = message.dump() + "\n";
    // MSG_NOSIGNAL: if QEMU is gone, the listener notices and says why.
    if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE &&
        errno != ECONNRESET) {
        throw QmpError(name + ": QEMU does not read its commands");
    }
}

nlohmann::json Qmp::command(const std::string& name, const nlohmann::json& arguments) {
    auto lock = monitor_.lock();
    const std::int64_t id = ++last_id_;
    send(name, arguments, id);
    // QEMU answers whether or not the guest's processors run.
    if (!monitor_.wait_on_wall(lock, kAnswerLimit, [&] { return answers_.count(id) != 0; })) {
        lock.unlock();
        throw Hang(name + ": QEMU did not answer in 30 s", {}, {});
    }
    const nlohmann::json answer = std::move(answers_.extract(id).mapped());
    if (answer.contains("error"))
        throw QmpError(name + ": " + answer["error"].value("desc", "refused"));
    return answer.value("return", nlohmann::json::object());
}

std::string Qmp::human(const std::string& line) {
    return command("human-monitor-command", {{"command-line", line}}).get<std::string>();
}

void Qmp::set_link(bool up, const std::string& device) {
    command("set_link", {{"name", device}, {"up", up}});
}

void Qmp::device_del(const std::string& id) {
    command("device_del", {{"id", id}});
}

std::string Qmp::status() {
    return command("query-status").value("status", "");
}

std::size_t Qmp::event_count(const std::string& name) {
    const auto lock = monitor_.lock();
    return events_[name];
}

bool Qmp::wait_event(const std::string& name, std::size_t seen, Monitor::Clock::duration limit) {
    auto lock = monitor_.lock();
    return monitor_.wait_on_wall(lock, limit, [&] { return events_[name] > seen; });
}

void Qmp::quit() {
    const auto lock = monitor_.lock();
    send("quit", {}, ++last_id_);
}

bool Qmp::on_readable(const EventHandler& handler) {
    std::array<char, 65536> bytes{};
    const ssize_t n = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    const auto lock = monitor_.lock();
    lines_.add({bytes.data(), static_cast<std::size_t>(n)});
    while (auto message = lines_.next()) {
        if (message->contains("event")) {
            ++events_[(*message)["event"].get<std::string>()];
            handler(*message);
        } else if (message->contains("id")) {
            answers_[(*message)["id"].get<std::int64_t>()] = *message;
        }
    }
    monitor_.changed();
    return true;
}

}  // namespace fwts::sandbox
