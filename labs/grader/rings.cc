// SPDX-License-Identifier: GPL-2.0
#include "rings.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "expect.h"
#include "registers.h"

namespace fwts::grader {
namespace {

using namespace sandbox::registers;

constexpr const char* dump_file = "/sys/kernel/debug/dma-api/dump";
constexpr Testbed::Seconds patience{10};  // for a burst of frames and what is done with them

}  // namespace

unsigned ring_size(Testbed& testbed, Direction direction) {
    return testbed.reg(direction == Direction::receive ? RDLEN0 : TDLEN0) / sizeof(RingSlot);
}

unsigned steps(const Ring& ring, unsigned from, unsigned to) {
    const auto count = static_cast<unsigned>(ring.slots.size());
    return (to + count - from) % count;
}

std::vector<std::uint64_t> expect_full_of_buffers(const Ring& ring) {
    const auto count = static_cast<unsigned>(ring.slots.size());
    expect_equal("receive descriptors that are the card's, from head to tail", count - 1,
                 steps(ring, ring.head, ring.tail));
    std::vector<std::uint64_t> buffers;
    for (unsigned i = ring.head; i != ring.tail; i = (i + 1) % count) {
        const auto& slot = ring.slots[i];
        expect_that(slot.low != 0 && slot.high == 0, fmt::format("receive descriptor {}", i),
                    "the address of a buffer, no header buffer, and DD clear",
                    fmt::format("{:#x}, {:#x}", slot.low, slot.high));
        buffers.push_back(slot.low);
    }
    std::sort(buffers.begin(), buffers.end());
    const auto twice = std::adjacent_find(buffers.begin(), buffers.end());
    expect_that(twice == buffers.end(), "buffers in the receive ring", "each in one descriptor",
                twice == buffers.end() ? "" : fmt::format("{:#x} in two", *twice));
    return buffers;
}

void expect_limit_kept(const std::vector<Deed>& deeds, unsigned batch) {
    std::uint32_t limit = 0;
    std::uint32_t taken = 0;
    for (const auto& deed : deeds) {
        if (deed.call == "igbook_tx_clean") {
            limit = deed.argument;
            taken = 0;
        } else if (deed.call == "dma_unmap_page_attrs") {
            expect_that(++taken < limit + batch,
                        fmt::format("frames taken back by one call of igbook_tx_clean(), which "
                                    "were sent in batches of {}",
                                    batch),
                        fmt::format("no further batch after its limit, {}", limit), "more");
        }
    }
}

std::vector<Mapping> mappings(Testbed& testbed, const std::string& direction) {
    std::istringstream dump(testbed.bytes(dump_file));
    std::vector<Mapping> all;
    std::vector<Mapping> found;
    for (std::string line; std::getline(dump, line);) {
        const auto address = line.find(" D=");
        const auto size = line.find(" L=");
        if (!line.starts_with("igbook ") || address == std::string::npos ||
            size == std::string::npos)
            continue;
        all.push_back({std::stoull(line.substr(address + 3), nullptr, 16),
                       std::stoull(line.substr(size + 3), nullptr, 16)});
        if (line.find(direction) != std::string::npos) found.push_back(all.back());
    }
    // One that was ended after all hides no other that comes in its place.
    std::erase_if(testbed.written_off(), [&](const Mapping& forgotten) {
        return std::find(all.begin(), all.end(), forgotten) == all.end();
    });
    // The page of one that was forgotten may be mapped again: each takes away one of its kind.
    for (const auto& forgotten : testbed.written_off()) {
        const auto one = std::find(found.begin(), found.end(), forgotten);
        if (one != found.end()) found.erase(one);
    }
    return found;
}

void write_off_mappings(Testbed& testbed, const std::string& direction) {
    for (const auto& mapping : mappings(testbed, direction))
        testbed.written_off().push_back(mapping);
}

void expect_mapped(Testbed& testbed, const std::string& direction, std::size_t count,
                   const std::string& when) {
    const auto now = [&] { return mappings(testbed, direction).size(); };
    testbed.wait_until(
        fmt::format("mappings of the driver's, {} in {}, {}", direction.empty() ? "all" : direction,
                    dump_file, when),
        std::to_string(count), [&] { return now() == count; },
        [&] { return std::to_string(now()); }, patience);
}

}  // namespace fwts::grader
