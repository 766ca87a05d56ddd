// SPDX-License-Identifier: GPL-2.0
#include "testbed.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "expect.h"
#include "files.h"
#include "guest.h"
#include "marks.h"
#include "patience.h"
#include "processor_time.h"
#include "text.h"
#include "watchmen.h"

namespace fwts::grader {
namespace {

using namespace sandbox::registers;
using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr std::uint32_t io_addr = 0;  // in BAR 2: which register ...
constexpr std::uint32_t io_data = 4;  // ... and its value
constexpr unsigned nvm_words = 64;
constexpr milliseconds longest_between{50};  // two questions, while something is waited for
constexpr int clock_per_processor_time = 6;
constexpr std::size_t output_limit = std::size_t{4} << 20U;
constexpr int guest_memory = 256;  // MiB; each page more is one to prepare and to scan

/// kmemleak believes that an object is lost when a scan finds no reference to it and it is the same
/// as at the scan before; in the strict kernel it reports none that is younger than a second. The
/// first scan here is for the "same as before" only: a signal stops its search for references,
/// which leaves the part that looks at the objects. A signal that comes too early or too late makes
/// it a whole scan, which is as good. Then the objects grow old enough, and the second scan
/// decides.
constexpr const char* settle_script = R"(
k=/sys/kernel/debug/kmemleak
read start rest < /proc/uptime
trap : TERM
n=0; while [ $n -lt 300 ]; do kill -TERM $$; n=$((n + 1)); done &
echo scan > $k || exit 1
kill -KILL $! 2>/dev/null
wait
read now rest < /proc/uptime
left=$((110 - (${now%.*}${now#*.} - ${start%.*}${start#*.})))
[ $left -le 0 ] || sleep $((left / 100)).$((left % 100 / 10))
)";

/// A process of its own, without children: any signal at all would stop this scan, and a stopped
/// scan reports nothing.
constexpr const char* scan_script = R"(
k=/sys/kernel/debug/kmemleak
echo scan > $k && cat $k
)";

milliseconds in_ms(Testbed::Seconds time) {
    return std::chrono::duration_cast<milliseconds>(time);
}

std::string chomped(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

/// The name a module's file and the kernel have for it.
std::string underscored(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

sandbox::Options options_for(const TestbedOptions& options, const Mac& mac) {
    sandbox::Options result;
    result.kernel = options.kernel.string();
    result.mac = mac;
    result.record_registers = true;
    // Every message reaches the console, whatever a module does to the log level. Interpreting
    // ACPI tables takes the strict kernel longer than the rest of its boot and a card needs none;
    // but without them the port above the card must not manage its slot: it would switch it off.
    result.append = "ignore_loglevel no_timer_check";
    if (!options.guest.acpi) result.append += " acpi=off pcie_ports=compat";
    if (options.guest.bounce) result.append += " swiotlb=1024,force";  // slots of 2 KiB
    result.cpus = options.guest.cpus;
    result.memory = guest_memory;
    for (const auto& name : options.guest.modules)
        result.modules.push_back(sandbox::find_module(sandbox::find_kernel(result.kernel), name));
    for (const auto& name : options.guest.companions) {
        const auto file = underscored(name) + ".ko";
        auto built = options.modules / "in-kernel" / file;
        if (!std::filesystem::exists(built)) built = options.modules / name / file;
        result.files.push_back({built, Testbed::companion(name)});
    }
    for (const auto& name : options.guest.programs)
        result.files.push_back({options.programs / name, "/bin/" + name});
    result.boot_limit = std::chrono::seconds(180);
    result.prepared = true;
    return result;
}

/// The card as QEMU itself describes it.
struct Card {
    std::string address;
    std::uint64_t io_base = 0;
};

std::optional<Card> find_card(const Json& devices) {
    for (const auto& device : devices) {
        if (device.value("qdev_id", "") == "nic") {
            Card card;
            card.address =
                fmt::format("0000:{:02x}:{:02x}.{}", device.at("bus").get<int>(),
                            device.at("slot").get<int>(), device.at("function").get<int>());
            for (const auto& region : device.at("regions"))
                if (region.at("type") == "io") card.io_base = region.at("address");
            return card;
        }
        if (!device.contains("pci_bridge") || !device["pci_bridge"].contains("devices")) continue;
        if (auto card = find_card(device["pci_bridge"]["devices"])) return card;
    }
    return std::nullopt;
}

Card find_card(sandbox::Qmp& qmp) {
    for (const auto& bus : qmp.command("query-pci"))
        if (auto card = find_card(bus.at("devices"))) return *card;
    throw std::runtime_error("QEMU shows no network card on the guest's PCI bus");
}

}  // namespace

Mac random_mac(std::mt19937_64& random) {
    constexpr unsigned local = 0x02;
    constexpr unsigned group = 0x01;
    Mac mac;
    for (int i = 0; i < 6; ++i) {
        auto byte = static_cast<unsigned>(random() & 0xffU);
        if (i == 0) byte = (byte | local) & ~group;
        mac += fmt::format("{}{:02x}", i == 0 ? "" : ":", byte);
    }
    return mac;
}

struct Testbed::Parts {
    explicit Parts(const TestbedOptions& options)
        : watchmen(sandbox::find_kernel(options.kernel.string()).vmlinux),
          random(options.seed),
          params(options.params),
          mac(random_mac(random)),
          running(launch(options, mac)),
          whole_limit(options.whole_limit),
          marks(~options.seed) {}

    /// Nothing, for a lab that needs no guest.
    static std::optional<sandbox::Guest> launch(const TestbedOptions& options, const Mac& mac) {
        if (options.guest.none) return std::nullopt;
        return sandbox::Guest::launch(options_for(options, mac));
    }

    sandbox::Guest& guest() {
        if (!running) throw std::runtime_error("this lab has no guest");
        return *running;
    }

    /// The guest, while there is time for a submission that makes it slow.
    sandbox::Guest& guest_in_time() {
        if (whole && whole->over())
            throw sandbox::Hang(
                fmt::format("all checks together had not ended after {} s", whole->limit().count()),
                {}, {});
        return guest();
    }

    void wait_ready() {
        guest().wait_ready();
        card = find_card(guest().qmp());
        // No driver has turned on the card's address decoding yet.
        const auto enable = "/sys/bus/pci/devices/" + card.address + "/enable";
        guest().must("echo 1 > " + enable);
        card = find_card(guest().qmp());
        for (unsigned number = 0; number < nvm_words; ++number) nvm[number] = read_nvm(number);
        guest().must("echo 0 > " + enable);
        release = chomped(guest().run("uname -r").out);
        watchmen.note(guest());
    }

    /// Reads a word of the NVM as a driver does, but from outside. Sound only while no driver is
    /// loaded.
    std::uint16_t read_nvm(unsigned number) {
        write_register(EERD, number << 2U | EERD_START);
        const auto value = guest().read_register(EERD);
        if ((value & EERD_DONE) == 0)
            throw std::runtime_error(
                fmt::format("NVM word {} cannot be read from outside", number));
        return static_cast<std::uint16_t>(value >> 16U);
    }

    /// Through the card's I/O window, which no driver uses.
    void write_register(std::uint32_t offset, std::uint32_t value) {
        outl(io_addr, offset);
        outl(io_data, value);
    }

    void outl(std::uint32_t offset, std::uint32_t value) {
        guest().qmp().human(fmt::format("o /w {:#x} {:#x}", card.io_base + offset, value));
    }

    /// QEMU's threads that are the guest's processors.
    std::vector<pid_t> find_processors() {
        std::vector<pid_t> threads;
        if (!running) return threads;
        for (const auto& processor : guest().qmp().command("query-cpus-fast"))
            threads.push_back(processor.at("thread-id").get<pid_t>());
        return threads;
    }

    Watchmen watchmen;
    std::mt19937_64 random;
    Params params;
    Mac mac;
    std::optional<sandbox::Guest> running;
    std::vector<pid_t> processors = find_processors();
    pid_t qemu = processors.empty() ? 0 : processors[0];
    milliseconds used{0};  // of the processor, when it was last asked
    Seconds whole_limit;
    std::optional<Patience> whole;  // from when the module came
    Card card;
    std::array<std::uint16_t, nvm_words> nvm{};
    std::vector<Mapping> written_off;
    Marks marks;
    std::size_t marks_seen = 0;
    std::string release;
    std::filesystem::path module;
    std::size_t log_taken = 0;  // bytes of the console
};

/// Ends the guest when it has used too much processor time, whatever it is doing.
class Testbed::ProcessorLimit {
  public:
    ProcessorLimit(Parts& parts, Seconds limit)
        : end_(processor_time_of(parts.qemu) + in_ms(limit)),
          watcher_([this, &parts] { watch(parts); }) {}
    ~ProcessorLimit() {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
        }
        woken_.notify_all();
        watcher_.join();
    }
    ProcessorLimit(const ProcessorLimit&) = delete;
    ProcessorLimit& operator=(const ProcessorLimit&) = delete;
    bool exceeded() const { return exceeded_; }

  private:
    /// Nobody would catch what a thread throws; then the limit by the clock is left.
    static void end_guest(Parts& parts) noexcept try { parts.guest().kill(); } catch (...) {
    }

    void watch(Parts& parts) {
        constexpr milliseconds between{250};
        std::unique_lock lock(mutex_);
        while (!woken_.wait_for(lock, between, [this] { return done_; })) {
            if (processor_time_of(parts.qemu) < end_) continue;
            exceeded_ = true;
            end_guest(parts);
            return;
        }
    }

    milliseconds end_;
    std::mutex mutex_;
    std::condition_variable woken_;
    bool done_ = false;
    std::atomic<bool> exceeded_ = false;
    std::thread watcher_;
};

Testbed::Testbed(const TestbedOptions& options) : parts_(std::make_unique<Parts>(options)) {}
Testbed::~Testbed() = default;

void Testbed::wait_ready() {
    parts_->wait_ready();
    take_log();  // what the kernel said while it booted is nobody's fault
}

bool Testbed::has_guest() const {
    return parts_->running.has_value();
}

void Testbed::end() {
    parts_->guest().kill();
}

void Testbed::give_module(const std::filesystem::path& module) {
    parts_->module = module;
    if (!parts_->running) return;
    parts_->guest().put(guest_module, read_file(module));
    parts_->whole.emplace(parts_->processors, parts_->whole_limit);
}

std::string Testbed::companion(const std::string& name) {
    return "/modules/" + underscored(name) + ".ko";
}

void Testbed::start(const std::vector<std::string>& argv) {
    parts_->guest_in_time().start(argv);
}

void Testbed::put(const std::string& path, const std::string& content) {
    try {
        parts_->guest_in_time().put(path, content);
    } catch (const sandbox::GuestError& error) {
        fail("in the guest: writing " + path, "success", error.what());
    }
}

Ran Testbed::sh(const std::string& script, Seconds limit) {
    return run({"sh", "-c", script}, limit);
}

Ran Testbed::run(const std::vector<std::string>& argv, Seconds limit) {
    sandbox::ExecOptions options;
    options.limit = in_ms(limit * clock_per_processor_time);
    options.output_limit = output_limit;
    const ProcessorLimit guard(*parts_, limit);
    try {
        auto result = parts_->guest_in_time().exec(argv, options);
        return {result.status, std::move(result.out), std::move(result.err)};
    } catch (const sandbox::QemuExit& end) {
        if (!guard.exceeded()) throw;
        throw sandbox::Hang(
            fmt::format("`{}` did not end within {} s of the guest's processor time",
                        argv.back().substr(0, argv.back().find('\n')), limit.count()),
            end.console(), {});
    }
}

std::string Testbed::must_run(const std::vector<std::string>& argv, Seconds limit) {
    auto ran = run(argv, limit);
    if (ran.status != 0)
        fail(fmt::format("in the guest: {}", fmt::join(argv, " ")), "success",
             fmt::format("status {}: {}", ran.status, chomped(ran.err)));
    return chomped(std::move(ran.out));
}

std::string Testbed::must(const std::string& what, const std::string& script, Seconds limit) {
    auto ran = sh(script, limit);
    if (ran.status != 0)
        fail(fmt::format("{} (in the guest: {})", what, script.substr(0, script.find('\n'))),
             "success", fmt::format("status {}: {}", ran.status, chomped(ran.err)));
    return chomped(std::move(ran.out));
}

std::string Testbed::text(const std::string& path) {
    return chomped(bytes(path));
}

std::string Testbed::bytes(const std::string& path) {
    try {
        return parts_->guest_in_time().get(path);
    } catch (const sandbox::GuestError&) {
        return {};
    }
}

std::uint32_t Testbed::reg(std::uint32_t offset) {
    return parts_->guest_in_time().read_register(offset);
}

unsigned Testbed::message_processor(unsigned vector) {
    return parts_->guest().message_processor(vector);
}

void Testbed::set_reg(std::uint32_t offset, std::uint32_t value) {
    parts_->write_register(offset, value);
}

std::uint16_t Testbed::nvm_word(unsigned number) const {
    return parts_->nvm.at(number);
}

std::vector<RegisterWrite> Testbed::writes() const {
    auto record = parts_->guest().registers().all();
    parts_->marks.settle(record);
    return record;
}

std::uint32_t Testbed::open_marks(std::uint32_t known, std::uint32_t count) {
    return parts_->marks.open(known, count, writes().size());
}

void Testbed::close_marks(std::uint32_t known) {
    parts_->marks.close(known, writes().size());
}

std::size_t Testbed::forged_marks() {
    if (!parts_->marks.any()) return 0;  // nobody reads them
    const auto record = writes();
    const auto from = std::min(parts_->marks_seen, record.size());
    parts_->marks_seen = record.size();
    return static_cast<std::size_t>(std::count_if(
        record.begin() + static_cast<std::ptrdiff_t>(from), record.end(), Marks::forged));
}

void Testbed::plug(bool in) {
    parts_->guest().qmp().set_link(in);
}

std::string Testbed::memory(std::uint64_t address, std::size_t size) {
    return parts_->guest().memory(address, size);
}

Ring Testbed::ring(Direction direction, unsigned queue) {
    // RDBAL, RDBAH, RDLEN, SRRCTL, RDH, _, RDT; the transmit registers are laid out alike.
    constexpr std::size_t most = std::size_t{1} << 20U;  // bytes; what the length register can say
    const auto first = *sandbox::register_offset(
        fmt::format("{}({})", direction == Direction::receive ? "RDBAL" : "TDBAL", queue));
    Ring ring;
    ring.base = reg(first) | std::uint64_t{reg(first + 0x04)} << 32U;
    const std::size_t bytes = reg(first + 0x08);
    ring.head = reg(first + 0x10);
    ring.tail = reg(first + 0x18);
    const std::string name =
        fmt::format("{} ring {}", direction == Direction::receive ? "receive" : "transmit", queue);
    if (bytes == 0 || bytes > most || ring.base == 0)
        fail(name + ", its registers read from outside the guest", "an address and a length",
             fmt::format("address {:#x}, {} bytes", ring.base, bytes));
    const auto content = memory(ring.base, bytes);
    ring.slots.resize(bytes / sizeof(RingSlot));
    std::memcpy(ring.slots.data(), content.data(), ring.slots.size() * sizeof(RingSlot));
    return ring;
}

void Testbed::send(const std::string& frame) {
    const sandbox::Frame bytes(frame.begin(), frame.end());
    if (!soon([&] { return parts_->guest_in_time().cable().try_send(bytes); }))
        fail("a frame put on the cable", "a card that takes it", "a cable full of frames");
}

std::optional<std::string> Testbed::receive(Seconds limit) {
    return receive([](const std::string& /*frame*/) { return true; }, limit);
}

std::optional<std::string> Testbed::receive(const std::function<bool(const std::string&)>& wanted,
                                            Seconds limit) {
    const Patience patience(parts_->processors, limit);
    const auto fits = [&](const sandbox::Frame& frame) {
        return wanted(std::string(frame.begin(), frame.end()));
    };
    do {
        if (const auto frame = parts_->guest_in_time().cable().expect(fits, in_ms(limit)))
            return std::string(frame->begin(), frame->end());
    } while (!patience.over());
    return std::nullopt;
}

std::vector<std::string> Testbed::take_frames() {
    std::vector<std::string> result;
    for (const auto& frame : parts_->guest().cable().take_all())
        result.emplace_back(frame.begin(), frame.end());
    return result;
}

std::string Testbed::random_frame(std::size_t size, const Mac& to) {
    constexpr std::uint16_t for_experiments = 0x88b5;
    constexpr std::size_t header = 14;
    const auto digits = sandbox::from_hex(to);
    sandbox::Mac address{};
    std::copy_n(digits.begin(), address.size(), address.begin());
    const auto payload = random_bytes(size - header);
    const auto frame = sandbox::ethernet(address, sandbox::kHostMac, for_experiments,
                                         {payload.begin(), payload.end()});
    return {frame.begin(), frame.end()};
}

void Testbed::silence_guest() {
    for (const char* which : {"all", "default"})
        put(fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", which), "1");
}

const Mac& Testbed::mac() const {
    return parts_->mac;
}
const std::string& Testbed::pci_address() const {
    return parts_->card.address;
}
const std::filesystem::path& Testbed::module() const {
    return parts_->module;
}
std::mt19937_64& Testbed::random() {
    return parts_->random;
}
std::vector<Mapping>& Testbed::written_off() {
    return parts_->written_off;
}
std::chrono::milliseconds Testbed::processor_time() const {
    // Of a guest that is gone, what it had used when it was last asked.
    if (parts_->running) parts_->used = std::max(parts_->used, processor_time_of(parts_->qemu));
    return parts_->used;
}
const std::string& Testbed::param(const std::string& name) const {
    const auto found = parts_->params.find(name);
    if (found == parts_->params.end())
        throw std::runtime_error(fmt::format("lab.toml names no parameter {}", name));
    return found->second;
}
std::string Testbed::random_bytes(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) bytes += static_cast<char>(random()() & 0xffU);
    return bytes;
}
std::string Testbed::release() const {
    return parts_->release;
}
std::string Testbed::console() const {
    return parts_->guest().console().text();
}

void Testbed::let_settle() {
    text("/proc/uptime");
}

double Testbed::uptime() {
    return std::stod(text("/proc/uptime"));
}

/// Asks until it holds: `between` passes before it asks again, then longer.
bool Testbed::wait(const std::function<bool()>& holds, Seconds limit, milliseconds between) {
    const Patience patience(parts_->processors, limit);
    while (!holds()) {
        // Once more: this thread may have been kept waiting since it asked.
        if (patience.over()) return holds();
        std::this_thread::sleep_for(between);
        between = std::min(between + milliseconds(1), longest_between);
    }
    return true;
}

bool Testbed::soon(const std::function<bool()>& holds, Seconds limit) {
    // Asking QEMU is work, too: often while it is likely to hold, then now and then.
    return wait(holds, limit, milliseconds(1));
}

void Testbed::wait_until(const std::string& what, const std::string& expected,
                         const std::function<bool()>& holds,
                         const std::function<std::string()>& seen, Seconds limit) {
    // Asking is work for the guest: some 5 ms.
    if (!wait(holds, limit, longest_between))
        fail(what, expected, fmt::format("{} after {} s", seen(), limit.count()));
}

std::string Testbed::lost_memory() {
    must("kmemleak, first scan", settle_script, Seconds(60));
    return must("kmemleak, second scan", scan_script, Seconds(60));
}

std::vector<std::string> Testbed::changed_watchmen() {
    return parts_->watchmen.changes(parts_->guest());
}

void Testbed::excuse_watchmen(const std::vector<std::string>& log) {
    parts_->watchmen.after_complaint(log);
}

bool Testbed::code_unchanged() {
    return parts_->watchmen.code_unchanged(parts_->guest());
}

std::vector<std::string> Testbed::take_log() {
    auto& console = parts_->guest().console();
    const auto mark = fmt::format("fwts-mark-{:016x}", parts_->random());
    parts_->guest().put("/dev/kmsg", "<0>" + mark + "\n");
    const Patience patience(parts_->processors, Seconds(20));
    while (!console.expect(mark, std::chrono::seconds(1), parts_->log_taken))
        if (patience.over())
            fail("the kernel log on the console", "every message, among them the grader's mark",
                 "the mark did not come: the log was silenced");
    const auto all = console.text();
    const auto from = parts_->log_taken;
    parts_->log_taken = all.find(mark, from) + mark.size();
    return split_lines(all.substr(from, parts_->log_taken - from));
}

unsigned number(const Testbed& testbed, const std::string& parameter) {
    return static_cast<unsigned>(std::stoul(testbed.param(parameter)));
}

}  // namespace fwts::grader
