// SPDX-License-Identifier: GPL-2.0
// Lab 5, Interrupts and softirqs: the checks. handout.md is the same list in the student's words.
//
// Most of them look at the card: what was written to its registers and when, whether the vector is
// masked, and how far the receive ring's tail has moved, which says how many frames were served.
#include <fmt/format.h>

#include <algorithm>

#include "all_labs.h"
#include "bench.h"
#include "expect.h"
#include "traffic.h"

namespace fwts::labs {
namespace {

using grader::Bench;
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
using grader::unmasked;
using grader::writes_since;
using Clock = std::chrono::steady_clock;
using Writes = std::vector<RegisterWrite>;

// Offsets and bits as the 82576 datasheet names them.
constexpr std::uint32_t CTRL = 0x00000;
constexpr std::uint32_t CTRL_RST = 1U << 26U;
constexpr std::uint32_t IMS = 0x000d0;
constexpr std::uint32_t ICR_LSC = 1U << 2U;
constexpr std::uint32_t RCTL = 0x00100;
constexpr std::uint32_t RCTL_RXEN = 1U << 1U;
constexpr std::uint32_t GPIE = 0x01514;
constexpr std::uint32_t GPIE_ALL = 0xc0000011;  // PBA, EIAME, MSIX_MODE, NSICR
constexpr std::uint32_t EIMS = 0x01524;
constexpr std::uint32_t EIMC = 0x01528;
constexpr std::uint32_t EIAC = 0x0152c;
constexpr std::uint32_t EIAM = 0x01530;
constexpr std::uint32_t IVAR0 = 0x01700;
constexpr std::uint32_t IVAR_MISC = 0x01740;
constexpr std::uint32_t RDT0 = 0x0c018;
constexpr std::uint32_t RXDCTL0 = 0x0c028;
constexpr std::uint32_t RXDCTL_ENABLE = 1U << 25U;
constexpr std::uint32_t queue_vector = 1U << 0U;  // bits in EIMS and its friends
constexpr std::uint32_t other_vector = 1U << 1U;

constexpr unsigned usual_ring = 256;
constexpr unsigned small_ring = 16;

void expect_before(const Writes& record, const std::string& what, std::size_t one,
                   std::size_t other) {
    const auto place = [&](std::size_t at) {
        return at == record.size() ? std::string("never") : fmt::format("write {}", at + 1);
    };
    expect_that(one < other, what + ", as QEMU recorded the writes", "the first before the second",
                fmt::format("{} and {}", place(one), place(other)));
}

/// A check's body; whatever becomes of it, the next one finds the interface up as after loading.
std::function<void(Bench&)> tidy(void (*body)(Bench&)) {
    return [body](Bench& bench) {
        try {
            bring_up(bench);
            body(bench);
        } catch (const grader::Failure&) {
            bench.plug(true);
            const auto loaded = !bench.text("/sys/module/igbook/initstate").empty();
            if (!loaded) bench.run({"insmod", Bench::guest_module});
            // A program that still listens ends when the interface goes down.
            bench.sh(
                fmt::format("ethtool -C {0} rx-frames 1; ip link set dev {0} down; "
                            "ethtool -G {0} rx {1} tx {1}; ip link set dev {0} up",
                            interface(bench), usual_ring));
            throw;
        }
    };
}

// --- the chapter's part -----------------------------------------------------------------------

void check_loads(Bench& bench) {
    bench.silence_guest();
    grader::load(bench);
    const auto eth = interface(bench);
    bench.must_run({"ip", "link", "set", "dev", eth, "up"});
    const auto lines = bench.text("/proc/interrupts");
    for (const auto& name : {eth + "-rxtx-0", eth + "-other"})
        expect_that(lines.find(name) != std::string::npos, "/proc/interrupts", name, lines);
}

void check_route(Bench& bench) {
    expect_register("IVAR0, read from outside the guest: receive and transmit of queue 0", 0x8080,
                    bench.reg(IVAR0) & 0xffffU);
    expect_register("IVAR_MISC, read from outside the guest: other causes", 0x8100,
                    bench.reg(IVAR_MISC) & 0xff00U);
    const auto record = bench.writes();
    expect_before(record, "IVAR0 and RCTL.RXEN: no frame before its cause has an entry",
                  first(record, IVAR0), first(record, RCTL, RCTL_RXEN));
}

void expect_enabled(Bench& bench) {
    expect_register("GPIE, read from outside the guest", GPIE_ALL, bench.reg(GPIE));
    expect_register("EIAC, read from outside the guest", queue_vector | other_vector,
                    bench.reg(EIAC));
    expect_that((bench.reg(EIMS) & other_vector) != 0, "EIMS, read from outside the guest",
                "vector 1 enabled", fmt::format("{:#010x}", bench.reg(EIMS)));
}

void expect_enabled_in_order(Bench& bench) {
    const auto record = bench.writes();
    const auto masks = first(record, EIAM);
    expect_that(masks < record.size() && record[masks].value == queue_vector,
                "EIAM, as QEMU recorded it", "vector 0", "never written, or other vectors");
    const auto mode = first(record, GPIE, 1U << 4U);
    expect_before(record, "GPIE.MSIX_MODE and EIAC", mode, first(record, EIAC));
    expect_before(record, "GPIE.MSIX_MODE and EIAM", mode, first(record, EIAM));
    expect_before(record, "EIAC and the enabling of vector 1", first(record, EIAC),
                  first(record, EIMS, other_vector));
    expect_before(record, "RXDCTL.ENABLE and the enabling of vector 0",
                  first(record, RXDCTL0, RXDCTL_ENABLE), first(record, EIMS, queue_vector));
    for (const auto& write : record)
        if (write.offset == IMS)
            expect_register("IMS, as QEMU recorded it: with MSI-X queues interrupt by EIMS",
                            ICR_LSC, write.value);
    expect_that(first(record, IMS) < record.size(), "IMS, as QEMU recorded it", "LSC",
                "never written");
}

void check_enable(Bench& bench) {
    Credit credit;
    credit.part(5, [&] { expect_enabled(bench); });
    credit.part(5, [&] { expect_enabled_in_order(bench); });
    credit.done();
}

void check_link(Bench& bench) {
    const auto eth = interface(bench);
    const auto queue = grader::interrupts(bench, eth + "-rxtx-0");
    for (const bool in : {false, true}) {
        const auto before = grader::interrupts(bench, eth + "-other");
        bench.plug(in);
        grader::expect_carrier(bench, eth, in);
        expect_that(grader::interrupts(bench, eth + "-other") > before,
                    "interrupts of " + eth + "-other after the cable was moved", "at least one",
                    "none");
    }
    expect_equal("interrupts of the queues' vector meanwhile", 0U,
                 grader::interrupts(bench, eth + "-rxtx-0") - queue);
}

void check_frames(Bench& bench) {
    constexpr unsigned singly = 10;
    // More than one run of the bottom half takes, less than a socket may have on the way.
    constexpr unsigned together = 70;
    const grader::Answering program(bench, singly + together);
    const auto before = grader::interrupts(bench, queue_name(bench));
    program.exchange_singly(singly);
    const auto came = grader::interrupts(bench, queue_name(bench)) - before;
    expect_that(came >= singly, "interrupts for frames sent one by one",
                fmt::format("at least {}", singly), std::to_string(came));
    program.exchange_together(together);
}

void check_mask(Bench& bench) {
    constexpr unsigned frames = 8;
    const auto record = expect_masked_while_serving(bench, frames);
    const auto served = std::count_if(record.begin(), record.end(), [](const RegisterWrite& write) {
        return write.offset == RDT0;
    });
    expect_equal("writes of RDT for frames sent one by one", frames, served);
}

void expect_closed_in_order(const Writes& record) {
    const auto off = std::find_if(record.begin(), record.end(), [](const RegisterWrite& write) {
        return write.offset == RXDCTL0 && (write.value & RXDCTL_ENABLE) == 0;
    });
    const auto queue_off = static_cast<std::size_t>(off - record.begin());
    expect_before(record, "closing: EIMC of vector 0 and the end of queue 0",
                  first(record, EIMC, queue_vector), queue_off);
    const auto opened = std::find_if(off, record.end(), [](const RegisterWrite& write) {
        return write.offset == EIMS && (write.value & queue_vector) != 0;
    });
    expect_that(opened == record.end(), "closing, as QEMU recorded the writes",
                "vector 0 stays masked from the end of queue 0 on", "it is enabled again");
    expect_before(record, "closing: EIMC of everything and the reset", first(record, EIMC, ~0U),
                  first(record, CTRL, CTRL_RST));
}

/// Some frames gather, if the submission lets them, and are in no hurry.
void let_frames_gather(Bench& bench) {
    bench.run({"ethtool", "-C", interface(bench), "rx-frames", bench.param("max_frames"),
               "rx-usecs", bench.param("max_usecs")});
    for (int i = 0; i < 3; ++i) send_silent(bench);
}

void check_down(Bench& bench) {
    const auto eth = interface(bench);
    let_frames_gather(bench);
    const auto mark = bench.writes().size();
    bench.must_run({"ip", "link", "set", "dev", eth, "down"});
    expect_closed_in_order(writes_since(bench, mark));
    const auto down = bench.writes().size();
    grader::outwait_watchdog(bench);  // a timer that sleeps longer is noticed at unloading
    grader::expect_no_write(bench, down, "after the interface went down");
    bench.run({"ethtool", "-C", eth, "rx-frames", "1"});
    bring_up(bench);
    serve_one(bench);
}

// --- beyond the book ----------------------------------------------------------------------------

/// Every frame at once, as after loading.
void end_batches(Bench& bench) {
    bench.must_run({"ethtool", "-C", interface(bench), "rx-frames", "1"});
}

void set_batch(Bench& bench, unsigned frames, unsigned usecs) {
    if (!unmasked(bench)) end_batches(bench);  // what an earlier part left gathering
    bench.must_run({"ethtool", "-C", interface(bench), "rx-frames", std::to_string(frames),
                    "rx-usecs", std::to_string(usecs)});
}

unsigned max_frames(Bench& bench) {
    return static_cast<unsigned>(std::stoul(bench.param("max_frames")));
}

/// Microseconds that nobody here waits for.
unsigned no_hurry(Bench& bench) {
    return static_cast<unsigned>(std::stoul(bench.param("max_usecs")));
}

/// After loading, and after what is taken and what is refused.
constexpr const char* settings_script = R"(
show() { ethtool -c $ETH | while read name value; do
    case $name in rx-usecs: | rx-frames:) echo -n "$value ";; esac; done; }
try() { echo -n "$1 $2: "; ethtool -C $ETH rx-frames $1 rx-usecs $2 2>/dev/null \
    && echo accepted || echo refused; }
show
echo
try $OWN
try 0 100
try $MANY 100
try 2 0
try 2 $LONG
show
)";

