// SPDX-License-Identifier: GPL-2.0
// Lab 3, direct cache access: the checks. handout.md is the same list in the student's words.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>

#include "all_labs.h"
#include "calls.h"
#include "complaints.h"
#include "expect.h"
#include "interface.h"
#include "testbed.h"

namespace fwts::labs {
namespace {

using grader::Beside;
using grader::bring_up;
using grader::CallNote;
using grader::Companion;
using grader::Credit;
using grader::expect_equal;
using grader::expect_register;
using grader::expect_that;
using grader::fail;
using grader::Failure;
using grader::interface;
using grader::load;
using grader::RegisterWrite;
using grader::SlowCall;
using grader::Testbed;
using Seconds = Testbed::Seconds;

using namespace sandbox::registers;

// The emulated card has neither DCA_CTRL nor DCA_RXCTRL, but what is written to them is recorded.
constexpr std::uint32_t switched_on = DCA_CTRL_DCA_MODE_1_0;
constexpr std::uint32_t switched_off = DCA_CTRL_DCA_DIS;
constexpr unsigned cpuid = 24;  // where the tag stands, in both
// Descriptor, header and payload tagged; reading descriptors relaxed.
constexpr std::uint32_t rx_tagged = DCA_RXCTRL_DESC_DCA_EN | DCA_RXCTRL_HEAD_DCA_EN |
                                    DCA_RXCTRL_DATA_DCA_EN | DCA_RXCTRL_DESC_RRO_EN;
// Descriptor tagged; reading descriptors and payload relaxed.
constexpr std::uint32_t tx_tagged =
    DCA_TXCTRL_DESC_DCA_EN | DCA_TXCTRL_DESC_RRO_EN | DCA_TXCTRL_DATA_RRO_EN;
// After a reset: reading descriptors, writing payload and headers relaxed.
constexpr std::uint32_t rx_reset =
    DCA_RXCTRL_DESC_RRO_EN | DCA_RXCTRL_DATA_WRO_EN | DCA_RXCTRL_HEAD_WRO_EN;
// After a reset: reading and writing descriptors, reading payload relaxed.
constexpr std::uint32_t tx_reset =
    DCA_TXCTRL_DESC_RRO_EN | DCA_TXCTRL_DESC_WRO_EN | DCA_TXCTRL_DATA_RRO_EN;

const std::string requester = "/sys/module/dca_requester/parameters/";
constexpr unsigned processors = 3;  // [guest] of lab.toml

void start(Testbed& testbed, const std::vector<std::string>& parameters = {}) {
    load(testbed, parameters);
    bring_up(testbed);
}

bool loaded(Testbed& testbed, const std::string& module) {
    return !testbed.text("/sys/module/" + module + "/initstate").empty();
}

void unload(Testbed& testbed, const std::string& module) {
    if (loaded(testbed, module)) testbed.must_run({"rmmod", module});
}

/// Keeps the guest's agent, and what it starts, on one CPU.
void pin(Testbed& testbed, unsigned cpu) {
    // It is the agent that reads these files.
    const auto mask = fmt::format("{:x}", 1U << cpu);
    const auto status = testbed.text("/proc/self/status");
    if (status.find("Cpus_allowed:\t" + mask + "\n") != std::string::npos) return;
    const auto stat = testbed.text("/proc/self/stat");
    testbed.must_run({"taskset", "-p", mask, stat.substr(0, stat.find(' '))});
}

/// Sends one frame by hand, so the queue is served by that CPU.
void serve(Testbed& testbed, unsigned cpu) {
    pin(testbed, cpu);
    testbed.put("/sys/kernel/debug/igbook/" + testbed.pci_address() + "/hand_send",
                testbed.random_bytes(60));
}

// --- the record of register writes --------------------------------------------------------------

/// What was written since it was made.
class Record {
  public:
    explicit Record(Testbed& testbed) : testbed_(testbed), from_(testbed.writes().size()) {}

    /// The values written to a register, in order.
    std::vector<std::uint32_t> values(std::uint32_t offset) const {
        std::vector<std::uint32_t> found;
        for (const auto& write : since())
            if (write.offset == offset) found.push_back(write.value);
        return found;
    }

    std::optional<std::uint32_t> last(std::uint32_t offset) const {
        const auto found = values(offset);
        if (found.empty()) return std::nullopt;
        return found.back();
    }

    std::vector<RegisterWrite> since() const {
        auto all = testbed_.writes();
        all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from_));
        return all;
    }

  private:
    Testbed& testbed_;
    std::size_t from_;
};

std::string name_of(std::uint32_t offset) {
    if (offset == DCA_CTRL) return "DCA_CTRL";
    return offset == DCA_RXCTRL0 ? "DCA_RXCTRL(0)" : "DCA_TXCTRL(0)";
}

void expect_last(const Record& record, std::uint32_t offset, std::uint32_t expected,
                 const std::string& when) {
    const auto seen = record.last(offset);
    const auto what = fmt::format("{} {}, as QEMU recorded it", name_of(offset), when);
    if (!seen) fail(what, fmt::format("{:#010x}", expected), "not written");
    expect_register(what, expected, *seen);
}

