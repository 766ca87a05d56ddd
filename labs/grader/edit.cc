// SPDX-License-Identifier: GPL-2.0
#include "edit.h"

#include <fmt/format.h>

#include <stdexcept>

#include "files.h"

namespace fwts::grader {

std::string edited(const Edit& edit, const std::string& text) {
    const auto first_line = edit.find.substr(0, edit.find.find('\n'));
    const auto at = edit.find.empty() ? std::string::npos : text.find(edit.find);
    if (at == std::string::npos)
        throw std::runtime_error(fmt::format(
            "{}: the text to replace is not there: \"{}\"; the driver has changed, so mend the "
            "lab's edit",
            edit.file, first_line));
    if (text.find(edit.find, at + 1) != std::string::npos)
        throw std::runtime_error(
            fmt::format("{}: the text to replace occurs more than once: \"{}\"; make it longer",
                        edit.file, first_line));
    return text.substr(0, at) + edit.replace + text.substr(at + edit.find.size());
}

void apply_all(const std::vector<Edit>& edits, const std::filesystem::path& dir) {
    for (const auto& edit : edits) {
        const auto path = dir / edit.file;
        write_file(path, edited(edit, read_file(path)));
    }
}

}  // namespace fwts::grader
