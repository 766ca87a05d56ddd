// SPDX-License-Identifier: GPL-2.0
#include <nlohmann/json.hpp>
#include <ostream>

#include "report.h"

namespace fwts::grader {
namespace {

using Json = nlohmann::ordered_json;

Json check_json(const CheckResult& check) {
    return Json{{"id", check.id},
                {"title", check.title},
                {"outcome", to_string(check.verdict.outcome)},
                {"earned", check.earned},
                {"points", check.points},
                {"depends", check.depends},
                {"what", check.verdict.what},
                {"expected", check.verdict.expected},
                {"seen", check.verdict.seen},
                {"evidence", check.verdict.evidence},
                {"hint", check.hint},
                {"book", check.book},
                {"link", check.link},
                {"ms", check.time.count()},
                {"cpu_ms", check.cpu.count()}};
}

}  // namespace

void JsonWriter::write(const Report& report, std::ostream& out) const {
    Json json{{"schema", "fwts-grade/1"},
              {"lab", report.lab},
              {"title", report.title},
              {"submission", report.submission},
              {"seed", report.seed},
              {"kernel", report.kernel},
              {"stage", to_string(report.stage)},
              {"message", report.message},
              {"details", report.details},
              {"ignored", report.ignored},
              {"warnings", report.warnings},
              {"earned", report.earned()},
              {"points", report.possible()},
              {"checks", Json::array()},
              {"costs", Json::array()}};
    for (const auto& check : report.checks) json["checks"].push_back(check_json(check));
    for (const auto& cost : report.costs)
        json["costs"].push_back(
            Json{{"part", cost.part}, {"ms", cost.time.count()}, {"cpu_ms", cost.cpu.count()}});
    // A guest can print any byte it likes; what is not UTF-8 must not stop the report.
    out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace fwts::grader
