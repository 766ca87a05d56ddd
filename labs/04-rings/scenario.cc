// SPDX-License-Identifier: GPL-2.0
// Lab 4, Rings: the checks. handout.md is the same list in the student's words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <sstream>

#include "all_labs.h"
#include "calls.h"
#include "expect.h"
#include "interface.h"
#include "rings.h"
#include "testbed.h"
#include "traffic.h"

namespace fwts::labs {
namespace {

using grader::answer_to;
using grader::Beside;
using grader::CallNote;
using grader::Companion;
using grader::counter;
using grader::Direction;
using grader::expect_bytes;
using grader::expect_equal;
using grader::expect_full_of_buffers;
using grader::expect_mapped;
using grader::expect_that;
using grader::expect_told_done;
using grader::fail;
using grader::listen;
using grader::mappings;
using grader::number;
using grader::Ring;
using grader::ring_size;
using grader::set_link;
using grader::set_mtu;
using grader::SlowCall;
using grader::steps;
using grader::Testbed;
using Seconds = Testbed::Seconds;
using Frames = std::vector<std::string>;

using namespace sandbox::registers;

constexpr std::uint32_t DCTL_ENABLE = RXDCTL_ENABLE;  // TXDCTL's is the same bit
static_assert(DCTL_ENABLE == TXDCTL_ENABLE);

constexpr std::size_t header = 14;
constexpr std::size_t shortest = 60;   // of a frame on the cable, without FCS
constexpr std::size_t longest = 1514;  // at the usual MTU
constexpr std::size_t copied_below = 256;
constexpr unsigned usual_mtu = 1500;
constexpr std::size_t in_flight = 64;  // frames an exchange is ahead of the answers
constexpr Seconds patience{10};        // for a burst of frames and what is done with them
const std::string eth = "eth0";        // the only card there is

// --- numbers of this run
// --------------------------------------------------------------------------

unsigned between(Testbed& testbed, unsigned least, unsigned most) {
    return least + static_cast<unsigned>(testbed.random()() % (most - least + 1));
}

/// An allowed size of at least 64 and at most 160 descriptors, other than `not_this`. A small
/// ring has a seam to cross, and is quickly full.
unsigned some_size(Testbed& testbed, unsigned not_this = 0) {
    const auto step = number(testbed, "ring_step");
    unsigned size = not_this;
    while (size == not_this) size = std::max(64U, between(testbed, 64 / step, 160 / step) * step);
    return size;
}

Frames random_frames(Testbed& testbed, unsigned count, std::size_t least = shortest,
                     std::size_t most = longest) {
    Frames frames;
    for (unsigned i = 0; i < count; ++i) {
        const auto size =
            between(testbed, static_cast<unsigned>(least), static_cast<unsigned>(most));
        frames.push_back(testbed.random_frame(size, testbed.mac()));
    }
    return frames;
}

// --- the card, from outside ----------------------------------------------------------------------

/// The card sends nothing while this lives, as if the partner had asked it to pause: the driver
/// puts in frames, and the head stays where it is.
class Pause {
  public:
    explicit Pause(Testbed& testbed) : testbed_(testbed) { let_send(false); }
    ~Pause() {
        try {
            end();
        } catch (const std::exception&) {  // the guest is gone, and somebody is told already
        }
    }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

    void end() {
        if (ended_) return;
        ended_ = true;
        let_send(true);
        testbed_.set_reg(TDT0,
                         testbed_.reg(TDT0));  // QEMU looks at its ring when the tail is written
    }

    /// The card sends so many of the frames that wait, and no more.
    void let_out(std::uint32_t frames) {
        const auto ring = testbed_.ring(Direction::transmit);
        const auto count = static_cast<std::uint32_t>(ring.slots.size());
        let_send(true);
        testbed_.set_reg(TDT0, (ring.head + frames) % count);
        let_send(false);
        testbed_.set_reg(TDT0, ring.tail);
    }

  private:
    void let_send(bool on) {
        const auto others = testbed_.reg(TCTL) & ~TCTL_EN;
        testbed_.set_reg(TCTL, on ? others | TCTL_EN : others);
    }

