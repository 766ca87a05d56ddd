// SPDX-License-Identifier: GPL-2.0
#include "grading.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <optional>
#include <stdexcept>

#include "book_index.h"
#include "boot_image.h"
#include "builder.h"
#include "complaints.h"
#include "expect.h"
#include "failure.h"
#include "files.h"
#include "imports.h"
#include "jail.h"
#include "prebuilt.h"
#include "processor_time.h"
#include "qmp.h"
#include "scratch.h"
#include "skeleton.h"
#include "testbed.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

milliseconds cpu_so_far(const Testbed* guest) {
    return processor_time() + (guest == nullptr ? milliseconds(0) : guest->processor_time());
}

/// A guest that gets ready on one processor while the submission is compiled on another.
class Boot {
  public:
    explicit Boot(Testbed& testbed)
        : testbed_(testbed),
          ready_(std::async(std::launch::async, [&testbed] { testbed.wait_ready(); })) {}
    ~Boot() {
        if (ready_.valid()) testbed_.end();  // nobody waits for it any more
    }
    Boot(const Boot&) = delete;
    Boot& operator=(const Boot&) = delete;

    /// @throws what Testbed::wait_ready() throws.
    void wait() { ready_.get(); }

  private:
    Testbed& testbed_;
    std::future<void> ready_;
};

/// Notes what a part of the work cost when it goes out of scope.
class Stopwatch {
  public:
    /// @param guest whose processor time counts, too; may be null.
    Stopwatch(std::vector<Cost>& costs, std::string part, const Testbed* guest = nullptr)
        : costs_(costs), part_(std::move(part)), guest_(guest), cpu_start_(cpu_so_far(guest)) {}
    ~Stopwatch() {
        costs_.push_back({part_, std::chrono::duration_cast<milliseconds>(Clock::now() - start_),
                          cpu_so_far(guest_) - cpu_start_});
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

  private:
    std::vector<Cost>& costs_;
    std::string part_;
    const Testbed* guest_;
    Clock::time_point start_ = Clock::now();
    milliseconds cpu_start_;
};

/// What a lost guest left behind, as a verdict.
Verdict lost(const std::string& expected, const sandbox::GuestFailure& failure) {
    Verdict verdict;
    verdict.outcome = Outcome::fail;
    verdict.what = "the guest did not survive this check";
    verdict.expected = expected;
    verdict.seen = failure.message();
    verdict.evidence = failure.backtrace();
    verdict.evidence.insert(verdict.evidence.end(), failure.console().begin(),
                            failure.console().end());
    verdict.guest_lost = true;
    return verdict;
}

Verdict trouble(const std::string& what) {
    Verdict verdict;
    verdict.outcome = Outcome::error;
    verdict.what = what;
    return verdict;
}

/// The guest did all that before the submission's module came: now it is the submission's.
Verdict no_longer(const std::exception& error) {
    Verdict verdict;
    verdict.outcome = Outcome::fail;
    verdict.what = "a machine that works as it did before the module was loaded";
    verdict.expected = "answers that can be understood";
    verdict.seen = error.what();
    return verdict;
}

/// What the kernel complained of since the last call.
std::vector<Complaint> heard(Testbed& testbed) {
    if (!testbed.has_guest()) return {};
    const auto log = testbed.take_log();
    auto found = complaints(log);
    if (!found.empty()) testbed.excuse_watchmen(log);
    return found;
}

Verdict not_tried() {
    Verdict verdict;
    verdict.outcome = Outcome::blocked;
    verdict.what = "a check before it failed, and that is all that was asked";
    return verdict;
}

/// A check that saw what it wanted still fails when the kernel complained meanwhile, or no longer
/// watches as it did.
void demand_silence(Testbed& testbed) {
    const auto found = heard(testbed);
    if (!found.empty())
        fail("the strict kernel complained during this check", "no warning and no BUG",
             found.front().headline, found.front().lines);
    if (!testbed.has_guest()) return;
    const auto forged = testbed.forged_marks();
    if (forged != 0)
        fail("registers that the card does not have, in the record of writes",
             "the grader's own marks alone", fmt::format("{} of somebody else", forged));
    const auto changed = testbed.changed_watchmen();
    if (!changed.empty())
        fail("the kernel's checkers and its taint, read from outside the guest",
             "as they were before the module was loaded", changed.front(), changed);
}

Verdict run_check(const Check& check, Testbed& testbed) {
    try {
        try {
            check.body(testbed);
        } catch (const Failure& failure) {
            // Take the log all the same, or the next check would be blamed for it.
            Verdict verdict = failure.verdict();
            const auto found = heard(testbed);
            if (!found.empty()) {
                verdict.partial = 0;
                verdict.evidence.insert(verdict.evidence.end(), found.front().lines.begin(),
                                        found.front().lines.end());
            }
            return verdict;
        }
        demand_silence(testbed);
        return {};
    } catch (const Failure& failure) {
        return failure.verdict();
    } catch (const sandbox::GuestFailure& failure) {
        return lost("a guest that goes on running", failure);
    } catch (const sandbox::GuestError& error) {
        return no_longer(error);
    } catch (const sandbox::QmpError& error) {
        return no_longer(error);
    } catch (const std::invalid_argument& error) {  // a number was expected where another text is
        return no_longer(error);
    } catch (const std::out_of_range& error) {
        return no_longer(error);
    } catch (const nlohmann::json::exception& error) {
        return no_longer(error);
    } catch (const std::exception& error) {
        return trouble(error.what());
    } catch (...) {
        return trouble("the check ended in a way nobody had foreseen");
    }
}

/// One grading, from the door to the report. Each step returns false when there is no next one.
class Grading {
  public:
    Grading(const Lab& lab, const Scenario& scenario, const Places& places, const Request& request,
            const Watcher& watcher)
        : lab_(lab),
          scenario_(scenario.filled_in(lab.params).only(request.checks)),
          places_(places),
          request_(request),
          watcher_(watcher) {
        report_.lab = lab.name;
        report_.title = lab.title;
        report_.submission = request.submission.string();
        report_.seed = request.seed;
    }

