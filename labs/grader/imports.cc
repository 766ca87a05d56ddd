// SPDX-License-Identifier: GPL-2.0
#include "imports.h"

#include <algorithm>
#include <sstream>

#include "files.h"

namespace fwts::grader {

std::vector<std::string> imports_in(const std::string& nm) {
    std::vector<std::string> found;
    std::istringstream in(nm);
    for (std::string line; std::getline(in, line);) {
        if (line.empty()) continue;
        const auto kind = line.find_first_not_of(' ');
        const bool undefined = kind != std::string::npos && kind + 2 < line.size() &&
                               std::string("Uwv").find(line[kind]) != std::string::npos &&
                               line[kind + 1] == ' ';
        found.push_back(undefined ? line.substr(kind + 2) : line);
    }
    return found;
}

std::vector<std::string> usurped(const std::string& nm, const std::string& symvers) {
    std::set<std::string> exported;
    std::istringstream versions(symvers);
    for (std::string line, crc, name; std::getline(versions, line);)
        if (std::istringstream(line) >> crc >> name) exported.insert(name);
    // Of names that only a file of it knows, those that no program should give.
    const auto reserved = [](const std::string& name) {
        return name.starts_with("__") || name.starts_with("lock") || name.starts_with("debug_") ||
               name.starts_with("refcount_");
    };
    std::vector<std::string> found;
    std::istringstream in(nm);
    for (std::string line; std::getline(in, line);) {
        const auto kind = line.find(' ') + 1;
        if (kind == 0 || kind + 2 >= line.size()) continue;
        const auto name = line.substr(kind + 2);
        const bool global = std::string("ABCDGRSTVWu").find(line[kind]) != std::string::npos;
        if (exported.contains(name) && (global || reserved(name))) found.push_back(name);
    }
    return found;
}

AllowedImports::AllowedImports(const std::filesystem::path& file) {
    std::istringstream in(read_file(file));
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        for (std::string word; words >> word;)
            if (word.ends_with('*'))
                beginnings_.push_back(word.substr(0, word.size() - 1));
            else
                names_.insert(word);
    }
}

bool AllowedImports::allows(const std::string& symbol) const {
    return names_.contains(symbol) ||
           std::any_of(beginnings_.begin(), beginnings_.end(),
                       [&](const auto& beginning) { return symbol.starts_with(beginning); });
}

std::vector<std::string> AllowedImports::refused(const std::vector<std::string>& imports) const {
    std::vector<std::string> found;
    std::copy_if(imports.begin(), imports.end(), std::back_inserter(found),
                 [&](const auto& symbol) { return !allows(symbol); });
    return found;
}

}  // namespace fwts::grader
