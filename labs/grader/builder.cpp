// SPDX-License-Identifier: GPL-2.0
#include "builder.h"

#include <fmt/format.h>

#include <algorithm>
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

BuildResult build_module(const fs::path& sources, const fs::path& kernel, const fs::path& out,
                         const Limits& limits) {
    if (!fs::exists(kernel / "build" / "Makefile"))
        throw std::runtime_error(
            fmt::format("{}: there is no kernel to build against; make it with: qemu/kernel/kernel "
                        "build strict",
                        kernel.string()));
    require_jail();
    write_file(sources / "Kbuild", kbuild_in(sources));
    const auto tree = fs::canonical(kernel);
    Room room{{tree}, sources, out};
    if (fs::exists(tree / "source")) room.readable.push_back(fs::canonical(tree / "source"));
    const auto build = run_in_jail(
        room,
        {"sh", "-c",
         // Nothing reads the debugging information, which is four fifths of the module.
         std::string("cp /submission/* . && ") +
             "make -s -C \"$1\" M=/work W=1 KCFLAGS=-g0 modules && " + "cp igbook.ko /out/",
         "build", (tree / "build").string()},
        limits);

    BuildResult result;
    result.module = out / "igbook.ko";
    result.ok = build.ok() && fs::exists(result.module);
    result.warnings = diagnostics(build.output, "warning");
    if (result.ok) return result;
    result.message = why_failed(build, limits);
    result.messages = diagnostics(build.output, "error");
    if (result.messages.empty()) result.messages = split(build.output.substr(0, 16384));
    return result;
}

}  // namespace fwts::grader
