// SPDX-License-Identifier: GPL-2.0
// The companion `watchcall`: what the submission calls, in which order, and in which state the card
// was at that moment; calls that fail, or stand still, on demand.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "testbed.h"

namespace fwts::grader {

/// One call that the submission made of a function that is watched.
struct Call {
    std::string name;
    std::uint64_t ns = 0;  ///< the guest's clock
    bool rtnl = false;     ///< the caller held RTNL
    std::array<std::uint64_t, 4> arg = {};
    std::map<std::uint32_t, std::uint32_t> reg;  ///< registers as the call found them
    std::uint64_t value = 0;                     ///< what it returned
};

/// Inserts the companion; takes it out again when it goes. One at a time.
class Watch {
  public:
    /// @param calls  functions of the kernel, or "igbook:NAME" of the submission, which then must
    /// be loaded. What the kernel does not have is left out.
    /// @param regs   registers to read at each call.
    /// @param dirty  memory from a watched __kmalloc... comes full of 0xa5 unless zeros were asked
    /// for.
    Watch(Testbed& testbed, const std::vector<std::string>& calls,
          const std::vector<std::uint32_t>& regs = {}, bool dirty = false);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// The calls so far, oldest first.
    std::vector<Call> log();
    /// Begins a new log.
    void forget();
    struct Count {
        unsigned calls = 0;
        unsigned gave_something = 0;       ///< returned something else than 0
        unsigned was_given_something = 0;  ///< its first argument was not 0
    };
    /// How often a function was called since the companion was inserted.
    Count count(const std::string& name);

    struct Answer {
        std::string name;
        long value = 0;
        unsigned skip = 0;
        unsigned count = 1;
        int second = -1;  ///< only calls with this second argument; -1: all
        /// What the third argument points to afterwards, one for each call; the last one remains.
        std::vector<unsigned> words = {};
    };
    /// Some calls to come are not made; they return what is said here.
    void answer(const Answer& answer);
    /// How many were, of the last answer().
    unsigned answered();
    /// All calls are made again.
    void answer_none();

    /// Whoever calls the function stands there until release().
    void hold(const std::string& name);
    unsigned held();
    void release();

    /// Takes RTNL, in a process of its own, and keeps it until give_rtnl().
    void take_rtnl();
    void give_rtnl();

    /// What the kernel takes the card for from now on; "" for what it is.
    /// @param ids  vendor, device and subsystem: "8086 10e8 0000"
    void identity(const std::string& ids);

  private:
    Testbed& testbed_;
};

/// What a call of the program `fileio` gave.
struct Done {
    long result = 0;
    int error = 0;
    std::string bytes;  ///< of a read
};

/// Runs `fileio` in the guest: one Done for each action ("r:OFFSET:LENGTH", "w:LENGTH:READABLE").
/// @param data  what is written, one action's bytes behind the other's
std::vector<Done> file_io(Testbed& testbed, const std::string& file, const std::string& data,
                          const std::vector<std::string>& actions);

/// A process of the guest that a check goes on beside.
class Beside {
  public:
    /// Starts a program whose output goes to a file.
    Beside(Testbed& testbed, const std::string& name, const std::vector<std::string>& argv);
    /// Waits until it sleeps or has ended: it has come as far as it gets.
    void wait_stuck();
    /// Waits until it has ended. The check fails when it does not.
    void wait_end();
    bool ended();
    std::string output();

  private:
    Testbed& testbed_;
    std::string name_;
    std::string pid_;
};

}  // namespace fwts::grader
