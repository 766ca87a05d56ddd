// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>
#include <sstream>
#include <thread>

#include "accelerator.h"
#include "base64.h"
#include "descriptor.h"
#include "files.h"
#include "kernel_log.h"
#include "prepared.h"
#include "qemu_process.h"
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
constexpr auto kPrepareLimit = 300s;  // a boot of the strict kernel on a loaded machine
constexpr auto kRestoredLimit = 60s;  // for the first answer of a guest started from a state
constexpr unsigned kPortSlot = 3;     // of the root port, on bus 0
// What a command still says between its limit of output and its end.
constexpr std::size_t kOutputOvershoot = std::size_t{4} << 20;
// A driver that writes registers without end must not fill the host's memory. QEMU is killed then.
constexpr std::uint64_t kLongestRecord = std::uint64_t{256} << 20;
constexpr std::size_t kPutPiece = std::size_t{512} << 10;

// What QEMU said of its own end.
struct EndOfGuest {
    bool panicked = false;
    std::string shutdown_reason;  // of the last SHUTDOWN event
    std::optional<int> status;    // wait status
    bool asked_for = false;       // by power_off() or the destructor
};

void raise(const Descriptor& event) {
    const std::uint64_t one = 1;
    // Cannot fail but for a full counter, and then it is readable anyway.
    [[maybe_unused]] const ssize_t n = write(event.get(), &one, sizeof one);
}

std::string command_line(const Options& options) {
    // oops=panic and panic=-1: the first fault ends the guest. unknown_nmi_panic: when it hangs, an
    // NMI makes it say where. no_timer_check: on a loaded host the timer's interrupts come too late
    // for the check, which then takes the machine for a broken one.
    std::string line =
        "console=ttyS0 nokaslr panic=-1 oops=panic unknown_nmi_panic=1 no_timer_check quiet "
        "loglevel=4";
    if (options.console_shell) line += " fwts.shell";
    return options.append.empty() ? line : line + " " + options.append;
}

bool wants_prepared(const Options& options) {
    if (!options.gdb_socket.empty() || options.wait_gdb || options.icount ||
        options.console_shell || !options.qemu.empty()) {
        return false;
    }
    const KernelImage kernel = find_kernel(options.kernel);
    std::error_code error;
    const fs::path directory = fs::canonical(kernel.directory, error);
    if (!fs::exists(directory / "complete")) return false;
    return options.prepared.value_or(false);
}

void tell(const std::string& text) {
    fmt::print(stderr, "sandbox: {}\n", text);
}

// The same machine for whoever starts from it: what is one guest's own comes later.
Options common_part(const Options& options) {
    Options common;
    common.kernel = options.kernel;
    common.cpus = options.cpus;
    common.memory = options.memory;
    common.accelerator = options.accelerator;
    common.append = options.append;
    common.boot_limit = std::max(options.boot_limit, kPrepareLimit);
    return common;
}

std::vector<Placement> placements(const Options& options) {
    std::vector<Placement> files = options.files;
    for (const fs::path& module : options.modules)
        files.push_back({module, "/modules/" + module.filename().string()});
    return files;
}

}  // namespace

// Everything that belongs to one running guest. One thread, the listener, reads all descriptors.
class Guest::Machine {
  public:
    /// How it gets to where its agent serves.
    enum class Start {
        kBoot,
        kPrepare,  ///< boots without the card and anybody's files, to be kept
        kRestore,  ///< goes on where a kept one stood
    };

    explicit Machine(const Options& options, Start start = Start::kBoot,
                     Descriptor state = Descriptor());
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    /// Starts QEMU and the listener. Not in the constructor: now the destructor must run.
    void begin();
    /// Goes on where the kept guest stood, and plugs the card.
    void restore();
    /// Writes what the guest is into a file. It does not run afterwards.
    void save(const fs::path& file);
    [[nodiscard]] std::string description() const;
    void wait_ready();
    ExecResult exec(const std::vector<std::string>& argv, const ExecOptions& options);
    nlohmann::json call(const nlohmann::json& message, AgentLink::OutputHandler handler = {});
    void power_off();
    void kill();
    [[noreturn]] void wait_end(std::chrono::milliseconds limit);
    [[noreturn]] void hang(const std::string& message);
    std::string memory(std::uint64_t address, std::size_t size);
    std::uint32_t read_register(std::uint32_t offset);

