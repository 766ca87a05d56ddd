// SPDX-License-Identifier: GPL-2.0
#include "scratch.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace fwts::grader {
namespace fs = std::filesystem;

Scratch::Scratch(const std::string& purpose) {
    std::string name = (fs::temp_directory_path() / ("fwts-" + purpose + "-XXXXXX")).string();
    if (mkdtemp(name.data()) == nullptr)
        throw std::runtime_error(
            fmt::format("{}: cannot make a directory: {}", name, std::strerror(errno)));
    path_ = name;
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

}  // namespace fwts::grader