void expect_unwritten(const Record& record, std::uint32_t offset, const std::string& when) {
    const auto seen = record.last(offset);
    expect_that(!seen, fmt::format("{} {}, as QEMU recorded it", name_of(offset), when),
                "not written", seen ? fmt::format("{:#010x}", *seen) : "");
}

void expect_tagged(Testbed& testbed, const Record& record, unsigned tag, const std::string& when) {
    expect_last(record, DCA_RXCTRL0, tag << cpuid | rx_tagged, when);
    expect_last(record, DCA_TXCTRL0, tag << cpuid | tx_tagged, when);
    expect_register("DCA_TXCTRL(0) as the card holds it " + when, tag << cpuid | tx_tagged,
                    testbed.reg(DCA_TXCTRL0));
}

/// Off, and no queue left with a tag that the next provider would bring to life again.
void expect_switched_off(Testbed& testbed, const Record& record, const std::string& when) {
    const auto values = record.values(DCA_CTRL);
    expect_that(std::find(values.begin(), values.end(), switched_off) != values.end(),
                fmt::format("DCA_CTRL {}, as QEMU recorded it", when), "DCA_DIS",
                values.empty() ? "not written" : fmt::format("{:#x}", values.back()));
    expect_last(record, DCA_RXCTRL0, rx_reset, when);
    expect_last(record, DCA_TXCTRL0, tx_reset, when);
    expect_register("DCA_TXCTRL(0) as the card holds it " + when, tx_reset,
                    testbed.reg(DCA_TXCTRL0));
}

bool is_tagged(const RegisterWrite& write, std::uint32_t queue) {
    constexpr std::uint32_t step = 0x40;
    constexpr auto rx = DCA_RXCTRL_DESC_DCA_EN | DCA_RXCTRL_HEAD_DCA_EN | DCA_RXCTRL_DATA_DCA_EN;
    return (write.offset == DCA_RXCTRL0 + queue * step && (write.value & rx) != 0) ||
           (write.offset == DCA_TXCTRL0 + queue * step &&
            (write.value & DCA_TXCTRL_DESC_DCA_EN) != 0);
}

/// The queue that is served may have this tag; the others are served by nobody and have none.
void expect_no_other_tag(const Record& record, unsigned tag, const std::string& when) {
    constexpr std::uint32_t queues = 16;
    for (const auto& write : record.since())
        for (std::uint32_t queue = 0; queue < queues; ++queue)
            if (is_tagged(write, queue))
                expect_that(queue == 0 && write.value >> cpuid == tag,
                            fmt::format("tags written {}, as QEMU recorded them", when),
                            fmt::format("none but {:#04x} to queue 0", tag),
                            fmt::format("{:#04x} to queue {}", write.value >> cpuid, queue));
}

// --- the requester, with the companion's provider ------------------------------------------------

/// Tag of CPU 0 by the companion, another one in each run.
unsigned companion_base(Testbed& testbed) {
    return std::stoul(testbed.text("/sys/module/dca_provider/parameters/tag_base"));
}

/// @param half  0 or 1: providers of different halves have no tag in common, nor 0xed, which looks
///              like an error cut to a byte
void load_companion(Testbed& testbed, unsigned half = 0) {
    testbed.must_run({"insmod", Testbed::companion("dca-provider"),
                      fmt::format("tag_base={}", 0x80 + half * 0x40 + testbed.random()() % 0x28)});
}

/// What /sys/class/dca holds: "dca requester" without the numbers, which are never given twice.
std::string dca_class(Testbed& testbed) {
    auto names = testbed.must_run({"ls", "/sys/class/dca"});
    names.erase(
        std::remove_if(names.begin(), names.end(), [](char c) { return c >= '0' && c <= '9'; }),
        names.end());
    std::replace(names.begin(), names.end(), '\n', ' ');
    return names;
}

/// For a log that was taken, which nobody else will see.
void expect_silence(const std::vector<std::string>& log) {
    const auto found = grader::complaints(log);
    if (!found.empty())
        fail("the kernel log", "no complaint", found.front().headline, found.front().lines);
}

void check_loads(Testbed& testbed) {
    const Record record(testbed);
    start(testbed);
    serve(testbed, 0);
    for (const auto offset : {DCA_CTRL, DCA_RXCTRL0, DCA_TXCTRL0})
        expect_unwritten(record, offset, "without a provider");
}

void check_joins(Testbed& testbed) {
    const Record record(testbed);
    load_companion(testbed);
    expect_equal("/sys/class/dca after a provider came", std::string("dca requester"),
                 dca_class(testbed));
    expect_last(record, DCA_CTRL, switched_on, "after a provider came");
}

void check_tags(Testbed& testbed) {
    const auto base = companion_base(testbed);
    for (const unsigned cpu : {0U, 1U, 2U, 1U}) {
        const Record record(testbed);
        serve(testbed, cpu);
        expect_tagged(testbed, record, base + cpu, fmt::format("after CPU {} served", cpu));
        expect_no_other_tag(record, base + cpu, fmt::format("after CPU {} served", cpu));
    }
}

