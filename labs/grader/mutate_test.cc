// SPDX-License-Identifier: GPL-2.0
#include "mutate.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>

#include "files.h"
#include "scratch.h"
#include "students_part.h"

namespace fwts::grader {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A judge without guests, who notes in a file whom he was asked about.
class Judges : public testing::Test {
  protected:
    Suspect suspect(const std::string& name, Fate fate) const {
        const auto asked = scratch_.path() / "asked";
        return {name, "key of " + name, [=] {
                    std::string before;
                    if (fs::exists(asked)) before = read_file(asked);
                    write_file(asked, before + name + "\n");
                    return Judgement{fate, "by " + name};
                }};
    }
    std::string asked() const {
        const auto file = scratch_.path() / "asked";
        return fs::exists(file) ? read_file(file) : "";
    }
    /// @return names and fates as they came.
    std::vector<std::string> judge(const std::vector<Suspect>& suspects, int at_once = 1) const {
        JudgementFile file(scratch_.path() / "kept" / "file.jsonl");
        std::vector<std::string> told;
        whole_ = judge_all(suspects, at_once, file, [&](const auto& one, const auto& judgement) {
            told.push_back(one.name + " " + to_string(judgement.fate) + " " + judgement.by);
        });
        return told;
    }
    Scratch scratch_{"mutate-test"};
    mutable bool whole_ = false;
};

TEST_F(Judges, WhatWasJudgedIsNotJudgedAgain) {
    const auto a = suspect("a", Fate::killed);
    const auto b = suspect("b", Fate::survived);
    EXPECT_THAT(judge({a}), ElementsAre("a killed by a"));
    EXPECT_THAT(judge({a, b}), ElementsAre("a killed by a", "b survived by b"));
    EXPECT_THAT(judge({a, b}), ElementsAre("a killed by a", "b survived by b"));
    EXPECT_EQ(asked(), "a\nb\n");
}

TEST_F(Judges, AnotherKeyIsAnotherJudgement) {
    auto a = suspect("a", Fate::survived);
    judge({a});
    a = suspect("a", Fate::killed);
    a.key = "another";
    EXPECT_THAT(judge({a}), ElementsAre("a killed by a"));
    const JudgementFile file(scratch_.path() / "kept" / "file.jsonl");
    EXPECT_EQ(file.last("a"), Fate::killed);
    EXPECT_EQ(file.last("b"), std::nullopt);
}

TEST_F(Judges, OurOwnErrorsAreTriedAgain) {
    auto a = suspect("a", Fate::grader_error);
    judge({a});
    judge({a});
    EXPECT_EQ(asked(), "a\na\n");
    a.judge = [] {
        std::raise(SIGSEGV);
        return Judgement{};
    };
    EXPECT_THAT(judge({a}), ElementsAre(HasSubstr("a grader-error the process that graded it")));
    a.judge = []() -> Judgement { throw std::runtime_error("no kernel"); };
    EXPECT_THAT(judge({a}), ElementsAre("a grader-error no kernel"));
}

TEST_F(Judges, AnInterruptedRunGoesOn) {
    const auto a = suspect("a", Fate::killed);
    auto b = suspect("b", Fate::killed);
    b.judge = [] {
        kill(getppid(), SIGTERM);
        pause();
        return Judgement{};
    };
    EXPECT_THAT(judge({a, b}), ElementsAre("a killed by a"));
    EXPECT_FALSE(whole_);
    EXPECT_THAT(judge({a, suspect("b", Fate::killed)}),
                ElementsAre("a killed by a", "b killed by b"));
    EXPECT_TRUE(whole_);
    EXPECT_EQ(asked(), "a\nb\n");
}

TEST_F(Judges, ALineCutShortIsAsGoodAsNone) {
    judge({suspect("a", Fate::killed)});
    const auto path = scratch_.path() / "kept" / "file.jsonl";
    const auto text = read_file(path);
    write_file(path, text.substr(0, text.size() / 2) + "\n");
    EXPECT_THAT(judge({suspect("a", Fate::survived)}), ElementsAre("a survived by a"));
}

TEST_F(Judges, SeveralAtATime) {
    std::vector<Suspect> all;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
        all.push_back(suspect(name, Fate::killed));
        all.back().judge = [] { return Judgement{Fate::killed, "x"}; };
    }
    EXPECT_THAT(judge(all, 3), UnorderedElementsAre("a killed x", "b killed x", "c killed x",
                                                    "d killed x", "e killed x"));
}

TEST(MutationScore, CountsKilledAndSurvivedOnly) {
    Score score;
    EXPECT_EQ(score.percent(), 100.0);
    score.counts = {
        {Fate::killed, 3}, {Fate::survived, 1}, {Fate::equivalent, 6}, {Fate::same_code, 9}};
    EXPECT_EQ(score.percent(), 75.0);
}

