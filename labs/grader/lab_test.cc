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
    EXPECT_THAT(read_lab(dir).alternatives(), testing::IsEmpty());
    write_file(dir / "alternatives/terse/a.c", "int x = @ring_step@;\n");
    write_file(dir / "alternatives/flat/a.c", "int x;\n");
    const auto lab = read_lab(dir);
    EXPECT_THAT(lab.alternatives(), testing::ElementsAre("flat", "terse"));
    EXPECT_THAT(subjects(lab), testing::Contains("alternative-flat"));
    make_alternative(lab, "terse", scratch.path() / "out");
    EXPECT_EQ(read_file(scratch.path() / "out/a.c"), "int x = 8;\n");
    EXPECT_THAT([&] { make_alternative(lab, "none", scratch.path() / "other"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("99-test has: flat, terse")));
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

TEST(ReplaceBody, KeepsWhatStandsAround) {
    const std::string text = "int a;\nint f(int x,\n      int y)\n{\n\treturn x;\n}\nint b;\n";
    EXPECT_EQ(replace_body(text, 2, 6, "\treturn 0;\n"),
              "int a;\nint f(int x,\n      int y)\n{\n\treturn 0;\n}\nint b;\n");
    EXPECT_THROW(replace_body("int f(void) { return 1; }\n", 1, 1, ""), std::runtime_error);
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

TEST_P(EveryLab, SkeletonSolutionAndMutantsCanBeMade) {
    const Scratch scratch("labs");
    const auto driver = source_dir / "code" / "driver";
    make_skeleton(lab_, driver, scratch.path() / "skeleton");
    make_solution(lab_, driver, scratch.path() / "solution");
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
