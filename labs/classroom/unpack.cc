// SPDX-License-Identifier: GPL-2.0
#include "unpack.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

#include "files.h"
#include "intake.h"
#include "jail.h"
#include "visible.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

constexpr const char* seen_as = "/submission";
constexpr std::chrono::seconds longest{300};

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
           name.find('/') == std::string::npos && grader::visible(name) == name;
}

Limits room_limits(const UnpackLimits& limits) {
    Limits room;
    room.wall = longest;
    room.cpu = std::chrono::seconds(20);
    room.memory_bytes = std::uint64_t{1} << 30U;
    room.file_bytes = limits.total_bytes;
    room.output_bytes = limits.total_bytes + (1U << 20U);
    return room;
}

/// The room's own limits make a refusal of what is too large; whatever else ends it is ours.
std::string why_it_ended(const ProcessResult& result) {
    if (result.timed_out)
        return fmt::format("unpacking took longer than {} s on this machine", longest.count());
    if (result.too_loud) return "more came out of the closed room than is allowed";
    return fmt::format("unpacking ended with status {}: {}", result.status,
                       grader::visible(result.output.substr(0, 600)));
}

/// A copy that the room can read, whoever owns the zip file: in there nobody has root's rights.
std::string copy_zip(const fs::path& zip, const UnpackLimits& limits, const fs::path& to) {
    std::string text;
    auto why = grader::read_regular(AT_FDCWD, zip.string(), limits.archive_bytes, text);
    if (why.empty()) write_file(to, text);
    return why.empty() ? why : fmt::format("the zip file: {}", why);
}

std::string run_room(const Submission& submission, const fs::path& place, const std::string& part,
                     const UnpackLimits& limits) {
    grader::require_jail();
    const auto self = fs::read_symlink("/proc/self/exe");
    grader::Room room;
    room.readable = {self};
    room.sources = place;
    const auto result = grader::run_in_jail(
        room, {self.string(), "in-room", to_string(submission.form), seen_as, part},
        room_limits(limits));
    if (!result.ok()) throw std::runtime_error(why_it_ended(result));
    return result.output;
}

}  // namespace

std::string packed(const Unpacked& found) {
    std::string stream = "fwts-unpacked/2\n";
    const auto add = [&](const char* word, const std::string& text) {
        stream += fmt::format("{} {} {}\n", word, text.size(), text);
    };
    for (const auto& why : found.refused) add("refused", why);
    for (const auto& name : found.ignored) add("ignored", name);
    if (!found.trouble.empty()) add("trouble", found.trouble);
    for (const auto& file : found.files) {
        add("file", file.name);
        add("bytes", file.bytes);
    }
    return stream + "end\n";
}

Unpacked unpacked(const std::string& stream, const UnpackLimits& limits) {
    Unpacked found;
    std::istringstream in(stream);
    std::string word;
    if (!(in >> word) || word != "fwts-unpacked/2")
        throw std::runtime_error("the stream from the room is broken");
    while (in >> word && word != "end") {
        const auto count = number(in);
        in.get();
        const bool content = word == "bytes" && !found.files.empty();
        auto text = bytes(in, count, content ? limits.file_bytes : 8192);
        if (content)
            found.files.back().bytes = std::move(text);
        else if (word == "file")
            found.files.push_back({std::move(text), ""});
        else if (word == "refused")
            found.refused.push_back(std::move(text));
        else if (word == "ignored")
            found.ignored.push_back(std::move(text));
        else if (word == "trouble")
            found.trouble = std::move(text);
        else
            throw std::runtime_error("the stream from the room is broken");
    }
    if (word != "end") throw std::runtime_error("the stream from the room is broken");
    return found;
}

Unpacked unpack(const Submission& submission, const std::string& part, const fs::path& into,
                const UnpackLimits& limits) {
    auto place = submission.place;
    if (submission.form == Form::zip) {
        place = into.parent_path() / "handed-in.zip";
        auto why = copy_zip(submission.place, limits, place);
        if (!why.empty()) return {{}, {why}, {}, {}};
    }
    auto found = unpacked(run_room(submission, place, part, limits), limits);
    if (!found.trouble.empty())
        throw std::runtime_error(
            fmt::format("{}: {}", grader::name_text(submission.place.string()), found.trouble));
    for (const auto& file : found.files)
        if (!may_be_written(file.name))
            throw std::runtime_error("the closed room gave out a file name that is none");
    if (found.refused.empty())
        for (const auto& file : found.files) write_file(into / file.name, file.bytes);
    found.files.clear();
    return found;
}

}  // namespace fwts::classroom
