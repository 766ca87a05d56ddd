// SPDX-License-Identifier: GPL-2.0
// Program `sandbox`: guests from the command line. All it does, the library does.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "accelerator.h"
#include "base64.h"
#include "capture_file.h"
#include "control.h"
#include "descriptor.h"
#include "guest.h"
#include "process_start.h"
#include "protocol.h"
#include "terminal.h"

namespace fwts::sandbox {
namespace {

// Statuses of our own, from sysexits.h's range so that they differ from most commands'.
enum Exit { kUsage = 64, kSetup = 70, kPanic = 71, kHang = 72, kReboot = 73, kEnded = 74 };

int exit_status(const std::string& kind) {
    static const std::map<std::string, int> statuses = {
        {"panic", kPanic}, {"hang", kHang}, {"reboot", kReboot}, {"exit", kEnded}};
    const auto found = statuses.find(kind);
    return found != statuses.end() ? found->second : kSetup;
}

// What the command line may say about a guest, before it becomes Options.
struct GuestWords {
    Options options;
    std::vector<std::string> loads;
    std::vector<std::string> puts;
    std::string registers;  // file for --record-registers
    bool no_nic = false;
    bool fresh = false;
    bool prepared = false;
    int seconds = 600;
};

void add_guest_options(CLI::App& app, GuestWords& words) {
    Options& options = words.options;
    app.add_option("--kernel", options.kernel, "trace, strict or a directory with a bzImage")
        ->capture_default_str();
    app.add_option("--cpus", options.cpus, "processors")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_option("--memory", options.memory, "MiB of memory")
        ->check(CLI::Range(64, 65536))
        ->capture_default_str();
    app.add_option("--load", words.loads,
                   "insert this module file and what it needs (repeat: in this order)")
        ->allow_extra_args(false);
    app.add_option("--put", words.puts, "HOST:GUEST, put a file into the guest (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--capture", options.capture, "write the cable's frames to this pcapng file");
    app.add_option("--record-registers", words.registers,
                   "write the card's register writes to this file, one JSON object a line");
    app.add_option("--gdb", options.gdb_socket, "let gdb connect to this Unix socket");
    app.add_flag("--wait-gdb", options.wait_gdb, "do not run before gdb says so");
    app.add_flag("--icount", options.icount, "count instructions: deterministic, one processor");
    app.add_option("--accel", options.accelerator, "auto, kvm or tcg")->capture_default_str();
    app.add_option("--timeout", words.seconds, "seconds a command may take")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option_function<int>(
           "--boot-timeout",
           [&options](const int& seconds) { options.boot_limit = std::chrono::seconds(seconds); },
           "seconds until the agent must answer [60]")
        ->check(CLI::Range(1, 100'000));
    app.add_option("--append", options.append, "more words for the kernel's command line");
    app.add_flag("--peer", options.peer,
                 "a neighbour answers ping, ARP and UDP echo at 192.0.2.1 and 2001:db8::1");
    app.add_flag("--no-nic", words.no_nic, "a guest without the card");
    CLI::Option* fresh = app.add_flag("--fresh", words.fresh,
                                      "boot, do not start from a prepared guest [the default]");
    app.add_flag("--prepared", words.prepared, "start from a prepared guest")->excludes(fresh);
}

Options finish(GuestWords& words) {
    Options options = words.options;
    options.nic = !words.no_nic;
    if (words.fresh || words.prepared) options.prepared = words.prepared;
    options.record_registers = !words.registers.empty();
    options.modules.assign(words.loads.begin(), words.loads.end());
    for (const std::string& put : words.puts) {
        const std::size_t colon = put.rfind(':');
        if (colon == std::string::npos || colon == 0 || put[colon + 1] != '/') {
            throw SetupError(
                fmt::format("--put {}: say HOST:GUEST with an absolute path in the "
                            "guest, as in --put hello:/bin/hello",
                            put));
        }
        options.files.push_back({put.substr(0, colon), put.substr(colon + 1)});
    }
    if (options.wait_gdb && options.gdb_socket.empty())
        throw SetupError("--wait-gdb needs --gdb SOCKET");
    return options;
}

void save_registers(const GuestWords& words, Guest& guest) {
    if (words.registers.empty()) return;
    std::ofstream file(words.registers);
    if (!(file << guest.registers().to_jsonl() << std::flush))
        throw SetupError(words.registers + ": cannot be written");
}

std::string standard_input() {
    return {std::istreambuf_iterator<char>(std::cin), {}};
}

void print_output(bool err, std::string_view piece) {
    write_all(err ? STDERR_FILENO : STDOUT_FILENO, piece);
}

void say(const std::string& text) {
    fmt::print(stderr, "sandbox: {}\n", text);
}

int run_command(GuestWords& words, const std::vector<std::string>& argv, bool with_input) {
    ExecOptions exec;
    exec.limit = std::chrono::seconds(words.seconds);
    exec.on_output = print_output;
    if (with_input) exec.input = standard_input();
    Guest guest = Guest::launch(finish(words));
    int status = 0;
    try {
        guest.wait_ready();
        if (isatty(STDERR_FILENO) != 0) {
            say(fmt::format("guest ready after {:.1f} s",
                            static_cast<double>(guest.boot_time()->count()) / 1000));
        }
        status = guest.exec(argv, exec).status;
    } catch (const std::exception&) {
        save_registers(words, guest);
        throw;
    }
    save_registers(words, guest);
    guest.power_off();
    return status;
}

int run_shell(GuestWords& words) {
    Options options = finish(words);
    options.console_shell = true;
    if (isatty(STDIN_FILENO) != 0) say("booting; Ctrl-] leaves");
    Guest guest = Guest::launch(options);
    // Modules need the agent; the console does not wait for it.
    std::thread modules([&guest, &options] {
        try {
            guest.wait_ready();
            // The prompt is there before, and who types at once would not find the interface.
            for (const auto& module : options.modules)
                fmt::print(stderr, "\r\nsandbox: {} is loaded\r\n", module.filename().string());
        } catch (const Hang& error) {
            fmt::print(stderr, "\r\nsandbox: {}\r\n", error.message());
        } catch (const GuestFailure&) {
            // The guest's end is told below, once.
        } catch (const std::exception& error) {
            fmt::print(stderr, "\r\nsandbox: {}\r\n", error.what());
        }
    });
    const bool left = join_terminal(guest);
    int status = 0;
    if (!left) {
        try {
            guest.wait_end(std::chrono::seconds(1));
        } catch (const QemuExit&) {
            // `poweroff` or `exit` in the shell: that is how a reader leaves.
        } catch (const GuestFailure& error) {
            fmt::print(stderr, "\nsandbox: {}\n", error.what());
            status = exit_status(kind_of(error));
        }
    }
    save_registers(words, guest);
    guest.kill();
    modules.join();
    return status;
}

// In the background, the parent leaves as soon as the child has said what it has to say.
// Only called before there are threads.
void detach() {
    Pipe report = make_pipe();
    if (fork() != 0) {
        report.write_end.close();
        std::string text;
        std::array<char, 4096> piece{};
        for (;;) {
            const ssize_t n = read(report.read_end.get(), piece.data(), piece.size());
            if (n <= 0) break;
            text.append(piece.data(), static_cast<std::size_t>(n));
        }
        const bool good = text.rfind("ready", 0) == 0 || text.rfind("waiting", 0) == 0;
        write_all(good ? STDOUT_FILENO : STDERR_FILENO, text);
        _exit(good ? 0 : kSetup);
    }
    setsid();
    const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
    dup2(null.get(), STDIN_FILENO);
    dup2(report.write_end.get(), STDOUT_FILENO);
    dup2(report.write_end.get(), STDERR_FILENO);
}

void close_report() {
    const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
    dup2(null.get(), STDOUT_FILENO);
    dup2(null.get(), STDERR_FILENO);
}

Descriptor open_end_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal_number);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return Descriptor(signalfd(-1, &set, SFD_CLOEXEC));
}

// Waits for whatever ends a started guest. @return true if the guest ended by itself.
bool hold(const Guest& guest, const Descriptor& signals, const Descriptor& stop, bool watch_input) {
    const Descriptor ended(guest.end_descriptor());
    std::array<pollfd, 4> polled{{{ended.get(), POLLIN, 0},
                                  {signals.get(), POLLIN, 0},
                                  {stop.get(), POLLIN, 0},
                                  {watch_input ? STDIN_FILENO : -1, POLLIN, 0}}};
    for (;;) {
        poll(polled.data(), polled.size(), -1);
        if (polled[0].revents != 0) return true;
        if (polled[1].revents != 0 || polled[2].revents != 0) return false;
        std::array<char, 4096> ignored{};
        if (polled[3].revents != 0 && read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0)
            return false;
    }
}

int run_start(GuestWords& words, const std::string& name, bool detached) {
    check_name(name);
    const Options options = finish(words);
    if (detached) detach();
    Guest::prepare(options);  // while signals still end us
    const Descriptor signals = open_end_signals();
    const Descriptor stop(eventfd(0, EFD_CLOEXEC));
    Guest guest = Guest::launch(options);
    const ControlServer server(name, guest, [&stop] { eventfd_write(stop.get(), 1); });
    int status = 0;
    std::string failure;
    std::thread boot([&] {
        try {
            if (options.wait_gdb) {
                fmt::print("waiting for gdb {}: target remote {}\n", name,
                           options.gdb_socket.string());
                std::fflush(stdout);
            }
            guest.wait_ready();
            fmt::print("ready {} after {} ms\n", name, guest.boot_time()->count());
            std::fflush(stdout);
        } catch (const std::exception& error) {
            failure = error.what();
            status = exit_status(kind_of(error));
            eventfd_write(stop.get(), 1);
        }
        if (detached) {
            if (!failure.empty()) say(failure);
            close_report();
        }
    });
    const bool by_itself = hold(guest, signals, stop, !detached);
    if (by_itself && failure.empty()) {
        try {
            guest.wait_end(std::chrono::seconds(1));
        } catch (const std::exception& error) {
            failure = error.what();
            status = exit_status(kind_of(error));
        }
    }
    if (!by_itself) save_registers(words, guest);
    guest.kill();
    boot.join();
    if (!failure.empty()) say(failure);
    return status;
}

struct SendWords {
    std::string udp, hex, file;
};

nlohmann::json frames_of(const SendWords& words) {
    nlohmann::json frames = nlohmann::json::array();
    if (!words.udp.empty()) {
        const std::size_t colon = words.udp.find(':');
        const int port = std::atoi(words.udp.c_str());
        if (colon == std::string::npos || port < 1 || port > 65535) {
            throw SetupError(
                fmt::format("--udp {}: say PORT:TEXT, as in --udp 4000:hello", words.udp));
        }
        frames.push_back(
            to_hex(udp(static_cast<std::uint16_t>(port), words.udp.substr(colon + 1))));
    }
    if (!words.hex.empty()) frames.push_back(to_hex(from_hex(words.hex)));
    if (!words.file.empty())
        for (const Frame& frame : read_capture(words.file)) frames.push_back(to_hex(frame));
    if (frames.empty())
        throw SetupError("nothing to send: say --udp PORT:TEXT, --hex BYTES or --file CAPTURE");
    return frames;
}

int run_exec(const std::string& name, const std::vector<std::string>& argv, bool no_wait,
             bool with_input, int seconds) {
    ControlClient client(name);
    nlohmann::json request = {{"op", "exec"},
                              {"argv", argv},
                              {"wait", !no_wait},
                              {"timeout_ms", std::int64_t{seconds} * 1000}};
    if (with_input) request["stdin"] = base64_encode(standard_input());
    return client.ask(request, print_output).value("status", 0);
}

int run_console(const std::string& name) {
    const auto answer = ControlClient(name).ask({{"op", "console"}});
    for (const auto& line : answer.at("lines")) fmt::print("{}\n", line.get<std::string>());
    return 0;
}

int run_stop(const std::string& name) {
    ControlClient(name).ask({{"op", "stop"}});
    // Gone when its name is: whoever starts the next of this name must not meet this one.
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto names = running_guests();
        if (std::find(names.begin(), names.end(), name) == names.end()) return 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw SetupError(fmt::format("guest {} was told to stop but is still there after 10 s", name));
}

int run_list() {
    for (const std::string& name : running_guests()) {
        try {
            const auto status = ControlClient(name).ask({{"op", "status"}});
            fmt::print("{:<20} {:<10} {:<8} pid {}\n", name, status.value("status", ""),
                       status.value("ready", false) ? "ready" : "booting", status.value("pid", 0));
        } catch (const std::runtime_error&) {
            fmt::print("{:<20} ending\n", name);
        }
    }
    return 0;
}

int run_accel(const std::string& wish) {
    const Accelerator found = choose_accelerator(wish);
    fmt::print("{}: {}\n", found.kvm ? "kvm" : "tcg", found.reason);
    return 0;
}

// All words of the command line, and what to do once they are understood.
struct Program {
    CLI::App app{"Boots the book's guest, talks to it, and holds the other end of its cable."};
    GuestWords guest;
    SendWords send;
    std::vector<std::string> argv;
    std::string name;
    std::string state;
    std::string wish = "auto";
    bool with_input = false;
    bool no_wait = false;
    bool detached = false;
    std::function<int()> action;

