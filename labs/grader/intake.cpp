// SPDX-License-Identifier: GPL-2.0
#include "intake.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>

#include "edit.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

  private:
    int fd_;
};

/// File names in the order of the alphabet, so that refusals read the same on every machine.
std::vector<std::string> names_in(const fs::path& dir) {
    std::unique_ptr<DIR, int (*)(DIR*)> handle(opendir(dir.c_str()), closedir);
    if (!handle)
        throw std::runtime_error(fmt::format("{}: the submission's directory cannot be read: {}",
                                             dir.string(), std::strerror(errno)));
    std::vector<std::string> names;
    while (const dirent* entry = readdir(handle.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && !is_clutter(name)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string why_unwelcome(const std::string& name, const IntakeRules& rules) {
    if (name == "Makefile" || name == "makefile" || name == "GNUmakefile" || name == "Kbuild")
        return "the lab is built with the grader's own rules; hand in sources only";
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
    });
    if (!plain || name.front() == '.' || name.front() == '-')
        return "use letters, digits, '_', '-' and '.' in file names";
    const bool allowed = std::any_of(rules.allow.begin(), rules.allow.end(),
                                     [&](const auto& pattern) { return matches(name, pattern); });
    if (!allowed) return fmt::format("only {} are part of this lab", fmt::join(rules.allow, ", "));
    return {};
}

/// Reads a regular file of limited size, or says why not.
std::string read_checked(int dir, const std::string& name, const IntakeRules& rules,
                         std::string& text) {
    const Descriptor file(
        openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0)
        return errno == ELOOP ? "it is a symbolic link; hand in the file itself"
                              : fmt::format("it cannot be read: {}", std::strerror(errno));
    struct stat status = {};
    if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return S_ISDIR(status.st_mode) ? "it is a directory; this lab has none"
                                       : "it is not a regular file";
    std::array<char, 16384> buffer{};
    for (;;) {
        const ssize_t got = read(file.get(), buffer.data(), buffer.size());
        if (got < 0) return fmt::format("it cannot be read: {}", std::strerror(errno));
        if (got == 0) return {};
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > rules.file_bytes)
            return fmt::format("it is larger than {} KiB", rules.file_bytes >> 10U);
    }
}

}  // namespace

bool is_clutter(const std::string& name) {
    static const std::vector<std::string> patterns{
        ".git",           ".gitignore",    ".DS_Store", "*~",    "*.swp",
        ".*.cmd",         "*.o",           "*.ko",      "*.mod", "*.mod.c",
        "Module.symvers", "modules.order", ".*.o.d"};
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(name, pattern); });
}

bool matches(const std::string& name, const std::string& pattern) {
    const auto star = pattern.find('*');
    if (star == std::string::npos) return name == pattern;
    if (name.compare(0, star, pattern, 0, star) != 0) return false;
    const std::string rest = pattern.substr(star + 1);
    for (std::size_t at = star; at <= name.size(); ++at)
        if (matches(name.substr(at), rest)) return true;
    return false;
}

Intake take_in(const fs::path& submission, const IntakeRules& rules, const fs::path& into) {
    Intake intake;
    const auto names = names_in(submission);
    const Descriptor dir(open(submission.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.get() < 0)
        throw std::runtime_error(fmt::format("{}: cannot be opened", submission.string()));
    if (names.empty()) intake.refused.emplace_back("the directory holds no files to grade");
    if (names.size() > rules.files) {
        intake.refused.push_back(
            fmt::format("{} files; at most {} are accepted", names.size(), rules.files));
        return intake;
    }

    std::map<std::string, std::string> texts;
    std::uint64_t total = 0;
    for (const auto& name : names) {
        std::string text;
        std::string why = read_checked(dir.get(), name, rules, text);
        const auto given = rules.handed_out.find(name);
        if (why.empty() && given != rules.handed_out.end() && given->second == text) continue;
        if (why.empty()) why = why_unwelcome(name, rules);
        if (!why.empty()) intake.refused.push_back(fmt::format("{}: {}", name, why));
        total += text.size();
        texts[name] = std::move(text);
    }
    if (total > rules.total_bytes)
        intake.refused.push_back(
            fmt::format("the files together are larger than {} KiB", rules.total_bytes >> 10U));
    if (!intake.ok()) return intake;
    for (const auto& [name, text] : texts) {
        write_file(into / name, text);
        intake.accepted.push_back(name);
    }
    return intake;
}

}  // namespace fwts::grader
