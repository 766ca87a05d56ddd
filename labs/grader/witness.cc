// SPDX-License-Identifier: GPL-2.0
#include "witness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "expect.h"
#include "failure.h"

namespace fwts::grader {
namespace {

std::vector<std::string> words(Testbed& testbed, const std::vector<std::string>& symbols,
                               const MarkRegisters& marks, std::vector<std::string> parameters) {
    parameters.push_back(card_memory(testbed));
    parameters.push_back(marks.parameter());
    if (!symbols.empty())
        parameters.insert(parameters.begin(), fmt::format("symbols={}", fmt::join(symbols, ",")));
    return parameters;
}

}  // namespace

std::string card_memory(Testbed& testbed) {
    const auto resources =
        testbed.text("/sys/bus/pci/devices/" + testbed.pci_address() + "/resource");
    return "bar=" + resources.substr(0, resources.find(' '));
}

MarkRegisters::MarkRegisters(Testbed& testbed, std::uint32_t known, std::uint32_t count)
    : testbed_(testbed), known_(known), secret_(testbed.open_marks(known, count)) {}

MarkRegisters::~MarkRegisters() {
    try {
        testbed_.close_marks(known_);
    } catch (const std::exception&) {
        // Of a guest that is gone nobody reads the record.
    }
}

std::string MarkRegisters::parameter() const {
    return fmt::format("at={:#x}", secret_);
}

Inserted::Inserted(Testbed& testbed, std::string name, const std::vector<std::string>& parameters)
    : testbed_(testbed), name_(std::move(name)) {
    std::vector<std::string> argv{"insmod", Testbed::companion(name_)};
    argv.insert(argv.end(), parameters.begin(), parameters.end());
    testbed_.must_run(argv);
}

Inserted::~Inserted() {
    try {
        testbed_.run({"rmmod", name_});
    } catch (const sandbox::GuestFailure&) {
        // Whoever asks the guest next hears of it.
    }
}

std::string Inserted::parameter(const std::string& which) const {
    return testbed_.text("/sys/module/" + name_ + "/parameters/" + which);
}

void Inserted::set(const std::string& which, std::uint64_t value) const {
    testbed_.put("/sys/module/" + name_ + "/parameters/" + which, std::to_string(value));
}

Witness::Witness(Testbed& testbed, std::vector<std::string> symbols,
                 std::vector<std::string> parameters)
    : symbols_(std::move(symbols)),
      marks_(testbed, call_mark, 3),
      module_(testbed, "witness", words(testbed, symbols_, marks_, std::move(parameters))) {}

bool Witness::is_call(const RegisterWrite& write, const std::string& symbol) const {
    const auto found = std::find_if(symbols_.begin(), symbols_.end(),
                                    [&](const auto& one) { return one.ends_with(symbol); });
    return write.offset == call_mark &&
           write.value >> 24U == static_cast<std::uint32_t>(found - symbols_.begin()) + 1;
}

std::size_t Witness::calls(const std::vector<RegisterWrite>& record,
                           const std::string& symbol) const {
    return static_cast<std::size_t>(std::count_if(
        record.begin(), record.end(), [&](const auto& write) { return is_call(write, symbol); }));
}

Stopwatch::Stopwatch(Testbed& testbed)
    : testbed_(testbed), module_(testbed, "stopwatch", {card_memory(testbed)}) {}

void Stopwatch::begin(unsigned frames, unsigned usecs) const {
    frames_ = frames;
    usecs_ = usecs;
    module_.set("frames", frames);
    module_.set("usecs", usecs);
}

void Stopwatch::expect_in_time(const std::string& what, Testbed::Seconds limit,
                               unsigned most_late) const {
    const auto served = [&] { return module_.parameter("waited") != "0"; };
    expect_that(testbed_.soon(served, limit), what + ": the receive ring, looked at in the guest",
                "the frames are served", "they are not");
    const auto waited = std::stoull(module_.parameter("waited")) / 1000;
    const auto most = std::stoul(module_.parameter("most"));
    expect_that(most >= frames_ || waited >= usecs_,
                what + ": when they were served, by the guest's clock",
                fmt::format("not before {} us", usecs_),
                fmt::format("{} us after the first came, when {} were there", waited, most));
    const auto late = std::stoul(module_.parameter("late"));
    expect_that(late <= most_late,
                what + ": how much too late they were served, by the guest's clock",
                fmt::format("{} ms at most", most_late), fmt::format("{} ms or more", late));
}

}  // namespace fwts::grader
