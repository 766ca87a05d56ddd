// SPDX-License-Identifier: GPL-2.0
#include "calls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <exception>

#include "expect.h"

namespace fwts::grader {
namespace {

constexpr std::uint32_t witness_register = 0x1fff8;  // as in callnote.c
constexpr unsigned argument_bits = 24;
constexpr Bench::Seconds patience{10};

std::string bare(const std::string& call) {
    return call.substr(0, call.find(':'));
}

/// From a destructor: whatever has become of the guest, somebody is told already.
void remove(Bench& bench, const std::string& module) {
    try {
        bench.run({"rmmod", module});
    } catch (const std::exception&) {
    }
}

}  // namespace

CallNote::CallNote(Bench& bench, const std::vector<std::string>& calls) : bench_(bench) {
    for (const auto& call : calls) names_.push_back(bare(call));
    bench.must_run({"insmod", Bench::companion("callnote"), "device=" + bench.pci_address(),
                    fmt::format("calls={}", fmt::join(calls, ","))});
}

CallNote::~CallNote() {
    remove(bench_, "callnote");
}

std::vector<Deed> CallNote::deeds(std::size_t mark) const {
    std::vector<Deed> deeds;
    const auto writes = bench_.writes();
    for (auto i = mark; i < writes.size(); ++i) {
        Deed deed;
        const auto number = writes[i].value >> argument_bits;
        if (writes[i].offset != witness_register) {
            deed.written = writes[i];
        } else if (number >= 1 && number <= names_.size()) {
            deed.call = names_[number - 1];
            deed.argument = writes[i].value & ((1U << argument_bits) - 1);
        } else {
            continue;
        }
        deeds.push_back(std::move(deed));
    }
    return deeds;
}

Companion::Companion(Bench& bench, std::string name, const std::vector<std::string>& parameters)
    : bench_(bench), name_(std::move(name)) {
    std::vector<std::string> words{"insmod", Bench::companion(name_)};
    words.insert(words.end(), parameters.begin(), parameters.end());
    bench.must_run(words);
}

Companion::~Companion() {
    remove(bench_, name_);
}

long Companion::number(const std::string& parameter) const {
    const auto text = bench_.text("/sys/module/" + name_ + "/parameters/" + parameter);
    return text.empty() ? 0 : std::stol(text);
}

void Companion::set(const std::string& parameter, const std::string& value) const {
    bench_.put("/sys/module/" + name_ + "/parameters/" + parameter, value);
}

SlowCall::SlowCall(Bench& bench, const std::string& function, bool after)
    : bench_(bench),
      companion_(bench, "slowcall",
                 {"symbol=" + function, "ms=4000", fmt::format("after={:d}", after)}) {}

bool SlowCall::entered(const std::function<bool()>& over) {
    bench_.soon([&] { return companion_.number("entered") > 0 || over(); }, patience);
    return companion_.number("entered") > 0;
}

void SlowCall::go() {
    companion_.set("go", "1");
}

Beside::Beside(Bench& bench, const std::string& command)
    : bench_(bench), command_(command), file_("/tmp/beside") {
    static std::atomic<unsigned> number = 0;
    file_ += std::to_string(++number);
    bench.start({"sh", "-c", fmt::format("{}; echo $? > {}", command, file_)});
}

bool Beside::ended() const {
    return !bench_.text(file_).empty();
}

int Beside::status() {
    bench_.wait_until(
        "in the guest: " + command_, "an end", [&] { return ended(); }, [] { return "none"; },
        patience);
    return std::stoi(bench_.text(file_));
}

}  // namespace fwts::grader