    void put(const std::string& path, std::string_view content, std::optional<unsigned> mode);

    Options options;
    Start start;
    KernelImage kernel;
    Accelerator accelerator;
    Monitor monitor;

  private:
    // Both ends of what QEMU is connected by, until QEMU has been started.
    struct Wiring {
        SocketPair qmp = make_socket_pair(SOCK_STREAM);
        SocketPair agent = make_socket_pair(SOCK_STREAM);
        SocketPair console = make_socket_pair(SOCK_STREAM);
        SocketPair cable = make_socket_pair(SOCK_DGRAM);
        Descriptor initrd;
        Descriptor state;
        Descriptor trace = make_memory_file("register-trace");
        Descriptor dump = make_memory_file("guest-memory");
    };

    QemuProcess::Plan plan(const Wiring& wiring) const;
    void add_devices(std::vector<std::string>& argv, const Wiring& wiring) const;
    void add_debugging(std::vector<std::string>& argv, const Wiring& wiring) const;
    void listen();
    void serve();
    void on_event(const nlohmann::json& event);
    void wake() const;
    [[noreturn]] void report_end();
    void await_migration(std::size_t seen);
    std::optional<std::uint64_t> bar0();
    std::uint32_t examine(std::uint64_t address);
    std::uint32_t port_read(const char* format, unsigned port);
    std::uint32_t config(std::uint32_t card, std::uint32_t offset);
    void set_config(std::uint32_t card, std::uint32_t offset, std::uint32_t value);
    std::optional<std::uint32_t> power_control();
    std::uint32_t read_awake(std::uint32_t offset);
    void initialise_card();
    void settle_restored();
    void insert_modules();
    std::vector<std::string> where_it_stands();

    Wiring wiring_;
    std::optional<QemuProcess> qemu_;
    Descriptor wake_;
    Descriptor ended_;  // eventfd
    EndOfGuest end_;
    std::exception_ptr trouble_;  // of ours, in the listener
    std::optional<Clock::time_point> panicked_at_;
    Clock::time_point started_;
    std::atomic<bool> leave_ = false;
    std::thread listener_;
    std::mutex dumping_;

  public:
    std::atomic<bool> ready = false;
    std::optional<std::chrono::milliseconds> boot_time;
    std::optional<Qmp> qmp;
    std::optional<AgentLink> agent;
    std::optional<Console> console;
    std::optional<Cable> cable;
    Descriptor trace;
    Descriptor dump;
    [[nodiscard]] std::string qemu_output() const { return qemu_->output(); }
    [[nodiscard]] int ended() const { return ended_.get(); }
};

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

std::string Guest::Machine::description() const {
    return describe_guest(plan(wiring_).argv, kernel, accelerator.kvm);
}

void Guest::Machine::await_migration(std::size_t seen) {
    for (;;) {
        const auto answer = qmp->command("query-migrate");
        const std::string status = answer.value("status", "");
        if (status == "completed") return;
        if (status == "failed" || status == "cancelled")
            throw QmpError("migration: " + answer.value("error-desc", status));
        if (!qmp->wait_event("MIGRATION", seen, kPrepareLimit)) {
            throw QmpError(fmt::format("migration: nothing new in {} s, it is {}",
                                       kPrepareLimit.count(), status));
        }
        seen = qmp->event_count("MIGRATION");
    }
}

namespace {

const nlohmann::json kMigrationEvents = {
    {"capabilities", {{{"capability", "events"}, {"state", true}}}}};

}  // namespace

