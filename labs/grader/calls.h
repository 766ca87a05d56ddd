// SPDX-License-Identifier: GPL-2.0
// Calls that the driver makes, seen and disturbed from outside it: probes
// (qemu/probes) and what a check does with them. A lab names those it uses in its lab.toml.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "testbed.h"
#include "witness.h"

namespace fwts::grader {

/// One thing the driver did: a call of a function that is watched, or a write of a register.
struct Deed {
    std::string call;                      ///< the function's name, or "" for a register
    std::uint32_t argument = 0;            ///< of a call: low 24 bits of the argument asked for
    std::optional<RegisterWrite> written;  ///< of a register
};

/// The companion `callnote`: while it lives, calls of these functions by the driver stand in the
/// record of register writes, in their order with these.
class CallNote {
  public:
    /// @param calls  functions; "name:1" if its second argument is to be seen, not its first
    CallNote(Testbed& testbed, const std::vector<std::string>& calls);
    ~CallNote();
    CallNote(const CallNote&) = delete;
    CallNote& operator=(const CallNote&) = delete;

    /// Calls and register writes since writes().size() was `mark`.
    std::vector<Deed> deeds(std::size_t mark) const;

  private:
    Testbed& testbed_;
    MarkRegisters marks_;
    std::vector<std::string> names_;
};

/// A companion that is in the kernel while this lives: `failcall`, `slowcall`, `window`.
class Companion {
  public:
    Companion(Testbed& testbed, std::string name, const std::vector<std::string>& parameters);
    ~Companion();
    Companion(const Companion&) = delete;
    Companion& operator=(const Companion&) = delete;

    /// One of its parameters, as it stands now: "hits", "entered".
    long number(const std::string& parameter) const;
    void set(const std::string& parameter, const std::string& value) const;

  private:
    Testbed& testbed_;
    std::string name_;
};

/// The companion `slowcall`: a function that may sleep takes long when the driver calls it, until
/// go() is called, and at most four seconds.
class SlowCall {
  public:
    /// @param after  it takes long when its work is done, not before
    SlowCall(Testbed& testbed, const std::string& function, bool after = false);
    /// Waits until the driver is in the call.
    /// @param over  or until this holds, for a driver that does without the call
    /// @return whether it is
    bool entered(const std::function<bool()>& over);
    /// No call takes longer any more.
    void go();

  private:
    Testbed& testbed_;
    Companion companion_;
};

/// Runs a program while something else is done, and says how it ended.
class Beside {
  public:
    Beside(Testbed& testbed, const std::string& command);
    bool ended() const;
    /// Waits until it has ended. @return its status
    int status();

  private:
    Testbed& testbed_;
    std::string command_;
    std::string file_;
};

}  // namespace fwts::grader
