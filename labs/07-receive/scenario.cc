// SPDX-License-Identifier: GPL-2.0
// Lab 7, Receive: the checks. handout.md is the same list in the student's words.
//
// Where the card puts a frame stands in the descriptors, read from outside; what the stack is told
// of it, in the record of register writes (grader/handed.h); whether the stack believes a sum that
// is wrong, the cable shows.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "all_labs.h"
#include "calls.h"
#include "expect.h"
#include "frame.h"
#include "handed.h"
#include "interface.h"
#include "registers.h"
#include "rings.h"
#include "testbed.h"
#include "traffic.h"
#include "witness.h"

namespace fwts::labs {
namespace {

using grader::answer_to;
using grader::CallNote;
using grader::Companion;
using grader::counter;
using grader::Direction;
using grader::expect_bytes;
using grader::expect_equal;
using grader::expect_full_of_buffers;
using grader::expect_mapped;
using grader::expect_register;
using grader::expect_that;
using grader::expect_told_done;
using grader::fail;
using grader::Handed;
using grader::HandedEvent;
using grader::HandedFrame;
using grader::Inserted;
using grader::listen;
using grader::mappings;
using grader::number;
using grader::RegisterWrite;
using grader::Ring;
using grader::RingSlot;
using grader::set_link;
using grader::set_mtu;
using grader::Testbed;
using grader::told;
using grader::Witness;
using grader::writes_since;
using Seconds = Testbed::Seconds;
using Frames = std::vector<std::string>;

using namespace sandbox::registers;

constexpr std::size_t table_entries = 128;
constexpr std::size_t key_bytes = 40;

// ip_summed
constexpr unsigned checksum_none = 0;
constexpr unsigned checksum_unnecessary = 1;

constexpr std::size_t header = 14;
constexpr std::size_t type_at = 12;
constexpr std::size_t tag_bytes = 4;
constexpr std::size_t shortest = 60;   // of a frame on the cable, without FCS
constexpr std::size_t longest = 1514;  // at the usual MTU
constexpr std::size_t page = 4096;
constexpr std::size_t usual_piece = 2048;  // memory of a buffer at the usual MTU ...
constexpr std::size_t jumbo_piece = 4096;  // ... and at a larger one
constexpr std::size_t shared_info = 320;   // what the stack notes behind a frame
constexpr unsigned usual_mtu = 1500;
constexpr unsigned jumbo_mtu = 9216;
constexpr std::size_t usual_copybreak = 256;
constexpr unsigned batch = 16;         // descriptors for one doorbell
constexpr std::size_t pool_bulk = 64;  // pages a pool takes at once from the system
constexpr std::size_t in_flight = 16;  // frames an exchange is ahead of the answers
constexpr Seconds patience{10};        // for a burst of frames and what is done with them
const std::string eth = "eth0";        // the only card there is

// --- numbers of this run -------------------------------------------------------------------------

std::size_t between(Testbed& testbed, std::size_t least, std::size_t most) {
    return least + testbed.random()() % (most - least + 1);
}

std::size_t head_bytes(const Testbed& testbed) {
    return number(testbed, "head_bytes");
}

/// A frame of a protocol that nobody takes.
std::string silent_frame(Testbed& testbed, std::size_t size) {
    auto frame = testbed.random_frame(size, testbed.mac());
    frame[type_at + 1] = static_cast<char>(0xb6);
    return frame;
}

/// A frame that the program answers whole: its first two bytes of payload ask for no other length.
std::string question(Testbed& testbed, std::size_t size) {
    auto frame = testbed.random_frame(size, testbed.mac());
    frame[header] = frame[header + 1] = 0;
    return frame;
}

// --- the card, from outside ----------------------------------------------------------------------

unsigned count_of(const Ring& ring) {
    return static_cast<unsigned>(ring.slots.size());
}

/// Bytes that the card may write to one buffer.
std::size_t room(Testbed& testbed) {
    return std::size_t{testbed.reg(SRRCTL0) & SRRCTL_BSIZEPACKET} * 1024;
}

std::size_t pieces_of(Testbed& testbed, std::size_t size) {
    return (size + room(testbed) - 1) / room(testbed);
}

std::size_t mapped_for_receiving(Testbed& testbed) {
    return mappings(testbed, "DMA_FROM_DEVICE").size();
}

/// Waits until the driver has posted so many buffers since the tail was `tail`.
void expect_posted(Testbed& testbed, std::uint32_t tail, std::size_t descriptors) {
    const auto count = testbed.reg(RDLEN0) / sizeof(RingSlot);
    const auto wanted = (tail + descriptors) % count;
    testbed.wait_until(
        fmt::format("tail of the receive ring after {} descriptors: one out, one in", descriptors),
        std::to_string(wanted), [&] { return testbed.reg(RDT0) == wanted; },
        [&] { return std::to_string(testbed.reg(RDT0)); }, patience);
}

// --- settings ------------------------------------------------------------------------------------

void set_ring(Testbed& testbed, unsigned descriptors) {
    testbed.must_run({"ethtool", "-G", eth, "rx", std::to_string(descriptors)});
}

void set_copybreak(Testbed& testbed, std::size_t bytes) {
    testbed.must_run({"ethtool", "--set-tunable", eth, "rx-copybreak", std::to_string(bytes)});
}

void set_feature(Testbed& testbed, const std::string& feature, bool on) {
    testbed.must_run({"ethtool", "-K", eth, feature, on ? "on" : "off"});
}

std::uint64_t counter(Testbed& testbed, const std::string& name) {
    return counter(testbed, eth, name);
}

/// Whatever became of the check, the next one finds the interface as after loading.
std::function<void(Testbed&)> tidied(void (*check)(Testbed&)) {
    return [check](Testbed& testbed) {
        try {
            check(testbed);
        } catch (const grader::Failure&) {
            testbed.sh(fmt::format(
                "killall -CONT frames; killall frames; rm -f {1}; "
                "ip link set dev {0} down; ip addr flush dev {0}; ip link set dev {0} mtu {2}; "
                "ethtool -L {0} combined 1; ethtool -G {0} rx 256; "
                "ip link del tagged; ethtool -K {0} rx on rxhash on rxvlan on; "
                "ethtool -N {0} rx-flow-hash udp4 sd; ethtool -N {0} rx-flow-hash udp6 sd; "
                "ethtool --set-tunable {0} rx-copybreak {3}; ip link set dev {0} up",
                eth, told, usual_mtu, usual_copybreak));
            try {
                grader::expect_carrier(testbed, eth, true);
            } catch (const grader::Failure&) {
                // What went wrong before says more.
            }
            testbed.take_frames();
            throw;
        }
    };
}

// --- frames --------------------------------------------------------------------------------------

/// Runs `frames` in the guest; what was on the cable before is forgotten.
void listen_anew(Testbed& testbed, const std::string& verb, std::size_t count) {
    listen(testbed, verb, count);
    testbed.take_frames();
}

/// Sends frames, a few ahead of the answers, and compares every answer. Somebody listens already.
/// @param read  what he gets of them, and `why`
void expect_answers(Testbed& testbed, const Frames& frames, const Frames& read,
                    const std::string& why) {
    std::size_t sent = 0;
    for (std::size_t got = 0; got < frames.size(); ++got) {
        while (sent < frames.size() && sent < got + in_flight) testbed.send(frames[sent++]);
        const auto what = fmt::format("answer {} of {}, to a frame of {} bytes{}", got + 1,
                                      frames.size(), frames[got].size(), why);
        const auto seen = testbed.receive();
        expect_that(seen.has_value(), what, "one", "none");
        expect_bytes(what, answer_to(read[got]), *seen);
    }
    expect_told_done(testbed, frames.size());
}

void expect_answers(Testbed& testbed, const Frames& frames) {
    expect_answers(testbed, frames, frames, "");
}

/// One frame, where the card has put it, and what was said of it.
struct Seen {
    HandedFrame frame;
    std::vector<RingSlot> before;  ///< descriptors it was written to, as they were
    std::vector<RingSlot> posted;  ///< and those that were posted in their place
    std::vector<HandedEvent> events;
};

Seen send_one(Testbed& testbed, const Handed& handed, const std::string& frame) {
    testbed.let_settle();
    const auto ring = testbed.ring(Direction::receive);
    const auto count = count_of(ring);
    const auto pieces = pieces_of(testbed, frame.size());
    const auto mark = testbed.writes().size();
    Seen seen;
    testbed.send(frame);
    seen.frame = handed.expect(mark, 1)[0];
    expect_posted(testbed, ring.tail, pieces);
    testbed.let_settle();
    seen.events = handed.events(mark);
    const auto after = testbed.ring(Direction::receive);
    for (unsigned i = 0; i < pieces; ++i) {
        seen.before.push_back(ring.slots[(ring.head + i) % count]);
        seen.posted.push_back(after.slots[(ring.tail + i) % count]);
    }
    return seen;
}

/// What was said of one frame.
HandedFrame said_of(Testbed& testbed, const Handed& handed, const std::string& frame) {
    testbed.let_settle();
    const auto mark = testbed.writes().size();
    testbed.send(frame);
    return handed.expect(mark, 1)[0];
}

/// The frame was copied, and its buffer is in the ring again; or its headers are in the linear part
/// and the rest is where the card has put it.
void expect_shape(Testbed& testbed, const Seen& seen, std::size_t size, bool copied,
                  std::size_t piece) {
    const auto what = fmt::format("a frame of {} bytes, as the stack gets it: ", size);
    const auto head = head_bytes(testbed);
    const auto& frame = seen.frame;
    expect_equal(what + "length", size, frame.len);
    expect_equal(what + "bytes in the linear part", copied ? size : head, frame.linear);
    expect_equal(what + "fragments", copied ? 0 : seen.before.size(), frame.frags);
    if (copied) {
        expect_that(frame.truesize < size + usual_piece, what + "truesize",
                    "no buffer of the card's in it", std::to_string(frame.truesize));
        expect_equal(
            what + "the buffer that stands in the ring after it",
            fmt::format("the same, {:#x}", seen.before[0].low),
            fmt::format("{}{:#x}",
                        seen.posted[0].low == seen.before[0].low ? "the same, " : "another, ",
                        seen.posted[0].low));
        return;
    }
    expect_that(frame.recycled, what + "pp_recycle", "set: its pages are a pool's", "clear");
    expect_that(frame.truesize >= seen.before.size() * piece &&
                    frame.truesize <= seen.before.size() * piece + head + usual_piece,
                what + "truesize",
                fmt::format("{} bytes for each buffer, and its linear part", piece),
                std::to_string(frame.truesize));
    std::size_t left = size - head;
    for (std::size_t i = 0; i < frame.pieces.size(); ++i) {
        const auto skipped = i == 0 ? head : 0;
        const auto length = std::min(left, room(testbed) - skipped);
        expect_equal(what + fmt::format("address of fragment {}", i + 1),
                     fmt::format("{:#x}", seen.before[i].low + skipped),
                     fmt::format("{:#x}", frame.pieces[i].first));
        expect_equal(what + fmt::format("length of fragment {}", i + 1), length,
                     frame.pieces[i].second);
        left -= length;
        for (const auto& slot : seen.posted)
            expect_that(slot.low != seen.before[i].low, what + "buffers posted after it",
                        "other ones", "one that it took along");
    }
}

// --- loading -------------------------------------------------------------------------------------

void check_loads(Testbed& testbed) {
    testbed.silence_guest();
    grader::load(testbed);
    expect_equal("name of the card's interface", eth, grader::interface(testbed));
    expect_equal("its address", testbed.mac(), testbed.text("/sys/class/net/" + eth + "/address"));
}

// --- buffers -------------------------------------------------------------------------------------

/// How a buffer, or a pool, may be asked for.
const std::array<const char*, 4> page_calls = {"page_pool_alloc_frag", "page_pool_alloc_pages",
                                               "page_pool_alloc_frag_netmem",
                                               "page_pool_alloc_netmems"};

/// Without a pool or a buffer the interface does not go up, says why, and keeps nothing.
void expect_refused(Testbed& testbed, const std::string& symbol, long value, unsigned skip,
                    const std::string& why = "Cannot allocate memory") {
    const Companion failing(
        testbed, "failcall",
        {"symbol=" + symbol, fmt::format("value={}", value), fmt::format("skip={}", skip)});
    const auto ran = testbed.run({"ip", "link", "set", "dev", eth, "up"});
    if (failing.number("hits") == 0) {
        set_link(testbed, eth, false);
        return;
    }
    expect_that(ran.status != 0 && ran.err.find(why) != std::string::npos,
                fmt::format("ip link set dev {} up, {}() fails", eth, symbol), why,
                ran.status == 0 ? "success" : ran.err);
    expect_mapped(testbed, "", 0, "after that");
}

/// Every buffer has room of its own in a page that is mapped once, for the card to write.
void expect_in_pages(Testbed& testbed, std::size_t piece, std::size_t reach) {
    const auto buffers = expect_full_of_buffers(testbed.ring(Direction::receive));
    std::map<std::uint64_t, std::size_t> pages;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        ++pages[buffers[i] / page];
        expect_that(i == 0 || buffers[i] - buffers[i - 1] >= piece,
                    "distance of two buffers in memory", fmt::format("{} or more", piece),
                    std::to_string(i == 0 ? 0 : buffers[i] - buffers[i - 1]));
        expect_that(buffers[i] % page + reach + shared_info <= page,
                    "a buffer, the longest part of a frame, and what the stack notes behind it",
                    "in one page", fmt::format("at {} of it", buffers[i] % page));
    }
    std::map<std::uint64_t, std::size_t> mapped;
    for (const auto& mapping : mappings(testbed, "DMA_FROM_DEVICE")) {
        expect_equal("size of a mapping, DMA_FROM_DEVICE: that of a single page", page,
                     mapping.size);
        ++mapped[mapping.address / page];
    }
    for (const auto& [which, ignored] : pages)
        expect_equal(fmt::format("mappings, DMA_FROM_DEVICE, of page {:#x}, which is in the ring",
                                 which * page),
                     1U, mapped[which]);
    const auto share = page / piece;
    expect_that(pages.size() <= buffers.size() / share + 2,
                fmt::format("pages for {} buffers of {} bytes", buffers.size(), piece),
                fmt::format("{}", (buffers.size() + share - 1) / share),
                std::to_string(pages.size()));
}

void check_buffers(Testbed& testbed) {
    expect_refused(testbed, "page_pool_create", -12, 0);
    expect_refused(testbed, "page_pool_create", -5, 0, "Input/output error");
    for (const auto* symbol : page_calls)
        expect_refused(testbed, symbol, 0, static_cast<unsigned>(between(testbed, 0, 40)));
    set_link(testbed, eth, true);
    expect_in_pages(testbed, usual_piece, longest + tag_bytes);
    set_mtu(testbed, eth, jumbo_mtu);
    expect_in_pages(testbed, jumbo_piece, room(testbed));
    set_mtu(testbed, eth, usual_mtu);
    set_ring(testbed, static_cast<unsigned>(between(testbed, 10, 20) * 8));
    expect_in_pages(testbed, usual_piece, longest + tag_bytes);
    set_ring(testbed, 256);
}

// --- frames of one piece -------------------------------------------------------------------------

void check_whole(Testbed& testbed) {
    const auto packets = counter(testbed, "rx0_packets");
    const auto bytes = counter(testbed, "rx0_bytes");
    const auto copied_up_to = std::max(usual_copybreak - 1, head_bytes(testbed));
    // One that leaves most of its buffer unused is among them.
    std::vector<std::size_t> sizes{shortest, copied_up_to + 10, longest - 1, longest};
    for (int i = 0; i < 4; ++i) {
        sizes.push_back(between(testbed, shortest, usual_copybreak - 10));
        sizes.push_back(between(testbed, copied_up_to + 10, longest));
    }
    std::uint64_t total = 0;
    {
        const Handed handed(testbed);
        for (const auto size : sizes) {
            const auto seen = send_one(testbed, handed, silent_frame(testbed, size));
            expect_shape(testbed, seen, size, size <= copied_up_to, usual_piece);
            expect_that(seen.frame.to_gro, "a frame that a poll hands over", "to GRO", "past it");
            total += size;
        }
    }
    // Faster, and byte for byte; some laps of the ring.
    set_ring(testbed, 64);
    Frames frames;
    for (int i = 0; i < 300; ++i)
        frames.push_back(question(testbed, between(testbed, shortest, longest)));
    for (const auto& frame : frames) total += frame.size();
    listen_anew(testbed, "answer", frames.size());
    expect_answers(testbed, frames);
    expect_full_of_buffers(testbed.ring(Direction::receive));
    set_ring(testbed, 256);
    expect_equal("rx0_packets", sizes.size() + frames.size(),
                 counter(testbed, "rx0_packets") - packets);
    expect_equal("rx0_bytes", total, counter(testbed, "rx0_bytes") - bytes);
}

/// Frames that take their buffers along: a burst that half of the ring has room for.
void send_burst(Testbed& testbed, std::size_t frames, std::size_t size) {
    const auto tail = testbed.reg(RDT0);
    const auto descriptors = frames * pieces_of(testbed, size);
    for (std::size_t i = 0; i < frames; ++i) testbed.send(silent_frame(testbed, size));
    expect_posted(testbed, tail, descriptors);
    testbed.let_settle();
}

/// Of a page that is used again the card gets back all that it may write to.
void expect_returned_whole(Testbed& testbed, std::size_t burst, const std::string& returned) {
    const CallNote notes(testbed, {returned + ":2"});
    // Whose device it is, the companion learns of the driver's own call, for a frame that is
    // copied.
    send_burst(testbed, 1, shortest);
    const auto mark = testbed.writes().size();
    for (int i = 0; i < 4; ++i) send_burst(testbed, burst, longest);
    const auto least = usual_piece + longest + tag_bytes;
    for (const auto& deed : notes.deeds(mark))
        expect_that(deed.call != returned || deed.argument >= least,
                    fmt::format("bytes of a page with two buffers that are returned to the card "
                                "({}) before it is used again",
                                returned),
                    fmt::format("{} or more: both buffers", least), std::to_string(deed.argument));
}

/// The pages that the stack gives back are those that the ring takes: nothing more is mapped.
void check_reuse(Testbed& testbed) {
    constexpr unsigned ring = 64;
    constexpr std::size_t burst = ring / 2;
    constexpr unsigned bursts = 20;
    set_ring(testbed, ring);
    for (int i = 0; i < 4; ++i) send_burst(testbed, burst, longest);
    const auto before = mapped_for_receiving(testbed);
    const std::string returned = "__dma_sync_single_for_device";
    const auto mark = testbed.writes().size();
    std::size_t calls = 0;
    {
        const Witness witness(testbed, {"*" + returned});
        for (unsigned i = 0; i < bursts; ++i) send_burst(testbed, burst, longest);
        calls = witness.calls(writes_since(testbed, mark), returned);
    }
    const auto after = mapped_for_receiving(testbed);
    expect_that(
        after <= before + pool_bulk,
        fmt::format("pages mapped, {} before, after {} long frames more", before, bursts * burst),
        "as many, or a few more", std::to_string(after));
    // Two frames to a page.
    expect_that(calls >= bursts * burst / 2 - pool_bulk,
                fmt::format("how often a page was returned to the card ({}) for {} frames, two to "
                            "a page",
                            returned, bursts * burst),
                "about once for each page", std::to_string(calls));
    expect_returned_whole(testbed, burst, returned);
    set_ring(testbed, 256);
}

/// Lengths on both sides of what is copied, with the limit set to several values and back.
void check_copies(Testbed& testbed) {
    const auto head = head_bytes(testbed);
    const Handed handed(testbed);
    const std::array<std::size_t, 6> limits = {
        0, usual_copybreak, 1536, head, between(testbed, head + 20, 1400), usual_copybreak};
    for (const auto limit : limits) {
        set_copybreak(testbed, limit);
        // An sk_buff that is too short by a byte has no room to spare for one of these.
        constexpr std::size_t cache_lines_and_one = 1473;
        std::set<std::size_t> sizes{shortest, cache_lines_and_one, longest};
        for (const auto edge : {limit, head})
            for (const auto size : {edge - 1, edge, edge + 1})
                if (size >= shortest && size <= longest) sizes.insert(size);
        for (const auto size : sizes)
            expect_shape(testbed, send_one(testbed, handed, silent_frame(testbed, size)), size,
                         size < limit || size <= head, usual_piece);
    }
}

/// What the card has written is lent to the CPU, and nothing else; what stays is returned.
void expect_lent(const Seen& seen, std::size_t size, std::size_t most, bool copied) {
    const auto what = fmt::format("a frame of {} bytes: ", size);
    std::size_t left = size;
    for (std::size_t i = 0; i < seen.before.size(); ++i) {
        const auto begin = seen.before[i].low;
        const auto end = begin + std::min(left, most);
        left -= end - begin;
        std::uint64_t first = ~std::uint64_t{0};
        std::uint64_t last = 0;
        std::uint64_t returned = 0;
        bool told_card = false;
        bool handed = false;
        for (const auto& event : seen.events) {
            const bool here = event.address < end && event.address + event.size > begin;
            told_card =
                told_card || (event.kind == HandedEvent::Kind::write && event.write.offset == RDT0);
            handed = handed || event.kind == HandedEvent::Kind::frame;
            if (event.kind == HandedEvent::Kind::to_cpu && here && !handed) {
                returned = 0;
                first = std::min(first, event.address);
                last = std::max(last, event.address + event.size);
            }
            if (event.kind == HandedEvent::Kind::to_card && here && !told_card)
                returned = std::max(returned, event.address + event.size);
        }
        expect_that(last != 0, what + fmt::format("its piece {}", i + 1),
                    "lent to the CPU (dma_sync_single_for_cpu) before it is handed over",
                    "it is not");
        expect_equal(
            what + fmt::format("memory lent to the CPU for its piece {}: what the card has written",
                               i + 1),
            fmt::format("{:#x} to {:#x}", begin, end), fmt::format("{:#x} to {:#x}", first, last));
        expect_that(!copied || returned >= end, what + "its buffer, which stays in the ring",
                    "returned to the card (dma_sync_single_for_device) when it has been read, and "
                    "before the doorbell",
                    "it is not, or a part of it");
    }
}

/// Frames of a byte that is another one while it is lent to the CPU: no byte is read before that,
/// or after it was returned.
void expect_read_when_lent(Testbed& testbed, const std::vector<std::size_t>& sizes) {
    constexpr std::size_t before = header + 2;
    constexpr char lent = 0x5a;
    char unlent = 0;
    Frames frames;
    Frames read;
    for (const auto size : sizes) frames.push_back(question(testbed, size));
    const auto stands_before = [&] {
        return std::any_of(frames.begin(), frames.end(), [&](const std::string& frame) {
            return frame.substr(0, before).find(unlent) != std::string::npos;
        });
    };
    while (unlent == lent || stands_before()) ++unlent;
    for (auto& frame : frames) {
        read.push_back(frame.substr(0, before) + std::string(frame.size() - before, lent));
        frame.replace(before, std::string::npos, frame.size() - before, unlent);
    }
    const Handed handed(testbed, static_cast<unsigned char>(unlent), lent);
    listen_anew(testbed, "answer", frames.size());
    expect_answers(
        testbed, frames, read,
        fmt::format(
            " of bytes {:#04x}, which are {:#04x} from when they are lent until they are returned",
            static_cast<unsigned char>(unlent), static_cast<unsigned char>(lent)));
}

void check_lent(Testbed& testbed) {
    const std::vector<std::size_t> sizes{shortest, between(testbed, shortest, 200),
                                         between(testbed, 300, 1400), longest};
    {
        const Handed handed(testbed);
        for (const auto size : sizes) {
            const auto seen = send_one(testbed, handed, silent_frame(testbed, size));
            expect_lent(seen, size, room(testbed), seen.frame.frags == 0);
        }
    }
    expect_read_when_lent(testbed, sizes);
    set_mtu(testbed, eth, jumbo_mtu);
    const auto size = between(testbed, 2 * room(testbed) + 1, jumbo_mtu);
    {
        const Handed handed(testbed);
        expect_lent(send_one(testbed, handed, silent_frame(testbed, size)), size, room(testbed),
                    false);
    }
    expect_read_when_lent(testbed, {shortest, size});
    set_mtu(testbed, eth, usual_mtu);
}

// --- frames of several pieces --------------------------------------------------------------------

/// One poll, out of the record: what it was allowed, took out and returned.
void expect_polls(const std::vector<RegisterWrite>& record, std::uint32_t tail, unsigned count,
                  std::size_t descriptors) {
    std::uint32_t allowed = 0;
    std::uint32_t taken = 0;
    std::size_t all = 0;
    bool inside = false;
    for (const auto& write : record) {
        if (write.offset == grader::poll_mark) {
            allowed = write.value;
            taken = 0;
            inside = true;
        } else if (write.offset == RDT0 && write.value < count) {
            const auto more = (write.value + count - tail) % count;
            expect_that(more >= 1, "a doorbell", "new buffers that it tells the card of", "none");
            expect_that(more <= batch, "buffers that one doorbell tells the card of",
                        fmt::format("{} at most", batch), std::to_string(more));
            tail = write.value;
            taken += more;
            all += more;
        } else if (write.offset == grader::polled_mark && inside) {
            inside = false;
            expect_that(taken <= allowed, fmt::format("a poll with budget {}", allowed),
                        "no more descriptors taken out than the budget", std::to_string(taken));
            expect_equal(
                fmt::format("a poll with budget {}, which takes {} descriptors out, returns",
                            allowed, taken),
                taken, write.value);
        }
    }
    expect_equal("descriptors taken out by all polls", descriptors, all);
}

/// The poll is held before it completes, until the card has filled so many descriptors.
void with_poll_held(Testbed& testbed, std::size_t descriptors, const std::function<void()>& send) {
    const auto console = testbed.console().size();
    const Inserted window(testbed, "window",
                          {grader::card_memory(testbed), "symbol=napi_complete_done",
                           fmt::format("frames={}", descriptors)});
    testbed.send(silent_frame(testbed, shortest));
    expect_that(testbed.soon([&] {
        return testbed.console().find("window: open", console) != std::string::npos;
    }),
                "the poll function, after a frame", "calls napi_complete_done()", "does not");
    send();
    expect_that(
        testbed.soon([&] { return window.parameter("arrived") == std::to_string(descriptors); },
                     patience),
        fmt::format("descriptors that the card has filled while the poll was held, of {}",
                    descriptors),
        "all", window.parameter("arrived"));
}

/// Long frames fill the ring while nobody looks. After a short one the budget ends inside of one.
void check_polls_end(Testbed& testbed) {
    const auto size = std::size_t{jumbo_mtu} + header;
    const auto each = pieces_of(testbed, size);
    const std::size_t frames = 40;
    const auto descriptors = 1 + each * frames;
    const auto count = testbed.reg(RDLEN0) / sizeof(RingSlot);
    testbed.let_settle();
    const auto tail = testbed.reg(RDT0);
    const auto mark = testbed.writes().size();
    listen_anew(testbed, "answer", frames);
    Frames sent;
    for (std::size_t i = 0; i < frames; ++i) sent.push_back(question(testbed, size));
    {
        const Witness polls(testbed, {}, {"poll=" + eth});
        with_poll_held(testbed, descriptors, [&] {
            testbed.send(silent_frame(testbed, shortest));
            for (const auto& frame : sent) testbed.send(frame);
        });
        for (std::size_t i = 0; i < frames; ++i) {
            const auto what =
                fmt::format("answer {} of {}, to frames that came in one go", i + 1, frames);
            const auto seen = testbed.receive();
            expect_that(seen.has_value(), what, "one", "none");
            expect_bytes(what, answer_to(sent[i]), *seen);
        }
        testbed.let_settle();
    }
    expect_polls(writes_since(testbed, mark), tail, static_cast<unsigned>(count), descriptors + 1);
}

/// Frames wait until somebody else polls, with his own budget.
/// @return whether they did: an interrupt that was on its way may have been before him
bool polled_by_another(Testbed& testbed, unsigned budget) {
    constexpr std::uint32_t vector = 1;  // in EIMS and EIMC: that of queue 0
    constexpr std::size_t frames = 12;
    const auto size = 2 * room(testbed) + 1;
    const auto descriptors = frames * pieces_of(testbed, size);
    grader::serve_one(testbed);
    testbed.let_settle();
    testbed.set_reg(EIMC, vector);
    testbed.let_settle();
    const auto ring = testbed.ring(Direction::receive);
    const auto mark = testbed.writes().size();
    const Witness polls(testbed, {}, {"poll=" + eth});
    for (std::size_t i = 0; i < frames; ++i) testbed.send(silent_frame(testbed, size));
    const auto filled = [&] { return grader::steps(ring, ring.head, testbed.reg(RDH0)); };
    testbed.wait_until(
        "descriptors that the card has filled", std::to_string(descriptors),
        [&] { return filled() == descriptors; }, [&] { return std::to_string(filled()); },
        patience);
    testbed.run({"insmod", Testbed::companion("poller"), "interface=" + eth,
                 fmt::format("budget={}", budget)});
    testbed.set_reg(EIMS, vector);
    expect_posted(testbed, ring.tail, descriptors);
    testbed.let_settle();
    testbed.run({"rmmod", "poller"});
    const auto record = writes_since(testbed, mark);
    expect_polls(record, ring.tail, count_of(ring), descriptors);
    const auto first = std::find_if(record.begin(), record.end(), [](const RegisterWrite& write) {
        return write.offset == grader::poll_mark;
    });
    return first != record.end() && first->value == budget;
}

void check_other_budgets(Testbed& testbed) {
    for (const auto budget : {0U, 1U, static_cast<unsigned>(between(testbed, 4, 20))})
        expect_that(testbed.soon([&] { return polled_by_another(testbed, budget); }, patience),
                    fmt::format("a poll with budget {} while frames wait", budget), "one", "none");
}

void check_pieces(Testbed& testbed) {
    set_mtu(testbed, eth, jumbo_mtu);
    const auto most = std::size_t{jumbo_mtu} + header;
    const auto part = room(testbed);
    std::vector<std::size_t> sizes{shortest, usual_copybreak - 1, most - 1, most};
    for (const auto edge : {part, 2 * part, 3 * part})
        for (const auto size : {edge - 1, edge, edge + 1}) sizes.push_back(size);
    {
        const Handed handed(testbed);
        std::map<std::size_t, std::size_t> truesize;  // by the number of pieces
        for (const auto size : sizes) {
            const bool copied = size < usual_copybreak || size <= head_bytes(testbed);
            const auto seen = send_one(testbed, handed, silent_frame(testbed, size));
            expect_shape(testbed, seen, size, copied, jumbo_piece);
            if (!copied) truesize[seen.before.size()] = seen.frame.truesize;
        }
        for (const auto& [pieces, all] : truesize)
            expect_equal(
                fmt::format("truesize of a frame of {} pieces, less that of one of one", pieces),
                (pieces - 1) * jumbo_piece, all - truesize.begin()->second);
    }
    Frames frames;
    for (const auto size : sizes) frames.push_back(question(testbed, size));
    for (int i = 0; i < 60; ++i)
        frames.push_back(question(testbed, between(testbed, shortest, most)));
    listen_anew(testbed, "answer", frames.size());
    expect_answers(testbed, frames);
    check_polls_end(testbed);
    check_other_budgets(testbed);
    expect_full_of_buffers(testbed.ring(Direction::receive));
    expect_equal("rx0_drops", 0U, counter(testbed, "rx0_drops"));
    // And back: one piece again, in half a page.
    set_mtu(testbed, eth, usual_mtu);
    const Handed handed(testbed);
    expect_shape(testbed, send_one(testbed, handed, silent_frame(testbed, longest)), longest, false,
                 usual_piece);
}

// --- frames that are lost ------------------------------------------------------------------------

/// How an sk_buff may be asked for.
const std::array<const char*, 5> skb_calls = {"napi_alloc_skb", "napi_build_skb", "build_skb",
                                              "__netdev_alloc_skb", "__alloc_skb"};

/// What the driver has counted as lost, and as lost for want of memory.
struct Losses {
    std::uint64_t drops = 0;
    std::uint64_t no_memory = 0;
};

Losses losses(Testbed& testbed) {
    const auto statistics = testbed.must_run({"ethtool", "-S", eth});
    return {counter(statistics, "rx0_drops"), counter(statistics, "rx0_no_memory")};
}

/// What the interface has dropped: what the driver has lost, and what no protocol wanted.
std::uint64_t dropped(Testbed& testbed) {
    return std::stoull(testbed.text("/sys/class/net/" + eth + "/statistics/rx_dropped"));
}

/// Calls that fail while a frame comes: it is lost, all of it, and the next one is not.
class Loser {
  public:
    Loser(Testbed& testbed, const Handed& handed)
        : testbed_(testbed), handed_(handed), before_(losses(testbed)) {}

