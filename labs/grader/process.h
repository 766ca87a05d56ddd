// SPDX-License-Identifier: GPL-2.0
// One child process with limits, its output caught. No shell is involved.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fwts::grader {

/// What a child may use. Zero means "no limit of its own".
struct Limits {
    std::chrono::seconds wall{60};           ///< then its whole process group is killed
    std::chrono::seconds cpu{0};             ///< CPU time of each process
    std::chrono::seconds work{0};            ///< CPU time of all its processes; then the same
    std::uint64_t memory_bytes = 0;          ///< address space of each process
    std::uint64_t file_bytes = 0;            ///< size of any file it writes
    std::uint64_t output_bytes = 1U << 20U;  ///< stdout and stderr together; then it is killed
};

/// How a child ended.
struct ProcessResult {
    int status = -1;               ///< exit status, or 128 + signal as a shell says it
    bool timed_out = false;        ///< killed for exceeding Limits::wall: a slow machine does that
    bool worked_too_long = false;  ///< killed for exceeding Limits::work
    bool too_loud = false;         ///< killed for exceeding Limits::output_bytes
    std::string output;            ///< stdout and stderr as they came
    bool ok() const { return status == 0 && !timed_out && !worked_too_long && !too_loud; }
};

/// Runs a program to its end. The child dies with this process, reads from /dev/null and inherits
/// no other descriptor.
/// @param argv         program (searched in PATH) and arguments.
/// @param environment  the child's whole environment.
/// @throws std::system_error when no process can be made; a missing program is status 127.
ProcessResult run_process(const std::vector<std::string>& argv, const Limits& limits,
                          const std::map<std::string, std::string>& environment);

/// What exec wants: pointers to the strings, and nullptr. Good as long as the strings are.
std::vector<char*> pointers(std::vector<std::string>& strings);

/// The child's part between fork and exec, by async-signal-safe calls only: a process group of its
/// own, /dev/null to read from, `output` for stdout and stderr, nothing else inherited, no signal
/// held back. Ends the child with status 126 when that cannot be had.
/// @param death_signal  it gets when the parent dies
/// @param parent        as seen before the fork
void settle_child(int output, int death_signal, int parent);

/// @param status  from waitpid().
/// @return exit status, or 128 + signal as a shell says it
int exit_status(int status);

}  // namespace fwts::grader