    Testbed& testbed_;
    bool ended_ = false;
};

// --- frames both ways ----------------------------------------------------------------------------

/// Puts these frames where `frames send` finds them. @return the program's words.
std::vector<std::string> prepare(Testbed& testbed, const Frames& frames) {
    std::string file;
    for (const auto& frame : frames) {
        file += static_cast<char>(frame.size() >> 8U);
        file += static_cast<char>(frame.size() & 0xffU);
        file += frame;
    }
    testbed.put("/tmp/frames", file);
    return {"frames", "send", eth, std::to_string(frames.size()), "/tmp/frames"};
}

/// Has the guest send these frames. Returns when the stack has taken them.
void send_from_guest(Testbed& testbed, const Frames& frames) {
    testbed.must_run(prepare(testbed, frames));
}

/// As it must appear on the cable: never shorter than a frame may be.
std::string padded(std::string frame) {
    frame.resize(std::max(frame.size(), shortest));
    return frame;
}

/// The next frame on the cable must be frame `i` of these.
void expect_next(Testbed& testbed, const Frames& frames, std::size_t i) {
    const auto what = fmt::format("frame {} of {} on the cable", i + 1, frames.size());
    const auto seen = testbed.receive();
    expect_that(seen.has_value(), what, fmt::format("{} bytes", padded(frames[i]).size()),
                "nothing");
    for (std::size_t other = 0; other < frames.size(); ++other)
        if (other != i && *seen == padded(frames[other]))
            fail(what, "all of them, in order", fmt::format("frame {} in its place", other + 1));
    expect_bytes(what, padded(frames[i]), *seen);
}

void expect_on_cable(Testbed& testbed, const Frames& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) expect_next(testbed, frames, i);
}

/// A frame that the program answers whole: its first two bytes of payload ask for no other length.
Frames questions(Testbed& testbed, unsigned count, std::size_t least = shortest,
                 std::size_t most = longest) {
    auto frames = random_frames(testbed, count, least, most);
    for (auto& frame : frames) frame[header] = frame[header + 1] = 0;
    return frames;
}

Frames answers_to(const Frames& frames) {
    Frames answers;
    for (const auto& frame : frames) answers.push_back(answer_to(frame));
    return answers;
}

/// Sends frames, a few ahead of the answers, and compares every answer. Somebody listens already.
void exchange(Testbed& testbed, const Frames& frames) {
    const auto answers = answers_to(frames);
    std::size_t sent = 0;
    for (std::size_t got = 0; got < frames.size(); ++got) {
        while (sent < frames.size() && sent < got + in_flight) testbed.send(frames[sent++]);
        expect_next(testbed, answers, got);
    }
    expect_told_done(testbed, frames.size());
    expect_equal("frames on the cable that nobody asked for", 0U, testbed.take_frames().size());
}

// --- sizes ---------------------------------------------------------------------------------------

/// Sizes to be set one after another; 0: as it is.
using Sizes = std::vector<std::pair<unsigned, unsigned>>;

/// @return a line for each: "ok" or what the kernel said.
std::string resize(Testbed& testbed, const Sizes& sizes) {
    std::vector<std::string> words{"drive", "resize", eth};
    for (const auto& [receive, transmit] : sizes) {
        words.push_back(std::to_string(receive));
        words.push_back(std::to_string(transmit));
    }
    return testbed.must_run(words);
}

void must_resize(Testbed& testbed, unsigned receive, unsigned transmit) {
    expect_equal(fmt::format("ethtool -G {} rx {} tx {} (0: as it is)", eth, receive, transmit),
                 std::string("ok"), resize(testbed, {{receive, transmit}}));
}

std::string statistics(Testbed& testbed) {
    return testbed.must_run({"ethtool", "-S", eth});
}

/// What the card itself has counted.
std::uint64_t received_by_card(Testbed& testbed) {
    return counter(statistics(testbed), "card_rx_packets");
}

// --- what the skeleton does ----------------------------------------------------------------------

void check_loads(Testbed& testbed) {
    testbed.silence_guest();
    testbed.must_run({"insmod", Testbed::guest_module});
    set_link(testbed, eth, true);
    for (const auto& [name, offset] : {std::pair{"RXDCTL", RXDCTL0}, std::pair{"TXDCTL", TXDCTL0}})
        expect_that((testbed.reg(offset) & DCTL_ENABLE) != 0,
                    fmt::format("{} of queue 0, read from outside the guest", name), "ENABLE set",
                    fmt::format("{:#010x}", testbed.reg(offset)));
    expect_that((testbed.reg(RCTL) & RCTL_RXEN) != 0, "RCTL", "RXEN set", "RXEN clear");
    expect_that((testbed.reg(TCTL) & TCTL_EN) != 0, "TCTL", "EN set", "EN clear");
    expect_equal("descriptors of the receive ring", 256U, ring_size(testbed, Direction::receive));
    expect_equal("descriptors of the transmit ring", 256U, ring_size(testbed, Direction::transmit));
}

// --- the book's part -----------------------------------------------------------------------------

void check_posted(Testbed& testbed) {
    const auto receive = some_size(testbed);
    // More frames than one look takes, if the steps allow it.
    const auto step = number(testbed, "ring_step");
    const auto transmit = std::max(step, 160 / step * step);
    set_link(testbed, eth, false);
    must_resize(testbed, receive, transmit);
    set_link(testbed, eth, true);
    const auto ring = testbed.ring(Direction::receive);
    expect_equal("descriptors of the receive ring", receive, ring.slots.size());
    expect_equal("head of the receive ring", 0U, ring.head);
    expect_equal("tail of the receive ring", receive - 1, ring.tail);
    expect_full_of_buffers(ring);
    expect_mapped(testbed, "DMA_FROM_DEVICE", receive - 1, "of a full ring");
    expect_equal("descriptors of the transmit ring", transmit,
                 ring_size(testbed, Direction::transmit));
    expect_equal("tail of the transmit ring", 0U, testbed.reg(TDT0));
}

/// Two frames find no new buffer. They are lost, and nothing else is.
void check_failed_replacement(Testbed& testbed, const std::string& symbol,
                              const std::string& value) {
    constexpr unsigned sent = 8;
    const auto before = testbed.ring(Direction::receive);
    const auto count = static_cast<unsigned>(before.slots.size());
    const auto counted = statistics(testbed);
    const auto frames = questions(testbed, sent, copied_below);
    testbed.take_frames();
    listen(testbed, "answer", sent);
    unsigned lost = 0;
    {
        const Companion failing(testbed, "failcall",
                                {"symbol=" + symbol, "value=" + value, "skip=3", "count=2"});
        // One after the other: an answer is mapped, too.
        std::size_t answered = 0;
        for (const auto& frame : frames) {
            const auto tail = (testbed.reg(RDT0) + 1) % count;
            const auto hits = failing.number("hits");
            testbed.send(frame);
            testbed.wait_until(
                "tail of the receive ring: one out, one in", std::to_string(tail),
                [&] { return testbed.reg(RDT0) == tail; },
                [&] { return std::to_string(testbed.reg(RDT0)); }, patience);
            if (failing.number("hits") != hits) continue;
            const auto seen = testbed.receive();
            expect_that(seen.has_value(), "the answer to a frame", "one", "none");
            expect_bytes("the answer", answer_to(frame), *seen);
            ++answered;
        }
        lost = static_cast<unsigned>(sent - answered);
    }
    testbed.sh("killall frames");  // it waits for those that were lost
    expect_full_of_buffers(testbed.ring(Direction::receive));
    expect_mapped(testbed, "DMA_FROM_DEVICE", count - 1, "of a full ring");
    const auto now = statistics(testbed);
    for (const char* name : {"rx0_drops", "rx0_no_memory"})
        expect_equal(fmt::format("{} after {} frames for which {}() failed", name, lost, symbol),
                     lost, counter(now, name) - counter(counted, name));
}

/// More frames than the ring has descriptors, all at once: the ring runs empty, and recovers.
void check_many_received(Testbed& testbed) {
    const auto before = testbed.ring(Direction::receive);
    const auto count = static_cast<unsigned>(before.slots.size());
    const auto sent = count + between(testbed, 1, count - 1);
    const auto counted = statistics(testbed);
    std::size_t bytes = 0;
    listen(testbed, "take", sent);
    for (const auto& frame : random_frames(testbed, sent)) {
        bytes += frame.size();
        testbed.send(frame);
    }
    expect_told_done(testbed, sent);
    const auto tail = (before.tail + sent) % count;
    testbed.wait_until(
        fmt::format("tail after {} frames: one out, one in", sent), std::to_string(tail),
        [&] { return testbed.reg(RDT0) == tail; },
        [&] { return std::to_string(testbed.reg(RDT0)); }, patience);
    expect_full_of_buffers(testbed.ring(Direction::receive));
    expect_mapped(testbed, "DMA_FROM_DEVICE", count - 1, "of a full ring");
    const auto now = statistics(testbed);
    expect_equal("rx0_packets", sent,
                 counter(now, "rx0_packets") - counter(counted, "rx0_packets"));
    expect_equal("rx0_bytes", bytes, counter(now, "rx0_bytes") - counter(counted, "rx0_bytes"));
}

void check_receives(Testbed& testbed) {
    check_many_received(testbed);
    check_failed_replacement(testbed, "__netdev_alloc_skb", "0");
}

/// Every bit of the descriptor; DD is clear until the card is done.
void expect_described(const Ring& ring, unsigned index, const std::string& frame) {
    const auto& slot = ring.slots[index];
    const auto what = fmt::format("transmit descriptor {}: ", index);
    expect_that(slot.low != 0, what + "address", "the frame's", "zero");
    expect_equal(what + "DTALEN", frame.size(), slot.high & 0xffffU);
    expect_equal(what + "DTYP, a data descriptor", 3U, slot.high >> 20U & 0xfU);
    expect_equal(what + "DCMD: DEXT, RS, IFCS, EOP", std::string("0x2b"),
                 fmt::format("{:#x}", slot.high >> 24U & 0xffU));
    expect_equal(what + "DD before the card is done", 0U, slot.high >> 32U & 1U);
    expect_equal(what + "PAYLEN", frame.size(), slot.high >> 46U);
    constexpr std::uint64_t other = 0x3ffeU * (std::uint64_t{1} << 32U) | 0xf0000U;
    expect_equal(what + "all other bits", std::string("0"),
                 fmt::format("{:#x}", slot.high & other).substr((slot.high & other) == 0 ? 2 : 0));
}

void check_describes(Testbed& testbed) {
    const auto before = testbed.ring(Direction::transmit);
    const auto count = static_cast<unsigned>(before.slots.size());
    // The stack hands over frames as short as their header.
    auto frames = random_frames(testbed, 6, shortest + 1);
    frames.push_back(testbed.random_frame(between(testbed, header, shortest - 1), testbed.mac()));
    frames.push_back(testbed.random_frame(longest, testbed.mac()));
    testbed.take_frames();
    {
        Pause pause(testbed);
        send_from_guest(testbed, frames);
        const auto ring = testbed.ring(Direction::transmit);
        expect_equal("descriptors given to the card", frames.size(),
                     steps(ring, before.tail, ring.tail));
        for (unsigned i = 0; i < frames.size(); ++i) {
            const auto index = (before.tail + i) % count;
            expect_described(ring, index, padded(frames[i]));
        }
    }
    expect_on_cable(testbed, frames);
    const auto after = testbed.ring(Direction::transmit);
    expect_equal("head of the transmit ring", after.tail, after.head);
}

/// Whoever serves the rings looks at the sent frames first, then at the received ones: when a
/// received frame has been taken, it has looked.
void await_service(Testbed& testbed) {
    const auto tail = (testbed.reg(RDT0) + 1) % ring_size(testbed, Direction::receive);
    testbed.send(testbed.random_frame(copied_below / 2, testbed.mac()));
    testbed.wait_until(
        "tail of the receive ring after a short frame", std::to_string(tail),
        [&] { return testbed.reg(RDT0) == tail; },
        [&] { return std::to_string(testbed.reg(RDT0)); }, patience);
}

/// As many frames as fit are sent at once. Each look at the ring takes as many as it may.
void check_limit(Testbed& testbed) {
    const auto frames =
        random_frames(testbed, ring_size(testbed, Direction::transmit) - 1, shortest, 200);
    const CallNote callnote(testbed, {"igbook_tx_clean:1", "dma_unmap_page_attrs"});
    std::size_t mark = 0;
    {
        Pause pause(testbed);
        send_from_guest(testbed, frames);
        mark = testbed.writes().size();
    }
    expect_on_cable(testbed, frames);
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
    grader::expect_limit_kept(callnote.deeds(mark));
}

void check_reclaims(Testbed& testbed) {
    testbed.take_frames();
    const auto waiting = random_frames(testbed, between(testbed, 5, 20));
    {
        Pause pause(testbed);
        send_from_guest(testbed, waiting);
        await_service(testbed);
        expect_equal("frames still mapped while the card has sent none", waiting.size(),
                     mappings(testbed, "DMA_TO_DEVICE").size());
        // A card that fetches ahead: its head says what it has read, DD what is out.
        const auto head = testbed.reg(TDH0);
        testbed.set_reg(TDH0, testbed.reg(TDT0));
        await_service(testbed);
        testbed.set_reg(TDH0, head);
        expect_equal("frames still mapped while the card has read the descriptors and sent none",
                     waiting.size(), mappings(testbed, "DMA_TO_DEVICE").size());
        const auto out = between(testbed, 1, static_cast<unsigned>(waiting.size()) - 1);
        pause.let_out(out);
        await_service(testbed);
        expect_equal(fmt::format("frames still mapped when {} of {} are out", out, waiting.size()),
                     waiting.size() - out, mappings(testbed, "DMA_TO_DEVICE").size());
    }
    expect_on_cable(testbed, waiting);
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
    check_limit(testbed);
    // Fuller than full, and around the seam: the stack must wait, and be woken.
    const auto count = ring_size(testbed, Direction::transmit);
    const auto burst = random_frames(testbed, 3 * count, shortest, 200);
    {
        Pause pause(testbed);
        testbed.start(prepare(testbed, burst));  // if nobody wakes it, it never ends
        const auto waiting_now = [&] {
            return (testbed.reg(TDT0) + count - testbed.reg(TDH0)) % count;
        };
        testbed.wait_until(
            "descriptors of a transmit ring that more frames wait for", std::to_string(count - 1),
            [&] { return waiting_now() == count - 1; },
            [&] { return std::to_string(waiting_now()); }, patience);
        await_service(testbed);
    }
    expect_on_cable(testbed, burst);
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
    // Where the card has written its DD before.
    const auto before = testbed.ring(Direction::transmit);
    const auto again = random_frames(testbed, 5);
    {
        Pause pause(testbed);
        send_from_guest(testbed, again);
        const auto ring = testbed.ring(Direction::transmit);
        for (unsigned i = 0; i < again.size(); ++i)
            expect_described(ring, (before.tail + i) % count, padded(again[i]));
    }
    expect_on_cable(testbed, again);
}

void check_echo(Testbed& testbed) {
    testbed.take_frames();
    const auto frames = questions(testbed,
                                  2 * std::max(ring_size(testbed, Direction::receive),
                                               ring_size(testbed, Direction::transmit)) +
                                      1,
                                  copied_below);
    listen(testbed, "answer", frames.size());
    exchange(testbed, frames);
}

// --- beyond the book -----------------------------------------------------------------------------

/// What `ethtool -g` says: the most and the current sizes, receive and transmit.
struct Shown {
    std::vector<unsigned> receive;
    std::vector<unsigned> transmit;
};

Shown shown(Testbed& testbed) {
    std::istringstream lines(testbed.must_run({"ethtool", "-g", eth}));
    Shown found;
    for (std::string line; std::getline(lines, line);) {
        const auto number = line.find_last_of(" \t") + 1;
        if (line.starts_with("RX:")) found.receive.push_back(std::stoul(line.substr(number)));
        if (line.starts_with("TX:")) found.transmit.push_back(std::stoul(line.substr(number)));
    }
    if (found.receive.size() != 2 || found.transmit.size() != 2)
        fail("ethtool -g", "two sizes of each ring", "others");
    return found;
}

void expect_shown(Testbed& testbed, unsigned receive, unsigned transmit, const std::string& when) {
    const auto now = shown(testbed);
    expect_equal("ethtool -g, receive, " + when, receive, now.receive[1]);
    expect_equal("ethtool -g, transmit, " + when, transmit, now.transmit[1]);
}

/// Sizes as `drive` takes them, in one direction and in both; a good one is beside a bad one.
std::vector<std::pair<std::string, std::string>> refused_sizes(Testbed& testbed) {
    const auto least = number(testbed, "ring_least");
    const auto most = number(testbed, "ring_most");
    const auto step = number(testbed, "ring_step");
    const auto good = std::to_string(least + 2 * step);
    const auto odd = between(testbed, least / step, 8) * step + between(testbed, 1, step - 1);
    std::vector<std::string> bad{"none", "1"};
    for (const auto size : {least - 1, least + 1, least + step / 2, least + step - 1, odd, most - 1,
                            most + 1, most + step, 2 * most, 65536 + least})
        bad.push_back(std::to_string(size));
    if (least > step) bad.push_back(std::to_string(least - step));
    // The card's own step is 8.
    if (step > 8) bad.push_back(std::to_string(least + 8));
    if (least > 8) bad.push_back(std::to_string(least - 8));
    std::vector<std::pair<std::string, std::string>> sizes;
    for (const auto& size : bad) {
        sizes.emplace_back(size, "0");
        sizes.emplace_back("0", size);
        sizes.emplace_back(good, size);
        sizes.emplace_back(size, good);
    }
    sizes.emplace_back("none", "none");
    sizes.emplace_back(std::to_string(odd), std::to_string(odd));
    return sizes;
}

void expect_refused(Testbed& testbed, const std::string& when) {
    const auto before = shown(testbed);
    const auto sizes = refused_sizes(testbed);
    std::vector<std::string> words{"drive", "resize", eth};
    for (const auto& [receive, transmit] : sizes) {
        words.push_back(receive);
        words.push_back(transmit);
    }
    std::istringstream said(testbed.must_run(words));
    for (const auto& [receive, transmit] : sizes) {
        std::string line;
        std::getline(said, line);
        expect_equal(fmt::format("ethtool -G {} rx {} tx {} (0: as it is), {}", eth, receive,
                                 transmit, when),
                     std::string("Invalid argument"), line);
    }
    expect_shown(testbed, before.receive[1], before.transmit[1],
                 "after sizes that are refused, " + when);
}

/// Sets sizes that are allowed, and looks at the card.
void expect_taken(Testbed& testbed, unsigned receive, unsigned transmit) {
    must_resize(testbed, receive, transmit);
    if (receive != 0)
        expect_equal("descriptors of the receive ring", receive,
                     ring_size(testbed, Direction::receive));
    if (transmit != 0)
        expect_equal("descriptors of the transmit ring", transmit,
                     ring_size(testbed, Direction::transmit));
    expect_shown(testbed, ring_size(testbed, Direction::receive),
                 ring_size(testbed, Direction::transmit), "after a change");
}

void check_limits(Testbed& testbed) {
    const auto least = number(testbed, "ring_least");
    const auto most = number(testbed, "ring_most");
    const auto step = number(testbed, "ring_step");
    const auto largest = shown(testbed);
    expect_equal("ethtool -g, receive, maximum", most, largest.receive[0]);
    expect_equal("ethtool -g, transmit, maximum", most, largest.transmit[0]);

    const auto receive = testbed.ring(Direction::receive);
    const auto transmit = testbed.ring(Direction::transmit);
    const auto mark = testbed.writes().size();
    expect_refused(testbed, "the interface up");
    grader::expect_no_write(testbed, mark, "for sizes that are refused");
    expect_equal("the receive ring's address", receive.base, testbed.ring(Direction::receive).base);
    expect_equal("the transmit ring's address", transmit.base,
                 testbed.ring(Direction::transmit).base);

    expect_taken(testbed, most, most);
    expect_taken(testbed, least, 0);
    expect_taken(testbed, 0, least);
    expect_taken(testbed, least + step, most - step);
    expect_taken(testbed, most, least);
    expect_taken(testbed, least, most);

    set_link(testbed, eth, false);
    expect_shown(testbed, least, most, "when the interface has gone down");
    expect_refused(testbed, "the interface down");
    set_link(testbed, eth, true);
    expect_equal("descriptors of the receive ring, down and up", least,
                 ring_size(testbed, Direction::receive));
    expect_equal("descriptors of the transmit ring, down and up", most,
                 ring_size(testbed, Direction::transmit));
    set_link(testbed, eth, false);
    must_resize(testbed, most - step, least);
    expect_shown(testbed, most - step, least, "after a change while the interface was down");
    must_resize(testbed, some_size(testbed), some_size(testbed));
    set_link(testbed, eth, true);
}

/// Writes since `mark` to registers of this direction's ring. No frames pass meanwhile.
unsigned disturbed(const Testbed& testbed, std::size_t mark, Direction direction) {
    const std::set<std::uint32_t> receive{RDBAL0, RDBAH0, RDLEN0,  SRRCTL0,
                                          RDH0,   RDT0,   RXDCTL0, RCTL};
    const std::set<std::uint32_t> transmit{TDBAL0, TDBAH0, TDLEN0, TDH0, TDT0, TXDCTL0, TCTL};
    const auto& theirs = direction == Direction::receive ? receive : transmit;
    const auto writes = testbed.writes();
    return static_cast<unsigned>(
        std::count_if(writes.begin() + static_cast<std::ptrdiff_t>(mark), writes.end(),
                      [&](const auto& write) { return theirs.contains(write.offset); }));
}

/// The queue is off when its ring changes, and the tail is written when it is on again.
void expect_order(const Testbed& testbed, std::size_t mark, std::uint32_t base,
                  std::uint32_t control) {
    const auto writes = testbed.writes();
    const auto begin = writes.begin() + static_cast<std::ptrdiff_t>(mark);
    const auto off = std::find_if(begin, writes.end(), [&](const auto& write) {
        return write.offset == control && (write.value & DCTL_ENABLE) == 0;
    });
    const auto change =
        std::find_if(begin, writes.end(), [&](const auto& write) { return write.offset == base; });
    expect_that(off < change && change != writes.end(), "the queue's control register",
                "ENABLE cleared before the ring's address is written", "not so");
    const auto on = std::find_if(change, writes.end(), [&](const auto& write) {
        return write.offset == control && (write.value & DCTL_ENABLE) != 0;
    });
    expect_that(on != writes.end(), "the queue's control register",
                "ENABLE set after the ring's address is written", "not so");
}

void check_one_way(Testbed& testbed) {
    const auto receive = testbed.ring(Direction::receive);
    const auto transmit = testbed.ring(Direction::transmit);
    auto mark = testbed.writes().size();
    const auto fewer = some_size(testbed, static_cast<unsigned>(receive.slots.size()));
    must_resize(testbed, fewer, 0);
    expect_order(testbed, mark, RDBAL0, RXDCTL0);
    expect_equal("writes to transmit registers while the receive ring is changed", 0U,
                 disturbed(testbed, mark, Direction::transmit));
    const auto changed = testbed.ring(Direction::receive);
    expect_equal("descriptors of the receive ring", fewer, changed.slots.size());
    expect_full_of_buffers(changed);

    mark = testbed.writes().size();
    const auto other = some_size(testbed, static_cast<unsigned>(transmit.slots.size()));
    must_resize(testbed, 0, other);
    expect_order(testbed, mark, TDBAL0, TXDCTL0);
    expect_equal("writes to receive registers while the transmit ring is changed", 0U,
                 disturbed(testbed, mark, Direction::receive));
    expect_equal("descriptors of the transmit ring", other,
                 ring_size(testbed, Direction::transmit));

    mark = testbed.writes().size();
    const auto larger = between(testbed, 2100, 3000);
    set_mtu(testbed, eth, larger);
    expect_order(testbed, mark, RDBAL0, RXDCTL0);
    const auto room = (testbed.reg(SRRCTL0) & 0x7fU) * 1024;
    expect_that(room >= larger + header + 4,
                fmt::format("SRRCTL.BSIZEPACKET at an MTU of {}", larger),
                "room for the longest frame", fmt::format("{} bytes", room));
    expect_equal("writes to transmit registers while the MTU is changed", 0U,
                 disturbed(testbed, mark, Direction::transmit));
    testbed.take_frames();
    const auto frames = questions(testbed, 3, larger + header, larger + header);
    listen(testbed, "answer", frames.size());
    exchange(testbed, frames);
    mark = testbed.writes().size();
    set_mtu(testbed, eth, usual_mtu);
    expect_equal("writes to transmit registers while the MTU is changed back", 0U,
                 disturbed(testbed, mark, Direction::transmit));
    expect_mapped(testbed, "DMA_FROM_DEVICE", fewer - 1, "of a full ring");
    // An MTU whose buffers are as large as those of the MTU before, and one more that is.
    for (const auto mtu : {usual_mtu, between(testbed, 1600, 1800), between(testbed, 1900, 2000)}) {
        set_mtu(testbed, eth, mtu);
        const auto again = questions(testbed, 3, mtu + header, mtu + header);
        listen(testbed, "answer", again.size());
        exchange(testbed, again);
    }
    set_mtu(testbed, eth, usual_mtu);
}

/// Starts a change that comes when so many frames lie in the ring, and sends them.
void change_with_frames(Testbed& testbed, const std::vector<std::string>& change,
                        const Frames& frames) {
    const auto until = received_by_card(testbed) + frames.size();
    std::vector<std::string> words{"drive", change.front(), std::to_string(until), eth};
    words.insert(words.end(), change.begin() + 1, change.end());
    testbed.start(words);
    const auto now = fmt::format("drive: send frame {} now", until);
    testbed.wait_until(
        "in the guest: drive " + change.front(), now,
        [&] { return testbed.console().find(now) != std::string::npos; }, [] { return "nothing"; },
        patience);
    for (const auto& frame : frames) testbed.send(frame);
}

/// Frames lie in the ring, and nobody has looked at them, when its size or the MTU changes.
/// @return how many they were.
std::size_t check_keeps_a_full_ring(Testbed& testbed, bool mtu) {
    const auto count = ring_size(testbed, Direction::receive);
    const auto frames = questions(testbed, between(testbed, count / 2, count - 2));
    const auto size = mtu ? count : some_size(testbed, count);
    listen(testbed, "answer", frames.size());
    if (mtu)
        change_with_frames(testbed, {"mtu-after", "2000"}, frames);
    else
        change_with_frames(testbed, {"resize-after", std::to_string(size), "0"}, frames);
    expect_on_cable(testbed, answers_to(frames));
    expect_told_done(testbed, frames.size());
    expect_equal("descriptors of the receive ring", size, ring_size(testbed, Direction::receive));
    if (mtu) set_mtu(testbed, eth, usual_mtu);
    return frames.size();
}

/// A change of sizes, held where the driver is about to switch a queue off.
class HeldChange {
  public:
    HeldChange(Testbed& testbed, unsigned receive, unsigned transmit)
        : slow_(testbed, "igbook_ring_disable"),
          change_(testbed,
                  fmt::format("drive resize {} {} {} | grep -x ok", eth, receive, transmit)) {
        slow_.entered([&] { return change_.ended(); });
    }
    void go_on() {
        slow_.go();
        expect_equal("status of drive resize", 0, change_.status());
    }

