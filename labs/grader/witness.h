// SPDX-License-Identifier: GPL-2.0
// What the probes `witness` and `stopwatch` (qemu/probes) see: calls in the record of
// register writes, and how long frames wait by the guest's clock. A lab that uses one names it in
// lab.toml.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "testbed.h"

namespace fwts::grader {

/// Where BAR 0 of the card lies, as the companions want it: "bar=0xfe800000"
std::string card_memory(Testbed& testbed);

/// Registers for a companion's marks (marks.h), for as long as this lives.
class MarkRegisters {
  public:
    MarkRegisters(Testbed& testbed, std::uint32_t known, std::uint32_t count);
    ~MarkRegisters();
    MarkRegisters(const MarkRegisters&) = delete;
    MarkRegisters& operator=(const MarkRegisters&) = delete;
    /// What the companion is told: "at=0x1ff40"
    std::string parameter() const;

  private:
    Testbed& testbed_;
    std::uint32_t known_;
    std::uint32_t secret_;
};

/// A companion is in the guest's kernel for as long as this lives.
class Inserted {
  public:
    /// @param parameters  as for insmod
    /// The check fails when the kernel does not take it.
    Inserted(Testbed& testbed, std::string name, const std::vector<std::string>& parameters);
    ~Inserted();
    Inserted(const Inserted&) = delete;
    Inserted& operator=(const Inserted&) = delete;
    /// One of its parameters, as it is now.
    std::string parameter(const std::string& which) const;
    void set(const std::string& which, std::uint64_t value) const;

  private:
    Testbed& testbed_;
    std::string name_;
};

/// Where witness writes, as writes() shows it: registers that the card does not have.
constexpr std::uint32_t call_mark = 0x1ff00;
constexpr std::uint32_t poll_mark = 0x1ff04;    ///< a poll begins; its budget
constexpr std::uint32_t polled_mark = 0x1ff08;  ///< it ends; what it returned

/// Calls of the functions named are marked in the record from now on.
class Witness {
  public:
    /// @param symbols  as witness.c has them: "netif_rx", "*tasklet_action", "%napi_gro_receive".
    /// @param parameters  more of witness's: "poll=eth0"
    Witness(Testbed& testbed, std::vector<std::string> symbols,
            std::vector<std::string> parameters = {});
    /// Whether a write is the mark of a call of `symbol`, one of those given.
    bool is_call(const RegisterWrite& write, const std::string& symbol) const;
    /// How many calls of it are in a record.
    std::size_t calls(const std::vector<RegisterWrite>& record, const std::string& symbol) const;
    /// The second argument of a call, or the queue of the frame that is one.
    static std::uint32_t argument(const RegisterWrite& write) { return write.value & 0xffffffU; }
    const Inserted& module() const { return module_; }

  private:
    std::vector<std::string> symbols_;
    MarkRegisters marks_;
    Inserted module_;
};

/// Looks at receive queue 0 in each millisecond of the guest's.
class Stopwatch {
  public:
    explicit Stopwatch(Testbed& testbed);
    /// Begins anew: frames are due when so many wait, or `usecs` after the first.
    void begin(unsigned frames, unsigned usecs) const;
    /// Waits until frames that waited have been served, and demands that they were as soon as they
    /// were due: not before `usecs`, unless there were `frames` of them, and not more than some
    /// milliseconds later.
    /// @param limit  of the waiting, as Testbed::soon() counts it.
    /// @param most_late  milliseconds that they may come too late.
    void expect_in_time(const std::string& what, Testbed::Seconds limit,
                        unsigned most_late = tolerance) const;
    /// Milliseconds that something may come too late: some jiffies, of ten each in the strict
    /// kernel.
    static constexpr unsigned tolerance = 50;

  private:
    Testbed& testbed_;
    Inserted module_;
    mutable unsigned frames_ = 0;
    mutable unsigned usecs_ = 0;
};

}  // namespace fwts::grader
