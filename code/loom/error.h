// SPDX-License-Identifier: GPL-2.0
/// @file
/// What loom says when the source is not as it should be: the place, what is wrong there, and what
/// to do about it. Errors are collected and reported together, so that one run shows them all.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace fwts::loom {

/// One complaint. `line` counts from 1; 0 means the file as a whole.
struct Error {
    std::string file;
    int line = 0;
    std::string what;
    std::string what_to_do;
};

using Errors = std::vector<Error>;

/// The printed form, `file:line: error: what; what to do` (without the line when it is 0).
std::string to_string(const Error& error);

/// Ends an operation that cannot go on, with every complaint found so far.
class Failure : public std::runtime_error {
  public:
    explicit Failure(Errors errors);
    explicit Failure(Error error);
    const Errors& errors() const { return errors_; }

  private:
    Errors errors_;
};

/// Throws a Failure when `errors` holds anything.
void throw_if_any(const Errors& errors);

}  // namespace fwts::loom