/// A lab with one file of its own and one of the stage's.
class Part : public testing::Test {
  protected:
    Part() {
        lab_.directory = scratch_.path() / "lab";
        write_file(lab_.solution_dir() / "own.c", own_);
        write_file(solution_ / "own.c", own_);
        write_file(solution_ / "stage.c", stage_);
        write_file(solution_ / "other.c", stage_);
        lab_.blanks = {{"blank", ""}};
        lab_.gaps = {{"stage.c", "\tgap(1);\n", ""}};
        lab_.answers = {{"stage.c", "x", "\tanswer(1);\n"}};
    }
    std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const auto& one : mutations_of(students_part(lab_, solution_)))
            if (one.op == "call") result.push_back(one.name());
        return result;
    }
    Equivalents found(const Equivalent& entry) {
        lab_.equivalents = {entry};
        const auto files = students_part(lab_, solution_);
        return equivalents(lab_, files, mutations_of(files));
    }
    Scratch scratch_{"part-test"};
    fs::path solution_ = scratch_.path() / "solution";
    Lab lab_;
    const std::string own_ = "#define MOST 8\n\nint own(void)\n{\n\tfirst(a);\n\tfirst(b);\n}\n";
    const std::string stage_ =
        "int blank(void)\n{\n\tin_blank(1);\n}\n\nint book(void)\n{\n\tprinted(1);\n\tgap(1);\n"
        "\tanswer(1);\n}\n";
};

TEST_F(Part, IsTheSolutionTheBlanksTheGapsAndTheAnswers) {
    lab_.blanks.clear();
    EXPECT_THAT(names(), ElementsAre("own.c:own:call-1", "own.c:own:call-2", "stage.c:book:call-1",
                                     "stage.c:book:call-2"));
    lab_.blanks = {{"blank", ""}};
    EXPECT_THAT(names(), Contains("stage.c:blank:call-1"));
    EXPECT_THAT(names(), Contains("other.c:blank:call-1"));
}

TEST_F(Part, OfAnOwnFileAlsoWhatIsOutsideOfFunctions) {
    std::vector<std::string> all;
    for (const auto& one : mutations_of(students_part(lab_, solution_))) all.push_back(one.name());
    EXPECT_THAT(all, Contains("own.c:file:off-by-one-1"));
}

TEST_F(Part, AGapTheReferenceDoesNotHoldIsAMistake) {
    lab_.gaps = {{"stage.c", "\tgone(1);\n", ""}};
    EXPECT_THAT([&] { students_part(lab_, solution_); },
                testing::ThrowsMessage<std::runtime_error>(HasSubstr("stage.c: the reference")));
}

TEST_F(Part, EquivalentsAreFoundByWordsOrByName) {
    EXPECT_THAT(found({"", "own.c", "own", "first(b);", ";", "why"}).reasons,
                ElementsAre(testing::Pair("own.c:own:call-2", "why")));
    EXPECT_THAT(found({"", "own.c", "file", "MOST 8", "MOST 9", "why"}).reasons,
                ElementsAre(testing::Pair("own.c:file:off-by-one-1", "why")));
    EXPECT_THAT(found({"stage.c:blank:call-1", "", "", "", "", "why"}).reasons,
                ElementsAre(testing::Pair("stage.c:blank:call-1", "why")));
}

TEST_F(Part, EquivalentsThatMatchNothingAreMistakes) {
    // Not there, not a mutation, not once.
    for (const auto& entry : {Equivalent{"", "own.c", "own", "third(b);", ";", ""},
                              Equivalent{"", "own.c", "own", "first(b);", "second(b);", ""},
                              Equivalent{"", "own.c", "own", "first", ";", ""},
                              Equivalent{"own.c:own:call-9", "", "", "", "", ""}}) {
        EXPECT_THAT(found(entry).mistakes, ElementsAre(HasSubstr("equivalent: ")));
        EXPECT_THAT(found(entry).reasons, IsEmpty());
    }
}

TEST_F(Part, EveryMutationCanBeNamedInLabToml) {
    const auto files = students_part(lab_, solution_);
    const auto all = mutations_of(files);
    for (const auto& one : all) {
        const auto entry = as_equivalent(one, files);
        write_file(lab_.directory / "lab.toml",
                   "title = \"T\"\nstage = \"01\"\nfloor = 5\nminutes = 10\nallow = []\n" + entry);
        lab_.equivalents = read_lab(lab_.directory).equivalents;
        const auto found = equivalents(lab_, files, all);
        EXPECT_THAT(found.mistakes, IsEmpty()) << entry;
        EXPECT_THAT(found.reasons, Contains(testing::Key(one.name()))) << entry;
    }
}

}  // namespace
}  // namespace fwts::grader