void check_quiet(Testbed& testbed) {
    const Record record(testbed);
    serve(testbed, 1);
    serve(testbed, 1);
    for (const auto offset : {DCA_CTRL, DCA_RXCTRL0, DCA_TXCTRL0})
        expect_unwritten(record, offset, "while the same CPU serves as before");
}

void expect_on_after_reset(Testbed& testbed, const std::string& when) {
    const Record record(testbed);
    testbed.must_run({"ip", "link", "set", "dev", interface(testbed), "down"});
    bring_up(testbed);
    const auto writes = record.since();
    const auto reset = std::find_if(writes.begin(), writes.end(), [](const RegisterWrite& write) {
        return write.offset == CTRL && (write.value & CTRL_RST) != 0;
    });
    expect_that(std::any_of(reset, writes.end(),
                            [](const RegisterWrite& write) {
                                return write.offset == DCA_CTRL && write.value == switched_on;
                            }),
                fmt::format("DCA_CTRL after {}, as QEMU recorded it", when), "switched on again",
                "not written, and a reset switches off");
}

void check_reset(Testbed& testbed) {
    const auto base = companion_base(testbed);
    serve(testbed, 1);
    // Who opens the interface does not serve it.
    pin(testbed, 0);
    const Record record(testbed);
    for (const char* when : {"a reset", "another, no frame in between"})
        expect_on_after_reset(testbed, when);
    expect_no_other_tag(record, base + 1, "after two resets, CPU 1 having served before them");
    // The same CPU as before the reset: what the driver remembers is not what the card has.
    serve(testbed, 1);
    expect_tagged(testbed, record, base + 1, "after a reset, CPU 1 serving as before");
}

/// Whatever has become of the check, no provider is left.
void check_leaves(Testbed& testbed) {
    serve(testbed, 1);  // so there is a tag to take back
    const Record record(testbed);
    unload(testbed, "dca_provider");
    const Record gone(testbed);
    Credit credit;
    credit.part(4, [&] { expect_switched_off(testbed, record, "after the provider left"); });
    credit.part(3, [&] {
        expect_equal("/sys/class/dca after the provider left", std::string(), dca_class(testbed));
        const auto log = testbed.take_log();
        for (const auto& line : log)
            expect_that(line.find("never left") == std::string::npos, "what the provider says",
                        "nothing", line);
        expect_silence(log);
    });
    credit.part(3, [&] {
        serve(testbed, 0);
        expect_unwritten(gone, DCA_TXCTRL0, "after the provider left, CPU 0 serving");
        const Record again(testbed);
        load_companion(testbed, 1);
        serve(testbed, 0);
        const auto base = companion_base(testbed);
        expect_tagged(testbed, again, base, "after another provider came, CPU 0 serving");
    });
    credit.done();
}

/// Writes of DCA's registers, and what is done to locks and to the core beside them.
class Deeds {
  public:
    explicit Deeds(Testbed& testbed)
        : witness_(testbed,
                   {"dca_add_requester", "dca_remove_requester", "dca3_get_tag",
                    "mutex_lock_nested", "mutex_unlock", "_raw_spin_lock", "_raw_spin_lock_irq",
                    "_raw_spin_lock_irqsave", "_raw_spin_lock_bh", "_raw_spin_unlock",
                    "_raw_spin_unlock_irq", "_raw_spin_unlock_irqrestore", "_raw_spin_unlock_bh"}),
          from_(testbed.writes().size()) {}

    std::vector<grader::Deed> all() const { return witness_.deeds(from_); }

  private:
    CallNote witness_;
    std::size_t from_;
};

bool is_of_dca(const grader::Deed& deed) {
    return deed.written &&
           (deed.written->offset == DCA_CTRL || deed.written->offset == DCA_RXCTRL0 ||
            deed.written->offset == DCA_TXCTRL0);
}

std::string name_of(const grader::Deed& deed) {
    return deed.written ? "a write of " + name_of(deed.written->offset) : deed.call + "()";
}

bool is_one_of(const std::string& call, const char* first, const char* second) {
    return call.starts_with(first) || call.starts_with(second);
}

/// A lock, and the call that took it.
struct Taken {
    std::uint32_t lock = 0;
    std::string call;
};

/// What was done, and with which locks held.
struct Locked {
    std::string what;
    std::vector<Taken> held;
};

std::vector<Locked> with_locks(const std::vector<grader::Deed>& deeds,
                               const std::function<bool(const grader::Deed&)>& wanted) {
    std::vector<Taken> held;
    std::vector<Locked> found;
    for (const auto& deed : deeds)
        if (is_one_of(deed.call, "_raw_spin_lock", "mutex_lock"))
            held.push_back({deed.argument, deed.call});
        else if (is_one_of(deed.call, "_raw_spin_unlock", "mutex_unlock"))
            std::erase_if(held, [&](const Taken& taken) { return taken.lock == deed.argument; });
        else if (wanted(deed))
            found.push_back({name_of(deed), held});
    return found;
}

