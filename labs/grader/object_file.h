// SPDX-License-Identifier: GPL-2.0
// Object file: where in an ELF file of 64 bits the bytes of a variable stand.
//
// The file may have been made from strangers' text, so nothing in it is believed: what points
// outside of it is a reason to say no.
#pragma once

#include <cstddef>
#include <string>

namespace fwts::grader {

/// Some bytes of a file.
struct Extent {
    std::size_t at = 0;
    std::size_t size = 0;
};

/// Finds a global variable that has a value in the file.
/// @param object  the whole file.
/// @throws std::runtime_error saying why not: it is not there, twice, without a value, or the file
/// is none such.
Extent variable_in(const std::string& object, const std::string& name);

}  // namespace fwts::grader
