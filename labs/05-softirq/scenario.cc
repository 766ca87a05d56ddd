// SPDX-License-Identifier: GPL-2.0
// Lab 5, Interrupts and softirqs: the checks. handout.md is the same list in the student's words.
//
// Most of them look at the card: what was written to its registers and when, whether the vector is
// masked, and how far the receive ring's tail has moved, which says how many frames were served.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

#include "all_labs.h"
#include "expect.h"
#include "testbed.h"
#include "traffic.h"
#include "witness.h"

namespace fwts::labs {
namespace {

using grader::bring_up;
using grader::Credit;
using grader::expect_equal;
using grader::expect_masked_while_serving;
using grader::expect_register;
using grader::expect_that;
using grader::first;
using grader::interface;
using grader::RegisterWrite;
using grader::send_silent;
using grader::serve_one;
using grader::Stopwatch;
using grader::Testbed;
using grader::unmasked;
using grader::Witness;
using grader::writes_since;
using Writes = std::vector<RegisterWrite>;

using namespace sandbox::registers;

constexpr std::uint32_t ICR_QUEUES = ICR_TXDW | ICR_RXDW;
constexpr std::uint32_t GPIE_ALL = GPIE_PBA | GPIE_EIAME | GPIE_MSIX_MODE | GPIE_NSICR;
constexpr unsigned ivar_registers = 8;
constexpr std::uint32_t queue_vector = 1U << 0U;  // bits in EIMS and its friends
constexpr std::uint32_t other_vector = 1U << 1U;

constexpr unsigned usual_ring = 256;
constexpr unsigned small_ring = 16;
constexpr unsigned most_in_a_run = 64;  // frames of one ring
constexpr const char* irq_mode_file = "/sys/module/igbook/parameters/irq_mode";

// What the driver calls, as witness names it.
constexpr const char* link_news = "mod_delayed_work_on";
constexpr const char* bottom_half = "tasklet_action";
constexpr const char* bottom_half_ends = "tasklet_kill";
constexpr const char* delivered = "netif_rx";
// By anyone, since the driver calls it by way of napi_consume_skb().
constexpr const char* taken_back = "*dev_kfree_skb_any_reason";

void expect_before(const Writes& record, const std::string& what, std::size_t one,
                   std::size_t other) {
    const auto place = [&](std::size_t at) {
        return at == record.size() ? std::string("never") : fmt::format("write {}", at + 1);
    };
    expect_that(one < other, what + ", as QEMU recorded the writes", "the first before the second",
                fmt::format("{} and {}", place(one), place(other)));
}

/// A check's body; whatever becomes of it, the next one finds the interface up as after loading.
std::function<void(Testbed&)> tidy(void (*body)(Testbed&)) {
    return [body](Testbed& testbed) {
        try {
            bring_up(testbed);
            body(testbed);
        } catch (const grader::Failure&) {
            testbed.plug(true);
            if (testbed.text(irq_mode_file) != "auto") testbed.run({"rmmod", "igbook"});
            const auto loaded = !testbed.text("/sys/module/igbook/initstate").empty();
            if (!loaded) testbed.run({"insmod", Testbed::guest_module});
            // A program that still listens ends when the interface goes down.
            testbed.sh(
                fmt::format("ethtool -C {0} rx-frames 1; ip link set dev {0} down; "
                            "ethtool -G {0} rx {1} tx {1}; ip link set dev {0} up",
                            interface(testbed), usual_ring));
            throw;
        }
    };
}

// --- the chapter's part -----------------------------------------------------------------------

/// Which processors there are besides the first. All checks but one have that one alone: then what
/// an interrupt has begun is over when a program runs.
void second_processor(Testbed& testbed, bool online) {
    testbed.put("/sys/devices/system/cpu/cpu1/online", online ? "1" : "0");
}

void check_loads(Testbed& testbed) {
    testbed.silence_guest();
    second_processor(testbed, false);
    grader::load(testbed);
    const auto eth = interface(testbed);
    testbed.must_run({"ip", "link", "set", "dev", eth, "up"});
    const auto lines = testbed.text("/proc/interrupts");
    for (const auto& name : {eth + "-rxtx-0", eth + "-other"})
        expect_that(lines.find(name) != std::string::npos, "/proc/interrupts", name, lines);
}

void expect_queue_routed(Testbed& testbed) {
    expect_register("IVAR0, read from outside the guest: receive and transmit of queue 0", 0x8080,
                    testbed.reg(IVAR0));
    for (unsigned i = 1; i < ivar_registers; ++i)
        expect_register(fmt::format("IVAR{}, read from outside the guest: nobody's", i), 0,
                        testbed.reg(IVAR0 + 4 * i));
}

void check_route(Testbed& testbed) {
    expect_queue_routed(testbed);
    expect_register("IVAR_MISC, read from outside the guest: other causes", 0x8100,
                    testbed.reg(IVAR_MISC));
    const auto record = testbed.writes();
    for (const auto entry : {IVAR0, IVAR_MISC})
        expect_before(record, "IVAR and RCTL.RXEN: no frame before its cause has an entry",
                      first(record, entry), first(record, RCTL, RCTL_RXEN));
}

void expect_enabled(Testbed& testbed) {
    expect_register("GPIE, read from outside the guest", GPIE_ALL, testbed.reg(GPIE));
    expect_register("EIAC, read from outside the guest", queue_vector | other_vector,
                    testbed.reg(EIAC));
    expect_that((testbed.reg(EIMS) & other_vector) != 0, "EIMS, read from outside the guest",
                "vector 1 enabled", fmt::format("{:#010x}", testbed.reg(EIMS)));
}

void expect_enabled_in_order(Testbed& testbed) {
    const auto record = testbed.writes();
    const auto masks = first(record, EIAM);
    expect_that(masks < record.size() && record[masks].value == queue_vector,
                "EIAM, as QEMU recorded it", "vector 0", "never written, or other vectors");
    const auto mode = first(record, GPIE, GPIE_ALL);
    for (const auto& [name, offset] : {std::pair{"EIAC", EIAC}, std::pair{"EIAM", EIAM}})
        expect_before(record, fmt::format("all of GPIE and {}", name), mode, first(record, offset));
    for (const auto& [name, offset] : {std::pair{"IVAR0", IVAR0}, std::pair{"IVAR_MISC", IVAR_MISC},
                                       std::pair{"EIAC", EIAC}, std::pair{"EIAM", EIAM}}) {
        expect_before(record, fmt::format("{} and EIMS", name), first(record, offset),
                      first(record, EIMS));
        expect_before(record, fmt::format("{} and IMS", name), first(record, offset),
                      first(record, IMS));
    }
    expect_before(record, "RXDCTL.ENABLE and the enabling of vector 0",
                  first(record, RXDCTL0, RXDCTL_ENABLE), first(record, EIMS, queue_vector));
    for (const auto& write : record)
        if (write.offset == IMS)
            expect_register("IMS, as QEMU recorded it: with MSI-X queues interrupt by EIMS",
                            ICR_LSC, write.value);
    expect_that(first(record, IMS) < record.size(), "IMS, as QEMU recorded it", "LSC",
                "never written");
}

void check_enable(Testbed& testbed) {
    Credit credit;
    credit.part(5, [&] { expect_enabled(testbed); });
    credit.part(5, [&] { expect_enabled_in_order(testbed); });
    credit.done();
}

/// Loaded anew, up, and with its carrier.
void load_with(Testbed& testbed, const std::string& mode) {
    testbed.must_run({"rmmod", "igbook"});
    grader::load(testbed, {"irq_mode=" + mode});
    bring_up(testbed);
}

/// The card's registers for vectors stay as the reset left them, and IMS does what they would.
void expect_one_vector(const Writes& record) {
    for (const auto& [name, offset] :
         {std::pair{"GPIE", GPIE}, std::pair{"EIAC", EIAC}, std::pair{"EIAM", EIAM},
          std::pair{"EIMS", EIMS}, std::pair{"IVAR_MISC", IVAR_MISC}})
        expect_that(first(record, offset) == record.size(),
                    fmt::format("{} without MSI-X, as QEMU recorded it", name), "not written",
                    "written");
    const auto masks = first(record, IMS);
    expect_before(record, "IVAR0 and IMS", first(record, IVAR0), masks);
    expect_before(record, "the end of igbook_irq_enable() and RXDCTL.ENABLE", masks,
                  first(record, RXDCTL0, RXDCTL_ENABLE));
    for (std::size_t i = 0; i < first(record, RXDCTL0, RXDCTL_ENABLE); ++i)
        if (record[i].offset == IMS)
            expect_register("IMS before the rings are there, as QEMU recorded it", ICR_LSC,
                            record[i].value);
}

void gather_three(Testbed& testbed) {
    const auto tail = testbed.reg(RDT0);
    for (unsigned sent = 1; sent <= 3; ++sent) {
        send_silent(testbed);
        testbed.let_settle();
        if (sent == 3) break;
        expect_equal("descriptors given back (RDT) before a batch of 3 is complete", 0U,
                     grader::ahead(testbed, tail, testbed.reg(RDT0)));
        expect_register("IMS of the queues' causes, read from outside, while frames gather", 0,
                        testbed.reg(IMS) & ICR_QUEUES);
    }
    expect_that(testbed.soon([&] {
        return grader::ahead(testbed, tail, testbed.reg(RDT0)) == 3 &&
               (testbed.reg(IMS) & ICR_QUEUES) == ICR_QUEUES;
    }),
                "a batch of 3: RDT and IMS, read from outside", "RDT 3 on, the queues enabled",
                "it is not served, or the queues stay masked");
}

std::size_t end_of_queue(const Writes& record) {
    const auto off = std::find_if(record.begin(), record.end(), [](const RegisterWrite& write) {
        return write.offset == RXDCTL0 && (write.value & RXDCTL_ENABLE) == 0;
    });
    return static_cast<std::size_t>(off - record.begin());
}

/// Masked in the way of the mode, which is not MSI-X, before its queue ends.
void expect_closed_masked(Testbed& testbed) {
    const auto mark = testbed.writes().size();
    testbed.must_run({"ip", "link", "set", "dev", interface(testbed), "down"});
    const auto record = writes_since(testbed, mark);
    expect_before(record, "closing without MSI-X: IMC of the queues' causes and the end of queue 0",
                  first(record, IMC, ICR_QUEUES), end_of_queue(record));
    bring_up(testbed);
}

void try_mode(Testbed& testbed, const std::string& mode) {
    constexpr unsigned singly = 3;
    constexpr unsigned together = 20;
    const auto mark = testbed.writes().size();
    load_with(testbed, mode);
    expect_one_vector(writes_since(testbed, mark));
    expect_queue_routed(testbed);
    const grader::Answering program(testbed, singly + together);
    program.exchange_singly(singly);
    program.exchange_together(together);
    testbed.plug(false);
    grader::expect_carrier(testbed, interface(testbed), false);
    testbed.plug(true);
    grader::expect_carrier(testbed, interface(testbed), true);
    expect_closed_masked(testbed);
}

/// And batches, which mask what there is to be masked.
void check_modes(Testbed& testbed) {
    Credit credit;
    credit.part(3, [&] {
        try_mode(testbed, "intx");
        try_mode(testbed, "msi");
    });
    credit.part(2, [&] {
        testbed.must_run({"ethtool", "-C", interface(testbed), "rx-frames", "3", "rx-usecs",
                          testbed.param("max_usecs")});
        gather_three(testbed);
    });
    testbed.plug(true);
    load_with(testbed, "auto");
    credit.done();
}

/// What /proc/irq counts as wanted by nobody.
std::string unwanted(Testbed& testbed, const std::string& name) {
    const auto number = grader::irq_number(testbed, name);
    if (number.empty()) return "no such interrupt";
    const auto counts = testbed.text("/proc/irq/" + number + "/spurious");
    const auto at = counts.find("unhandled ");
    return counts.substr(at, counts.find('\n', at) - at);
}

void expect_wanted(Testbed& testbed, const std::string& name) {
    expect_equal("interrupts of " + name + " that its handler did not want",
                 std::string("unhandled 0"), unwanted(testbed, name));
}

/// Once without its cause, and with that of something else: then there is no news of the link.
/// @param cause  what ICR has; it is masked, and so calls nobody by itself
void call_without_news(Testbed& testbed, const std::string& other, std::uint32_t cause) {
    const Witness witness(testbed, {link_news});
    const auto before = grader::interrupts(testbed, other);
    const auto mark = testbed.writes().size();
    if (cause != 0) testbed.set_reg(ICS, cause);
    testbed.set_reg(EICS, other_vector);
    expect_that(testbed.soon([&] { return grader::interrupts(testbed, other) > before; }),
                "interrupts of " + other + " after EICS, written from outside", "one more", "none");
    expect_equal(fmt::format("calls of igbook_link_changed(), ICR having {}",
                             cause != 0 ? "another cause, TXDW" : "no cause"),
                 0U, witness.calls(writes_since(testbed, mark), link_news));
}

void expect_cable_heard(Testbed& testbed, const std::string& when) {
    const auto eth = interface(testbed);
    for (const bool in : {false, true}) {
        const auto before = grader::interrupts(testbed, eth + "-other");
        testbed.plug(in);
        grader::expect_carrier(testbed, eth, in);
        expect_that(grader::interrupts(testbed, eth + "-other") > before,
                    fmt::format("interrupts of {}-other after the cable was moved{}", eth, when),
                    "at least one", "none");
    }
}

void check_link(Testbed& testbed) {
    const auto eth = interface(testbed);
    const auto queue = grader::interrupts(testbed, eth + "-rxtx-0");
    expect_cable_heard(testbed, "");
    expect_equal("interrupts of the queues' vector meanwhile", 0U,
                 grader::interrupts(testbed, eth + "-rxtx-0") - queue);
    for (const auto cause : {0U, ICR_TXDW}) call_without_news(testbed, eth + "-other", cause);
    for (const auto& name : {eth + "-rxtx-0", eth + "-other"}) expect_wanted(testbed, name);
    // The service stops and starts, and the interface stays up.
    for (const auto size : {small_ring, usual_ring})
        testbed.must_run({"ethtool", "-G", eth, "rx", std::to_string(size)});
    expect_cable_heard(testbed, ", rings having been exchanged");
}

/// How often `symbol` was called in each run of the bottom half.
std::vector<unsigned> in_each_run(const Witness& witness, const Writes& record,
                                  const std::string& symbol) {
    std::vector<unsigned> runs;
    for (const auto& write : record) {
        if (witness.is_call(write, bottom_half)) runs.push_back(0);
        if (!witness.is_call(write, symbol)) continue;
        if (runs.empty()) runs.push_back(0);
        ++runs.back();
    }
    runs.erase(std::remove(runs.begin(), runs.end(), 0U), runs.end());
    return runs;
}

/// Frames pile up while vector 0 is masked from outside; then the card may call, once.
/// @return what was written and called from then on
Writes serve_a_pile(Testbed& testbed, const Witness& witness, unsigned received, unsigned sent) {
    const auto tail = testbed.reg(RDT0);
    testbed.set_reg(EIMC, queue_vector);
    testbed.take_frames();
    if (sent > 0) testbed.must_run({"frames", "send", interface(testbed), std::to_string(sent)});
    for (unsigned i = 0; i < received; ++i) send_silent(testbed);
    const auto mark = testbed.writes().size();
    testbed.set_reg(EIMS, queue_vector);
    const auto record_now = [&] { return grader::after_letting_in(writes_since(testbed, mark)); };
    const auto all = [&] {
        return grader::ahead(testbed, tail, testbed.reg(RDT0)) == received &&
               witness.calls(record_now(), taken_back) == sent && unmasked(testbed);
    };
    const auto done = testbed.soon(all);
    testbed.let_settle();
    auto record = record_now();
    expect_that(
        done,
        fmt::format("{} frames received and {} sent wait, and the card calls once", received, sent),
        "all are served, and the vector is enabled",
        fmt::format("received {}, taken back {}, vector {}",
                    grader::ahead(testbed, tail, testbed.reg(RDT0)),
                    witness.calls(record, taken_back), unmasked(testbed) ? "enabled" : "masked"));
    return record;
}

void expect_runs(Testbed& testbed, const Witness& witness, unsigned received, unsigned sent) {
    const auto record = serve_a_pile(testbed, witness, received, sent);
    for (const auto& [symbol, all] :
         {std::pair{delivered, received}, std::pair{taken_back, sent}}) {
        std::vector<unsigned> expected;
        for (unsigned left = all; left > 0; left -= expected.back())
            expected.push_back(std::min(left, most_in_a_run));
        expect_equal(fmt::format("{} frames received and {} sent wait: calls of {}() in each run "
                                 "of the bottom half",
                                 received, sent, symbol),
                     fmt::format("{}", fmt::join(expected, ", ")),
                     fmt::format("{}", fmt::join(in_each_run(witness, record, symbol), ", ")));
    }
    bool enabled = false;
    for (const auto& write : record) {
        const bool work = witness.is_call(write, delivered) || witness.is_call(write, taken_back) ||
                          write.offset == RDT0;
        expect_that(!(enabled && work), "EIMS and what a run serves, as QEMU recorded it",
                    "the vector is enabled last of all", "frames are served after that");
        enabled = enabled || (write.offset == EIMS && (write.value & queue_vector) != 0);
    }
}

void check_halves(Testbed& testbed) {
    constexpr unsigned more_than_a_run = most_in_a_run + 36;
    Credit credit;
    credit.part(8, [&] {
        const Witness witness(testbed, {delivered, taken_back, std::string("*") + bottom_half});
        expect_runs(testbed, witness, more_than_a_run, 0);
        expect_runs(testbed, witness, 3, more_than_a_run);
        expect_runs(testbed, witness, most_in_a_run, most_in_a_run);
    });
    credit.part(2, [&] { grader::expect_tagged(testbed); });
    credit.done();
}

/// Frames are served, and then the vector's messages go to the processor. A move is carried out
/// when an interrupt comes, and not before the one before it has been cleaned up.
void expect_messages_to(Testbed& testbed, unsigned processor, const std::string& when) {
    constexpr unsigned enough = 50;
    serve_one(testbed);
    for (unsigned i = 0; i < enough && testbed.message_processor(0) != processor; ++i)
        serve_one(testbed);
    expect_equal("the processor in vector 0's entry of the MSI-X table, read from outside, " + when,
                 processor, testbed.message_processor(0));
}

void reopen(Testbed& testbed) {
    testbed.must_run({"ip", "link", "set", "dev", interface(testbed), "down"});
    bring_up(testbed);
}

/// A file of /proc/irq about vector 0.
std::string irq_file(Testbed& testbed, const std::string& name) {
    return "/proc/irq/" + grader::irq_number(testbed, queue_name(testbed)) + "/" + name;
}

unsigned home(Testbed& testbed) {
    return static_cast<unsigned>(std::stoul(testbed.param("home_cpu")));
}

/// As the files in /proc/irq have it, without leading zeros: there are fewer than four processors.
std::string mask_of(unsigned processor) {
    return fmt::format("{:x}", 1U << processor);
}

void expect_at_home(Testbed& testbed) {
    expect_messages_to(testbed, home(testbed), "after the interface was opened for the first time");
    expect_equal("affinity_hint of vector 0", mask_of(home(testbed)),
                 testbed.text(irq_file(testbed, "affinity_hint")));
}

/// Somebody wants the other processor.
void expect_left_alone(Testbed& testbed) {
    const auto other = 1 - home(testbed);
    testbed.put(irq_file(testbed, "smp_affinity"), mask_of(other));
    expect_messages_to(testbed, other, "after it was written to smp_affinity");
    for (int i = 0; i < 2; ++i) {
        reopen(testbed);
        // This shows a move that is still to come, too.
        expect_equal("smp_affinity of vector 0 when the interface was opened again", mask_of(other),
                     testbed.text(irq_file(testbed, "smp_affinity")));
        expect_messages_to(testbed, other, "when the interface was opened again after that");
        expect_equal("affinity_hint of vector 0 when the interface was opened again",
                     mask_of(home(testbed)), testbed.text(irq_file(testbed, "affinity_hint")));
    }
}

void check_home(Testbed& testbed) {
    Credit credit;
    credit.part(3, [&] {
        second_processor(testbed, true);
        // Where the kernel puts an interrupt that nobody moves.
        testbed.put("/proc/irq/default_smp_affinity", mask_of(1 - home(testbed)));
        load_with(testbed, "auto");
        expect_at_home(testbed);
    });
    credit.part(2, [&] { expect_left_alone(testbed); });
    second_processor(testbed, false);
    load_with(testbed, "auto");
    credit.done();
}

void check_frames(Testbed& testbed) {
    constexpr unsigned singly = 10;
    // More than one run of the bottom half takes, less than a socket may have on the way.
    constexpr unsigned together = 70;
    const grader::Answering program(testbed, singly + together);
    const auto before = grader::interrupts(testbed, queue_name(testbed));
    program.exchange_singly(singly);
    const auto came = grader::interrupts(testbed, queue_name(testbed)) - before;
    expect_that(came >= singly, "interrupts for frames sent one by one",
                fmt::format("at least {}", singly), std::to_string(came));
    program.exchange_together(together);
    expect_wanted(testbed, queue_name(testbed));
}

void check_mask(Testbed& testbed) {
    constexpr unsigned frames = 8;
    const auto record = expect_masked_while_serving(testbed, frames);
    const auto served = std::count_if(record.begin(), record.end(), [](const RegisterWrite& write) {
        return write.offset == RDT0;
    });
    expect_equal("writes of RDT for frames sent one by one", frames, served);
}

unsigned max_frames(Testbed& testbed) {
    return static_cast<unsigned>(std::stoul(testbed.param("max_frames")));
}

/// Microseconds that nobody here waits for.
unsigned no_hurry(Testbed& testbed) {
    return static_cast<unsigned>(std::stoul(testbed.param("max_usecs")));
}

/// Every frame at once, as after loading.
void end_batches(Testbed& testbed) {
    testbed.must_run({"ethtool", "-C", interface(testbed), "rx-frames", "1"});
}

void set_batch(Testbed& testbed, unsigned frames, unsigned usecs) {
    if (!unmasked(testbed)) end_batches(testbed);  // what an earlier part left gathering
    testbed.must_run({"ethtool", "-C", interface(testbed), "rx-frames", std::to_string(frames),
                      "rx-usecs", std::to_string(usecs)});
}

void expect_gathering(Testbed& testbed, std::uint32_t tail, unsigned sent, unsigned batch) {
    testbed.let_settle();
    expect_equal(fmt::format("descriptors given back (RDT, read from outside the guest) after {} "
                             "frames of a batch of {}",
                             sent, batch),
                 0U, grader::ahead(testbed, tail, testbed.reg(RDT0)));
    expect_that(!unmasked(testbed), "EIMS, read from outside the guest, while frames gather",
                "vector 0 masked", "enabled");
}

/// From the last mask before the queue's end on, nothing of the vector's happens.
void expect_closed_in_order(const Writes& record) {
    const auto queue_off = end_of_queue(record);
    auto masked = record.size();
    for (std::size_t i = 0; i < queue_off; ++i)
        if (record[i].offset == EIMC && (record[i].value & queue_vector) != 0) masked = i;
    expect_before(record, "closing: EIMC of vector 0 and the end of queue 0", masked, queue_off);
    for (auto i = masked; i < record.size(); ++i) {
        expect_that(record[i].offset != EIMS || (record[i].value & queue_vector) == 0,
                    "closing, as QEMU recorded the writes", "vector 0 stays masked",
                    "it is enabled again");
        expect_that(record[i].offset != RDT0, "closing, as QEMU recorded the writes",
                    "no frame is served once the vector is masked for good", "RDT is written");
    }
    expect_before(record, "closing: EIMC of everything and the reset", first(record, EIMC, ~0U),
                  first(record, CTRL, CTRL_RST));
}

/// The bottom half unmasks, so it is waited for before the mask that must hold.
void expect_stopped_in_order(const Writes& record, const Witness& witness) {
    const auto queue_off = end_of_queue(record);
    std::size_t killed = record.size();
    std::size_t masked = 0;
    for (std::size_t i = 0; i < queue_off; ++i) {
        if (witness.is_call(record[i], bottom_half_ends)) killed = i;
        if (record[i].offset == EIMC && (record[i].value & queue_vector) != 0) masked = i;
    }
    expect_before(record, "closing: the last tasklet_kill() and EIMC of vector 0", killed, masked);
}

/// Some frames gather, if the submission lets them, and are in no hurry.
void let_frames_gather(Testbed& testbed) {
    testbed.run({"ethtool", "-C", interface(testbed), "rx-frames", testbed.param("max_frames"),
                 "rx-usecs", testbed.param("max_usecs")});
    for (int i = 0; i < 3; ++i) send_silent(testbed);
}

void expect_no_timer(Testbed& testbed, const std::string& when) {
    const auto timers = testbed.text("/proc/timer_list");
    const auto ours = timers.find("[igbook]");
    expect_that(ours == std::string::npos, "/proc/timer_list " + when, "no timer of igbook's",
                timers.substr(timers.rfind('\n', ours) + 1,
                              timers.find('\n', ours) - timers.rfind('\n', ours) - 1));
}

/// What does not wait for rx-usecs is done long before they have passed.
Testbed::Seconds no_waiting(Testbed& testbed) {
    return Testbed::Seconds(no_hurry(testbed) / 4e6);
}

/// @param late  functions whose call the tasklet just outruns, or none
void go_down(Testbed& testbed, const std::string& late) {
    std::vector<std::string> parameters;
    if (!late.empty()) parameters.push_back("late=" + late);
    const Witness witness(testbed, {bottom_half_ends}, parameters);
    const auto mark = testbed.writes().size();
    const std::vector<std::string> down{"ip", "link", "set", "dev", interface(testbed), "down"};
    testbed.start(down);
    const auto reset = [&] {
        const auto record = writes_since(testbed, mark);
        return first(record, CTRL, CTRL_RST) < record.size();
    };
    expect_that(testbed.soon(reset, no_waiting(testbed)), "going down with rx-usecs that are long",
                "the card is reset soon", "it is not");
    testbed.must_run(down);  // which waits for the other
    const auto record = writes_since(testbed, mark);
    expect_closed_in_order(record);
    expect_stopped_in_order(record, witness);
    expect_that(witness.module().parameter("latecomers") == "0" ||
                    witness.module().parameter("waited") == "Y",
                fmt::format("closing: the tasklet, scheduled once more as {}() is called", late),
                "tasklet_kill() waits for it", "nobody does");
    expect_no_timer(testbed, "with the interface down");
}

void close_while_gathering(Testbed& testbed) {
    const auto eth = interface(testbed);
    let_frames_gather(testbed);
    go_down(testbed, "");
    const auto down = testbed.writes().size();
    grader::outwait_watchdog(testbed);  // a timer that sleeps longer is noticed at unloading
    grader::expect_no_write(testbed, down, "after the interface went down");
    testbed.run({"ethtool", "-C", eth, "rx-frames", "1"});
    bring_up(testbed);
    serve_one(testbed);
}

/// A timer that went off in time, on another processor, scheduled the bottom half just before.
void close_with_a_late_tasklet(Testbed& testbed) {
    for (const char* where : {"hrtimer_cancel,timer_delete_sync", "tasklet_kill"}) {
        let_frames_gather(testbed);
        go_down(testbed, where);
        testbed.run({"ethtool", "-C", interface(testbed), "rx-frames", "1"});
        bring_up(testbed);
    }
    serve_one(testbed);
}

/// What was not started is stopped as well, also if it never was.
void fail_to_open(Testbed& testbed) {
    testbed.must_run({"rmmod", "igbook"});
    grader::load(testbed);
    const auto eth = interface(testbed);
    testbed.must_run(
        {"insmod", Testbed::companion("failcall"), "symbol=dma_alloc_attrs", "value=0"});
    const auto opened = testbed.run({"ip", "link", "set", "dev", eth, "up"});
    testbed.must_run({"rmmod", "failcall"});
    expect_that(opened.status != 0, "opening without memory for the rings", "an error", "success");
    expect_no_timer(testbed, "after an opening that failed");
    bring_up(testbed);
    serve_one(testbed);
}

void check_down(Testbed& testbed) {
    Credit credit;
    credit.part(5, [&] { close_while_gathering(testbed); });
    credit.part(3, [&] { close_with_a_late_tasklet(testbed); });
    credit.part(2, [&] { fail_to_open(testbed); });
    credit.done();
}

// --- beyond the book ----------------------------------------------------------------------------

/// What is tried and what became of it, and between what `ethtool -c` shows: rx-usecs, rx-frames.
constexpr const char* settings_script = R"(
show() { ethtool -c $ETH | while read name value; do
    case $name in rx-usecs: | rx-frames:) echo -n "$value ";; esac; done; echo; }
try() { if ethtool -C $ETH rx-frames $1 rx-usecs $2 2>/tmp/said; then echo accepted; return; fi
    while read line; do case $line in *"Invalid argument"*) echo refused; return;; esac
    done </tmp/said; echo "another error"; }
