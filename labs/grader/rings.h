// SPDX-License-Identifier: GPL-2.0
// Queue 0's descriptor rings and what the driver has mapped for the card: how labs look at them
// from outside the driver.
//
// Testbed::ring() reads a ring as it stands; here is what several labs demand of one. What a field
// of a descriptor means depends on its format, and stays with the lab.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calls.h"
#include "testbed.h"

namespace fwts::grader {

/// How many descriptors the ring has, by its length register.
unsigned ring_size(Testbed& testbed, Direction direction);

/// Distance on a ring from one descriptor to another.
unsigned steps(const Ring& ring, unsigned from, unsigned to);

/// Demands of a receive ring that all descriptors but one are the card's, from head to tail: each
/// with a buffer that no other has, with no header buffer, and DD clear.
/// @return the buffers' addresses, sorted
std::vector<std::uint64_t> expect_full_of_buffers(const Ring& ring);

/// Of an igbook_tx_clean() that takes one batch after the other: no call begins one when it has as
/// many frames as its limit.
/// @param deeds  of CallNote with "igbook_tx_clean:1" and "dma_unmap_page_attrs"
/// @param batch  frames of a batch, each of them one mapping
void expect_limit_kept(const std::vector<Deed>& deeds, unsigned batch = 1);

/// What the driver has mapped now and was not written off.
/// @param direction  "DMA_TO_DEVICE" or "DMA_FROM_DEVICE"; "" for all, the rings' own memory, too
std::vector<Mapping> mappings(Testbed& testbed, const std::string& direction);

/// What is mapped now was forgotten. A check has failed for it; the later ones are not to fail for
/// it again.
/// @param direction  as in mappings(), of which nothing should be mapped now
void write_off_mappings(Testbed& testbed, const std::string& direction);

/// Waits until so many mappings are left.
/// @param when  for the report: "when all are out"
void expect_mapped(Testbed& testbed, const std::string& direction, std::size_t count,
                   const std::string& when);

}  // namespace fwts::grader