  private:
    SlowCall slow_;
    Beside change_;
};

/// Frames that the card takes at the last moment. @return how many they were.
std::size_t check_keeps_the_last(Testbed& testbed) {
    const auto count = ring_size(testbed, Direction::receive);
    const auto frames = questions(testbed, between(testbed, 5, 20));
    listen(testbed, "answer", frames.size());
    HeldChange change(testbed, some_size(testbed, count), 0);
    const auto head = (testbed.reg(RDH0) + frames.size()) % ring_size(testbed, Direction::receive);
    for (const auto& frame : frames) testbed.send(frame);
    testbed.soon([&] { return testbed.reg(RDH0) == head; }, patience);
    change.go_on();
    expect_on_cable(testbed, answers_to(frames));
    expect_told_done(testbed, frames.size());
    return frames.size();
}

/// More of them than the stack's backlog holds. @return how many.
std::size_t check_keeps_a_large_ring(Testbed& testbed) {
    const auto most = number(testbed, "ring_most");
    const auto small = ring_size(testbed, Direction::receive);
    must_resize(testbed, most, 0);
    const auto frames = random_frames(testbed, std::min(most - 2, 1400U), shortest, 100);
    listen(testbed, "take", frames.size());
    change_with_frames(testbed, {"resize-after", std::to_string(small), "0"}, frames);
    expect_told_done(testbed, frames.size());
    return frames.size();
}

/// Answers as they come. What arrives while the receive queue is off never gets into the card, so
/// some may be missing; but none comes twice, late or changed.
class Stream {
  public:
    Stream(Testbed& testbed, const Frames& frames)
        : testbed_(testbed), answers_(answers_to(frames)) {}

