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
#include <memory>
#include <set>
#include <stdexcept>

#include "descriptor.h"
#include "files.h"
#include "visible.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

using Parts = std::vector<std::string>;

constexpr std::size_t entries_walked = 20000;
constexpr int deepest = 32;
constexpr std::size_t longest_name = 100;
constexpr std::size_t names_told = 20;

std::runtime_error unreadable(const std::string& path) {
    return std::runtime_error(
        fmt::format("{}: it cannot be read: {}", name_text(path), std::strerror(errno)));
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    return text;
}

bool is_one_of(const std::string& name, const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(name, pattern); });
}

bool is_build_rule(const std::string& name) {
    return is_one_of(lower(name), {"makefile", "gnumakefile", "kbuild", "kconfig", "*.mk"});
}

/// Also what was meant to be one: IGBOOK.C, or igbook_main.c.txt from where endings are hidden.
bool is_source(const std::string& name) {
    if (matches(name, "._*") || matches(name, ".#*") || name == "igbook.mod.c") return false;
    auto small = lower(name);
    while (small.ends_with(' ')) small.pop_back();
    return name.ends_with(".S") ||
           is_one_of(small, {"*.c", "*.h", "*.c.txt", "*.h.txt", "*.cc", "*.cpp", "*.cxx", "*.hh",
                             "*.hpp", "*.inc", "*.asm"});
}

/// Directories nobody writes sources in.
bool is_clutter_directory(const std::string& name) {
    return is_clutter(name) || (name.starts_with('.') && name != "..");
}

Parts parts_of(const std::string& path) {
    Parts parts(1);
    for (const char c : path)
        if (c == '/' || c == '\\')
            parts.emplace_back();
        else
            parts.back() += c;
    parts.erase(std::remove_if(parts.begin(), parts.end(),
                               [](const auto& part) { return part.empty() || part == "."; }),
                parts.end());
    return parts;
}

/// Every file of a directory and of those in it, in the order of the alphabet.
class Walk {
  public:
    Walk(int top, const std::string& shown) { look_into(top, shown, "", 0); }
    const std::vector<std::string>& paths() const { return paths_; }
    /// Why it was broken off, or nothing.
    const std::string& too_much() const { return too_much_; }

