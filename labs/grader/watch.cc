// SPDX-License-Identifier: GPL-2.0
#include "watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

#include "expect.h"
#include "failure.h"

namespace fwts::grader {
namespace {

const std::string files = "/sys/kernel/debug/watchcall/";

/// "a0=ff" as name and value.
void take_in(Call& call, const std::string& word) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) return;
    const auto key = word.substr(0, equals);
    const auto text = word.substr(equals + 1);
    if (key == "ns")
        call.ns = std::stoull(text);
    else if (key == "rtnl")
        call.rtnl = text != "0";
    else if (key == "ret")
        call.value = std::stoull(text, nullptr, 16);
    else if (key[0] == 'a')
        call.arg.at(std::stoul(key.substr(1))) = std::stoull(text, nullptr, 16);
    else if (key[0] == 'r')
        call.reg[static_cast<std::uint32_t>(std::stoul(key.substr(1), nullptr, 16))] =
            static_cast<std::uint32_t>(std::stoul(text, nullptr, 16));
}

unsigned number_in(Testbed& testbed, const std::string& file) {
    const auto text = testbed.text(files + file);
    if (text.empty()) fail("in the guest: " + files + file, "a number", "nothing");
    return static_cast<unsigned>(std::stoul(text));
}

std::string from_hex(const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes += static_cast<char>(std::stoul(text.substr(i, 2), nullptr, 16));
    return bytes;
}

}  // namespace

Watch::Watch(Testbed& testbed, const std::vector<std::string>& calls,
             const std::vector<std::uint32_t>& regs, bool dirty)
    : testbed_(testbed) {
    std::vector<std::string> argv = {"insmod", Testbed::companion("watchcall"),
                                     "card=" + testbed.pci_address()};
    if (!calls.empty()) argv.push_back(fmt::format("calls={}", fmt::join(calls, ",")));
    if (!regs.empty()) argv.push_back(fmt::format("regs={}", fmt::join(regs, ",")));
    if (dirty) argv.emplace_back("dirty=1");
    testbed.must_run(argv);
}

Watch::~Watch() {
    try {
        testbed_.put(files + "hold", "\n");
        testbed_.put(files + "rtnl", "\n");
        testbed_.run({"rmmod", "watchcall"});
    } catch (const std::exception&) {
        // A guest that is gone; whoever waits for it next will say so.
        return;
    }
}

std::vector<Call> Watch::log() {
    std::vector<Call> calls;
    std::istringstream lines(testbed_.text(files + "log"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        Call call;
        words >> call.name;
        for (std::string word; words >> word;) take_in(call, word);
        calls.push_back(std::move(call));
    }
    return calls;
}

void Watch::forget() {
    testbed_.put(files + "log", "\n");
}

Watch::Count Watch::count(const std::string& name) {
    std::istringstream lines(testbed_.text(files + "counts"));
    std::string one;
    Count count;
    while (lines >> one >> count.calls >> count.gave_something >> count.was_given_something)
        if (one == name) return count;
    return {};
}

void Watch::answer(const Answer& answer) {
    std::string line =
        fmt::format("{} {} {} {}", answer.name, answer.skip, answer.count, answer.value);
    if (answer.second >= 0) line += fmt::format(" ={}", answer.second);
    for (const auto word : answer.words) line += fmt::format(" {}", word);
    testbed_.put(files + "answer", line + "\n");
}

unsigned Watch::answered() {
    return number_in(testbed_, "answered");
}

void Watch::answer_none() {
    testbed_.put(files + "answer", "\n");
}

void Watch::hold(const std::string& name) {
    testbed_.put(files + "hold", name + "\n");
}

unsigned Watch::held() {
    return number_in(testbed_, "held");
}

void Watch::release() {
    testbed_.put(files + "hold", "\n");
}

void Watch::take_rtnl() {
    Beside holder(testbed_, "rtnl", {"cat", files + "rtnl"});
    holder.wait_stuck();
}

void Watch::give_rtnl() {
    testbed_.put(files + "rtnl", "\n");
}

void Watch::identity(const std::string& ids) {
    testbed_.put(files + "identity", ids + "\n");
}

std::vector<Done> file_io(Testbed& testbed, const std::string& file, const std::string& data,
                          const std::vector<std::string>& actions) {
    const std::string source = "/tmp/fileio-data";
    testbed.put(source, data);
    std::vector<std::string> argv = {"fileio", file, source};
    argv.insert(argv.end(), actions.begin(), actions.end());
    std::istringstream lines(testbed.must_run(argv));
    std::vector<Done> results;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        Done done;
        std::string bytes;
        words >> done.result >> done.error >> bytes;
        done.bytes = from_hex(bytes);
        results.push_back(std::move(done));
    }
    expect_equal("calls that fileio made", actions.size(), results.size());
    return results;
}

Beside::Beside(Testbed& testbed, const std::string& name, const std::vector<std::string>& argv)
    : testbed_(testbed), name_(name) {
    const auto place = "/tmp/beside-" + name;
    testbed.put(place + ".pid", "");
    testbed.put(place + ".out", "");
    // The shell has ended its own work when the program's name stands in /proc/PID/comm.
    std::vector<std::string> words = {
        "sh", "-c", fmt::format("exec >{0}.out 2>&1; echo $$ >{0}.pid; exec \"$@\"", place), name};
    words.insert(words.end(), argv.begin(), argv.end());
    testbed.start(words);
    const auto file = place + ".pid";
    testbed.wait_until(
        "a process of ours in the guest", "started",
        [&] { return !testbed.bytes(file).empty() && testbed.bytes(file).back() == '\n'; },
        [&] { return std::string("not started"); }, Testbed::usual_limit);
    pid_ = testbed.text(file);
}

bool Beside::ended() {
    const auto stat = testbed_.text("/proc/" + pid_ + "/stat");
    return stat.empty() || stat.find(") Z") != std::string::npos;
}

void Beside::wait_stuck() {
    testbed_.soon([&] {
        const auto stat = testbed_.text("/proc/" + pid_ + "/stat");
        const auto name = stat.find(") ");
        if (stat.empty() || name == std::string::npos) return true;
        const char state = stat[name + 2];
        return state == 'Z' ||
               (stat.find("(sh)") == std::string::npos && (state == 'D' || state == 'S'));
    });
}

void Beside::wait_end() {
    testbed_.wait_until(
        "a process of ours in the guest (" + name_ + ")", "ended", [&] { return ended(); },
        [&] { return std::string("still at work"); }, Testbed::usual_limit);
}

std::string Beside::output() {
    return testbed_.bytes("/tmp/beside-" + name_ + ".out");
}

}  // namespace fwts::grader
