// SPDX-License-Identifier: GPL-2.0
// What can go wrong with a guest, as exceptions.
//
// SetupError: it could not be started the way it was asked for; the text says what to do.
// GuestError, one of them: it was started, and what it was asked for then did not happen.
// GuestFailure: it ran and then something happened to it. Its text is a report a person can act on:
// what happened, the last console lines, and a backtrace in terms of files and lines.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fwts::sandbox {

struct SetupError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The guest runs and did not do what it was asked for: its agent refused, was started anew or
/// talks nonsense, the card's registers are nowhere to be found. When it did such things before,
/// whatever came into it since is to blame.
struct GuestError : SetupError {
    using SetupError::SetupError;
};

class GuestFailure : public std::runtime_error {
  public:
    /// @param message    one sentence
    /// @param console    the last lines of the console, oldest first
    /// @param backtrace  symbolised frames, innermost first; may be empty
    GuestFailure(const std::string& message, std::vector<std::string> console,
                 std::vector<std::string> backtrace);

    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const std::vector<std::string>& console() const { return console_; }
    [[nodiscard]] const std::vector<std::string>& backtrace() const { return backtrace_; }

  private:
    std::string message_;
    std::vector<std::string> console_;
    std::vector<std::string> backtrace_;
};

/// The kernel panicked (an oops counts: guests run with oops=panic).
struct Panic : GuestFailure {
    using GuestFailure::GuestFailure;
};

/// The guest, or a command in it, did not answer in time.
struct Hang : GuestFailure {
    using GuestFailure::GuestFailure;
};

/// The guest rebooted (sandboxes never do: QEMU ends instead).
struct Reboot : GuestFailure {
    using GuestFailure::GuestFailure;
};

/// QEMU ended: the guest powered off by itself, or QEMU found an error of its own.
struct QemuExit : GuestFailure {
    using GuestFailure::GuestFailure;
};

/// @return what to do about a QEMU that ended with @p output, as a line of its own; or nothing.
std::string advice_on(std::string_view output);

}  // namespace fwts::sandbox
