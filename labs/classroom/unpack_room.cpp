// SPDX-License-Identifier: GPL-2.0
// The half of unpacking that runs in the closed room.
#include <fmt/format.h>
#include <sys/stat.h>
#include <zip.h>

#include <array>
#include <memory>
#include <sstream>

#include "process.h"
#include "unpack.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

/// Counts what was taken, and says when it is enough.
class Budget {
  public:
    explicit Budget(const UnpackLimits& limits) : limits_(limits) {}
    /// @return why these bytes are too many, or nothing.
    std::string take(const std::string& name, std::uint64_t bytes) {
        if (bytes > limits_.file_bytes)
            return fmt::format("{}: it is larger than {} KiB", name, limits_.file_bytes >> 10U);
        total_ += bytes;
        if (total_ > limits_.total_bytes)
            return fmt::format("the files together are larger than {} KiB",
                               limits_.total_bytes >> 10U);
        return {};
    }

  private:
    const UnpackLimits& limits_;
    std::uint64_t total_ = 0;
};

using Zip = std::unique_ptr<zip_t, void (*)(zip_t*)>;
using ZipFile = std::unique_ptr<zip_file_t, int (*)(zip_file_t*)>;

/// What Unix calls the file's type, or 0 when the archive does not say.
unsigned type_of(zip_t* zip, zip_uint64_t index) {
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    if (zip_file_get_external_attributes(zip, index, 0, &system, &attributes) != 0) return 0;
    return system == ZIP_OPSYS_UNIX ? (attributes >> 16U) & S_IFMT : 0;
}

/// Reads no more than the limit, whatever size the archive states.
std::string read_entry(zip_t* zip, zip_uint64_t index, std::uint64_t limit, bool& readable) {
    const ZipFile file(zip_fopen_index(zip, index, 0), zip_fclose);
    std::string text;
    readable = file != nullptr;
    std::array<char, 16384> buffer{};
    while (readable && text.size() <= limit) {
        const auto got = zip_fread(file.get(), buffer.data(), buffer.size());
        readable = got >= 0;
        if (got <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
}

/// @return why the entry is refused; empty when it was taken or passed over.
std::string take_entry(zip_t* zip, zip_uint64_t index, const std::string& part,
                       const UnpackLimits& limits, Budget& budget, Unpacked& found) {
    const char* raw = zip_get_name(zip, index, 0);
    if (raw == nullptr) return "an entry without a name";
    const std::string name = raw;
    const auto judged = judge_path(name, part);
    if (judged.skip || !judged.why.empty()) return judged.why;
    const unsigned type = type_of(zip, index);
    if (name.ends_with('/') || type == S_IFDIR) return {};
    if (type == S_IFLNK)
        return fmt::format("{}: it is a symbolic link; hand in the file itself", name);
    if (type != 0 && type != S_IFREG) return fmt::format("{}: it is not a regular file", name);
    bool readable = false;
    std::string text = read_entry(zip, index, limits.file_bytes, readable);
    if (!readable)
        return fmt::format("{}: it cannot be unpacked (damaged, or with a password)", name);
    std::string why = budget.take(name, text.size());
    if (why.empty()) found.files.push_back({judged.path, std::move(text)});
    return why;
}

/// Runs git in the repository; what it says on stderr is nobody's file.
grader::ProcessResult git(const fs::path& repository, std::vector<std::string> words,
                          std::uint64_t output_bytes) {
    std::vector<std::string> argv{"sh",
                                  "-c",
                                  "exec \"$@\" 2>/dev/null",
                                  "sh",
                                  "git",
                                  "-c",
                                  "safe.directory=*",
                                  "--git-dir",
                                  repository.string()};
    argv.insert(argv.end(), words.begin(), words.end());
    grader::Limits limits;
    limits.output_bytes = output_bytes;
    return grader::run_process(argv, limits,
                               {{"PATH", "/usr/bin:/bin"},
                                {"HOME", "/nonexistent"},
                                {"LC_ALL", "C"},
                                {"GIT_CONFIG_NOSYSTEM", "1"},
                                {"GIT_OPTIONAL_LOCKS", "0"},
                                {"GIT_TERMINAL_PROMPT", "0"}});
}

/// One line of `git ls-tree -l`: mode, type, object, size, path.
struct TreeEntry {
    std::string mode, type, object, size, path;
};

TreeEntry tree_entry(const std::string& line) {
    TreeEntry entry;
    const auto tab = line.find('\t');
    std::istringstream in(line.substr(0, tab));
    in >> entry.mode >> entry.type >> entry.object >> entry.size;
    if (tab != std::string::npos) entry.path = line.substr(tab + 1);
    return entry;
}

std::string take_blob(const fs::path& repository, const TreeEntry& entry, const std::string& part,
                      const UnpackLimits& limits, Budget& budget, Unpacked& found) {
    const auto judged = judge_path(entry.path, part);
    if (judged.skip || !judged.why.empty()) return judged.why;
    if (entry.mode == "120000")
        return fmt::format("{}: it is a symbolic link; hand in the file itself", entry.path);
    if (entry.type != "blob")
        return fmt::format("{}: another repository inside this one", entry.path);
    std::string why = budget.take(entry.path, std::strtoull(entry.size.c_str(), nullptr, 10));
    if (!why.empty()) return why;
    auto blob = git(repository, {"cat-file", "blob", entry.object}, limits.file_bytes);
    if (!blob.ok()) return fmt::format("{}: it cannot be read from the repository", entry.path);
    found.files.push_back({judged.path, std::move(blob.output)});
    return {};
}

}  // namespace

Unpacked read_zip(const fs::path& zip, const std::string& part, const UnpackLimits& limits) {
    Unpacked found;
    int error = 0;
    const Zip archive(zip_open(zip.c_str(), ZIP_RDONLY, &error), zip_discard);
    if (!archive) return {{}, {"the file is no zip archive, or it is damaged"}};
    const auto count = zip_get_num_entries(archive.get(), 0);
    if (count < 0 || static_cast<std::size_t>(count) > limits.entries)
        return {{}, {fmt::format("more than {} entries in the zip file", limits.entries)}};
    Budget budget(limits);
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
        const auto why = take_entry(archive.get(), i, part, limits, budget, found);
        if (!why.empty()) found.refused.push_back(why.substr(0, 1000));
        if (found.refused.size() >= 20) break;
    }
    return found.refused.empty() ? without_common_directory(std::move(found)) : found;
}

Unpacked read_repository(const fs::path& repository, const std::string& part,
                         const UnpackLimits& limits) {
    Unpacked found;
    const auto tree =
        git(repository, {"ls-tree", "-r", "-z", "-l", "--full-tree", "HEAD"}, 1U << 20U);
    if (tree.too_loud) return {{}, {"the repository holds too many files"}};
    if (!tree.ok()) return {{}, {"the repository has no commit at its head, or it is damaged"}};
    Budget budget(limits);
    std::size_t count = 0;
    std::istringstream lines(tree.output);
    for (std::string line; std::getline(lines, line, '\0');) {
        if (++count > limits.entries)
            return {{}, {fmt::format("more than {} files in the repository", limits.entries)}};
        const auto why = take_blob(repository, tree_entry(line), part, limits, budget, found);
        if (!why.empty()) found.refused.push_back(why.substr(0, 1000));
        if (found.refused.size() >= 20) break;
    }
    return found.refused.empty() ? without_common_directory(std::move(found)) : found;
}

}  // namespace fwts::classroom
