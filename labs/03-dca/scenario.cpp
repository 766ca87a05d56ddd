// SPDX-License-Identifier: GPL-2.0
// Lab 3, direct cache access: the checks. handout.md is the same list in the student's words.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "all_labs.h"
#include "bench.h"
#include "complaints.h"
#include "expect.h"
#include "interface.h"

namespace fwts::labs {
namespace {

using grader::Bench;
using grader::bring_up;
using grader::Credit;
using grader::expect_equal;
using grader::expect_register;
using grader::expect_that;
using grader::fail;
using grader::Failure;
using grader::interface;
using grader::load;
using grader::RegisterWrite;
using Seconds = Bench::Seconds;

// Offsets and bits as the 82576 datasheet names them. The emulated card has neither DCA_CTRL nor
// DCA_RXCTRL, but what is written to them is recorded.
constexpr std::uint32_t DCA_CTRL = 0x05b74;
constexpr std::uint32_t DCA_RXCTRL0 = 0x0c014;
constexpr std::uint32_t DCA_TXCTRL0 = 0x0e014;
constexpr std::uint32_t CTRL = 0x00000;
constexpr std::uint32_t CTRL_RST = 1U << 26U;
constexpr std::uint32_t switched_on = 1U << 1U;  // DCA_CTRL: DCA_MODE 1, "DCA 1.0"
constexpr std::uint32_t switched_off = 1U;       // DCA_CTRL: DCA_DIS
constexpr unsigned cpuid = 24;                   // where the tag stands, in both
// Descriptor, header and payload tagged; reading descriptors relaxed.
constexpr std::uint32_t rx_tagged = 7U << 5U | 1U << 9U;
// Descriptor tagged; reading descriptors and payload relaxed.
constexpr std::uint32_t tx_tagged = 1U << 5U | 1U << 9U | 1U << 13U;
// After a reset: reading descriptors, writing payload and headers relaxed.
constexpr std::uint32_t rx_reset = 1U << 9U | 1U << 13U | 1U << 15U;
// After a reset: reading and writing descriptors, reading payload relaxed.
constexpr std::uint32_t tx_reset = 1U << 9U | 1U << 11U | 1U << 13U;

const std::string requester = "/sys/module/dca_requester/parameters/";

void start(Bench& bench, const std::vector<std::string>& parameters = {}) {
    load(bench, parameters);
    bring_up(bench);
}

bool loaded(Bench& bench, const std::string& module) {
    return !bench.text("/sys/module/" + module + "/initstate").empty();
}

void unload(Bench& bench, const std::string& module) {
    if (loaded(bench, module)) bench.must_run({"rmmod", module});
}

/// Keeps the guest's agent, and what it starts, on one CPU.
void pin(Bench& bench, unsigned cpu) {
    // It is the agent that reads these files.
    const auto mask = fmt::format("{:x}", 1U << cpu);
    const auto status = bench.text("/proc/self/status");
    if (status.find("Cpus_allowed:\t" + mask + "\n") != std::string::npos) return;
    const auto stat = bench.text("/proc/self/stat");
    bench.must_run({"taskset", "-p", mask, stat.substr(0, stat.find(' '))});
}

/// Sends one frame by hand, so the queue is served by that CPU.
void serve(Bench& bench, unsigned cpu) {
    pin(bench, cpu);
    bench.put("/sys/kernel/debug/igbook/" + bench.pci_address() + "/hand_send",
              bench.random_bytes(60));
}

// --- the record of register writes --------------------------------------------------------------

/// What was written since it was made.
class Record {
  public:
    explicit Record(Bench& bench) : bench_(bench), from_(bench.writes().size()) {}

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
        auto all = bench_.writes();
        all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from_));
        return all;
    }

  private:
    Bench& bench_;
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

void expect_tagged(Bench& bench, const Record& record, unsigned tag, const std::string& when) {
    expect_last(record, DCA_RXCTRL0, tag << cpuid | rx_tagged, when);
    expect_last(record, DCA_TXCTRL0, tag << cpuid | tx_tagged, when);
    expect_register("DCA_TXCTRL(0) as the card holds it " + when, tag << cpuid | tx_tagged,
                    bench.reg(DCA_TXCTRL0));
}

/// Off, and no queue left with a tag that the next provider would bring to life again.
void expect_switched_off(Bench& bench, const Record& record, const std::string& when) {
    const auto values = record.values(DCA_CTRL);
    expect_that(std::find(values.begin(), values.end(), switched_off) != values.end(),
                fmt::format("DCA_CTRL {}, as QEMU recorded it", when), "DCA_DIS",
                values.empty() ? "not written" : fmt::format("{:#x}", values.back()));
    expect_last(record, DCA_RXCTRL0, rx_reset, when);
    expect_last(record, DCA_TXCTRL0, tx_reset, when);
    expect_register("DCA_TXCTRL(0) as the card holds it " + when, tx_reset, bench.reg(DCA_TXCTRL0));
}