    Report run() {
        try {
            const Stopwatch watch(report_.costs, "all together");
            if (take_in_sources()) build_and_check();
        } catch (const std::exception& error) {
            give_up(Stage::error, error.what());
        }
        report_.costs.back().cpu += in_the_room_;
        const auto index = book_index(places_.book);
        for (auto& check : report_.checks) {
            const auto found = index.find(check.book);
            if (found != index.end()) check.link = found->second;
        }
        return std::move(report_);
    }

  private:
    void step(const std::string& what) const {
        if (watcher_.step) watcher_.step(what);
    }

    void give_up(Stage stage, const std::string& message) {
        report_.stage = stage;
        report_.message = message;
        report_.checks = block_all(scenario_.checks(), message);
    }

    /// The reference solution holds only what differs from the book's code, so its base is the
    /// complete stage; everybody else starts from the skeleton.
    bool is_reference() const {
        std::error_code error;
        return fs::equivalent(request_.submission, lab_.solution_dir(), error);
    }

    bool take_in_sources() {
        if (!request_.module.empty()) return true;
        const Stopwatch watch(report_.costs, "intake");
        make_skeleton(lab_, places_.driver, skeleton());
        if (is_reference()) {
            make_solution(lab_, places_.driver, sources());
            return true;
        }
        fs::copy(skeleton(), sources());
        const auto intake = take_in(request_.submission, rules_with(lab_, skeleton()), sources());
        report_.ignored = intake.ignored;
        if (intake.ok()) return true;
        give_up(Stage::refused, "the submission was not accepted");
        report_.details = intake.refused;
        return false;
    }

    /// A module that asks for what is not on the list is not tried, nor one that would call its own
    /// functions where a checker of the kernel's is meant.
    void refuse_imports(BuildResult& built) const {
        const AllowedImports allowed(places_.labs / "grader" / "imports.txt");
        for (const auto& symbol : allowed.refused(built.imports))
            built.messages.push_back(fmt::format("{}: not to be used in a submission", symbol));
        if (!built.messages.empty())
            built.message =
                "it asks the kernel for what the driver of a card does not need (the list: "
                "labs/grader/imports.txt)";
        else if (!built.usurped.empty())
            built.message = "it has what the kernel has, under the same name";
        else
            return;
        for (const auto& symbol : built.usurped)
            built.messages.push_back(
                fmt::format("{}: the kernel has one of that name; give yours another", symbol));
        built.ok = false;
    }

    BuildResult build() {
        BuildResult built;
        if (!request_.module.empty()) {
            built.ok = true;
            built.module = request_.module;
            return built;
        }
        {
            const Stopwatch watch(report_.costs, "build, while the guest boots");
            const auto objects = prebuilt(skeleton(), places_.kernel, places_.cache);
            built =
                build_module(sources(), places_.kernel, objects, scratch_.path(), build_limits());
            if (built.ok) refuse_imports(built);
        }
        report_.costs.back().cpu += built.cpu;
        in_the_room_ = built.cpu;
        return built;
    }

