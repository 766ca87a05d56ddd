// SPDX-License-Identifier: GPL-2.0
// measure: what a frame costs, in instructions of the guest.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "failure.h"
#include "measured_guest.h"
#include "process_start.h"

namespace {

namespace fs = std::filesystem;
using namespace fwts::measure;
using fwts::sandbox::SetupError;
using Kind = Work::Kind;

constexpr unsigned kWindows = 9, kQuickWindows = 3;

/// What the command line asks for.
struct Wish {
    Places places{FWTS_SOURCE_DIR, "trace"};
    std::vector<std::string> drivers = {"igb"};
    std::string options;  ///< for the module
    std::string prepare;  ///< a line of shell before measuring
    std::string label;    ///< what the rows are called beside the driver
    std::vector<unsigned> rates = {10, 20, 40, 60, 80, 100, 120, 160, 200, 300, 400};  ///< kfps
    std::vector<std::string> work;  ///< names of columns; empty: all
    unsigned groups = 4000;         ///< of frames, a second
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

/// One column of the table: the work, and the same without frames.
struct Column {
    const char* name;
    const char* title;
    Work work;
};

std::vector<Column> columns(const Wish& wish, const std::string& driver) {
    const bool quick = wish.quick;
    const unsigned windows = quick ? kQuickWindows : kWindows;
    const auto paced = [&](Kind kind, unsigned burst, unsigned long period, unsigned moments) {
        return Work{kind, burst, 0, period, quick ? moments / 10 : moments, windows};
    };
    const auto flood = [&](unsigned burst) {
        return Work{Kind::kFlood, burst, 10'000'000, 0, 0, windows};
    };
    std::vector<Column> all = {
        {"transmit-1", "sent, one by one", paced(Kind::kTransmit, 1, 100'000, 2'000)},
        {"transmit-32", "sent, 32 at a time", paced(Kind::kTransmit, 32, 1'000'000, 100)},
        {"receive-1", "received, one by one", paced(Kind::kReceive, 1, 100'000, 2'000)},
        {"receive-32", "received, 32 at a time", paced(Kind::kReceive, 32, 1'000'000, 100)}};
    // Stage 04 looks at its ring every few milliseconds: pktgen would fill it and spin.
    if (driver != "04") {
        all.push_back({"pktgen-1", "pktgen, burst 1", flood(1)});
        all.push_back({"pktgen-32", "pktgen, burst 32", flood(32)});
    }
    std::erase_if(all, [&](const Column& column) {
        return !wish.work.empty() && std::ranges::find(wish.work, column.name) == wish.work.end();
    });
    return all;
}

Price measure(MeasuredGuest& guest, const Column& column) {
    Reading nothing;
    if (column.work.kind != Kind::kFlood) {
        // What keeps time goes on without frames: a timer's interrupts, a sender that sleeps.
        Work without = column.work;
        without.burst = 0;
        nothing = guest.measure(without);
    }
    const Reading reading = guest.measure(column.work);
    if (reading.frames < reading.offered) {
        throw SetupError(
            fmt::format("{}: the device counted {} of {} frames; a price per frame "
                        "would be wrong",
                        column.name, reading.frames, reading.offered));
    }
    return price(nothing, reading);
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

/// The measurements of one driver: a guest of its own for each run.
std::vector<Series> series_of(const Wish& wish, const std::string& driver, Guests& guests,
                              std::string& release) {
    const auto all = columns(wish, driver);
    std::vector<Series> series(all.size());
    for (int run = 0; run < wish.runs; ++run) {
        guests.next(fmt::format("{}, run {} of {}", driver, run + 1, wish.runs));
        MeasuredGuest guest(wish.places, driver, wish.options);
        guest.prepare(wish.prepare.empty() ? ":" : wish.prepare);
        release = guest.release();
        for (std::size_t i = 0; i < all.size(); ++i) series[i].add(measure(guest, all[i]));
    }
    return series;
}

nlohmann::ordered_json row_of(const Wish& wish, const std::string& driver) {
    nlohmann::ordered_json row = {{"driver", driver}};
    if (!wish.label.empty()) row["label"] = wish.label;
    return row;
}

nlohmann::ordered_json row_of(const Wish& wish, const std::string& driver, const Column& column,
                              const Series& series) {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    for (const Price& price : series.prices())
        runs.push_back(std::round(price.instructions * 10) / 10);
    auto row = row_of(wish, driver);
    row["work"] = column.name;
    row["instructions"] = std::round(series.mean().instructions);
    row["interrupts"] = std::round(series.mean().interrupts * 1000) / 1000;
    row["runs"] = runs;
    return row;
}

void frames(const Wish& wish) {
    Guests guests(wish.drivers.size() * std::size_t(wish.runs));
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    std::string release;
    std::string table = fmt::format("{:8} {:24} {:>12} {:>8} {:>14}\n", "driver", "a frame",
                                    "instructions", "spread", "interrupts");
    for (const std::string& driver : wish.drivers) {
        const auto all = columns(wish, driver);
        const auto series = series_of(wish, driver, guests, release);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Price mean = series[i].mean();
            table += fmt::format("{:8} {:24} {:12.0f} {:7.2f}% {:14.3f}\n", driver, all[i].title,
                                 mean.instructions, series[i].spread(), mean.interrupts);
            rows.push_back(row_of(wish, driver, all[i], series[i]));
        }
    }
    std::cout << table << std::flush;
    auto result = heading(wish, "instructions per frame", release);
    result["rows"] = rows;
    save(wish, result);
}

/// Datagrams in groups, so many times a second, for a fifth of a second.
Work offer(const Wish& wish, unsigned rate) {
    const unsigned long period = 1'000'000'000 / wish.groups;
    return {Kind::kReceiveUdp,
            rate * 1000 / wish.groups,
            0,
            period,
            wish.groups / (wish.quick ? 100 : 20),
            wish.quick ? kQuickWindows : kWindows};
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
            guest.prepare(wish.prepare.empty() ? ":" : wish.prepare);
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
        "  measure livelock --driver 05 06 --rates 20 50 100 200\n"
        "Exit status: 0 done, 64 wrong words, 70 could not be measured.");
    auto* frames_command = app.add_subcommand("frames", "instructions per sent and received frame");
    common_options(*frames_command, wish);
    frames_command->add_option("--runs", wish.runs, "guests to measure in, one after another")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    frames_command->add_option("--work", wish.work, "which rows to measure [all]")
        ->check(CLI::IsMember(
            {"transmit-1", "transmit-32", "receive-1", "receive-32", "pktgen-1", "pktgen-32"}));
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
    frames_command->parsed() ? frames(wish) : livelock(wish);
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
