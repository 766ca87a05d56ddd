// SPDX-License-Identifier: GPL-2.0
// Patients: drivers with a fault that somebody is to find from outside (lab 10).
//
// A lab has faults, each an edit of the driver and a number (which queue, which length ...). All
// edits are made in one and the same driver; which of them acts, and with which number, stands in
// one variable of it, eight bytes. So it is compiled once, and two patients differ in these bytes
// only. Who has what follows from a secret text, a parameter of the lab.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "edit.h"
#include "params.h"

namespace fwts::grader {

struct Lab;

/// Something that can be broken.
struct Fault {
    std::string name;    ///< its enumerator in C
    std::string family;  ///< what it has in common with others; each set has two of each family
    std::string story;   ///< what is wrong, for the instructor
    std::vector<unsigned> numbers;  ///< those it can have; not 0
    std::vector<Edit> edits;        ///< of the driver
};

/// The faults of a lab, in the order of their enumerators, the first of which is 1.
struct Ward {
    std::string stage;                          ///< of the driver that falls ill
    std::filesystem::path directory;            ///< what is added to it
    std::vector<std::filesystem::path> shared;  ///< and of the skeleton, what patients have, too
    std::vector<Fault> faults;
};

/// A driver with a fault.
struct Patient {
    char letter = 'a';
    unsigned fault = 0;  ///< its enumerator; 0: it is healthy
    unsigned number = 0;
};

constexpr unsigned patients_per_family = 2;

/// Who has what. The same text gives the same set everywhere.
std::vector<Patient> choose_patients(const Ward& ward, const std::string& secret);

/// What the lab's texts may say of a set, as parameters: answer_a is what patient a has, as in C;
/// number_a the same fault with another number, fault_a another fault; case_a the two numbers.
Params answers_of(const Ward& ward, const std::vector<Patient>& patients);

/// The driver that all patients are, compiled.
/// @param cache  the cache's directory; the objects are kept there.
/// @return the module's bytes, healthy.
/// @throws std::runtime_error when an edit does not fit or it does not compile.
std::string build_ward(const Lab& lab, const std::filesystem::path& driver,
                       const std::filesystem::path& kernel, const std::filesystem::path& cache);

/// A module made ill. @param salt  so that its bytes do not show what two patients share.
std::string made_ill(std::string module, const Patient& patient, std::uint32_t salt);

/// Writes healthy.ko and patient-a.ko ... to a new directory.
void make_patients(const Lab& lab, const std::filesystem::path& driver,
                   const std::filesystem::path& kernel, const std::filesystem::path& cache,
                   const std::filesystem::path& out);

}  // namespace fwts::grader
