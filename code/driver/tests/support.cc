// SPDX-License-Identifier: GPL-2.0
#include "support.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>
#include <thread>

#include "kernel_log.h"

namespace fwts::driver {

namespace fs = std::filesystem;

fs::path built_module(const std::string& kernel, const std::string& stage) {
    const fs::path modules = fs::path(FWTS_ROOT) / "build/modules" / kernel;
    if (fs::exists(modules)) {
        for (const auto& entry : fs::directory_iterator(modules))
            if (entry.path().filename().string().starts_with(stage + "-"))
                return entry.path() / "igbook.ko";
    }
    throw sandbox::SetupError("stage " + stage + " is not built in " + modules.string() +
                              "; run: code/driver/build-stage --kernel " + kernel + " all");
}

fs::path kernel_module(const std::string& name) {
    return sandbox::find_module(sandbox::find_kernel("strict"), name);
}

namespace {

/// Smaller than the default: the kernel that checks everything also prepares every page.
constexpr int kMemory = 256;

/// The one guest that is running, and whose it is.
struct Running {
    std::string stage;
    std::optional<sandbox::Guest> guest;
};

Running& running() {
    static Running one;
    return one;
}

/// What was noticed when its last test had ended: its memory, and that it powers off.
void finish() {
    Running& last = running();
    if (last.guest) {
        const testing::ScopedTrace trace(__FILE__, __LINE__, "the guest of stage " + last.stage);
        sandbox::Guest guest = std::move(*last.guest);
        last.guest.reset();
        expect_no_complaint(guest);
        guest.power_off();
    }
}

class FinishAtTheEnd : public testing::Environment {
  public:
    void TearDown() override { finish(); }
};

[[maybe_unused]] testing::Environment* const registered =
    testing::AddGlobalTestEnvironment(new FinishAtTheEnd);

}  // namespace

std::vector<std::string> stages() {
    std::istringstream words(FWTS_STAGES);
    return {std::istream_iterator<std::string>(words), {}};
}

std::vector<std::string> stages(const std::string& from, const std::string& until) {
    std::vector<std::string> some = stages();
    std::erase_if(some, [&](const std::string& stage) { return stage < from || stage >= until; });
    return some;
}

sandbox::Options strict(const std::string& stage) {
    sandbox::Options options;
    options.kernel = "strict";
    options.cpus = 1;
    options.memory = kMemory;
    options.boot_limit = 600s;
    options.prepared = true;
    if (stage >= "03") {
        options.modules = {find_module(sandbox::find_kernel("strict"),
                                       "dca")};  // insmod does not load what igbook needs
    }
    const fs::path failcall = fs::path(FWTS_ROOT) / "build/modules/strict/in-kernel/failcall.ko";
    options.files = {{built_module("strict", stage), kDriver},
                     {failcall, kFailcall},
                     {failcall.parent_path() / "watchcall.ko", kWatchcall},
                     {failcall.parent_path() / "slowcall.ko", kSlowcall},
                     {FWTS_MII, "/bin/mii"},
                     {FWTS_DRIVE, "/bin/drive"},
                     {FWTS_FRAMES, "/bin/frames"},
                     {FWTS_HOLD, "/bin/hold"}};
    return options;
}

namespace {

const std::string kEnable = std::string("/sys/bus/pci/devices/") + kDevice + "/enable";
const std::string kSlowcallParameters = "/sys/module/slowcall/parameters/";

}  // namespace

HeldDevice::HeldDevice(sandbox::Guest& guest) : guest_(guest) {
    guest_.put(kEnable, "1");
}

HeldDevice::~HeldDevice() {
    try {
        EXPECT_EQ(guest_.get(kEnable), "1\n")
            << "the driver enabled it more often than disabled it";
        guest_.put(kEnable, "0");
    } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
    }
}

SlowCall::SlowCall(sandbox::Guest& guest, const std::string& call) : guest_(guest) {
    guest.must(std::string("insmod ") + kSlowcall + " ms=60000 " + call);
}

SlowCall::~SlowCall() {
    try {
        let_go();
        guest_.must("rmmod slowcall");
    } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
    }
}

bool SlowCall::entered() const {
    return eventually([&] { return content(guest_, kSlowcallParameters + "entered") == "1\n"; });
}

void SlowCall::let_go() {
    guest_.put(kSlowcallParameters + "go", "1");
}

Ones::Ones(sandbox::Options& options)
    : file_(fs::path(testing::TempDir()) / ("ones." + std::to_string(getpid()))) {
    std::ofstream(file_) << std::string(0x20000, '\xff');  // as long as the card's BAR 0
    options.qemu.insert(options.qemu.end(),
                        {"-device", "virtio-rng-pci,addr=1e.0,romfile=" + file_.string()});
    options.files.push_back(
        {fs::path(FWTS_ROOT) / "build/modules/strict/in-kernel/vanish.ko", kVanish});
}

Ones::~Ones() {
    std::error_code ignored;
    fs::remove(file_, ignored);
}

bool masters(sandbox::Guest& guest) {
    const std::string config =
        guest.get(std::string("/sys/bus/pci/devices/") + kDevice + "/config");
    EXPECT_GT(config.size(), 4U);
    return config.size() > 4 && (config[4] & 4) != 0;
}

