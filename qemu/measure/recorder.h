// SPDX-License-Identifier: GPL-2.0
// Has QEMU log every instruction of the guest's kernel, and reads that while it is written: it is
// more than a disk should have to keep.
#pragma once

#include <atomic>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "descriptor.h"
#include "instruction_log.h"
#include "qmp.h"
#include "scratch.h"

namespace fwts::measure {

/// For QEMU's command line: only the kernel and its modules are logged. Programs are not, and of
/// them the one that uses up the processor would be most of the log.
std::vector<std::string> recordable();

class Recorder {
  public:
    /// From now on the guest executes instruction by instruction, and what it executes is read.
    /// @param mark  as InstructionLog has it. @throws SetupError when QEMU cannot.
    Recorder(sandbox::Qmp& qmp, std::uint64_t mark);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// Stops logging. @return the windows. @throws SetupError for a log that cannot be read.
    std::vector<Counts> finish();

  private:
    void read_all();
    void one_by_one(bool on);

    sandbox::Qmp& qmp_;
    Scratch scratch_{"profile"};
    Descriptor pipe_;
    InstructionLog log_;
    std::exception_ptr error_;
    std::atomic<bool> finished_ = false, abandoned_ = false;
    std::thread reader_;
};

}  // namespace fwts::measure
