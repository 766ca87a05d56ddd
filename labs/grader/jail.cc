// SPDX-License-Identifier: GPL-2.0
#include "jail.h"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

const std::map<std::string, std::string>& environment() {
    static const std::map<std::string, std::string> fixed{
        {"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}, {"HOME", "/nonexistent"}};
    return fixed;
}

void append(std::vector<std::string>& argv, std::initializer_list<std::string> more) {
    argv.insert(argv.end(), more);
}

/// /bin, /lib and so on are links into /usr on a merged system; repeat whatever the host has.
void append_tools(std::vector<std::string>& argv) {
    // Perl's own modules: with W=1 the kernel's rules run scripts/kernel-doc.
    for (const char* dir : {"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec",
                            "/usr/share/perl", "/usr/share/perl5"})
        if (fs::is_directory(dir)) append(argv, {"--ro-bind", dir, dir});
    for (const char* dir : {"/bin", "/sbin", "/lib", "/lib64"})
        if (fs::is_symlink(dir))
            append(argv, {"--symlink", fs::read_symlink(dir).string(), dir});
        else if (fs::is_directory(dir))
            append(argv, {"--ro-bind", dir, dir});
    if (fs::is_directory("/etc/alternatives"))
        append(argv, {"--ro-bind", "/etc/alternatives", "/etc/alternatives"});
}

}  // namespace

Limits build_limits() {
    Limits limits;
    limits.wall = std::chrono::minutes(20);
    limits.work = std::chrono::seconds(120);
    limits.cpu = std::chrono::seconds(60);
    limits.memory_bytes = std::uint64_t{2} << 30U;
    limits.file_bytes = std::uint64_t{64} << 20U;
    limits.output_bytes = std::uint64_t{1} << 20U;
    return limits;
}

std::vector<std::string> jail_command(const Room& room, const std::vector<std::string>& argv) {
    std::vector<std::string> command{"bwrap"};
    append(command, {"--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
                     "--hostname", "grader"});
    append_tools(command);
    // No /proc: it would tell a compiler, and so a student, where things are on the host.
    // Of /dev no more than a build needs: a text may name any of it, and who reads a terminal
    // waits.
    append(command,
           {"--dev-bind", "/dev/null", "/dev/null", "--size", std::to_string(64U << 20U), "--tmpfs",
            "/tmp", "--size", std::to_string(room.scratch_bytes), "--tmpfs", "/room"});
    for (const auto& dir : room.readable)
        append(command, {"--ro-bind", dir.string(), dir.string()});
    if (!room.sources.empty()) append(command, {"--ro-bind", room.sources.string(), "/submission"});
    if (!room.base.empty()) append(command, {"--ro-bind", room.base.string(), "/base"});
    if (!room.out.empty()) append(command, {"--bind", room.out.string(), "/out"});
    append(command, {"--chdir", "/room", "--"});
    command.insert(command.end(), argv.begin(), argv.end());
    return command;
}

ProcessResult run_in_jail(const Room& room, const std::vector<std::string>& argv,
                          const Limits& limits) {
    return run_process(jail_command(room, argv), limits, environment());
}

void require_jail() {
    const auto result = run_in_jail(Room{}, {"true"}, build_limits());
    if (result.ok()) return;
    const std::string why = result.status == 127 ? "bwrap: program not found" : result.output;
    throw std::runtime_error(fmt::format(
        "bubblewrap cannot make a closed room on this machine, so nothing was built: {}\n"
        "Install the package bubblewrap; if it is there, allow user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu "
        "kernel.apparmor_restrict_unprivileged_userns=0).",
        why));
}

}  // namespace fwts::grader
