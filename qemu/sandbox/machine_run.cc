// SPDX-License-Identifier: GPL-2.0
// A machine that runs: its start, its thread, commands in it, and its end.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

#include "base64.h"
#include "kernel_log.h"
#include "machine.h"
#include "symbolise.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kTailLines = 15;
constexpr auto kPanicReportLimit = 5s;  // from the panic event to QEMU's end
constexpr auto kKillLimit = 10s;        // for the agent to report a killed command
constexpr auto kPowerOffLimit = 20s;
// What a command still says between its limit of output and its end.
constexpr std::size_t kOutputOvershoot = std::size_t{4} << 20;
constexpr std::size_t kPutPiece = std::size_t{512} << 10;

void raise(const Descriptor& event) {
    const std::uint64_t one = 1;
    // Cannot fail but for a full counter, and then it is readable anyway.
    [[maybe_unused]] const ssize_t n = write(event.get(), &one, sizeof one);
}

}  // namespace

Guest::Machine::Machine(const Options& wanted, Start how, Descriptor state)
    : options(wanted),
      start(how),
      kernel(find_kernel(wanted.kernel)),
      accelerator(choose_accelerator(wanted.accelerator, wanted.icount)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    wiring_.state = std::move(state);
    monitor.on_end([this] { report_end(); });
}

Guest::Machine::~Machine() {
    kill();
}

void Guest::Machine::begin() {
    // A restored guest has left its initrd behind.
    wiring_.initrd = start == Start::kRestore ? make_memory_file("initrd")
                                              : make_initrd(kernel, placements(options));
    Cable::enlarge_buffers(wiring_.cable.ours);
    Cable::enlarge_buffers(wiring_.cable.theirs);
    if (!options.gdb_socket.empty()) {
        options.gdb_socket = fs::absolute(options.gdb_socket);
        struct stat info = {};
        if (stat(options.gdb_socket.c_str(), &info) == 0 && S_ISSOCK(info.st_mode))
            fs::remove(options.gdb_socket);  // left by somebody whose keeper was killed
    }
    if (options.wait_gdb) monitor.stopped();  // QEMU sends no event for a machine that never ran
    started_ = Clock::now();
    qemu_.emplace(plan(wiring_));
    qmp.emplace(std::move(wiring_.qmp.ours), monitor);
    agent.emplace(std::move(wiring_.agent.ours), monitor, [this] { wake(); });
    console.emplace(std::move(wiring_.console.ours), monitor);
    cable.emplace(options.nic ? std::move(wiring_.cable.ours) : Descriptor(), monitor,
                  options.peer);
    if (!options.capture.empty()) cable->capture(options.capture);
    trace = std::move(wiring_.trace);
    dump = std::move(wiring_.dump);
    wiring_.qmp.theirs.close();
    wiring_.agent.theirs.close();
    wiring_.console.theirs.close();
    wiring_.cable.theirs.close();
    wiring_.initrd.close();
    listener_ = std::thread([this] { listen(); });
    qmp->command("qmp_capabilities");
}

void Guest::Machine::wait_ready() {
    const auto hello = agent->wait_hello(options.boot_limit);
    if (!hello)
        hang(fmt::format("guest did not reach the agent in {} s", options.boot_limit.count()));
    if (start == Start::kRestore) {
        settle_restored();
    } else {
        // The boot is quiet for speed; from here on warnings belong on the console.
        call({{"op", "put"}, {"path", "/proc/sys/kernel/printk"}, {"data", base64_encode("7\n")}});
    }
    boot_time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
    insert_modules();
    ready = true;
}

void Guest::Machine::insert_modules() {
    // insmod inserts the file and nothing else; what it needs of the kernel's own modules comes
    // first. What cannot be found is left to insmod to complain about.
    const std::string script =
        "modprobe -aq $(modinfo -F depends \"$0\" | tr , ' ') 2>/dev/null; exec insmod \"$0\"";
    for (const fs::path& module : options.modules) {
        const std::string file = "/modules/" + module.filename().string();
        const ExecResult result = exec({"sh", "-c", script, file}, {});
        if (!result.ok()) {
            throw SetupError(fmt::format("{}: the guest's kernel did not take the module: {}{}",
                                         module.string(), result.err, result.out));
        }
    }
}

void Guest::Machine::kill() {
    leave_ = true;
    wake();
    if (listener_.joinable()) listener_.join();
    if (qemu_) qemu_->kill();
    const auto lock = monitor.lock();
    end_.asked_for = true;
    monitor.end();
}