// --- the requester, with the companion's provider ------------------------------------------------

/// Tag of CPU 0 by the companion, another one in each run.
unsigned companion_base(Bench& bench) {
    return std::stoul(bench.text("/sys/module/dca_provider/parameters/tag_base"));
}

void load_companion(Bench& bench) {
    bench.must_run({"insmod", Bench::companion("dca-provider"),
                    fmt::format("tag_base={}", 0x80 + bench.random()() % 0x70)});
}

/// What /sys/class/dca holds: "dca requester" without the numbers, which are never given twice.
std::string dca_class(Bench& bench) {
    auto names = bench.must_run({"ls", "/sys/class/dca"});
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

void check_loads(Bench& bench) {
    const Record record(bench);
    start(bench);
    serve(bench, 0);
    for (const auto offset : {DCA_CTRL, DCA_RXCTRL0, DCA_TXCTRL0})
        expect_unwritten(record, offset, "without a provider");
}

void check_joins(Bench& bench) {
    const Record record(bench);
    load_companion(bench);
    expect_equal("/sys/class/dca after a provider came", std::string("dca requester"),
                 dca_class(bench));
    expect_last(record, DCA_CTRL, switched_on, "after a provider came");
}

void check_tags(Bench& bench) {
    const auto base = companion_base(bench);
    for (const unsigned cpu : {0U, 1U}) {
        const Record record(bench);
        serve(bench, cpu);
        expect_tagged(bench, record, base + cpu, fmt::format("after CPU {} served", cpu));
    }
}

void check_quiet(Bench& bench) {
    const Record record(bench);
    serve(bench, 1);
    serve(bench, 1);
    for (const auto offset : {DCA_CTRL, DCA_RXCTRL0, DCA_TXCTRL0})
        expect_unwritten(record, offset, "while the same CPU serves as before");
}

void check_reset(Bench& bench) {
    const auto base = companion_base(bench);
    const Record record(bench);
    bench.must_run({"ip", "link", "set", "dev", interface(bench), "down"});
    bring_up(bench);
    const auto writes = record.since();
    const auto reset = std::find_if(writes.begin(), writes.end(), [](const RegisterWrite& write) {
        return write.offset == CTRL && (write.value & CTRL_RST) != 0;
    });
    expect_that(std::any_of(reset, writes.end(),
                            [](const RegisterWrite& write) {
                                return write.offset == DCA_CTRL && write.value == switched_on;
                            }),
                "DCA_CTRL after a reset, as QEMU recorded it", "switched on again",
                "not written, and a reset switches off");
    // The same CPU as before the reset: what the driver remembers is not what the card has.
    serve(bench, 1);
    expect_tagged(bench, record, base + 1, "after a reset, CPU 1 serving as before");
}

/// Whatever has become of the check, no provider is left.
void check_leaves(Bench& bench) {
    const Record record(bench);
    unload(bench, "dca_provider");
    const Record gone(bench);
    Credit credit;
    credit.part(5, [&] { expect_switched_off(bench, record, "after the provider left"); });
    credit.part(5, [&] {
        expect_equal("/sys/class/dca after the provider left", std::string(), dca_class(bench));
        const auto log = bench.take_log();
        for (const auto& line : log)
            expect_that(line.find("never left") == std::string::npos, "what the provider says",
                        "nothing", line);
        expect_silence(log);
    });
    credit.part(5, [&] {
        serve(bench, 0);
        expect_unwritten(gone, DCA_TXCTRL0, "after the provider left, CPU 0 serving");
        const Record again(bench);
        load_companion(bench);
        serve(bench, 0);
        const auto base = companion_base(bench);
        expect_tagged(bench, again, base, "after another provider came, CPU 0 serving");
    });
    credit.done();
}

void check_parts(Bench& bench) {
    const Record record(bench);
    bench.must_run({"rmmod", "igbook"});
    const auto in_books = dca_class(bench);
    unload(bench, "dca_provider");
    expect_switched_off(bench, record, "after the driver left");
    expect_equal("/sys/class/dca after the driver left", std::string("dca"), in_books);
}

// --- beyond the book: the provider --------------------------------------------------------------

unsigned tag_of(const Bench& bench, unsigned cpu) {
    return std::stoul(bench.param("tag_base"), nullptr, 0) +
           cpu * std::stoul(bench.param("tag_step"), nullptr, 0);
}

/// What the companion must have been told, which asks for every CPU's tag when it joins.
std::string told(const Bench& bench, bool second) {
    return fmt::format("{:#04x} {:#04x}", tag_of(bench, 0), second ? tag_of(bench, 1) : 0);
}

void expect_told(Bench& bench, bool second, const std::string& when) {
    expect_equal("tags of CPU 0 and 1, as another requester was told when it joined " + when,
                 told(bench, second), bench.text(requester + "tags"));
}

void switch_second(Bench& bench, bool on) {
    bench.put("/sys/devices/system/cpu/cpu1/online", on ? "1" : "0");
}

void check_provider(Bench& bench) {
    unload(bench, "igbook");
    start(bench, {"provider=1"});
    expect_equal("/sys/class/dca with the module's own provider", std::string("dca requester"),
                 dca_class(bench));
    const auto device = bench.text("/sys/class/dca/dca0/device/uevent");
    expect_that(device.find("PCI_SLOT_NAME=0000:00:00.0") != std::string::npos,
                "the provider's device", "0000:00:00.0", device);
    for (const unsigned cpu : {0U, 1U}) {
        const Record record(bench);
        serve(bench, cpu);
        expect_tagged(bench, record, tag_of(bench, cpu), fmt::format("after CPU {} served", cpu));
    }
}

void check_others(Bench& bench) {
    bench.must_run({"insmod", Bench::companion("dca-requester")});
    expect_told(bench, true, "with both online");
    expect_equal("/sys/class/dca with one requester more", std::string("dca requester requester"),
                 dca_class(bench));
}

void check_goes(Bench& bench) {
    serve(bench, 0);
    serve(bench, 1);
    const auto joined = bench.text(requester + "joined");
    const Record record(bench);
    switch_second(bench, false);
    Credit credit;
    credit.part(4, [&] {
        expect_switched_off(bench, record, "after CPU 1 went");
        expect_last(record, DCA_CTRL, switched_on, "after CPU 1 went");
    });
    credit.part(3, [&] {
        expect_that(bench.text(requester + "joined") != joined,
                    "times the other requester joined, after CPU 1 went",
                    "more than the " + joined + " before", joined);
        expect_told(bench, false, "as CPU 1 went");
    });
    credit.part(3, [&] {
        const Record after(bench);
        serve(bench, 0);
        expect_tagged(bench, after, tag_of(bench, 0), "after CPU 1 went, CPU 0 serving");
    });
    switch_second(bench, true);
    credit.done();
}

void check_comes(Bench& bench) {
    switch_second(bench, false);
    serve(bench, 0);
    const auto joined = bench.text(requester + "joined");
    const Record record(bench);
    switch_second(bench, true);
    expect_that(bench.text(requester + "joined") != joined,
                "times the other requester joined, after CPU 1 came",
                "more than the " + joined + " before", joined);
    expect_switched_off(bench, record, "after CPU 1 came");
    expect_told(bench, true, "as CPU 1 came");
    serve(bench, 1);
    expect_tagged(bench, record, tag_of(bench, 1), "after CPU 1 came, and serves");
}

void check_ends(Bench& bench) {
    unload(bench, "igbook");
    const auto mark = bench.writes().size();
    expect_equal("tags of another requester, the module being gone", std::string("none"),
                 bench.text(requester + "tags"));
    unload(bench, "dca_requester");
    expect_equal("/sys/class/dca after all have left", std::string(), dca_class(bench));
    switch_second(bench, false);
    try {
        grader::expect_no_write(bench, mark, "while a CPU went, the module being gone");
        bench.must_run({"insmod", Bench::guest_module, "provider=1"});
        bench.must_run({"rmmod", "igbook"});
    } catch (const Failure&) {
        switch_second(bench, true);
        throw;
    }
    switch_second(bench, true);
}

void check_leaks(Bench& bench) {
    for (const auto* name : {"igbook", "dca_requester", "dca_provider"}) unload(bench, name);
    grader::expect_nothing_lost(bench, "all these comings and goings");
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
    CHECK_POINTS(10, "the tag follows the CPU that serves, in both registers, field by field")
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
    CHECK_POINTS(10, "after a reset the card has its tags again")
        .id("reset")
        .after("tags")
        .hint("What the registers held is gone, and so is what igbook_dca.cpu[] says of it.")
        .book("cov-e3")
        .run(check_reset);
    CHECK_POINTS(15, "a provider that leaves takes its tags with it, and the next may come")
        .id("leaves")
        .after("joins")
        .hint(
            "enabled, the registers, the provider's books: in this order, and enabled under the "
            "lock that igbook_dca_update() takes.")
        .book("cov-e2")
        .run(check_leaves);
    CHECK_POINTS(5, "a driver that leaves is struck off, and leaves no tag behind")
        .id("parts")
        .after("leaves")
        .hint("igbook_dca_remove() does it with igbook_dca_leave().")
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
    CHECK_POINTS(5, "another requester gets its tags, too")
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
    CHECK_POINTS(5, "unloading ends all of it, and loading works with a CPU offline")
        .id("ends")
        .after("others")
        .hint("cpuhp_remove_state_nocalls(), with the number that setting it up returned.")
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
