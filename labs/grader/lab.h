// SPDX-License-Identifier: GPL-2.0
// A lab as its directory describes it: labs/NN-name/lab.toml and the files around it.
//
// The checks themselves are C++ (scenario.h); this is everything else.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "edit.h"
#include "intake.h"
#include "params.h"
#include "patients.h"

namespace fwts::grader {

/// A function the student writes: its body is replaced in the skeleton.
struct Blank {
    std::string function;
    std::string body;  ///< without the outer braces
};

/// A known fault put into the reference solution, to prove that the checks notice it.
struct Mutant {
    std::string name;
    std::string story;  ///< what the fault does
    std::vector<Edit> edits;
    std::vector<std::string> fails;    ///< exactly these checks fail …
    std::vector<std::string> blocked;  ///< … and exactly these are blocked
    bool soak = false;                 ///< tried by `make soak` only
};

/// A correct solution in another style: a directory of files and functions (skeleton.h), and what
/// lab.toml says of it.
struct Alternative {
    std::string name;                  ///< of the directory, too
    std::string style;                 ///< what it does in another way
    std::vector<std::string> book;     ///< blanks that it fills as the book does
    std::vector<std::string> without;  ///< functions of the skeleton that it has no use for
    std::vector<Edit> edits;
};

/// One demand of the handout, tied to what looks at it and to what breaks it (clauses.h).
struct Clause {
    std::string name;
    std::vector<std::string> says;  ///< the handout's words, parameters as in the file
    std::vector<std::string> checks;
    std::vector<std::string> mutants;
};

/// What a lab's guest has beyond a card and our agent.
struct GuestNeeds {
    /// What is handed in is not run, and no check asks for a guest.
    bool none = false;
    int cpus = 1;
    /// Without ACPI a guest is ready twice as fast, but has neither MSI-X nor a second processor.
    bool acpi = false;
    /// Streaming mappings lead to a copy elsewhere, as on a machine whose memory the card cannot
    /// reach: what was not mapped, or is changed later, the card does not see.
    bool bounce = false;
    std::vector<std::string> modules;     ///< the kernel's own, inserted before any check: "dca"
    std::vector<std::string> companions;  ///< the book's, lying ready: "dca-provider"
    std::vector<std::string> programs;    ///< of build/bin/in-guest, in the guest's /bin: "frames"
};

/// A mutation of the reference (mutation.h) that changes nothing anybody could see.
struct Equivalent {
    std::string mutant;    ///< its name; or, where this is empty,
    std::string file;      ///< … the file, …
    std::string function;  ///< … the function ("file" outside of any) …
    std::string find;      ///< … and what stands there once …
    std::string replace;   ///< … in whose place the mutation has this
    std::string reason;
};

struct Lab {
    std::string name;  ///< "01-registration"
    std::string title;
    std::string stage;                ///< of the driver it is cut from, "01"; a companion; "none"
    std::filesystem::path directory;  ///< labs/01-registration
    int floor = 0;                    ///< points the skeleton scores as handed out
    int minutes = 0;                  ///< time a student needs
    GuestNeeds guest;
    IntakeRules intake;
    Params params;              ///< already filled in everywhere below
    std::vector<Blank> blanks;  ///< functions taken out of the skeleton …
    std::vector<Edit> gaps;     ///< … and parts of functions taken out of it
    std::vector<Edit> hooks;    ///< changes that the skeleton and every submission start from
    std::vector<Edit> answers;  ///< the reference solution's changes to the driver's own files
    std::vector<Alternative> alternatives;  ///< by the alphabet
    std::vector<Mutant> mutants;
    std::vector<Equivalent> equivalents;
    std::vector<Clause> clauses;
    std::vector<std::string> remarks;  ///< the handout's words that demand nothing
    std::vector<std::string> general;  ///< checks of what any driver must do, not of a clause
    Ward ward;                         ///< drivers that are ill, for labs that have them ...
    std::vector<Patient> patients;     ///< ... and what they have, by the parameter patient_key
    Params secret;  ///< what follows from it: among the params, but told to nobody

    /// Files the lab adds to the stage.
    std::filesystem::path skeleton_dir() const { return directory / "skeleton"; }
    /// Files the reference solution adds or replaces.
    std::filesystem::path solution_dir() const { return directory / "solution"; }
    /// What an alternative consists of, but for what lab.toml says.
    std::filesystem::path alternative_dir(const std::string& wanted) const {
        return directory / "alternatives" / wanted;
    }
    /// @throws std::runtime_error listing the names there are.
    const Alternative& alternative(const std::string& wanted) const;
    const Mutant& mutant(const std::string& wanted) const;
};

/// Reads lab.toml.
/// @param params a file that changes the lab's parameters, or empty.
/// @throws std::runtime_error naming file, line and what is wrong.
Lab read_lab(const std::filesystem::path& directory, const std::filesystem::path& params = {});

/// Finds labs/NN-* below the checkout's labs directory by number or by full name.
/// @throws std::runtime_error listing the labs there are.
std::filesystem::path find_lab(const std::filesystem::path& labs, const std::string& number);

}  // namespace fwts::grader