void Guest::Machine::power_off() {
    {
        const auto lock = monitor.lock();
        end_.asked_for = true;
        if (monitor.ended()) return;
    }
    agent->ask({{"op", "poweroff"}});
    auto lock = monitor.lock();
    try {
        monitor.wait(lock, kPowerOffLimit, [this] { return monitor.ended(); });
    } catch (const QemuExit&) {
        // That is what was asked for.
    }
    lock = {};
    qemu_->kill();
}

void Guest::Machine::wait_end(std::chrono::milliseconds limit) {
    {
        auto lock = monitor.lock();
        monitor.wait(lock, limit, [this] { return monitor.ended(); });
    }
    if (!monitor.ended()) {
        hang(fmt::format("the guest still ran after {} s",
                         static_cast<double>(limit.count()) / 1000));
    }
    report_end();
}

void Guest::Machine::wake() const {
    raise(wake_);
}

void Guest::Machine::listen() {
    try {
        serve();
    } catch (...) {
        // Whoever waits for the guest throws it.
        const auto lock = monitor.lock();
        trouble_ = std::current_exception();
        monitor.end();
        raise(ended_);
    }
}

void Guest::Machine::serve() {
    bool console_open = true;
    bool agent_open = true;
    bool qmp_open = true;
    while (!leave_) {
        const auto agent_events = static_cast<short>(POLLIN | (agent->wants_write() ? POLLOUT : 0));
        std::array<pollfd, 6> polled{{{wake_.get(), POLLIN, 0},
                                      {qemu_->end_descriptor(), POLLIN, 0},
                                      {console_open ? console->descriptor() : -1, POLLIN, 0},
                                      {qmp_open ? qmp->descriptor() : -1, POLLIN, 0},
                                      {agent_open ? agent->descriptor() : -1, agent_events, 0},
                                      {cable->descriptor(), POLLIN, 0}}};
        poll(polled.data(), polled.size(), panicked_at_ ? 100 : -1);
        std::uint64_t ignored = 0;
        while (read(wake_.get(), &ignored, sizeof ignored) > 0) {
        }
        if (polled[2].revents != 0) console_open = console->on_readable();
        if (polled[3].revents != 0)
            qmp_open = qmp->on_readable([this](const nlohmann::json& event) { on_event(event); });
        if ((polled[4].revents & POLLOUT) != 0) agent->on_writable();
        if ((polled[4].revents & ~POLLOUT) != 0) agent_open = agent->on_readable();
        if (polled[5].revents != 0) cable->on_readable();
        // QEMU's end is believed only when all it said has been read.
        const bool silent = !console_open && !qmp_open;
        const bool stuck = panicked_at_ && Clock::now() - *panicked_at_ > kPanicReportLimit;
        if (stuck || (polled[1].revents != 0 && silent)) {
            const auto lock = monitor.lock();
            end_.status = stuck ? std::nullopt : qemu_->take_status();
            monitor.end();
            raise(ended_);
            return;
        }
    }
}

void Guest::Machine::on_event(const nlohmann::json& event) {
    const auto name = event.value("event", std::string());
    if (name == "GUEST_PANICKED") {
        end_.panicked = true;
        panicked_at_ = Clock::now();
    } else if (name == "SHUTDOWN") {
        end_.shutdown_reason = event.value("data", nlohmann::json::object()).value("reason", "");
    } else if (name == "STOP") {
        monitor.stopped();
    } else if (name == "RESUME") {
        monitor.resumed();
    }
}

void Guest::Machine::report_end() {
    if (trouble_) std::rethrow_exception(trouble_);
    const std::string text = console->text();
    const auto tail = console->tail(kTailLines);
    const auto panic = find_panic(text);
    if (panic || end_.panicked) {
        throw Panic("the guest's kernel panicked: " + panic.value_or("(it did not say why)"), tail,
                    symbolise(find_trace(text), kernel, options.modules));
    }
    if (end_.shutdown_reason == "guest-reset") throw Reboot("the guest rebooted", tail, {});
    if (end_.asked_for || end_.shutdown_reason == "host-qmp-quit")
        throw QemuExit("the guest was ended from outside", tail, {});
    if (end_.shutdown_reason == "guest-shutdown")
        throw QemuExit("the guest powered itself off", tail, {});
    std::string how = "ended";
    if (end_.status && WIFSIGNALED(*end_.status)) {
        how = fmt::format("was killed by signal {}", WTERMSIG(*end_.status));
        if (WTERMSIG(*end_.status) == SIGXFSZ) how += ": the record of register writes was full";
    } else if (end_.status) {
        how = fmt::format("ended with status {}", WEXITSTATUS(*end_.status));
    }
    const std::string output = qemu_->output();
    throw QemuExit(fmt::format("QEMU {}: {}{}", how, output, advice_on(output)), tail, {});
}

