// SPDX-License-Identifier: GPL-2.0
#include "agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <system_error>

#include "base64.h"

namespace fwts::agent {

namespace {

// While this much waits for the host to read it, commands wait in their write(2).
constexpr std::size_t kFullOutbox = std::size_t{256} << 10;
// A port whose host is away is always ready to say so: poll(2) on it would not wait.
constexpr std::chrono::milliseconds kLookForHost{10};

Descriptor open_child_signal() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return Descriptor(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

std::int64_t uptime_ms() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void make_parents(const std::string& path) {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
        mkdir(path.substr(0, at).c_str(), 0755);
}

}  // namespace

Agent::Agent(Descriptor port, HangUp hang_up)
    : port_(std::move(port)), children_(open_child_signal()), hang_up_(hang_up) {
    fcntl(port_.get(), F_SETFL, fcntl(port_.get(), F_GETFL) | O_NONBLOCK);
}

Agent::~Agent() = default;

Agent::End Agent::run() {
    outbox_ += kBeginning;
    say_hello();
    while (!hung_up_ && !(power_off_ && outbox_.empty())) wait_and_serve();
    jobs_.clear();
    return power_off_ ? End::kPowerOff : End::kHangUp;
}

void Agent::say(const nlohmann::json& message) {
    outbox_ += encode(message);
}

void Agent::say_hello() {
    utsname name{};
    uname(&name);
    say({{"event", "hello"},
         {"release", name.release},
         {"uptime_ms", uptime_ms()},
         {"cpus", sysconf(_SC_NPROCESSORS_ONLN)}});
}

void Agent::wait_and_serve() {
    std::vector<pollfd> polled;
    const bool full = outbox_.size() >= kFullOutbox;
    polled.push_back({host_away_ ? -1 : port_.get(),
                      static_cast<short>(POLLIN | (outbox_.empty() ? 0 : POLLOUT)), 0});
    polled.push_back({children_.get(), POLLIN, 0});
    const std::size_t first = polled.size();
    for (const auto& job : jobs_) {
        polled.push_back({job->in().get(), POLLOUT, 0});
        polled.push_back({full ? -1 : job->out().get(), POLLIN, 0});
        polled.push_back({full ? -1 : job->err().get(), POLLIN, 0});
    }
    if (poll(polled.data(), polled.size(), poll_timeout()) < 0) return;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
        Job& job = *jobs_[i];
        if (polled[first + 3 * i].revents != 0) job.feed();
        for (const bool err : {false, true}) {
            if (polled[first + 3 * i + (err ? 2 : 1)].revents != 0) {
                if (auto message = job.collect(err); !message.is_null()) say(message);
            }
        }
    }
    reap();
    check_deadlines();
    if (host_away_) look_for_host();
    if (!host_away_) flush();
    if (polled[0].revents != 0) read_port();
}

void Agent::look_for_host() {
    pollfd port{port_.get(), POLLIN, 0};
    host_away_ = poll(&port, 1, 0) >= 0 && (port.revents & POLLHUP) != 0;
}

void Agent::read_port() {
    std::string bytes(64 << 10, '\0');
    const ssize_t n = read(port_.get(), bytes.data(), bytes.size());
    if (n > 0) {
        decoder_.add({bytes.data(), static_cast<std::size_t>(n)});
        while (auto message = decoder_.next()) obey(*message);
    } else if (hang_up_ == HangUp::kPasses && (n == 0 || errno == EIO)) {
        host_away_ = true;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        hung_up_ = true;
    }
}

void Agent::flush() {
    while (!outbox_.empty()) {
        // virtio-console takes at most 32 KiB a write.
        const ssize_t n =
            write(port_.get(), outbox_.data(), std::min<std::size_t>(outbox_.size(), 32 << 10));
        if (n > 0) {
            outbox_.erase(0, static_cast<std::size_t>(n));
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            hung_up_ = n < 0 && errno != EAGAIN;
            return;
        }
    }
}

void Agent::obey(const nlohmann::json& message) {
    const auto id = message.value("id", std::int64_t{0});
    const auto op = message.value("op", std::string());
    try {
        if (op == "exec") {
            obey_exec(message);
        } else if (op == "put") {
            obey_put(message);
        } else if (op == "get") {
            obey_get(message);
        } else if (op == "kill") {
            obey_kill(message);
        } else if (op == "ping") {
            say({{"id", id}, {"event", "pong"}, {"uptime_ms", uptime_ms()}});
        } else if (op == "poweroff") {
            say({{"id", id}, {"event", "done"}});
            power_off_ = true;
        } else {
            throw ProtocolError("unknown op \"" + op + "\"");
        }
    } catch (const std::exception& error) {
        say({{"id", id}, {"event", "error"}, {"message", error.what()}});
    }
}

void Agent::obey_exec(const nlohmann::json& message) {
    jobs_.push_back(std::make_unique<Job>(parse_order(message)));
}

void Agent::obey_put(const nlohmann::json& message) {
    const auto path = message.at("path").get<std::string>();
    const auto mode = static_cast<mode_t>(message.value("mode", 0644));
    const bool append = message.value("append", false);
    make_parents(path);
    Descriptor file(
        open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), mode));
    if (!file.open()) throw std::system_error(errno, std::generic_category(), path);
    write_all(file.get(), base64_decode(message.at("data").get<std::string>()), path);
    // Only if asked for: files of /proc refuse it. The mode at creation was cut by the umask.
    if (message.contains("mode") && fchmod(file.get(), mode) != 0)
        throw std::system_error(errno, std::generic_category(), path);
    say({{"id", message.value("id", std::int64_t{0})}, {"event", "done"}});
}

