// SPDX-License-Identifier: GPL-2.0
#include "job.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base64.h"
#include "process.h"
#include "protocol.h"

namespace fwts::agent {

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
    Program program;
    program.argv = order_.argv;
    program.environment = order_.environment;
    program.environment.merge(fwts::environment());
    program.directory = order_.directory;
    program.in = in.read_end.get();
    program.out = out.write_end.get();
    program.err = err.write_end.get();
    pid_ = start(program);
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
        wait_for(pid_);
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
