// SPDX-License-Identifier: GPL-2.0
#include "generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "edit.h"
#include "process.h"
#include "scratch.h"
#include "skeleton.h"
#include "text.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

constexpr const char* licence = "// SPDX-License-Identifier: GPL-2.0\n";

/// What a hostile kind hands in, and in which form only it makes sense; empty: any.
struct Hostile {
    const char* name;
    const char* status;
    const char* form;
    int points;             // -1: what the skeleton has
    bool in_guest = false;  // from grader/hostile, which is written for lab 1
};

constexpr std::array hostile_ones{
    Hostile{"own-build-rules", "refused", "", 0},
    Hostile{"links-out", "refused", "", 0},
    Hostile{"huge-source", "refused", "", 0},
    Hostile{"includes-a-file", "build-failed", "", 0},
    Hostile{"compile-bomb", "build-failed", "", 0},
    Hostile{"loops-in-probe", "graded", "", 0, true},
    Hostile{"panics", "graded", "", 0, true},
    Hostile{"reboots", "graded", "", 0, true},
    Hostile{"starts-programs", "build-failed", "", 0, true},
    Hostile{"forges-the-report", "graded", "", -1, true},
    // Beyond the ten.
    Hostile{"zip-climbs", "refused", "zip", 0},
    Hostile{"zip-bomb", "refused", "zip", 0},
    Hostile{"repository-starts-programs", "refused", "repository", 0},
    Hostile{"pulls-in-a-file", "build-failed", "", 0},
    Hostile{"loops-in-interrupt", "graded", "", 0, true},
    Hostile{"eats-memory", "graded", "", 0, true},
    Hostile{"silences-the-log", "graded", "", 0, true},
};

const Hostile* hostile(const std::string& kind) {
    const auto* found = std::find_if(hostile_ones.begin(), hostile_ones.end(),
                                     [&](const Hostile& one) { return kind == one.name; });
    return found == hostile_ones.end() ? nullptr : found;
}

using Zip = std::unique_ptr<zip_t, void (*)(zip_t*)>;

/// A zip file under construction.
class ZipMaker {
  public:
    explicit ZipMaker(const fs::path& path)
        : path_(path), zip_(zip_open(path.c_str(), ZIP_CREATE | ZIP_EXCL, nullptr), zip_discard) {
        if (!zip_) throw std::runtime_error(fmt::format("{}: cannot be made", path.string()));
    }
    void add(const std::string& name, const std::string& text, unsigned mode = S_IFREG | 0644U) {
        texts_.push_back(std::make_unique<std::string>(text));
        auto* source =
            zip_source_buffer(zip_.get(), texts_.back()->data(), texts_.back()->size(), 0);
        const auto index = zip_file_add(zip_.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8);
        if (index < 0)
            throw std::runtime_error(fmt::format("{}: no room for {}", path_.string(), name));
        zip_file_set_external_attributes(zip_.get(), static_cast<zip_uint64_t>(index), 0,
                                         ZIP_OPSYS_UNIX, mode << 16U);
    }
    void close() {
        if (zip_close(zip_.get()) != 0)
            throw std::runtime_error(fmt::format("{}: cannot be written", path_.string()));
        (void)zip_.release();
    }

  private:
    fs::path path_;
    Zip zip_;
    std::vector<std::unique_ptr<std::string>> texts_;
};

void run_git(const fs::path& dir, std::vector<std::string> words) {
    std::vector<std::string> argv{"git", "-C", dir.string(), "-c", "init.defaultBranch=main"};
    argv.insert(argv.end(), words.begin(), words.end());
    const auto result = grader::run_process(argv, {},
                                            {{"PATH", "/usr/bin:/bin"},
                                             {"HOME", "/nonexistent"},
                                             {"GIT_CONFIG_NOSYSTEM", "1"},
                                             {"GIT_AUTHOR_NAME", "student"},
                                             {"GIT_AUTHOR_EMAIL", "student@example.org"},
                                             {"GIT_COMMITTER_NAME", "student"},
                                             {"GIT_COMMITTER_EMAIL", "student@example.org"}});
    if (!result.ok())
        throw std::runtime_error(fmt::format("git {}: {}", fmt::join(words, " "), result.output));
}

/// Expands to an array of 8^9 elements: the compiler ends at its limit of memory.
std::string compile_bomb() {
    std::string text = std::string(licence) + "#define A0 1,\n";
    for (int i = 1; i <= 9; ++i)
        text += fmt::format("#define A{0} A{1} A{1} A{1} A{1} A{1} A{1} A{1} A{1}\n", i, i - 1);
    return text + "int igbook_bomb[] = { A9 };\n";
}

class Maker {
  public:
    Maker(const grader::Lab& lab, const grader::Scenario& scenario, const grader::Places& places,
          const fs::path& out)
        : lab_(lab), scenario_(scenario), places_(places), out_(out) {}

