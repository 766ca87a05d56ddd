// SPDX-License-Identifier: GPL-2.0
// What a submission's module may ask the kernel for: what the driver of a network card needs.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace fwts::grader {

/// The symbols that a module does not bring itself, out of what `nm -u` prints. A line that is none
/// of nm's comes back whole, so that no list allows it.
std::vector<std::string> imports_in(const std::string& nm);

/// Symbols of the kernel's that a module defines itself: what is meant for the kernel, a call of
/// one of its checkers for example, would stay in the module.
/// @param nm       what nm --defined-only prints
/// @param symvers  what the kernel exports: its Module.symvers
std::vector<std::string> usurped(const std::string& nm, const std::string& symvers);

/// The list: a symbol a line, or the beginning of some and '*'; '#' begins a comment.
class AllowedImports {
  public:
    /// @throws std::runtime_error when it cannot be read.
    explicit AllowedImports(const std::filesystem::path& file);

    /// Those of `imports` that are not on the list.
    std::vector<std::string> refused(const std::vector<std::string>& imports) const;

    bool allows(const std::string& symbol) const;

  private:
    std::set<std::string> names_;
    std::vector<std::string> beginnings_;
};

}  // namespace fwts::grader