show
while [ $# -gt 0 ]; do case $1 in show) show; shift;;
    *) echo -n "$1 $2: "; try $1 $2; shift 2;; esac; done
)";

struct Setting {
    std::uint64_t frames;
    std::uint64_t usecs;
    bool taken;
};

/// Each limit from both sides, alone and together with the other.
std::vector<Setting> settings_to_try(Testbed& testbed) {
    const std::uint64_t most = max_frames(testbed);
    const std::uint64_t longest = no_hurry(testbed);
    const std::uint64_t usecs = 2 + testbed.random()() % 1000;
    constexpr std::uint64_t too_wide = 65'537;  // 1, in 16 bits
    constexpr std::uint64_t widest = 0xffffffff;
    return {{most, usecs, true},
            {0, usecs + 1, false},
            {most + 1, usecs + 1, false},
            {2, 0, false},
            {2, longest + 1, false},
            {1, longest + 1, false},
            {too_wide, 1, false},
            {widest, 1, false},
            {1, widest, false},
            {most, longest, true},
            {2, 1, true},
            {0, 0, false},
            {1, 0, true},
            {1, longest, true}};
}

void check_settings(Testbed& testbed) {
    std::string arguments;
    std::string expected;
    std::string shown;
    for (const auto& one : settings_to_try(testbed)) {
        // What was refused has changed nothing since the last that was taken.
        if (one.taken && !shown.empty()) {
            arguments += " show";
            expected += shown;
        }
        if (one.taken) shown = fmt::format("{} {} \n", one.usecs, one.frames);
        arguments += fmt::format(" {} {}", one.frames, one.usecs);
        expected +=
            fmt::format("{} {}: {}\n", one.frames, one.usecs, one.taken ? "accepted" : "refused");
    }
    const auto eth = interface(testbed);
    const auto try_all = [&](const std::string& what) {
        return testbed.must("settings",
                            fmt::format("ETH={}; set --{}\n{}", eth, what, settings_script),
                            Testbed::Seconds(30)) +
               "\n";
    };
    const auto saw = try_all(arguments);
    const auto loaded = saw.substr(0, saw.find('\n') + 1);
    expect_that(loaded.ends_with(" 1 \n"), "ethtool -c after loading", "rx-frames 1", loaded);
    expect_equal(
        "ethtool -C with rx-frames and rx-usecs, and now and then what ethtool -c shows as "
        "rx-usecs and rx-frames",
        expected, saw.substr(loaded.size()));
    testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
    bring_up(testbed);
    expect_equal("ethtool -c after the interface went down and up", shown, try_all(""));
    serve_one(testbed);  // a time for one frame is no reason to wait
    end_batches(testbed);
}

