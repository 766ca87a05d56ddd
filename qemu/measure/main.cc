// SPDX-License-Identifier: GPL-2.0
// measure: what a frame costs, in instructions of the guest.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>

#include "executed.h"
#include "failure.h"
#include "files.h"
#include "kernel_symbols.h"
#include "measured_guest.h"
#include "process_start.h"
#include "profile.h"
#include "rows.h"
#include "scratch.h"

namespace {

namespace fs = std::filesystem;
using namespace fwts::measure;
using fwts::sandbox::SetupError;
using Kind = Work::Kind;

/// Instructions may differ by so much between rings of different lengths.
constexpr double kFlat = 0.02;

/// The instructions that a function must have to get a line.
constexpr double kShown = 0.5;

/// Where the kernel sees what lies at physical address 0 of its own image.
constexpr std::uint64_t kKernelMap = 0xffffffff80000000;

/// What the command line asks for.
struct Wish {
    Places places{FWTS_SOURCE_DIR, "trace"};
    std::vector<std::string> drivers = {"igb"};
    std::string options;  ///< for the module
    std::string prepare;  ///< a line of shell before measuring
    std::string label;    ///< what the rows are called beside the driver
    std::vector<unsigned> rates = {10, 20, 40, 60, 80, 100, 120, 160, 200, 300, 400};  ///< kfps
    std::vector<std::string> work = {"basic"};  ///< rows or sets of rows
    std::string row = "receive-32";             ///< of which a profile is made
    unsigned groups = 4000;                     ///< of frames, a second
    int runs = 3;
    bool quick = false;
    fs::path json;
    std::string command;  ///< as typed, for the JSON file
};

void progress(const std::string& text) {
    fmt::print(stderr, "measure: {}\n", text);
}

/// Says what is being measured, and how long the rest will take.
class Guests {
  public:
    explicit Guests(std::size_t all) : all_(all) {}

    /// A guest is about to be measured.
    void next(const std::string& what) {
        const std::chrono::duration<double> so_far = std::chrono::steady_clock::now() - begin_;
        const std::string rest =
            done_ == 0 ? ""
                       : fmt::format(", {:.0f} s to go",
                                     so_far.count() / double(done_) * double(all_ - done_));
        ++done_;
        progress(fmt::format("guest {} of {}: {}{}", done_, all_, what, rest));
    }