nlohmann::json Guest::Machine::call(const nlohmann::json& message,
                                    AgentLink::OutputHandler handler) {
    const std::int64_t id = agent->ask(message, std::move(handler));
    const auto answer = agent->wait(id, 60s);
    if (!answer) {
        agent->forget(id);
        hang(fmt::format("the agent did not answer \"{}\" in 60 s", message.value("op", "")));
    }
    if (answer->value("event", "") == "error") {
        throw GuestError(
            fmt::format("guest: {}: {}", message.value("op", ""), answer->value("message", "")));
    }
    return *answer;
}

void Guest::Machine::put(const std::string& path, std::string_view content,
                         std::optional<unsigned> mode) {
    bool first = true;
    do {
        const std::string_view piece = content.substr(0, kPutPiece);
        nlohmann::json order = {
            {"op", "put"}, {"path", path}, {"append", !first}, {"data", base64_encode(piece)}};
        if (mode) order["mode"] = *mode;
        call(order);
        content.remove_prefix(piece.size());
        first = false;
    } while (!content.empty());
}

ExecResult Guest::Machine::exec(const std::vector<std::string>& argv, const ExecOptions& wanted) {
    ExecResult result;
    const std::int64_t id = agent->ask(
        {{"op", "exec"},
         {"argv", argv},
         {"stdin", base64_encode(wanted.input)},
         {"env", wanted.environment},
         {"output_limit", wanted.output_limit}},
        [&](bool err, std::string_view piece) {
            (err ? result.err : result.out) += piece;
            if (wanted.on_output) wanted.on_output(err, piece);
        },
        wanted.output_limit + kOutputOvershoot);
    struct Forget {  // the handler above must not outlive this call
        AgentLink& agent;
        std::int64_t id;
        ~Forget() { agent.forget(id); }
    } const forget{*agent, id};

    auto last = agent->wait(id, wanted.limit);
    const std::string name = fmt::format("`{}`", fmt::join(argv, " "));
    const auto seconds = static_cast<double>(wanted.limit.count()) / 1000;
    if (!last) {
        agent->tell({{"op", "kill"}, {"signal", SIGKILL}}, id);
        if (!agent->wait(id, kKillLimit)) {
            hang(
                fmt::format("{} did not end in {} s and the guest does not answer", name, seconds));
        }
        throw Hang(fmt::format("{} did not end in {} s and was killed; the guest still answers",
                               name, seconds),
                   console->tail(kTailLines), {});
    }
    if (last->value("event", "") == "error")
        throw GuestError(fmt::format("guest: {}: {}", name, last->value("message", "")));
    result.signal = last->value("signal", 0);
    result.status = result.signal != 0 ? 128 + result.signal : last->value("status", 0);
    result.output_cut = last->value("reason", "") == "output_limit";
    return result;
}

void Guest::Machine::hang(const std::string& message) {
    const auto tail = console->tail(kTailLines);
    const std::string last = tail.empty() ? "(none)" : tail.back();
    const auto frames = where_it_stands();
    throw Hang(message + "; last console line: " + last, tail, frames);
}

std::vector<std::string> Guest::Machine::where_it_stands() {
    std::vector<std::string> frames;
    try {
        frames = symbolise_addresses(instruction_pointers(qmp->human("info registers -a")), kernel);
        // The NMI makes the kernel print a trace of what it was doing, and panic.
        qmp->command("inject-nmi");
        auto lock = monitor.lock();
        monitor.wait(lock, 3s, [this] { return monitor.ended(); });
    } catch (const GuestFailure&) {
        return frames;
    } catch (const QmpError&) {
        return frames;
    }
    const auto trace = symbolise(find_trace(console->text()), kernel, options.modules);
    return trace.empty() ? frames : trace;
}

std::string Guest::Machine::memory(std::uint64_t address, std::size_t size) {
    const std::lock_guard dumping(dumping_);  // there is one file
    qmp->command("pmemsave",
                 {{"val", address}, {"size", size}, {"filename", inherited_path(dump)}});
    std::string bytes = read_from(dump);
    if (bytes.size() != size)
        throw GuestError(fmt::format("{} bytes of memory at {:#x} cannot be read", size, address));
    return bytes;
}

}  // namespace fwts::sandbox
