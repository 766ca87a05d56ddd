// SPDX-License-Identifier: GPL-2.0
// The scenario API: a lab's checks, written so that the source reads like the lab sheet.
//
//     Scenario lab("01-registration");
//     CHECK_POINTS(10, "the interface carries the address stored in the NVM")
//         .id("mac")
//         .after("loads")
//         .hint("EERD gives one 16-bit word at a time, low byte first.")
//         .book("registration-mac")
//         .run([](Testbed& testbed) { expect_equal("address of eth0", testbed.mac(), ...); });
//
// Checks run in the order they are written, in one guest. A check must leave the guest as it found
// it (module loaded, cable plugged), because the next one starts from there.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "params.h"

namespace fwts::grader {

class Testbed;

/// One demand of the lab sheet.
struct Check {
    std::string id;     ///< short and stable: reports and mutants name it
    std::string title;  ///< what is demanded, for the student
    int points = 0;
    std::vector<std::string> depends;  ///< ids of checks that must have passed
    std::string hint;
    std::string book;
    std::function<void(Testbed&)> body;  ///< throws Failure when the demand is not met
    std::string place;                   ///< "scenario.cc:12", for the lab's author
};

/// Fills in the parts of a check that follow its title.
class CheckBuilder {
  public:
    explicit CheckBuilder(Check& check) : check_(check) {}

    /// Short and stable: reports and mutants name the check by it. Must be given.
    CheckBuilder& id(std::string text);
    /// Where in the lab's source it is written.
    CheckBuilder& at(const char* file, int line);
    /// The check is not tried unless the check named `id` passed.
    CheckBuilder& after(std::string id);
    /// Shown to the student when the check did not pass.
    CheckBuilder& hint(std::string text);
    /// Label of the section of the book that explains what is demanded.
    CheckBuilder& book(std::string label);
    /// What is done and looked at. Must be given.
    void run(std::function<void(Testbed&)> body);

  private:
    Check& check_;
};

/// All checks of a lab, in order.
class Scenario {
  public:
    /// @param lab name of the lab's directory under labs/.
    explicit Scenario(std::string lab) : lab_(std::move(lab)) {}

    /// Adds a check worth `points`. The builder returned is valid until the next call.
    /// @param title what is demanded, for the student.
    CheckBuilder check_points(int points, std::string title);

    /// The same with parameters in titles and hints.
    Scenario filled_in(const Params& params) const;

    /// The checks named, and those they need, in their order. All, if none is named.
    /// @throws std::runtime_error when a check has no such name.
    Scenario only(const std::vector<std::string>& ids) const;

    const std::string& lab() const { return lab_; }
    const std::vector<Check>& checks() const { return checks_; }

    /// Mistakes of the lab's author: duplicate ids, a dependency that is unknown or comes later,
    /// a check without body, hint or book link.
    /// @return one sentence each; empty when the scenario is sound.
    std::vector<std::string> mistakes() const;

  private:
    std::string lab_;
    std::vector<Check> checks_;
};

}  // namespace fwts::grader

/// Begins a check of the scenario called `lab`, and notes where it is written. What is demanded, in
/// one sentence, comes with it; the rest follows: .id(), .after(), .hint(), .book(), .run().
#define CHECK_POINTS(points, title) lab.check_points((points), (title)).at(__FILE__, __LINE__)