/// Each of these is done with one lock held, and the last of them, in igbook_dca_join(), too.
/// Another processor may hold other locks meanwhile, though not each time.
/// @param takes  how the calls begin by which such a lock is taken
void expect_locked(const std::vector<Locked>& done, const std::string& lock,
                   const std::string& takes) {
    std::vector<Taken> common;
    if (!done.empty()) common = done.back().held;
    std::erase_if(common, [&](const Taken& taken) { return !taken.call.starts_with(takes); });
    if (common.empty())
        fail("igbook_dca_join(), when a provider comes", "takes " + lock, "does not");
    for (const auto& [what, held] : done) {
        std::erase_if(common, [&](const Taken& taken) {
            return std::none_of(held.begin(), held.end(),
                                [&](const Taken& other) { return other.lock == taken.lock; });
        });
        expect_that(!common.empty(), what, lock + " held", "it is not");
    }
}

/// After the provider's books are left, and before they are joined again, the card is told nothing
/// and nobody asks for a tag.
void expect_left_last(const std::vector<grader::Deed>& deeds) {
    const auto left = std::find_if(deeds.begin(), deeds.end(), [](const auto& deed) {
        return deed.call == "dca_remove_requester";
    });
    expect_that(left != deeds.end(), "when the provider left", "dca_remove_requester() is called",
                "it is not");
    for (auto deed = left; deed != deeds.end(); ++deed) {
        if (deed->written && deed->written->offset == DCA_CTRL &&
            deed->written->value == switched_on)
            break;
        expect_that(!is_of_dca(*deed) && deed->call != "dca3_get_tag",
                    "after dca_remove_requester()", "no tag asked for and no register written",
                    name_of(*deed));
    }
}

/// The CPU that serves is another one than before, and the driver is about to leave its provider:
/// it is held in dca_remove_requester() meanwhile.
void check_served_while_leaving(Testbed& testbed) {
    serve(testbed, 0);
    SlowCall slow(testbed, "dca_remove_requester");
    Beside leaving(testbed, "rmmod dca_provider");
    slow.entered([&] { return leaving.ended(); });
    const Record record(testbed);
    serve(testbed, 1);
    const auto asked = record.last(DCA_TXCTRL0);
    slow.go();
    expect_equal("rmmod dca_provider, status", 0, leaving.status());
    expect_that(!asked, "DCA_TXCTRL(0), CPU 1 serving while dca_remove_requester() runs",
                "not written", fmt::format("{:#010x}", asked.value_or(0)));
}

/// The same when the driver lets go of the lock under which it told the card: from then on nobody
/// asks.
void check_served_when_unlocked(Testbed& testbed) {
    for (const char* unlocks : {"_raw_spin_unlock_irq", "_raw_spin_unlock_irqrestore"}) {
        if (!loaded(testbed, "dca_provider")) load_companion(testbed);
        serve(testbed, 0);
        SlowCall slow(testbed, unlocks, true);
        Beside leaving(testbed, "rmmod dca_provider");
        const bool held = slow.entered([&] { return leaving.ended(); });
        const Record record(testbed);
        if (held) serve(testbed, 1);
        const auto asked = record.last(DCA_TXCTRL0);
        slow.go();
        expect_equal("rmmod dca_provider, status", 0, leaving.status());
        expect_that(!asked,
                    fmt::format("DCA_TXCTRL(0), CPU 1 serving when {}() returns to the driver that "
                                "leaves its provider",
                                unlocks),
                    "not written", fmt::format("{:#010x}", asked.value_or(0)));
    }
}

/// The CPU that serves is another one than before, and held before it takes the lock; meanwhile
/// the provider leaves.
void check_overtaken(Testbed& testbed) {
    load_companion(testbed);
    serve(testbed, 1);
    serve(testbed, 0);
    const auto file = "/sys/kernel/debug/igbook/" + testbed.pci_address() + "/hand_send";
    const auto resources =
        testbed.text("/sys/bus/pci/devices/" + testbed.pci_address() + "/resource");
    testbed.put("/tmp/frame", testbed.random_bytes(60));
    const Companion window(
        testbed, "window",
        {"symbol=_raw_spin_lock_irqsave", "bar=" + resources.substr(0, resources.find(' ')),
         fmt::format("watch={}", DCA_TXCTRL0)});
    const Record record(testbed);
    const auto from = testbed.console().size();
    Beside sender(testbed, "taskset 2 cat /tmp/frame > " + file);
    const auto open = [&] {
        return testbed.console().find("window: open", from) != std::string::npos;
    };
    testbed.soon([&] { return open() || sender.ended(); });
    unload(testbed, "dca_provider");
    sender.status();
    expect_switched_off(testbed, record, "after the provider left while CPU 1 began to serve");
}

void check_order(Testbed& testbed) {
    Credit credit;
    credit.part(5, [&] {
        const Deeds deeds(testbed);
        serve(testbed, 1);
        serve(testbed, 0);
        testbed.must_run({"ip", "link", "set", "dev", interface(testbed), "down"});
        bring_up(testbed);
        serve(testbed, 1);
        unload(testbed, "dca_provider");
        load_companion(testbed);
        const auto all = deeds.all();
        expect_left_last(all);
        expect_locked(with_locks(all,
                                 [](const auto& deed) {
                                     return is_of_dca(deed) || deed.call == "dca3_get_tag";
                                 }),
                      "igbook_dca.lock", "_raw_spin_lock");
        expect_locked(with_locks(all,
                                 [](const auto& deed) {
                                     return deed.call == "dca_remove_requester" ||
                                            deed.call == "dca_add_requester";
                                 }),
                      "igbook_dca.membership", "mutex_lock");
    });
    credit.part(5, [&] {
        check_served_while_leaving(testbed);
        check_served_when_unlocked(testbed);
        check_overtaken(testbed);
    });
    credit.done();
}

