// SPDX-License-Identifier: GPL-2.0
// Mutations: small changes to a C text, each such as a tired person makes.
//
// A check that no mutation of the reference can fail looks at nothing; a mutation that no check
// notices is a demand nobody looks at, or no change at all. mutate.h grades them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fwts::grader {

/// A part of a text that may be changed, and the function it lies in.
struct Region {
    std::string function;  ///< "file" outside of functions
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// One replacement. Newlines stay, so that no other line moves.
struct Change {
    std::size_t at = 0;
    std::size_t length = 0;
    std::string text;
};

struct Mutation {
    std::string file;
    std::string function;
    std::string op;               ///< the operator, "compare"
    int ordinal = 0;              ///< counted for each operator and function, from 1
    std::vector<Change> changes;  ///< from the front to the back

    /// Does not change with lines or with other functions: "igbook_tx.c:igbook_tx_clean:compare-2".
    std::string name() const;
    /// @param text what it was made from.
    std::string applied(const std::string& text) const;
};

/// All mutations of the regions, in the order of the text; no two give the same text.
std::vector<Mutation> mutations(const std::string& file, const std::string& text,
                                const std::vector<Region>& regions);

/// The changed lines as a small diff, "-" and "+" before them.
std::string small_diff(const Mutation& mutation, const std::string& text);

/// Some of them, spread over functions and operators; the same for the same seed.
std::vector<Mutation> sample(std::vector<Mutation> all, std::size_t how_many, std::uint64_t seed);

}  // namespace fwts::grader