void expect_batch(Testbed& testbed, std::uint32_t tail, unsigned batch) {
    expect_that(
        testbed.soon([&] { return grader::ahead(testbed, tail, testbed.reg(RDT0)) >= batch; }) &&
            testbed.soon([&] { return unmasked(testbed); }),
        fmt::format("a batch of {} is complete and has time left: RDT and EIMS, read from "
                    "outside the guest",
                    batch),
        fmt::format("RDT {} on, vector 0 enabled", batch),
        fmt::format("RDT {} on, vector 0 {}", grader::ahead(testbed, tail, testbed.reg(RDT0)),
                    unmasked(testbed) ? "enabled" : "masked"));
}

/// One batch, frame by frame.
void gather_one_by_one(Testbed& testbed, unsigned batch) {
    const auto tail = testbed.reg(RDT0);
    for (unsigned sent = 1; sent < batch; ++sent) {
        send_silent(testbed);
        expect_gathering(testbed, tail, sent, batch);
    }
    send_silent(testbed);
    expect_batch(testbed, tail, batch);
    expect_equal("descriptors given back (RDT) for the batch", batch,
                 grader::ahead(testbed, tail, testbed.reg(RDT0)));
}

void count_exactly(Testbed& testbed) {
    constexpr std::uint64_t batches = 2;
    const auto batch = 6 + static_cast<unsigned>(testbed.random()() % 7);
    set_batch(testbed, batch, no_hurry(testbed));
    const auto before = grader::interrupts(testbed, queue_name(testbed));
    for (std::uint64_t i = 0; i < batches; ++i) gather_one_by_one(testbed, batch);
    const auto came = grader::interrupts(testbed, queue_name(testbed)) - before;
    // One begins a batch; a cause noted while the vector was masked may bring a second.
    constexpr std::uint64_t most = 2;
    expect_that(came <= most * batches,
                fmt::format("interrupts for {} batches of {} frames", batches, batch),
                fmt::format("at most {}", most * batches), std::to_string(came));
}

