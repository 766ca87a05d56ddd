// SPDX-License-Identifier: GPL-2.0
// Prepared guests: what a machine looked like just after its boot, kept in the cache.
//
// A boot of the strict kernel costs tens of seconds, loading its result costs one. Every state has
// a description of all that went into it; another description is another guest. It knows nothing of
// QEMU's protocols: guest.cc fills the files and reads them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "boot_image.h"
#include "descriptor.h"

namespace fwts::sandbox {

/// @return everything a prepared guest depends on, a line each: QEMU's words without the numbers of
/// descriptors, the files they name and those the initrd is made of (path, size, time).
/// @param argv  QEMU's command line; argv[0] is its path
/// @param host_processor  the guest sees the host's processor (KVM)
std::string describe_guest(const std::vector<std::string>& argv, const KernelImage& kernel,
                           bool host_processor);

/// One state in the cache, there or not.
class PreparedState {
  public:
    /// @param cache  the cache's directory  @param description  of describe_guest()
    PreparedState(const std::filesystem::path& cache, std::string description);

    /// @return the state, open for reading, or nothing if there is none of this description.
    [[nodiscard]] std::optional<Descriptor> open() const;

    /// Removes a state that turned out to be of no use.
    void discard() const;

    /// Waits until nobody else prepares a guest. Let go of it by closing; the kernel does so for a
    /// process that dies. @throws std::system_error if the cache cannot be written.
    [[nodiscard]] Descriptor lock() const;

    /// Makes an empty directory for a new state, instead of what died half way. Needs lock().
    /// @return the file that the state belongs into.
    [[nodiscard]] std::filesystem::path begin() const;

    /// The file is whole: puts it in place, and removes states whose kernel is gone and all but the
    /// newest few. Needs lock().
    void commit() const;

    /// Gives up what begin() began. Needs lock().
    void abandon() const;

    [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

    /// So many states are kept.
    static constexpr std::size_t kKept = 16;

  private:
    void prune() const;

    std::string description_;
    std::filesystem::path directory_;
    std::filesystem::path partial_;
};

}  // namespace fwts::sandbox
