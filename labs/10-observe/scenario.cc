// SPDX-License-Identifier: GPL-2.0
// Lab 10, Watching: the checks. handout.md is the same list in the student's words.
//
// What is handed in is compiled and never run: the answers are read out of the object file. They
// are compared with what was broken, which follows from the parameter patient_key (patients.h).
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "all_labs.h"
#include "expect.h"
#include "files.h"
#include "object_file.h"
#include "testbed.h"

namespace fwts::labs {
namespace {

using grader::Credit;
using grader::expect_that;
using grader::fail;
using grader::Testbed;

/// As in answers.h.
struct Answer {
    std::uint32_t fault = 0;
    std::uint32_t number = 0;
};

constexpr std::size_t patients = 8;
constexpr int for_the_fault = 8;
constexpr int for_the_number = 4;

std::vector<Answer> answers(const Testbed& testbed) {
    const auto object = read_file(testbed.module());
    grader::Extent place;
    try {
        place = grader::variable_in(object, "answers");
    } catch (const std::runtime_error& error) {
        fail("the answers in the object file", "a variable answers with a value", error.what());
    }
    std::vector<Answer> found(patients);
    const auto wanted = found.size() * sizeof(Answer);
    if (place.size != wanted)
        fail("the answers in the object file", fmt::format("{} bytes", wanted),
             fmt::format("{}", place.size));
    std::memcpy(found.data(), object.data() + place.at, wanted);
    return found;
}

/// What the patient has: it is not to be seen in a report.
Answer truth(const Testbed& testbed, char letter) {
    std::istringstream words(testbed.param(fmt::format("case_{}", letter)));
    Answer answer;
    words >> answer.fault >> answer.number;
    return answer;
}

void check_patient(const Testbed& testbed, char letter) {
    const auto given = answers(testbed).at(static_cast<std::size_t>(letter - 'a'));
    const auto has = truth(testbed, letter);
    const bool fault = given.fault == has.fault;
    Credit credit;
    credit.part(for_the_fault, [&] {
        expect_that(fault, fmt::format("patient-{}.ko, its fault", letter),
                    "the one that was put in",
                    given.fault == 0 ? "FAULT_UNKNOWN" : fmt::format("fault {}", given.fault));
    });
    credit.part(for_the_number, [&] {
        expect_that(fault && given.number == has.number,
                    fmt::format("patient-{}.ko, where it has it", letter),
                    "the right fault with the right number", fmt::format("{}", given.number));
    });
    credit.done();
}

}  // namespace

grader::Scenario observe() {
    grader::Scenario lab("10-observe");
    CHECK_POINTS(4, "the answers are in the form asked for")
        .id("form")
        .hint(
            "The variable is answers, as answers.h has it: global, and not of zeros alone by "
            "having no value.")
        .book("10-observe")
        .run([](Testbed& testbed) { answers(testbed); });
    for (char letter = 'a'; letter < static_cast<char>('a' + patients); ++letter)
        CHECK_POINTS(for_the_fault + for_the_number,
                     fmt::format("patient {}: what is broken, and where", letter))
            .id(fmt::format("patient-{}", letter))
            .after("form")
            .hint(
                "Note all counters, let one frame pass, note them again. Which has moved, and "
                "which not, beside the healthy driver?")
            .book("cov-l2")
            .run([letter](Testbed& testbed) { check_patient(testbed, letter); });
    return lab;
}

}  // namespace fwts::labs