/// As soon as there are enough, by the guest's clock; twice.
void count_in_time(Testbed& testbed) {
    constexpr unsigned batch = 2;
    set_batch(testbed, batch, no_hurry(testbed));
    const Stopwatch stopwatch(testbed);
    for (unsigned i = 0; i < 2; ++i) {
        stopwatch.begin(batch, no_hurry(testbed));
        send_silent(testbed);
        send_silent(testbed);
        stopwatch.expect_in_time("a batch of 2", Testbed::usual_patience);
    }
}

void gather(Testbed& testbed, unsigned frames) {
    for (unsigned i = 0; i < frames; ++i) send_silent(testbed);
}

void count_most(Testbed& testbed) {
    set_batch(testbed, max_frames(testbed), no_hurry(testbed));
    const auto tail = testbed.reg(RDT0);
    gather(testbed, max_frames(testbed) - 1);
    expect_gathering(testbed, tail, max_frames(testbed) - 1, max_frames(testbed));
    send_silent(testbed);
    expect_batch(testbed, tail, max_frames(testbed));
}

/// A ring of 16 has 15 descriptors for the card: no batch can be larger.
void count_in_small_ring(Testbed& testbed) {
    const auto eth = interface(testbed);
    // The first batch is set before the ring is small, the others when it is.
    set_batch(testbed, max_frames(testbed), no_hurry(testbed));
    testbed.must_run({"ethtool", "-G", eth, "rx", std::to_string(small_ring)});
    bool set_before = true;
    for (const auto batch :
         {max_frames(testbed), max_frames(testbed), small_ring, small_ring - 1, small_ring - 2}) {
        const auto full = std::min(batch, small_ring - 1);
        if (!set_before) set_batch(testbed, batch, no_hurry(testbed));
        set_before = false;
        const auto tail = testbed.reg(RDT0);
        gather(testbed, full - 1);
        expect_gathering(testbed, tail, full - 1, batch);
        send_silent(testbed);
        expect_batch(testbed, tail, full);
    }
    testbed.must_run({"ethtool", "-G", eth, "rx", std::to_string(usual_ring)});
}

