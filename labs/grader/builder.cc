// SPDX-License-Identifier: GPL-2.0
#include "builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "files.h"
#include "imports.h"
#include "jail.h"
#include "text.h"
#include "visible.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

// What gcc says can be as long as its source, once for each line of another one.
constexpr std::size_t longest_line = 400;
constexpr std::size_t most_messages = 100;

/// The beginning of a line that is too long, in whole characters.
std::string cut(std::string line) {
    if (line.size() <= longest_line) return line;
    auto end = longest_line;
    while (end > longest_line - 4 && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80) --end;
    return line.substr(0, end) + " …";
}

std::vector<std::string> lines_for_the_student(const std::string& text) {
    auto lines = split_lines(text);
    std::transform(lines.begin(), lines.end(), lines.begin(), cut);
    const std::string room = "/room/";
    for (auto& line : lines)
        for (auto at = line.find(room); at != std::string::npos; at = line.find(room))
            line.erase(at, room.size());
    return lines;
}

bool starts_diagnostic(const std::string& line) {
    if (line.starts_with("make")) return false;  // make's own words: "make[2]: warning: ..."
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

/// The line of our own copy of the sources that a message speaks of, as gcc would quote it; empty
/// when it speaks of another file.
std::string quoted(const std::string& message, const fs::path& sources) {
    static const std::regex place("^([a-z][a-z0-9_]{0,60}\\.[ch]):([0-9]{1,7}):");
    std::smatch match;
    const auto head = message.substr(0, 80);
    if (!std::regex_search(head, match, place)) return {};
    std::ifstream in(sources / match[1].str());
    const auto wanted = std::stoi(match[2]);
    std::string line;
    for (int number = 0; number < wanted; ++number)
        if (!std::getline(in, line)) return {};
    return fmt::format("{:>5} | {}", wanted, cut(line));
}

/// Which limit of ours stopped the build; empty when none did.
std::string why_stopped(const ProcessResult& build, const Limits& limits) {
    if (build.timed_out)
        throw std::runtime_error(fmt::format(
            "this machine is too busy: a build that may use {} s of processor had not got "
            "that after {} s",
            limits.work.count(), limits.wall.count()));
    if (build.worked_too_long)
        return fmt::format("the build used more than {} s of processor and was stopped",
                           limits.work.count());
    if (build.too_loud)
        return fmt::format("the build printed more than {} KiB and was stopped",
                           limits.output_bytes >> 10U);
    return {};
}

/// What gcc, make and the shell say of a program that the machine killed or could not start. A
/// process that reaches a limit of ours dies of another signal, or has words of its own.
bool is_the_machines(const std::string& line) {
    static const std::regex words(
        "gcc: fatal error: (Killed|Terminated) signal terminated program [a-z0-9]+"
        "|make(\\[[0-9]+\\])?: \\*\\*\\* \\[.*\\] (Killed|Terminated)"
        "|(gcc|make(\\[[0-9]+\\])?): .*: (Resource temporarily unavailable|Cannot allocate memory)"
        "|(/bin/)?sh: .*Cannot fork");
    return line.size() < 400 && std::regex_match(line, words);
}

/// What the compiler, the assembler or the linker says of the text it was given.
bool is_the_sources(const std::string& line) {
    if (is_the_machines(line)) return false;
    static const std::regex words(
        ": internal compiler error: |out of memory|emory exhausted|^([a-z0-9_/.-]*/)?ld: ");
    return starts_diagnostic(line) || std::regex_search(line.substr(0, 400), words);
}

/// What a build said at last.
std::string last_of(const std::string& output) {
    constexpr std::size_t enough = 600;
    return output.size() > enough ? output.substr(output.size() - enough) : output;
}

/// Throws when it was no fault of the sources that the build failed. Whoever names a file with a
/// line's end in it (#line) can have gcc say anything, but then gcc says it of the sources.
void require_own_fault(int status, const std::string& output) {
    const auto lines = split_lines(output);
    if (std::any_of(lines.begin(), lines.end(), [](const auto& line) {
            return is_the_sources(line) && !is_kind(line, "warning");
        }))
        return;
    const auto told = std::find_if(lines.begin(), lines.end(), is_the_machines);
    if (told != lines.end() || status > 128)
        throw std::runtime_error(fmt::format(
            "this machine ended a program of the build, for want of memory or processes: {}",
            told != lines.end() ? *told : fmt::format("status {}", status)));
}

/// A file that every source is compiled behind. The assertions of lockdep look at debug_locks,
/// which no submission's module gets to see (imports.txt); without that look they say the same,
/// since a lockdep that is off answers "unknown". Nobody turns it off for a task, nor KASAN, and
/// KASAN sees every access of every function: the kernel's words for one that it is not to see
/// stand for nothing, the compiler's are refused.
constexpr const char* forced_name = "fwts_forced.h";
constexpr const char* forced_header = R"(/* SPDX-License-Identifier: GPL-2.0 */
#undef __no_sanitize_address
#define __no_sanitize_address
#undef __no_sanitize_undefined
#define __no_sanitize_undefined
#include <linux/lockdep.h>
#include <linux/sched.h>
#undef lockdep_assert
#define lockdep_assert(cond) do { WARN_ON(!(cond)); } while (0)
#undef lockdep_assert_once
#define lockdep_assert_once(cond) do { WARN_ON_ONCE(!(cond)); } while (0)
#undef __lockdep_enabled
#define __lockdep_enabled true
void __attribute__((error("not to be used in a submission"))) fwts_refused(void);
#undef lockdep_off
#define lockdep_off() fwts_refused()
#undef lockdep_on
#define lockdep_on() fwts_refused()
#undef lockdep_recursing
#undef lockdep_depth
#pragma GCC poison lockdep_recursion lockdep_depth curr_chain_key held_locks
#pragma GCC poison kasan_depth in_ubsan
#pragma GCC poison no_sanitize __no_sanitize__ no_sanitize_address __no_sanitize_address__
#pragma GCC poison no_sanitize_undefined __no_sanitize_undefined__
#pragma GCC poison no_address_safety_analysis __no_address_safety_analysis__
)";

