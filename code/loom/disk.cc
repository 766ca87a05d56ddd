// SPDX-License-Identifier: GPL-2.0
#include "disk.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "error.h"
#include "files.h"

namespace fwts::loom {

namespace fs = std::filesystem;

std::optional<std::string> RealDisk::read(const std::string& path) try {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return std::nullopt;
    return read_file(path);
} catch (const std::runtime_error&) {
    throw Failure({path, 0, "cannot be read", "check its permissions"});
}

void RealDisk::write(const std::string& path, const std::string& text) try {
    replace_file(path, text);
} catch (const std::runtime_error&) {
    throw Failure({path, 0, "cannot be written",
                   "check that its directory is writable, the disk has room and no directory has "
                   "this name"});
}

void RealDisk::remove(const std::string& path) {
    std::error_code error;
    fs::remove(path, error);
    if (error)
        throw Failure({path, 0, "cannot be removed: " + error.message(), "remove it by hand"});
}

void RealDisk::remove_empty_directory(const std::string& path) {
    std::error_code error;
    if (fs::is_directory(path, error) && fs::is_empty(path, error)) fs::remove(path, error);
}

std::vector<std::string> RealDisk::list(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::optional<std::string> MemoryDisk::read(const std::string& path) {
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
}

void MemoryDisk::write(const std::string& path, const std::string& text) {
    files[path] = text;
    ++writes;
}

void MemoryDisk::remove(const std::string& path) {
    files.erase(path);
}

void MemoryDisk::remove_empty_directory(const std::string& /*path*/) {}

std::vector<std::string> MemoryDisk::list(const std::string& directory) {
    std::vector<std::string> names;
    const std::string prefix = directory + "/";
    for (auto file = files.lower_bound(prefix);
         file != files.end() && file->first.starts_with(prefix); ++file) {
        const std::string rest = file->first.substr(prefix.size());
        const std::string name = rest.substr(0, rest.find('/'));
        if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
}

}  // namespace fwts::loom