void check_count(Testbed& testbed) {
    Credit credit;
    credit.part(5, [&] {
        count_exactly(testbed);
        count_in_time(testbed);
    });
    credit.part(3, [&] { count_most(testbed); });
    credit.part(2, [&] { count_in_small_ring(testbed); });
    credit.done();
    end_batches(testbed);
}

void change(Testbed& testbed, unsigned frames, unsigned usecs) {
    testbed.must_run({"ethtool", "-C", interface(testbed), "rx-frames", std::to_string(frames),
                      "rx-usecs", std::to_string(usecs)});
}

/// A batch that is smaller than what waits is complete; one that is larger waits on.
void change_count(Testbed& testbed) {
    constexpr unsigned small = 4;
    constexpr unsigned large = 7;
    set_batch(testbed, small, no_hurry(testbed));
    auto tail = testbed.reg(RDT0);
    gather(testbed, small - 1);
    change(testbed, large, no_hurry(testbed));
    gather(testbed, large - small);
    expect_gathering(testbed, tail, large - 1, large);
    change(testbed, small, no_hurry(testbed));
    expect_batch(testbed, tail, large - 1);
    tail = testbed.reg(RDT0);
    gather(testbed, small - 1);  // the next batch begins at nothing
    expect_gathering(testbed, tail, small - 1, small);
    // What is refused changes nothing for them either.
    const auto refused = testbed.run(
        {"ethtool", "-C", interface(testbed), "rx-frames", std::to_string(large), "rx-usecs", "0"});
    expect_that(refused.status != 0, "ethtool -C rx-usecs 0 while frames wait", "refused", "taken");
    gather(testbed, 1);
    expect_batch(testbed, tail, small);
    tail = testbed.reg(RDT0);
    gather(testbed, small - 1);
    change(testbed, 1, 0);
    expect_batch(testbed, tail, small - 1);
}