    /// @return whether the call was made.
    bool lose(const std::string& symbol, unsigned skip, std::size_t size) {
        const auto when = fmt::format(" after a frame of {} bytes for which call {} of {}() failed",
                                      size, skip + 1, symbol);
        testbed_.let_settle();
        const auto mark = testbed_.writes().size();
        const auto dropped_before = dropped(testbed_);
        long hits = 0;
        {
            const Companion failing(testbed_, "failcall",
                                    {"symbol=" + symbol, "value=0", fmt::format("skip={}", skip)});
            const auto tail = testbed_.reg(RDT0);
            testbed_.send(silent_frame(testbed_, size));
            expect_posted(testbed_, tail, pieces_of(testbed_, size));
            hits = failing.number("hits");
        }
        const auto next = between(testbed_, std::max(shortest, size / 2), size);
        send_one(testbed_, handed_, silent_frame(testbed_, shortest));
        send_one(testbed_, handed_, silent_frame(testbed_, next));
        std::vector<std::size_t> expected{shortest, next};
        if (hits == 0) expected.insert(expected.begin(), size);
        std::vector<std::size_t> lengths;
        for (const auto& frame : handed_.frames(mark)) lengths.push_back(frame.len);
        expect_equal("lengths of the frames that the stack gets" + when,
                     fmt::format("{}", fmt::join(expected, ", ")),
                     fmt::format("{}", fmt::join(lengths, ", ")));
        lost_ += static_cast<unsigned>(hits);
        expect_full_of_buffers(testbed_.ring(Direction::receive));
        expect_equal(
            "rx_dropped of the interface, which nobody's frames are counted in, too" + when,
            lengths.size() + static_cast<std::uint64_t>(hits), dropped(testbed_) - dropped_before);
        if (hits == 0) return false;
        const auto now = losses(testbed_);
        expect_equal("rx0_drops" + when, before_.drops + lost_, now.drops);
        expect_equal("rx0_no_memory" + when, before_.no_memory + lost_, now.no_memory);
        return true;
    }
    unsigned lost() const { return lost_; }