/// An interface that is down has a card that a provider's coming may have switched on: who leaves
/// then, because the provider goes or the driver does, switches it off as well.
void check_parts_while_down(Testbed& testbed) {
    for (const std::string goes : {"dca_provider", "igbook"}) {
        if (!loaded(testbed, "igbook")) start(testbed);
        testbed.must_run({"ip", "link", "set", "dev", interface(testbed), "down"});
        const Record record(testbed);
        load_companion(testbed);
        unload(testbed, goes);
        bool on = false;
        for (const auto& write : record.since()) {
            if (write.offset == DCA_CTRL) on = write.value == switched_on;
            if (write.offset == CTRL && (write.value & CTRL_RST) != 0) on = false;
        }
        unload(testbed, "dca_provider");
        expect_that(!on,
                    fmt::format("DCA_CTRL after {} went, the interface being down, as QEMU "
                                "recorded it",
                                goes),
                    "DCA_DIS", "still switched on");
    }
}

/// Leaves with a provider there, and then without one.
void check_parts(Testbed& testbed) {
    if (!loaded(testbed, "dca_provider")) load_companion(testbed);
    serve(testbed, 0);
    serve(testbed, 1);
    const Record record(testbed);
    testbed.must_run({"rmmod", "igbook"});
    const auto in_books = dca_class(testbed);
    unload(testbed, "dca_provider");
    expect_switched_off(testbed, record, "after the driver left");
    expect_equal("/sys/class/dca after the driver left", std::string("dca"), in_books);

    start(testbed);
    const Record alone(testbed);
    {
        const CallNote callnote(testbed, {"dca_remove_requester"});
        const auto mark = testbed.writes().size();
        testbed.must_run({"rmmod", "igbook"});
        for (const auto& deed : callnote.deeds(mark))
            expect_that(deed.call.empty(), "a driver that leaves, and has joined nobody",
                        "no call of dca_remove_requester()", "one");
    }
    for (const auto offset : {DCA_CTRL, DCA_RXCTRL0, DCA_TXCTRL0})
        expect_unwritten(alone, offset, "when the driver leaves, and there is no provider");
    check_parts_while_down(testbed);
}

// --- beyond the book: the provider --------------------------------------------------------------

unsigned tag_of(const Testbed& testbed, unsigned cpu) {
    return std::stoul(testbed.param("tag_base"), nullptr, 0) +
           cpu * std::stoul(testbed.param("tag_step"), nullptr, 0);
}

/// CPUs that are away.
using Away = std::vector<unsigned>;

/// What the companion must have been told, which asks for every CPU's tag when it joins.
std::string told(const Testbed& testbed, const Away& away) {
    std::string tags;
    for (unsigned cpu = 0; cpu < processors; ++cpu) {
        const bool here = std::find(away.begin(), away.end(), cpu) == away.end();
        tags += fmt::format("{}{:#04x}", cpu == 0 ? "" : " ", here ? tag_of(testbed, cpu) : 0);
    }
    return tags;
}

void expect_told(Testbed& testbed, const Away& away, const std::string& when) {
    expect_equal("tags of all CPUs, as another requester was told when it joined " + when,
                 told(testbed, away), testbed.text(requester + "tags"));
}

std::string switch_of(unsigned cpu) {
    return fmt::format("/sys/devices/system/cpu/cpu{}/online", cpu);
}

void switch_cpu(Testbed& testbed, unsigned cpu, bool on) {
    testbed.put(switch_of(cpu), on ? "1" : "0");
}

/// Whatever has become of the check, all CPUs are there.
class AllBack {
  public:
    explicit AllBack(Testbed& testbed) : testbed_(testbed) {}
    ~AllBack() {
        try {
            for (unsigned cpu = 1; cpu < processors; ++cpu)
                if (testbed_.text(switch_of(cpu)) == "0") testbed_.put(switch_of(cpu), "1");
        } catch (const std::exception&) {  // the guest is gone, and somebody is told already
        }
    }
    AllBack(const AllBack&) = delete;
    AllBack& operator=(const AllBack&) = delete;

  private:
    Testbed& testbed_;
};

void load_requester(Testbed& testbed, unsigned others = 0) {
    testbed.must_run(
        {"insmod", Testbed::companion("dca-requester"), fmt::format("others={}", others)});
}

long asked(Testbed& testbed, const std::string& parameter) {
    const auto text = testbed.text(requester + parameter);
    return text.empty() ? -1 : std::stol(text);
}

