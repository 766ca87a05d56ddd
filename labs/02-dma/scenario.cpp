// SPDX-License-Identifier: GPL-2.0
// Lab 2, DMA: the checks. handout.md is the same list in the student's words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "all_labs.h"
#include "bench.h"
#include "expect.h"
#include "interface.h"

namespace fwts::labs {
namespace {

using grader::Bench;
using grader::bring_up;
using grader::Credit;
using grader::expect_bytes;
using grader::expect_carrier;
using grader::expect_equal;
using grader::expect_that;
using grader::fail;
using grader::Failure;
using grader::interface;
using grader::RegisterWrite;
using grader::Ring;
using grader::RingSlot;
using Seconds = Bench::Seconds;

// Offsets and bits as the 82576 datasheet names them.
constexpr std::uint32_t CTRL = 0x00000;
constexpr std::uint32_t CTRL_GIO_MASTER_DISABLE = 1U << 2U;
constexpr std::uint32_t CTRL_RST = 1U << 26U;
constexpr std::uint32_t TCTL = 0x00400;
constexpr std::uint32_t TCTL_EN = 1U << 1U;
constexpr std::uint32_t TDLEN0 = 0x0e008;
constexpr std::uint32_t TDT0 = 0x0e018;
constexpr std::uint32_t TXDCTL0 = 0x0e028;
constexpr std::uint32_t TXDCTL_ENABLE = 1U << 25U;

constexpr unsigned ring_size = 8;         // descriptors
constexpr std::size_t shortest = 60;      // bytes on the cable, without FCS
constexpr std::size_t longest = 1514;     // with the usual MTU
constexpr std::size_t header = 14;        // of Ethernet
constexpr unsigned data_descriptor = 3;   // DTYP
constexpr unsigned dcmd_alone = 0x2b;     // DEXT, RS, IFCS, EOP
constexpr unsigned dcmd_not_last = 0x20;  // DEXT
constexpr unsigned dcmd_ifcs = 0x02;      // of no consequence where EOP is not
const std::string dma_debug = "/sys/kernel/debug/dma-api/";
const std::string tracing = "/sys/kernel/debug/tracing/";

std::string hand_send(const Bench& bench) {
    return "/sys/kernel/debug/igbook/" + bench.pci_address() + "/hand_send";
}

std::string split_send(const Bench& bench) {
    return "/sys/kernel/debug/igbook/" + bench.pci_address() + "/" + bench.param("split_file");
}

std::size_t split_at(const Bench& bench) {
    return std::stoul(bench.param("split_at"));
}

/// Why the driver did not take a frame; empty when it did.
std::string refusal(Bench& bench, const std::string& file, const std::string& frame) {
    try {
        bench.put(file, frame);
        return {};
    } catch (const Failure& failure) {
        const auto& said = failure.verdict().seen;
        return said.substr(said.rfind(": ") == std::string::npos ? 0 : said.rfind(": ") + 2);
    }
}

void expect_refusal(Bench& bench, const std::string& file, std::size_t size,
                    const std::string& expected, const std::string& circumstance) {
    const auto seen = refusal(bench, file, bench.random_bytes(size));
    expect_equal(fmt::format("{} bytes written to {}, {}", size, file, circumstance), expected,
                 seen.empty() ? "the frame was taken" : seen);
}

std::string on_the_cable(std::string frame) {
    frame.resize(std::max(frame.size(), shortest));
    return frame;
}

/// Sends a random frame and demands it from the cable. A frame too many would be taken for the
/// next.
void send_one(Bench& bench, const std::string& file, std::size_t size) {
    const auto frame = bench.random_bytes(size);
    bench.put(file, frame);
    const auto arrived = bench.receive();
    expect_that(arrived.has_value(), fmt::format("{} bytes written to {}", size, file),
                "a frame on the cable", "none");
    expect_bytes(fmt::format("frame on the cable, {} bytes written to {}", size, file),
                 on_the_cable(frame), *arrived);
}

/// A check that fails leaves no frame of its own on the cable.
std::function<void(Bench&)> tidied(const std::function<void(Bench&)>& check) {
    return [check](Bench& bench) {
        try {
            check(bench);
        } catch (const Failure&) {
            while (bench.receive(Seconds(0.5))) continue;
            throw;
        }
    };
}

std::size_t random_size(Bench& bench, std::size_t least) {
    return least + bench.random()() % (longest - least + 1);
}

/// Sizes that a wrong limit, a wrong length or a forgotten padding shows at, in random order.
std::vector<std::size_t> telling_sizes(Bench& bench, std::size_t least) {
    std::vector<std::size_t> sizes = {
        least,        least + 1,   shortest - 1, shortest,
        shortest + 1, longest - 1, longest,      random_size(bench, least)};
    std::shuffle(sizes.begin(), sizes.end(), bench.random());
    return sizes;
}

// --- the ring -----------------------------------------------------------------------------------

void check_loads(Bench& bench) {
    // The kernel would mention the first mistake of DMA only, so later checks would pass.
    bench.put(dma_debug + "all_errors", "1");
    bench.must_run({"insmod", Bench::guest_module});
    expect_that(bench.text("/sys/bus/pci/devices/" + bench.pci_address() + "/uevent")
                        .find("DRIVER=igbook") != std::string::npos,
                "driver bound to the card", "igbook", "another, or none");
    bring_up(bench);
}

void check_queue(Bench& bench) {
    const auto ring = bench.ring(grader::Direction::transmit);
    expect_equal("TDLEN, bytes of the ring", 128U, bench.reg(TDLEN0));
    expect_equal("TDBAL, its low seven bits", 0U, static_cast<unsigned>(ring.base & 127U));
    expect_equal("TDH and TDT of a ring nothing was sent through", std::string("0 and 0"),
                 fmt::format("{} and {}", ring.head, ring.tail));
    const auto txdctl = bench.reg(TXDCTL0);
    expect_that((txdctl & TXDCTL_ENABLE) != 0, "TXDCTL", "ENABLE set",
                fmt::format("{:#010x}", txdctl));
    const auto tctl = bench.reg(TCTL);
    expect_that((tctl & TCTL_EN) != 0, "TCTL", "EN set", fmt::format("{:#010x}", tctl));
}

// --- one frame, one descriptor ------------------------------------------------------------------

void check_frame(Bench& bench) {
    for (const auto size : telling_sizes(bench, header)) send_one(bench, hand_send(bench), size);
}

std::string described(const RingSlot& slot) {
    const auto command = static_cast<std::uint32_t>(slot.high);
    const auto status = static_cast<std::uint32_t>(slot.high >> 32U);
    return fmt::format("DTALEN {}, DTYP {}, DCMD {:#04x}, PAYLEN {}, DD {}", command & 0xffffU,
                       command >> 20U & 0xfU, command >> 24U, status >> 14U, status & 1U);
}

/// Bits of the command word that the datasheet reserves or that belong to time stamps.
void expect_no_strangers(const std::string& which, const RingSlot& slot) {
    expect_equal(which + ": bits 19:16 of its command word", 0U,
                 static_cast<unsigned>(slot.high >> 16U & 0xfU));
}

struct Sent {
    Ring before, after;
    std::vector<std::uint32_t> doorbells;  ///< values written to TDT
};

/// Sends a frame and looks at the ring before and after.
Sent send_and_look(Bench& bench, const std::string& file, std::size_t size) {
    Sent sent;
    sent.before = bench.ring(grader::Direction::transmit);
    const auto writes = bench.writes().size();
    bench.put(file, bench.random_bytes(size));
    const auto all = bench.writes();
    for (auto i = writes; i < all.size(); ++i)
        if (all[i].offset == TDT0) sent.doorbells.push_back(all[i].value);
    sent.after = bench.ring(grader::Direction::transmit);
    expect_that(bench.receive().has_value(), fmt::format("{} bytes written to {}", size, file),
                "a frame on the cable", "none");
    return sent;
}

void expect_moved(const Sent& sent, unsigned descriptors) {
    const auto tail = (sent.before.tail + descriptors) % ring_size;
    expect_equal("values written to TDT for one frame, as QEMU recorded them",
                 fmt::format("{}", tail), fmt::format("{}", fmt::join(sent.doorbells, ", ")));
    expect_equal("TDH and TDT after the frame", fmt::format("{} and {}", tail, tail),
                 fmt::format("{} and {}", sent.after.head, sent.after.tail));
}

void check_descriptor(Bench& bench) {
    for (const auto size : {header, random_size(bench, shortest), longest}) {
        const auto sent = send_and_look(bench, hand_send(bench), size);
        const auto length = std::max(size, shortest);
        const auto& slot = sent.after.slots.at(sent.before.tail);
        expect_equal(
            fmt::format("descriptor {}, read from outside, {} bytes sent", sent.before.tail, size),
            fmt::format("DTALEN {}, DTYP {}, DCMD {:#04x}, PAYLEN {}, DD 1", length,
                        data_descriptor, dcmd_alone, length),
            described(slot));
        expect_no_strangers("the descriptor", slot);
        expect_that(slot.low != 0, "the descriptor's address", "a bus address", "0");
        expect_moved(sent, 1);
    }
}

// --- what is mapped -----------------------------------------------------------------------------

std::vector<std::string> lines_of(const std::string& text, const std::string& word) {
    std::istringstream in(text);
    std::vector<std::string> found;
    for (std::string line; std::getline(in, line);)
        if (line.find(word) != std::string::npos) found.push_back(line);
    return found;
}

/// Streaming mappings of the card that are in force, as DMA API debugging knows them.
void expect_nothing_mapped(Bench& bench, const std::string& when) {
    std::vector<std::string> mapped;
    for (const auto& line : lines_of(bench.text(dma_debug + "dump"), bench.pci_address()))
        if (line.find("coherent") == std::string::npos) mapped.push_back(line);
    expect_that(mapped.empty(), "mappings in force " + when + " (dma-api/dump)",
                "the ring's memory, no frame's", fmt::format("{} more", mapped.size()));
}

/// One line of the trace of the DMA calls.
struct Mapping {
    std::string direction, size, address;
    bool operator==(const Mapping&) const = default;
};

std::string word_after(const std::string& line, const std::string& key) {
    const auto at = line.find(key);
    if (at == std::string::npos) return {};
    const auto from = at + key.size();
    return line.substr(from, line.find(' ', from) - from);
}

std::vector<Mapping> traced(const std::string& trace, const Bench& bench, const std::string& call) {
    std::vector<Mapping> found;
    for (const auto& line : lines_of(trace, " " + call + ": " + bench.pci_address()))
        found.push_back(
            {word_after(line, "dir="), word_after(line, "size="), word_after(line, "dma_addr=")});
    std::sort(found.begin(), found.end(),
              [](const Mapping& a, const Mapping& b) { return a.address < b.address; });
    return found;
}

std::string described(const std::vector<Mapping>& mappings) {
    std::string text;
    for (const auto& one : mappings)
        text += fmt::format("{}{} bytes at {} {}", text.empty() ? "" : ", ", one.size, one.address,
                            one.direction);
    return text.empty() ? "none" : text;
}

/// A frame sent, against the calls of the DMA API meanwhile: what the descriptors name must be
/// what was mapped, to the byte, and nothing else.
void expect_mapped(Bench& bench, const std::string& file, std::size_t size, unsigned descriptors) {
    bench.put(tracing + "trace", "");
    bench.put(tracing + "events/dma/enable", "1");
    const auto sent = send_and_look(bench, file, size);
    bench.put(tracing + "events/dma/enable", "0");
    const auto trace = bench.text(tracing + "trace");

    std::vector<Mapping> expected;
    for (unsigned i = 0; i < descriptors; ++i) {
        const auto& slot = sent.after.slots.at((sent.before.tail + i) % ring_size);
        expected.push_back(
            {"TO_DEVICE", std::to_string(slot.high & 0xffffU), fmt::format("{:x}", slot.low)});
    }
    std::sort(expected.begin(), expected.end(),
              [](const Mapping& a, const Mapping& b) { return a.address < b.address; });
    expect_equal("calls that map, against the descriptors' addresses and lengths",
                 described(expected), described(traced(trace, bench, "dma_map_page")));
    expect_equal("calls that unmap", described(expected),
                 described(traced(trace, bench, "dma_unmap_page")));
}

void check_mapped(Bench& bench) {
    Credit credit;
    credit.part(4,
                [&] { expect_mapped(bench, hand_send(bench), random_size(bench, shortest), 1); });
    credit.part(1, [&] { expect_nothing_mapped(bench, "after frames were sent"); });
    credit.done();
}

// --- when it goes wrong -------------------------------------------------------------------------

/// Writes the card's PCI command register: memory decoding, and with `on` bus mastering.
void bus_master(Bench& bench, bool on) {
    bench.must("changing the card's PCI command register",
               fmt::format("printf '\\{}' | dd of=/sys/bus/pci/devices/{}/config bs=1 seek=4 "
                           "conv=notrunc 2>/dev/null",
                           on ? "006" : "002", bench.pci_address()));
}

bool wrote(const std::vector<RegisterWrite>& writes, std::size_t from, std::uint32_t offset,
           std::uint32_t bits) {
    return std::any_of(writes.begin() + static_cast<std::ptrdiff_t>(from), writes.end(),
                       [&](const RegisterWrite& write) {
                           return write.offset == offset && (write.value & bits) == bits;
                       });
}

/// Whatever state the card was left in.
void restart(Bench& bench) {
    bench.must_run({"ip", "link", "set", "dev", interface(bench), "down"});
    bring_up(bench);
}

/// A card that may not read memory never finishes a frame.
void expect_recovery(Bench& bench, const std::string& file) {
    expect_carrier(bench, interface(bench), true);
    bus_master(bench, false);
    const auto writes = bench.writes().size();
    const auto seen = refusal(bench, file, bench.random_bytes(random_size(bench, shortest)));
    const auto after = bench.writes();
    bus_master(bench, true);
    const bool stopped = wrote(after, writes, CTRL, CTRL_RST);
    if (!stopped) restart(bench);
    expect_equal("a frame the card never finishes, written to " + file,
                 std::string("Connection timed out"), seen.empty() ? "the frame was taken" : seen);
    expect_that(stopped, "CTRL after the card did not finish, as QEMU recorded it", "a reset",
                "none: the card was never stopped");
    expect_nothing_mapped(bench, "after a frame was given up");
    expect_carrier(bench, interface(bench), true);
    send_one(bench, file, random_size(bench, shortest));
}

/// Whichever call of the submission's maps the frame's part number `which` fails.
void expect_unwound(Bench& bench, const std::string& file, unsigned which) {
    expect_carrier(bench, interface(bench), true);
    bench.must_run({"insmod", Bench::companion("failcall"), "symbol=dma_map_page_attrs", "value=-1",
                    fmt::format("skip={}", which)});
    const auto before = bench.ring(grader::Direction::transmit).tail;
    const auto seen = refusal(bench, file, bench.random_bytes(random_size(bench, shortest)));
    const auto hits = bench.text("/sys/module/failcall/parameters/hits");
    bench.must_run({"rmmod", "failcall"});
    expect_equal("calls that map, made to fail", std::string("1"), hits);
    expect_equal("a frame that cannot be mapped, written to " + file,
                 std::string("Cannot allocate memory"),
                 seen.empty() ? "the frame was taken" : seen);
    expect_equal("TDT after a frame that was not mapped", before,
                 bench.ring(grader::Direction::transmit).tail);
    expect_nothing_mapped(bench, "after a mapping failed");
    send_one(bench, file, random_size(bench, shortest));
}

void check_recover(Bench& bench) {
    Credit credit;
    credit.part(3, [&] { expect_unwound(bench, hand_send(bench), 0); });
    credit.part(7, [&] { expect_recovery(bench, hand_send(bench)); });
    credit.done();
}

// --- beyond the book: two buffers ---------------------------------------------------------------

/// Frames of two descriptors do not reach across the ring's end when they begin at even places.
void even_out(Bench& bench) {
    if (bench.reg(TDT0) % 2 != 0 &&
        refusal(bench, hand_send(bench), bench.random_bytes(shortest)).empty())
        bench.receive(Seconds(2));
}

void check_split(Bench& bench) {
    even_out(bench);
    for (const auto size : telling_sizes(bench, split_at(bench)))
        send_one(bench, split_send(bench), size);
}

void check_two(Bench& bench) {
    unsigned one_buffer = 0;
    const auto first_bytes = split_at(bench);
    even_out(bench);
    const std::vector sizes = {first_bytes, random_size(bench, shortest), longest};
    for (const auto size : sizes) {
        const auto sent = send_and_look(bench, split_send(bench), size);
        expect_moved(sent, 2);
        const auto total = std::max(size, shortest);
        const auto& first = sent.after.slots.at(sent.before.tail);
        const auto& last = sent.after.slots.at((sent.before.tail + 1) % ring_size);
        auto seen = first;
        seen.high &= ~(std::uint64_t{dcmd_ifcs} << 24U);
        expect_equal(fmt::format("first descriptor, but for IFCS, {} bytes sent", size),
                     fmt::format("DTALEN {}, DTYP {}, DCMD {:#04x}, PAYLEN {}, DD 0", first_bytes,
                                 data_descriptor, dcmd_not_last, total),
                     described(seen));
        seen = last;
        seen.high &= 0x3fffffffffffU;  // PAYLEN is the first one's to say
        expect_equal(fmt::format("last descriptor, but for PAYLEN, {} bytes sent", size),
                     fmt::format("DTALEN {}, DTYP {}, DCMD {:#04x}, PAYLEN 0, DD 1",
                                 total - first_bytes, data_descriptor, dcmd_alone),
                     described(seen));
        expect_no_strangers("the first descriptor", first);
        expect_no_strangers("the last descriptor", last);
        if (last.low == first.low + first_bytes) ++one_buffer;
    }
    expect_that(one_buffer < sizes.size(), "addresses in the two descriptors", "two buffers",
                "each time the second begins where the first ends");
}

void check_wrap(Bench& bench) {
    // An odd number of descriptors before, so that a frame has one at each end of the ring.
    for (int lap = 0; lap < 2; ++lap) {
        if (bench.ring(grader::Direction::transmit).tail % 2 == 0)
            send_one(bench, hand_send(bench), random_size(bench, shortest));
        for (unsigned i = 0; i < ring_size / 2; ++i)
            send_one(bench, split_send(bench), random_size(bench, shortest));
    }
}

void check_limits(Bench& bench) {
    constexpr std::size_t small = 300;
    const auto file = split_send(bench);
    const auto mtu = "/sys/class/net/" + interface(bench) + "/mtu";
    const std::string too_long = "Message too long";
    expect_refusal(bench, file, split_at(bench) - 1, too_long, "less than a header");
    expect_refusal(bench, file, longest + 1, too_long, "more than the MTU allows");
    even_out(bench);
    const auto tail = bench.reg(TDT0);
    bench.put(mtu, std::to_string(small));
    Credit credit;
    credit.part(3, [&] {
        expect_refusal(bench, file, small + header + 1, too_long, "the MTU being 300");
        expect_equal("TDT after frames that were refused", tail, bench.reg(TDT0));
    });
    credit.part(2, [&] { send_one(bench, file, small + header); });
    bench.put(mtu, std::to_string(longest - header));
    credit.done();
}

/// Whatever comes of it, the cable is in again.
void expect_refused_without_cable(Bench& bench, const std::string& file) {
    bench.plug(false);
    try {
        grader::expect_carrier(bench, interface(bench), false);
        expect_refusal(bench, file, shortest, "Link has been severed", "the cable being out");
    } catch (const Failure&) {
        bench.plug(true);
        throw;
    }
    bench.plug(true);
}

void check_unwind(Bench& bench) {
    const auto file = split_send(bench);
    even_out(bench);
    Credit credit;
    credit.part(2, [&] { expect_mapped(bench, file, random_size(bench, shortest), 2); });
    credit.part(2, [&] {
        expect_unwound(bench, file, 0);
        expect_unwound(bench, file, 1);
    });
    credit.part(3, [&] { expect_recovery(bench, file); });
    credit.part(1, [&] { expect_refused_without_cable(bench, file); });
    credit.part(2, [&] {
        bench.must_run({"ip", "link", "set", "dev", interface(bench), "down"});
        expect_refusal(bench, file, shortest, "Network is down", "the interface being down");
    });
    bring_up(bench);
    credit.done();
}

// --- the end ------------------------------------------------------------------------------------

std::optional<std::size_t> first_write(const std::vector<RegisterWrite>& writes, std::size_t from,
                                       const std::function<bool(const RegisterWrite&)>& matches) {
    for (auto i = from; i < writes.size(); ++i)
        if (matches(writes[i])) return i;
    return std::nullopt;
}

void check_stop(Bench& bench) {
    const auto from = bench.writes().size();
    bench.must_run({"rmmod", "igbook"});
    const auto writes = bench.writes();
    const auto queue = first_write(writes, from, [](const RegisterWrite& write) {
        return write.offset == TXDCTL0 && (write.value & TXDCTL_ENABLE) == 0;
    });
    expect_that(queue.has_value(), "TXDCTL while the interface closes, as QEMU recorded it",
                "a write without ENABLE", "none");
    const auto disabled = [](const RegisterWrite& write) {
        return write.offset == CTRL && (write.value & CTRL_GIO_MASTER_DISABLE) != 0;
    };
    const auto master = first_write(writes, from, disabled);
    expect_that(master && *queue < *master, "CTRL.GIO_MASTER_DISABLE while the interface closes",
                "set after the queue was stopped", "set before that, or not at all");
    // The reset asks for it once more, long after the memory is gone.
    const auto reset = first_write(writes, from, [](const RegisterWrite& write) {
        return write.offset == CTRL && (write.value & CTRL_RST) != 0;
    });
    expect_that(reset.has_value(), "CTRL while the interface closes", "a reset", "none");
    const auto asked =
        std::count_if(writes.begin() + static_cast<std::ptrdiff_t>(from),
                      writes.begin() + static_cast<std::ptrdiff_t>(*reset), disabled);
    expect_that(asked >= 2, "times the card was asked to finish before the reset",
                "two: one before the ring is freed, one by igbook_hw_reset()",
                fmt::format("{}", asked));
    const auto left = lines_of(bench.text(dma_debug + "dump"), bench.pci_address());
    expect_that(left.empty(), "memory the card may reach after rmmod (dma-api/dump)", "none",
                left.empty() ? "" : left.front());
}

void check_leaks(Bench& bench) {
    if (!bench.text("/sys/module/igbook/initstate").empty()) bench.must_run({"rmmod", "igbook"});
    grader::expect_nothing_lost(bench, "all that was sent, refused and given up");
}

void add_what_the_skeleton_does(grader::Scenario& lab) {
    CHECK_POINTS(5, "the module loads, the interface comes up")
        .id("loads")
        .hint("What did the kernel log say?")
        .book("cov-c3")
        .run(check_loads);
    CHECK_POINTS(10, "the card knows a ring of eight descriptors and may work")
        .id("queue")
        .after("loads")
        .hint("This is igbook_tx_enable(), which you were given. Is it still called?")
        .book("cov-d3")
        .run(check_queue);
}

void add_one_buffer(grader::Scenario& lab) {
    CHECK_POINTS(10, "a frame sent by hand arrives byte for byte, the shortest and the longest")
        .id("frame")
        .after("loads")
        .hint(
            "Map, describe, ring the doorbell, wait for DD, unmap. The card sends what is in the "
            "mapping: every byte of it, from the moment it was made.")
        .book("cov-d4")
        .run(tidied(check_frame));
    CHECK_POINTS(10, "its descriptor says what the datasheet asks for, and the tail moves by one")
        .id("descriptor")
        .after("frame")
        .hint(
            "The card you have forgives; a real one does not. DTALEN and PAYLEN are lengths of "
            "different things that are equal here.")
        .book("cov-d3")
        .run(tidied(check_descriptor));
    CHECK_POINTS(5, "what the descriptor names is what was mapped, and nothing stays mapped")
        .id("mapped")
        .after("frame")
        .hint(
            "The address in the descriptor is the one dma_map_single() returned; length and "
            "direction of unmapping are those of mapping.")
        .book("cov-d2")
        .run(tidied(check_mapped));
    CHECK_POINTS(10, "a mapping that fails, and a card that never finishes, are survived")
        .id("recover")
        .after("frame")
        .hint(
            "dma_mapping_error() before anything else. While the card may read the frame it must "
            "not be unmapped, and only igbook_down() makes sure of that.")
        .book("cov-d4")
        .run(tidied(check_recover));
}

void add_two_buffers(grader::Scenario& lab) {
    CHECK_POINTS(10, "@split_file@ sends a frame from two buffers, byte for byte")
        .id("split")
        .after("loads")
        .hint(
            "Two descriptors, one frame. The padding of a short frame belongs behind its payload, "
            "even if there is no payload.")
        .book("cov-d4")
        .run(tidied(check_split));
    CHECK_POINTS(10, "the two descriptors say so: @split_at@ bytes, then the rest and the end")
        .id("two")
        .after("split")
        .hint(
            "EOP and RS belong to the last descriptor, PAYLEN counts the whole frame. The doorbell "
            "rings once, when both are in memory.")
        .book("cov-d3")
        .run(tidied(check_two));
    CHECK_POINTS(5, "a frame may have one descriptor at each end of the ring")
        .id("wrap")
        .after("split")
        .after("frame")
        .hint("After descriptor 7 comes 0, also between the two descriptors of one frame.")
        .book("cov-d3")
        .run(tidied(check_wrap));
    CHECK_POINTS(5, "@split_file@ refuses what is too short or too long with EMSGSIZE")
        .id("limits")
        .after("split")
        .hint("At least @split_at@ bytes, at most the MTU of this moment and an Ethernet header.")
        .book("cov-d4")
        .run(tidied(check_limits));
    CHECK_POINTS(10, "whatever goes wrong with the two buffers, both are given back")
        .id("unwind")
        .after("split")
        .hint(
            "If the second mapping fails, the first is undone. A card that did not finish has to "
            "be stopped before either is.")
        .book("cov-d4")
        .run(tidied(check_unwind));
}

void add_the_end(grader::Scenario& lab) {
    CHECK_POINTS(5, "unloading stops the queue, waits for the card, then frees the ring")
        .id("stop")
        .after("loads")
        .hint("TCTL and TXDCTL stop the fetching, igbook_dma_master_disable() waits for the rest.")
        .book("cov-d3")
        .run(check_stop);
    CHECK_POINTS(5, "no memory is lost, however sending ended")
        .id("leaks")
        .after("split")
        .hint("kfree() for both buffers on every way out.")
        .book("cov-d4")
        .run(check_leaks);
}

}  // namespace

grader::Scenario dma() {
    grader::Scenario lab("02-dma");
    add_what_the_skeleton_does(lab);
    add_one_buffer(lab);
    add_two_buffers(lab);
    add_the_end(lab);
    return lab;
}

}  // namespace fwts::labs