  private:
    Testbed& testbed_;
    const Handed& handed_;
    Losses before_;
    unsigned lost_ = 0;
};

/// No sk_buff for many frames: nothing that was allocated for them is lost.
void lose_many(Testbed& testbed, const std::string& symbol, std::size_t frames, std::size_t size) {
    constexpr std::size_t burst = 16;
    const auto before = mapped_for_receiving(testbed);
    const Companion failing(testbed, "failcall", {"symbol=" + symbol, "value=0", "count=1000"});
    for (std::size_t sent = 0; sent < frames; sent += burst) send_burst(testbed, burst, size);
    const auto after = mapped_for_receiving(testbed);
    expect_that(after < before + 2 * pool_bulk,
                fmt::format("pages mapped, {} before, after {} frames of {} bytes for which {}() "
                            "failed",
                            before, frames, size, symbol),
                "as many, or a few more", std::to_string(after));
}

/// Frames that are lost fill the ring while nobody looks: the budget ends inside of one.
void lose_in_polls(Testbed& testbed, const std::string& symbol) {
    constexpr std::size_t frames = 40;
    const auto least = 2 * room(testbed) + 1;
    const auto descriptors = frames * pieces_of(testbed, least);
    const auto when =
        fmt::format(" after {} frames in one go for which {}() failed", frames, symbol);
    testbed.let_settle();
    const auto ring = testbed.ring(Direction::receive);
    const auto before = losses(testbed);
    const auto mark = testbed.writes().size();
    const Handed handed(testbed);
    {
        const Witness polls(testbed, {}, {"poll=" + eth});
        const Companion failing(testbed, "failcall", {"symbol=" + symbol, "value=0", "count=1000"});
        with_poll_held(testbed, descriptors, [&] {
            for (std::size_t i = 0; i < frames; ++i)
                testbed.send(silent_frame(testbed, between(testbed, least, 3 * room(testbed))));
        });
        expect_posted(testbed, ring.tail, 1 + descriptors);
        testbed.let_settle();
    }
    const auto now = losses(testbed);
    const auto lost = now.drops - before.drops;
    expect_equal("frames that the stack gets, and those in rx0_drops," + when, 1 + frames,
                 handed.frames(mark).size() + lost);
    expect_equal("rx0_no_memory" + when, lost, now.no_memory - before.no_memory);
    expect_polls(writes_since(testbed, mark), ring.tail, count_of(ring), 1 + descriptors);
    expect_full_of_buffers(testbed.ring(Direction::receive));
}

void check_lost(Testbed& testbed) {
    std::set<std::string> made;
    std::set<std::string> pages;
    {
        const Handed handed(testbed);
        Loser loser(testbed, handed);
        const auto more_than_copied = std::max<std::size_t>(400, head_bytes(testbed) + 1);
        const std::array<std::size_t, 2> sizes = {between(testbed, shortest + 20, 200),
                                                  between(testbed, more_than_copied, longest)};
        for (const auto size : sizes) {
            for (const auto* symbol : page_calls)
                if (loser.lose(symbol, 0, size)) pages.insert(symbol);
            for (const auto* symbol : skb_calls)
                if (loser.lose(symbol, 0, size)) made.insert(symbol);
        }
        set_mtu(testbed, eth, jumbo_mtu);
        const auto size = std::size_t{jumbo_mtu} + header;
        for (const auto* symbol : page_calls)
            for (unsigned piece = 0; piece < pieces_of(testbed, size); ++piece)
                if (!loser.lose(symbol, piece, size)) break;
        for (const auto& symbol : made) loser.lose(symbol, 0, size);
        expect_that(loser.lost() >= 3, "calls for memory that were made to fail", "several",
                    std::to_string(loser.lost()));
    }
    // Of frames in two pieces each a page; of copies, two to a page.
    for (const auto& symbol : made) lose_many(testbed, symbol, 192, 2 * room(testbed));
    for (const auto& symbol : made) lose_in_polls(testbed, symbol);
    for (const auto& symbol : pages) lose_in_polls(testbed, symbol);
    set_mtu(testbed, eth, usual_mtu);
    set_copybreak(testbed, 1536);
    for (const auto& symbol : made) lose_many(testbed, symbol, 320, between(testbed, 1200, 1400));
    set_copybreak(testbed, usual_copybreak);
    set_mtu(testbed, eth, jumbo_mtu);
    Frames frames;
    for (int i = 0; i < 20; ++i)
        frames.push_back(question(testbed, between(testbed, shortest, jumbo_mtu + header)));
    listen_anew(testbed, "answer", frames.size());
    expect_answers(testbed, frames);
    set_mtu(testbed, eth, usual_mtu);
}

// --- what the stack may believe ------------------------------------------------------------------

std::string to_guest(Testbed& testbed, const sandbox::Frame& bare) {
    constexpr std::size_t address = 6;
    const auto frame = sandbox::pad(bare);
    return testbed.random_frame(header, testbed.mac()).substr(0, address) +
           std::string(frame.begin() + address, frame.end());
}

void put16(sandbox::Frame& frame, std::size_t at, std::uint16_t value) {
    frame[at] = static_cast<std::uint8_t>(value >> 8U);
    frame[at + 1] = static_cast<std::uint8_t>(value & 0xffU);
}

constexpr std::size_t ip_at = header;
constexpr std::size_t ip_bytes = 20;
constexpr std::size_t l4_at = ip_at + ip_bytes;

/// With the checksum of an IPv4 header that was changed.
sandbox::Frame header_summed(sandbox::Frame frame) {
    put16(frame, ip_at + 10, 0);
    put16(frame, ip_at + 10,
          sandbox::checksum_finish(sandbox::checksum_add(0, frame.data() + ip_at, ip_bytes)));
    return frame;
}

sandbox::Frame spoilt(sandbox::Frame frame, std::size_t at) {
    frame[at] ^= 0x10U;
    return frame;
}

/// A segment of a TCP connection that the guest has never heard of.
sandbox::Frame tcp_segment(Testbed& testbed, unsigned from, unsigned to, std::size_t payload,
                           bool six = false) {
    sandbox::Frame segment(ip_bytes);
    put16(segment, 0, static_cast<std::uint16_t>(from));
    put16(segment, 2, static_cast<std::uint16_t>(to));
    put16(segment, 4, static_cast<std::uint16_t>(testbed.random()()));
    segment[11] = 1;         // acknowledges something
    segment[12] = 5U << 4U;  // words of the header
    segment[13] = 0x10;      // ACK
    segment[14] = 0x20;      // window
    const auto text = testbed.random_bytes(payload);
    segment.insert(segment.end(), text.begin(), text.end());
    auto sum = static_cast<std::uint32_t>(sandbox::kTcp + segment.size());
    if (six) {
        sum = sandbox::checksum_add(sum, sandbox::kHostIp6.data(), sandbox::kHostIp6.size());
        sum = sandbox::checksum_add(sum, sandbox::kGuestIp6.data(), sandbox::kGuestIp6.size());
    } else {
        sum = sandbox::checksum_add(sum, sandbox::kHostIp4.data(), sandbox::kHostIp4.size());
        sum = sandbox::checksum_add(sum, sandbox::kGuestIp4.data(), sandbox::kGuestIp4.size());
    }
    put16(segment, 16,
          sandbox::checksum_finish(sandbox::checksum_add(sum, segment.data(), segment.size())));
    return six ? sandbox::ip6({}, sandbox::kTcp, segment)
               : sandbox::ip4({}, sandbox::kTcp, segment);
}

constexpr std::uint16_t closed_port = 4;

/// A datagram in two fragments.
std::array<sandbox::Frame, 2> fragments(const sandbox::Frame& whole, std::uint16_t identification) {
    constexpr std::size_t cut = 160;  // bytes behind the IP header in the first
    std::array<sandbox::Frame, 2> parts;
    parts[0].assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(l4_at + cut));
    parts[1].assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(l4_at));
    parts[1].insert(parts[1].end(), whole.begin() + static_cast<std::ptrdiff_t>(l4_at + cut),
                    whole.end());
    constexpr std::uint16_t more_fragments = 0x2000;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        put16(parts[i], ip_at + 2, static_cast<std::uint16_t>(parts[i].size() - ip_at));
        put16(parts[i], ip_at + 4, identification);
        put16(parts[i], ip_at + 6, i == 0 ? more_fragments : static_cast<std::uint16_t>(cut / 8));
        parts[i] = header_summed(parts[i]);
    }
    return parts;
}

