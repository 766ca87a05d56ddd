// SPDX-License-Identifier: GPL-2.0
#include "unpack.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

#include "edit.h"
#include "intake.h"
#include "jail.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

constexpr const char* seen_as = "/submission";

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    std::istringstream in(path);
    for (std::string part; std::getline(in, part, '/');)
        if (!part.empty() && part != ".") parts.push_back(part);
    return parts;
}

std::string joined(const std::vector<std::string>& parts, std::size_t from) {
    std::string path;
    for (std::size_t i = from; i < parts.size(); ++i) path += (i > from ? "/" : "") + parts[i];
    return path;
}

bool shown_safely(const std::string& text) {
    return std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

std::string first_part(const std::string& path) {
    return path.substr(0, path.find('/'));
}

/// The directory that every file lies in, or nothing.
std::string common_directory(const std::vector<PlainFile>& files) {
    if (files.empty()) return {};
    const auto slash = files.front().name.find('/');
    if (slash == std::string::npos) return {};
    const auto first = first_part(files.front().name);
    const bool shared = std::all_of(files.begin(), files.end(), [&](const auto& file) {
        return file.name.find('/') != std::string::npos && first_part(file.name) == first;
    });
    return shared ? first : std::string{};
}

std::uint64_t number(std::istream& in) {
    std::uint64_t value = 0;
    if (!(in >> value)) throw std::runtime_error("the stream from the room is broken");
    return value;
}

std::string bytes(std::istream& in, std::uint64_t count, std::uint64_t limit) {
    if (count > limit) throw std::runtime_error("the stream from the room holds more than allowed");
    std::string text(count, '\0');
    if (!in.read(text.data(), static_cast<std::streamsize>(count)))
        throw std::runtime_error("the stream from the room is broken");
    return text;
}

bool may_be_written(const std::string& name) {
    return !name.empty() && name != "." && name != ".." && name.size() <= 200 &&
           name.find('/') == std::string::npos && shown_safely(name);
}

grader::Limits room_limits(const UnpackLimits& limits) {
    grader::Limits room;
    room.wall = std::chrono::seconds(30);
    room.cpu = std::chrono::seconds(20);
    room.memory_bytes = std::uint64_t{1} << 30U;
    room.file_bytes = limits.total_bytes;
    room.output_bytes = limits.total_bytes + (1U << 20U);
    return room;
}

std::string why_it_ended(const grader::ProcessResult& result) {
    if (result.timed_out) return "unpacking took longer than 30 seconds";
    if (result.too_loud) return "it unpacks to more than is accepted";
    return fmt::format("it cannot be unpacked (status {})", result.status);
}

}  // namespace

EntryPath judge_path(const std::string& path, const std::string& part) {
    EntryPath judged;
    const std::string shown = shown_safely(path) ? path : "a name with control characters";
    const auto parts = parts_of(path);
    const auto wanted = parts_of(part);
    judged.skip = parts.empty() || parts.front() == "__MACOSX" ||
                  std::any_of(parts.begin(), parts.end(), grader::is_clutter);
    if (judged.skip) return judged;
    if (path.starts_with('/') || path.find('\\') != std::string::npos || !shown_safely(path) ||
        std::find(parts.begin(), parts.end(), "..") != parts.end()) {
        judged.why = fmt::format("{}: a path that leads out of the archive", shown);
        return judged;
    }
    judged.skip =
        parts.size() <= wanted.size() || !std::equal(wanted.begin(), wanted.end(), parts.begin());
    if (!judged.skip) judged.path = joined(parts, wanted.size());
    return judged;
}

Unpacked without_common_directory(Unpacked found) {
    for (auto top = common_directory(found.files); !top.empty();
         top = common_directory(found.files))
        for (auto& file : found.files) file.name.erase(0, top.size() + 1);
    std::set<std::string> names;
    for (const auto& file : found.files) {
        if (file.name.find('/') != std::string::npos)
            found.refused.push_back(
                fmt::format("{}: it lies in a directory; this lab has none", file.name));
        else if (!names.insert(file.name).second)
            found.refused.push_back(fmt::format("{}: it is there twice", file.name));
    }
    return found;
}

std::string packed(const Unpacked& found) {
    std::string stream = "fwts-unpacked/1\n";
    for (const auto& why : found.refused) stream += fmt::format("refused {} {}\n", why.size(), why);
    for (const auto& file : found.files)
        stream += fmt::format("file {} {} {}{}\n", file.name.size(), file.bytes.size(), file.name,
                              file.bytes);
    return stream + "end\n";
}

Unpacked unpacked(const std::string& stream, const UnpackLimits& limits) {
    Unpacked found;
    std::istringstream in(stream);
    std::string word;
    if (!(in >> word) || word != "fwts-unpacked/1")
        throw std::runtime_error("the stream from the room is broken");
    while (in >> word && word != "end") {
        const auto first = number(in);
        if (word == "refused") {
            in.get();
            found.refused.push_back(bytes(in, first, 4096));
            continue;
        }
        const auto second = number(in);
        in.get();
        PlainFile file;
        file.name = bytes(in, first, 4096);
        file.bytes = bytes(in, second, limits.file_bytes);
        found.files.push_back(std::move(file));
    }
    if (word != "end") throw std::runtime_error("the stream from the room is broken");
    return found;
}

std::vector<std::string> unpack(const Submission& submission, const std::string& part,
                                const fs::path& into, const UnpackLimits& limits) {
    const bool zip = submission.form == Form::zip;
    std::error_code error;
    if (zip && fs::file_size(submission.place, error) > limits.archive_bytes)
        return {fmt::format("the zip file is larger than {} MiB", limits.archive_bytes >> 20U)};
    grader::require_jail();
    const auto self = fs::read_symlink("/proc/self/exe");
    grader::Room room;
    room.readable = {self};
    room.sources = submission.place;
    const auto result = grader::run_in_jail(
        room, {self.string(), "in-room", zip ? "zip" : "repository", seen_as, part},
        room_limits(limits));
    if (!result.ok()) return {why_it_ended(result)};
    Unpacked found;
    try {
        found = unpacked(result.output, limits);
    } catch (const std::runtime_error& broken) {
        return {fmt::format("it cannot be unpacked: {}", broken.what())};
    }
    for (const auto& file : found.files)
        if (!may_be_written(file.name)) found.refused.emplace_back("a file name that is none");
    if (!found.refused.empty()) return found.refused;
    fs::create_directories(into);
    for (const auto& file : found.files) grader::write_file(into / file.name, file.bytes);
    return {};
}

}  // namespace fwts::classroom