void check_provider(Testbed& testbed) {
    unload(testbed, "igbook");
    start(testbed, {"provider=1"});
    expect_equal("/sys/class/dca with the module's own provider", std::string("dca requester"),
                 dca_class(testbed));
    const auto device = testbed.sh("cat /sys/class/dca/dca*/device/uevent").out;
    expect_that(device.find("PCI_SLOT_NAME=0000:00:00.0") != std::string::npos,
                "the provider's device", "0000:00:00.0", device);
    for (unsigned cpu = 0; cpu < processors; ++cpu) {
        const Record record(testbed);
        serve(testbed, cpu);
        expect_tagged(testbed, record, tag_of(testbed, cpu),
                      fmt::format("after CPU {} served", cpu));
    }
}

void expect_room(Testbed& testbed, const std::string& when) {
    constexpr unsigned eight = 6;  // beside the card and the companion's own
    load_requester(testbed, eight);
    expect_equal(
        fmt::format("of eight requesters, the card among them, how many are taken {}", when), 8L,
        asked(testbed, "taken") + 2);
    expect_equal("of these, how many are given another tag of CPU 0 than the rest", 0L,
                 asked(testbed, "wrong"));
}

void check_others(Testbed& testbed) {
    expect_room(testbed, "");
    expect_told(testbed, {}, "with all online");
    expect_equal("tag of a CPU that does not exist", 0L, asked(testbed, "beyond"));
    unload(testbed, "dca_requester");
    // More than there may be room for: who is refused is refused, and the others are served.
    constexpr unsigned many = 60;
    load_requester(testbed, many);
    expect_that(asked(testbed, "taken") >= 6, "of many requesters, how many are taken",
                "six or more", std::to_string(asked(testbed, "taken")));
    expect_equal("of these, how many are given another tag of CPU 0 than the rest", 0L,
                 asked(testbed, "wrong"));
    unload(testbed, "dca_requester");
    expect_equal("/sys/class/dca when all but the card have left", std::string("dca requester"),
                 dca_class(testbed));
    expect_room(testbed, "after many came and went");
    unload(testbed, "dca_requester");
    load_requester(testbed);
    const std::string both = "dca requester requester";
    expect_equal("/sys/class/dca with one requester more", both, dca_class(testbed));
    // The first to have come leaves before the second, and another comes.
    grader::unbind(testbed);
    expect_equal("/sys/class/dca when the card has been unbound", std::string("dca requester"),
                 dca_class(testbed));
    expect_equal("binding the driver again", std::string(), grader::bind(testbed));
    bring_up(testbed);
    expect_equal("/sys/class/dca when it has been bound again", both, dca_class(testbed));
    unload(testbed, "dca_requester");
    expect_equal("/sys/class/dca when the other has left after that", std::string("dca requester"),
                 dca_class(testbed));
    load_requester(testbed);
}

/// CPUs change, and registering takes long: whoever is told when it is over learns of it in time.
void switch_slowly(Testbed& testbed, unsigned cpu, bool on) {
    const Companion slow(testbed, "slowcall", {"symbol=register_dca_provider", "ms=400"});
    const auto joined = asked(testbed, "joined");
    const auto left = asked(testbed, "left");
    switch_cpu(testbed, cpu, on);
    const auto when = fmt::format("when the write to {} returns", switch_of(cpu));
    const auto now =
        testbed.text(requester + "joined") + " and " + testbed.text(requester + "left");
    const auto held = asked(testbed, "joined") > joined && asked(testbed, "left") > left;
    expect_that(held, "times another requester has joined and left, " + when,
                fmt::format("more than the {} and {} before", joined, left), now);
}

void check_goes(Testbed& testbed) {
    const AllBack back(testbed);
    serve(testbed, 0);
    serve(testbed, 1);
    Credit credit;
    const Record record(testbed);
    credit.part(4, [&] {
        switch_slowly(testbed, 1, false);
        expect_told(testbed, {1}, "as CPU 1 went");
    });
    credit.part(3, [&] {
        expect_switched_off(testbed, record, "after CPU 1 went");
        expect_last(record, DCA_CTRL, switched_on, "after CPU 1 went");
        const Record after(testbed);
        serve(testbed, 2);
        expect_tagged(testbed, after, tag_of(testbed, 2), "after CPU 1 went, CPU 2 serving");
    });
    credit.part(3, [&] {
        switch_cpu(testbed, 2, false);
        expect_told(testbed, {1, 2}, "as CPU 2 went, too");
        const Record after(testbed);
        serve(testbed, 0);
        expect_tagged(testbed, after, tag_of(testbed, 0), "after CPU 1 and 2 went, CPU 0 serving");
    });
    credit.done();
}

void check_comes(Testbed& testbed) {
    const AllBack back(testbed);
    pin(testbed, 0);
    switch_cpu(testbed, 1, false);
    switch_cpu(testbed, 2, false);
    serve(testbed, 0);
    const Record record(testbed);
    switch_slowly(testbed, 1, true);
    expect_switched_off(testbed, record, "after CPU 1 came");
    expect_told(testbed, {2}, "as CPU 1 came");
    serve(testbed, 1);
    expect_tagged(testbed, record, tag_of(testbed, 1), "after CPU 1 came, and serves");
    switch_cpu(testbed, 2, true);
    expect_told(testbed, {}, "as CPU 2 came");
}

