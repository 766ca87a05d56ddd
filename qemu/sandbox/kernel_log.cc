// SPDX-License-Identifier: GPL-2.0
#include "kernel_log.h"

#include <algorithm>
#include <array>
#include <regex>

namespace fwts::sandbox {

namespace {

// Words with which the kernel begins or contains a complaint. Taken from where 6.12 prints them.
// The only such list: tests and the grader judge by it.
constexpr std::array<std::string_view, 38> kComplaints = {
    "Kernel panic",
    "BUG: ",
    "Oops",
    "WARNING: ",
    "KASAN: ",
    "UBSAN: ",
    "KFENCE: ",
    "general protection fault",
    "INFO: possible ",  // lockdep: circular locking, irq lock inversion …
    "INFO: inconsistent ",
    "INFO: trying to register non-static key",
    "INFO: suspicious ",
    "INFO: task ",  // hung task
    "INFO: rcu",
    "possible recursive locking",
    "possible circular locking",
    "inconsistent lock state",
    "suspicious RCU usage",
    "sleeping function called from invalid context",
    "scheduling while atomic",
    "DMA-API: ",
    "kmemleak: ",
    "unreferenced object",
    "unregister_netdevice: waiting for",
    "refcount_t: ",
    "list_add corruption",
    "list_del corruption",
    "nobody cared",
    "kernel BUG at ",
    "ODEBUG: ",
    "rcu: INFO: ",
    "Trying to free nonexistent resource",
    "resource sanity check: ",
    "sysfs: cannot create duplicate filename",
    "still has locks held",
    "NETDEV WATCHDOG: ",
    "Disabling lock debugging",
    " is buggy, dev ",  // a frame to be sent whose headers are not where it says
};

// The kernel announces its checkers with the same words it complains with.
constexpr std::array<std::string_view, 6> kAnnouncements = {
    "DMA-API: preallocated",
    "DMA-API: debugging enabled",
    "kmemleak: Kernel memory leak detector initialized",
    "kmemleak: Automatic memory scanning thread started",
    "KASAN: hw-tags",
    // Said when the allocation that is made to fail is one of kmemleak's own; it then scans more.
    "kmemleak: Cannot allocate a scan area",
};

// Of one trace. Each is looked up in the debugging information, and a guest may print any number.
constexpr std::size_t kMostFrames = 64;

template <typename List>
bool contains_any(std::string_view line, const List& words) {
    return std::any_of(words.begin(), words.end(), [line](std::string_view word) {
        return line.find(word) != std::string_view::npos;
    });
}

template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (!visit(strip_stamp(text.substr(0, end)))) return;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::optional<TraceFrame> parse_frame(const std::string& text) {
    // The guest may print anything: std::regex uses the stack for each character.
    constexpr std::size_t kLongestFrame = 512;
    static const std::regex pattern(
        R"(^\s*(\? )?([\w.]+)\+0x([0-9a-f]{1,16})/0x([0-9a-f]{1,16})(?: \[(\w+)[^\]]*\])?)");
    std::smatch match;
    if (text.size() > kLongestFrame || !std::regex_search(text, match, pattern))
        return std::nullopt;
    return TraceFrame{match[2], std::stoul(match[3], nullptr, 16),
                      std::stoul(match[4], nullptr, 16), match[5], !match[1].matched};
}

}  // namespace

std::string_view strip_stamp(std::string_view line) {
    if (line.size() > 2 && line[0] == '<')  // a level, as /dev/kmsg and `dmesg -r` show it
        line.remove_prefix(std::min(line.find('>') + 1, line.size()));
    if (!line.empty() && line[0] == '[') {
        const std::size_t end = line.find(']');
        const bool digits =
            end != std::string_view::npos &&
            line.substr(1, end - 1).find_first_not_of(" 0123456789.") == std::string_view::npos;
        if (digits) line.remove_prefix(std::min(end + 2, line.size()));
    }
    return line;
}

std::vector<TraceFrame> find_trace(std::string_view log) {
    std::vector<TraceFrame> frames;
    bool in_trace = false;
    for_each_line(log, [&](std::string_view line) {
        const std::string text(line);
        if (line.rfind("RIP: 0010:", 0) == 0 && !in_trace && frames.empty()) {
            if (auto frame = parse_frame(text.substr(10))) frames.push_back(std::move(*frame));
        } else if (line.rfind("Call Trace:", 0) == 0) {
            in_trace = true;
        } else if (in_trace) {
            if (auto frame = parse_frame(text)) {
                const bool repeated = frames.size() == 1 && *frame == frames[0];
                if (frame->reliable && !repeated && frames.size() < kMostFrames)
                    frames.push_back(std::move(*frame));
            } else if (line.find("</TASK>") != std::string_view::npos ||
                       line.find('<') == std::string_view::npos) {
                return false;
            }
        }
        return true;
    });
    return frames;
}

std::optional<std::string> find_panic(std::string_view log) {
    std::string cause;
    std::optional<std::string> panic;
    for_each_line(log, [&](std::string_view line) {
        const std::size_t at = line.find("Kernel panic - not syncing");
        if (at != std::string_view::npos) {
            const std::size_t end = line.find(" ]---", at);
            panic = std::string(line.substr(at, end == std::string_view::npos ? end : end - at));
            return false;
        }
        if (cause.empty() && (line.rfind("BUG: ", 0) == 0 || line.rfind("Oops", 0) == 0 ||
                              line.rfind("general protection fault", 0) == 0 ||
                              line.rfind("kernel BUG at", 0) == 0)) {
            cause = line;
        }
        return true;
    });
    if (panic && !cause.empty()) *panic += " (" + cause + ")";
    return panic;
}

bool is_complaint(std::string_view line) {
    return contains_any(line, kComplaints) && !contains_any(line, kAnnouncements);
}

std::vector<std::string> find_complaints(std::string_view log) {
    std::vector<std::string> complaints;
    for_each_line(log, [&](std::string_view line) {
        if (is_complaint(line)) complaints.emplace_back(line);
        return true;
    });
    return complaints;
}

}  // namespace fwts::sandbox
