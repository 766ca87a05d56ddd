// SPDX-License-Identifier: GPL-2.0
#include "book_index.h"

#include <fstream>

namespace fwts::grader {
namespace fs = std::filesystem;

std::map<std::string, std::string> book_index(const fs::path& book) {
    std::map<std::string, std::string> index;
    for (const char* part : {"chapters", "appendix"}) {
        if (!fs::is_directory(book / part)) continue;
        for (const auto& entry : fs::directory_iterator(book / part)) {
            if (entry.path().extension() != ".rst") continue;
            std::ifstream in(entry.path());
            for (std::string line; std::getline(in, line);) {
                if (!line.starts_with(".. _") || !line.ends_with(':')) continue;
                const auto label = line.substr(4, line.size() - 5);
                // Sphinx turns what HTML would not have in an anchor into hyphens.
                std::string anchor;
                for (const char c : label) anchor += c == '_' || c == '.' ? '-' : c;
                index[label] =
                    std::string(part) + "/" + entry.path().stem().string() + ".html#" + anchor;
            }
        }
    }
    return index;
}

}  // namespace fwts::grader