void check_settings(Bench& bench) {
    const auto most = max_frames(bench);
    const auto longest = no_hurry(bench);
    const auto usecs = 1 + bench.random()() % 1000;
    const auto shown =
        bench.must("settings",
                   fmt::format("ETH={} OWN='{} {}' MANY={} LONG={}\n{}", interface(bench), most,
                               usecs, most + 1, longest + 1, settings_script),
                   Bench::Seconds(20));
    std::string expected = fmt::format("{} {}: accepted\n", most, usecs);
    for (const auto& refused : {std::string("0 100"), fmt::format("{} 100", most + 1),
                                std::string("2 0"), fmt::format("2 {}", longest + 1)})
        expected += refused + ": refused\n";
    expected += fmt::format("{} {} ", usecs, most);
    const auto loaded = shown.substr(0, shown.find('\n') + 1);
    expect_that(loaded.ends_with(" 1 \n"), "ethtool -c after loading", "rx-frames 1", loaded);
    expect_equal(
        "ethtool -C with rx-frames and rx-usecs, and in the end what ethtool -c shows as rx-usecs "
        "and rx-frames",
        expected, shown.substr(loaded.size()));
    end_batches(bench);
}

void expect_gathering(Bench& bench, std::uint32_t tail, unsigned sent, unsigned batch) {
    bench.let_settle();
    expect_equal(fmt::format("descriptors given back (RDT, read from outside the guest) after {} "
                             "frames of a batch of {}",
                             sent, batch),
                 0U, grader::ahead(bench, tail, bench.reg(RDT0)));
    expect_that(!unmasked(bench), "EIMS, read from outside the guest, while frames gather",
                "vector 0 masked", "enabled");
}