void shorten_time(Testbed& testbed) {
    constexpr unsigned soon = 100'000;  // us
    set_batch(testbed, max_frames(testbed), no_hurry(testbed));
    const auto tail = testbed.reg(RDT0);
    gather(testbed, 3);
    expect_gathering(testbed, tail, 3, max_frames(testbed));
    change(testbed, max_frames(testbed), soon);
    expect_batch(testbed, tail, 3);
}

/// The time counts from the first frame, not from the change.
void shorten_time_that_has_passed(Testbed& testbed) {
    constexpr unsigned usecs = 1'400'000;
    constexpr unsigned most_late = usecs / 2000;  // ms; one run of ethtool is 150 of them
    set_batch(testbed, max_frames(testbed), no_hurry(testbed));
    gather(testbed, 2);
    testbed.must_run({"sleep", "1.5"});
    const Stopwatch stopwatch(testbed);
    stopwatch.begin(1, 0);
    change(testbed, max_frames(testbed), usecs);
    stopwatch.expect_in_time("frames that had waited for longer than the new rx-usecs",
                             Testbed::usual_patience, most_late);
}

/// Some frames wait for a short time and, before it is up, for a long one.
void lengthen_time(Testbed& testbed) {
    constexpr unsigned longest_try = 16;
    for (unsigned seconds = 1;; seconds *= 2) {
        set_batch(testbed, max_frames(testbed), seconds * 1'000'000);
        const auto tail = testbed.reg(RDT0);
        const auto start = testbed.uptime();
        send_silent(testbed);
        change(testbed, max_frames(testbed), no_hurry(testbed));
        // Served already, or nearly so: the change came too late to say anything.
        if (testbed.uptime() - start > seconds * 0.8 && seconds < longest_try) continue;
        testbed.wait_until(
            fmt::format("{} s by the guest's clock", seconds), "they pass",
            [&] { return testbed.uptime() - start > seconds + 0.1; },
            [&] { return std::to_string(testbed.uptime() - start); },
            Testbed::Seconds(seconds) + Testbed::usual_limit);
        expect_gathering(testbed, tail, 1, max_frames(testbed));
        return;
    }
}

