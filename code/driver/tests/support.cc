// SPDX-License-Identifier: GPL-2.0
#include "support.h"

#include <iterator>
#include <optional>
#include <sstream>
#include <thread>

#include "kernel_log.h"

namespace fwts::driver {

namespace fs = std::filesystem;

namespace {

/// The module of a stage, whatever the stage's name is.
fs::path built_module(const std::string& stage) {
    const fs::path modules = fs::path(FWTS_ROOT) / "build/modules/strict";
    if (fs::exists(modules)) {
        for (const auto& entry : fs::directory_iterator(modules)) {
            if (entry.path().filename().string().starts_with(stage + "-")) {
                return entry.path() / "igbook.ko";
            }
        }
    }
    throw sandbox::SetupError("stage " + stage + " is not built in " + modules.string() +
                              "; run: code/driver/build-stage --kernel strict --failcall all");
}

/// A module of the strict kernel's own.
fs::path kernel_module(const std::string& name) {
    const fs::path modules = fs::path(FWTS_ROOT) / "build/kernel/strict/modules";
    for (const auto& entry : fs::recursive_directory_iterator(modules)) {
        if (entry.path().filename() == name) {
            return entry.path();
        }
    }
    throw sandbox::SetupError("no " + name + " in " + modules.string() +
                              "; run: qemu/kernel/kernel build strict");
}

/// Smaller than the default: the kernel that checks everything also prepares every page.
constexpr int kMemory = 256;

/// The one guest that is running, and whose it is.
struct Running {
    std::string stage;
    bool acpi = false;
    std::optional<sandbox::Guest> guest;

    [[nodiscard]] std::string name() const {
        return "stage " + stage + (acpi ? ", with ACPI" : ", without ACPI");
    }
};

Running& running() {
    static Running one;
    return one;
}

/// What was noticed when its last test had ended: its memory, and that it powers off.
void finish() {
    Running& last = running();
    if (last.guest) {
        const testing::ScopedTrace trace(__FILE__, __LINE__, "the guest of " + last.name());
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
    if (stage >= "03") {
        options.modules = {kernel_module("dca.ko")};  // insmod does not load what igbook needs
    }
    const fs::path failcall = fs::path(FWTS_ROOT) / "build/modules/strict/failcall/failcall.ko";
    options.files = {{built_module(stage), kDriver},
                     {failcall, kFailcall},
                     {FWTS_MII, "/bin/mii"},
                     {FWTS_DRIVE, "/bin/drive"}};
    return options;
}

sandbox::Options strict_without_acpi(const std::string& stage) {
    sandbox::Options options = strict(stage);
    options.append = "acpi=off pcie_ports=compat";
    return options;
}

sandbox::Guest& StageTest::guest_with_acpi() {
    return guest(true);
}

sandbox::Guest& StageTest::guest_without_acpi() {
    return guest(false);
}

sandbox::Guest& StageTest::guest_with_interrupts() {
    return guest(GetParam() >= "05");
}

sandbox::Guest& StageTest::guest(bool acpi) {
    Running& now = running();
    if (now.guest && (now.stage != GetParam() || now.acpi != acpi)) {
        finish();
    }
    if (!now.guest) {
        sandbox::Options options = acpi ? strict(GetParam()) : strict_without_acpi(GetParam());
        options.record_registers = acpi;
        now.stage = GetParam();
        now.acpi = acpi;
        now.guest = sandbox::Guest::boot(options);
        now.guest->must("dmesg -c >/dev/null");
    }
    return *now.guest;
}

void StageTest::TearDown() {
    std::optional<sandbox::Guest>& guest = running().guest;
    if (!guest) {
        return;
    }
    if (!HasFailure()) {
        expect_silent_log(*guest);
    }
    if (HasFailure()) {
        guest.reset();  // the next test shall not suffer from this one
        return;
    }
    guest->cable().clear();
    guest->must("dmesg -c >/dev/null");
}

bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        // Not to wait for anything: to leave the processor to the guest between two questions.
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

bool carrier_becomes(sandbox::Guest& guest, bool up) {
    const std::string wanted = up ? "1\n" : "0\n";
    // By the agent itself: a cat each time would keep the strict kernel busier than the driver
    // does.
    return eventually([&] {
        try {
            return guest.get("/sys/class/net/eth0/carrier") == wanted;
        } catch (const sandbox::SetupError&) {
            return false;  // down
        }
    });
}

void expect_silent_log(sandbox::Guest& guest, const std::string& expected) {
    const std::string log = guest.must("dmesg");
    auto complaints = sandbox::find_complaints(log);
    if (!expected.empty()) {
        std::erase_if(complaints, [&](const std::string& complaint) {
            return complaint.find(expected) != std::string::npos;
        });
    }
    EXPECT_THAT(complaints, testing::IsEmpty()) << log;
}

void expect_no_complaint(sandbox::Guest& guest, const std::string& expected) {
    // kmemleak reports only what a second scan finds unchanged, and five seconds old.
    const std::string leaks = guest.must(
        "k=/sys/kernel/debug/kmemleak; echo scan >$k && sleep 5.1 && echo scan >$k && cat $k",
        {.limit = 180s});
    EXPECT_EQ(leaks, "") << "kmemleak found memory nobody owns";
    expect_silent_log(guest, expected);
}

std::string stage_name(const testing::TestParamInfo<std::string>& info) {
    return "stage" + info.param;
}

}  // namespace fwts::driver
