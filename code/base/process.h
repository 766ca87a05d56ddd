// SPDX-License-Identifier: GPL-2.0
// Starting programs. No shell is involved, and nothing is inherited by chance.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fwts {

using Environment = std::map<std::string, std::string>;

/// @return this process's own environment.
Environment environment();

/// What a child may use. Zero means "no limit of its own".
struct Limits {
    std::chrono::seconds wall{60};           ///< then its whole process group is killed
    std::chrono::seconds cpu{0};             ///< CPU time of each process; then it gets SIGXCPU
    std::chrono::seconds work{0};            ///< CPU time of all its processes; then the same
    std::uint64_t memory_bytes = 0;          ///< address space of each process
    std::uint64_t file_bytes = 0;            ///< size of any file it writes
    std::uint64_t output_bytes = 1U << 20U;  ///< what is caught of its output; then it is killed
};

/// A program to start. It gets a process group of its own, no descriptor but those named here, and
/// no signal ignored or held back. A descriptor of -1 stands for /dev/null.
struct Program {
    std::vector<std::string> argv;  ///< argv[0] is searched in the PATH of its environment
    Environment environment;        ///< the whole of it
    std::string directory;          ///< to start in; empty: this process's own
    int in = -1, out = -1, err = -1;
    std::vector<int> inherited;  ///< more descriptors, under the numbers they have here
    int death_signal = 0;        ///< sent to it when the thread that started it ends; 0: none
    Limits limits;               ///< of these, those of each process
};

/// What exec needs, made before the fork: after it, the child of a process with threads must not
/// allocate memory.
class Launch {
  public:
    /// @param program  it and its descriptors outlive this
    explicit Launch(const Program& program);
    Launch(const Launch&) = delete;
    Launch& operator=(const Launch&) = delete;

    /// In the child: becomes the program.
    /// @param parent  of the child, as seen before the fork
    /// @param report  gets errno when that fails; -1: the program's standard error gets a line
    [[noreturn]] void become(pid_t parent, int report = -1) const;

  private:
    const Program& program_;
    std::vector<std::string> environment_;
    std::vector<char*> argv_;
    std::vector<char*> envp_;
};

/// Starts a program. @throws std::system_error naming it when that cannot be done.
pid_t start(const Program& program);

/// Waits for the end of a child, whatever signals come meanwhile. @return its wait status.
int wait_for(pid_t child);

/// @param status  from waitpid().
/// @return exit status, or 128 + signal as a shell says it
int exit_status(int status);

/// How a child ended.
struct ProcessResult {
    int status = -1;               ///< exit status, or 128 + signal as a shell says it
    bool timed_out = false;        ///< killed for exceeding Limits::wall: a slow machine does that
    bool worked_too_long = false;  ///< killed for exceeding Limits::work
    bool too_loud = false;         ///< killed for exceeding Limits::output_bytes
    std::string output;            ///< what it wrote, as it came
    [[nodiscard]] bool ok() const {
        return status == 0 && !timed_out && !worked_too_long && !too_loud;
    }
};

/// Whether what a program writes to stderr is kept beside its output.
enum class Errors { kept, dropped };

/// Runs a program to its end and keeps its output. The child dies with this process and reads from
/// /dev/null.
/// @param environment  the child's whole environment.
/// @throws std::system_error when no process can be made; a missing program is status 127.
ProcessResult run_process(const std::vector<std::string>& argv, const Limits& limits,
                          const Environment& environment, Errors errors = Errors::kept);

/// In a child that stays what it is, to stand by: a session of its own, where the terminal's Ctrl-C
/// does not reach, deaf to requests to end, /dev/null for input and output.
/// @param keep  descriptors that stay open, sorted. All calls are async-signal-safe.
void stand_aside(const std::vector<int>& keep);

}  // namespace fwts