void Agent::obey_get(const nlohmann::json& message) {
    const auto path = message.at("path").get<std::string>();
    const auto id = message.value("id", std::int64_t{0});
    Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.open()) throw std::system_error(errno, std::generic_category(), path);
    // /proc and /sys files say size 0, so read until the end; but not for ever.
    std::size_t left = message.value("limit", std::size_t{64} << 20);
    std::string piece(kChunk, '\0');
    while (left > 0) {
        const ssize_t n = read(file.get(), piece.data(), std::min(piece.size(), left));
        if (n < 0) throw std::system_error(errno, std::generic_category(), path);
        if (n == 0) break;
        const auto size = static_cast<std::size_t>(n);
        left -= size;
        say({{"id", id},
             {"event", "data"},
             {"data", base64_encode(std::string_view(piece).substr(0, size))}});
    }
    struct stat info = {};
    fstat(file.get(), &info);
    say({{"id", id}, {"event", "done"}, {"mode", info.st_mode & 07777}});
}

void Agent::obey_kill(const nlohmann::json& message) {
    const auto id = message.at("id").get<std::int64_t>();
    const int signal = message.value("signal", SIGKILL);
    const auto job = std::find_if(jobs_.begin(), jobs_.end(),
                                  [id](const auto& each) { return each->id() == id; });
    if (job != jobs_.end())  // it may have ended while the order was on its way
        (*job)->kill(signal, "killed");
}

void Agent::drain(Job& job) {
    for (const bool err : {false, true}) {
        while ((err ? job.err() : job.out()).open()) {
            const auto message = job.collect(err);
            if (message.is_null()) break;
            say(message);
        }
    }
}

void Agent::reap() {
    signalfd_siginfo ignored{};
    while (read(children_.get(), &ignored, sizeof ignored) > 0) {
    }
    for (const auto& job : jobs_) {
        int status = 0;
        if (!job->ended() && waitpid(job->pid(), &status, WNOHANG) == job->pid()) {
            drain(*job);
            say(job->finish(status));
        }
    }
    // A process the command left behind keeps its pipes until it closes them itself.
    std::erase_if(jobs_, [](const auto& job) {
        return job->ended() && !job->out().open() && !job->err().open();
    });
}

void Agent::check_deadlines() {
    const auto now = Job::Clock::now();
    for (const auto& job : jobs_)
        if (job->deadline() && *job->deadline() <= now) job->kill(SIGKILL, "timeout");
}

int Agent::poll_timeout() const {
    auto nearest = Job::Clock::time_point::max();
    if (host_away_) nearest = Job::Clock::now() + kLookForHost;
    for (const auto& job : jobs_) nearest = std::min(nearest, job->deadline().value_or(nearest));
    if (nearest == Job::Clock::time_point::max()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(nearest - Job::Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

}  // namespace fwts::agent