    Expected make(std::size_t number, const std::string& kind) {
        Expected expected;
        expected.student = fmt::format("s{:02}-{}", number, kind);
        expected.kind = kind;
        expected.form = std::array{"directory", "zip", "repository"}[number % 3];
        state(expected);
        const grader::Scratch scratch("generate");
        const auto files = scratch.path() / "files";
        fill(kind, number, files);
        hand_in(expected, files, scratch.path());
        return expected;
    }

  private:
    int all_points() const {
        int points = 0;
        for (const auto& check : scenario_.checks()) points += check.points;
        return points;
    }
    int points_of(const std::vector<std::string>& ids) const {
        int points = 0;
        for (const auto& check : scenario_.checks())
            if (std::find(ids.begin(), ids.end(), check.id) != ids.end()) points += check.points;
        return points;
    }

    void state(Expected& expected) const {
        expected.status = "graded";
        if (const auto* one = hostile(expected.kind)) {
            expected.hostile = true;
            expected.status = one->status;
            expected.at_least = expected.at_most = one->points < 0 ? lab_.floor : one->points;
            if (*one->form != '\0') expected.form = one->form;
        } else if (expected.kind == "reference") {
            expected.at_least = expected.at_most = all_points();
        } else if (expected.kind == "skeleton") {
            expected.at_least = expected.at_most = lab_.floor;
        } else {
            // A check that fails may still give points for its parts.
            const auto& mutant = lab_.mutant(expected.kind);
            expected.at_most = all_points() - points_of(mutant.blocked) - 1;
            expected.at_least = all_points() - points_of(mutant.blocked) - points_of(mutant.fails);
        }
    }

    void fill(const std::string& kind, std::size_t number, const fs::path& files) {
        if (const auto* one = hostile(kind)) return fill_hostile(*one, files);
        if (kind == "skeleton")
            grader::make_skeleton(lab_, places_.driver, files);
        else if (kind == "reference")
            grader::make_solution(lab_, places_.driver, files);
        else
            grader::make_mutant(lab_, lab_.mutant(kind), places_.driver, files);
        const auto own = files / "igbook_main.c";
        if (fs::exists(own))
            grader::write_file(own, grader::read_file(own) +
                                        fmt::format("\n/* Handed in by student {}. */\n", number));
    }

    void fill_hostile(const Hostile& one, const fs::path& files) {
        const std::string name = one.name;
        fs::create_directories(files);
        const auto lab_file = files / "igbook_lab.c";
        if (one.in_guest) {
            const auto from = places_.labs / "grader" / "hostile";
            grader::write_file(lab_file, grader::read_file(from / (name + ".c")) + "\n" +
                                             grader::read_file(from / "hook.inc"));
        } else if (name == "own-build-rules") {
            grader::make_solution(lab_, places_.driver, files);
            grader::write_file(files / "Makefile", "all:\n\ttouch /tmp/fwts-was-here\n");
            grader::write_file(files / "Kbuild", "$(shell touch /tmp/fwts-was-here)\n");
        } else if (name == "links-out") {
            fs::create_symlink("/etc/passwd", lab_file);
        } else if (name == "huge-source") {
            grader::write_file(lab_file, licence + std::string(3U << 20U, '/') + "\n");
        } else if (name == "includes-a-file") {
            grader::write_file(lab_file, std::string(licence) + "#include \"/etc/passwd\"\n");
        } else if (name == "pulls-in-a-file") {
            grader::write_file(
                lab_file, std::string(licence) + "__asm__(\".incbin \\\"/etc/passwd\\\"\");\n");
        } else if (name == "compile-bomb") {
            grader::write_file(lab_file, compile_bomb());
        } else {
            grader::make_solution(lab_, places_.driver, files);
        }
    }

