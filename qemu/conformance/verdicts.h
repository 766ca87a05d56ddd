// SPDX-License-Identifier: GPL-2.0
// What the kernel's selftests said: KTAP, the shell tests' "TEST: … [ OK ]", netdevice.sh's "PASS:
// …", or no more than an exit status.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fwts::conformance {

enum class Verdict { pass, skip, expected_fail, fail };

/// @return the word for it in tables and JSON.
std::string_view word(Verdict verdict);

/// One case of one test.
struct Case {
    std::string test;  ///< its name in tests.sh
    std::string name;  ///< of the case; the test's own when it says no more than its exit status
    Verdict verdict = Verdict::fail;
    std::string why;  ///< what the test said of it, a line at most

    bool operator==(const Case&) const = default;
};

/// Takes in what the guest prints, line by line.
class Listener {
  public:
    /// @param line  without its newline. @return the name of a test that has just ended, or nothing
    std::string hear(std::string_view line);

    [[nodiscard]] const std::vector<Case>& cases() const { return cases_; }
    /// @return the test that is running, or nothing.
    [[nodiscard]] const std::string& running() const { return test_; }
    /// @return whether the guest came to the end of its list.
    [[nodiscard]] bool done() const { return done_; }
    /// @return what the guest's kernel complained of, and what the guest could not do.
    [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

  private:
    void add(std::string name, Verdict verdict, std::string why);
    void end(int status);

    std::vector<Case> cases_;
    std::vector<std::string> complaints_;
    std::map<std::string, int> seen_;  // names of this test's cases
    std::string test_, last_;
    bool any_ = false, failed_ = false, done_ = false;
};

/// How one driver compares with another.
struct Comparison {
    std::vector<Case> behind;  ///< do not pass, but do with the standard
    std::vector<Case>
        absent;  ///< pass with the standard and were not tried: of features that are not offered
};

/// @param standard, tried  all cases of both. A case that was not tried because its test broke off
/// is behind.
Comparison compare(const std::vector<Case>& standard, const std::vector<Case>& tried);

/// Counts a case that did not pass as passed if it does when its test is tried again: the tests
/// wait for a link or for frames for a time, and some of them are a toss with any driver.
/// @param cases  what was heard at first. @param again  what was heard of some of the tests later
/// @return how many cases have changed
std::size_t take_better(std::vector<Case>& cases, const std::vector<Case>& again);

}  // namespace fwts::conformance
