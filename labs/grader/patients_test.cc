// SPDX-License-Identifier: GPL-2.0
#include "patients.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "files.h"
#include "lab.h"
#include "scratch.h"

namespace fwts::grader {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const fs::path labs = fs::path(FWTS_SOURCE_DIR) / "labs";

class Patients : public testing::Test {
  protected:
    const Ward& ward() const { return lab_.ward; }

    std::map<std::string, int> family_sizes(const std::vector<Patient>& set) const {
        std::map<std::string, int> sizes;
        for (const auto& patient : set) ++sizes[ward().faults.at(patient.fault - 1).family];
        return sizes;
    }

    Lab lab_ = read_lab(find_lab(labs, "10"));
};

/// The same everywhere: a set is never written down.
TEST_F(Patients, FollowFromTheSecret) {
    const auto set = choose_patients(ward(), "the set of the book");
    EXPECT_THAT(lab_.params.at("case_a"),
                std::to_string(set[0].fault) + " " + std::to_string(set[0].number));
    EXPECT_THAT(set, SizeIs(8));
}

TEST_F(Patients, HaveTwoOfEachFamilyAndNoneTwice) {
    std::set<unsigned> faults;
    std::set<std::string> sets;
    for (int i = 0; i < 500; ++i) {
        const auto set = choose_patients(ward(), "secret " + std::to_string(i));
        std::set<unsigned> here;
        std::string all;
        for (const auto& patient : set) {
            const auto& numbers = ward().faults.at(patient.fault - 1).numbers;
            EXPECT_NE(std::find(numbers.begin(), numbers.end(), patient.number), numbers.end());
            here.insert(patient.fault);
            all += std::to_string(patient.fault) + " " + std::to_string(patient.number) + ";";
        }
        EXPECT_THAT(here, SizeIs(8));
        for (const auto& [family, size] : family_sizes(set)) EXPECT_EQ(size, 2) << family;
        faults.insert(here.begin(), here.end());
        sets.insert(all);
    }
    EXPECT_THAT(faults, SizeIs(ward().faults.size()));
    EXPECT_THAT(sets, SizeIs(500));
}

/// faults.h and lab.toml name them in the same order.
TEST_F(Patients, AreCalledAsInC) {
    const auto text = read_file(lab_.skeleton_dir() / "faults.h");
    const std::regex enumerator("\n\t(FAULT_[A-Z_]+),");
    std::vector<std::string> names;
    for (std::sregex_iterator one(text.begin(), text.end(), enumerator), end; one != end; ++one)
        names.push_back((*one)[1]);
    ASSERT_THAT(names, SizeIs(ward().faults.size() + 1));
    for (std::size_t i = 0; i < ward().faults.size(); ++i)
        EXPECT_EQ(names[i + 1], ward().faults[i].name);
}

/// Whoever has the handout and the skeleton has no answer.
TEST_F(Patients, AreNotBetrayed) {
    EXPECT_THAT(read_file(lab_.directory / "handout.md"), Not(HasSubstr("@answer")));
    for (const auto& entry : fs::directory_iterator(lab_.skeleton_dir()))
        EXPECT_THAT(read_file(entry.path()), Not(testing::ContainsRegex("@(answer|case)_")));
}

TEST_F(Patients, AnotherSecretIsAnotherSet) {
    const Scratch scratch("params");
    write_file(scratch.path() / "mine.toml", "patient_key = \"somebody's own\"\n");
    EXPECT_ANY_THROW(read_lab(lab_.directory, scratch.path() / "mine.toml"));  // an apostrophe
    write_file(scratch.path() / "mine.toml", "patient_key = \"a set of my own\"\n");
    EXPECT_NE(read_lab(lab_.directory, scratch.path() / "mine.toml").secret, lab_.secret);
    write_file(scratch.path() / "mine.toml", "answer_a = \"FAULT_LEAK, 1\"\n");
    EXPECT_ANY_THROW(read_lab(lab_.directory, scratch.path() / "mine.toml"));
}

}  // namespace
}  // namespace fwts::grader
