// SPDX-License-Identifier: GPL-2.0
#include "recorder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "failure.h"

namespace fwts::measure {

using sandbox::SetupError;

std::vector<std::string> recordable() {
    return {"-dfilter", "0xffffffff80000000..0xfffffffffffffffe"};
}

Recorder::Recorder(sandbox::Qmp& qmp, std::uint64_t mark) : qmp_(qmp), log_(mark) {
    const std::string path = scratch_.path() / "log";
    if (mkfifo(path.c_str(), 0600) != 0)
        throw std::system_error(errno, std::generic_category(), path);
    // Open before QEMU opens it, which waits for a reader.
    pipe_ = Descriptor(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!pipe_.open()) throw std::system_error(errno, std::generic_category(), path);
    qmp_.human("logfile " + path);
    one_by_one(true);
    reader_ = std::thread([this] { read_all(); });
    qmp_.human("log exec");
}

Recorder::~Recorder() {
    abandoned_ = true;
    if (reader_.joinable()) reader_.join();
}

std::vector<Counts> Recorder::finish() {
    qmp_.human("log none");
    one_by_one(false);
    finished_ = true;
    reader_.join();
    if (error_) std::rethrow_exception(error_);
    return log_.windows();
}

void Recorder::read_all() {
    std::vector<char> buffer(1 << 20);
    while (!abandoned_) {
        pollfd ready{pipe_.get(), POLLIN, 0};
        poll(&ready, 1, 100);
        const ssize_t got = read(pipe_.get(), buffer.data(), buffer.size());
        // Nobody has it open for writing: not yet, or no longer.
        if (got == 0 && finished_) return;
        if (got <= 0 || error_) continue;
        try {
            log_.add({buffer.data(), std::size_t(got)});
        } catch (const SetupError&) {
            // QEMU must go on, or it would never hear that it shall stop.
            error_ = std::current_exception();
        }
    }
}

void Recorder::one_by_one(bool on) {
    const char* word = on ? "on" : "off";
    std::string answer = qmp_.human(fmt::format("one-insn-per-tb {}", word));
    // Before QEMU 8.1.
    if (!answer.empty()) answer = qmp_.human(fmt::format("singlestep {}", word));
    if (!answer.empty())
        throw SetupError("QEMU cannot execute instruction by instruction: " + answer);
}

}  // namespace fwts::measure
