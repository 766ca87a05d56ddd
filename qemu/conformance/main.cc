// SPDX-License-Identifier: GPL-2.0
// conformance: the kernel's own selftests, with a stage of the driver and, beside it, in-tree igb.
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "accelerator.h"
#include "descriptor.h"
#include "failure.h"
#include "files.h"
#include "process.h"
#include "process_start.h"
#include "progress.h"
#include "scratch.h"
#include "verdicts.h"

namespace {

namespace fs = std::filesystem;
using namespace fwts;
using namespace fwts::conformance;
using fwts::sandbox::SetupError;

constexpr int kSetupStatus = 70;

struct Wish {
    std::vector<std::string> drivers = {"igb", "10"};
    std::string only;
    fs::path json, logs = fs::path(FWTS_SOURCE_DIR) / "build/conformance";
    std::chrono::seconds limit{2700};  // of one guest, wall: KVM is not always there
    bool all = false;
};

/// What one driver's guest has shown.
struct Run {
    std::string driver;
    std::vector<Case> cases;              ///< each as it came out best
    std::vector<std::string> complaints;  ///< of all its guests
};

/// Runs a script of ours, whose messages go to the terminal. @return what it printed, a line
std::string run_script(const std::vector<std::string>& argv) {
    auto pipe = make_pipe();
    const Program program{.argv = argv,
                          .environment = environment(),
                          .directory = {},
                          .out = pipe.write_end.get(),
                          .err = STDERR_FILENO,
                          .inherited = {},
                          .death_signal = SIGTERM,
                          .limits = {}};
    const auto child = start(program);
    pipe.write_end.close();
    std::string text;
    std::array<char, 4096> some{};
    for (ssize_t got = 0; (got = read(pipe.read_end.get(), some.data(), some.size())) > 0;)
        text.append(some.data(), std::size_t(got));
    if (exit_status(wait_for(child)) != 0) throw SetupError(argv[0] + " failed");
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

/// @return the directory of a stage that has been cut. @throws SetupError
fs::path stage_directory(const std::string& stage) {
    const fs::path stages = fs::path(FWTS_SOURCE_DIR) / "build/stages";
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(stages, none))
        if (entry.path().filename().string().starts_with(stage + "-")) return entry.path();
    throw SetupError(
        fmt::format("there is no stage {} in {} (make stages)", stage, stages.string()));
}

std::vector<std::string> qemu(const fs::path& place, const fs::path& tar, const fs::path& console,
                              const std::string& driver, const std::string& only) {
    std::vector<std::string> argv = {
        sandbox::find_qemu(), "-machine",   "q35",      "-smp", "2", "-m", "2048",
        "-nodefaults",        "-no-reboot", "-display", "none"};
    const auto accelerate = sandbox::choose_accelerator("auto").arguments(false, 2);
    argv.insert(argv.end(), accelerate.begin(), accelerate.end());
    const auto words = fmt::format(
        "root=/dev/vda rw console=ttyS0 panic=-1 init=/usr/lib/conformance-init "
        "modprobe.blacklist=igb net.ifnames=0 "
        "fwts.driver={} fwts.only={}",
        driver, only);
    for (const auto& word : std::vector<std::string>{
             "-kernel", place / "vmlinuz", "-initrd", place / "initrd.img", "-append", words,
             "-drive",
             fmt::format("file={},if=virtio,format=raw,snapshot=on", (place / "root.img").string()),
             "-drive", fmt::format("file={},if=virtio,format=raw,read-only=on", tar.string()),
             "-serial", "file:" + console.string(), "-serial", "stdio", "-monitor", "none",
             // Two cards on one hub, each behind a port of its own: buses 1 and 2.
             "-netdev", "hubport,id=h0,hubid=0", "-netdev", "hubport,id=h1,hubid=0", "-device",
             "pcie-root-port,id=r1,chassis=1,slot=1,addr=3", "-device",
             "pcie-root-port,id=r2,chassis=2,slot=2,addr=4", "-device",
             "igb,netdev=h0,bus=r1,mac=52:54:00:00:00:01", "-device",
             "igb,netdev=h1,bus=r2,mac=52:54:00:00:00:02"})
        argv.push_back(word);
    return argv;
}

/// Reads what the guest says until it ends. @return whether it ended by itself
bool listen(int from, std::chrono::steady_clock::time_point end, Listener& heard,
            std::ofstream& log, const std::string& driver) {
    const ProgressLine progress;
    std::string line;
    std::array<char, 4096> some{};
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd wait{from, POLLIN, 0};
        if (poll(&wait, 1, int(left.count())) < 0 && errno != EINTR) return false;
        if (wait.revents == 0) continue;
        const auto got = read(from, some.data(), some.size());
        if (got <= 0) return true;
        log.write(some.data(), got).flush();
        for (const char c : std::string_view(some.data(), std::size_t(got))) {
            if (c != '\n') {
                line += c;
                continue;
            }
            const auto ended = heard.hear(line);
            line.clear();
            if (!ended.empty())
                progress.say(fmt::format("conformance: {}: {} is through", driver, ended));
            progress.show(fmt::format("conformance: {}: {}", driver, heard.running()));
        }
    }
}

