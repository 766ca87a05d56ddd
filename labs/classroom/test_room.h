// SPDX-License-Identifier: GPL-2.0
// What the tests share: a place for submissions and results, and zip files nobody should make.
#pragma once

#include <sys/stat.h>
#include <zip.h>

#include <filesystem>
#include <string>
#include <vector>

#include "files.h"
#include "scratch.h"

namespace fwts::classroom {

struct ZipEntry {
    std::string name;
    std::string text;
    unsigned mode = S_IFREG | 0644U;
};

inline void make_zip(const std::filesystem::path& path, const std::vector<ZipEntry>& entries) {
    zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& entry : entries) {
        auto* source = zip_source_buffer(zip, entry.text.data(), entry.text.size(), 0);
        const auto index = zip_file_add(zip, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
        zip_file_set_external_attributes(zip, static_cast<zip_uint64_t>(index), 0, ZIP_OPSYS_UNIX,
                                         entry.mode << 16U);
    }
    zip_close(zip);
}

/// As `words`, from a caller that waits for no child and has closed all three descriptors.
inline std::vector<std::string> carelessly(const std::vector<std::string>& words) {
    std::vector<std::string> all{"sh", "-c",  R"(exec "$@" <&- >&- 2>&-)",
                                 "sh", "env", "--ignore-signal=CHLD"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

/// A directory for one test; TMPDIR leads into it, so that what is left shows.
class TestRoom {
  public:
    TestRoom() {
        std::filesystem::create_directories(handed_in());
        std::filesystem::create_directories(temp());
        setenv("TMPDIR", temp().c_str(), 1);
    }
    ~TestRoom() { unsetenv("TMPDIR"); }
    TestRoom(const TestRoom&) = delete;
    TestRoom& operator=(const TestRoom&) = delete;

    std::filesystem::path path() const { return scratch_.path(); }
    std::filesystem::path handed_in() const { return path() / "in"; }
    std::filesystem::path results() const { return path() / "out"; }
    std::filesystem::path temp() const { return path() / "tmp"; }

    /// A student whose fake grading does what the word says.
    void student(const std::string& name, const std::string& word) const {
        write_file(handed_in() / name / "igbook_lab.c", "/* word: " + word + " */\n");
    }

  private:
    Scratch scratch_{"classroom-test"};
};

}  // namespace fwts::classroom
