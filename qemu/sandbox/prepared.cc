// SPDX-License-Identifier: GPL-2.0
#include "prepared.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <regex>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "content.h"
#include "files.h"
#include "text.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;

namespace {

// Raise it when what is done to a guest before it is kept changes.
constexpr int kFormat = 1;

// By content: a time says nothing about what is in a file.
std::string file_line(const std::string& role, const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    return fmt::format("{} {} {}\n", role, error ? path.string() : real.string(), content_of(path));
}

std::string processor_lines() {
    std::ifstream file("/proc/cpuinfo");
    std::string text;
    for (std::string line; std::getline(file, line) && !line.empty();) {
        for (const char* field : {"model name", "flags", "microcode"})
            if (line.rfind(field, 0) == 0) text += line + "\n";
    }
    return text;
}

/// @return what a state was made of, empty when it cannot be read.
std::string description_in(const fs::path& state) try {
    return read_file(state / "description");
} catch (const std::runtime_error&) {
    return {};
}

bool kernel_is_gone(const fs::path& state) {
    constexpr std::string_view start = "kernel ";
    for (const auto& line : split_lines(description_in(state)))
        if (line.starts_with(start)) return !fs::exists(line.substr(start.size()));
    return true;
}

}  // namespace

std::string describe_guest(const std::vector<std::string>& argv, const KernelImage& kernel,
                           bool host_processor) {
    static const std::regex number("(fd=|fd/|local\\.str=)-?[0-9]+");
    std::string text = fmt::format("format {}\n", kFormat);
    for (const std::string& word : argv)
        text += "word " + std::regex_replace(word, number, "$1N") + "\n";
    std::error_code error;
    text += fmt::format("kernel {}\n", fs::canonical(kernel.directory, error).string());
    for (const char* name : {"complete", "release", "boot", "bzImage"})
        text += file_line(name, kernel.directory / name);
    text += file_line("qemu", argv.front());
    text += file_line("initramfs", checkout_root() / "build/guest/initramfs.cpio");
    return host_processor ? text + processor_lines() : text;
}

PreparedState::PreparedState(const fs::path& cache, std::string description)
    : description_(std::move(description)),
      // The number only names the directory: the description itself is compared.
      directory_(cache / "prepared" / fmt::format("{:016x}", content_hash(description_))),
      partial_(directory_.string() + ".partial") {}

std::optional<Descriptor> PreparedState::open() const {
    if (description_in(directory_) != description_) return std::nullopt;
    const fs::path path = directory_ / "state";
    Descriptor state(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!state.open()) return std::nullopt;
    utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // pruning goes by the last use
    return state;
}

void PreparedState::discard() const {
    std::error_code error;
    fs::remove_all(directory_, error);
}

Descriptor PreparedState::lock() const {
    const fs::path place = directory_.parent_path();
    std::error_code error;
    fs::create_directories(place, error);
    const fs::path path = place / "lock";
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file.open()) throw std::system_error(errno, std::generic_category(), path.string());
    while (flock(file.get(), LOCK_EX) != 0)
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), path.string());
    return file;
}

fs::path PreparedState::begin() const {
    fs::remove_all(partial_);
    fs::create_directories(partial_);
    write_file(partial_ / "description", description_);
    return partial_ / "state";
}

void PreparedState::commit() const {
    fs::remove_all(directory_);
    fs::rename(partial_, directory_);
    prune();
}

void PreparedState::abandon() const {
    std::error_code error;
    fs::remove_all(partial_, error);
}

void PreparedState::prune() const {
    struct Kept {
        fs::file_time_type used;
        fs::path path;
    };
    std::vector<Kept> kept;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory_.parent_path(), error)) {
        if (!entry.is_directory() || entry.path() == directory_) continue;
        // Who has the lock is alone: any other .partial was left by somebody who died.
        if (entry.path().extension() == ".partial" || kernel_is_gone(entry.path()))
            fs::remove_all(entry.path(), error);
        else
            kept.push_back({fs::last_write_time(entry.path() / "state", error), entry.path()});
    }
    std::sort(kept.begin(), kept.end(),
              [](const Kept& a, const Kept& b) { return a.used > b.used; });
    for (std::size_t i = kKept - 1; i < kept.size(); ++i) fs::remove_all(kept[i].path, error);
}

}  // namespace fwts::sandbox