  private:
    static std::vector<std::string> names_in(int dir, const std::string& shown) {
        const int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (again < 0) throw unreadable(shown);
        const std::unique_ptr<DIR, int (*)(DIR*)> handle(fdopendir(again), closedir);
        if (!handle) throw unreadable(shown);
        std::vector<std::string> names;
        errno = 0;
        while (const dirent* entry = readdir(handle.get())) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") names.push_back(name);
        }
        if (errno != 0) throw unreadable(shown);
        std::sort(names.begin(), names.end());
        return names;
    }

    void look_into(int dir, const std::string& shown, const std::string& prefix, int depth) {
        if (depth > deepest)
            too_much_ = fmt::format("its directories are more than {} deep", deepest);
        for (const auto& name : too_much_.empty() ? names_in(dir, shown) : Parts{}) {
            if (paths_.size() >= entries_walked)
                too_much_ = fmt::format("it holds more than {} files; hand in those of the lab",
                                        entries_walked);
            if (!too_much_.empty()) return;
            struct stat status = {};
            if (fstatat(dir, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
                throw unreadable(prefix + name);
            if (!S_ISDIR(status.st_mode)) {
                paths_.push_back(prefix + name);
            } else if (is_clutter_directory(name)) {
                paths_.push_back(prefix + name + "/");
            } else {
                const Descriptor below(
                    openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
                if (below.get() < 0) throw unreadable(prefix + name);
                look_into(below.get(), prefix + name, prefix + name + "/", depth + 1);
            }
        }
    }

    std::vector<std::string> paths_;
    std::string too_much_;
};

/// Opens a directory below another; no link on the way is followed.
int open_parent(int dir, const std::string& path) {
    int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (std::size_t from = 0, slash = 0;
         at >= 0 && (slash = path.find('/', from)) != std::string::npos; from = slash + 1) {
        const int next = openat(at, path.substr(from, slash - from).c_str(),
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(at);
        at = next;
    }
    if (at < 0) throw unreadable(path);
    return at;
}

const std::string* skeletons_name(const std::string& name, const IntakeRules& rules) {
    for (const auto& [theirs, text] : rules.handed_out)
        if (lower(theirs) == lower(name)) return &theirs;
    return nullptr;
}

std::string why_unwelcome(const std::string& name, const IntakeRules& rules) {
    if (is_build_rule(name))
        return "the lab is built with the grader's own rules, and this is not the file that was "
               "handed out; leave it out";
    const auto* theirs = skeletons_name(name, rules);
    if (theirs != nullptr && *theirs != name)
        return fmt::format("the lab's file is called {}; give it that name", *theirs);
    if (!is_one_of(name, rules.allow))
        return is_one_of(lower(name), rules.allow)
                   ? fmt::format("write its name in small letters: {}", lower(name))
                   : fmt::format("only {} are part of this lab", fmt::join(rules.allow, ", "));
    if (name == "igbook.c" || name.ends_with(".mod.c"))
        return "the kernel's build makes an object of this name itself; give the file another name";
    return {};
}

/// The same but for line ends, or a mark of its encoding, that some editor put there.
bool same_text(const std::string& one, const std::string& other) {
    const auto bare = [](const std::string& text) {
        std::string result = text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
        result.erase(std::remove(result.begin(), result.end(), '\r'), result.end());
        while (result.ends_with('\n')) result.pop_back();
        return result;
    };
    return bare(one) == bare(other);
}

/// How many of their first directories all of them share.
std::size_t shared_directories(const std::vector<Parts>& all) {
    for (std::size_t depth = 0; !all.empty(); ++depth)
        for (const auto& parts : all)
            if (parts.size() < depth + 2 || parts[depth] != all.front()[depth]) return depth;
    return 0;
}

/// No more of them than somebody reads.
void shorten(std::vector<std::string>& list) {
    if (list.size() <= names_told) return;
    const auto more = list.size() - names_told;
    list.resize(names_told);
    list.push_back(fmt::format("and {} more", more));
}

std::string joined(const Parts& parts, std::size_t from = 0) {
    return fmt::format("{}", fmt::join(parts.begin() + static_cast<long>(from), parts.end(), "/"));
}

/// Is it refused for its path alone, or clutter? Then it is noted, and nothing comes back.
Parts wanted_parts(const std::string& path, const Parts& wanted, std::set<std::string>& ignored,
                   std::vector<std::string>& refused) {
    auto parts = parts_of(path);
    if (path.starts_with('/') || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
        refused.push_back(
            fmt::format("{}: a path that leads out of the submission", name_text(path)));
        return {};
    }
    if (parts.size() <= wanted.size() || !std::equal(wanted.begin(), wanted.end(), parts.begin()))
        return {};
    parts.erase(parts.begin(), parts.begin() + static_cast<long>(wanted.size()));
    const bool directory = path.ends_with('/') || path.ends_with('\\');
    const auto last = directory ? parts.end() : parts.end() - 1;
    const auto clutter = std::find_if(parts.begin(), last, is_clutter_directory);
    if (clutter != last) {
        parts.erase(clutter + 1, parts.end());
        ignored.insert(name_text(joined(parts)) + "/");
        return {};
    }
    if (directory) return {};
    if (could_be_built(parts.back())) return parts;
    ignored.insert(name_text(joined(parts)));
    return {};
}

std::string why_misplaced(const Parts& parts, std::size_t shared) {
    const auto& name = parts.back();
    if (parts.size() > shared + 1)
        return "it lies in a directory beside others; hand in the files of one directory";
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c < 0x80 && std::isalnum(c) != 0) || c == '_' || c == '-' || c == '.';
    });
    if (!plain || name.front() == '.' || name.front() == '-')
        return "use letters, digits, '_', '-' and '.' in file names";
    return name.size() > longest_name
               ? fmt::format("its name has more than {} characters", longest_name)
               : "";
}

}  // namespace

bool is_clutter(const std::string& name) {
    static const std::vector<std::string> patterns{
        "._*",          ".DS_Store",    "__MACOSX",
        ".AppleDouble", ".Trash*",      ".git",
        ".github",      ".svn",         ".hg",
        ".vscode",      ".idea",        ".cache",
        "@eaDir",       "Thumbs.db",    "desktop.ini",
        "lost+found",   "$RECYCLE.BIN", "System Volume Information"};
    return is_one_of(name, patterns);
}

