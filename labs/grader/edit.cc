// SPDX-License-Identifier: GPL-2.0
#include "edit.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

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

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) throw std::runtime_error(fmt::format("{}: cannot be read", path.string()));
    return text;
}

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) throw std::runtime_error(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace fwts::grader
