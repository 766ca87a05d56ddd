// SPDX-License-Identifier: GPL-2.0
#include "handed.h"

#include <fmt/format.h>

#include <map>

#include "expect.h"
#include "traffic.h"

namespace fwts::grader {
namespace {

// Where handed.c writes, as writes() shows it, and what.
constexpr std::uint32_t first_register = 0x1fe00;
constexpr std::uint32_t registers = 32;
constexpr std::uint32_t last_register = first_register + 4 * (registers - 1);
enum What : std::uint32_t { to_cpu = 1, to_card = 2, to_gro = 3, to_stack = 4 };
enum Field : std::uint32_t {
    address = 1,
    size = 2,
    len = 1,
    linear = 2,
    frags = 3,
    truesize = 4,
    flags = 5,
    hash = 6,
    tci = 7,
    queue = 8,
    protocol = 9,
    pieces = 16
};
constexpr std::uint32_t summed_mask = 3U;
constexpr std::uint32_t l4_hash_bit = 1U << 2U;
constexpr std::uint32_t tagged_bit = 1U << 3U;
constexpr std::uint32_t recycled_bit = 1U << 4U;
constexpr std::uint32_t most_pieces = 8;
constexpr Testbed::Seconds patience{10};

using Row = std::map<std::uint32_t, std::uint32_t>;

HandedFrame frame_of(Row& row) {
    HandedFrame frame;
    frame.to_gro = row[0] == to_gro;
    frame.len = row[len];
    frame.linear = row[linear];
    frame.frags = row[frags];
    frame.truesize = row[truesize];
    frame.summed = row[flags] & summed_mask;
    frame.l4_hash = (row[flags] & l4_hash_bit) != 0;
    frame.tagged = (row[flags] & tagged_bit) != 0;
    frame.recycled = (row[flags] & recycled_bit) != 0;
    frame.hash = row[hash];
    frame.tci = row[tci];
    frame.queue = row[queue];
    frame.protocol = row[protocol];
    for (std::uint32_t i = 0; i < most_pieces && i < frame.frags; ++i)
        frame.pieces.emplace_back(row[pieces + 2 * i], row[pieces + 2 * i + 1]);
    return frame;
}

HandedEvent event_of(Row& row) {
    HandedEvent event;
    if (row[0] == to_gro || row[0] == to_stack) {
        event.kind = HandedEvent::Kind::frame;
        event.frame = frame_of(row);
        return event;
    }
    event.kind = row[0] == to_cpu ? HandedEvent::Kind::to_cpu : HandedEvent::Kind::to_card;
    event.address = row[address];
    event.size = row[size];
    return event;
}

}  // namespace

Handed::Handed(Testbed& testbed)
    : testbed_(testbed),
      marks_(testbed, first_register, registers),
      module_(testbed, "handed", {card_memory(testbed), marks_.parameter()}) {}

Handed::Handed(Testbed& testbed, unsigned char unlent, unsigned char lent)
    : testbed_(testbed),
      marks_(testbed, first_register, registers),
      module_(testbed, "handed",
              {card_memory(testbed), marks_.parameter(), fmt::format("unlent={}", unlent),
               fmt::format("lent={}", lent)}) {}

std::vector<HandedEvent> Handed::events(std::size_t mark) const {
    std::vector<HandedEvent> events;
    Row row;
    const auto end_row = [&] {
        if (!row.empty()) events.push_back(event_of(row));
        row.clear();
    };
    for (const auto& write : writes_since(testbed_, mark)) {
        const bool ours = write.offset >= first_register && write.offset <= last_register;
        if (!ours || write.offset == first_register) end_row();
        if (ours) {
            row[(write.offset - first_register) / 4] = write.value;
        } else {
            HandedEvent event;
            event.write = write;
            events.push_back(event);
        }
    }
    end_row();
    return events;
}

std::vector<HandedFrame> Handed::frames(std::size_t mark) const {
    std::vector<HandedFrame> frames;
    for (const auto& event : events(mark))
        if (event.kind == HandedEvent::Kind::frame) frames.push_back(event.frame);
    return frames;
}

std::vector<HandedFrame> Handed::expect(std::size_t mark, std::size_t count) const {
    std::vector<HandedFrame> seen;
    testbed_.soon(
        [&] {
            testbed_.let_settle();
            seen = frames(mark);
            return seen.size() >= count;
        },
        patience);
    expect_equal("frames that the driver has handed to the stack", count, seen.size());
    return seen;
}

}  // namespace fwts::grader
