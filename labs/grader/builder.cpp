// SPDX-License-Identifier: GPL-2.0
#include "builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "edit.h"
#include "jail.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> c_files_in(const fs::path& dir) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir)) {
        const auto name = entry.path().filename().string();
        if (name.ends_with(".c") && !name.ends_with(".mod.c")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        // The room's own directory is of no interest to the student.
        for (auto at = line.find("/work/"); at != std::string::npos; at = line.find("/work/"))
            line.erase(at, 6);
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
    write_file(sources / "Kbuild", kbuild_in(sources));
    const auto tree = fs::canonical(kernel);
    Room room{{tree}, sources, out, objects};
    if (fs::exists(tree / "source")) room.readable.push_back(fs::canonical(tree / "source"));
    return room;
}

/// Runs a shell script in which make_it compiles what lies in /work.
ProcessResult run_script(const Room& room, const fs::path& kernel, const Limits& limits,
                         const std::string& script) {
    // Nothing reads the debugging information, which is four fifths of the module.
    const std::string make_it =
        "tree=$1; make_it() { make -s -j2 -C $tree M=/work W=1 KCFLAGS=-g0 modules; }\n";
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

}  // namespace

std::string kbuild_for(const std::vector<std::string>& c_files) {
    std::string objects;
    for (const auto& name : c_files) objects += " " + name.substr(0, name.size() - 2) + ".o";
    return fmt::format("# SPDX-License-Identifier: GPL-2.0\nobj-m := igbook.o\nigbook-y :={}\n",
                       objects);
}

std::string kbuild_in(const fs::path& dir) {
    return kbuild_for(c_files_in(dir));
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
    const auto build = run_script(room, kernel, limits,
                                  "[ ! -d /base ] || cp -a /base/. .\n"
                                  "for file in /submission/*; do\n"
                                  "cmp -s $file ${file##*/} || cp $file .; done\n"
                                  "make_it && cp igbook.ko /out/\n"
                                  "status=$?; times > /out/times; exit $status");
    BuildResult result;
    result.cpu = processor_time_told(out / "times");
    result.module = out / "igbook.ko";
    result.ok = build.ok() && fs::exists(result.module);
    result.warnings = diagnostics(build.output, "warning");
    if (result.ok) return result;
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
