// SPDX-License-Identifier: GPL-2.0
// A machine's command line: what QEMU is told of the guest, its devices and its debugger.
#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>

#include "machine.h"
#include "protocol.h"
#include "register_log.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;

namespace {

// A driver that writes registers without end must not fill the host's memory. QEMU is killed then.
constexpr std::uint64_t kLongestRecord = std::uint64_t{256} << 20;

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

}  // namespace

std::vector<Placement> placements(const Options& options) {
    std::vector<Placement> files = options.files;
    for (const fs::path& module : options.modules)
        files.push_back({module, "/modules/" + module.filename().string()});
    return files;
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

}  // namespace fwts::sandbox
