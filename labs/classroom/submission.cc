// SPDX-License-Identifier: GPL-2.0
#include "submission.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>

#include "intake.h"
#include "visible.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t longest_name = 160;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool is_real_directory(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() == fs::file_type::directory;
}

bool is_real_file(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() == fs::file_type::regular;
}

bool is_repository(const fs::path& path) {
    return is_real_file(path / "HEAD") && is_real_directory(path / "objects") &&
           is_real_directory(path / "refs");
}

bool is_foreign_archive(const fs::path& path) {
    static const std::vector<std::string> endings{".rar", ".7z",  ".tar", ".tgz",
                                                  ".gz",  ".bz2", ".xz",  ".zst"};
    return std::find(endings.begin(), endings.end(), lower(path.extension().string())) !=
           endings.end();
}

/// Learning platforms put a student's zip file into a directory of its own. What systems add to it,
/// and a README, make no difference; a source or a directory beside it does.
fs::path only_zip_in(const fs::path& dir) {
    fs::path found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir, error)) {
        const auto name = entry.path().filename().string();
        if (grader::is_clutter(name)) continue;
        const bool zip = lower(entry.path().extension().string()) == ".zip";
        if (!is_real_file(entry.path()) || grader::could_be_built(name) || (zip && !found.empty()))
            return {};
        if (zip) found = entry.path();
    }
    return found;
}

std::string without(const std::string& name, const std::string& ending) {
    return name.ends_with(ending) && name.size() > ending.size()
               ? name.substr(0, name.size() - ending.size())
               : name;
}

/// @return false when the entry is nobody's submission.
bool look_at(const fs::path& place, Submission& found) {
    const std::string name = place.filename().string();
    found.place = fs::absolute(place).lexically_normal();
    found.student = grader::name_text(name);
    std::error_code error;
    const auto type = fs::symlink_status(place, error).type();
    if (type == fs::file_type::directory) {
        found.student = grader::name_text(without(name, ".git"));
        found.form = is_repository(place) ? Form::repository : Form::directory;
        if (const auto zip = only_zip_in(place); !zip.empty()) {
            found.form = Form::zip;
            found.place = fs::absolute(zip).lexically_normal();
        }
        return true;
    }
    found.form = Form::unusable;
    if (type == fs::file_type::symlink) {
        found.why = "it is a symbolic link; nothing is read through links";
        return true;
    }
    if (type != fs::file_type::regular) return false;
    found.student = grader::name_text(place.stem().string());
    if (lower(place.extension().string()) == ".zip") {
        found.form = Form::zip;
        return true;
    }
    found.why = "this kind of archive is not read; hand in a directory, a zip file or a repository";
    return is_foreign_archive(place);
}

void add_directory(const fs::path& dir, std::vector<Submission>& all,
                   std::vector<std::string>& passed_over) {
    for (const auto& entry : fs::directory_iterator(dir)) {
        const std::string name = entry.path().filename().string();
        Submission found;
        if (grader::is_clutter(name) || !look_at(entry.path(), found))
            passed_over.push_back(grader::name_text(name));
        else
            all.push_back(std::move(found));
    }
}

void add_repository_url(const std::string& url, std::vector<Submission>& all) {
    fs::path path = url.substr(std::string("file://").size());
    if (!fs::is_directory(path))
        throw std::runtime_error(fmt::format("{}: there is no such repository", url));
    Submission found;
    if (!path.has_filename()) path = path.parent_path();
    found.student = grader::name_text(without(path.filename().string(), ".git"));
    found.form = Form::repository;
    found.place = is_repository(path) ? path : path / ".git";
    all.push_back(std::move(found));
}

void add_place(const std::string& place, std::vector<Submission>& all,
               std::vector<std::string>& passed_over) {
    if (place.starts_with("file://")) return add_repository_url(place, all);
    if (place.find("://") != std::string::npos)
        throw std::runtime_error(fmt::format(
            "{}: nothing is fetched here; clone it first (git clone --bare) and name the copy",
            place));
    if (!fs::exists(fs::symlink_status(place)))
        throw std::runtime_error(fmt::format("{}: there is no such directory or file", place));
    if (fs::is_directory(place) && !is_repository(place)) {
        add_directory(place, all, passed_over);
        return;
    }
    Submission found;
    if (!look_at(place, found))
        throw std::runtime_error(
            fmt::format("{}: neither a directory, a zip file nor a repository", place));
    all.push_back(std::move(found));
}

/// Keeps one entry a student; who is there twice becomes unusable.
std::vector<Submission> one_each(const std::vector<Submission>& all) {
    std::map<std::string, Submission> by_name;
    for (const auto& submission : all) {
        const auto [at, fresh] = by_name.emplace(submission.student, submission);
        if (fresh) continue;
        auto& first = at->second;
        if (first.why.empty() || first.form != Form::unusable)
            first.why = fmt::format("handed in more than once: {}",
                                    grader::name_text(first.place.string()));
        first.form = Form::unusable;
        first.why += fmt::format(", {}", grader::name_text(submission.place.string()));
    }
    std::vector<Submission> result;
    result.reserve(by_name.size());
    for (auto& [name, submission] : by_name) result.push_back(std::move(submission));
    return result;
}

}  // namespace

const char* to_string(Form form) {
    switch (form) {
        case Form::directory:
            return "directory";
        case Form::zip:
            return "zip";
        case Form::repository:
            return "repository";
        case Form::unusable:
            break;
    }
    return "unusable";
}

Form form_from(const std::string& word) {
    for (const Form form : {Form::directory, Form::zip, Form::repository, Form::unusable})
        if (word == to_string(form)) return form;
    throw std::runtime_error(fmt::format("{}: no form of a submission", word));
}

std::string directory_name(const std::string& student) {
    std::string name;
    for (const char c : student) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte < 0x80 && std::isalnum(byte) != 0) || c == '_' || c == '-' ||
                           c == '@' || (c == '.' && !name.empty());
        name += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    if (name.size() <= longest_name) return name;
    // Too long for a file system: its beginning, and a number that another name will not have.
    std::uint64_t number = 14695981039346656037U;
    for (const char c : student) number = (number ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return fmt::format("{}-{:016x}", name.substr(0, longest_name - 20), number);
}

std::vector<Submission> find_submissions(const std::vector<std::string>& places,
                                         std::vector<std::string>& passed_over) {
    std::vector<Submission> all;
    for (const auto& place : places) add_place(place, all, passed_over);
    std::sort(passed_over.begin(), passed_over.end());
    return one_each(all);
}

}  // namespace fwts::classroom
