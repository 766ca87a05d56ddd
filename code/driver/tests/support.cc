// SPDX-License-Identifier: GPL-2.0
#include "support.h"

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

}  // namespace

sandbox::Options strict(const std::string& stage) {
    sandbox::Options options;
    options.kernel = "strict";
    options.cpus = 1;
    options.boot_limit = 600s;
    const fs::path failcall = fs::path(FWTS_ROOT) / "build/modules/strict/failcall/failcall.ko";
    if (stage >= "03") {
        options.modules = {kernel_module("dca.ko")};  // insmod does not load what igbook needs
    }
    options.files = {{built_module(stage), kDriver}, {failcall, kFailcall}, {FWTS_MII, "/bin/mii"}};
    return options;
}

sandbox::Options strict_without_acpi(const std::string& stage) {
    sandbox::Options options = strict(stage);
    options.append = "acpi=off pcie_ports=compat";
    return options;
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
    return eventually([&] { return guest.run("cat /sys/class/net/eth0/carrier").out == wanted; });
}

void expect_no_complaint(sandbox::Guest& guest, const std::string& expected) {
    // kmemleak reports only what has been without an owner for five seconds.
    const std::string leaks = guest.must(
        "echo scan >/sys/kernel/debug/kmemleak; sleep 6; "
        "echo scan >/sys/kernel/debug/kmemleak; cat /sys/kernel/debug/kmemleak",
        {.limit = 180s});
    EXPECT_EQ(leaks, "") << "kmemleak found memory nobody owns";
    const std::string log = guest.must("dmesg");
    auto complaints = sandbox::find_complaints(log);
    if (!expected.empty()) {
        std::erase_if(complaints, [&](const std::string& complaint) {
            return complaint.find(expected) != std::string::npos;
        });
    }
    EXPECT_THAT(complaints, testing::IsEmpty()) << log;
}

std::string stage_name(const testing::TestParamInfo<std::string>& info) {
    return "stage" + info.param;
}

}  // namespace fwts::driver
