// SPDX-License-Identifier: GPL-2.0
#include "escape.h"

#include <sstream>

#include "visible.h"

namespace fwts::classroom {

std::string plain(const std::string& text) {
    return grader::visible(text, "\n\t");
}

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : plain(text)) {
        switch (c) {
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '&':
                result += "&amp;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                result += c;
        }
    }
    return result;
}

std::string escaped_markdown(const std::string& text) {
    static const std::string special = "\\`*_{}[]<>()#+!|~&";
    std::string result;
    for (const char c : plain(text)) {
        if (c == '\n') {
            result += ' ';
            continue;
        }
        if (special.find(c) != std::string::npos) result += '\\';
        result += c;
    }
    return result;
}

std::string code_block(const std::string& text) {
    std::string result;
    std::istringstream in(plain(text));
    for (std::string line; std::getline(in, line);) result += "    " + line + "\n";
    return result;
}

std::string csv_field(const std::string& text) {
    std::string clean = plain(text);
    if (!clean.empty() && std::string("=+-@\t").find(clean.front()) != std::string::npos)
        clean.insert(0, 1, '\'');
    if (clean.find_first_of(",\"\n") == std::string::npos) return clean;
    std::string quoted = "\"";
    for (const char c : clean) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string one_line(const std::string& text) {
    std::string result;
    for (const char c : plain(text)) result += c == '\n' || c == '#' ? ' ' : c;
    return result;
}

}  // namespace fwts::classroom