/// The room with all that a build needs, the files that are ours written.
Room room_for(const fs::path& sources, const fs::path& kernel, const fs::path& objects,
              const fs::path& out) {
    require_kernel(kernel);
    require_jail();
    write_file(sources / "Kbuild", build_rules());
    write_file(sources / forced_name, forced_header);
    const auto tree = fs::canonical(kernel);
    Room room{{tree}, sources, out, objects};
    if (fs::exists(tree / "source")) room.readable.push_back(fs::canonical(tree / "source"));
    return room;
}

/// Runs a shell script in which make_it compiles what lies in /room. The script's words are
/// `words`.
ProcessResult run_script(const Room& room, const fs::path& kernel, const Limits& limits,
                         const std::string& script, const std::vector<std::string>& words = {}) {
    // Nothing reads the debugging information, which is four fifths of the module. gcc quotes the
    // file that #line names, whatever that is: quoted() does it from our own copy.
    // From 4.4 on, make's processes share a pipe with a name. Whoever includes it waits for ever,
    // so nobody is to know the name.
    const std::string make_it = fmt::format(
        "MAKE_TMPDIR=$(mktemp -d) || exit; export MAKE_TMPDIR\n"
        "tree=$1; shift; flags='-g0 -fno-diagnostics-show-caret -include /room/{}'\n"
        "make_it() {{ make -s -j2 -C \"$tree\" M=/room W=1 KCFLAGS=\"$flags\" modules; }}\n",
        forced_name);
    std::vector<std::string> argv{"sh", "-c", make_it + script, "build",
                                  (fs::canonical(kernel) / "build").string()};
    argv.insert(argv.end(), words.begin(), words.end());
    return run_in_jail(room, argv, limits);
}

/// The sources that build_rules() compiles.
std::vector<std::string> c_files_in(const fs::path& dir) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir)) {
        const auto name = entry.path().filename().string();
        if (name.ends_with(".c") && name != "igbook.mod.c") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool same_file(const fs::path& one, const fs::path& other) {
    return fs::exists(one) && fs::exists(other) && read_file(one) == read_file(other);
}

/// The files beside it that an object was made of, out of Kbuild's record of it.
std::vector<std::string> made_of(const fs::path& record) {
    const std::string room = "/room/";
    std::vector<std::string> names;
    std::istringstream in(read_file(record));
    for (std::string word; in >> word;)
        if (word.starts_with(room) && (word.ends_with(".c") || word.ends_with(".h")))
            names.push_back(word.substr(room.size()));
    return names;
}

/// What make made of the same text before need not be made again. Times of files say nothing here:
/// a clock may have been wrong. What is not kept is not there, and so make makes it.
/// @return names of sources without their ".c"
std::vector<std::string> kept(const fs::path& sources, const fs::path& objects) {
    std::vector<std::string> names;
    if (objects.empty()) return names;
    // A new header may stand where another one was found, or none was.
    for (const auto& entry : fs::directory_iterator(sources))
        if (entry.path().extension() == ".h" && !fs::exists(objects / entry.path().filename()))
            return names;
    for (const auto& file : c_files_in(sources)) {
        const auto name = file.substr(0, file.size() - 2);
        const auto record = objects / ("." + name + ".o.cmd");
        if (!fs::exists(objects / (name + ".o")) || !fs::exists(record)) continue;
        const auto parts = made_of(record);
        const bool whole = std::find(parts.begin(), parts.end(), file) != parts.end();
        if (whole && std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
                return same_file(sources / part, objects / part);
            }))
            names.push_back(name);
    }
    return names;
}

