// SPDX-License-Identifier: GPL-2.0
// One QEMU that cannot outlive the process that started it.
//
// Between the caller and QEMU stands a keeper: a forked process with one thread. PR_SET_PDEATHSIG
// fires when the *thread* that forked ends, so a caller with threads cannot use it; the keeper can.
// The keeper notices the caller's end by a pipe, whatever ended it (SIGKILL too), kills QEMU,
// removes the files it was told of and ends. If the keeper is killed, the kernel kills QEMU.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "descriptor.h"

namespace fwts::sandbox {

class QemuProcess {
  public:
    struct Plan {
        std::vector<std::string> argv;              ///< argv[0] is the path of the program
        std::vector<int> inherited;                 ///< descriptors QEMU may use
        std::vector<std::filesystem::path> remove;  ///< files to remove in the end
        std::uint64_t longest_file = 0;             ///< it may write; 0: any
    };

    /// Starts it. @throws std::system_error when there are no more processes.
    explicit QemuProcess(const Plan& plan);

    /// Kills what still runs and waits until nothing is left.
    ~QemuProcess();
    QemuProcess(const QemuProcess&) = delete;
    QemuProcess& operator=(const QemuProcess&) = delete;

    /// Readable as soon as QEMU has ended.
    [[nodiscard]] int end_descriptor() const { return status_.get(); }

    /// @return the wait status of QEMU. Call when end_descriptor() is readable.
    std::optional<int> take_status();

    /// @return what QEMU wrote to standard output and error so far.
    [[nodiscard]] std::string output() const;

    /// Kills QEMU and waits for the keeper.
    void kill();

  private:
    Descriptor life_;    // closing it is the order to end
    Descriptor status_;  // the keeper writes QEMU's wait status here
    Descriptor output_;  // memory file
    pid_t keeper_ = -1;
};

}  // namespace fwts::sandbox
