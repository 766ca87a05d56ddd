// SPDX-License-Identifier: GPL-2.0
#include "traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "expect.h"

namespace fwts::grader {
namespace {

using namespace sandbox::registers;

constexpr std::uint32_t queue_vector = 1U << 0U;
constexpr std::uint32_t descriptor_size = 16;
constexpr const char* told = "/tmp/frames-told";

std::string answer_to(const std::string& frame) {
    std::string answer = frame;
    std::swap_ranges(answer.begin(), answer.begin() + 6, answer.begin() + 6);
    return answer;
}

// An interrupt's line in /proc/interrupts: " 24:", a count for each processor, and more words. Or
// "".
std::string line_of(Testbed& testbed, const std::string& name) {
    std::istringstream lines(testbed.text("/proc/interrupts"));
    for (std::string line; std::getline(lines, line);)
        if (line.ends_with(" " + name)) return line;
    return "";
}

}  // namespace

std::string queue_name(Testbed& testbed) {
    return interface(testbed) + "-rxtx-0";
}

std::string irq_number(Testbed& testbed, const std::string& name) {
    std::string number;
    std::istringstream words(line_of(testbed, name));
    std::getline(words >> std::ws, number, ':');
    return number;
}

std::uint64_t interrupts(Testbed& testbed, const std::string& name) {
    const auto line = line_of(testbed, name);
    std::istringstream words(line.substr(line.find(':') + 1));
    std::uint64_t total = 0;
    for (std::uint64_t count = 0; words >> count;) total += count;
    return total;
}

std::uint32_t ahead(Testbed& testbed, std::uint32_t from, std::uint32_t to) {
    const auto count = testbed.reg(RDLEN0) / descriptor_size;
    return count == 0 ? 0 : (to + count - from) % count;
}

void send_silent(Testbed& testbed) {
    const auto head = testbed.reg(RDH0);
    // Not the protocol of `frames`, which would answer.
    constexpr std::size_t type = 12;
    auto frame = testbed.random_frame(60 + testbed.random()() % 1400, testbed.mac());
    frame[type + 1] = static_cast<char>(0xb6);
    testbed.send(frame);
    expect_that(testbed.soon([&] { return testbed.reg(RDH0) != head; }),
                "RDH of queue 0 after a frame on the cable, read from outside the guest",
                "one descriptor on", fmt::format("still {}", head));
}

bool unmasked(Testbed& testbed) {
    return (testbed.reg(EIMS) & queue_vector) != 0;
}

void serve_one(Testbed& testbed) {
    const auto tail = testbed.reg(RDT0);
    send_silent(testbed);
    expect_that(testbed.soon([&] { return testbed.reg(RDT0) != tail && unmasked(testbed); }),
                "after a frame: RDT of queue 0 and EIMS, read from outside the guest",
                "RDT one on, the vector enabled",
                fmt::format("RDT {} on, vector {}", ahead(testbed, tail, testbed.reg(RDT0)),
                            unmasked(testbed) ? "enabled" : "masked"));
}

std::size_t first(const std::vector<RegisterWrite>& record, std::uint32_t offset,
                  std::uint32_t bits) {
    const auto found = std::find_if(record.begin(), record.end(), [&](const RegisterWrite& write) {
        return write.offset == offset && (write.value & bits) == bits;
    });
    return static_cast<std::size_t>(found - record.begin());
}

std::vector<RegisterWrite> expect_masked_while_serving(Testbed& testbed, unsigned frames) {
    const auto mark = testbed.writes().size();
    for (unsigned i = 0; i < frames; ++i) serve_one(testbed);
    auto record = writes_since(testbed, mark);
    bool masked = false;
    for (const auto& write : record) {
        if (write.offset == EIMC && (write.value & queue_vector) != 0) masked = true;
        if (write.offset == EIMS && (write.value & queue_vector) != 0) masked = false;
        if ((write.offset == EIMC || write.offset == EIMS) && (write.value & queue_vector) != 0)
            expect_register(
                "EIMC and EIMS while frames come, as QEMU recorded the writes: vector "
                "0 and no other",
                queue_vector, write.value);
        expect_that(write.offset != RDT0 || masked,
                    "EIMC, EIMS and RDT of queue 0, as QEMU recorded the writes",
                    "the ring is served while the vector is masked", "RDT written while it is not");
    }
    expect_that(!masked, "EIMS and EIMC, as QEMU recorded the writes",
                "in the end the vector is enabled", "masked");
    return record;
}

void expect_tagged(Testbed& testbed) {
    testbed.must_run({"insmod", Testbed::companion("dca-provider")});
    const auto mark = testbed.writes().size();
    serve_one(testbed);
    const auto record = writes_since(testbed, mark);
    testbed.must_run({"rmmod", "dca_provider"});
    for (const auto& [name, offset] :
         {std::pair{"DCA_RXCTRL", DCA_RXCTRL0}, std::pair{"DCA_TXCTRL", DCA_TXCTRL0}})
        expect_that(
            first(record, offset) < first(record, RDT0),
            fmt::format("{} and RDT of queue 0, with a DCA provider, as QEMU recorded them", name),
            "the tag before the frame is served", "no tag, or only later");
}

std::vector<RegisterWrite> writes_since(const Testbed& testbed, std::size_t mark) {
    auto all = testbed.writes();
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(mark, all.size())));
    return all;
}

std::vector<RegisterWrite> after_letting_in(std::vector<RegisterWrite> record) {
    const auto own = std::min(first(record, EIMS, queue_vector) + 1, record.size());
    record.erase(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(own));
    return record;
}

Answering::Answering(Testbed& testbed, unsigned count) : testbed_(testbed) {
    testbed.put(told, "");
    testbed.start({"frames", "answer", interface(testbed), std::to_string(count), told});
    testbed.wait_until(
        "a program in the guest listens to the interface", "ready",
        [&] { return testbed.text(told).find("ready") != std::string::npos; },
        [&] { return testbed.text(told); }, Testbed::usual_limit);
    testbed.take_frames();
}

std::string Answering::make_frame() const {
    constexpr std::size_t wanted_length = 14;  // two bytes: 0 is all of it
    auto frame = testbed_.random_frame(64 + testbed_.random()() % 1450, testbed_.mac());
    frame[wanted_length] = frame[wanted_length + 1] = 0;
    return frame;
}

void Answering::exchange_singly(unsigned count) const {
    for (unsigned i = 0; i < count; ++i) {
        const auto frame = make_frame();
        testbed_.send(frame);
        expect_answers("a frame sent alone", {frame});
    }
}

void Answering::exchange_together(unsigned count) const {
    std::vector<std::string> burst;
    while (burst.size() < count) burst.push_back(make_frame());
    for (const auto& frame : burst) testbed_.send(frame);
    expect_answers("a burst", burst);
}

void Answering::expect_answers(const std::string& what,
                               const std::vector<std::string>& sent) const {
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const auto which = fmt::format("{}: answer {} of {}", what, i + 1, sent.size());
        const auto answer = testbed_.receive();
        if (!answer)
            fail(which, "the frame, its addresses exchanged",
                 fmt::format("no frame within {} s", Testbed::usual_patience.count()));
        expect_bytes(which, answer_to(sent[i]), *answer);
    }
}

}  // namespace fwts::grader
