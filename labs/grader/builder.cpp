// SPDX-License-Identifier: GPL-2.0
#include "builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "edit.h"
#include "jail.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> lines;
    const std::string room = "/room/";
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        // Of no interest to the student.
        for (auto at = line.find(room); at != std::string::npos; at = line.find(room))
            line.erase(at, room.size());
        lines.push_back(std::move(line));
    }
    return lines;
}

bool starts_diagnostic(const std::string& line) {
    return line.find(": error: ") != std::string::npos ||
           line.find(": fatal error: ") != std::string::npos ||
           line.find(": warning: ") != std::string::npos ||
           line.find(": Error: ") != std::string::npos || line.starts_with("ERROR: modpost: ") ||
           line.starts_with("WARNING: modpost: ");
}

bool is_kind(const std::string& line, const std::string& kind) {
    if (kind == "warning")
        return line.find(": warning: ") != std::string::npos || line.starts_with("WARNING: ");
    return starts_diagnostic(line) && !is_kind(line, "warning");
}

/// gcc quotes source below a message with lines that begin with blanks.
bool continues_diagnostic(const std::string& line) {
    return line.starts_with(' ') && line.find('|') != std::string::npos;
}

std::string why_failed(const ProcessResult& build, const Limits& limits) {
    if (build.timed_out)
        return fmt::format("the build took longer than {} s and was stopped", limits.wall.count());
    if (build.too_loud)
        return fmt::format("the build printed more than {} KiB and was stopped",
                           limits.output_bytes >> 10U);
    return "it does not compile";
}

/// The room with all that a build needs, its Kbuild file written.
Room room_for(const fs::path& sources, const fs::path& kernel, const fs::path& objects,
              const fs::path& out) {
    require_kernel(kernel);
    require_jail();
    write_file(sources / "Kbuild", build_rules());
    const auto tree = fs::canonical(kernel);
    Room room{{tree}, sources, out, objects};
    if (fs::exists(tree / "source")) room.readable.push_back(fs::canonical(tree / "source"));
    return room;
}

/// Runs a shell script in which make_it compiles what lies in /room.
ProcessResult run_script(const Room& room, const fs::path& kernel, const Limits& limits,
                         const std::string& script) {
    // Nothing reads the debugging information, which is four fifths of the module.
    const std::string make_it =
        "tree=$1; make_it() { make -s -j2 -C $tree M=/room W=1 KCFLAGS=-g0 modules; }\n";
    return run_in_jail(
        room, {"sh", "-c", make_it + script, "build", (fs::canonical(kernel) / "build").string()},
        limits);
}

/// What `times` of the shell says of its children: the second line, "1m2.3s 0m0.4s".
std::chrono::milliseconds processor_time_told(const fs::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    double total = 0;
    for (int i = 0; i < 2; ++i) {
        double minutes = 0;
        double seconds = 0;
        char unit = 0;
        in >> minutes >> unit >> seconds >> unit;
        total += minutes * 60 + seconds;
    }
    return std::chrono::milliseconds(static_cast<long>(total * 1000));
}

/// Functions of the kernel by which a module gets at more than its device: other processes, the
/// kernel's own code and log, the watchmen, the machine's power.
bool is_unwelcome(const std::string& symbol) {
    static const std::regex unwelcome(
        "call_usermodehelper.*|kallsyms_.*|(un)?register_(k|u|kret)probe.*|(un)?register_ftrace.*|"
        "ftrace_set_.*|text_poke.*|set_memory_.*|kasan_.*|kmemleak_.*|lockdep_o(n|ff)|debug_locks.*"
        "|"
        "emergency_restart|kernel_(restart|halt|power_off)|machine_.*|orderly_.*|pm_power_off|"
        "(un)?register_console|console_.*|suppress_printk|filp_open|kernel_(read|write)|"
        "access_process_vm|find_.*task.*|init_task|send_sig.*|kill_p(id|grp)|find_.*pid|pid_task|"
        "ksys_.*|vfs_.*|__module_address|find_module|set_.*_x|native_write_cr.*");
    return std::regex_match(symbol, unwelcome);
}

/// A module that asks for such a function is not tried.
void refuse_imports(BuildResult& result, const std::string& nm) {
    const auto found = unwelcome_imports(nm);
    if (found.empty()) return;
    result.ok = false;
    result.message = "it asks the kernel for what the driver of a card does not need";
    for (const auto& symbol : found)
        result.messages.push_back(fmt::format("{}: not to be used in a submission", symbol));
}

}  // namespace

std::vector<std::string> unwelcome_imports(const std::string& nm) {
    std::vector<std::string> found;
    std::istringstream in(nm);
    std::string kind;
    for (std::string symbol; in >> kind >> symbol;)
        if (is_unwelcome(symbol)) found.push_back(symbol);
    return found;
}

std::string build_rules() {
    return "# SPDX-License-Identifier: GPL-2.0\n"
           "# Every C file here is part of the module, for you and for the grader.\n"
           "obj-m := igbook.o\n"
           "sources := $(filter-out igbook.mod.c,$(notdir $(wildcard $(src)/igbook*.c)))\n"
           "igbook-y := $(patsubst %.c,%.o,$(sort $(sources)))\n";
}

std::vector<std::string> diagnostics(const std::string& output, const std::string& kind) {
    std::vector<std::string> found;
    bool inside = false;
    for (auto& line : split(output)) {
        if (starts_diagnostic(line))
            inside = is_kind(line, kind);
        else if (!continues_diagnostic(line))
            inside = false;
        if (inside) found.push_back(std::move(line));
    }
    return found;
}

void require_kernel(const fs::path& kernel) {
    if (!fs::exists(kernel / "build" / "Makefile"))
        throw std::runtime_error(
            fmt::format("{}: there is no kernel to build against; make it with: qemu/kernel/kernel "
                        "build strict",
                        kernel.string()));
}

BuildResult build_module(const fs::path& sources, const fs::path& kernel, const fs::path& objects,
                         const fs::path& out, const Limits& limits) {
    const auto room = room_for(sources, kernel, objects, out);
    // What make made of the same text before is not made again; a newer file is. The shell's own
    // account of its children comes last.
    const auto build =
        run_script(room, kernel, limits,
                   "[ ! -d /base ] || cp -a /base/. .\n"
                   "for file in /submission/*; do\n"
                   "cmp -s $file ${file##*/} || cp $file .; done\n"
                   "make_it && cp igbook.ko /out/ && nm -u igbook.ko > /out/imports\n"
                   "status=$?; times > /out/times; exit $status");
    BuildResult result;
    result.cpu = processor_time_told(out / "times");
    result.module = out / "igbook.ko";
    result.ok = build.ok() && fs::exists(result.module);
    result.warnings = diagnostics(build.output, "warning");
    if (result.ok) {
        refuse_imports(result, read_file(out / "imports"));
        return result;
    }
    result.message = why_failed(build, limits);
    result.messages = diagnostics(build.output, "error");
    if (result.messages.empty()) result.messages = split(build.output.substr(0, 16384));
    return result;
}

bool build_objects(const fs::path& sources, const fs::path& kernel, const fs::path& out) {
    const auto room = room_for(sources, kernel, {}, out);
    return run_script(room, kernel, build_limits(),
                      "cp /submission/* . && make_it && rm igbook.ko && cp -a . /out/")
        .ok();
}

}  // namespace fwts::grader