/// How the script of a build ended, in its own words.
struct ScriptEnd {
    int status = 0;                    ///< of make and nm
    std::chrono::milliseconds cpu{0};  ///< of all that they started
};

/// Reads a status, and what `times` says of the shell and its children: "1m2.3s 0m0.4s" each.
std::optional<ScriptEnd> script_end(const fs::path& file) {
    std::ifstream in(file);
    ScriptEnd end;
    double seconds = 0;
    in >> end.status;
    for (int i = 0; i < 4; ++i) {
        double minutes = 0;
        double rest = 0;
        char unit = 0;
        in >> minutes >> unit >> rest >> unit;
        if (!in || unit != 's') return {};
        if (i >= 2) seconds += minutes * 60 + rest;
    }
    end.cpu = std::chrono::milliseconds(static_cast<long>(seconds * 1000));
    return end;
}

}  // namespace

std::string build_rules() {
    return "# SPDX-License-Identifier: GPL-2.0\n"
           "# Every C file here is part of the module, for you and for the grader.\n"
           "obj-m := igbook.o\n"
           "sources := $(filter-out igbook.mod.c,$(notdir $(wildcard $(src)/*.c)))\n"
           "igbook-y := $(patsubst %.c,%.o,$(sort $(sources)))\n";
}

std::vector<std::string> diagnostics(const std::string& output, const std::string& kind,
                                     const fs::path& sources) {
    std::vector<std::string> found;
    std::size_t messages = 0;
    for (auto& line : lines_for_the_student(output)) {
        if (!starts_diagnostic(line) || !is_kind(line, kind)) continue;
        if (++messages > most_messages) continue;
        const auto quote = quoted(line, sources);
        found.push_back(std::move(line));
        if (!quote.empty()) found.push_back(quote);
    }
    if (messages > most_messages)
        found.push_back(fmt::format("and {} more", messages - most_messages));
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
    // Objects come after the sources and so are newer, for make; somebody else may have cleaned up
    // there meanwhile. What cannot be copied in or out is no fault of the sources': then the script
    // leaves without a word.
    const auto build =
        run_script(room, kernel, limits,
                   "cp /submission/* . || exit\n"
                   "for name; do\n"
                   "    o=\"$name.o .$name.o.cmd\"\n"
                   "    (cd /base && cp $o /room/) || rm -f $o\n"
                   "done\n"
                   "make_it && nm -u igbook.ko > imports &&\n"
                   "    nm --defined-only igbook.ko > definitions\n"
                   "status=$?\n"
                   "[ $status -ne 0 ] || cp igbook.ko imports definitions /out/ || exit\n"
                   "{ echo $status && times; } > /out/ended",
                   kept(sources, objects));
    BuildResult result;
    result.message = why_stopped(build, limits);
    const auto end = script_end(out / "ended");
    if (result.message.empty()) {
        if (!end)
            throw std::runtime_error(fmt::format("the build did not come to its end: {}",
                                                 visible(last_of(build.output))));
        result.ok = end->status == 0;
    }
    if (end) result.cpu = end->cpu;
    result.module = out / "igbook.ko";
    result.warnings = diagnostics(build.output, "warning", sources);
    if (result.ok) {
        result.imports = imports_in(read_file(out / "imports"));
        result.usurped =
            usurped(read_file(out / "definitions"), read_file(kernel / "build" / "Module.symvers"));
        return result;
    }
    if (result.message.empty()) {
        require_own_fault(end->status, build.output);
        result.message = "it does not compile";
    }
    result.messages = diagnostics(build.output, "error", sources);
    if (result.messages.empty())
        result.messages = lines_for_the_student(build.output.substr(0, 16384));
    return result;
}

bool build_objects(const fs::path& sources, const fs::path& kernel, const fs::path& out) {
    const auto room = room_for(sources, kernel, {}, out);
    return run_script(room, kernel, build_limits(),
                      "cp /submission/* . && make_it && rm igbook.ko && cp -a . /out/")
        .ok();
}

}  // namespace fwts::grader