/// @param only  the tests, with commas; nothing: all. @param name  of the logs
Run one_guest(const Wish& wish, const fs::path& scratch, const std::string& driver,
              const std::string& only, const std::string& name) {
    const fs::path here = fs::path(FWTS_SOURCE_DIR) / "qemu/conformance";
    const auto tar = scratch / (name + ".tar");
    std::vector<std::string> script = {here / "root", "--disk", tar};
    if (driver != "igb") script.insert(script.end(), {"--module", stage_directory(driver)});
    fmt::print(stderr, "conformance: {}: making ready\n", driver);
    const fs::path place = run_script(script);

    fs::create_directories(wish.logs);
    std::ofstream log(wish.logs / (name + ".log"));
    auto pipe = make_pipe();
    const auto console = wish.logs / (name + ".console");
    const Program program{
        .argv = qemu(place, tar, console, driver == "igb" ? "igb" : "igbook", only),
        .environment = environment(),
        .directory = {},
        .out = pipe.write_end.get(),
        .err = STDERR_FILENO,
        .inherited = {},
        .death_signal = SIGKILL,
        .limits = {.wall = wish.limit}};
    const auto child = start(program);
    pipe.write_end.close();
    Listener heard;
    const bool ended = listen(pipe.read_end.get(), std::chrono::steady_clock::now() + wish.limit,
                              heard, log, driver);
    if (!ended) kill(-child, SIGKILL);
    wait_for(child);
    if (!heard.done())
        throw SetupError(
            fmt::format("the guest with {} {}{}; what it said is in {}, its console in {}", driver,
                        ended ? "ended before its list did" : "took longer than allowed",
                        heard.running().empty() ? "" : ", in test " + heard.running(),
                        (wish.logs / (name + ".log")).string(), console.string()));
    return {driver, heard.cases(), heard.complaints()};
}

void print_counts(const std::vector<Run>& runs) {
    std::vector<std::string> tests;
    for (const auto& run : runs)
        for (const auto& one : run.cases)
            if (std::ranges::find(tests, one.test) == tests.end()) tests.push_back(one.test);
    fmt::print("{:26}", "passed, failed, skipped");
    for (const auto& run : runs) fmt::print("{:>16}", run.driver);
    fmt::print("\n");
    const auto row = [&](const std::string& name, auto&& wanted) {
        fmt::print("{:26}", name);
        for (const auto& run : runs) {
            const auto count = [&](auto&&... verdicts) {
                return std::ranges::count_if(run.cases, [&](const Case& one) {
                    return wanted(one) && ((one.verdict == verdicts) || ...);
                });
            };
            fmt::print("{:>16}", fmt::format("{} {} {}", count(Verdict::pass), count(Verdict::fail),
                                             count(Verdict::skip, Verdict::expected_fail)));
        }
        fmt::print("\n");
    };
    for (const auto& test : tests) row(test, [&](const Case& one) { return one.test == test; });
    row("all", [](const Case&) { return true; });
}

nlohmann::json as_json(const std::vector<Run>& runs) {
    nlohmann::json all;
    for (const auto& run : runs) {
        auto& cases = all["drivers"][run.driver];
        for (const auto& one : run.cases)
            cases.push_back({{"test", one.test},
                             {"case", one.name},
                             {"verdict", word(one.verdict)},
                             {"why", one.why}});
        all["complaints"][run.driver] = run.complaints;
    }
    return all;
}