    Program();
    CLI::App* add(const std::string& verb, const std::string& what, const std::string& example,
                  std::function<int()> act);
};

CLI::App* Program::add(const std::string& verb, const std::string& what, const std::string& example,
                       std::function<int()> act) {
    CLI::App* command = app.add_subcommand(verb, what);
    command->footer("Example:\n  " + example);
    command->callback([this, act = std::move(act)] { action = act; });
    return command;
}

Program::Program() {
    app.require_subcommand(1);
    app.footer(
        "Example:\n  sandbox run --peer -- sh -c 'modprobe igb; ip link'\n\n"
        "Exit status: the command's; 64 wrong words, 70 the guest could not be set up, 71 kernel "
        "panic,\n72 hang, 73 reboot, 74 QEMU ended.\n\n"
        "Guests are known to all commands of one user. With FWTS_GUESTS=name in the environment a "
        "script\nhas guests of its own, which only commands with the same FWTS_GUESTS see.");

    CLI::App* run = add("run", "boot a guest, run one command in it, power it off",
                        "sandbox run --load igbook.ko -- ip link",
                        [this] { return run_command(guest, argv, with_input); });
    add_guest_options(*run, guest);
    run->add_flag("--stdin", with_input, "give the command our standard input");
    run->add_option("command", argv, "program and arguments, behind --")->required();

    CLI::App* shell = add("shell", "an interactive shell on the guest's serial console",
                          "sandbox shell --peer", [this] { return run_shell(guest); });
    add_guest_options(*shell, guest);

    CLI::App* start = add("start", "boot a guest and hold it until standard input ends",
                          "sandbox start --name one --gdb /tmp/one.gdb",
                          [this] { return run_start(guest, name, detached); });
    add_guest_options(*start, guest);
    start->add_option("--name", name, "what other commands call it")->required();
    start->add_flag("--detach", detached, "stay in the background until `sandbox stop`");

    CLI::App* exec =
        add("exec", "run a command in a started guest", "sandbox exec one -- dmesg",
            [this] { return run_exec(name, argv, no_wait, with_input, guest.seconds); });
    exec->add_option("name", name, "the guest")->required();
    exec->add_flag("--no-wait", no_wait, "leave the command running");
    exec->add_flag("--stdin", with_input, "give the command our standard input");
    exec->add_option("--timeout", guest.seconds, "seconds it may take")->capture_default_str();
    exec->add_option("command", argv, "program and arguments, behind --")->required();

    CLI::App* transmit =
        add("send", "put frames on a started guest's cable", "sandbox send one --udp 4000:hello",
            [this] {
                ControlClient(name).ask({{"op", "send"}, {"frames", frames_of(send)}});
                return 0;
            });
    transmit->add_option("name", name, "the guest")->required();
    transmit->add_option("--udp", send.udp, "PORT:TEXT, a datagram from 192.0.2.1 to 192.0.2.2");
    transmit->add_option(
        "--hex", send.hex,
        "a whole frame in hex digits, without FCS; zeros are added to a short one");
    transmit->add_option("--file", send.file, "all frames of a pcap or pcapng file");

    CLI::App* link =
        add("link", "pull or plug a started guest's cable", "sandbox link one down", [this] {
            ControlClient(name).ask({{"op", "link"}, {"up", state == "up"}});
            return 0;
        });
    link->add_option("name", name, "the guest")->required();
    link->add_option("state", state, "up or down")
        ->required()
        ->check(CLI::IsMember({"up", "down"}));

    CLI::App* console = add("console", "show the last lines of a started guest's console",
                            "sandbox console one", [this] { return run_console(name); });
    console->add_option("name", name, "the guest")->required();

    CLI::App* stop =
        add("stop", "end a started guest", "sandbox stop one", [this] { return run_stop(name); });
    stop->add_option("name", name, "the guest")->required();

    add("list", "show the guests that run", "sandbox list", run_list);

    CLI::App* accel = add("accel", "say which accelerator guests use here, and why",
                          "sandbox accel", [this] { return run_accel(wish); });
    accel->add_option("--accel", wish, "auto, kvm or tcg")->capture_default_str();
}

int run_program(int argc, char** argv) {
    settle_inherited();
    Program program;
    try {
        program.app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.app.exit(error) == 0 ? 0 : kUsage;
    }
    try {
        return program.action();
    } catch (const std::exception& error) {
        say(error.what());
        return exit_status(kind_of(error));
    }
}

}  // namespace
}  // namespace fwts::sandbox

int main(int argc, char** argv) try { return fwts::sandbox::run_program(argc, argv); } catch (...) {
    std::fputs("sandbox: stopped by an error nobody had foreseen\n", stderr);
    return 70;
}
