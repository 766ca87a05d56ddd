// SPDX-License-Identifier: GPL-2.0
#include "calls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <exception>

#include "expect.h"

namespace fwts::grader {
namespace {

constexpr std::uint32_t note_register = 0x1ff80;  // where callnote.c writes, as writes() shows it
constexpr unsigned argument_bits = 24;
constexpr Testbed::Seconds patience{10};

std::string bare(const std::string& call) {
    return call.substr(0, call.find(':'));
}

/// From a destructor: whatever has become of the guest, somebody is told already.
void remove(Testbed& testbed, const std::string& module) {
    try {
        testbed.run({"rmmod", module});
    } catch (const std::exception&) {
    }
}

}  // namespace

CallNote::CallNote(Testbed& testbed, const std::vector<std::string>& calls)
    : testbed_(testbed), marks_(testbed, note_register, 1) {
    for (const auto& call : calls) names_.push_back(bare(call));
    testbed.must_run({"insmod", Testbed::companion("callnote"), "device=" + testbed.pci_address(),
                      marks_.parameter(), fmt::format("calls={}", fmt::join(calls, ","))});
}

CallNote::~CallNote() {
    remove(testbed_, "callnote");
}

std::vector<Deed> CallNote::deeds(std::size_t mark) const {
    std::vector<Deed> deeds;
    const auto writes = testbed_.writes();
    for (auto i = mark; i < writes.size(); ++i) {
        Deed deed;
        const auto number = writes[i].value >> argument_bits;
        if (writes[i].offset != note_register) {
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

Companion::Companion(Testbed& testbed, std::string name, const std::vector<std::string>& parameters)
    : testbed_(testbed), name_(std::move(name)) {
    std::vector<std::string> words{"insmod", Testbed::companion(name_)};
    words.insert(words.end(), parameters.begin(), parameters.end());
    testbed.must_run(words);
}

Companion::~Companion() {
    remove(testbed_, name_);
}

long Companion::number(const std::string& parameter) const {
    const auto text = testbed_.text("/sys/module/" + name_ + "/parameters/" + parameter);
    return text.empty() ? 0 : std::stol(text);
}

void Companion::set(const std::string& parameter, const std::string& value) const {
    testbed_.put("/sys/module/" + name_ + "/parameters/" + parameter, value);
}

SlowCall::SlowCall(Testbed& testbed, const std::string& function, bool after)
    : testbed_(testbed),
      companion_(testbed, "slowcall",
                 {"symbol=" + function, "ms=4000", fmt::format("after={:d}", after)}) {}

bool SlowCall::entered(const std::function<bool()>& over) {
    testbed_.soon([&] { return companion_.number("entered") > 0 || over(); }, patience);
    return companion_.number("entered") > 0;
}

void SlowCall::go() {
    companion_.set("go", "1");
}

Beside::Beside(Testbed& testbed, const std::string& command)
    : testbed_(testbed), command_(command), file_("/tmp/beside") {
    static std::atomic<unsigned> number = 0;
    file_ += std::to_string(++number);
    testbed.start({"sh", "-c", fmt::format("{}; echo $? > {}", command, file_)});
}

bool Beside::ended() const {
    return !testbed_.text(file_).empty();
}

int Beside::status() {
    testbed_.wait_until(
        "in the guest: " + command_, "an end", [&] { return ended(); }, [] { return "none"; },
        patience);
    return std::stoi(testbed_.text(file_));
}

}  // namespace fwts::grader