/// @return how many cases the drivers are behind the first, and prints them.
std::size_t print_comparison(const std::vector<Run>& runs) {
    std::size_t worse = 0;
    const auto& standard = runs.front();
    for (const auto& run : runs) {
        for (const auto& complaint : run.complaints)
            fmt::print("{}: kernel: {}\n", run.driver, complaint);
        const auto comparison = compare(standard.cases, run.cases);
        for (const auto& one : comparison.behind)
            fmt::print("{}: {}: {}: {}{}, and {} passes\n", run.driver, one.test, one.name,
                       word(one.verdict), one.why.empty() ? "" : " (" + one.why + ")",
                       standard.driver);
        if (!comparison.absent.empty())
            fmt::print(
                "{}: {} cases that {} passes were not tried: they are of features that are not "
                "offered (--all)\n",
                run.driver, comparison.absent.size(), standard.driver);
        worse += comparison.behind.size();
    }
    return worse;
}

/// What the standard passes and a driver does not is tried again, twice at most.
void try_again(const Wish& wish, const fs::path& scratch, const Run& standard, Run& run) {
    constexpr int kTries = 2;
    for (int i = 0; i < kTries; i++) {
        std::set<std::string> tests;
        for (const auto& one : compare(standard.cases, run.cases).behind) tests.insert(one.test);
        if (tests.empty()) return;
        const auto only = fmt::format("{}", fmt::join(tests, ","));
        fmt::print(stderr, "conformance: {}: once more: {}\n", run.driver, only);
        const auto again = one_guest(wish, scratch, run.driver, only, run.driver + ".again");
        run.complaints.insert(run.complaints.end(), again.complaints.begin(),
                              again.complaints.end());
        if (take_better(run.cases, again.cases) > 0)
            fmt::print("{}: passed when it was tried again: of {}\n", run.driver, only);
    }
}

int work(const Wish& wish) {
    const Scratch scratch("conformance", Scratch::Care::watched);
    std::vector<Run> runs;
    for (const auto& driver : wish.drivers) {
        runs.push_back(one_guest(wish, scratch.path(), driver, wish.only, driver));
        const auto keep = [&] {
            if (!wish.json.empty()) replace_file(wish.json, as_json(runs).dump(1) + "\n");
        };
        keep();
        if (runs.size() == 1) continue;
        try_again(wish, scratch.path(), runs.front(), runs.back());
        keep();
    }
    if (wish.all)
        for (const auto& run : runs)
            for (const auto& one : run.cases)
                fmt::print("{}: {}: {}: {} {}\n", run.driver, one.test, one.name, word(one.verdict),
                           one.why);
    print_counts(runs);
    if (runs.front().cases.empty()) throw SetupError("no test of that name");
    const auto worse = print_comparison(runs);
    const bool complained = std::ranges::any_of(
        runs, [](const Run& run) { return run.driver != "igb" && !run.complaints.empty(); });
    return worse == 0 && !complained ? 0 : 1;
}

int run(int argc, char** argv) {
    Wish wish;
    CLI::App app{
        "Runs the kernel's own network selftests with a stage of the driver and with in-tree igb, "
        "on Debian 13's\n"
        "stock kernel, and compares: what passes with the first driver named must pass with the "
        "others.\n"
        "Ends with 0 when it does, 1 when not, 70 when it could not be tried. Needs root (as `make "
        "fresh`).",
        "conformance"};
    app.add_option("--driver", wish.drivers,
                   "igb, or the number of a stage; the first is the standard")
        ->capture_default_str();
    app.add_option("--only", wish.only, "tests by name (ping,gro,gro.ipv4.data), with commas");
    app.add_option("--json", wish.json, "write all verdicts here");
    app.add_option("--logs", wish.logs, "where what the guests said is kept")
        ->capture_default_str();
    app.add_option("--limit", wish.limit, "seconds for one guest")->capture_default_str();
    app.add_flag("--all", wish.all, "print every case");
    CLI11_PARSE(app, argc, argv);
    return work(wish);
}

}  // namespace

int main(int argc, char** argv) {
    fwts::settle_inherited();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "conformance: {}\n", error.what());
        return kSetupStatus;
    }
}
