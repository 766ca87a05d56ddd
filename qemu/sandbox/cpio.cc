// SPDX-License-Identifier: GPL-2.0
#include "cpio.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "failure.h"
#include "files.h"

namespace fwts::sandbox {

namespace {

constexpr std::size_t kHeader = 110;
constexpr std::string_view kMagic = "070701";
constexpr std::string_view kTrailer = "TRAILER!!!";

void pad(std::string& bytes) {
    bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
}

std::string entry(std::uint32_t inode, unsigned mode, std::string_view path,
                  std::string_view content) {
    std::string bytes = fmt::format(
        "{}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}", kMagic,
        inode, mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, path.size() + 1, 0);
    bytes += path;
    bytes += '\0';
    pad(bytes);
    bytes += content;
    pad(bytes);
    return bytes;
}

std::size_t hex_field(std::string_view header, int field) {
    std::size_t value = 0;
    const std::string_view digits = header.substr(kMagic.size() + 8 * std::size_t(field), 8);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + digits.size())
        throw SetupError("initramfs: a header with a field that is no number");
    return value;
}

}  // namespace

void CpioWriter::add(const std::string& path, std::string_view content, unsigned mode) {
    bytes_ += entry(++inode_, mode, path, content);
}

void CpioWriter::add_file(const std::string& path, std::string_view content, unsigned mode) {
    add(path, content, S_IFREG | mode);
}

void CpioWriter::add_directory(const std::string& path, unsigned mode) {
    add(path, {}, S_IFDIR | mode);
}

void CpioWriter::add_symlink(const std::string& path, const std::string& target) {
    add(path, target, S_IFLNK | 0777);
}

void CpioWriter::add_tree(const std::filesystem::path& directory, const std::string& prefix) {
    std::vector<std::filesystem::path> found;
    for (const auto& each : std::filesystem::recursive_directory_iterator(directory))
        found.push_back(each.path());
    std::sort(found.begin(), found.end());
    for (const auto& path : found) {
        const std::string name = prefix + path.lexically_relative(directory).string();
        const auto status = std::filesystem::symlink_status(path);
        const auto mode = static_cast<unsigned>(status.permissions()) & 0777;
        if (std::filesystem::is_directory(status)) {
            add_directory(name);
        } else if (std::filesystem::is_regular_file(status)) {
            add_file(name, read_file(path), mode);
        } else if (std::filesystem::is_symlink(status)) {
            const auto target = std::filesystem::read_symlink(path);
            if (target.is_relative()) add_symlink(name, target.string());
        }
    }
}

std::string CpioWriter::finish() const {
    return bytes_ + entry(0, 0, kTrailer, {});
}

std::set<std::string> cpio_paths(std::string_view archive) {
    std::set<std::string> paths;
    std::size_t at = 0;
    while (at + kHeader <= archive.size()) {
        const std::string_view header = archive.substr(at, kHeader);
        if (header.substr(0, 5) != kMagic.substr(0, 5))
            throw SetupError("initramfs: no newc archive (is it compressed?)");
        const std::size_t size = hex_field(header, 6);
        const std::size_t name_size = hex_field(header, 11);
        const std::size_t data = (at + kHeader + name_size + 3) / 4 * 4;
        if (name_size == 0 || data + size > archive.size())
            throw SetupError("initramfs: the archive is cut off");
        std::string_view name = archive.substr(at + kHeader, name_size - 1);
        if (name == kTrailer) break;
        name.remove_prefix(name.substr(0, 2) == "./" ? 2 : 0);
        name.remove_prefix(name.substr(0, 1) == "/" ? 1 : 0);
        paths.emplace(name);
        at = (data + size + 3) / 4 * 4;
    }
    return paths;
}

}  // namespace fwts::sandbox
