// SPDX-License-Identifier: GPL-2.0
// The part of the reference that a student writes, and the mutations of it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lab.h"
#include "mutation.h"

namespace fwts::grader {

/// A file of the reference with something of the student's in it.
struct StudentFile {
    std::string name;
    std::string text;
    std::vector<Region> regions;
};

/// Files of solution/ as a whole; of the stage's own files the blanks, the gaps and the answers.
/// @param solution  what make_solution() made.
std::vector<StudentFile> students_part(const Lab& lab, const std::filesystem::path& solution);

std::vector<Mutation> mutations_of(const std::vector<StudentFile>& files);

/// The lab's [[equivalent]] entries, found again among the mutations.
struct Equivalents {
    std::map<std::string, std::string> reasons;  ///< by the mutation's name
    std::vector<std::string> mistakes;           ///< entries that match no mutation
};
Equivalents equivalents(const Lab& lab, const std::vector<StudentFile>& files,
                        const std::vector<Mutation>& all);

/// The entry for lab.toml that names this mutation, its reason still to be written.
std::string as_equivalent(const Mutation& mutation, const std::vector<StudentFile>& files);

}  // namespace fwts::grader
