// SPDX-License-Identifier: GPL-2.0
// Whole files, read and written at once.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace fwts {

/// @return the whole file. @throws std::runtime_error that names it and says why.
std::string read_file(const std::filesystem::path& path);

/// Writes a whole file, making its directory. @throws std::runtime_error that names it.
void write_file(const std::filesystem::path& path, std::string_view text);

/// The same, but whoever reads meanwhile sees the old file or the new one, also after a crash.
void replace_file(const std::filesystem::path& path, std::string_view text);

/// @return the first line of a file, empty when it cannot be read: for the kernel's files.
std::string first_line(const std::filesystem::path& path);

}  // namespace fwts
