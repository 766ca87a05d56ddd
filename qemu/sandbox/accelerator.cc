// SPDX-License-Identifier: GPL-2.0
#include "accelerator.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "boot_image.h"
#include "content.h"
#include "descriptor.h"
#include "failure.h"
#include "files.h"
#include "qemu_process.h"
#include "text.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;

namespace {

constexpr int kProbeMilliseconds = 8000;

bool processor_has_virtualisation() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("flags")) continue;
        const auto flags = words_of(line);
        return std::any_of(flags.begin(), flags.end(),
                           [](auto flag) { return flag == "vmx" || flag == "svm"; });
    }
    return false;
}

// Boots a kernel without a file system. It panics at the end of its start, which is far enough.
bool probe_guest_boots() {
    const KernelImage kernel = find_kernel("trace");
    QemuProcess qemu({{find_qemu(),
                       "-nodefaults",
                       "-no-user-config",
                       "-display",
                       "none",
                       "-M",
                       "q35",
                       "-accel",
                       "kvm",
                       "-cpu",
                       "max",
                       "-m",
                       "128",
                       "-no-reboot",
                       "-serial",
                       "stdio",
                       "-kernel",
                       kernel.bzimage,
                       "-append",
                       "console=ttyS0 panic=-1 nokaslr"},
                      {},
                      {}});
    pollfd end{qemu.end_descriptor(), POLLIN, 0};
    const bool ended = poll(&end, 1, kProbeMilliseconds) == 1;
    return ended && qemu.output().find("Kernel panic") != std::string::npos;
}

Accelerator probe() {
    if (!processor_has_virtualisation())
        return {false, "the processor shows neither vmx nor svm, so KVM cannot work here"};
    const Descriptor device(open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!device.open()) {
        return {false, fmt::format("/dev/kvm cannot be opened ({}); for KVM, load the kvm module "
                                   "and join the group of /dev/kvm",
                                   std::strerror(errno))};
    }
    if (!probe_guest_boots())
        return {false, "/dev/kvm opens, but a probe guest did not boot under it"};
    return {true, "a probe guest booted under KVM"};
}

fs::path note_path() {
    return cache_directory() / "accelerator.json";
}

std::optional<Accelerator> read_note() {
    std::ifstream file(note_path());
    const auto note = nlohmann::json::parse(file, nullptr, false);
    if (!note.is_object() || note.value("key", "") != accelerator_key()) return std::nullopt;
    return Accelerator{note.value("kvm", false), note.value("reason", "")};
}

void write_note(const Accelerator& accelerator) try {
    const nlohmann::json note = {
        {"key", accelerator_key()}, {"kvm", accelerator.kvm}, {"reason", accelerator.reason}};
    replace_file(note_path(), note.dump() + "\n");
} catch (const std::runtime_error&) {
    // A cache that cannot be written only costs time.
}

}  // namespace

std::vector<std::string> Accelerator::arguments(bool icount, int cpus) const {
    if (icount)
        return {"-accel", "tcg,thread=single", "-cpu", "max", "-icount", "shift=0,sleep=off"};
    if (kvm) return {"-accel", "kvm", "-cpu", "max"};
    // With a thread for each processor, QEMU now and then aborts in iotlb_to_section(): one looks
    // up a device while another, writing a bridge's window, has the memory map replaced.
    const char* threads = cpus > 1 ? "tcg,thread=single" : "tcg,thread=multi";
    // Without the fast string instructions: TCG moves a byte at a time for them, and a kernel that
    // does not see them uses loops over words.
    return {"-accel", threads, "-cpu", "max,-erms,-fsrm,-fsrs"};
}

Accelerator choose_accelerator(const std::string& wish, bool icount) {
    if (icount) {
        if (wish == "kvm")
            throw SetupError("--icount counts instructions, which only TCG can; leave out kvm");
        return {false, "instructions are counted, which only TCG can"};
    }
    if (wish == "tcg") return {false, "TCG was asked for"};
    if (wish != "auto" && wish != "kvm") {
        throw SetupError(
            fmt::format("accelerator \"{}\" is unknown; there are auto, kvm, tcg", wish));
    }
    auto found = read_note();
    if (!found) {
        found = probe();
        write_note(*found);
    }
    if (wish == "kvm" && !found->kvm)
        throw SetupError("KVM was asked for, but " + found->reason + "; use --accel tcg");
    return *found;
}

std::string accelerator_key() {
    return first_line("/proc/sys/kernel/random/boot_id") + "/" + content_of(find_qemu());
}

std::string find_qemu() {
    constexpr const char* kName = "qemu-system-x86_64";
    const char* path = std::getenv("PATH");
    for (const auto& directory : split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
        std::string file = fmt::format("{}/{}", directory, kName);
        if (access(file.c_str(), X_OK) == 0) return file;
    }
    throw SetupError(
        fmt::format("{} is not installed; run `make setup` or install the package "
                    "qemu-system-x86 (8.0 or later; bookworm-backports on Debian 12)",
                    kName));
}

}  // namespace fwts::sandbox