bool is_from_guest(const std::string& bytes, std::uint8_t protocol) {
    const auto parsed = sandbox::parse(sandbox::Frame(bytes.begin(), bytes.end()));
    return parsed && parsed->protocol == protocol && parsed->from4 == sandbox::kGuestIp4;
}

/// Frames with sums of all kinds, what the stack is told of each, and what it does with it.
class Sums {
  public:
    Sums(Testbed& testbed, const Handed& handed) : testbed_(testbed), handed_(handed) {
        testbed.must("an address",
                     fmt::format("ip addr replace 192.0.2.2/24 dev {0} && ip neigh replace "
                                 "192.0.2.1 lladdr 02:00:00:00:00:01 dev {0}",
                                 eth));
        testbed.put("/proc/sys/net/ipv4/icmp_ratemask", "0");
    }

    /// @param frames  what arrives; of all of them the same is said
    /// @param answer  protocol of the guest's answer, or 0: there must be none
    void expect(const std::string& what, const std::vector<sandbox::Frame>& frames, unsigned summed,
                std::uint8_t answer) {
        testbed_.take_frames();
        for (const auto& frame : frames) {
            const auto said = said_of(testbed_, handed_, to_guest(testbed_, frame));
            expect_equal(what + ": ip_summed (0 none, 1 unnecessary)", summed, said.summed);
        }
        testbed_.let_settle();
        // What GRO held is on its way; the answer to this one comes after it.
        testbed_.send(to_guest(testbed_, sandbox::ping(1, ++pings_)));
        bool answered = false;
        const auto last = testbed_.receive([&](const std::string& seen) {
            const auto parsed = sandbox::parse(sandbox::Frame(seen.begin(), seen.end()));
            if (parsed && parsed->protocol == sandbox::kIcmp && parsed->icmp_type == 0 &&
                is_marker(*parsed))
                return true;
            answered = answered || is_from_guest(seen, answer != 0 ? answer : any_of(seen));
            return false;
        });
        expect_that(last.has_value(), "the answer to a ping", "one", "none");
        expect_equal(what + ": the guest", std::string(answer != 0 ? "answers" : "is silent"),
                     std::string(answered ? "answers" : "is silent"));
    }

