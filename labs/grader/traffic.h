// SPDX-License-Identifier: GPL-2.0
// What labs with interrupts and traffic share: interrupts, frames one at a time, and the program
// `frames` in the guest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "interface.h"
#include "testbed.h"

namespace fwts::grader {

/// What /proc/interrupts calls the vector of queue 0: "eth0-rxtx-0".
std::string queue_name(Testbed& testbed);

/// The kernel's number of an interrupt, as /proc/interrupts has it: of "eth0-rxtx-0".
/// @return "" when it does not name it.
std::string irq_number(Testbed& testbed, const std::string& name);

/// How often an interrupt has come, on all processors: "eth0-rxtx-0".
/// @return 0 when /proc/interrupts does not name it.
std::uint64_t interrupts(Testbed& testbed, const std::string& name);

/// How many descriptors queue 0's receive ring is ahead of an earlier value of head or tail.
std::uint32_t ahead(Testbed& testbed, std::uint32_t from, std::uint32_t to);

/// Puts a frame that no protocol takes on the cable, and waits until the card has written it to
/// queue 0's ring. The check fails when it does not: without a descriptor, or without link.
void send_silent(Testbed& testbed);

/// Whether queue 0's vector is enabled in EIMS, read from outside.
bool unmasked(Testbed& testbed);

/// Sends a silent frame and waits until it has been served and the vector is open again. The check
/// fails when that does not happen.
void serve_one(Testbed& testbed);

/// Where in a record a register is first written with all of some bits, or the record's size.
std::size_t first(const std::vector<RegisterWrite>& record, std::uint32_t offset,
                  std::uint32_t bits = 0);

/// Serves silent frames one after the other, and demands that queue 0's ring is served (RDT
/// written) only between EIMC and EIMS of its vector alone, and that the vector is enabled in the
/// end.
/// @return the register writes meanwhile
std::vector<RegisterWrite> expect_masked_while_serving(Testbed& testbed, unsigned frames);

/// With a DCA provider both queues get the tag of the processor that serves them, before they are
/// served. The lab's companions must name "dca-provider".
void expect_tagged(Testbed& testbed);

/// The register writes since writes().size() was `mark`.
std::vector<RegisterWrite> writes_since(const Testbed& testbed, std::size_t mark);

/// Of a record, what comes after the first write of EIMS for queue 0's vector: the testbed's own,
/// of a vector that it had masked from outside.
std::vector<RegisterWrite> after_letting_in(std::vector<RegisterWrite> record);

/// `frames answer` in the guest, which sends frames back with their addresses exchanged.
class Answering {
  public:
    /// Starts it and waits until it listens. @param count  it ends after so many frames.
    Answering(Testbed& testbed, unsigned count);
    /// A frame of random size and payload.
    std::string make_frame() const;
    /// Sends such frames, each when the one before has been answered, and demands the answers.
    void exchange_singly(unsigned count) const;
    /// Sends such frames all at once, and demands the answers.
    void exchange_together(unsigned count) const;
    /// Demands that the next frames on the cable are the answers to these, in this order.
    void expect_answers(const std::string& what, const std::vector<std::string>& sent) const;

  private:
    Testbed& testbed_;
};

}  // namespace fwts::grader