    void take_one() {
        const auto seen = testbed_.receive(patience);
        expect_that(seen.has_value(), fmt::format("an answer to any frame from {} on", next_ + 1),
                    "one", "none");
        const auto begin = answers_.begin() + static_cast<std::ptrdiff_t>(next_);
        const auto found = std::find(begin, answers_.end(), *seen);
        if (found == answers_.end()) expect_bytes("the next answer", answers_[next_], *seen);
        next_ = static_cast<std::size_t>(found - answers_.begin()) + 1;
        ++taken_;
    }
    /// The first frame whose answer may still come.
    std::size_t next() const { return next_; }
    std::size_t taken() const { return taken_; }

  private:
    Testbed& testbed_;
    Frames answers_;
    std::size_t next_ = 0;
    std::size_t taken_ = 0;
};

/// Changes sizes again and again while frames pass. @return how many frames were answered.
std::size_t check_keeps_under_traffic(Testbed& testbed) {
    constexpr std::size_t changes = 6;
    const auto frames = questions(testbed, 300);
    std::string command = "drive resize " + eth;
    unsigned receive = ring_size(testbed, Direction::receive);
    unsigned transmit = ring_size(testbed, Direction::transmit);
    std::string each_ok;
    for (std::size_t i = 0; i < changes; ++i) {
        receive = some_size(testbed, receive);
        transmit = some_size(testbed, transmit);
        command += fmt::format(" {} {}", receive, transmit);
        each_ok += i == 0 ? "ok" : "\nok";
    }
    listen(testbed, "answer", frames.size());
    testbed.put("/tmp/resized", "");
    Stream stream(testbed, frames);
    const auto last = frames.size() - 1;
    std::size_t sent = 0;
    testbed.start({"sh", "-c", command + " >/tmp/resized"});
    while (sent < last) {
        while (sent < last && sent < stream.next() + in_flight) testbed.send(frames[sent++]);
        if (sent < last) stream.take_one();
    }
    testbed.wait_until(
        command, each_ok, [&] { return testbed.text("/tmp/resized") == each_ok; },
        [&] { return testbed.text("/tmp/resized"); }, patience);
    testbed.send(frames[last]);
    while (stream.next() <= last) stream.take_one();
    expect_equal("descriptors of the receive ring", receive,
                 ring_size(testbed, Direction::receive));
    expect_equal("descriptors of the transmit ring", transmit,
                 ring_size(testbed, Direction::transmit));
    return stream.taken();
}

void check_keeps(Testbed& testbed) {
    testbed.take_frames();
    const auto before = statistics(testbed);
    const auto card = received_by_card(testbed);
    // The frames come while a program keeps the processor, however long they take.
    testbed.put("/proc/sys/kernel/sched_rt_runtime_us", "-1");
    const auto waiting =
        check_keeps_a_full_ring(testbed, false) + check_keeps_a_full_ring(testbed, true);
    const auto unanswered = check_keeps_a_large_ring(testbed);
    const auto late = check_keeps_the_last(testbed);
    const auto answered = waiting + late + check_keeps_under_traffic(testbed);
    const auto taken = received_by_card(testbed) - card;
    expect_equal("answers, one for each frame that the card took", taken, answered + unanswered);
    const auto after = statistics(testbed);
    expect_equal("rx0_packets over all changes", taken,
                 counter(after, "rx0_packets") - counter(before, "rx0_packets"));
    expect_equal("tx0_packets over all changes", answered,
                 counter(after, "tx0_packets") - counter(before, "tx0_packets"));
    for (const char* name : {"rx0_drops", "tx0_drops"})
        expect_equal(fmt::format("{} over all changes", name), 0U,
                     counter(after, name) - counter(before, name));
    for (const char* ring : {"rx0_", "tx0_"})
        for (const char* what : {"packets", "bytes", "drops", "no_memory", "stops"}) {
            const auto was = counter(before, std::string(ring) + what);
            const auto now = counter(after, std::string(ring) + what);
            expect_that(now >= was, fmt::format("{}{} over all changes", ring, what),
                        fmt::format("{} or more", was), fmt::format("{}", now));
        }
    testbed.sh("killall frames");  // if it waits for those that never came
}

/// A size of a transmit ring with room for two hundred frames.
unsigned roomy(const Testbed& testbed) {
    const auto step = number(testbed, "ring_step");
    return (256 / step + 1) * step;
}

/// The frames wait in the ring, in order, each where it was in memory.
void expect_waiting(Testbed& testbed, const Frames& frames,
                    const std::vector<std::uint64_t>& where) {
    const auto ring = testbed.ring(Direction::transmit);
    const auto count = static_cast<unsigned>(ring.slots.size());
    expect_equal("descriptors given to the card in the new ring", frames.size(),
                 steps(ring, ring.head, ring.tail));
    for (unsigned i = 0; i < frames.size(); ++i) {
        const auto index = (ring.head + i) % count;
        expect_described(ring, index, padded(frames[i]));
        expect_equal(fmt::format("transmit descriptor {}: address of frame {}", index, i + 1),
                     where[i], ring.slots[index].low);
    }
    expect_equal("frames mapped", frames.size(), mappings(testbed, "DMA_TO_DEVICE").size());
    expect_equal("frames on the cable while the card pauses", 0U, testbed.take_frames().size());
}

std::vector<std::uint64_t> addresses(const Ring& ring) {
    std::vector<std::uint64_t> found;
    const auto count = static_cast<unsigned>(ring.slots.size());
    for (auto i = ring.head; i != ring.tail; i = (i + 1) % count)
        found.push_back(ring.slots[i].low);
    return found;
}

/// A change is refused, and nobody has noticed anything.
void expect_no_room(Testbed& testbed, unsigned receive, unsigned transmit, std::size_t waiting) {
    const auto before = testbed.ring(Direction::transmit);
    const auto other = testbed.ring(Direction::receive);
    const auto mark = testbed.writes().size();
    expect_that(
        resize(testbed, {{receive, transmit}}) != "ok",
        fmt::format("{} frames wait, and the new ring has {} descriptors", waiting, transmit),
        "refused", "accepted");
    expect_equal("address of the transmit ring after that", before.base,
                 testbed.ring(Direction::transmit).base);
    expect_equal("address of the receive ring after that", other.base,
                 testbed.ring(Direction::receive).base);
    expect_equal("registers written for it", 0U,
                 disturbed(testbed, mark, Direction::transmit) +
                     disturbed(testbed, mark, Direction::receive));
    expect_shown(testbed, static_cast<unsigned>(other.slots.size()),
                 static_cast<unsigned>(before.slots.size()), "after a change that was refused");
}

/// What waits in the transmit ring, round its end, while the card is told to pause: long frames.
void check_moves_round_the_end(Testbed& testbed) {
    const auto step = number(testbed, "ring_step");
    const auto size = std::max(160 / step, 1U) * step;
    // A ring that is new, so that its tail is known.
    if (ring_size(testbed, Direction::transmit) == size) must_resize(testbed, 0, roomy(testbed));
    must_resize(testbed, 0, size);
    testbed.take_frames();
    const auto first = random_frames(testbed, size - 20, shortest, 100);
    send_from_guest(testbed, first);
    expect_on_cable(testbed, first);
    const auto frames = random_frames(testbed, between(testbed, 64, 90), 300);
    Pause pause(testbed);
    const auto before = testbed.ring(Direction::transmit);
    send_from_guest(testbed, frames);
    expect_equal("descriptors given to the card", frames.size(),
                 steps(before, before.tail, testbed.reg(TDT0)));
    const auto where = addresses(testbed.ring(Direction::transmit));

    const auto least = number(testbed, "ring_least");
    const auto receive = some_size(testbed, ring_size(testbed, Direction::receive));
    expect_no_room(testbed, 0, least, frames.size());
    expect_no_room(testbed, receive, least, frames.size());
    must_resize(testbed, receive, 0);
    const CallNote callnote(testbed, {"dma_unmap_page_attrs:3", "dma_map_page_attrs:4"});
    const auto mark = testbed.writes().size();
    must_resize(testbed, 0, roomy(testbed));
    expect_equal("descriptors of the transmit ring", roomy(testbed),
                 ring_size(testbed, Direction::transmit));
    expect_waiting(testbed, frames, where);
    for (const auto& deed : callnote.deeds(mark))
        expect_that(deed.call.empty(), "frames that wait, while they move to the new ring",
                    "still mapped: neither mapped nor unmapped", deed.call + "() is called");
    // And on, with the other direction.
    must_resize(testbed, some_size(testbed, receive),
                roomy(testbed) + number(testbed, "ring_step"));
    expect_waiting(testbed, frames, where);
    pause.end();
    expect_on_cable(testbed, frames);
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
}

/// One frame more than there is room for, and just as many.
void check_just_fits(Testbed& testbed) {
    const auto least = number(testbed, "ring_least");
    testbed.take_frames();
    auto frames = random_frames(testbed, least - 1);
    Pause pause(testbed);
    send_from_guest(testbed, frames);
    const auto where = addresses(testbed.ring(Direction::transmit));
    must_resize(testbed, 0, least);
    expect_waiting(testbed, frames, where);
    must_resize(testbed, 0, roomy(testbed));
    const auto more = random_frames(testbed, 1);
    send_from_guest(testbed, more);
    expect_no_room(testbed, 0, least, least);
    frames.insert(frames.end(), more.begin(), more.end());
    pause.end();
    expect_on_cable(testbed, frames);
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
}

/// Frames that are out, and not yet taken back, do not go out again.
void check_sent_before(Testbed& testbed) {
    constexpr unsigned sent = 10;
    testbed.take_frames();
    const auto size = some_size(testbed, ring_size(testbed, Direction::transmit));
    testbed.must_run(
        {"drive", "send-resize", std::to_string(sent), eth, "0", std::to_string(size)});
    for (unsigned i = 0; i < sent; ++i) {
        const auto seen = testbed.receive();
        expect_that(seen.has_value() && static_cast<unsigned char>((*seen)[header + 1]) == i,
                    fmt::format("frame {} of {} on the cable", i + 1, sent), "that frame",
                    seen ? "another" : "nothing");
    }
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
    expect_equal("frames sent again", 0U, testbed.take_frames().size());
}

/// Frames wait, and the card sends them at the last moment.
void check_sent_at_last(Testbed& testbed) {
    testbed.take_frames();
    const auto frames = random_frames(testbed, 10);
    {
        Pause pause(testbed);
        send_from_guest(testbed, frames);
        HeldChange change(testbed, 0, some_size(testbed, ring_size(testbed, Direction::transmit)));
        pause.end();
        expect_on_cable(testbed, frames);
        change.go_on();
    }
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
    expect_equal("frames sent again", 0U, testbed.take_frames().size());
}

/// Somebody sends while the rings change, which takes long.
void check_sends_meanwhile(Testbed& testbed) {
    testbed.take_frames();
    auto frames = random_frames(testbed, 20);
    const auto more = random_frames(testbed, 5);
    {
        Pause pause(testbed);
        send_from_guest(testbed, frames);
        SlowCall slow(testbed, "usleep_range_state");
        Beside change(testbed,
                      fmt::format("drive resize {} 0 {} | grep -x ok", eth, roomy(testbed)));
        slow.entered([&] { return change.ended(); });
        send_from_guest(testbed, more);
        slow.go();
        expect_equal("status of drive resize", 0, change.status());
    }
    frames.insert(frames.end(), more.begin(), more.end());
    expect_on_cable(testbed, frames);
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
    expect_equal("frames sent again", 0U, testbed.take_frames().size());
}

/// What waits has just room when a change of sizes begins; then there is more of it.
void check_fills_meanwhile(Testbed& testbed) {
    const auto least = number(testbed, "ring_least");
    for (const char* takes_long : {"dma_alloc_attrs", "igbook_service_stop"}) {
        must_resize(testbed, 0, roomy(testbed));
        testbed.take_frames();
        auto frames = random_frames(testbed, least - 1);
        const auto more = random_frames(testbed, 5);
        {
            Pause pause(testbed);
            send_from_guest(testbed, frames);
            SlowCall slow(testbed, takes_long, true);
            Beside change(testbed, fmt::format("drive resize {} 0 {}", eth, least));
            slow.entered([&] { return change.ended(); });
            send_from_guest(testbed, more);
            slow.go();
            // Who lets nobody send meanwhile may take it, all others must refuse.
            change.status();
        }
        frames.insert(frames.end(), more.begin(), more.end());
        expect_on_cable(testbed, frames);
        expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
        expect_equal("frames sent again", 0U, testbed.take_frames().size());
    }
}

void check_moves(Testbed& testbed) {
    check_moves_round_the_end(testbed);
    check_just_fits(testbed);
    check_sent_before(testbed);
    check_sent_at_last(testbed);
    check_sends_meanwhile(testbed);
    check_fills_meanwhile(testbed);
}

/// Changes the sizes or the MTU, one allocation after another failing, and looks at the card.
void fail_change(Testbed& testbed, const std::vector<std::string>& change, bool receive,
                 bool transmit) {
    const auto before_receive = testbed.ring(Direction::receive);
    const auto before_transmit = testbed.ring(Direction::transmit);
    const auto mark = testbed.writes().size();
    const auto told = testbed.must_run(change, Seconds(60));
    int failed = 0;
    int worked = 0;
    const auto line = told.substr(told.rfind('\n') + 1);
    expect_that(
        std::sscanf(line.c_str(), "%d failed, %d worked", &failed, &worked) == 2 && failed >= 2,
        "allocations made to fail one by one: " + fmt::format("{}", fmt::join(change, " ")),
        "several", told);
    const auto given_up = [&](std::uint32_t control) {
        const auto writes = testbed.writes();
        return std::count_if(writes.begin() + static_cast<std::ptrdiff_t>(mark), writes.end(),
                             [&](const auto& write) {
                                 return write.offset == control && (write.value & DCTL_ENABLE) == 0;
                             });
    };
    expect_equal("how often the receive ring was given up, there and back",
                 receive ? 2 * worked : 0, given_up(RXDCTL0));
    expect_equal("how often the transmit ring was given up, there and back",
                 transmit ? 2 * worked : 0, given_up(TXDCTL0));
    expect_shown(testbed, static_cast<unsigned>(before_receive.slots.size()),
                 static_cast<unsigned>(before_transmit.slots.size()), "there and back");
}

void check_no_memory(Testbed& testbed) {
    // The smallest ring there may be: each of its buffers is one to fail.
    const auto least = std::to_string(number(testbed, "ring_least"));
    const auto count = some_size(testbed, 64);
    must_resize(testbed, count, count);
    testbed.must_run({"drive", "only", "all"});
    testbed.take_frames();
    const auto waiting = random_frames(testbed, 10);
    {
        Pause pause(testbed);
        send_from_guest(testbed, waiting);
        fail_change(testbed, {"drive", "fail-resize", eth, least, least}, true, true);
        fail_change(testbed, {"drive", "fail-resize", eth, "0", least}, false, true);
        fail_change(testbed, {"drive", "fail-mtu", eth, "3000"}, true, false);
    }
    expect_on_cable(testbed, waiting);
    const auto room = (testbed.reg(SRRCTL0) & 0x7fU) * 1024;
    expect_equal("SRRCTL.BSIZEPACKET, at the MTU of before", 2048U, room);
    const auto frames = questions(testbed, 3, longest, longest);
    testbed.take_frames();
    listen(testbed, "answer", frames.size());
    exchange(testbed, frames);
    expect_full_of_buffers(testbed.ring(Direction::receive));
    expect_mapped(testbed, "DMA_FROM_DEVICE", count - 1, "of a full ring");
    expect_mapped(testbed, "DMA_TO_DEVICE", 0, "when all are out");
}

/// Down with frames in the transmit ring, out, and nothing is left.
void check_leaks(Testbed& testbed) {
    {
        Pause pause(testbed);
        send_from_guest(testbed, random_frames(testbed, 10));
        set_link(testbed, eth, false);
    }
    expect_mapped(testbed, "", 0, "with the interface down");
    expect_equal("errors DMA-API debugging has found", std::string("0"),
                 testbed.text("/sys/kernel/debug/dma-api/error_count"));
    testbed.must_run({"rmmod", "igbook"});
    grader::expect_nothing_lost(testbed, "going down with frames under way");
}

/// Whatever became of the check, no program of its goes on in the next one.
std::function<void(Testbed&)> tidied(void (*check)(Testbed&)) {
    return [check](Testbed& testbed) {
        try {
            check(testbed);
        } catch (const grader::Failure&) {
            testbed.sh(
                fmt::format("killall frames drive; rm -f /tmp/told; "
                            "echo {} >/sys/class/net/{}/mtu; ip link set dev {} up",
                            usual_mtu, eth, eth));
            grader::expect_carrier(testbed, eth, true);
            testbed.take_frames();
            throw;
        }
    };
}

void add_the_books_part(grader::Scenario& lab) {
    CHECK_POINTS(10, "the module loads, the interface goes up, both queues run")
        .id("loads")
        .hint("The skeleton does this. What did the kernel log say?")
        .book("04-rings")
        .run(check_loads);
    CHECK_POINTS(10, "the receive ring is full of buffers but for one descriptor")
        .id("posted")
        .after("loads")
        .hint("Equal means empty, so a ring of N holds N - 1: igbook_ring_unused().")
        .book("cov-f1")
        .run(tidied(check_posted));
    CHECK_POINTS(10, "frames of any length are received; for each buffer taken out one is posted")
        .id("receives")
        .after("posted")
        .hint("A long frame takes its buffer along: unmapped, and a new one in its place.")
        .book("cov-f3")
        .run(tidied(check_receives));
    CHECK_POINTS(10, "each frame to be sent has a descriptor with every field right")
        .id("describes")
        .after("loads")
        .hint("DTALEN and PAYLEN are lengths; DEXT, EOP, IFCS and RS are what the card shall do.")
        .book("cov-f2")
        .run(tidied(check_describes));
    CHECK_POINTS(10, "frames are freed when the card has sent them, neither before nor never")
        .id("reclaims")
        .after("describes")
        .hint(
            "DD says that a frame is out. A queue that was stopped is woken when there is room "
            "again.")
        .book("04-rings")
        .run(tidied(check_reclaims));
    CHECK_POINTS(5, "frames pass both ways, byte for byte and in order, through full rings")
        .id("echo")
        .after("receives")
        .after("reclaims")
        .hint("Which descriptor is lost or used twice where the ring begins again?")
        .book("cov-f1")
        .run(tidied(check_echo));
}

void add_the_tasks(grader::Scenario& lab) {
    CHECK_POINTS(5,
                 "sizes other than @ring_least@ to @ring_most@ in steps of @ring_step@ are refused")
        .id("limits")
        .after("posted")
        .hint("get_ringparam tells the core the maximum; the rest is for set_ringparam.")
        .book("cov-f5")
        .run(tidied(check_limits));
    CHECK_POINTS(10, "a change of one direction leaves the other alone")
        .id("one-way")
        .after("posted")
        .hint("Which of the two counts differs from what it was? An MTU is about receiving.")
        .book("cov-f5")
        .run(tidied(check_one_way));
    CHECK_POINTS(10, "no received frame is lost and no counter goes back when sizes change")
        .id("keeps")
        .after("echo")
        .hint("What the card had written when it let go of the ring is still to be delivered.")
        .book("cov-f5")
        .run(tidied(check_keeps));
    CHECK_POINTS(10, "frames that wait to be sent move to the new ring, if it has room")
        .id("moves")
        .after("reclaims")
        .hint(
            "Descriptor and note are all there is of a frame that waits. Count before you switch "
            "off the queue; the tail comes after it is on.")
        .book("cov-f5")
        .run(tidied(check_moves));
    CHECK_POINTS(5, "without memory for new rings, the old ones have not noticed anything")
        .id("no-memory")
        .after("echo")
        .hint("Everything that can fail for want of memory comes before the card is touched.")
        .book("cov-f5")
        .run(tidied(check_no_memory));
    CHECK_POINTS(5, "down with frames under way and unloaded: nothing stays mapped or is lost")
        .id("leaks")
        .after("receives")
        .after("describes")
        .hint("Who frees the new rings when one of them could not be had, and who the old ones?")
        .book("cov-f3")
        .run(tidied(check_leaks));
}

}  // namespace

grader::Scenario rings() {
    grader::Scenario lab("04-rings");
    add_the_books_part(lab);
    add_the_tasks(lab);
    return lab;
}

}  // namespace fwts::labs
