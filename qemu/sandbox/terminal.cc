// SPDX-License-Identifier: GPL-2.0
#include "terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "descriptor.h"

namespace fwts::sandbox {

namespace {

class RawTerminal {
  public:
    RawTerminal() {
        termios mode{};
        if (tcgetattr(STDIN_FILENO, &mode) == 0) {
            saved_ = mode;
            cfmakeraw(&mode);
            tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
        }
    }
    ~RawTerminal() {
        if (saved_) tcsetattr(STDIN_FILENO, TCSADRAIN, &*saved_);
    }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

  private:
    std::optional<termios> saved_;
};

// A serial line cannot tell the size of the window; the agent, if it lives, sets it.
void tell_window_size(Guest& guest) {
    winsize size{};
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row != 0) {
        guest.start({"stty", "-F", "/dev/ttyS0", "rows", std::to_string(size.ws_row), "cols",
                     std::to_string(size.ws_col)});
    }
}

Descriptor open_window_signal() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

// In raw mode a line end needs its carriage return.
std::string with_returns(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '\n' ? "\r\n" : std::string(1, c);
    return result;
}

}  // namespace

bool join_terminal(Guest& guest) {
    const RawTerminal raw;
    const Descriptor ended(guest.end_descriptor());
    Console& console = guest.console();
    // What the guest has said before we came belongs on the screen too.
    console.listen([](std::string_view piece) { write_all(STDOUT_FILENO, piece); },
                   [](const std::string& text) { write_all(STDOUT_FILENO, with_returns(text)); });
    struct Silence {
        Console& console;
        ~Silence() { console.listen({}); }
    } const silence{console};

    const Descriptor resized = open_window_signal();
    tell_window_size(guest);
    std::array<pollfd, 3> polled{
        {{STDIN_FILENO, POLLIN, 0}, {ended.get(), POLLIN, 0}, {resized.get(), POLLIN, 0}}};
    for (;;) {
        if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return true;
        if (polled[1].revents != 0) return false;
        if (polled[2].revents != 0) {
            signalfd_siginfo ignored{};
            while (read(resized.get(), &ignored, sizeof ignored) > 0) {
            }
            tell_window_size(guest);
        }
        if (polled[0].revents == 0) continue;
        std::array<char, 4096> bytes{};
        const ssize_t n = read(STDIN_FILENO, bytes.data(), bytes.size());
        if (n <= 0) return true;
        const std::string_view typed(bytes.data(), static_cast<std::size_t>(n));
        const std::size_t leave = typed.find(kLeave);
        console.type(typed.substr(0, leave));
        if (leave != std::string_view::npos) return true;
    }
}

}  // namespace fwts::sandbox
