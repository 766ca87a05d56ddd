// SPDX-License-Identifier: GPL-2.0
#include "lab.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "all_labs.h"
#include "book_index.h"
#include "clauses.h"
#include "files.h"
#include "scratch.h"
#include "selftest.h"
#include "skeleton.h"
#include "students_part.h"

namespace fwts::grader {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

const fs::path source_dir = FWTS_SOURCE_DIR;

constexpr const char* header =
    "title = \"T\"\nstage = \"01\"\nfloor = 5\nminutes = 10\nallow = [\"a.c\"]\n";

Lab lab_of(const std::string& text) {
    const Scratch scratch("lab");
    write_file(scratch.path() / "99-test" / "lab.toml", text);
    return read_lab(scratch.path() / "99-test");
}

TEST(Edit, ReplacesWhatOccursOnce) {
    EXPECT_EQ(edited({"f", "two", "2"}, "one two three"), "one 2 three");
}

TEST(Edit, RefusesWhatIsMissingOrAmbiguous) {
    const auto missing = [] { edited({"f.c", "four", ""}, "one"); };
    EXPECT_THAT(missing, ThrowsMessage<std::runtime_error>(
                             HasSubstr("f.c: the text to replace is not there")));
    const auto ambiguous = [] { edited({"f.c", "one", ""}, "one one"); };
    EXPECT_THAT(ambiguous, ThrowsMessage<std::runtime_error>(HasSubstr("more than once")));
}

TEST(LabToml, IsRead) {
    const auto lab =
        lab_of(std::string(header) +
               "[[blank]]\nfunction = \"f\"\nbody = \"x\"\n"
               "[[mutant]]\nname = \"m\"\nstory = \"s\"\nfails = [\"a\"]\nblocked = []\n"
               "[[mutant.edit]]\nfile = \"a.c\"\nfind = \"1\"\nreplace = \"2\"\n");
    EXPECT_EQ(lab.name, "99-test");
    EXPECT_EQ(lab.floor, 5);
    ASSERT_EQ(lab.blanks.size(), 1U);
    EXPECT_EQ(lab.mutant("m").edits.at(0).find, "1");
    EXPECT_THAT([&] { lab.mutant("x"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("it has: m")));
}

TEST(LabToml, ClausesRemarksAndSoakAreRead) {
    const auto lab = lab_of(std::string(header) +
                            "remarks = [\"Well.\"]\ngeneral = [\"loads\"]\n"
                            "[[clause]]\nname = \"c\"\nsays = \"one\"\nchecks = [\"a\"]\n"
                            "mutants = [\"m\"]\n"
                            "[[clause]]\nname = \"d\"\nsays = [\"two\", \"three\"]\n"
                            "checks = []\nmutants = []\n"
                            "[[mutant]]\nname = \"m\"\nstory = \"s\"\nsoak = true\n"
                            "fails = [\"a\"]\nblocked = []\n");
    EXPECT_THAT(lab.remarks, testing::ElementsAre("Well."));
    EXPECT_THAT(lab.general, testing::ElementsAre("loads"));
    ASSERT_EQ(lab.clauses.size(), 2U);
    EXPECT_THAT(lab.clauses[0].says, testing::ElementsAre("one"));
    EXPECT_THAT(lab.clauses[1].says, testing::ElementsAre("two", "three"));
    EXPECT_TRUE(lab.mutant("m").soak);
}

TEST(LabToml, AlternativesAreTheDirectoriesThereAre) {
    const Scratch scratch("lab");
    const auto dir = scratch.path() / "99-test";
    write_file(dir / "lab.toml", std::string(header) + "[params]\nring_step = \"8\"\n");
    EXPECT_THAT(read_lab(dir).alternatives, testing::IsEmpty());
    write_file(dir / "alternatives/terse/a.c", "int x = @ring_step@;\n");
    write_file(dir / "alternatives/flat/a.c", "int x;\n");
    const auto lab = read_lab(dir);
    EXPECT_THAT(lab.alternatives,
                testing::ElementsAre(testing::Field(&Alternative::name, "flat"),
                                     testing::Field(&Alternative::name, "terse")));
    EXPECT_THAT(subjects(lab), testing::Contains("alternative-flat"));
    EXPECT_THAT([&] { lab.alternative("none"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("it has: flat, terse")));
}

/// A driver of one companion, a lab that takes one function out of it, and an alternative.
class AlternativeOf : public testing::Test {
  protected:
    AlternativeOf() {
        write("companions/sum/a.c",
              "// SPDX\n\nint half(int n)\n{\n\treturn n / 2;\n}\n\n/* All. */\nint "
              "sum(int n)\n{\n\treturn n * half(n + 1);\n}\n\nint last;\n");
        write("labs/99-test/alternatives/loop/README", "not a source\n");
    }

    void write(const std::string& file, const std::string& text) const {
        write_file(scratch_.path() / file, text);
    }

    /// The lab, with what it says of its alternative.
    Lab lab(const std::string& says) const {
        write("labs/99-test/lab.toml",
              "title = \"T\"\nstage = \"sum\"\nfloor = 5\nminutes = 10\nallow = [\"a.c\"]\n"
              "[params]\nring_step = \"8\"\n"
              "[[blank]]\nfunction = \"sum\"\nbody = \"\treturn 0;\"\n" +
                  says);
        return read_lab(scratch_.path() / "labs/99-test");
    }

    /// The file a.c of the alternative.
    std::string made(const std::string& says) const {
        const auto out = scratch_.path() / "out";
        fs::remove_all(out);
        const auto read = lab(says);
        make_alternative(read, read.alternative("loop"), scratch_.path() / "driver", out);
        return read_file(out / "a.c");
    }

    Scratch scratch_{"lab"};
};

constexpr const char* loop = "[[alternative]]\nname = \"loop\"\nstyle = \"s\"\n";

TEST_F(AlternativeOf, LaysWholeFilesOverTheSkeleton) {
    write("labs/99-test/alternatives/loop/a.c", "int x = @ring_step@;\n");
    EXPECT_EQ(made(""), "int x = 8;\n");
}

TEST_F(AlternativeOf, HasFunctionsOfItsOwnWithoutSomeAndEdits) {
    write("labs/99-test/alternatives/loop/functions/a.c",
          "// SPDX\n/* Head. */\n\n/* One more. */\nint sum(int n)\n{\n\treturn n ? n + sum(n - 1) "
          ": @ring_step@;\n}\n");
    EXPECT_EQ(
        made(std::string(loop) + "without = [\"half\"]\n[[alternative.edit]]\nfile = \"a.c\"\n"
                                 "find = \"last\"\nreplace = \"@ring_step@\"\n"),
        "// SPDX\n\n/* One more. */\nint sum(int n)\n{\n\treturn n ? n + sum(n - 1) : "
        "8;\n}\n\nint 8;\n");
}

TEST_F(AlternativeOf, LeavesBlanksAsInTheBook) {
    EXPECT_THAT(made(""), HasSubstr("\treturn 0;\n"));
    EXPECT_THAT(made(std::string(loop) + "book = [\"sum\"]\n"),
                HasSubstr("\treturn n * half(n + 1);\n"));
}

TEST_F(AlternativeOf, MistakesAreNamed) {
    const auto trouble = [&](const std::string& says, const std::string& words) {
        EXPECT_THAT([&] { made(says); }, ThrowsMessage<std::runtime_error>(HasSubstr(words)));
    };
    trouble(std::string(loop) + "without = [\"third\"]\n", "there is no function third");
    trouble(std::string(loop) +
                "[[alternative.edit]]\nfile = \"a.c\"\nfind = \"third\"\nreplace = \"\"\n",
            "a.c: the text to replace is not there: \"third\"");
    trouble(std::string(loop) + "book = [\"half\"]\n", "half is no blank of lab 99-test");
    trouble(std::string(loop) + "edits = 3\n", "does not know \"edits\"");
    trouble("[[alternative]]\nname = \"other\"\nstyle = \"s\"\n",
            "without a directory, alternatives/other");
    write("labs/99-test/alternatives/loop/functions/a.c", "// SPDX\n\nint third(int n)\n{\n}\n");
    trouble("", "functions/a.c: \"int third(int n)\": no function follows");
    write("labs/99-test/alternatives/loop/functions/b.c", "// SPDX\n\nint sum(int n)\n{\n}\n");
    fs::remove(scratch_.path() / "labs/99-test/alternatives/loop/functions/a.c");
    trouble("", "functions/b.c: the skeleton has no file of that name");
}

TEST(LabToml, MistakesNameFileAndLine) {
    EXPECT_THAT([] { lab_of("title = \n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("lab.toml:1:")));
    EXPECT_THAT([] { lab_of("title = \"T\"\n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("needs a text \"stage\"")));
    EXPECT_THAT([] { lab_of(std::string(header) + "flor = 3\n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("does not know \"flor\"")));
    EXPECT_THAT([] { lab_of(std::string(header) + "\n[[blank]]\nfunction = \"f\"\n"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("lab.toml:7")));
}

TEST(FindLab, ByNumberAndByName) {
    EXPECT_EQ(find_lab(source_dir / "labs", "01").filename(), "01-registration");
    EXPECT_EQ(find_lab(source_dir / "labs", "01-registration").filename(), "01-registration");
    EXPECT_THAT([] { find_lab(source_dir / "labs", "77"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("there are: 01-registration")));
}

/// What must hold of every lab in the repository.
class EveryLab : public testing::TestWithParam<std::string> {
  protected:
    Lab lab_ = read_lab(find_lab(source_dir / "labs", GetParam()));
    Scenario scenario_ = labs::scenario_for(lab_.name);
};

TEST_P(EveryLab, ScenarioIsSoundAndGivesAHundredPoints) {
    EXPECT_THAT(scenario_.mistakes(), testing::IsEmpty());
    EXPECT_EQ(scenario_.lab(), lab_.name);
    int sum = 0;
    for (const auto& check : scenario_.checks()) sum += check.points;
    EXPECT_EQ(sum, 100);
}

TEST_P(EveryLab, MutantsNameChecksThereAre) {
    std::set<std::string> ids;
    for (const auto& check : scenario_.checks()) ids.insert(check.id);
    EXPECT_GE(lab_.mutants.size(), 3U);
    for (const auto& mutant : lab_.mutants) {
        EXPECT_FALSE(mutant.fails.empty()) << mutant.name;
        for (const auto& id : mutant.fails)
            EXPECT_TRUE(ids.contains(id)) << mutant.name << ": " << id;
        for (const auto& id : mutant.blocked)
            EXPECT_TRUE(ids.contains(id)) << mutant.name << ": " << id;
    }
}

TEST_P(EveryLab, ClausesCoverTheHandout) {
    EXPECT_THAT(clause_mistakes(lab_, scenario_, read_file(lab_.directory / "handout.md")),
                testing::IsEmpty());
}

TEST_P(EveryLab, EquivalentsAreMutations) {
    const Scratch scratch("labs");
    make_solution(lab_, source_dir / "code" / "driver", scratch.path() / "solution");
    const auto files = students_part(lab_, scratch.path() / "solution");
    const auto all = mutations_of(files);
    EXPECT_GE(all.size(), lab_.patients.empty() ? 20U : 2 * lab_.patients.size());
    EXPECT_THAT(equivalents(lab_, files, all).mistakes, testing::IsEmpty());
}

TEST_P(EveryLab, BookLinksLeadSomewhere) {
    const auto index = book_index(source_dir / "build" / "book" / "index.json");
    for (const auto& check : scenario_.checks())
        EXPECT_TRUE(index.contains(check.book)) << check.id << ": " << check.book;
}

TEST_P(EveryLab, SkeletonSolutionAlternativesAndMutantsCanBeMade) {
    const Scratch scratch("labs");
    const auto driver = source_dir / "code" / "driver";
    make_skeleton(lab_, driver, scratch.path() / "skeleton");
    make_solution(lab_, driver, scratch.path() / "solution");
    for (const auto& alternative : lab_.alternatives)
        make_alternative(lab_, alternative, driver,
                         scratch.path() / ("alternative-" + alternative.name));
    for (const auto& mutant : lab_.mutants)
        make_mutant(lab_, mutant, driver, scratch.path() / mutant.name);
    EXPECT_TRUE(fs::exists(scratch.path() / "skeleton" / "Kbuild"));
    EXPECT_THAT([&] { make_skeleton(lab_, driver, scratch.path() / "skeleton"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("is not empty")));
}

std::vector<std::string> all_labs() {
    std::vector<std::string> numbers;
    for (const auto& entry : fs::directory_iterator(source_dir / "labs"))
        if (fs::exists(entry.path() / "lab.toml"))
            numbers.push_back(entry.path().filename().string().substr(0, 2));
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

TEST(Hostile, EachHasAVerdictAndEachVerdictASource) {
    std::set<std::string> sources;
    for (const auto& entry : fs::directory_iterator(source_dir / "labs" / "grader" / "hostile"))
        if (entry.path().extension() == ".c") sources.insert(entry.path().stem());
    std::set<std::string> verdicts;
    for (const auto& one : hostile_submissions()) verdicts.insert(one.name);
    EXPECT_EQ(sources, verdicts);
}

INSTANTIATE_TEST_SUITE_P(Labs, EveryLab, testing::ValuesIn(all_labs()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace fwts::grader