void check_change(Testbed& testbed) {
    Credit credit;
    credit.part(2, [&] { change_count(testbed); });
    credit.part(3, [&] {
        shorten_time(testbed);
        shorten_time_that_has_passed(testbed);
        lengthen_time(testbed);
    });
    credit.done();
    end_batches(testbed);
}

/// Neither before its time nor after it, whole, and in order; and the next batch again.
void wait_for_few(Testbed& testbed) {
    constexpr unsigned batches = 2;
    constexpr unsigned batch = 3;
    const auto usecs = static_cast<unsigned>(300 + testbed.random()() % 100) * 1000;
    set_batch(testbed, max_frames(testbed), usecs);
    const grader::Answering program(testbed, batches * batch);
    const Stopwatch stopwatch(testbed);
    for (unsigned i = 0; i < batches; ++i) {
        std::vector<std::string> frames;
        while (frames.size() < batch) frames.push_back(program.make_frame());
        stopwatch.begin(max_frames(testbed), usecs);
        for (const auto& frame : frames) testbed.send(frame);
        program.expect_answers("three frames, after which none comes", frames);
        stopwatch.expect_in_time(fmt::format("three frames, rx-usecs {}", usecs),
                                 Testbed::usual_patience);
    }
}

/// The time counts from the first frame of a batch: frames that drip in must not put it off.
void wait_while_dripping(Testbed& testbed) {
    constexpr unsigned usecs = 1'000'000;
    constexpr Testbed::Seconds between{0.1};
    set_batch(testbed, max_frames(testbed), usecs);
    const Stopwatch stopwatch(testbed);
    stopwatch.begin(max_frames(testbed), usecs);
    const auto tail = testbed.reg(RDT0);
    unsigned sent = 0;
    const auto served = [&] {
        if (++sent < max_frames(testbed)) send_silent(testbed);
        testbed.receive(between);  // there is nothing to receive; this is a pause
        return testbed.reg(RDT0) != tail;
    };
    const auto what =
        fmt::format("frames that come one by one, less than a batch, rx-usecs being {}", usecs);
    expect_that(testbed.soon(served, Testbed::Seconds(1) + Testbed::usual_patience),
                what + ": RDT, read from outside the guest",
                "they are served when the first of them has waited so long", "they are not served");
    if (!unmasked(testbed)) end_batches(testbed);  // the last of them may have begun a batch
    stopwatch.expect_in_time(what, Testbed::usual_patience);
}

/// The shortest time, and one whose nanoseconds do not fit into 32 bits.
void wait_extremely(Testbed& testbed) {
    constexpr unsigned wraps = 4'294'968;  // us: 704 ns in 32 bits
    set_batch(testbed, 2, 1);
    {
        const Stopwatch stopwatch(testbed);
        stopwatch.begin(2, 1);
        send_silent(testbed);
        stopwatch.expect_in_time("one frame of a batch of 2, rx-usecs 1", Testbed::usual_patience);
    }
    constexpr int tries = 4;
    for (int i = 0; i < tries; ++i) {
        set_batch(testbed, 2, std::min(wraps, no_hurry(testbed)));
        const auto tail = testbed.reg(RDT0);
        const auto start = testbed.uptime();
        send_silent(testbed);
        testbed.must_run({"sleep", "0.1"});
        try {
            expect_gathering(testbed, tail, 1, 2);
            return;
        } catch (const grader::Failure&) {
            // On a host that keeps the guest waiting the time may really have passed.
            if (testbed.uptime() - start < wraps / 1e6 - 1) throw;
        }
    }
}

/// Frames that were left in the ring when the interface went down have nothing to say any more.
void wait_when_up_again(Testbed& testbed) {
    constexpr unsigned usecs = 300'000;
    const auto eth = interface(testbed);
    set_batch(testbed, max_frames(testbed), no_hurry(testbed));
    send_silent(testbed);
    testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
    testbed.must_run({"ethtool", "-C", eth, "rx-usecs", std::to_string(usecs)});
    bring_up(testbed);
    const Stopwatch stopwatch(testbed);
    stopwatch.begin(max_frames(testbed), usecs);
    send_silent(testbed);
    stopwatch.expect_in_time("the first frame after going down and up", Testbed::usual_patience);
}

void check_time(Testbed& testbed) {
    Credit credit;
    credit.part(3, [&] {
        wait_for_few(testbed);
        wait_when_up_again(testbed);
    });
    credit.part(1, [&] { wait_while_dripping(testbed); });
    credit.part(1, [&] { wait_extremely(testbed); });
    credit.done();
    end_batches(testbed);
}

void check_sending(Testbed& testbed) {
    constexpr unsigned ring = 16;
    constexpr unsigned frames = 40;
    const auto eth = interface(testbed);
    testbed.must_run({"ethtool", "-G", eth, "tx", std::to_string(ring)});
    set_batch(testbed, max_frames(testbed), no_hurry(testbed));
    testbed.take_frames();
    const auto tail = testbed.reg(RDT0);
    send_silent(testbed);
    testbed.start({"frames", "send", eth, std::to_string(frames)});
    unsigned came = 0;
    while (came < frames && testbed.receive()) ++came;
    expect_equal("frames sent through a ring of 16 while a received frame waits for more", frames,
                 came);
    expect_gathering(testbed, tail, 1, max_frames(testbed));
    end_batches(testbed);
    testbed.must_run({"ethtool", "-G", eth, "tx", std::to_string(usual_ring)});
}