    void build_and_check() {
        require_jail();
        step(lab_.guest.none ? "building" : "building, while a strict guest boots");
        Testbed testbed({places_.kernel, places_.modules, places_.programs, lab_.guest,
                         request_.seed, lab_.params});
        std::optional<Boot> boot;
        if (testbed.has_guest()) boot.emplace(testbed);
        const BuildResult built = build();
        report_.warnings = built.warnings;
        if (!built.ok) {
            give_up(Stage::build_failed, built.message);
            report_.details = built.messages;
            return;
        }
        if (boot) {
            const Stopwatch watch(report_.costs, "rest of the boot", &testbed);
            step("booting a strict guest");
            boot->wait();
        }
        check(testbed, built);
    }

    void check(Testbed& testbed, const BuildResult& built) {
        report_.kernel = testbed.release();
        testbed.give_module(built.module);
        {
            const Stopwatch watch(report_.costs, "checks", &testbed);
            bool failed = false;
            report_.checks = run_checks(
                scenario_.checks(),
                [&](const Check& check) {
                    if (failed && request_.first_failure) return not_tried();
                    step(fmt::format("checking {}", check.id));
                    auto verdict = run_check(check, testbed);
                    failed = failed || verdict.outcome == Outcome::fail;
                    return verdict;
                },
                watcher_.check, [&] { return cpu_so_far(&testbed); });
        }
        if (!code_as_it_was(testbed)) nothing_was_seen();
        for (const auto& result : report_.checks) {
            if (result.verdict.outcome != Outcome::error) continue;
            report_.stage = Stage::error;
            report_.message = fmt::format("check {}: {}", result.id, result.verdict.what);
        }
        keep_logs(testbed);
    }

    /// Of a guest that is gone nothing can be said, and its last check has failed.
    bool code_as_it_was(Testbed& testbed) const {
        const bool lost = std::any_of(report_.checks.begin(), report_.checks.end(),
                                      [](const auto& result) { return result.verdict.guest_lost; });
        if (lost || !testbed.has_guest()) return true;
        try {
            return testbed.code_unchanged();
        } catch (const sandbox::GuestFailure&) {  // it died after the last check, in silence
            return false;
        }
    }

    /// What a kernel with other code shows is not what the submission does.
    void nothing_was_seen() {
        CheckResult result;
        result.id = "kernel-code";
        result.title = "the kernel's own code stays as it is";
        result.verdict.outcome = Outcome::fail;
        result.verdict.what = "the kernel's code, read from outside the guest after the last check";
        result.verdict.expected = "what it was before the module was loaded";
        result.verdict.seen = "something else; what the other checks saw earns nothing";
        for (auto& check : report_.checks) check.earned = 0;
        report_.checks.push_back(std::move(result));
    }

    void keep_what_was_recorded(const Testbed& testbed) const {
        write_file(request_.keep_logs / "console.log", testbed.console());
        std::string writes;
        for (const auto& write : testbed.writes())
            writes += fmt::format("{{\"offset\":{},\"value\":{}}}\n", write.offset, write.value);
        write_file(request_.keep_logs / "register-writes.jsonl", writes);
    }

    void keep_logs(const Testbed& testbed) const {
        if (request_.keep_logs.empty()) return;
        if (testbed.has_guest()) keep_what_was_recorded(testbed);
        fs::create_directories(request_.keep_logs / "sources");
        fs::copy(sources(), request_.keep_logs / "sources",
                 fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    }

    fs::path skeleton() const { return scratch_.path() / "skeleton"; }
    fs::path sources() const { return scratch_.path() / "sources"; }

    const Lab& lab_;
    const Scenario scenario_;
    const Places& places_;
    const Request& request_;
    const Watcher& watcher_;
    Scratch scratch_{"grade", Scratch::Care::watched};
    Report report_;
    milliseconds in_the_room_{0};  // of the build, whose processes are nobody's children here
};

}  // namespace

Places Places::of_this_program() {
    const auto root = fs::read_symlink("/proc/self/exe").parent_path().parent_path().parent_path();
    Places places;
    places.labs = root / "labs";
    places.book = root / "build" / "book" / "index.json";
    places.driver = root / "code" / "driver";
    places.kernel = root / "build" / "kernel" / "strict";
    places.modules = root / "build" / "modules" / "strict";
    places.programs = root / "build" / "bin" / "in-guest";
    places.cache = sandbox::cache_directory();
    return places;
}

Report grade(const Lab& lab, const Scenario& scenario, const Places& places, const Request& request,
             const Watcher& watcher) {
    return Grading(lab, scenario, places, request, watcher).run();
}

}  // namespace fwts::grader