sandbox::Guest& StageTest::guest() {
    Running& now = running();
    if (now.guest && now.stage != GetParam()) finish();
    if (!now.guest) {
        sandbox::Options options = strict(GetParam());
        options.record_registers = true;
        now.stage = GetParam();
        now.guest = sandbox::Guest::boot(options);
        now.guest->must("dmesg -c");
    }
    return *now.guest;
}

void StageTest::TearDown() {
    std::optional<sandbox::Guest>& guest = running().guest;
    if (!guest) return;
    if (!HasFailure()) expect_silent_log(*guest);
    if (HasFailure()) {
        guest.reset();  // the next test shall not suffer from this one
        return;
    }
    guest->cable().clear();
}

bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        // Not to wait for anything: to leave the processor to the guest between two questions.
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

std::string content(sandbox::Guest& guest, const std::string& path) {
    try {
        return guest.get(path);
    } catch (const sandbox::SetupError&) {
        return {};
    }
}

std::uint64_t statistic(sandbox::Guest& guest, const std::string& name,
                        const std::string& interface) {
    return std::stoull(guest.get("/sys/class/net/" + interface + "/statistics/" + name));
}

std::uint64_t counter_in(const std::string& statistics, const std::string& name) {
    const std::size_t at = statistics.find(" " + name + ": ");
    EXPECT_NE(at, std::string::npos) << name << " in:\n" << statistics;
    return at == std::string::npos ? 0 : std::stoull(statistics.substr(at + name.size() + 3));
}

std::uint64_t counter(sandbox::Guest& guest, const std::string& name) {
    // The kernel gives no names if the number of queues has changed since ethtool asked how many
    // there are.
    const auto asked = [&] { return guest.run("ethtool -S eth0"); };
    auto said = asked();
    for (int i = 0; i < 20 && said.err.find("no stats available") != std::string::npos; i++)
        said = asked();
    EXPECT_TRUE(said.ok()) << said.err;
    return counter_in(said.out, name);
}

std::size_t mappings(sandbox::Guest& guest) {
    std::istringstream dump(guest.get("/sys/kernel/debug/dma-api/dump"));
    std::size_t count = 0;
    for (std::string line; std::getline(dump, line);)
        count += line.find("igbook") != std::string::npos;
    return count;
}

std::mt19937_64 seeded() {
    const char* given = std::getenv("FWTS_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : 82576;
    std::cout << "seed " << seed << " (FWTS_SEED)\n";
    return std::mt19937_64(seed);
}

std::string interrupt_line(sandbox::Guest& guest, const std::string& name) {
    std::istringstream lines(guest.get("/proc/interrupts"));
    for (std::string line; std::getline(lines, line);)
        if (line.ends_with(" " + name)) return line;
    ADD_FAILURE() << name << " is not in /proc/interrupts";
    return {};
}

void hold(sandbox::Guest& guest, int queue) {
    guest.must(std::string("hold ") + kDevice + " " + std::to_string(queue));
}

void let_go(sandbox::Guest& guest, int queue) {
    guest.must(std::string("hold ") + kDevice + " " + std::to_string(queue) + " off");
}

void put16(sandbox::Frame& frame, std::size_t at, std::size_t value) {
    frame[at] = static_cast<std::uint8_t>(value >> 8);
    frame[at + 1] = static_cast<std::uint8_t>(value);
}

sandbox::Frame spoilt(sandbox::Frame frame, std::size_t at) {
    frame[at] ^= 1;
    return frame;
}

void silence(sandbox::Guest& guest) {
    guest.must("sysctl -q net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
}

bool carrier_becomes(sandbox::Guest& guest, bool up) {
    // Of an interface that is down it cannot be read.
    return eventually(
        [&] { return content(guest, "/sys/class/net/eth0/carrier") == (up ? "1\n" : "0\n"); });
}

Frames::Frames(sandbox::Guest& guest, const std::string& verb, std::size_t count) : guest_(guest) {
    static int number = 0;
    file_ = "/tmp/frames." + std::to_string(number++);
    guest.start({"frames", verb, "eth0", std::to_string(count), file_});
    EXPECT_TRUE(eventually([&] { return content(guest, file_) == "ready\n"; }))
        << "frames " << verb;
}

bool Frames::done(std::chrono::seconds limit) {
    return eventually([&] { return content(guest_, file_) == "ready\ndone\n"; }, limit);
}

void expect_silent_log(sandbox::Guest& guest, const std::string& expected) {
    const std::string log = guest.must("dmesg -c");
    auto complaints = sandbox::find_complaints(log);
    if (!expected.empty()) {
        std::erase_if(complaints, [&](const std::string& complaint) {
            return complaint.find(expected) != std::string::npos;
        });
    }
    EXPECT_THAT(complaints, testing::IsEmpty()) << log;
}

void expect_no_complaint(sandbox::Guest& guest, const std::string& expected) {
    EXPECT_EQ(guest.must("drive leaks", {.limit = 180s}), "") << "memory nobody owns";
    expect_silent_log(guest, expected);
}

std::string stage_name(const testing::TestParamInfo<std::string>& info) {
    return "stage" + info.param;
}

}  // namespace fwts::driver