/// A CPU is told to go while a call of the module's takes long; it may have to wait for it.
void switch_meanwhile(Testbed& testbed, SlowCall& slow, Beside& work, bool on) {
    slow.entered([&] { return work.ended(); });
    Beside change(testbed, fmt::format("echo {:d} > {}", on, switch_of(1)));
    testbed.soon([&] { return change.ended(); }, Seconds(0.7));
    slow.go();
    expect_equal("a CPU going or coming while the module is loaded or unloaded, status", 0,
                 change.status());
}

const std::string with_provider =
    fmt::format("insmod {} provider=1", Testbed::guest_module);  // NOLINT(cert-err58-cpp)

/// CPUs go and come while the module is loaded and unloaded.
void check_meets(Testbed& testbed) {
    const AllBack back(testbed);
    unload(testbed, "igbook");
    pin(testbed, 0);
    {
        SlowCall slow(testbed, "__cpuhp_setup_state");
        Beside work(testbed, with_provider);
        switch_meanwhile(testbed, slow, work, false);
        expect_equal("insmod igbook.ko provider=1, status", 0, work.status());
    }
    expect_told(testbed, {1}, "after CPU 1 went while the module was loaded");
    {
        SlowCall slow(testbed, "unregister_dca_provider", true);
        Beside work(testbed, "rmmod igbook");
        switch_meanwhile(testbed, slow, work, true);
        expect_equal("rmmod igbook, status", 0, work.status());
    }
    expect_equal("/sys/class/dca after a CPU came while the module was unloaded", std::string(),
                 dca_class(testbed));
    {
        SlowCall slow(testbed, "register_dca_provider", true);
        Beside work(testbed, with_provider);
        switch_meanwhile(testbed, slow, work, false);
        expect_equal("insmod igbook.ko provider=1, status", 0, work.status());
    }
    expect_told(testbed, {1}, "after CPU 1 went while the provider was registered");
    switch_cpu(testbed, 1, true);
    expect_told(testbed, {}, "after it came again");
}

/// Each step of loading fails once: then the module is not there, and nothing of it is.
void check_failed_steps(Testbed& testbed) {
    struct Step {
        std::string call;
        int value;
        int error;
    };
    for (const auto& [call, value, error] :
         {Step{"pci_get_domain_bus_and_slot", 0, ENODEV}, Step{"alloc_dca_provider", 0, ENOMEM},
          Step{"__cpuhp_setup_state", -ENOSPC, ENOSPC},
          Step{"register_dca_provider", -EBUSY, EBUSY}}) {
        const Companion failing(testbed, "failcall",
                                {"symbol=" + call, fmt::format("value={}", value)});
        const auto insmod = testbed.run({"insmod", Testbed::guest_module, "provider=1"});
        const bool worked = insmod.status == 0;
        const bool hit = failing.number("hits") > 0;
        if (worked) testbed.must_run({"rmmod", "igbook"});
        const std::string wanted = std::strerror(error);
        expect_that(!hit || (!worked && insmod.err.find(wanted) != std::string::npos),
                    fmt::format("insmod igbook.ko provider=1 when {}() fails", call), wanted,
                    worked ? "success" : insmod.err);
        expect_equal("/sys/class/dca after that", std::string(), dca_class(testbed));
    }
}

/// It goes without coming back, when a CPU goes or when one comes: CPUs come and go all the same,
/// and the module's end is as thorough.
void check_failed_return(Testbed& testbed) {
    const std::string callbacks = "/sys/devices/system/cpu/hotplug/states";
    load_companion(testbed);  // the core has a provider all the time
    for (const bool comes : {false, true}) {
        const auto before = testbed.text(callbacks);
        testbed.must_run({"insmod", Testbed::guest_module, "provider=1"});
        if (comes) switch_cpu(testbed, 1, false);
        {
            const Companion failing(testbed, "failcall",
                                    {"symbol=register_dca_provider", "value=-12"});
            switch_cpu(testbed, 1, comes);
        }
        switch_cpu(testbed, 2, false);
        if (!comes) switch_cpu(testbed, 1, true);
        switch_cpu(testbed, 2, true);
        testbed.must_run({"rmmod", "igbook"});
        expect_that(testbed.text(callbacks) == before,
                    callbacks + " after a module whose provider could not come back was unloaded",
                    "no callback that was not there before it was loaded", "another");
    }
    unload(testbed, "dca_provider");
}

void check_ends(Testbed& testbed) {
    const AllBack back(testbed);
    pin(testbed, 0);
    unload(testbed, "igbook");
    const auto mark = testbed.writes().size();
    expect_equal("tags of another requester, the module being gone", std::string("none"),
                 testbed.text(requester + "tags"));
    const auto references = asked(testbed, "references");
    switch_cpu(testbed, 1, false);
    grader::expect_no_write(testbed, mark, "while a CPU went, the module being gone");
    testbed.must_run({"insmod", Testbed::guest_module, "provider=1"});
    expect_told(testbed, {1}, "with CPU 1 away since before the module was loaded");
    testbed.must_run({"rmmod", "igbook"});
    check_failed_steps(testbed);
    switch_cpu(testbed, 1, true);
    check_failed_return(testbed);
    expect_equal("how many hold the host bridge, the module being gone", references,
                 asked(testbed, "references"));
    unload(testbed, "dca_requester");
    expect_equal("/sys/class/dca after all have left", std::string(), dca_class(testbed));
}

