// SPDX-License-Identifier: GPL-2.0
#include "roster.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>

#include "files.h"
#include "visible.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* schema = "fwts-class/1";

Json to_json(const Roster& roster) {
    Json json{{"schema", schema},
              {"run", roster.run},
              {"lab", roster.lab},
              {"part", roster.part},
              {"seed", roster.seed ? Json(*roster.seed) : Json()},
              {"has_params", roster.has_params},
              {"submissions", Json::array()}};
    for (const auto& one : roster.submissions)
        json["submissions"].push_back(Json{{"student", one.student},
                                           {"form", to_string(one.form)},
                                           {"place", grader::name_text(one.place.string())},
                                           {"why", one.why}});
    return json;
}

Roster from_json(const Json& json) {
    if (json.at("schema") != schema) throw std::runtime_error("it is of another schema");
    Roster roster;
    roster.run = json.value("run", "");  // lists once had none
    roster.lab = json.at("lab");
    roster.part = json.at("part");
    roster.has_params = json.at("has_params");
    if (!json.at("seed").is_null()) roster.seed = json.at("seed").get<std::uint64_t>();
    for (const auto& entry : json.at("submissions")) {
        Submission one;
        one.student = entry.at("student");
        one.form = form_from(entry.at("form"));
        one.place = grader::name_bytes(entry.at("place").get<std::string>());
        one.why = entry.at("why");
        roster.submissions.push_back(std::move(one));
    }
    return roster;
}

std::string new_run() {
    std::random_device random;
    return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace

Lock::Lock(const fs::path& file, Kind kind, std::string what)
    : file_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)), what_(std::move(what)) {
    take(kind);
}

void Lock::take(Kind kind) {
    const int wanted = kind == Kind::shared ? LOCK_SH : LOCK_EX;
    if (file_.open() && flock(file_.get(), wanted | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw std::runtime_error(
            fmt::format("{}: another classroom is at work there; wait for its end", what_));
}

void write_roster(const ResultsDirectory& out, Roster roster, const fs::path& params) {
    if (fs::exists(out.roster())) {
        const auto there = read_roster(out);
        if (there.lab != roster.lab)
            throw std::runtime_error(
                fmt::format("{} holds results of lab {}; name another directory",
                            out.path().string(), there.lab));
    }
    fs::create_directories(out.path());
    roster.run = new_run();
    roster.has_params = !params.empty();
    if (roster.has_params && !(fs::exists(out.path() / "params.toml") &&
                               fs::equivalent(params, out.path() / "params.toml")))
        replace_file(out.path() / "params.toml", read_file(params));
    replace_file(out.roster(),
                 to_json(roster).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Roster read_roster(const ResultsDirectory& out) {
    if (!fs::exists(out.roster()))
        throw std::runtime_error(fmt::format(
            "{}: no class here; make it with: classroom list --lab NN --submissions DIR "
            "--out {}",
            out.path().string(), out.path().string()));
    try {
        return from_json(Json::parse(read_file(out.roster())));
    } catch (const std::exception& error) {
        throw std::runtime_error(fmt::format("{}: {}", out.roster().string(), error.what()));
    }
}

}  // namespace fwts::classroom