void expect_batch(Bench& bench, std::uint32_t tail, unsigned batch) {
    expect_that(bench.soon([&] { return grader::ahead(bench, tail, bench.reg(RDT0)) >= batch; }) &&
                    bench.soon([&] { return unmasked(bench); }),
                fmt::format("a batch of {} is complete and has time left: RDT and EIMS, read from "
                            "outside the guest",
                            batch),
                fmt::format("RDT {} on, vector 0 enabled", batch),
                fmt::format("RDT {} on, vector 0 {}", grader::ahead(bench, tail, bench.reg(RDT0)),
                            unmasked(bench) ? "enabled" : "masked"));
}

/// One batch, frame by frame.
void gather_one_by_one(Bench& bench, unsigned batch) {
    const auto tail = bench.reg(RDT0);
    for (unsigned sent = 1; sent < batch; ++sent) {
        send_silent(bench);
        expect_gathering(bench, tail, sent, batch);
    }
    send_silent(bench);
    expect_batch(bench, tail, batch);
    expect_equal("descriptors given back (RDT) for the batch", batch,
                 grader::ahead(bench, tail, bench.reg(RDT0)));
}

void count_exactly(Bench& bench) {
    constexpr std::uint64_t batches = 2;
    const auto batch = 6 + static_cast<unsigned>(bench.random()() % 7);
    set_batch(bench, batch, no_hurry(bench));
    const auto before = grader::interrupts(bench, queue_name(bench));
    for (std::uint64_t i = 0; i < batches; ++i) gather_one_by_one(bench, batch);
    const auto came = grader::interrupts(bench, queue_name(bench)) - before;
    // One begins a batch; a cause noted while the vector was masked may bring a second.
    constexpr std::uint64_t most = 2;
    expect_that(came <= most * batches,
                fmt::format("interrupts for {} batches of {} frames", batches, batch),
                fmt::format("at most {}", most * batches), std::to_string(came));
}

