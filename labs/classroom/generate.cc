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

#include "escape.h"
#include "files.h"
#include "process.h"
#include "scratch.h"
#include "selftest.h"
#include "skeleton.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

/// A hostile kind that the door refuses, and in which form only it makes sense; empty: any.
struct AtTheDoor {
    const char* name;
    const char* form;
};

constexpr std::array at_the_door{
    AtTheDoor{"own-build-rules", ""}, AtTheDoor{"links-out", ""},
    AtTheDoor{"huge-source", ""},     AtTheDoor{"zip-climbs", "zip"},
    AtTheDoor{"zip-bomb", "zip"},     AtTheDoor{"repository-starts-programs", "repository"},
};

template <typename Kinds>
auto find_kind(const Kinds& kinds, const std::string& kind) -> decltype(&*kinds.begin()) {
    const auto found =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& one) { return kind == one.name; });
    return found == kinds.end() ? nullptr : &*found;
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
        [[maybe_unused]] auto* const closed = zip_.release();
    }

  private:
    fs::path path_;
    Zip zip_;
    std::vector<std::unique_ptr<std::string>> texts_;
};

void run_git(const fs::path& dir, std::vector<std::string> words) {
    std::vector<std::string> argv{"git", "-C", dir.string(), "-c", "init.defaultBranch=main"};
    argv.insert(argv.end(), words.begin(), words.end());
    const auto result = run_process(argv, {},
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
        const Scratch scratch("generate");
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
        if (const auto* one = find_kind(at_the_door, expected.kind)) {
            expected.hostile = true;
            expected.status = "refused";
            if (*one->form != '\0') expected.form = one->form;
        } else if (const auto* other = find_kind(grader::hostile_submissions(), expected.kind)) {
            expected.hostile = true;
            expected.status = to_string(other->stage);
            expected.at_least = expected.at_most = other->earned;
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
        if (find_kind(at_the_door, kind) != nullptr) return fill_refused(kind, files);
        if (const auto* one = find_kind(grader::hostile_submissions(), kind))
            return grader::make_hostile(*one, places_, files);
        if (kind == "skeleton")
            grader::make_skeleton(lab_, places_.driver, files);
        else if (kind == "reference")
            grader::make_solution(lab_, places_.driver, files);
        else
            grader::make_mutant(lab_, lab_.mutant(kind), places_.driver, files);
        const auto own = files / "igbook_main.c";
        if (fs::exists(own))
            write_file(own,
                       read_file(own) + fmt::format("\n/* Handed in by student {}. */\n", number));
    }

    void fill_refused(const std::string& name, const fs::path& files) {
        fs::create_directories(files);
        const auto lab_file = files / "igbook_lab.c";
        if (name == "links-out") {
            fs::create_symlink("/etc/passwd", lab_file);
            return;
        }
        if (name == "huge-source") {
            write_file(lab_file, std::string(3U << 20U, '/') + "\n");
            return;
        }
        grader::make_solution(lab_, places_.driver, files);
        if (name == "own-build-rules")
            for (const char* file : {"Makefile", "Kbuild"})
                write_file(files / file, read_file(hostile(name) / file));
    }

    /// What a kind that the door refuses is made of.
    fs::path hostile(const std::string& kind) const {
        return places_.labs / "grader" / "hostile" / kind;
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
                zip.add(name, read_file(entry.path()));
        }
        if (expected.kind == "zip-climbs") zip.add("lab/../../../tmp/fwts-was-here", "climbed\n");
        if (expected.kind == "zip-bomb")
            zip.add("lab/igbook_bomb.c", std::string(200U << 20U, ' '));
        zip.close();
    }

    void as_repository(const Expected& expected, const fs::path& files,
                       const fs::path& scratch) const {
        // git is told another directory to work in, so a relative name would lead from there.
        const auto bare = fs::absolute(out_) / (expected.student + ".git");
        run_git(scratch, {"init", "-q", files.string()});
        run_git(files, {"add", "-f", "--all", "."});
        run_git(files, {"commit", "-q", "-m", "lab"});
        run_git(scratch, {"clone", "-q", "--bare", files.string(), bare.string()});
        if (expected.kind != "repository-starts-programs") return;
        const auto evil = hostile(expected.kind);
        write_file(bare / "config", read_file(bare / "config") + read_file(evil / "config"));
        fs::copy_file(evil / "post-checkout", bare / "hooks" / "post-checkout");
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
    kinds.reserve(plan.count);
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
    kinds.reserve(at_the_door.size() + grader::hostile_submissions().size());
    for (const auto& one : at_the_door) kinds.emplace_back(one.name);
    // Those that compile are written for lab 1.
    for (const auto& one : grader::hostile_submissions())
        if (one.stage == grader::Stage::build_failed || lab.name.starts_with("01-"))
            kinds.emplace_back(one.name);
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
    expected.reserve(kinds.size());
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
