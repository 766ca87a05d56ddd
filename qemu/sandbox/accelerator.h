// SPDX-License-Identifier: GPL-2.0
// Which accelerator QEMU is to use on this machine, and why.
//
// /dev/kvm may exist and open, and a guest still fails as soon as a kernel runs. So KVM is used
// only where the processor has it, the device opens, and a guest has booted under it. The result is
// kept in the cache directory until the machine reboots or QEMU changes.
#pragma once

#include <string>
#include <vector>

namespace fwts::sandbox {

struct Accelerator {
    bool kvm = false;
    std::string reason;  ///< a sentence for people

    /// @return the arguments for QEMU. @param icount  count instructions (TCG only)
    /// @param cpus  how many processors the guest has: under TCG, several share one thread
    [[nodiscard]] std::vector<std::string> arguments(bool icount, int cpus) const;
};

/// @param wish  "auto", "kvm" or "tcg". @param icount  forces TCG.
/// @throws SetupError if the wish is unknown or KVM was asked for and does not work.
Accelerator choose_accelerator(const std::string& wish, bool icount = false);

/// @return what the result kept in the cache holds for: one boot of the machine and one QEMU.
std::string accelerator_key();

/// @return the path of qemu-system-x86_64. @throws SetupError if there is none.
std::string find_qemu();

}  // namespace fwts::sandbox
