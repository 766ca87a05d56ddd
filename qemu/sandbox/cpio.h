// SPDX-License-Identifier: GPL-2.0
// Archives the kernel unpacks at boot (cpio, format "newc").
//
// The kernel accepts several archives behind one another; we add ours to the guest's. The same
// calls give the same bytes: inodes are counted, times are 0, owner is root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace fwts::sandbox {

class CpioWriter {
  public:
    /// Paths are relative to the guest's root, without a leading '/'. Modes are permissions only.
    void add_file(const std::string& path, std::string_view content, unsigned mode = 0644);
    void add_directory(const std::string& path, unsigned mode = 0755);
    void add_symlink(const std::string& path, const std::string& target);

    /// Adds everything below @p directory, sorted. Symlinks that leave it (modules/…/build) are
    /// left out: they name places of the host.
    void add_tree(const std::filesystem::path& directory, const std::string& prefix = "");

    /// @return the archive, ended and padded so that another may follow.
    [[nodiscard]] std::string finish() const;

  private:
    void add(const std::string& path, std::string_view content, unsigned mode);

    std::string bytes_;
    std::uint32_t inode_ = 0;
};

/// @return the paths in @p archive (uncompressed newc), without a leading "/" or "./".
/// @throws SetupError if it is no such archive.
std::set<std::string> cpio_paths(std::string_view archive);

}  // namespace fwts::sandbox