void Guest::Machine::save(const fs::path& file) {
    qmp->stop();
    qmp->command("migrate-set-capabilities", kMigrationEvents);
    qmp->command("migrate-set-parameters", {{"max-bandwidth", 0}});
    const auto seen = qmp->event_count("MIGRATION");
    qmp->command("migrate", {{"uri", "file:" + file.string()}});
    await_migration(seen);
}

void Guest::Machine::restore() {
    qmp->command("migrate-set-capabilities", kMigrationEvents);
    const auto seen = qmp->event_count("MIGRATION");
    // A machine that moved tells the switches, with frames in the card's name. Ours did not move.
    qmp->command("migrate-set-parameters", {{"announce-rounds", 0}});
    qmp->command("migrate-incoming", {{"uri", "file:" + inherited_path(wiring_.state)}});
    await_migration(seen);
    wiring_.state.close();
    if (options.nic) {
        qmp->command("device_add", {{"driver", "igb"},
                                    {"id", "nic"},
                                    {"bus", "nic-port"},
                                    {"netdev", "cable"},
                                    {"romfile", ""},
                                    {"mac", options.mac}});
        initialise_card();
    }
    qmp->resume();
    agent->resume();
    const std::int64_t id = agent->ask({{"op", "ping"}});
    if (!agent->wait(id, kRestoredLimit))
        throw SetupError(fmt::format("its agent does not answer in {} s", kRestoredLimit.count()));
}

std::uint32_t Guest::Machine::port_read(const char* format, unsigned port) {
    const std::string text = qmp->human(fmt::format("i /{} {:#x}", format, port));
    unsigned value = 0;
    const std::size_t at = text.find("= 0x");
    if (at == std::string::npos || std::sscanf(text.c_str() + at, "= 0x%x", &value) != 1)
        throw QmpError("i: " + text);
    return value;
}

namespace {

// PCI's configuration ports: the register's address goes into the first, its value is in the other.
constexpr unsigned kConfigAddress = 0xcf8;
constexpr unsigned kConfigData = 0xcfc;
constexpr std::uint32_t kPort = 0x80000000 | kPortSlot << 11;
constexpr std::uint32_t kCard = 0x80010000;  // 01:00.0, behind the only root port
constexpr std::uint32_t kCommand = 0x04;
constexpr std::uint32_t kMemoryDecoding = 0x0002;

}  // namespace

std::uint32_t Guest::Machine::config(std::uint32_t card, std::uint32_t offset) {
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, card + offset));
    return port_read("xw", kConfigData);
}

void Guest::Machine::set_config(std::uint32_t card, std::uint32_t offset, std::uint32_t value) {
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, card + offset));
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigData, value));
}

// Leaves the card as the firmware leaves one that is there when the machine starts: a kernel that
// finds it later does neither. Before the guest looks.
void Guest::Machine::initialise_card() {
    constexpr std::uint32_t kInterruptLine = 0x3c;
    constexpr std::uint32_t kDecoding = 0x0103;  // I/O, memory; SERR# enable
    const std::uint32_t before = port_read("xw", kConfigAddress);
    // The card is its bus's device 0, whose INTA# is the port's own. The status beside the command
    // clears where ones are written.
    const std::uint32_t line = config(kPort, kInterruptLine) & 0xff;
    set_config(kCard, kInterruptLine, (config(kCard, kInterruptLine) & ~0xffU) | line);
    set_config(kCard, kCommand, kDecoding);
    // The guest may stand between its two accesses.
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, before));
}

// @return where the card's power is controlled (PMCSR), if it can be.
std::optional<std::uint32_t> Guest::Machine::power_control() {
    constexpr std::uint32_t kFirstCapability = 0x34;
    constexpr std::uint32_t kPowerManagement = 0x01;
    std::uint32_t at = config(kCard, kFirstCapability) & 0xfc;
    for (int seen = 0; at != 0 && seen < 48; ++seen) {
        const std::uint32_t capability = config(kCard, at);
        if ((capability & 0xff) == kPowerManagement) return at + 4;
        at = capability >> 8 & 0xfc;
    }
    return std::nullopt;
}