  private:
    static std::uint8_t any_of(const std::string& bytes) {
        const auto parsed = sandbox::parse(sandbox::Frame(bytes.begin(), bytes.end()));
        return parsed ? parsed->protocol : std::uint8_t{0};
    }
    /// The payload of our own pings is "ping"; that of others is longer.
    static bool is_marker(const sandbox::Parsed& parsed) { return parsed.payload.size() < 16; }

    Testbed& testbed_;
    const Handed& handed_;
    std::uint16_t pings_ = 0;
};

void check_sums(Testbed& testbed) {
    const Handed handed(testbed);
    Sums sums(testbed, handed);
    const auto good = counter(testbed, "rx0_checksum_good");
    const auto bad = counter(testbed, "rx0_checksum_bad");
    const auto drops = counter(testbed, "rx0_drops");
    const auto text = [&] { return testbed.random_bytes(between(testbed, 300, 900)); };
    const auto udp = [&] { return sandbox::udp(closed_port, text()); };
    const auto port = static_cast<unsigned>(between(testbed, 1024, 60000));
    const auto tcp = [&] { return tcp_segment(testbed, port, 9, between(testbed, 1, 900)); };

    sums.expect("a TCP segment", {tcp()}, checksum_unnecessary, sandbox::kTcp);
    sums.expect("a UDP datagram", {udp()}, checksum_unnecessary, sandbox::kIcmp);
    sums.expect("UDP on IPv6", {sandbox::udp6(closed_port, text())}, checksum_unnecessary, 0);
    sums.expect("TCP on IPv6", {tcp_segment(testbed, port, 9, between(testbed, 1, 900), true)},
                checksum_unnecessary, 0);
    sums.expect("a TCP segment with a bit turned", {spoilt(tcp(), l4_at + 20)}, checksum_none, 0);
    const auto wrong = static_cast<unsigned>(between(testbed, 2, 6));
    for (unsigned i = 0; i < wrong; ++i)
        sums.expect("a UDP datagram with a bit turned",
                    {spoilt(udp(), l4_at + between(testbed, 8, 200))}, checksum_none, 0);
    sums.expect("UDP on IPv6 with a bit turned",
                {spoilt(sandbox::udp6(closed_port, text()), ip_at + 40 + 20)}, checksum_none, 0);
    sums.expect("an IPv4 header with a bit turned", {spoilt(udp(), ip_at + 1)}, checksum_none, 0);
    auto unsummed = udp();
    put16(unsummed, l4_at + 6, 0);
    sums.expect("UDP without a sum", {unsummed}, checksum_none, sandbox::kIcmp);
    const auto ping = sandbox::ping(2, 1, text());
    sums.expect("ICMP", {ping}, checksum_none, sandbox::kIcmp);
    sums.expect("ICMP with a bit turned", {spoilt(ping, l4_at + 30)}, checksum_none, 0);
    sums.expect("ICMP, and in its IPv4 header a bit turned", {spoilt(ping, ip_at + 1)},
                checksum_none, 0);
    const auto whole = fragments(udp(), 1);
    sums.expect("UDP in two fragments", {whole[0], whole[1]}, checksum_none, sandbox::kIcmp);
    const auto broken = fragments(spoilt(udp(), l4_at + 200), 2);
    sums.expect("UDP in two fragments, a bit turned", {broken[0], broken[1]}, checksum_none, 0);

    expect_equal("rx0_checksum_good", good + 4, counter(testbed, "rx0_checksum_good"));
    expect_equal("rx0_checksum_bad", bad + 4 + wrong, counter(testbed, "rx0_checksum_bad"));
    expect_equal("rx0_drops: it is the stack that drops them", drops,
                 counter(testbed, "rx0_drops"));
    testbed.must_run({"ip", "addr", "flush", "dev", eth});
}