void count_most(Bench& bench) {
    set_batch(bench, max_frames(bench), no_hurry(bench));
    const auto tail = bench.reg(RDT0);
    for (unsigned i = 0; i < max_frames(bench); ++i) send_silent(bench);
    expect_batch(bench, tail, max_frames(bench));
}

/// A ring of 16 has 15 descriptors for the card: no batch can be larger.
void count_in_small_ring(Bench& bench) {
    const auto eth = interface(bench);
    bench.must_run({"ethtool", "-G", eth, "rx", std::to_string(small_ring)});
    set_batch(bench, max_frames(bench), no_hurry(bench));
    const auto tail = bench.reg(RDT0);
    for (unsigned i = 0; i < small_ring - 1; ++i) send_silent(bench);
    expect_that(bench.soon([&] { return bench.reg(RDT0) != tail; }),
                fmt::format("a ring of {} is full, a batch would be {}: RDT, read from outside",
                            small_ring, max_frames(bench)),
                "the frames are served", "they are not");
    bench.must_run({"ethtool", "-G", eth, "rx", std::to_string(usual_ring)});
}

void check_count(Bench& bench) {
    Credit credit;
    credit.part(5, [&] { count_exactly(bench); });
    credit.part(3, [&] { count_most(bench); });
    credit.part(2, [&] { count_in_small_ring(bench); });
    credit.done();
    end_batches(bench);
}

/// Not before its time, whole, and in order. How much later depends on the host: no demand on that.
void wait_for_few(Bench& bench) {
    const auto time = std::chrono::milliseconds(300 + bench.random()() % 200);
    set_batch(bench, max_frames(bench), static_cast<unsigned>(time.count() * 1000));
    const grader::Answering program(bench, 3);
    std::vector<std::string> frames;
    while (frames.size() < 3) frames.push_back(program.make_frame());
    const auto start = Clock::now();
    for (const auto& frame : frames) bench.send(frame);
    program.expect_answers("three frames, after which none comes", frames);
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    expect_that(passed >= time, "when they were answered",
                fmt::format("not before {} ms", time.count()),
                fmt::format("after {} ms", passed.count()));
}

