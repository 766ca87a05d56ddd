// SPDX-License-Identifier: GPL-2.0
#include "job.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "protocol.h"

namespace fwts::agent {

namespace {

struct Pipe {
    Descriptor read_end;
    Descriptor write_end;
};

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void set_nonblocking(const Descriptor& descriptor) {
    fcntl(descriptor.get(), F_SETFL, fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

// Runs in the child. The parent learns of a failure from errno, sent through `report`.
[[noreturn]] void become(const Order& order, const std::array<int, 3>& standard, int report) {
    setpgid(0, 0);
    for (int fd = 0; fd < 3; ++fd) dup2(standard.at(static_cast<std::size_t>(fd)), fd);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    for (const auto& [name, value] : order.environment) setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv;
    argv.reserve(order.argv.size() + 1);
    for (const auto& word : order.argv) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    if (order.directory.empty() || chdir(order.directory.c_str()) == 0)
        execvp(argv[0], argv.data());
    const int error = errno;
    const ssize_t written = write(report, &error, sizeof error);
    _exit(written == sizeof error ? 127 : 126);
}

}  // namespace

Order parse_order(const nlohmann::json& message) try {
    Order order;
    order.id = message.value("id", std::int64_t{0});
    order.argv = message.at("argv").get<std::vector<std::string>>();
    order.input = base64_decode(message.value("stdin", std::string()));
    order.environment = message.value("env", std::map<std::string, std::string>());
    order.directory = message.value("cwd", std::string());
    order.output_limit = message.value("output_limit", order.output_limit);
    if (const auto limit = message.value("timeout_ms", std::int64_t{0}); limit > 0)
        order.timeout = std::chrono::milliseconds(limit);
    if (order.argv.empty()) throw ProtocolError("exec: argv is empty");
    return order;
} catch (const nlohmann::json::exception& error) {
    throw ProtocolError(std::string("exec: ") + error.what());
}

Job::Job(Order order) : order_(std::move(order)) {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    Pipe report = make_pipe();
    pid_ = fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
        become(order_, {in.read_end.get(), out.write_end.get(), err.write_end.get()},
               report.write_end.get());
    }
    setpgid(pid_, pid_);  // whoever of the two comes first, the group exists from here on
    report.write_end.close();
    int error = 0;
    ssize_t got = 0;
    do {
        got = read(report.read_end.get(), &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    if (got == sizeof error) {
        waitpid(pid_, nullptr, 0);
        throw std::system_error(error, std::generic_category(), order_.argv[0]);
    }
    in_ = std::move(in.write_end);
    out_ = std::move(out.read_end);
    err_ = std::move(err.read_end);
    set_nonblocking(in_);
    set_nonblocking(out_);
    set_nonblocking(err_);
    if (order_.timeout) deadline_ = Clock::now() + *order_.timeout;
    feed();
}

Job::~Job() {
    if (!ended_) {
        ::kill(-pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
}

void Job::feed() {
    while (in_.open() && fed_ < order_.input.size()) {
        const ssize_t n = write(in_.get(), order_.input.data() + fed_, order_.input.size() - fed_);
        if (n > 0)
            fed_ += static_cast<std::size_t>(n);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            break;  // the command does not read its input: that is its right
    }
    in_.close();
}

nlohmann::json Job::collect(bool from_err) {
    Descriptor& from = from_err ? err_ : out_;
    std::string piece(kChunk, '\0');
    const ssize_t n = read(from.get(), piece.data(), piece.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return nullptr;
    if (n <= 0) {
        from.close();
        return nullptr;
    }
    if (ended_) return nullptr;  // a background process of a command that is already reported
    piece.resize(std::min(static_cast<std::size_t>(n), order_.output_limit - collected_));
    collected_ += piece.size();
    if (collected_ == order_.output_limit) kill(SIGKILL, "output_limit");
    if (piece.empty()) return nullptr;
    return {{"id", order_.id},
            {"event", "output"},
            {"stream", from_err ? "stderr" : "stdout"},
            {"data", base64_encode(piece)}};
}

void Job::kill(int signal, const char* reason) {
    if (!ended_) {
        if (reason_ == nullptr) reason_ = reason;
        ::kill(-pid_, signal);
    }
    deadline_.reset();
}

nlohmann::json Job::finish(int wait_status) {
    ended_ = true;
    in_.close();
    deadline_.reset();
    nlohmann::json message = {{"id", order_.id}, {"event", "exit"}};
    if (WIFSIGNALED(wait_status))
        message["signal"] = WTERMSIG(wait_status);
    else
        message["status"] = WEXITSTATUS(wait_status);
    if (reason_ != nullptr) message["reason"] = reason_;
    return message;
}

}  // namespace fwts::agent