// --- what else it is told ------------------------------------------------------------------------

std::array<std::uint8_t, key_bytes> key_of(const Testbed& testbed) {
    std::array<std::uint8_t, key_bytes> key{};
    const auto digits = sandbox::from_hex(testbed.param("rss_key"));
    if (digits.size() != key.size())
        throw std::runtime_error("lab.toml: rss_key has other than 40 bytes");
    std::copy(digits.begin(), digits.end(), key.begin());
    return key;
}

/// For each bit of the input that is set, from the first on, the 32 bits of the key that begin at
/// its place are added without carry (Microsoft, "RSS hashing functions").
std::uint32_t toeplitz(const std::array<std::uint8_t, key_bytes>& key,
                       const sandbox::Frame& input) {
    const auto bit_of = [](const auto& bytes, std::size_t bit) {
        return static_cast<unsigned>(bytes[bit / 8]) >> (7 - bit % 8) & 1U;
    };
    std::uint32_t hash = 0;
    for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
        if (bit_of(input, bit) == 0) continue;
        for (std::size_t i = 0; i < 32; ++i) hash ^= bit_of(key, bit + i) << (31 - i);
    }
    return hash;
}

/// The addresses of an IP frame, and its ports, if those are hashed too.
sandbox::Frame hashed_of(const sandbox::Frame& frame, bool ports) {
    const bool six = frame[type_at] == sandbox::kEtherIp6 >> 8U;
    const auto addresses = frame.begin() + static_cast<std::ptrdiff_t>(ip_at + (six ? 8 : 12));
    return {addresses, addresses + (six ? 32 : 8) + (ports ? 4 : 0)};
}

