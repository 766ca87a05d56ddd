// SPDX-License-Identifier: GPL-2.0
// The half of unpacking that runs in the closed room.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <sstream>

#include "intake.h"
#include "process.h"
#include "unpack.h"
#include "visible.h"

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

/// Whether libzip's error is the machine's and not the archive's.
bool is_ours(int code) {
    return code == ZIP_ER_OPEN || code == ZIP_ER_READ || code == ZIP_ER_SEEK ||
           code == ZIP_ER_MEMORY || code == ZIP_ER_TMPOPEN;
}

/// Notes an error of libzip where it belongs.
void note(const std::string& name, zip_error_t* error, Unpacked& found) {
    const auto what = fmt::format("{}: it cannot be unpacked: {}", name, zip_error_strerror(error));
    if (is_ours(zip_error_code_zip(error)))
        found.trouble = what;
    else
        found.refused.push_back(what);
}

/// What Unix calls the file's type, or 0 when the archive does not say.
unsigned type_of(zip_t* zip, zip_uint64_t index) {
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    if (zip_file_get_external_attributes(zip, index, 0, &system, &attributes) != 0) return 0;
    return system == ZIP_OPSYS_UNIX ? (attributes >> 16U) & S_IFMT : 0;
}

/// Reads no more than the limit, whatever size the archive states.
/// @return false when that failed, and was noted.
bool read_entry(zip_t* zip, zip_uint64_t index, std::uint64_t limit, PlainFile& into,
                Unpacked& found) {
    const ZipFile file(zip_fopen_index(zip, index, 0), zip_fclose);
    if (!file) {
        note(into.name, zip_get_error(zip), found);
        return false;
    }
    std::array<char, 16384> buffer{};
    while (into.bytes.size() <= limit) {
        const auto got = zip_fread(file.get(), buffer.data(), buffer.size());
        if (got < 0) note(into.name, zip_file_get_error(file.get()), found);
        if (got <= 0) return got == 0;
        into.bytes.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return true;
}

void take_entry(zip_t* zip, const grader::Sorted::File& entry, const UnpackLimits& limits,
                Budget& budget, Unpacked& found) {
    const unsigned type = type_of(zip, entry.index);
    if (type == S_IFDIR) return;
    if (type != 0 && type != S_IFREG) {
        found.refused.push_back(fmt::format("{}: {}", entry.name,
                                            type == S_IFLNK
                                                ? "it is a symbolic link; hand in the file itself"
                                                : "it is not a regular file"));
        return;
    }
    PlainFile file{entry.name, ""};
    if (!read_entry(zip, entry.index, limits.file_bytes, file, found)) return;
    const auto why = budget.take(file.name, file.bytes.size());
    if (why.empty())
        found.files.push_back(std::move(file));
    else
        found.refused.push_back(why);
}

/// Sorts out the paths.
/// @return nothing when all is said already.
std::vector<grader::Sorted::File> sorted_out(const std::vector<std::string>& paths,
                                             const std::string& part, const UnpackLimits& limits,
                                             Unpacked& found) {
    auto sorted = grader::sort_out(paths, part);
    found.refused = std::move(sorted.refused);
    found.ignored = std::move(sorted.ignored);
    if (sorted.files.size() > limits.entries)
        found.refused.push_back(fmt::format("more than {} files in it", limits.entries));
    if (!found.refused.empty()) sorted.files.clear();
    return sorted.files;
}

bool enough_said(const Unpacked& found) {
    return found.refused.size() >= 20 || !found.trouble.empty();
}

/// Runs git in the repository; what it says on stderr is nobody's file.
ProcessResult git(const fs::path& repository, std::vector<std::string> words,
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
    Limits limits;
    limits.output_bytes = output_bytes;
    return run_process(argv, limits,
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

void take_blob(const fs::path& repository, const TreeEntry& entry, const std::string& name,
               const UnpackLimits& limits, Budget& budget, Unpacked& found) {
    auto why = entry.mode == "120000"
                   ? fmt::format("{}: it is a symbolic link; hand in the file itself", name)
                   : budget.take(name, std::strtoull(entry.size.c_str(), nullptr, 10));
    if (why.empty()) {
        auto blob = git(repository, {"cat-file", "blob", entry.object}, limits.file_bytes);
        if (blob.ok())
            found.files.push_back({name, std::move(blob.output)});
        else
            why = fmt::format("{}: it is not in the repository, which is damaged", name);
    }
    if (!why.empty()) found.refused.push_back(why);
}

/// In the room nobody has root's rights: what another user keeps to himself cannot be read.
std::string why_unreadable(const fs::path& repository) {
    const auto say = [&](const fs::path& path, const std::string& why) {
        return fmt::format(
            "{} of the repository cannot be read in the closed room: {}; chmod -R "
            "a+rX lets it",
            path == repository ? "the directory"
                               : grader::name_text(path.lexically_relative(repository).string()),
            why);
    };
    std::error_code error;
    if (fs::exists(repository / "objects" / "info" / "alternates", error))
        return "the repository borrows objects from another (objects/info/alternates); clone it "
               "without --shared and --reference";
    fs::recursive_directory_iterator at(repository, error);
    if (error) return say(repository, error.message());
    for (; at != fs::recursive_directory_iterator(); at.increment(error)) {
        if (at->is_regular_file(error) && access(at->path().c_str(), R_OK) != 0)
            return say(at->path(), std::strerror(errno));
        if (at->is_directory(error) && access(at->path().c_str(), R_OK | X_OK) != 0)
            return say(at->path(), std::strerror(errno));
    }
    return error ? say(repository, error.message()) : std::string{};
}

std::vector<std::string> branches(const fs::path& repository) {
    std::vector<std::string> names;
    std::istringstream in(
        git(repository, {"for-each-ref", "--format=%(refname:short)", "refs/heads"}, 1U << 20U)
            .output);
    for (std::string line; std::getline(in, line);) names.push_back(line);
    return names;
}

/// The commit that counts: the head's, or the only branch's when the head names one that is not
/// there (somebody pushed "master" to where "main" is the default).
std::string what_counts(const fs::path& repository, Unpacked& found) {
    if (git(repository, {"rev-parse", "--quiet", "--verify", "HEAD^{commit}"}, 1000).ok())
        return "HEAD";
    const auto names = branches(repository);
    if (names.size() == 1) return "refs/heads/" + names.front();
    found.refused.push_back(
        names.empty() ? std::string("the repository holds no commit, or it is damaged")
                      : grader::visible(fmt::format(
                            "the repository's head names no commit, and which of its branches "
                            "counts is not ours to guess: {}",
                            fmt::join(names, ", "))));
    return {};
}

}  // namespace

Unpacked read_zip(const fs::path& zip, const std::string& part, const UnpackLimits& limits) {
    Unpacked found;
    int code = 0;
    const Zip archive(zip_open(zip.c_str(), ZIP_RDONLY, &code), zip_discard);
    if (!archive) {
        if (is_ours(code))
            found.trouble =
                fmt::format("libzip cannot open it (its error {}): {}", code, std::strerror(errno));
        else
            found.refused = {"the file is no zip archive, or it is damaged"};
        return found;
    }
    std::vector<std::string> paths;
    const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
    for (zip_uint64_t i = 0; i < count; ++i) {
        const char* name = zip_get_name(archive.get(), i, 0);
        paths.emplace_back(name == nullptr ? "" : name);
    }
    Budget budget(limits);
    for (const auto& file : sorted_out(paths, part, limits, found)) {
        take_entry(archive.get(), file, limits, budget, found);
        if (enough_said(found)) break;
    }
    return found;
}

Unpacked read_repository(const fs::path& repository, const std::string& part,
                         const UnpackLimits& limits) {
    Unpacked found;
    found.trouble = why_unreadable(repository);
    if (!found.trouble.empty()) return found;
    const auto commit = what_counts(repository, found);
    if (commit.empty()) return found;
    const auto tree =
        git(repository, {"ls-tree", "-r", "-z", "-l", "--full-tree", commit}, 16U << 20U);
    if (tree.too_loud) return {{}, {"the repository holds too many files"}, {}, {}};
    if (!tree.ok()) return {{}, {"the repository is damaged"}, {}, {}};
    std::vector<TreeEntry> entries;
    std::vector<std::string> paths;
    std::istringstream lines(tree.output);
    for (std::string line; std::getline(lines, line, '\0');) {
        entries.push_back(tree_entry(line));
        paths.push_back(entries.back().path);
        if (entries.back().type != "commit") continue;
        // What lies in it is not here, so it counts as if it held a source.
        if (grader::sort_out({paths.back() + "/it.c"}, part).files.empty()) continue;
        found.refused.push_back(
            fmt::format("{}: another repository inside this one", grader::name_text(paths.back())));
        return found;
    }
    Budget budget(limits);
    for (const auto& file : sorted_out(paths, part, limits, found)) {
        take_blob(repository, entries[file.index], file.name, limits, budget, found);
        if (enough_said(found)) break;
    }
    return found;
}

}  // namespace fwts::classroom
