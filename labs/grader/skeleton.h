// SPDX-License-Identifier: GPL-2.0
// Makes a lab's source directories out of the driver: skeleton, reference solution, alternatives,
// mutants.
//
// Nothing of the driver is copied into labs/. Everything starts from the stage as loom cuts it, so
// a lab cannot drift from the book unnoticed: an edit that no longer fits stops the work.
#pragma once

#include <filesystem>
#include <string>

#include "lab.h"

namespace fwts::grader {

/// Cuts one stage of the driver into a new directory: "none" is nothing at all.
/// @param driver code/driver.
/// @throws std::runtime_error with loom's message.
void cut_stage(const std::filesystem::path& driver, const std::string& stage,
               const std::filesystem::path& out);

/// What a student starts from: the stage with the lab's hooks, its blanks and gaps empty, the lab's
/// own files added, its handout, and build rules so that `make` works in it.
void make_skeleton(const Lab& lab, const std::filesystem::path& driver,
                   const std::filesystem::path& out);

/// The lab's rules at the door, with what was handed out.
/// @param skeleton the directory that make_skeleton() made.
IntakeRules rules_with(const Lab& lab, const std::filesystem::path& skeleton);

/// The reference solution with every file in place: nothing blanked, the answers applied, and the
/// files of the lab's solution directory laid over it.
void make_solution(const Lab& lab, const std::filesystem::path& driver,
                   const std::filesystem::path& out);

/// One of the lab's alternatives: the skeleton, without what the alternative does not want; its
/// files laid over it, its functions put in the place of the skeleton's, its edits applied.
void make_alternative(const Lab& lab, const Alternative& alternative,
                      const std::filesystem::path& driver, const std::filesystem::path& out);

/// The reference solution with one mutant's fault in it.
void make_mutant(const Lab& lab, const Mutant& mutant, const std::filesystem::path& driver,
                 const std::filesystem::path& out);

}  // namespace fwts::grader