/// The card's hash, and whether it covers ports or addresses only.
void expect_hash(Testbed& testbed, const Handed& handed, const std::string& name,
                 const sandbox::Frame& frame, bool ports) {
    const auto said = said_of(testbed, handed, to_guest(testbed, frame));
    expect_register("hash of " + name, toeplitz(key_of(testbed), hashed_of(frame, ports)),
                    said.hash);
    expect_equal("hash of " + name + " covers",
                 std::string(ports ? "ports, too" : "addresses only"),
                 std::string(said.l4_hash ? "ports, too" : "addresses only"));
}

/// Whether the ports of UDP are hashed.
void set_hashed_ports(Testbed& testbed, bool on) {
    for (const char* protocol : {"udp4", "udp6"})
        testbed.must_run({"ethtool", "-N", eth, "rx-flow-hash", protocol, on ? "sdfn" : "sd"});
}

void check_hash(Testbed& testbed, const Handed& handed) {
    const auto port = static_cast<unsigned>(between(testbed, 1024, 60000));
    const auto tcp = tcp_segment(testbed, port, 9, 10);
    const auto udp = sandbox::udp(static_cast<std::uint16_t>(testbed.random()()), "text");
    const auto udp6 = sandbox::udp6(static_cast<std::uint16_t>(testbed.random()()), "text");
    const std::string segment = "a TCP segment";
    expect_hash(testbed, handed, segment, tcp, true);
    expect_hash(testbed, handed, "a TCP segment on IPv6", tcp_segment(testbed, port, 9, 10, true),
                true);
    for (const bool ports : {true, false}) {
        set_hashed_ports(testbed, ports);
        const auto when = fmt::format(", whose ports are {}", ports ? "hashed" : "not");
        expect_hash(testbed, handed, "a UDP datagram" + when, udp, ports);
        expect_hash(testbed, handed, "a UDP datagram on IPv6" + when, udp6, ports);
    }
    expect_register("hash of a frame of another protocol", 0,
                    said_of(testbed, handed, silent_frame(testbed, 300)).hash);
    set_feature(testbed, "rxhash", false);
    expect_register("hash of a TCP segment after ethtool -K rxhash off", 0,
                    said_of(testbed, handed, to_guest(testbed, tcp)).hash);
    set_feature(testbed, "rxhash", true);
    expect_hash(testbed, handed, segment + " after ethtool -K rxhash on", tcp, true);
}

/// A frame with a tag behind its addresses.
std::string with_tag(std::string frame, std::uint32_t tci) {
    const std::string tag{'\x81', '\0', static_cast<char>(tci >> 8U), static_cast<char>(tci)};
    return frame.insert(type_at, tag);
}

/// A frame for a VLAN reaches the interface there, and nobody else: it answers.
void check_vlan(Testbed& testbed) {
    const auto vlan = static_cast<std::uint16_t>(between(testbed, 2, 4000));
    testbed.must("an interface on a VLAN",
                 fmt::format("ip link add link {} name tagged type vlan id {} && "
                             "ip link set tagged up && ip addr add 192.0.2.2/24 dev tagged && "
                             "ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev tagged",
                             eth, vlan));
    testbed.take_frames();
    testbed.send(with_tag(to_guest(testbed, sandbox::ping(3, 1, "to a VLAN")), vlan));
    const auto seen = testbed.receive().value_or("");
    const auto parsed = sandbox::parse(sandbox::Frame(seen.begin(), seen.end()));
    expect_equal("tag of the answer of an interface on a VLAN to a ping", std::to_string(vlan),
                 parsed && parsed->vlan && parsed->icmp_type == 0 ? std::to_string(*parsed->vlan)
                                                                  : "no answer");
    testbed.must_run({"ip", "link", "del", "tagged"});
}

void check_told(Testbed& testbed) {
    const Handed handed(testbed);
    check_hash(testbed, handed);
    expect_equal("queue that a frame came by, plus one, as the stack is told", 1U,
                 said_of(testbed, handed, silent_frame(testbed, 300)).queue);
    // VLAN 0 is none: a tag with a priority only.
    const auto untagged = between(testbed, shortest, longest);
    const auto priority = static_cast<std::uint32_t>(between(testbed, 1, 7));
    const auto tagged = with_tag(silent_frame(testbed, untagged), priority << 13U);
    for (const bool on : {true, false, true}) {
        set_feature(testbed, "rxvlan", on);
        const auto said = said_of(testbed, handed, tagged);
        const auto what = fmt::format("a frame with a VLAN tag, rxvlan {}: ", on ? "on" : "off");
        expect_equal(what + "length", untagged + (on ? 0 : tag_bytes), said.len);
        expect_equal(what + "the stack is told of a tag", on, said.tagged);
        if (on) expect_equal(what + "its TCI", priority << 13U, said.tci);
    }
    expect_that(!said_of(testbed, handed, silent_frame(testbed, 300)).tagged,
                "a frame without a tag", "no tag", "one");
    check_vlan(testbed);
    const auto udp = to_guest(testbed, sandbox::udp(closed_port, "text"));
    for (const bool on : {false, true}) {
        set_feature(testbed, "rx", on);
        expect_equal(fmt::format("ip_summed of a UDP datagram, rx {}", on ? "on" : "off"),
                     on ? checksum_unnecessary : checksum_none,
                     said_of(testbed, handed, udp).summed);
    }
}

// --- which queue ---------------------------------------------------------------------------------

std::vector<unsigned> table_of(Testbed& testbed) {
    std::vector<unsigned> table;
    for (std::uint32_t i = 0; i < table_entries; i += 4) {
        const auto entries = testbed.reg(RETA0 + i);
        for (unsigned k = 0; k < 4; ++k) table.push_back(entries >> 8 * k & 0xffU);
    }
    return table;
}

/// RDH of a receive queue.
std::uint32_t head_of(Testbed& testbed, unsigned queue) {
    return testbed.reg(sandbox::register_offset(fmt::format("RDH({})", queue)).value());
}

/// The queue that the card puts a frame into.
unsigned queue_of(Testbed& testbed, unsigned queues, const std::string& frame) {
    std::vector<std::uint32_t> heads;
    heads.reserve(queues);
    for (unsigned i = 0; i < queues; ++i) heads.push_back(head_of(testbed, i));
    unsigned queue = queues;
    testbed.send(frame);
    expect_that(testbed.soon([&] {
        for (unsigned i = 0; i < queues; ++i)
            if (head_of(testbed, i) != heads[i]) queue = i;
        return queue < queues;
    }),
                "RDH of the receive queues after a frame, read from outside the guest",
                "one has moved", "none has");
    return queue;
}

