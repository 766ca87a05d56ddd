// SPDX-License-Identifier: GPL-2.0
// Lab 2, DMA: the checks. handout.md is the same list in the student's words.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>

#include "all_labs.h"
#include "expect.h"
#include "interface.h"
#include "testbed.h"
#include "watch.h"

namespace fwts::labs {
namespace {

using grader::bring_up;
using grader::Credit;
using grader::expect_bytes;
using grader::expect_carrier;
using grader::expect_equal;
using grader::expect_that;
using grader::fail;
using grader::Failure;
using grader::interface;
using grader::refusal;
using grader::RegisterWrite;
using grader::Ring;
using grader::RingSlot;
using grader::Testbed;
using grader::Watch;
using namespace sandbox::registers;
using Seconds = Testbed::Seconds;

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

std::string hand_send(const Testbed& testbed) {
    return "/sys/kernel/debug/igbook/" + testbed.pci_address() + "/hand_send";
}

std::string split_send(const Testbed& testbed) {
    return "/sys/kernel/debug/igbook/" + testbed.pci_address() + "/" + testbed.param("split_file");
}

std::size_t split_at(const Testbed& testbed) {
    return std::stoul(testbed.param("split_at"));
}

void expect_refusal(Testbed& testbed, const std::string& file, std::size_t size,
                    const std::string& expected, const std::string& circumstance) {
    const auto seen = refusal(testbed, file, testbed.random_bytes(size));
    expect_equal(fmt::format("{} bytes written to {}, {}", size, file, circumstance), expected,
                 seen.empty() ? "the frame was taken" : seen);
}

/// Bytes by lot, so of no protocol. What says that it is IP or tagged the emulated card looks into,
/// and if it finds no header there nothing goes out.
std::string any_frame(Testbed& testbed, std::size_t size) {
    constexpr std::array<unsigned, 4> looked_into = {0x0800, 0x86dd, 0x8100, 0x88a8};
    for (;;) {
        auto frame = testbed.random_bytes(size);
        const unsigned type = static_cast<unsigned char>(frame.at(header - 2)) << 8U |
                              static_cast<unsigned char>(frame.at(header - 1));
        if (std::find(looked_into.begin(), looked_into.end(), type) == looked_into.end())
            return frame;
    }
}

std::string on_the_cable(std::string frame) {
    frame.resize(std::max(frame.size(), shortest));
    return frame;
}

/// Sends a random frame and demands it from the cable. A frame too many would be taken for the
/// next.
void send_one(Testbed& testbed, const std::string& file, std::size_t size) {
    const auto frame = any_frame(testbed, size);
    testbed.put(file, frame);
    const auto arrived = testbed.receive();
    expect_that(arrived.has_value(), fmt::format("{} bytes written to {}", size, file),
                "a frame on the cable", "none");
    expect_bytes(fmt::format("frame on the cable, {} bytes written to {}", size, file),
                 on_the_cable(frame), *arrived);
}

void clear_cable(Testbed& testbed) {
    testbed.receive([](const std::string& /*frame*/) { return false; }, Seconds(0.5));
}

/// What fails leaves no frame of its own on the cable.
void tidily(Testbed& testbed, const std::function<void()>& demand) {
    try {
        demand();
    } catch (const Failure&) {
        clear_cable(testbed);
        throw;
    }
}

std::function<void(Testbed&)> tidied(const std::function<void(Testbed&)>& check) {
    return [check](Testbed& testbed) { tidily(testbed, [&] { check(testbed); }); };
}

/// Part of a check, of which nothing is left on the cable for the next part.
void part(Testbed& testbed, Credit& credit, int points, const std::function<void()>& demand) {
    credit.part(points, [&] { tidily(testbed, demand); });
}

std::size_t random_size(Testbed& testbed, std::size_t least) {
    return least + testbed.random()() % (longest - least + 1);
}

/// Sizes that a wrong limit, a wrong length or a forgotten padding shows at, in random order.
std::vector<std::size_t> telling_sizes(Testbed& testbed, std::size_t least) {
    std::vector<std::size_t> sizes = {
        least,        least + 1,   shortest - 1, shortest,
        shortest + 1, longest - 1, longest,      random_size(testbed, least)};
    std::shuffle(sizes.begin(), sizes.end(), testbed.random());
    return sizes;
}

// --- the ring -----------------------------------------------------------------------------------

void check_loads(Testbed& testbed) {
    // The kernel would mention the first mistake of DMA only, so later checks would pass.
    testbed.put(dma_debug + "all_errors", "1");
    testbed.must_run({"insmod", Testbed::guest_module});
    expect_that(testbed.text("/sys/bus/pci/devices/" + testbed.pci_address() + "/uevent")
                        .find("DRIVER=igbook") != std::string::npos,
                "driver bound to the card", "igbook", "another, or none");
    bring_up(testbed);
}

void check_queue(Testbed& testbed) {
    const auto ring = testbed.ring(grader::Direction::transmit);
    expect_equal("TDLEN, bytes of the ring", 128U, testbed.reg(TDLEN0));
    expect_equal("TDBAL, its low seven bits", 0U, static_cast<unsigned>(ring.base & 127U));
    expect_equal("TDH and TDT of a ring nothing was sent through", std::string("0 and 0"),
                 fmt::format("{} and {}", ring.head, ring.tail));
    const auto txdctl = testbed.reg(TXDCTL0);
    expect_that((txdctl & TXDCTL_ENABLE) != 0, "TXDCTL", "ENABLE set",
                fmt::format("{:#010x}", txdctl));
    const auto tctl = testbed.reg(TCTL);
    expect_that((tctl & TCTL_EN) != 0, "TCTL", "EN set", fmt::format("{:#010x}", tctl));
}

// --- one frame, one descriptor ------------------------------------------------------------------

void check_frame(Testbed& testbed) {
    for (const auto size : telling_sizes(testbed, header))
        send_one(testbed, hand_send(testbed), size);
}

std::string described(const RingSlot& slot) {
    const auto command = static_cast<std::uint32_t>(slot.high);
    const auto status = static_cast<std::uint32_t>(slot.high >> 32U);
    return fmt::format("DTALEN {}, DTYP {}, DCMD {:#04x}, PAYLEN {}, DD {}", command & 0xffffU,
                       command >> 20U & 0xfU, command >> 24U, status >> 14U, status & 1U);
}

/// Bits that the datasheet reserves, or that ask for what a plain frame does not need.
void expect_no_strangers(const std::string& which, const RingSlot& slot) {
    expect_equal(which + ": bits 19:16 of its command word (MAC)", 0U,
                 static_cast<unsigned>(slot.high >> 16U & 0xfU));
    expect_equal(which + ": bits 13:1 of its status word (POPTS, IDX, STA but DD)", 0U,
                 static_cast<unsigned>(slot.high >> 32U & 0x3ffeU));
}

/// What hand_send shows of the last frame.
void expect_shown(Testbed& testbed, std::uint32_t index, const RingSlot& slot, int error) {
    const auto command = static_cast<std::uint32_t>(slot.high);
    const auto status = static_cast<std::uint32_t>(slot.high >> 32U);
    expect_equal("hand_send, read, against the descriptor read from outside the guest",
                 fmt::format("descriptor    {}\n"
                             "buffer_addr   {:#018x}\n"
                             "cmd_type_len  {:#010x}\n"
                             "olinfo_status {:#010x}\n"
                             "written back  {:#010x}\n"
                             "error         {}",
                             index, slot.low, command, status & ~1U, status, error),
                 testbed.text(hand_send(testbed)));
}

struct Sent {
    Ring before, after;
    std::vector<std::uint32_t> doorbells;  ///< values written to TDT
};

/// Sends a frame and looks at the ring before and after.
Sent send_and_look(Testbed& testbed, const std::string& file, std::size_t size) {
    Sent sent;
    sent.before = testbed.ring(grader::Direction::transmit);
    const auto writes = testbed.writes().size();
    testbed.put(file, any_frame(testbed, size));
    const auto all = testbed.writes();
    for (auto i = writes; i < all.size(); ++i)
        if (all[i].offset == TDT0) sent.doorbells.push_back(all[i].value);
    sent.after = testbed.ring(grader::Direction::transmit);
    expect_that(testbed.receive().has_value(), fmt::format("{} bytes written to {}", size, file),
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

void check_descriptor(Testbed& testbed) {
    for (const auto size : {header, random_size(testbed, shortest), longest}) {
        const auto sent = send_and_look(testbed, hand_send(testbed), size);
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
        expect_shown(testbed, sent.before.tail, slot, 0);
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

/// A piece of memory that the card may reach.
struct Mapping {
    std::string direction;
    std::uint64_t address = 0;  ///< on the bus
    std::uint64_t size = 0;
    std::uint64_t physical = 0;
    bool coherent = false;

    bool covers(std::uint64_t from, std::uint64_t bytes) const {
        return from >= address && from + bytes <= address + size;
    }
};

std::string word_after(const std::string& line, const std::string& key) {
    const auto at = line.find(key);
    if (at == std::string::npos) return {};
    const auto from = at + key.size();
    return line.substr(from, line.find(' ', from) - from);
}

std::uint64_t hex_after(const std::string& line, const std::string& key) {
    const auto word = word_after(line, key);
    return word.empty() ? 0 : std::stoull(word, nullptr, 16);
}

/// What DMA API debugging knows to be in force.
std::vector<Mapping> in_force(Testbed& testbed) {
    std::vector<Mapping> found;
    for (const auto& line : lines_of(testbed.text(dma_debug + "dump"), testbed.pci_address())) {
        Mapping one;
        one.coherent = line.find(" coherent ") != std::string::npos;
        one.direction = line.find("TO_DEVICE") != std::string::npos ? "TO_DEVICE" : "another";
        one.address = hex_after(line, " D=");
        one.size = hex_after(line, " L=");
        one.physical = hex_after(line, " P=");
        found.push_back(one);
    }
    return found;
}

std::string described(const Mapping& one) {
    return fmt::format("{} bytes at {:x} {}", one.size, one.address,
                       one.coherent ? "coherent" : one.direction);
}

std::string described(const std::vector<Mapping>& mappings) {
    std::vector<std::string> texts;
    texts.reserve(mappings.size());
    for (const auto& one : mappings) texts.push_back(described(one));
    std::sort(texts.begin(), texts.end());
    return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ", "));
}

/// Nothing is mapped that was not before; nothing ended that was.
void expect_as_mapped(Testbed& testbed, const std::vector<Mapping>& before,
                      const std::string& when) {
    expect_equal("mappings in force " + when + " (dma-api/dump), as before", described(before),
                 described(in_force(testbed)));
}

/// "{0x1,0x2}"
std::vector<std::uint64_t> numbers_in(const std::string& braces) {
    std::vector<std::uint64_t> numbers;
    std::string text;
    for (const char c : braces) text += c == '{' || c == '}' || c == ',' ? ' ' : c;
    std::istringstream words(text);
    for (std::string word; words >> word;) numbers.push_back(std::stoull(word, nullptr, 16));
    return numbers;
}

/// Mappings that the trace of DMA calls shows: made, or given to the card by a sync.
std::vector<Mapping> traced(const std::string& trace, const Testbed& testbed, bool synced) {
    const auto card = ": " + testbed.pci_address() + " ";
    std::vector<Mapping> found;
    for (const auto& line : lines_of(trace, card)) {
        const auto direction = word_after(line, "dir=");
        const auto is = [&](const char* event) {
            return line.find(event + card) != std::string::npos;
        };
        if (is(synced ? " dma_sync_single_for_device" : " dma_map_page"))
            found.push_back({direction, hex_after(line, " dma_addr="),
                             std::stoull(word_after(line, " size=")),
                             hex_after(line, " phys_addr="), false});
        if (!is(synced ? " dma_sync_sg_for_device" : " dma_map_sg")) continue;
        const auto addresses = numbers_in(word_after(line, " dma_addrs="));
        const auto sizes = numbers_in(word_after(line, " sizes="));
        const auto physical = numbers_in(word_after(line, " phys_addrs="));
        for (std::size_t i = 0; i < addresses.size() && i < sizes.size(); ++i)
            found.push_back(
                {direction, addresses[i], sizes[i], i < physical.size() ? physical[i] : 0, false});
    }
    return found;
}

/// Where a descriptor's bytes come from. What it names must be mapped for the card to read: for
/// this frame, or longer and given to the card for this frame, or memory that both share.
std::uint64_t expect_covered(const std::string& which, const RingSlot& slot,
                             const std::vector<Mapping>& made, const std::vector<Mapping>& before,
                             const std::vector<Mapping>& given) {
    const auto bytes = slot.high & 0xffffU;
    const auto covering = [&](const std::vector<Mapping>& all) {
        return std::find_if(all.begin(), all.end(),
                            [&](const Mapping& one) { return one.covers(slot.low, bytes); });
    };
    const auto wanted = fmt::format("{} bytes at {:x} TO_DEVICE", bytes, slot.low);
    if (const auto now = covering(made); now != made.end()) {
        expect_equal("direction of the mapping that " + which + " names", std::string("TO_DEVICE"),
                     now->direction);
        return now->physical + (slot.low - now->address);
    }
    const auto old = covering(before);
    expect_that(old != before.end(), "calls that map, against address and length in " + which,
                wanted, described(made));
    if (!old->coherent) {
        expect_equal("direction of the mapping that " + which + " names", std::string("TO_DEVICE"),
                     old->direction);
        expect_that(covering(given) != given.end(),
                    "calls that give " + which + "'s buffer to the card (dma_sync_..._for_device)",
                    wanted, described(given));
    }
    return old->physical + (slot.low - old->address);
}

/// A frame sent, against the calls of the DMA API meanwhile: what the descriptors name is mapped
/// for the card to read, in as many buffers, and afterwards all is as it was.
void expect_mapped(Testbed& testbed, const std::string& file, std::size_t size,
                   unsigned descriptors) {
    const auto before = in_force(testbed);
    testbed.put(tracing + "trace", "");
    testbed.put(tracing + "events/dma/enable", "1");
    const auto sent = send_and_look(testbed, file, size);
    testbed.put(tracing + "events/dma/enable", "0");
    const auto trace = testbed.text(tracing + "trace");
    const auto made = traced(trace, testbed, false);
    const auto given = traced(trace, testbed, true);
    std::uint64_t end = 0;  // of the buffer before, in memory
    for (unsigned i = 0; i < descriptors; ++i) {
        const auto& slot = sent.after.slots.at((sent.before.tail + i) % ring_size);
        const auto at = expect_covered(fmt::format("descriptor {} of {}", i + 1, descriptors), slot,
                                       made, before, given);
        expect_that(i == 0 || at != end, "where the second buffer lies", "in memory of its own",
                    "right behind the first: it is one buffer");
        end = at + (slot.high & 0xffffU);
    }
    expect_as_mapped(testbed, before, "after a frame was sent");
}

void check_mapped(Testbed& testbed) {
    for (const auto size : {header, random_size(testbed, shortest), longest})
        expect_mapped(testbed, hand_send(testbed), size, 1);
}

// --- when it goes wrong -------------------------------------------------------------------------

/// Writes the card's PCI command register: memory decoding, and with `on` bus mastering.
void bus_master(Testbed& testbed, bool on) {
    testbed.must("changing the card's PCI command register",
                 fmt::format("printf '\\{}' | dd of=/sys/bus/pci/devices/{}/config bs=1 seek=4 "
                             "conv=notrunc 2>/dev/null",
                             on ? "006" : "002", testbed.pci_address()));
}

bool wrote(const std::vector<RegisterWrite>& writes, std::size_t from, std::uint32_t offset,
           std::uint32_t bits) {
    return std::any_of(writes.begin() + static_cast<std::ptrdiff_t>(from), writes.end(),
                       [&](const RegisterWrite& write) {
                           return write.offset == offset && (write.value & bits) == bits;
                       });
}

/// Whatever state the card was left in.
void restart(Testbed& testbed) {
    testbed.must_run({"ip", "link", "set", "dev", interface(testbed), "down"});
    bring_up(testbed);
}

constexpr std::uint64_t least_wait = 10'000'000;  // ns
// A clock that ticks every 10 ms lets go at the second tick; twice the time ends at the third.
constexpr std::uint64_t most_wait = 20'500'000;

const std::vector<std::string> sending_calls = {"rtnl_lock",
                                                "rtnl_lock_killable",
                                                "rtnl_trylock",
                                                "dma_map_page_attrs",
                                                "dma_map_sg_attrs",
                                                "dma_map_sgtable",
                                                "dma_unmap_page_attrs",
                                                "dma_unmap_sg_attrs",
                                                "dma_free_attrs",
                                                "dma_alloc_attrs",
                                                "igbook:igbook_down",
                                                "igbook:igbook_dma_stop",
                                                "igbook:igbook_hw_reset",
                                                "igbook:igbook_dma_master_disable"};

bool stopped(const grader::Call& call) {
    return (call.reg.at(TCTL) & TCTL_EN) == 0 || (call.reg.at(TXDCTL0) & TXDCTL_ENABLE) == 0;
}

/// How long the driver waited for the card: from the last call before the doorbell until it began
/// to stop the card. Nothing when that cannot be told from its calls.
std::optional<std::uint64_t> waited(const std::vector<grader::Call>& calls) {
    std::optional<std::uint64_t> from;
    for (const auto& call : calls)
        if (call.name.starts_with("rtnl_") || call.name.starts_with("dma_map_"))
            from = call.ns;
        else if (from && call.name.starts_with("igbook:"))
            return call.ns - *from;
    return std::nullopt;
}

/// Sends a frame while the card may not read memory. @return why it was not taken.
std::string send_in_vain(Testbed& testbed, const std::string& file, std::size_t size) {
    expect_carrier(testbed, interface(testbed), true);
    bus_master(testbed, false);
    const auto writes = testbed.writes().size();
    auto seen = refusal(testbed, file, testbed.random_bytes(size));
    const auto after = testbed.writes();
    bus_master(testbed, true);
    const bool reset = wrote(after, writes, CTRL, CTRL_RST);
    if (!reset) restart(testbed);
    expect_equal("a frame the card never finishes, written to " + file,
                 std::string("Connection timed out"), seen.empty() ? "the frame was taken" : seen);
    expect_that(reset, "CTRL after the card did not finish, as QEMU recorded it", "a reset",
                "none: the card was never stopped");
    return seen;
}

void expect_stopped_before_unmapping(const std::vector<grader::Call>& calls) {
    for (const auto& call : calls) {
        if (!call.name.starts_with("dma_unmap_")) continue;
        expect_that(stopped(call), call.name + "() after the card did not finish",
                    "called when the card has been stopped",
                    fmt::format("called with TCTL {:#010x} and TXDCTL {:#010x}: it may still read",
                                call.reg.at(TCTL), call.reg.at(TXDCTL0)));
    }
}

/// A card that does not finish is not told again: one doorbell until it is reset.
void expect_rung_once(const std::vector<RegisterWrite>& writes, std::size_t from) {
    std::vector<std::uint32_t> doorbells;
    for (auto i = from; i < writes.size(); ++i) {
        if (writes[i].offset == CTRL && (writes[i].value & CTRL_RST) != 0) break;
        if (writes[i].offset == TDT0) doorbells.push_back(writes[i].value);
    }
    expect_that(doorbells.size() == 1,
                "values written to TDT for a frame that the card does not finish, as QEMU "
                "recorded them",
                "one", fmt::format("{}: {}", doorbells.size(), fmt::join(doorbells, ", ")));
}

/// A card that may not read memory never finishes a frame.
void expect_recovery(Testbed& testbed, const std::string& file) {
    const auto before = in_force(testbed).size();
    Watch watch(testbed, sending_calls, {TCTL, TXDCTL0});
    // The guest's clock goes on while a busy host keeps the guest waiting, so a good driver may
    // seem slow now and then; a slow one is never seen to be quick.
    constexpr int tries = 8;
    std::optional<std::uint64_t> best;
    for (int i = 0; i < tries; ++i) {
        watch.forget();
        const auto mark = testbed.writes().size();
        send_in_vain(testbed, file, random_size(testbed, shortest));
        const auto calls = watch.log();
        expect_rung_once(testbed.writes(), mark);
        expect_stopped_before_unmapping(calls);
        const auto time = waited(calls);
        if (!time) break;
        expect_that(*time >= least_wait, "time the card was given to finish a frame", "10 ms",
                    fmt::format("{:.1f} ms", static_cast<double>(*time) / 1e6));
        best = std::min(best.value_or(*time), *time);
        if (*best <= most_wait) break;
    }
    if (best)
        expect_that(*best <= most_wait, "time the card was given to finish a frame", "10 ms",
                    fmt::format("{:.1f} ms at the least", static_cast<double>(*best) / 1e6));
    expect_equal("mappings in force after a frame was given up", before, in_force(testbed).size());
    expect_carrier(testbed, interface(testbed), true);
    send_one(testbed, file, random_size(testbed, shortest));
}

/// Of a frame that was given up hand_send shows how the card was given it.
void expect_shown_in_vain(Testbed& testbed) {
    const auto file = hand_send(testbed);
    const auto size = random_size(testbed, shortest);
    const auto index = testbed.reg(TDT0);
    send_in_vain(testbed, file, size);
    const auto text = testbed.text(file) + "\n";
    for (const auto& line :
         {fmt::format("descriptor    {}", index),
          fmt::format("cmd_type_len  {:#010x}",
                      dcmd_alone << 24U | data_descriptor << 20U | static_cast<unsigned>(size)),
          fmt::format("olinfo_status {:#010x}", static_cast<unsigned>(size) << 14U),
          std::string("error         -110")})
        expect_that(text.find(line + "\n") != std::string::npos,
                    "hand_send, read, after the card did not finish", line, text);
}

bool is_up(Testbed& testbed) {
    const auto flags = testbed.text("/sys/class/net/" + interface(testbed) + "/flags");
    return (std::stoul(flags, nullptr, 16) & 1U) != 0;
}

/// The card was stopped and cannot be started again: there is no memory for its ring.
void expect_closed_when_lost(Testbed& testbed, const std::string& file) {
    {
        Watch watch(testbed, {"dma_alloc_attrs"});
        watch.answer({"dma_alloc_attrs", 0});
        send_in_vain(testbed, file, random_size(testbed, shortest));
        // Who keeps the ring's memory needs none.
        const bool asked = watch.answered() != 0;
        watch.answer_none();
        const bool open = is_up(testbed);
        restart(testbed);
        expect_that(open != asked, "the interface when the card does not start again", "closed",
                    "open, with a card that is stopped");
    }
    send_one(testbed, file, random_size(testbed, shortest));
}

/// A call that sending makes and that can fail; what it says then.
struct Fails {
    const char* call;
    long value;
};
constexpr std::array fallible{Fails{"dma_map_page_attrs", -1},
                              Fails{"dma_map_sg_attrs", 0},
                              Fails{"dma_map_sgtable", -12},
                              Fails{"__kmalloc_noprof", 0},
                              Fails{"__kmalloc_cache_noprof", 0},
                              Fails{"__kmalloc_large_noprof", 0},
                              Fails{"__kvmalloc_node_noprof", 0},
                              Fails{"memdup_user", -12},
                              Fails{"get_free_pages_noprof", 0},
                              Fails{"get_zeroed_page_noprof", 0},
                              Fails{"alloc_pages_noprof", 0},
                              Fails{"__alloc_pages_noprof", 0},
                              Fails{"alloc_pages_exact_noprof", 0},
                              Fails{"dma_alloc_attrs", 0},
                              Fails{"dma_pool_alloc", 0}};

/// Each call that a frame needs and that can fail fails once.
/// @return how many of them map.
unsigned expect_unwound(Testbed& testbed, const std::string& file) {
    std::vector<std::string> names;
    names.reserve(std::size(fallible));
    for (const auto& one : fallible) names.emplace_back(one.call);
    Watch watch(testbed, names);
    expect_carrier(testbed, interface(testbed), true);
    send_one(testbed, file, random_size(testbed, shortest));
    const auto calls = watch.log();
    unsigned maps = 0;
    for (const auto& one : fallible) {
        const auto times = std::count_if(calls.begin(), calls.end(), [&](const grader::Call& call) {
            return call.name == one.call;
        });
        for (unsigned skip = 0; skip < times; ++skip) {
            const auto mapped = in_force(testbed);
            const auto tail = testbed.reg(TDT0);
            watch.answer({one.call, one.value, skip});
            const auto seen =
                refusal(testbed, file, testbed.random_bytes(random_size(testbed, shortest)));
            watch.answer_none();
            const auto when = fmt::format("after call {} of {}() failed", skip + 1, one.call);
            expect_equal(fmt::format("a frame written to {} {}", file, when),
                         std::string("Cannot allocate memory"),
                         seen.empty() ? "the frame was taken" : seen);
            expect_equal("TDT " + when, tail, testbed.reg(TDT0));
            expect_as_mapped(testbed, mapped, when);
            send_one(testbed, file, random_size(testbed, shortest));
            if (std::string(one.call).starts_with("dma_map_")) ++maps;
        }
    }
    return maps;
}

void check_recover(Testbed& testbed) {
    const auto file = hand_send(testbed);
    Credit credit;
    part(testbed, credit, 3, [&] { expect_unwound(testbed, file); });
    part(testbed, credit, 4, [&] {
        expect_recovery(testbed, file);
        expect_shown_in_vain(testbed);
    });
    part(testbed, credit, 2, [&] { expect_closed_when_lost(testbed, file); });
    credit.done();
}

// --- beyond the book: two buffers ---------------------------------------------------------------

/// Frames of two descriptors do not reach across the ring's end when they begin at even places.
void even_out(Testbed& testbed) {
    if (testbed.reg(TDT0) % 2 != 0 &&
        refusal(testbed, hand_send(testbed), testbed.random_bytes(shortest)).empty())
        testbed.receive(Seconds(2));
}

void check_split(Testbed& testbed) {
    // New memory holds what was there before, which here is no zeros.
    const Watch watch(
        testbed,
        {"__kmalloc_noprof", "__kmalloc_cache_noprof", "__kmalloc_large_noprof", "devm_kmalloc",
         "get_free_pages_noprof", "alloc_pages_noprof", "__alloc_pages_noprof"},
        {}, true);
    even_out(testbed);
    for (const auto size : telling_sizes(testbed, split_at(testbed)))
        send_one(testbed, split_send(testbed), size);
}

void check_two(Testbed& testbed) {
    unsigned one_buffer = 0;
    const auto first_bytes = split_at(testbed);
    even_out(testbed);
    const std::vector sizes = {first_bytes, random_size(testbed, shortest), longest};
    for (const auto size : sizes) {
        const auto sent = send_and_look(testbed, split_send(testbed), size);
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

void check_wrap(Testbed& testbed) {
    // An odd number of descriptors before, so that a frame has one at each end of the ring.
    for (int lap = 0; lap < 2; ++lap) {
        if (testbed.ring(grader::Direction::transmit).tail % 2 == 0)
            send_one(testbed, hand_send(testbed), random_size(testbed, shortest));
        for (unsigned i = 0; i < ring_size / 2; ++i)
            send_one(testbed, split_send(testbed), random_size(testbed, shortest));
    }
}

/// At the limits that an MTU sets, from both sides.
void expect_limits(Testbed& testbed, const std::string& file, std::size_t mtu) {
    const std::string too_long = "Message too long";
    const auto when = fmt::format("the MTU being {}", mtu);
    testbed.put("/sys/class/net/" + interface(testbed) + "/mtu", std::to_string(mtu));
    const auto tail = testbed.reg(TDT0);
    for (const auto size :
         {std::size_t{1}, std::min(header, split_at(testbed) - 1), split_at(testbed) - 1,
          mtu + header + 1, mtu + header + 2, mtu + header + 500})
        expect_refusal(testbed, file, size, too_long, when);
    expect_equal("TDT after frames that were refused", tail, testbed.reg(TDT0));
    for (const auto size : {split_at(testbed), mtu + header - 1, mtu + header})
        send_one(testbed, file, size);
}

/// The file is opened once; what its write returns.
void expect_one_write_one_frame(Testbed& testbed, const std::string& file) {
    constexpr int no_memory_there = 14;  // EFAULT
    const auto all = split_at(testbed);
    const std::vector<std::size_t> good = {all, shortest - 1, 200, longest, shortest - 1, 61, all};
    std::vector<std::string> actions;
    std::string data;
    std::vector<std::string> frames;
    for (const auto size : good) {
        frames.push_back(any_frame(testbed, size));
        data += frames.back();
        actions.push_back(fmt::format("w:{}", size));
    }
    // Bytes that cannot be read: from the first on, in the header, all but the header, the last.
    const std::vector<std::size_t> readable = {0, all - 1, all, 99};
    for (const auto some : readable) {
        data += testbed.random_bytes(100);
        actions.push_back(fmt::format("w:100:{}", some));
    }
    constexpr std::size_t too_wide = 65'536 + 100;  // 100, in 16 bits
    constexpr int too_long = 90;                    // EMSGSIZE
    data += testbed.random_bytes(too_wide);
    actions.push_back(fmt::format("w:{}", too_wide));
    actions.emplace_back("w:0");
    const auto mapped = in_force(testbed);
    const auto done = grader::file_io(testbed, file, data, actions);
    for (std::size_t i = 0; i < good.size(); ++i) {
        expect_equal(fmt::format("result of write number {} since {} was opened", i + 1, file),
                     static_cast<long>(good[i]), done[i].result);
        const auto arrived = testbed.receive();
        expect_that(arrived.has_value(), "that write", "a frame on the cable", "none");
        expect_bytes("frame on the cable", on_the_cable(frames[i]), *arrived);
    }
    for (std::size_t i = 0; i < readable.size(); ++i) {
        const auto& one = done[good.size() + i];
        expect_equal(fmt::format("result and errno of a write of 100 bytes, {} of them readable",
                                 readable[i]),
                     fmt::format("-1, {}", no_memory_there),
                     fmt::format("{}, {}", one.result, one.error));
    }
    for (const auto& [size, one] :
         {std::pair{too_wide, done[done.size() - 2]}, std::pair{std::size_t{0}, done.back()}})
        expect_equal(fmt::format("result and errno of a write of {} bytes", size),
                     fmt::format("-1, {}", too_long), fmt::format("{}, {}", one.result, one.error));
    testbed.let_settle();
    expect_that(testbed.take_frames().empty(), "frames on the cable of writes that were refused",
                "none", "at least one");
    expect_as_mapped(testbed, mapped, "after them");
}

void check_limits(Testbed& testbed) {
    constexpr std::size_t small = 300;
    constexpr std::size_t large = 2000;
    const auto file = split_send(testbed);
    Credit credit;
    part(testbed, credit, 1, [&] {
        expect_equal("mode of " + file, std::string("200"),
                     testbed.must_run({"stat", "-c", "%a", file}));
    });
    part(testbed, credit, 2, [&] {
        for (const auto mtu : {longest - header, small, large}) expect_limits(testbed, file, mtu);
    });
    testbed.put("/sys/class/net/" + interface(testbed) + "/mtu", std::to_string(longest - header));
    part(testbed, credit, 2, [&] { expect_one_write_one_frame(testbed, file); });
    credit.done();
}

constexpr std::array takes_rtnl{"rtnl_lock", "rtnl_lock_killable"};

/// A writer of one frame, which goes as far as it gets.
std::unique_ptr<grader::Beside> start_writer(Testbed& testbed, const std::string& name,
                                             const std::string& frame) {
    const auto data = "/tmp/turns-" + name;
    testbed.put(data, frame);
    auto writer = std::make_unique<grader::Beside>(
        testbed, name,
        std::vector<std::string>{"fileio", split_send(testbed), data,
                                 fmt::format("w:{}", frame.size())});
    writer->wait_stuck();
    return writer;
}

/// Two writers come while somebody has RTNL.
void expect_two_writers(Testbed& testbed, Watch& watch) {
    const auto tail = testbed.reg(TDT0);
    watch.take_rtnl();
    std::vector<std::string> frames;
    std::vector<std::unique_ptr<grader::Beside>> writers;
    for (const char* name : {"first", "second"}) {
        frames.push_back(any_frame(testbed, random_size(testbed, shortest)));
        writers.push_back(start_writer(testbed, name, frames.back()));
    }
    const auto moved = testbed.reg(TDT0);
    watch.give_rtnl();
    for (std::size_t i = 0; i < writers.size(); ++i) {
        writers[i]->wait_end();
        expect_equal("result and errno of a write that had to wait for RTNL",
                     fmt::format("{} 0\n", frames[i].size()), writers[i]->output());
    }
    expect_equal("TDT while somebody else has RTNL", tail, moved);
    std::vector<std::string> arrived;
    for (std::size_t i = 0; i < frames.size(); ++i)
        if (const auto frame = testbed.receive()) arrived.push_back(*frame);
    for (const auto& frame : frames)
        expect_that(std::find(arrived.begin(), arrived.end(), frame) != arrived.end(),
                    "frames on the cable, two writers at once", "both, byte for byte",
                    "one is missing, or has bytes of the other");
}

/// The cable goes, or the interface, when a writer has come to the call that takes RTNL.
void expect_looks_with_rtnl(Testbed& testbed, Watch& watch, bool cable) {
    const int error = cable ? ENOLINK : ENETDOWN;
    const auto eth = interface(testbed);
    for (const char* lock : takes_rtnl) {
        watch.hold(lock);
        const auto writer =
            start_writer(testbed, lock, testbed.random_bytes(random_size(testbed, shortest)));
        const bool held = watch.held() != 0;
        if (held && cable) {
            testbed.plug(false);
            expect_carrier(testbed, eth, false);
        } else if (held) {
            testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
        }
        watch.release();
        writer->wait_end();
        const auto said = writer->output();
        testbed.plug(true);
        bring_up(testbed);
        expect_carrier(testbed, eth, true);
        clear_cable(testbed);
        if (held)
            expect_equal(fmt::format("result and errno of a write, the {} before {}()",
                                     cable ? "cable being pulled" : "interface going down", lock),
                         fmt::format("-1 {}\n", error), said);
    }
}

void check_turns(Testbed& testbed) {
    even_out(testbed);
    Watch watch(testbed, {takes_rtnl.begin(), takes_rtnl.end()});
    expect_two_writers(testbed, watch);
    for (const bool cable : {true, false}) expect_looks_with_rtnl(testbed, watch, cable);
}

/// Whatever comes of it, the cable is in again.
void expect_refused_without_cable(Testbed& testbed, const std::string& file) {
    testbed.plug(false);
    try {
        grader::expect_carrier(testbed, interface(testbed), false);
        const auto mapped = in_force(testbed);
        expect_refusal(testbed, file, shortest, "Link has been severed", "the cable being out");
        refusal(testbed, hand_send(testbed), testbed.random_bytes(shortest));
        expect_as_mapped(testbed, mapped, "after frames were refused");
    } catch (const Failure&) {
        testbed.plug(true);
        throw;
    }
    testbed.plug(true);
}

void check_unwind(Testbed& testbed) {
    const auto file = split_send(testbed);
    even_out(testbed);
    Credit credit;
    part(testbed, credit, 2, [&] {
        for (const auto size : {split_at(testbed), random_size(testbed, shortest), longest})
            expect_mapped(testbed, file, size, 2);
    });
    part(testbed, credit, 2, [&] { expect_unwound(testbed, file); });
    part(testbed, credit, 2, [&] { expect_recovery(testbed, file); });
    part(testbed, credit, 1, [&] { expect_closed_when_lost(testbed, file); });
    part(testbed, credit, 1, [&] { expect_refused_without_cable(testbed, file); });
    part(testbed, credit, 2, [&] {
        testbed.must_run({"ip", "link", "set", "dev", interface(testbed), "down"});
        const auto mapped = in_force(testbed);
        expect_refusal(testbed, file, shortest, "Network is down", "the interface being down");
        refusal(testbed, hand_send(testbed), testbed.random_bytes(shortest));
        expect_as_mapped(testbed, mapped, "after frames were refused");
    });
    bring_up(testbed);
    credit.done();
}

// --- the end ------------------------------------------------------------------------------------

std::optional<std::size_t> first_write(const std::vector<RegisterWrite>& writes, std::size_t from,
                                       const std::function<bool(const RegisterWrite&)>& matches) {
    for (auto i = from; i < writes.size(); ++i)
        if (matches(writes[i])) return i;
    return std::nullopt;
}

/// The card was stopped when it was last asked to finish.
void expect_asked_when_stopped(const grader::Call& asked) {
    const auto tctl = asked.reg.at(TCTL);
    const auto txdctl = asked.reg.at(TXDCTL0);
    expect_that((tctl & TCTL_EN) == 0 && (txdctl & TXDCTL_ENABLE) == 0,
                "registers when igbook_dma_master_disable() is called, the last time before the "
                "ring's memory is freed",
                "TCTL without EN, TXDCTL without ENABLE",
                fmt::format("TCTL {:#010x}, TXDCTL {:#010x}", tctl, txdctl));
}

/// Whenever ring memory is given away, the card has been stopped and has finished.
void expect_freed_last(const std::vector<grader::Call>& calls) {
    const grader::Call* asked = nullptr;
    for (const auto& call : calls) {
        if (call.name == "igbook:igbook_dma_master_disable") asked = &call;
        if (call.name != "dma_free_attrs") continue;
        if (asked != nullptr) expect_asked_when_stopped(*asked);
        const auto tctl = call.reg.at(TCTL);
        const auto txdctl = call.reg.at(TXDCTL0);
        const auto ctrl = call.reg.at(CTRL);
        const auto seen =
            fmt::format("TCTL {:#010x}, TXDCTL {:#010x}, CTRL {:#010x}", tctl, txdctl, ctrl);
        expect_that((tctl & TCTL_EN) == 0, "registers when the ring's memory is freed",
                    "TCTL without EN", seen);
        expect_that((txdctl & TXDCTL_ENABLE) == 0, "registers when the ring's memory is freed",
                    "TXDCTL without ENABLE", seen);
        expect_that((ctrl & CTRL_GIO_MASTER_DISABLE) != 0,
                    "registers when the ring's memory is freed", "CTRL with GIO_MASTER_DISABLE",
                    seen);
    }
}

/// An interface that opens, closes, and does not open: the ring comes and goes with it.
void expect_ring_comes_and_goes(Testbed& testbed) {
    const auto eth = interface(testbed);
    const std::vector<std::string> up = {"ip", "link", "set", "dev", eth, "up"};
    const std::vector<std::string> down = {"ip", "link", "set", "dev", eth, "down"};
    Watch watch(testbed,
                {"dma_free_attrs", "dma_alloc_attrs", "igbook:igbook_phy_restart_autoneg",
                 "igbook:igbook_dma_master_disable"},
                {TCTL, TXDCTL0, CTRL});
    const auto ring = testbed.ring(grader::Direction::transmit).base;
    testbed.must_run(down);
    const auto kept = described(in_force(testbed));
    const auto mapped = in_force(testbed);
    expect_that(std::none_of(mapped.begin(), mapped.end(),
                             [&](const Mapping& one) { return one.covers(ring, 1); }),
                "the ring's memory with the interface down (dma-api/dump)", "given back",
                "still the card's");
    expect_freed_last(watch.log());
    const auto expect_none = [&](const std::string& when) {
        expect_equal("memory the card may reach " + when + " (dma-api/dump)", kept,
                     described(in_force(testbed)));
        expect_freed_last(watch.log());
    };
    watch.answer({"dma_alloc_attrs", 0});
    expect_that(testbed.run(up).status != 0, "ip link set up without memory for the ring",
                "an error", "none");
    watch.answer_none();
    expect_none("after the interface could not open");
    // Later in opening: the ring is there and the queue runs.
    watch.answer({"igbook:igbook_phy_restart_autoneg", -110});
    expect_that(testbed.run(up).status != 0, "ip link set up while the PHY does not answer",
                "an error", "none");
    watch.answer_none();
    expect_none("after the interface could not open");
    bring_up(testbed);
}

void expect_order_while_unloading(Testbed& testbed) {
    const auto from = testbed.writes().size();
    testbed.must_run({"rmmod", "igbook"});
    const auto writes = testbed.writes();
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
    const auto left = lines_of(testbed.text(dma_debug + "dump"), testbed.pci_address());
    expect_that(left.empty(), "memory the card may reach after rmmod (dma-api/dump)", "none",
                left.empty() ? "" : left.front());
}

void check_stop(Testbed& testbed) {
    // Without a carrier nothing was lost that an earlier check left behind.
    bring_up(testbed);
    Credit credit;
    credit.part(3, [&] { expect_ring_comes_and_goes(testbed); });
    credit.part(2, [&] { expect_order_while_unloading(testbed); });
    credit.done();
}

const std::vector<std::string> page_takers = {"get_free_pages_noprof", "get_zeroed_page_noprof",
                                              "alloc_pages_noprof", "__alloc_pages_noprof",
                                              "alloc_pages_exact_noprof"};
const std::vector<std::string> page_givers = {"free_pages", "__free_pages", "free_pages_exact",
                                              "__folio_put"};

/// Whole pages are not kmemleak's to find: those that the driver takes are counted, and those that
/// it gives back, while frames come to every end there is.
void expect_pages_given_back(Testbed& testbed) {
    const auto file = split_send(testbed);
    testbed.must_run({"insmod", Testbed::guest_module});
    auto names = page_takers;
    names.insert(names.end(), page_givers.begin(), page_givers.end());
    names.insert(names.end(), {"dma_map_page_attrs", "dma_map_sg_attrs", "__kmalloc_noprof",
                               "__kmalloc_cache_noprof"});
    Watch watch(testbed, names);
    bring_up(testbed);
    for (const auto size : {split_at(testbed), longest}) {
        send_one(testbed, file, size);
        send_one(testbed, hand_send(testbed), size);
    }
    for (const auto& one : {Fails{"dma_map_page_attrs", -1}, Fails{"dma_map_sg_attrs", 0},
                            Fails{"__kmalloc_noprof", 0}, Fails{"__kmalloc_cache_noprof", 0},
                            Fails{"get_free_pages_noprof", 0}, Fails{"__alloc_pages_noprof", 0}})
        for (unsigned skip = 0; skip < 2; ++skip) {
            watch.answer({one.call, one.value, skip});
            refusal(testbed, file, testbed.random_bytes(100));
        }
    watch.answer_none();
    grader::file_io(testbed, file, testbed.random_bytes(200),
                    {"w:100:0", fmt::format("w:100:{}", split_at(testbed))});
    refusal(testbed, file, testbed.random_bytes(longest + 1));
    bus_master(testbed, false);
    refusal(testbed, file, testbed.random_bytes(100));
    refusal(testbed, hand_send(testbed), testbed.random_bytes(100));
    bus_master(testbed, true);
    testbed.must_run({"rmmod", "igbook"});
    unsigned taken = 0;
    unsigned given = 0;
    for (const auto& name : page_takers) taken += watch.count(name).gave_something;
    for (const auto& name : page_givers) given += watch.count(name).was_given_something;
    expect_equal("pages that the driver gave back, of those it took", taken, given);
    clear_cable(testbed);
}

void check_leaks(Testbed& testbed) {
    if (!testbed.text("/sys/module/igbook/initstate").empty())
        testbed.must_run({"rmmod", "igbook"});
    expect_pages_given_back(testbed);
    grader::expect_nothing_lost(testbed, "all that was sent, refused and given up");
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
    CHECK_POINTS(9, "a mapping that fails, and a card that never finishes, are survived")
        .id("recover")
        .after("frame")
        .hint(
            "dma_mapping_error() before anything else. While the card may read the frame it must "
            "not be unmapped, and only igbook_down() makes sure of that.")
        .book("cov-d4")
        .run(tidied(check_recover));
}

void add_two_buffers(grader::Scenario& lab) {
    CHECK_POINTS(8, "@split_file@ sends a frame from two buffers, byte for byte")
        .id("split")
        .after("loads")
        .hint(
            "Two descriptors, one frame. The padding of a short frame belongs behind its payload, "
            "even if there is no payload.")
        .book("cov-d4")
        .run(tidied(check_split));
    CHECK_POINTS(8, "the two descriptors say so: @split_at@ bytes, then the rest and the end")
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
    CHECK_POINTS(5,
                 "@split_file@ takes one frame a write, and refuses what is too short or too long")
        .id("limits")
        .after("split")
        .hint("At least @split_at@ bytes, at most the MTU of this moment and an Ethernet header.")
        .book("cov-d4")
        .run(tidied(check_limits));
    CHECK_POINTS(5, "who writes to @split_file@ waits for RTNL, and two writers for each other")
        .id("turns")
        .after("split")
        .hint(
            "rtnl_lock() keeps open, close and every other sender away. What is shared by two "
            "writers may be touched only while it is held.")
        .book("cov-d4")
        .run(tidied(check_turns));
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