/// The time counts from the first frame of a batch: frames that drip in must not put it off.
void wait_while_dripping(Bench& bench) {
    constexpr Bench::Seconds time{1.5};  // so long that a busy host makes no difference
    constexpr Bench::Seconds between{0.1};
    set_batch(bench, max_frames(bench), static_cast<unsigned>(time.count() * 1e6));
    const auto tail = bench.reg(RDT0);
    unsigned sent = 0;
    const auto served = [&] {
        if (++sent < max_frames(bench)) send_silent(bench);
        bench.receive(between);  // there is nothing to receive; this is a pause
        return bench.reg(RDT0) != tail;
    };
    expect_that(
        bench.soon(served, time + Bench::usual_patience),
        "frames that come one by one, less than a batch, rx-usecs being 1500000: RDT, read from "
        "outside the guest",
        "they are served when the first of them has waited so long", "they are not served");
}

void check_time(Bench& bench) {
    Credit credit;
    credit.part(6, [&] { wait_for_few(bench); });
    credit.part(4, [&] { wait_while_dripping(bench); });
    credit.done();
    end_batches(bench);
}

void check_sending(Bench& bench) {
    constexpr unsigned ring = 16;
    constexpr unsigned frames = 40;
    const auto eth = interface(bench);
    bench.must_run({"ethtool", "-G", eth, "tx", std::to_string(ring)});
    set_batch(bench, max_frames(bench), no_hurry(bench));
    bench.take_frames();
    const auto tail = bench.reg(RDT0);
    send_silent(bench);
    bench.start({"frames", "send", eth, std::to_string(frames)});
    unsigned came = 0;
    while (came < frames && bench.receive()) ++came;
    expect_equal("frames sent through a ring of 16 while a received frame waits for more", frames,
                 came);
    expect_gathering(bench, tail, 1, max_frames(bench));
    end_batches(bench);
    bench.must_run({"ethtool", "-G", eth, "tx", std::to_string(usual_ring)});
}

// --- going --------------------------------------------------------------------------------------

void check_unload(Bench& bench) {
    if (!bench.text("/sys/class/net/" + interface(bench) + "/carrier").starts_with('1'))
        bench.run({"ip", "link", "set", "dev", interface(bench), "up"});
    else
        let_frames_gather(bench);
    bench.must_run({"rmmod", "igbook"});
    const auto mark = bench.writes().size();
    grader::expect_released(bench);
    expect_that(bench.text("/proc/interrupts").find("-rxtx-") == std::string::npos,
                "/proc/interrupts after rmmod", "nothing of the card's", "its vectors");
    grader::expect_nothing_lost(bench, "unloading while frames gather");
    // While memory was searched, more than a second passed.
    grader::expect_no_write(bench, mark, "after rmmod");
}

void add_the_registers(grader::Scenario& lab) {
    CHECK_POINTS(5, "the driver loads, and both vectors stand in /proc/interrupts")
        .id("loads")
        .hint("igbook_irq_alloc() and igbook_irq_request() are complete as handed out.")
        .book("cov-c11")
        .run(check_loads);

    CHECK_POINTS(10, "the queues' causes go to vector 0, all others to vector 1")
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

    CHECK_POINTS(10, "the carrier follows the cable, by the other vector's interrupt")
        .id("link")
        .after("loads")
        .hint("Ask ICR what it was. Reading it clears it: if GPIE says so.")
        .book("cov-g2")
        .run(tidy(check_link));
}

void add_the_halves(grader::Scenario& lab) {
    CHECK_POINTS(10, "frames are received and sent, alone and in bursts, byte for byte")
        .id("frames")
        .after("loads")
        .hint("If nothing comes: does the handler run (/proc/interrupts)? Does the bottom half?")
        .book("cov-05-halves")
        .run(tidy(check_frames));

    CHECK_POINTS(10, "the vector is masked from the handler to the end of the bottom half")
        .id("mask")
        .after("loads")
        .hint("The emulated card does not mask by EIAM. Unmasking is the very last thing.")
        .book("cov-05-halves")
        .run(tidy(check_mask));

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

    CHECK_POINTS(10, "a frame waits no longer than the time set, and no shorter")
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