    void hand_in(const Expected& expected, const fs::path& files, const fs::path& scratch) const {
        if (expected.form == "zip")
            as_zip(expected, files);
        else if (expected.form == "repository")
            as_repository(expected, files, scratch);
        else
            fs::copy(files, out_ / expected.student,
                     fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    }

    void as_zip(const Expected& expected, const fs::path& files) const {
        ZipMaker zip(out_ / (expected.student + ".zip"));
        for (const auto& entry : fs::directory_iterator(files)) {
            const auto name = "lab/" + entry.path().filename().string();
            if (entry.is_symlink())
                zip.add(name, fs::read_symlink(entry.path()).string(), S_IFLNK | 0777U);
            else
                zip.add(name, grader::read_file(entry.path()));
        }
        if (expected.kind == "zip-climbs") zip.add("lab/../../../tmp/fwts-was-here", "climbed\n");
        if (expected.kind == "zip-bomb")
            zip.add("lab/igbook_bomb.c", std::string(200U << 20U, ' '));
        zip.close();
    }

    void as_repository(const Expected& expected, const fs::path& files,
                       const fs::path& scratch) const {
        const auto bare = out_ / (expected.student + ".git");
        run_git(scratch, {"init", "-q", files.string()});
        run_git(files, {"add", "-f", "--all", "."});
        run_git(files, {"commit", "-q", "-m", "lab"});
        run_git(scratch, {"clone", "-q", "--bare", files.string(), bare.string()});
        if (expected.kind != "repository-starts-programs") return;
        // Whatever of this git would start, it starts it in the closed room, and for nothing.
        const auto config = grader::read_file(bare / "config");
        grader::write_file(bare / "config",
                           config +
                               "[core]\n\tfsmonitor = touch /tmp/fwts-was-here\n"
                               "\tpager = touch /tmp/fwts-was-here\n"
                               "[extensions]\n\tpartialClone = evil\n"
                               "[protocol]\n\tallow = always\n"
                               "[remote \"evil\"]\n\tpromisor = true\n"
                               "\turl = ext::sh -c \"touch /tmp/fwts-was-here\"\n");
        grader::write_file(bare / "hooks" / "post-checkout",
                           "#!/bin/sh\ntouch /tmp/fwts-was-here\n");
        fs::permissions(bare / "hooks" / "post-checkout", fs::perms::owner_all);
        // An object is missing: git wants to fetch it from that remote.
        fs::remove_all(bare / "objects");
        fs::create_directories(bare / "objects" / "pack");
        fs::create_directories(bare / "objects" / "info");
    }

    const grader::Lab& lab_;
    const grader::Scenario& scenario_;
    const grader::Places& places_;
    const fs::path& out_;
};

/// All kinds of the class, in the order of its students.
std::vector<std::string> kinds_for(const grader::Lab& lab, const ClassPlan& plan) {
    if (!plan.only.empty()) return plan.only;
    std::vector<std::string> honest{"reference", "skeleton"};
    for (const auto& mutant : lab.mutants) honest.push_back(mutant.name);
    const auto bad = hostile_kinds(lab);
    if (plan.hostile > std::min(plan.count, bad.size()))
        throw std::runtime_error(fmt::format("{} hostile submissions: lab {} has {} kinds of them",
                                             plan.hostile, lab.name, bad.size()));
    std::vector<std::string> kinds;
    for (std::size_t i = 0; i < plan.count - plan.hostile; ++i)
        kinds.push_back(honest[i % honest.size()]);
    // Among the others, not behind them.
    for (std::size_t i = 0; i < plan.hostile; ++i) {
        const auto at = std::min(kinds.size(), (i + 1) * plan.count / (plan.hostile + 1));
        kinds.insert(kinds.begin() + static_cast<std::ptrdiff_t>(at), bad[i]);
    }
    return kinds;
}

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
    return fields;
}

/// The first fields of each line by student; generated names need no quotes.
std::map<std::string, std::vector<std::string>> lines_by_student(const std::string& csv) {
    std::map<std::string, std::vector<std::string>> lines;
    std::istringstream in(csv);
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        auto fields = fields_of(line);
        if (fields.size() >= 4) lines[fields[0]] = std::move(fields);
    }
    return lines;
}

}  // namespace

std::vector<std::string> hostile_kinds(const grader::Lab& lab) {
    std::vector<std::string> kinds;
    for (const auto& one : hostile_ones)
        if (!one.in_guest || lab.name.starts_with("01-")) kinds.emplace_back(one.name);
    return kinds;
}

std::vector<Expected> generate_class(const grader::Lab& lab, const grader::Scenario& scenario,
                                     const grader::Places& places, const ClassPlan& plan,
                                     const fs::path& out) {
    if (fs::exists(out))
        throw std::runtime_error(
            fmt::format("{}: is there already; name a new directory", out.string()));
    const auto kinds = kinds_for(lab, plan);
    fs::create_directories(out);
    Maker maker(lab, scenario, places, out);
    std::vector<Expected> expected;
    for (std::size_t i = 0; i < kinds.size(); ++i) expected.push_back(maker.make(i + 1, kinds[i]));
    return expected;
}

std::string expected_csv(const std::vector<Expected>& expected) {
    std::string text = "student,kind,form,status,at_least,at_most\n";
    for (const auto& one : expected)
        text += fmt::format("{},{},{},{},{},{}\n", one.student, one.kind, one.form, one.status,
                            one.at_least, one.at_most);
    return text;
}

std::vector<std::string> differences(const std::string& expected, const std::string& grades) {
    std::vector<std::string> result;
    const auto found = lines_by_student(grades);
    for (const auto& [student, stated] : lines_by_student(expected)) {
        const auto at = found.find(student);
        if (at == found.end()) {
            result.push_back(fmt::format("{}: is not in the table", student));
            continue;
        }
        const auto& status = at->second[1];
        if (status != stated[3])
            result.push_back(fmt::format("{}: stated {}, found {}", student, stated[3], status));
        const int points = at->second[2].empty() ? -1 : std::stoi(at->second[2]);
        if (points < std::stoi(stated[4]) || points > std::stoi(stated[5]))
            result.push_back(fmt::format("{}: stated {} to {} points, found {}", student, stated[4],
                                         stated[5], at->second[2]));
    }
    return result;
}

}  // namespace fwts::classroom