void expect_shares(Testbed& testbed, unsigned queues) {
    std::vector<unsigned> shares(queues);
    for (const auto queue : table_of(testbed)) {
        expect_that(queue < queues, fmt::format("the table in RETA, with {} queues", queues),
                    "numbers of queues there are", std::to_string(queue));
        ++shares[queue];
    }
    const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
    expect_that(*most - *least <= 1, fmt::format("entries of each of {} queues in RETA", queues),
                "as many as of any other, or one more", fmt::format("{} to {}", *least, *most));
}

void expect_key(const Testbed& testbed) {
    const auto key = key_of(testbed);
    std::map<std::uint32_t, std::uint32_t> written;
    for (const auto& write : testbed.writes())
        if (write.offset >= RSSRK0 && write.offset < RSSRK0 + key_bytes)
            written[write.offset] = write.value;
    for (std::uint32_t i = 0; i < key_bytes; i += 4)
        expect_register(fmt::format("RSSRK, bytes {} to {}, as QEMU recorded it", i, i + 3),
                        key[i] | key[i + 1] << 8U | key[i + 2] << 16U |
                            static_cast<std::uint32_t>(key[i + 3]) << 24U,
                        written[RSSRK0 + i]);
}

void check_flows(Testbed& testbed) {
    expect_key(testbed);
    set_ring(testbed, 64);
    const auto flow = [&](const char* from, const char* to) {
        return to_guest(testbed, tcp_segment(testbed, number(testbed, from), number(testbed, to),
                                             between(testbed, 1, 100)));
    };
    std::vector<unsigned> numbers{2, 3, 4, 5, 6, 7, 8};
    std::shuffle(numbers.begin(), numbers.end(), testbed.random());
    numbers.push_back(1);
    const Handed handed(testbed);
    for (const auto queues : numbers) {
        testbed.must_run({"ethtool", "-L", eth, "combined", std::to_string(queues)});
        expect_shares(testbed, queues);
        const auto mark = testbed.writes().size();
        const auto bulk = queue_of(testbed, queues, flow("bulk_from", "bulk_to"));
        handed.expect(mark, 1);  // two that wait, each for its own vector, may change places
        const auto shell = queue_of(testbed, queues, flow("shell_from", "shell_to"));
        const auto said = handed.expect(mark, 2);
        expect_equal(fmt::format("queues that frames came by, of {}, each plus one, as the stack "
                                 "is told",
                                 queues),
                     fmt::format("{}, {}", bulk + 1, shell + 1),
                     fmt::format("{}, {}", said[0].queue, said[1].queue));
        expect_that(queues == 1 || bulk != shell,
                    fmt::format("queues of the two connections, of {}", queues), "different ones",
                    fmt::format("both {}", bulk));
        testbed.let_settle();
    }
    set_ring(testbed, 256);
}

// --- going ---------------------------------------------------------------------------------------

/// A program holds frames while their pools are destroyed and the module goes.
void check_unload(Testbed& testbed) {
    constexpr std::size_t held = 60;
    constexpr const char* dma_errors = "/sys/kernel/debug/dma-api/error_count";
    const auto before_all = testbed.text(dma_errors);
    set_mtu(testbed, eth, jumbo_mtu);
    set_ring(testbed, 256);
    listen_anew(testbed, "take", 2 * held);
    testbed.must_run({"killall", "-STOP", "frames"});
    const auto send = [&] {
        const auto before = counter(testbed, "rx0_packets");
        for (std::size_t i = 0; i < held; ++i)
            testbed.send(question(testbed, between(testbed, 300, jumbo_mtu)));
        testbed.wait_until(
            "rx0_packets", fmt::format("{} more", held),
            [&] { return counter(testbed, "rx0_packets") >= before + held; },
            [&] { return std::to_string(counter(testbed, "rx0_packets") - before); }, patience);
    };
    send();
    set_mtu(testbed, eth, usual_mtu);
    set_mtu(testbed, eth, jumbo_mtu);
    for (std::size_t i = 0; i < held / 2; ++i)
        testbed.send(question(testbed, between(testbed, 300, jumbo_mtu)));
    testbed.must_run({"rmmod", "igbook"});
    grader::expect_released(testbed, "after rmmod");
    // Its interface is gone: it ends, and with it what it held.
    testbed.must_run({"killall", "-CONT", "frames"});
    testbed.wait_until(
        "in the guest: frames, whose interface is gone", "ends",
        [&] { return testbed.run({"pidof", "frames"}).status != 0; }, [] { return "it goes on"; },
        patience);
    expect_mapped(testbed, "", 0, "after rmmod");
    expect_equal("errors DMA-API debugging has found so far", before_all, testbed.text(dma_errors));
    grader::expect_nothing_lost(testbed, "unloading while a program holds frames");
}

void add_buffers(grader::Scenario& lab) {
    CHECK_POINTS(10, "the module loads and has its interface")
        .id("loads")
        .hint("The skeleton does this. What did the kernel log say?")
        .book("07-receive")
        .run(check_loads);
    CHECK_POINTS(10, "the ring is full of buffers, which share pages that are mapped once")
        .id("buffers")
        .after("loads")
        .hint("page_pool_alloc() gives the next part of a page; the pool maps the page.")
        .book("cov-i1")
        .run(tidied(check_buffers));
    CHECK_POINTS(10,
                 "frames of one piece: @head_bytes@ bytes in the linear part, the rest as it is")
        .id("whole")
        .after("buffers")
        .hint("skb_add_rx_frag() wants page, offset, length, and what the buffer takes of memory.")
        .book("cov-i1")
        .run(tidied(check_whole));
    CHECK_POINTS(5, "the stack's pages return to the ring")
        .id("reuse")
        .after("whole")
        .hint("Which flags has the pool? Does the frame say whose its pages are?")
        .book("cov-i1")
        .run(tidied(check_reuse));
    CHECK_POINTS(5, "short frames are copied, and their buffers stay")
        .id("copies")
        .after("whole")
        .hint("rx_copybreak may change at any time. A frame of @head_bytes@ bytes has no rest.")
        .book("cov-i1")
        .run(tidied(check_copies));
    CHECK_POINTS(5, "the CPU is lent what the card has written, and returns what stays")
        .id("lent")
        .after("whole")
        .hint("page_pool_dma_sync_for_cpu() before the first byte is read, for so many bytes.")
        .book("cov-i1")
        .run(tidied(check_lent));
}

void add_frames(grader::Scenario& lab) {
    CHECK_POINTS(15, "frames of several pieces, also when a poll ends inside of one")
        .id("pieces")
        .after("whole")
        .hint("What there is of a frame waits in the ring, and so does what is to be dropped.")
        .book("cov-i1")
        .run(tidied(check_pieces));
    CHECK_POINTS(15, "without memory one frame is lost, all of it, and nothing else")
        .id("lost")
        .after("pieces")
        .hint("Replace a buffer before it goes along; then the old one can still stay.")
        .book("cov-i1")
        .run(tidied(check_lost));
    CHECK_POINTS(10, "the stack believes what the card has found right, and nothing else")
        .id("sums")
        .after("whole")
        .hint("IPCS says that the header's sum was looked at, and nothing of what is behind it.")
        .book("cov-i2")
        .run(tidied(check_sums));
    CHECK_POINTS(5, "hash and VLAN tag are told, and what is switched off is not")
        .id("told")
        .after("whole")
        .hint("netdev->features says what is on; RXD_RSS_TYPE, what the hash covers.")
        .book("cov-i2")
        .run(tidied(check_told));
    CHECK_POINTS(5, "the two connections never share a queue, and the queues share the table")
        .id("flows")
        .after("buffers")
        .hint("Compute the hash of each connection. What may change places in the table?")
        .book("cov-i5")
        .run(tidied(check_flows));
    CHECK_POINTS(5, "unloaded while a program holds frames: nothing stays mapped or is lost")
        .id("unload")
        .after("whole")
        .hint("Every buffer belongs to the ring, to a frame, or to the pool.")
        .book("cov-i1")
        .run(check_unload);
}

}  // namespace

grader::Scenario receive() {
    grader::Scenario lab("07-receive");
    add_buffers(lab);
    add_frames(lab);
    return lab;
}

}  // namespace fwts::labs