  private:
    std::size_t all_, done_ = 0;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

Price measure(MeasuredGuest& guest, const Row& row) {
    Reading nothing;
    if (row.work.kind != Kind::kFlood) {
        // What keeps time goes on without frames: a timer's interrupts, a sender that sleeps.
        Work without = row.work;
        without.burst = 0;
        nothing = guest.measure(without);
    }
    const Reading reading = guest.measure(row.work);
    if (reading.frames < reading.offered) {
        throw SetupError(
            fmt::format("{}: the device counted {} of {} frames; a price per frame "
                        "would be wrong",
                        row.name, reading.frames, reading.offered));
    }
    if (row.work.kind == Kind::kReceiveTcp && reading.bytes < reading.offered * kSegment) {
        throw SetupError(
            fmt::format("{}: the program read {} of {} bytes; a price per MiB would "
                        "be wrong",
                        row.name, reading.bytes, reading.offered * kSegment));
    }
    return price(nothing, reading, row.unit);
}

void save(const Wish& wish, const nlohmann::ordered_json& result) {
    if (wish.json.empty()) return;
    std::ofstream file(wish.json);
    if (!(file << result.dump(2) << '\n'))
        throw SetupError(wish.json.string() + ": cannot be written");
    progress("wrote " + wish.json.string());
}

nlohmann::ordered_json heading(const Wish& wish, const char* measure, const std::string& release) {
    return {{"measure", measure}, {"command", wish.command}, {"kernel", release}};
}

/// What was measured of one driver, by the names of the rows.
using Measured = std::map<std::string, Series>;

std::vector<Row> rows_for(const std::vector<Row>& rows, const std::string& driver) {
    std::vector<Row> possible = rows;
    std::erase_if(possible, [&](const Row& row) { return !row.possible(driver); });
    return possible;
}

/// One driver's rows: a guest of its own for each run.
Measured measure(const Wish& wish, const std::string& driver, const std::vector<Row>& rows,
                 Guests& guests, std::string& release) {
    const bool floor = driver == kFloor;
    Measured measured;
    for (int run = 0; run < wish.runs; ++run) {
        guests.next(
            fmt::format("{}, run {} of {}", floor ? "no driver" : driver, run + 1, wish.runs));
        MeasuredGuest guest(wish.places, driver, floor ? "" : wish.options);
        if (!floor) guest.prepare(wish.prepare);
        release = guest.release();
        for (const Row& row : rows_for(rows, driver)) {
            const bool set = row.has_settings(driver);
            if (set) guest.prepare(row.before);
            measured[row.name].add(measure(guest, row));
            if (set) guest.prepare(row.after);
        }
    }
    return measured;
}

nlohmann::ordered_json row_of(const Wish& wish, const std::string& driver) {
    nlohmann::ordered_json row = {{"driver", driver}};
    if (!wish.label.empty() && driver != kFloor) row["label"] = wish.label;
    return row;
}

nlohmann::ordered_json row_of(const Wish& wish, const std::string& driver, const Row& done,
                              const Series& series) {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    for (const Price& price : series.prices())
        runs.push_back(std::round(price.instructions * 10) / 10);
    auto row = row_of(wish, driver);
    row["work"] = done.name;
    row["instructions"] = std::round(series.mean().instructions);
    row["interrupts"] = std::round(series.mean().interrupts * 1000) / 1000;
    row["runs"] = runs;
    return row;
}

/// "0.48, goal 0.50": own cost as a part of igb's.
std::string beside_igb(const Row& row, const std::optional<double>& part) {
    if (!part) return "not comparable";
    std::string ratio = fmt::format("{:.2f}", *part);
    if (row.goal == 0) return ratio;
    return fmt::format("{}, goal {:.2f}{}", ratio, row.goal, *part <= row.goal ? "" : " missed");
}

/// Whether a frame costs the same whatever the length of the rings: a line for each direction.
std::string flatness_lines(const std::string& driver, const Measured& measured) {
    std::string lines;
    for (const char* work : {"transmit-32", "receive-32"}) {
        std::vector<double> costs;
        for (const auto& [name, series] : measured)
            if (name == work || name.starts_with(fmt::format("{}-ring-", work)))
                costs.push_back(series.mean().instructions);
        if (costs.size() < 2) continue;
        const double flat = flatness(costs);
        lines +=
            fmt::format("{}, {}: within {:.1f} % for all lengths of the rings, goal {:.0f} %{}\n",
                        driver, work, 100 * flat, 100 * kFlat, flat <= kFlat ? "" : " missed");
    }
    return lines;
}

void frames(const Wish& wish) {
    std::vector<std::string> drivers = {kFloor};
    for (const std::string& driver : wish.drivers)
        if (driver != kFloor) drivers.push_back(driver);
    const std::vector<Row> rows = choose_rows(wish.work, wish.quick);
    Guests guests(drivers.size() * std::size_t(wish.runs));
    std::string release;
    std::map<std::string, Measured> measured;
    for (const std::string& driver : drivers)
        measured[driver] = measure(wish, driver, rows, guests, release);

    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    std::string table =
        fmt::format("{:7} {:26} {:>12} {:>7} {:>10} {:>9} {:>9}  {}\n", "driver", "a frame",
                    "instructions", "spread", "interrupts", "floor", "own", "own beside igb's");
    std::string flat;
    for (const std::string& driver : drivers) {
        for (const Row& row : rows_for(rows, driver)) {
            const Series& series = measured[driver].at(row.name);
            const Price mean = series.mean();
            auto entry = row_of(wish, driver, row, series);
            std::string figures = "        -         -";
            if (driver != kFloor) {
                const Price floor = measured[kFloor].at(row.name).mean();
                entry["own"] = std::round(own_cost(mean, floor));
                figures = fmt::format("{:9.0f} {:9.0f}", floor.instructions, own_cost(mean, floor));
                if (driver != "igb" && measured.contains("igb")) {
                    const auto part = beside(mean, measured["igb"].at(row.name).mean(), floor);
                    if (part) entry["own_beside_igb"] = std::round(*part * 1000) / 1000;
                    figures += "  " + beside_igb(row, part);
                }
            }
            table += fmt::format("{:7} {:26} {:12.0f} {:6.2f}% {:10.3f} {}\n", driver, row.title,
                                 mean.instructions, series.spread(), mean.interrupts, figures);
            json.push_back(entry);
        }
        if (driver != kFloor) flat += flatness_lines(driver, measured[driver]);
    }
    std::cout << table << flat << std::flush;
    auto result = heading(wish, "instructions per frame", release);
    result["rows"] = json;
    save(wish, result);
}

/// Where the instructions of one driver's frames go.
struct Profile {
    std::vector<Share> shares;
    double sum = 0, measured = 0;
};

/// A guest in a QEMU that counts what its kernel executes.
class RecordedGuest {
  public:
    RecordedGuest(const Wish& wish, const std::string& driver, std::uint64_t mark)
        : guest_(wish.places, driver, wish.options,
                 counting(wish.places.checkout / "build/bin/in-qemu/executed_plugin.so", out(),
                          mark)) {}

