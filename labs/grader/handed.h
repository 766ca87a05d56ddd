// SPDX-License-Identifier: GPL-2.0
// What the companion `handed` (qemu/probes) shows: each frame as the driver hands it to the stack,
// and which mapped memory it lends to the CPU or returns to the card, in the record of register
// writes. A lab that uses it names it in lab.toml.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "testbed.h"
#include "witness.h"

namespace fwts::grader {

/// What the driver said of one frame when it handed it over.
struct HandedFrame {
    bool to_gro = false;       ///< by napi_gro_receive(), else by netif_receive_skb()
    std::size_t len = 0;       ///< with the Ethernet header
    std::size_t linear = 0;    ///< so much of it in the linear part
    std::size_t frags = 0;     ///< pieces besides
    std::size_t truesize = 0;  ///< memory that it says it takes
    unsigned summed = 0;       ///< ip_summed: 0 none, 1 unnecessary, 2 complete, 3 partial
    bool l4_hash = false;
    bool tagged = false;
    bool recycled = false;
    std::uint32_t hash = 0;
    std::uint32_t tci = 0;       ///< of the tag that was taken out
    std::uint32_t queue = 0;     ///< that it came by, plus one; 0: not said
    std::uint32_t protocol = 0;  ///< EtherType
    /// Address and length of the first pieces.
    std::vector<std::pair<std::uint64_t, std::size_t>> pieces;
};

/// Mapped memory that changed hands, or something else that stands in the record between.
struct HandedEvent {
    enum class Kind { to_cpu, to_card, frame, write };
    Kind kind = Kind::write;
    std::uint64_t address = 0;  ///< of memory
    std::size_t size = 0;
    HandedFrame frame;
    RegisterWrite write;
};

/// The companion is in the kernel for as long as this lives.
class Handed {
  public:
    explicit Handed(Testbed& testbed);
    /// Each byte `unlent` in memory becomes `lent` when that is lent to the CPU, and `unlent` again
    /// when it is returned: whoever reads it before or afterwards is seen by what he has read.
    Handed(Testbed& testbed, unsigned char unlent, unsigned char lent);

    /// All that the record has since writes().size() was `mark`, in its order.
    std::vector<HandedEvent> events(std::size_t mark) const;
    /// The frames of it.
    std::vector<HandedFrame> frames(std::size_t mark) const;
    /// Waits for so many frames; the check fails when they do not come, or more.
    std::vector<HandedFrame> expect(std::size_t mark, std::size_t count) const;

  private:
    Testbed& testbed_;
    MarkRegisters marks_;
    Inserted module_;
};

}  // namespace fwts::grader