// --- going --------------------------------------------------------------------------------------

void check_unload(Testbed& testbed) {
    if (!testbed.text("/sys/class/net/" + interface(testbed) + "/carrier").starts_with('1'))
        testbed.run({"ip", "link", "set", "dev", interface(testbed), "up"});
    else
        let_frames_gather(testbed);
    testbed.start({"rmmod", "igbook"});
    expect_that(testbed.soon([&] { return testbed.text("/sys/module/igbook/initstate").empty(); },
                             no_waiting(testbed)),
                "unloading with rx-usecs that are long", "the module is gone soon", "it is not");
    const auto mark = testbed.writes().size();
    grader::expect_released(testbed, "after rmmod");
    expect_no_timer(testbed, "after rmmod");
    expect_that(testbed.text("/proc/interrupts").find("-rxtx-") == std::string::npos,
                "/proc/interrupts after rmmod", "nothing of the card's", "its vectors");
    grader::expect_nothing_lost(testbed, "unloading while frames gather");
    // While memory was searched, more than a second passed.
    grader::expect_no_write(testbed, mark, "after rmmod");
}

void add_the_registers(grader::Scenario& lab) {
    CHECK_POINTS(5, "the driver loads, and both vectors stand in /proc/interrupts")
        .id("loads")
        .hint("igbook_irq_alloc() and igbook_irq_request() are complete as handed out.")
        .book("cov-c11")
        .run(check_loads);

    CHECK_POINTS(5, "the queues' causes go to vector 0, all others to vector 1")
        .id("route")
        .after("loads")
        .hint(
            "Each entry of IVAR has eight bits: a vector's number and VALID. Queue 0 has one for "
            "receive and one for transmit.")
        .book("cov-g1")
        .run(check_route);

    CHECK_POINTS(10, "the card may call, and its registers were written in the right order")
        .id("enable")
        .after("loads")
        .hint("What EIAC and EIAM mean depends on GPIE. EIMS comes when all else is settled.")
        .book("cov-g2")
        .run(check_enable);

    CHECK_POINTS(5, "with INTx and with MSI one vector does everything")
        .id("modes")
        .after("loads")
        .hint(
            "GPIE and the registers that begin with E are for MSI-X, as is IVAR_MISC. "
            "igbook_vector_mask() and igbook_vector_unmask() know the mode.")
        .book("cov-c11")
        .run(tidy(check_modes));

    CHECK_POINTS(5, "the carrier follows the cable, by the other vector's interrupt")
        .id("link")
        .after("loads")
        .hint("Ask ICR what it was. Reading it clears it: if GPIE says so.")
        .book("cov-g2")
        .run(tidy(check_link));
}

void add_the_halves(grader::Scenario& lab) {
    CHECK_POINTS(5, "frames are received and sent, alone and in bursts, byte for byte")
        .id("frames")
        .after("loads")
        .hint("If nothing comes: does the handler run (/proc/interrupts)? Does the bottom half?")
        .book("cov-05-halves")
        .run(tidy(check_frames));

    CHECK_POINTS(5, "the vector is masked from the handler to the end of the bottom half")
        .id("mask")
        .after("loads")
        .hint("The emulated card does not mask by EIAM. Unmasking is the very last thing.")
        .book("cov-05-halves")
        .run(tidy(check_mask));

    CHECK_POINTS(10,
                 "one run of the bottom half takes 64 frames of each ring, the next ones the rest")
        .id("halves")
        .after("loads")
        .hint(
            "There may be more when one of the rings gave all it was asked for. Then the tasklet "
            "comes again, and the vector stays masked.")
        .book("cov-05-halves")
        .run(tidy(check_halves));

    CHECK_POINTS(10, "going down stops everything, in the right order")
        .id("down")
        .after("frames")
        .hint(
            "The bottom half unmasks at its end, so it must have ended before the mask can hold. A "
            "timer of yours can start it again.")
        .book("cov-g4")
        .run(tidy(check_down));
}

void add_the_batches(grader::Scenario& lab) {
    CHECK_POINTS(5, "ethtool -C takes 1 to @max_frames@ frames and a time, and nothing else")
        .id("settings")
        .after("loads")
        .hint("A batch without a time could wait for ever: refuse it. Refused means unchanged.")
        .book("cov-g4")
        .run(check_settings);

    CHECK_POINTS(10, "received frames are served when there are enough of them")
        .id("count")
        .after("frames")
        .hint(
            "Who looks at the ring while the vector is masked? What if one run does not take the "
            "whole batch, or the ring has no room for one?")
        .book("cov-05-halves")
        .run(tidy(check_count));

    CHECK_POINTS(5, "what is changed counts for frames that wait")
        .id("change")
        .after("count")
        .hint("A timer that was started for the old time does not know of the new one.")
        .book("cov-05-halves")
        .run(tidy(check_change));

    CHECK_POINTS(5, "a frame waits no longer than the time set, and no shorter")
        .id("time")
        .after("frames")
        .hint("The time counts from the first frame of the batch, whatever comes after it.")
        .book("cov-05-halves")
        .run(tidy(check_time));

    CHECK_POINTS(5, "frames are sent while received ones gather")
        .id("sending")
        .after("frames")
        .hint("Sent frames have the same vector, and must be taken back or the queue stops.")
        .book("cov-05-halves")
        .run(tidy(check_sending));

    CHECK_POINTS(5, "vector 0 is where it belongs, until somebody wants it elsewhere")
        .id("home")
        .after("frames")
        .hint(
            "irq_set_affinity_and_hint() moves the interrupt each time it is called; "
            "irq_update_affinity_hint() does not. Has this vector been moved before?")
        .book("cov-g3")
        .run(tidy(check_home));

    CHECK_POINTS(5, "unloading while frames gather leaves nothing behind")
        .id("unload")
        .after("loads")
        .hint("A timer that fires after rmmod calls code that is gone.")
        .book("cov-g4")
        .run(check_unload);
}

}  // namespace

grader::Scenario softirq() {
    grader::Scenario lab("05-softirq");
    add_the_registers(lab);
    add_the_halves(lab);
    add_the_batches(lab);
    return lab;
}

}  // namespace fwts::labs