bool could_be_built(const std::string& name) {
    return is_source(name) || is_build_rule(name);
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

std::string read_regular(int dir, const std::string& path, std::uint64_t limit, std::string& text) {
    struct stat status = {};
    if (fstatat(dir, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) throw unreadable(path);
    if (S_ISLNK(status.st_mode)) return "it is a symbolic link; hand in the file itself";
    if (!S_ISREG(status.st_mode)) return "it is not a regular file";
    const Descriptor file(
        openat(dir, path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0 || fstat(file.get(), &status) != 0) throw unreadable(path);
    if (!S_ISREG(status.st_mode)) return "it is not a regular file";
    std::array<char, 16384> buffer{};
    for (;;) {
        const ssize_t got = read(file.get(), buffer.data(), buffer.size());
        if (got < 0) throw unreadable(path);
        if (got == 0) return {};
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limit) return fmt::format("it is larger than {} KiB", limit >> 10U);
    }
}

Sorted sort_out(const std::vector<std::string>& paths, const std::string& part) {
    Sorted sorted;
    const auto wanted = parts_of(part);
    std::set<std::string> ignored;
    std::vector<std::size_t> indices;
    std::vector<Parts> all;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        auto parts = wanted_parts(paths[i], wanted, ignored, sorted.refused);
        if (parts.empty()) continue;
        indices.push_back(i);
        all.push_back(std::move(parts));
    }
    const auto shared = shared_directories(all);
    std::set<std::string> names;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto why = why_misplaced(all[i], shared);
        if (why.empty() && !names.insert(all[i].back()).second) why = "it is there twice";
        if (why.empty())
            sorted.files.push_back({indices[i], all[i].back()});
        else
            sorted.refused.push_back(fmt::format("{}: {}", name_text(joined(all[i], shared)), why));
    }
    sorted.ignored.assign(ignored.begin(), ignored.end());
    shorten(sorted.ignored);
    shorten(sorted.refused);
    return sorted;
}

Intake take_in(const fs::path& submission, const IntakeRules& rules, const fs::path& into) {
    const Descriptor dir(open(submission.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.get() < 0) throw unreadable(submission.string());
    const Walk walk(dir.get(), submission.string());
    if (!walk.too_much().empty()) return {{}, {}, {walk.too_much()}};
    const auto sorted = sort_out(walk.paths(), rules.part);
    Intake intake{{}, sorted.ignored, sorted.refused};
    if (sorted.files.size() > rules.files)
        intake.refused.push_back(
            fmt::format("{} files; at most {} are accepted", sorted.files.size(), rules.files));
    if (!intake.ok()) return intake;

    std::map<std::string, std::string> texts;
    std::uint64_t total = 0;
    for (const auto& [index, name] : sorted.files) {
        const auto& path = walk.paths()[index];
        std::string text;
        const Descriptor parent(open_parent(dir.get(), path));
        auto why =
            read_regular(parent.get(), path.substr(path.rfind('/') + 1), rules.file_bytes, text);
        const auto given = rules.handed_out.find(name);
        if (why.empty() && is_build_rule(name) && given != rules.handed_out.end() &&
            same_text(given->second, text)) {
            intake.ignored.push_back(name);
            continue;
        }
        if (why.empty()) why = why_unwelcome(name, rules);
        if (why.empty() && text.find('\0') != std::string::npos)
            why = "it is no text in UTF-8; save it as that";
        if (!why.empty()) intake.refused.push_back(fmt::format("{}: {}", name, why));
        total += text.size();
        texts[name] = std::move(text);
    }
    if (total > rules.total_bytes)
        intake.refused.push_back(
            fmt::format("the files together are larger than {} KiB", rules.total_bytes >> 10U));
    if (texts.empty())
        intake.refused.push_back(
            fmt::format("there is no file of this lab in it ({}){}", fmt::join(rules.allow, ", "),
                        intake.ignored.empty()
                            ? ""
                            : fmt::format("; left out: {}", fmt::join(intake.ignored, ", "))));
    if (!intake.ok()) return intake;
    for (const auto& [name, text] : texts) {
        write_file(into / name, text);
        intake.accepted.push_back(name);
    }
    return intake;
}

}  // namespace fwts::grader
