// SPDX-License-Identifier: GPL-2.0
#include "files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace fwts {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const char* what, int why) {
    throw std::runtime_error(path.string() + ": " + what + ": " + std::strerror(why));
}

}  // namespace

std::string read_file(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) fail(path, "cannot be read", EISDIR);
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (in) return text;
    fail(path, "cannot be read", errno != 0 ? errno : EIO);
}

void write_file(const fs::path& path, std::string_view text) {
    std::error_code ignored;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
    errno = 0;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) fail(path, "cannot be written", errno != 0 ? errno : EIO);
}

void replace_file(const fs::path& path, std::string_view text) {
    const fs::path fresh =
        path.parent_path() / ("." + path.filename().string() + "." + std::to_string(getpid()));
    std::error_code error;
    try {
        write_file(fresh, text);
    } catch (...) {
        fs::remove(fresh, error);
        throw;
    }
    fs::rename(fresh, path, error);
    if (!error) return;
    const int why = error.value();
    fs::remove(fresh, error);
    fail(path, "cannot be replaced", why);
}

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

}  // namespace fwts