void check_leaks(Testbed& testbed) {
    for (const auto* name : {"igbook", "dca_requester", "dca_provider"}) unload(testbed, name);
    grader::expect_nothing_lost(testbed, "all these comings and goings");
}

void add_what_the_skeleton_does(grader::Scenario& lab) {
    CHECK_POINTS(5, "without a provider the driver works, and writes none of DCA's registers")
        .id("loads")
        .hint("A provider's absence is no error. What did the kernel log say?")
        .book("cov-e3")
        .run(check_loads);
    CHECK_POINTS(10, "a provider that comes finds a requester, and the card is told")
        .id("joins")
        .after("loads")
        .hint("dca_add_requester() first; the card only if that succeeded.")
        .book("cov-e3")
        .run(check_joins);
}

void add_the_requester(grader::Scenario& lab) {
    CHECK_POINTS(5, "the tag follows the CPU that serves, in both registers, field by field")
        .id("tags")
        .after("joins")
        .hint(
            "The tag stands in bits 31:24. Where is relaxed ordering allowed when there is a tag, "
            "and where not?")
        .book("cov-e3")
        .run(check_tags);
    CHECK_POINTS(5, "while the same CPU serves, the registers are left alone")
        .id("quiet")
        .after("tags")
        .hint("igbook_dca.cpu[] says whose tag the registers hold.")
        .book("cov-e3")
        .run(check_quiet);
    CHECK_POINTS(5, "after a reset the card has its tags again")
        .id("reset")
        .after("tags")
        .hint("What the registers held is gone, and so is what igbook_dca.cpu[] says of it.")
        .book("cov-e3")
        .run(check_reset);
    CHECK_POINTS(10, "a provider that leaves takes its tags with it, and the next may come")
        .id("leaves")
        .after("joins")
        .hint(
            "enabled, the registers, the provider's books: in this order, and enabled under the "
            "lock that igbook_dca_update() takes.")
        .book("cov-e2")
        .run(check_leaves);
    CHECK_POINTS(10, "under one lock, and in the right order, whoever serves meanwhile")
        .id("order")
        .after("leaves")
        .hint(
            "Look at enabled again when you have the lock. When dca_remove_requester() is called, "
            "enabled is false and the registers are as a reset leaves them.")
        .book("cov-e3")
        .run(check_order);
    CHECK_POINTS(5, "a driver that leaves is struck off, and leaves no tag behind")
        .id("parts")
        .after("leaves")
        .hint("igbook_dca_remove() does it with igbook_dca_leave(), whether it has joined or not.")
        .book("cov-e2")
        .run(check_parts);
}

void add_the_provider(grader::Scenario& lab) {
    CHECK_POINTS(10, "with provider=1 the module hands out tags: @tag_base@ and @tag_step@ a CPU")
        .id("provider")
        .after("leaves")
        .hint(
            "Four operations, all under the core's raw lock: none may sleep. Its device is the "
            "host bridge, which stands for the whole root bus.")
        .book("cov-e2")
        .run(check_provider);
    CHECK_POINTS(5, "other requesters get their tags, too, and at least eight have room")
        .id("others")
        .after("provider")
        .hint("add_requester answers with a slot: another one for each device.")
        .book("cov-e2")
        .run(check_others);
    CHECK_POINTS(10, "when a CPU goes, nobody keeps its tag and nobody is given it")
        .id("goes")
        .after("others")
        .hint(
            "cpuhp_setup_state() calls you when a CPU goes. Requesters leave on REMOVE, come back "
            "on ADD and ask at once. Is the CPU still online when your callback runs?")
        .book("cov-e2")
        .run(check_goes);
    CHECK_POINTS(5, "when it comes back, it has its tag again")
        .id("comes")
        .after("others")
        .hint(
            "A requester that asked while the CPU was offline has been told 0. Is the CPU online "
            "already when your callback runs?")
        .book("cov-e2")
        .run(check_comes);
    CHECK_POINTS(5, "a CPU that goes or comes while the module is loaded or unloaded is not missed")
        .id("meets")
        .after("others")
        .hint(
            "cpus_read_lock() keeps CPUs where they are while you register. In which order must "
            "the end be?")
        .book("cov-e2")
        .run(check_meets);
    CHECK_POINTS(5, "unloading ends all of it, and so does a step that fails")
        .id("ends")
        .after("others")
        .hint(
            "cpuhp_remove_state_nocalls(), with the number that setting it up returned. Each step "
            "of loading has its counterpart, on the way out and when the next one fails.")
        .book("cov-e2")
        .run(check_ends);
    CHECK_POINTS(5, "no memory is lost")
        .id("leaks")
        .after("provider")
        .hint("free_dca_provider(), pci_dev_put(): on every way out.")
        .book("cov-e2")
        .run(check_leaks);
}

}  // namespace

grader::Scenario dca() {
    grader::Scenario lab("03-dca");
    add_what_the_skeleton_does(lab);
    add_the_requester(lab);
    add_the_provider(lab);
    return lab;
}

}  // namespace fwts::labs