// A card that sleeps (D3hot), or that was told not to decode memory, shows its registers to nobody.
// It is woken for the moment of a look, during which the guest stands.
std::uint32_t Guest::Machine::read_awake(std::uint32_t offset) {
    constexpr std::uint32_t kState = 0x3;
    const bool stood = monitor.is_stopped();
    if (!stood) qmp->stop();
    const std::uint32_t address = port_read("xw", kConfigAddress);
    const auto power = power_control();
    const std::uint32_t state = power ? config(kCard, *power) & 0xffff : 0;
    const std::uint32_t command = config(kCard, kCommand) & 0xffff;
    if (power) set_config(kCard, *power, state & ~kState);
    set_config(kCard, kCommand, command | kMemoryDecoding);
    const auto bar = bar0();
    const std::uint32_t value = bar ? examine(*bar + offset) : 0;
    set_config(kCard, kCommand, command);
    if (power) set_config(kCard, *power, state);
    qmp->human(fmt::format("o /w {:#x} {:#x}", kConfigAddress, address));
    if (!stood) qmp->resume();
    if (!bar) {
        throw GuestError(
            "the card's BAR 0 is not mapped, so its registers cannot be read: is there a card?");
    }
    return value;
}

Guest::Machine::~Machine() {
    kill();
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

QemuProcess::Plan Guest::Machine::plan(const Wiring& wiring) const {
    const fs::path direct = kernel.directory / "boot";  // an ELF image QEMU enters without a BIOS
    QemuProcess::Plan plan;
    plan.argv = {find_qemu(),
                 "-name",
                 "fwts-guest",
                 "-nodefaults",
                 "-no-user-config",
                 "-display",
                 "none",
                 "-M",
                 "q35,usb=off,vmport=off,smbus=off,sata=off,graphics=off",
                 "-m",
                 std::to_string(options.memory),
                 "-smp",
                 std::to_string(options.cpus),
                 "-no-reboot",
                 "-action",
                 "panic=none",
                 "-kernel",
                 fs::exists(direct) ? direct : kernel.bzimage,
                 "-initrd",
                 inherited_path(wiring.initrd),
                 "-append",
                 command_line(options)};
    const auto accelerate = accelerator.arguments(options.icount, options.cpus);
    plan.argv.insert(plan.argv.end(), accelerate.begin(), accelerate.end());
    add_devices(plan.argv, wiring);
    add_debugging(plan.argv, wiring);
    if (start == Start::kRestore) plan.argv.insert(plan.argv.end(), {"-S", "-incoming", "defer"});
    plan.argv.insert(plan.argv.end(), options.qemu.begin(), options.qemu.end());
    plan.inherited = {
        wiring.qmp.theirs.get(),   wiring.agent.theirs.get(), wiring.console.theirs.get(),
        wiring.cable.theirs.get(), wiring.initrd.get(),       wiring.trace.get(),
        wiring.dump.get()};
    if (options.record_registers) plan.longest_file = kLongestRecord;
    if (wiring.state.open()) plan.inherited.push_back(wiring.state.get());
    if (!options.gdb_socket.empty()) plan.remove.push_back(options.gdb_socket);
    return plan;
}

void Guest::Machine::add_devices(std::vector<std::string>& argv, const Wiring& wiring) const {
    const auto add = [&argv](std::initializer_list<std::string> words) {
        argv.insert(argv.end(), words);
    };
    const auto chardev = [&add](const char* id, const Descriptor& theirs) {
        add({"-chardev", fmt::format("socket,id={},fd={}", id, theirs.get())});
    };
    chardev("qmp", wiring.qmp.theirs);
    add({"-mon", "chardev=qmp,mode=control"});
    chardev("console", wiring.console.theirs);
    add({"-serial", "chardev:console"});
    chardev("agent", wiring.agent.theirs);
    add({"-device", "virtio-serial-pci,id=serial", "-device",
         fmt::format("virtserialport,bus=serial.0,chardev=agent,name={}", agent::kPortName)});
    add({"-device", "pvpanic-pci"});
    // The card sits behind a root port, so that it can be unplugged.
    const bool port = options.nic || start != Start::kBoot;
    if (start != Start::kBoot) {
        // Announcing a card is AML's work, seconds of it under the strict kernel, and more of it
        // at boot. A slot whose power the guest controls would stay dark without that.
        add({"-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"});
    }
    if (port) {
        add({"-device",
             fmt::format("pcie-root-port,id=nic-port,chassis=1,slot=1,addr={}", kPortSlot) +
                 (start != Start::kBoot ? ",power_controller_present=off" : "")});
    }
    if (options.nic) {
        add({"-netdev",
             fmt::format("dgram,id=cable,local.type=fd,local.str={}", wiring.cable.theirs.get())});
    }
    if (options.nic && start == Start::kBoot)
        add({"-device", "igb,id=nic,bus=nic-port,netdev=cable,romfile=,mac=" + options.mac});
}

void Guest::Machine::add_debugging(std::vector<std::string>& argv, const Wiring& wiring) const {
    if (options.record_registers) {
        for (const char* event : kRegisterTraceEvents) argv.insert(argv.end(), {"-trace", event});
        argv.insert(argv.end(), {"-D", inherited_path(wiring.trace)});
    }
    if (!options.gdb_socket.empty()) {
        argv.insert(argv.end(), {"-chardev",
                                 fmt::format("socket,id=gdb,path={},server=on,wait=off",
                                             options.gdb_socket.string()),
                                 "-gdb", "chardev:gdb"});
    }
    if (options.wait_gdb) argv.emplace_back("-S");
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

// What a boot would have given the guest: the time, the card, its files.
void Guest::Machine::settle_restored() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    std::string line = fmt::format("date -u -s @{} >/dev/null\n",
                                   std::chrono::duration_cast<std::chrono::seconds>(now).count());
    if (options.nic) {
        // Nobody tells the kernel of the card (add_devices()); it has to look.
        line +=
            "cd /sys/bus/pci; n=0; echo 1 >rescan\n"
            "until [ -e devices/0000:01:00.0/resource0 ]; do\n"
            "n=$((n + 1)); [ $n -lt 600 ] || exit 1; sleep 0.05; done\n";
    }
    // It stands in for a boot, so it has a boot's time: on a busy host this takes long, too.
    const ExecResult result = exec({"sh", "-c", line}, {.limit = options.boot_limit});
    if (!result.ok()) {
        throw SetupError(fmt::format("the card did not appear in the prepared guest: {}{}",
                                     result.err, result.out));
    }
    for (const Placement& file : placements(options)) {
        struct stat info = {};
        if (stat(file.from.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            throw SetupError(fmt::format("{}: no such file; it was to become {} in the guest",
                                         file.from.string(), file.to));
        }
        put(fs::path("/" + file.to).lexically_normal().string(), read_file(file.from),
            info.st_mode & 0777);
    }
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

void Guest::Machine::hang(const std::string& message) {
    const auto tail = console->tail(kTailLines);
    const std::string last = tail.empty() ? "(none)" : tail.back();
    const auto frames = where_it_stands();
    throw Hang(message + "; last console line: " + last, tail, frames);
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

std::string Guest::Machine::memory(std::uint64_t address, std::size_t size) {
    const std::lock_guard dumping(dumping_);  // there is one file
    qmp->command("pmemsave",
                 {{"val", address}, {"size", size}, {"filename", inherited_path(dump)}});
    std::string bytes = read_from(dump);
    if (bytes.size() != size)
        throw GuestError(fmt::format("{} bytes of memory at {:#x} cannot be read", size, address));
    return bytes;
}

// Where the kernel has put it: looked up each time, a driver under test may not have enabled it.
std::optional<std::uint64_t> Guest::Machine::bar0() {
    const auto find = [](const auto& self, const nlohmann::json& devices) -> std::uint64_t {
        for (const auto& device : devices) {
            if (device.value("qdev_id", "") == "nic") {
                for (const auto& region : device["regions"])
                    if (region["bar"] == 0) return region["address"].template get<std::uint64_t>();
            }
            if (device.contains("pci_bridge") && device["pci_bridge"].contains("devices")) {
                if (const auto found = self(self, device["pci_bridge"]["devices"]); found != 0)
                    return found;
            }
        }
        return 0;
    };
    for (const auto& bus : qmp->command("query-pci")) {
        const auto found = find(find, bus["devices"]);
        if (found != 0 && found != ~std::uint64_t{0}) return found;
    }
    return std::nullopt;
}

std::uint32_t Guest::Machine::examine(std::uint64_t address) {
    const std::string text = qmp->human(fmt::format("xp /1wx {:#x}", address));
    unsigned value = 0;
    const std::size_t at = text.find(": 0x");
    if (at == std::string::npos || std::sscanf(text.c_str() + at, ": 0x%x", &value) != 1)
        throw QmpError("xp: " + text);
    return value;
}

std::uint32_t Guest::Machine::read_register(std::uint32_t offset) {
    const auto bar = bar0();
    return bar ? examine(*bar + offset) : read_awake(offset);
}

Guest::Guest(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
Guest::Guest(Guest&&) noexcept = default;
Guest& Guest::operator=(Guest&&) noexcept = default;
Guest::~Guest() = default;

namespace {

// A boot whose log complains is no beginning for anybody.
void check_log(const std::string& log) {
    const auto complaints = find_complaints(log);
    if (!complaints.empty())
        throw SetupError("the kernel complains while it boots: " + complaints.front());
}

}  // namespace

// One state serves many starts: this makes it if there is none. @return null: boot.
std::unique_ptr<PreparedState> Guest::find_prepared(const Options& options) {
    if (!wants_prepared(options)) return nullptr;
    auto machine = std::make_unique<Machine>(common_part(options), Machine::Start::kPrepare);
    auto state = std::make_unique<PreparedState>(cache_directory(), machine->description());
    if (state->open()) return state;
    const Descriptor lock = state->lock();
    if (state->open()) return state;  // prepared by whom we waited for
    tell(fmt::format("preparing a guest with the {} kernel; later ones start from it",
                     fs::path(options.kernel).filename().string()));
    try {
        machine->begin();
        Guest guest(std::move(machine));
        guest.wait_ready();
        check_log(guest.kernel_log());
        guest.machine_->save(state->begin());
        guest.kill();
        state->commit();
    } catch (...) {
        state->abandon();
        throw;
    }
    return state;
}

std::unique_ptr<PreparedState> Guest::try_prepared(const Options& options) {
    try {
        return find_prepared(options);
    } catch (const std::exception& error) {
        tell(fmt::format("no prepared guest, booting instead: {}", error.what()));
        return nullptr;
    }
}

void Guest::prepare(const Options& options) {
    try_prepared(options);
}

Guest Guest::launch(const Options& options) {
    const auto state = try_prepared(options);
    if (auto file = state ? state->open() : std::nullopt) {
        auto machine =
            std::make_unique<Machine>(options, Machine::Start::kRestore, std::move(*file));
        try {
            machine->begin();
            machine->restore();
            return Guest(std::move(machine));
        } catch (const std::exception& error) {
            state->discard();
            tell(fmt::format("{}: removed, booting instead: {}", state->directory().string(),
                             error.what()));
        }
    }
    auto machine = std::make_unique<Machine>(options);
    machine->begin();
    return Guest(std::move(machine));
}

Guest Guest::boot(const Options& options) {
    Guest guest = launch(options);
    guest.wait_ready();
    return guest;
}

void Guest::wait_ready() {
    machine_->wait_ready();
}

bool Guest::prepared() const {
    return machine_->start == Machine::Start::kRestore;
}

bool Guest::ready() const {
    return machine_->ready;
}

ExecResult Guest::exec(const std::vector<std::string>& argv, const ExecOptions& options) {
    return machine_->exec(argv, options);
}

namespace {

// The words of a line in which a shell would find nothing to do but to start the program, or none.
std::vector<std::string> plain_words(const std::string& line) {
    const auto plain = [](unsigned char c) {
        return std::isalnum(c) != 0 || std::strchr("_./:,+@%=- ", c) != nullptr;
    };
    if (!std::all_of(line.begin(), line.end(), plain)) return {};
    std::istringstream text(line);
    std::vector<std::string> words(std::istream_iterator<std::string>(text), {});
    const bool assigns = !words.empty() && words.front().find('=') != std::string::npos;
    return assigns ? std::vector<std::string>() : words;
}

}  // namespace

ExecResult Guest::run(const std::string& line, const ExecOptions& options) {
    // Each start of a program takes the strict kernel a tenth of a second: do without the shell
    // where it would only start another.
    if (const auto words = plain_words(line); !words.empty()) {
        try {
            return exec(words, options);
        } catch (const SetupError& error) {
            // A word of the shell's own, or the shell shall say that there is no such program.
            if (std::string_view(error.what()).find("No such file") == std::string_view::npos)
                throw;
        }
    }
    return exec({"sh", "-c", line}, options);
}

std::string Guest::must(const std::string& line, const ExecOptions& options) {
    const ExecResult result = run(line, options);
    if (!result.ok()) {
        throw GuestError(fmt::format("guest: `{}` ended with status {}: {}{}", line, result.status,
                                     result.err, result.out));
    }
    return result.out;
}

void Guest::start(const std::vector<std::string>& argv) {
    machine_->agent->forget(machine_->agent->ask({{"op", "exec"}, {"argv", argv}}));
}

void Guest::put(const std::string& path, std::string_view content, std::optional<unsigned> mode) {
    machine_->put(path, content, mode);
}

std::string Guest::get(const std::string& path) {
    std::string content;
    machine_->call({{"op", "get"}, {"path", path}},
                   [&content](bool, std::string_view piece) { content += piece; });
    return content;
}

void Guest::power_off() {
    machine_->power_off();
}

void Guest::kill() {
    machine_->kill();
}

void Guest::wait_end(std::chrono::milliseconds limit) {
    machine_->wait_end(limit);
}

int Guest::end_descriptor() const {
    return fcntl(machine_->ended(), F_DUPFD_CLOEXEC, 0);
}

Cable& Guest::cable() {
    return *machine_->cable;
}

Qmp& Guest::qmp() {
    return *machine_->qmp;
}

Console& Guest::console() {
    return *machine_->console;
}

RegisterLog Guest::registers() {
    if (!machine_->options.record_registers)
        throw SetupError("registers were not recorded; set Options::record_registers");
    return RegisterLog(read_from(machine_->trace));
}

std::string Guest::kernel_log() {
    try {
        return must("dmesg");
    } catch (const std::runtime_error&) {
        return console().text();
    }
}

std::string Guest::memory(std::uint64_t address, std::size_t size) {
    return machine_->memory(address, size);
}

std::uint32_t Guest::read_register(std::uint32_t offset) {
    return machine_->read_register(offset);
}

std::optional<std::chrono::milliseconds> Guest::boot_time() const {
    return machine_->boot_time;
}

const std::string& Guest::accelerator() const {
    return machine_->accelerator.reason;
}

std::string Guest::qemu_output() const {
    return machine_->qemu_output();
}

}  // namespace fwts::sandbox