    MeasuredGuest& guest() { return guest_; }

    /// @return what was measured, and what was executed in the same window.
    std::pair<Reading, Counts> measure(const Work& work) {
        const Reading reading = guest_.measure(work);
        auto windows = parse_windows(fwts::read_file(out()));
        if (windows.size() != seen_ + work.windows) {
            throw SetupError(fmt::format("QEMU's plugin saw {} windows, and {} were measured",
                                         windows.size() - seen_, work.windows));
        }
        return {reading,
                std::move(windows.at(std::exchange(seen_, windows.size()) + reading.window))};
    }

  private:
    [[nodiscard]] fs::path out() const { return scratch_.path() / "executed"; }

    fwts::Scratch scratch_{"profile"};
    std::size_t seen_ = 0;
    MeasuredGuest guest_;
};

/// Where the call begins by which the meter marks its windows.
std::uint64_t mark_in(const fs::path& vmlinux) {
    const std::string name = "__x64_sys_sched_get_priority_min";
    const auto found = fwts::sandbox::kernel_symbols(vmlinux, {name});
    if (!found.contains(name))
        throw SetupError(fmt::format("{} has no function {}", vmlinux.string(), name));
    return kKernelMap + found.at(name).address;
}

Profile profile_of(const Wish& wish, const std::string& driver, const Row& row,
                   std::string& release) {
    const fs::path vmlinux = fwts::sandbox::find_kernel(wish.places.kernel).vmlinux;
    RecordedGuest recorded(wish, driver, mark_in(vmlinux));
    MeasuredGuest& guest = recorded.guest();
    if (driver != kFloor) guest.prepare(wish.prepare);
    if (row.has_settings(driver)) guest.prepare(row.before);
    release = guest.release();
    const Functions functions(guest.guest().must("cat /proc/kallsyms"));
    std::pair<Reading, Counts> less;
    if (row.work.kind != Kind::kFlood) {
        Work without = row.work;
        without.burst = 0;
        less = recorded.measure(without);
    }
    const auto more = recorded.measure(row.work);
    Profile profile;
    profile.measured = price(less.first, more.first).instructions;
    profile.shares =
        shares(less.second, more.second, double(more.first.frames) - double(less.first.frames),
               functions, [&](const auto& addresses) { return source_files(vmlinux, addresses); });
    profile.sum = agreed_sum(profile.shares, profile.measured);
    return profile;
}

/// Adds a line of figures, one a driver.
void add_line(std::string& table, const std::string& title, const std::vector<double>& figures) {
    table += fmt::format("{:44}", title);
    for (const double figure : figures) table += fmt::format(" {:9.1f}", figure);
    table += '\n';
}

/// Groups, their sum beside what was measured, then each group's functions.
std::string table_of(const std::vector<std::string>& drivers,
                     const std::vector<Profile>& profiles) {
    using Figures = std::vector<double>;
    std::map<std::string, Figures> groups;
    std::map<std::string, std::map<std::string, Figures>> functions;
    Figures sums, measured;
    for (std::size_t i = 0; i < profiles.size(); ++i) {
        for (const Share& share : profiles[i].shares) {
            auto& group = groups[share.group];
            auto& function = functions[share.group][share.function];
            group.resize(profiles.size());
            function.resize(profiles.size());
            group[i] += share.instructions;
            function[i] += share.instructions;
        }
        sums.push_back(profiles[i].sum);
        measured.push_back(profiles[i].measured);
    }
    std::string table = fmt::format("{:44}", "instructions a frame");
    for (const std::string& driver : drivers) table += fmt::format(" {:>9}", driver);
    table += '\n';
    for (const std::string& name : group_names())
        if (groups.contains(name)) add_line(table, name, groups[name]);
    add_line(table, "sum", sums);
    add_line(table, "measured", measured);
    for (const std::string& name : group_names()) {
        if (!groups.contains(name)) continue;
        table += fmt::format("\n{}\n", name);
        std::vector<std::pair<std::string, Figures>> sorted;
        Figures rest(profiles.size());
        for (const auto& [function, figures] : functions[name])
            if (std::ranges::any_of(figures, [](double one) { return std::abs(one) >= kShown; }))
                sorted.emplace_back(function, figures);
            else
                std::ranges::transform(rest, figures, rest.begin(), std::plus());
        std::ranges::sort(sorted, [](const auto& a, const auto& b) {
            return std::ranges::max(a.second) > std::ranges::max(b.second);
        });
        for (const auto& [function, figures] : sorted) add_line(table, "  " + function, figures);
        add_line(table, "  smaller ones", rest);
    }
    return table;
}

void profile(const Wish& wish) {
    const auto rows = choose_rows({wish.row}, wish.quick);
    if (rows.size() != 1 || rows.front().unit != Unit::kFrame) {
        throw SetupError(
            fmt::format("`{}` is no row of frames without a program that takes part: "
                        "what programs execute is not recorded",
                        wish.row));
    }
    const Row& row = rows.front();
    Guests guests(wish.drivers.size());
    std::vector<Profile> profiles;
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    std::string release;
    for (const std::string& driver : wish.drivers) {
        guests.next(fmt::format("{}, {}, function by function", driver, row.title));
        profiles.push_back(profile_of(wish, driver, row, release));
        for (const Share& share : profiles.back().shares) {
            auto entry = row_of(wish, driver);
            entry["work"] = row.name;
            entry["group"] = share.group;
            entry["function"] = share.function;
            entry["instructions"] = std::round(share.instructions * 100) / 100;
            json.push_back(entry);
        }
    }
    std::cout << row.title << '\n' << table_of(wish.drivers, profiles) << std::flush;
    auto result = heading(wish, "instructions per frame by function", release);
    result["rows"] = json;
    save(wish, result);
}

/// Datagrams in groups, so many times a second, for a fifth of a second.
Work offer(const Wish& wish, unsigned rate) {
    const unsigned long period = 1'000'000'000 / wish.groups;
    return {.kind = Kind::kReceiveUdp,
            .burst = rate * 1000 / wish.groups,
            .period = period,
            .moments = wish.groups / (wish.quick ? 100 : 20),
            .windows = windows(wish.quick)};
}

/// Offered against delivered.
void livelock(const Wish& wish) {
    Guests guests(wish.drivers.size() * wish.rates.size());
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    std::string release;
    std::cout << fmt::format("{:8} {:>10} {:>10} {:>10} {:>7}   frames a second of guest time\n",
                             "driver", "offered", "accepted", "delivered", "busy");
    for (const std::string& driver : wish.drivers) {
        for (const unsigned rate : wish.rates) {
            // A guest each: nothing of a flood is left for the next one.
            guests.next(fmt::format("{}, {},000 frames a second", driver, rate));
            MeasuredGuest guest(wish.places, driver, wish.options);
            guest.prepare(wish.prepare);
            release = guest.release();
            const Load at = load(guest.measure(offer(wish, rate)));
            std::cout << fmt::format("{:8} {:10.0f} {:10.0f} {:10.0f} {:6.0f}%\n", driver,
                                     at.offered, at.accepted, at.delivered, 100 * at.busy)
                      << std::flush;
            auto row = row_of(wish, driver);
            row["offered"] = std::round(at.offered);
            row["accepted"] = std::round(at.accepted);
            row["delivered"] = std::round(at.delivered);
            row["busy"] = std::round(at.busy * 1000) / 1000;
            rows.push_back(row);
        }
    }
    auto result = heading(wish, "receive livelock", release);
    result["rows"] = rows;
    save(wish, result);
}

void common_options(CLI::App& app, Wish& wish) {
    app.add_option("--driver", wish.drivers, "igb, or stages of igbook: 04 05 06")
        ->capture_default_str();
    app.add_option("--options", wish.options, "parameters for the module, as insmod takes them");
    app.add_option("--prepare", wish.prepare,
                   "a line of shell for the guest, when its link is up and before measuring");
    app.add_option("--label", wish.label, "what to call rows that were prepared like this");
    app.add_option("--json", wish.json, "write the results to this file, too");
    app.add_flag("--quick", wish.quick, "a tenth of the work, in three windows for nine");
}

int run(int argc, char** argv) {
    Wish wish;
    CLI::App app("what a frame costs a driver, in instructions of the guest", "measure");
    app.require_subcommand(1);
    app.footer(
        "Example:\n  measure frames --driver igb 06 --json frames.json\n"
        "  measure frames --driver igb 08 --work basic tcp --runs 1\n"
        "  measure profile --driver igb 08 --row receive-32\n"
        "  measure livelock --driver 05 06 --rates 20 50 100 200\n"
        "Exit status: 0 done, 64 wrong words, 70 could not be measured.");
    auto* frames_command = app.add_subcommand("frames", "instructions per sent and received frame");
    common_options(*frames_command, wish);
    frames_command->add_option("--runs", wish.runs, "guests to measure in, one after another")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    frames_command
        ->add_option("--work", wish.work,
                     "rows, or sets of them: basic, ip, jumbo, lengths, tcp, rings, paused; all")
        ->check(CLI::IsMember(row_words()))
        ->capture_default_str();
    auto* profile_command =
        app.add_subcommand("profile", "where a frame's instructions go, function by function");
    common_options(*profile_command, wish);
    profile_command->add_option("--row", wish.row, "of which kind of frame")
        ->check(CLI::IsMember(row_words()))
        ->capture_default_str();
    auto* livelock_command = app.add_subcommand(
        "livelock", "datagrams offered against datagrams that a program got to read");
    common_options(*livelock_command, wish);
    livelock_command->add_option("--rates", wish.rates, "thousands of frames a second")
        ->check(CLI::Range(4, 4000))
        ->capture_default_str();
    livelock_command
        ->add_option("--groups", wish.groups, "a second, in which the frames of a rate are sent")
        ->check(CLI::Range(100, 10'000))
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 64;
    }
    wish.command = "measure";
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        wish.command += word.find(' ') == std::string::npos ? " " + word : " '" + word + "'";
    }
    if (frames_command->parsed())
        frames(wish);
    else if (profile_command->parsed())
        profile(wish);
    else
        livelock(wish);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    fwts::settle_inherited();
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "measure: {}\n", error.what());
        return 70;
    }
}
