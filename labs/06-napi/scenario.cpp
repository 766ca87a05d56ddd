// SPDX-License-Identifier: GPL-2.0
// Lab 6, NAPI: the checks. handout.md is the same list in the student's words.
//
// napi_defer_hard_irqs and gro_flush_timeout are the checks' own tools: while they are set, the
// core polls by a timer and the vector must stay masked, so frames can be put together in peace,
// and what is done when it ends does not depend on how fast anything ran.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "all_labs.h"
#include "bench.h"
#include "expect.h"
#include "frame.h"
#include "traffic.h"

namespace fwts::labs {
namespace {

using grader::ahead;
using grader::Bench;
using grader::Credit;
using grader::expect_equal;
using grader::expect_that;
using grader::interface;
using grader::RegisterWrite;
using grader::send_silent;
using grader::unmasked;
using grader::writes_since;

// Offsets and bits as the 82576 datasheet names them.
constexpr std::uint32_t EIMS = 0x01524;
constexpr std::uint32_t EITR0 = 0x01680;
constexpr std::uint32_t EITR_CNT_INGR = 1U << 31U;
constexpr std::uint32_t EITR_INTERVAL = 0x7ffc;
constexpr unsigned eitr_shift = 2;
constexpr std::uint32_t RDT0 = 0x0c018;
constexpr std::uint32_t queue_vector = 1U << 0U;

constexpr unsigned usual_ring = 256;
constexpr unsigned budget = 64;

void put_setting(Bench& bench, const std::string& name, std::uint64_t value) {
    bench.put("/sys/class/net/" + interface(bench) + "/" + name, std::to_string(value));
}

/// From the next frame on the core polls by its timer and keeps the vector masked.
/// @param between  nanoseconds from one poll to the next.
void begin_deferral(Bench& bench, std::uint64_t between) {
    constexpr unsigned for_ever = 100'000;  // empty polls; nobody waits for them
    put_setting(bench, "gro_flush_timeout", between);
    put_setting(bench, "napi_defer_hard_irqs", for_ever);
}

/// The next poll of the timer is the last.
void end_deferral(Bench& bench) {
    put_setting(bench, "gro_flush_timeout", 0);
    put_setting(bench, "napi_defer_hard_irqs", 0);
    constexpr Bench::Seconds timer_and_more{5};
    expect_that(bench.soon([&] { return unmasked(bench); }, timer_and_more),
                "EIMS, read from outside the guest, when napi_defer_hard_irqs is 0 again",
                "vector 0 enabled", "masked");
}

constexpr std::uint64_t often = 50'000'000;      // ns
constexpr std::uint64_t rarely = 1'500'000'000;  // ns; all frames are there before

/// Frames that nobody answers are put into the ring, and served.
/// @return how far the tail had moved when each of them was served.
void expect_served(Bench& bench, std::uint32_t tail, unsigned frames) {
    expect_that(bench.soon([&] { return ahead(bench, tail, bench.reg(RDT0)) == frames; }),
                fmt::format("RDT of queue 0 after {} frames, read from outside the guest", frames),
                fmt::format("{} on", frames),
                fmt::format("{} on", ahead(bench, tail, bench.reg(RDT0))));
}

/// A check's body; whatever becomes of it, the next one finds the interface up as after loading.
std::function<void(Bench&)> tidy(void (*body)(Bench&)) {
    return [body](Bench& bench) {
        try {
            grader::bring_up(bench);
            body(bench);
        } catch (const grader::Failure&) {
            if (!bench.text("/sys/module/window/initstate").empty()) bench.run({"rmmod", "window"});
            put_setting(bench, "gro_flush_timeout", 0);
            put_setting(bench, "napi_defer_hard_irqs", 0);
            // A program that still listens ends when the interface goes down.
            bench.sh(
                fmt::format("ip link set dev {0} down; ethtool -G {0} tx {1}; "
                            "ethtool -C {0} adaptive-rx off rx-usecs 0; "
                            "ip link set dev {0} up",
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
    // No pauses unless a check asks for them.
    bench.must_run({"ethtool", "-C", eth, "adaptive-rx", "off", "rx-usecs", "0"});
    bench.must_run({"ip", "link", "set", "dev", eth, "up"});
    grader::expect_carrier(bench, eth, true);
}

void check_frames(Bench& bench) {
    constexpr unsigned singly = 10;
    constexpr unsigned together = 50;
    const grader::Answering program(bench, singly + together);
    program.exchange_singly(singly);
    program.exchange_together(together);
}

void check_mask(Bench& bench) {
    constexpr unsigned frames = 8;
    grader::expect_masked_while_serving(bench, frames);
}

void check_sent(Bench& bench) {
    constexpr unsigned ring = 16;
    constexpr unsigned frames = 40;
    const auto eth = interface(bench);
    bench.must_run({"ethtool", "-G", eth, "tx", std::to_string(ring)});
    bench.take_frames();
    bench.start({"frames", "send", eth, std::to_string(frames)});
    unsigned came = 0;
    while (came < frames && bench.receive()) ++came;
    expect_equal("frames sent through a ring of 16 while none comes", frames, came);
    bench.must_run({"ethtool", "-G", eth, "tx", std::to_string(usual_ring)});
}

void check_deferred(Bench& bench) {
    constexpr unsigned frames = 6;
    const auto before = grader::interrupts(bench, queue_name(bench));
    begin_deferral(bench, often);
    const auto tail = bench.reg(RDT0);
    for (unsigned sent = 1; sent <= frames; ++sent) {
        send_silent(bench);
        expect_served(bench, tail, sent);
        bench.let_settle();
        expect_that(!unmasked(bench),
                    "EIMS, read from outside the guest, while napi_complete_done() says false",
                    "vector 0 masked", "enabled");
    }
    end_deferral(bench);
    // One for the first frame; a cause noted while the vector was masked may bring a second.
    const auto came = grader::interrupts(bench, queue_name(bench)) - before;
    expect_that(came <= 2, fmt::format("interrupts for {} frames, polled by the timer", frames),
                "one or two", std::to_string(came));
}

/// How many frames had been served when the vector was enabled, each time it was.
std::vector<std::uint32_t> served_when_enabled(Bench& bench, std::uint32_t tail,
                                               const std::vector<RegisterWrite>& record) {
    std::vector<std::uint32_t> served;
    std::uint32_t now = tail;
    for (const auto& write : record) {
        if (write.offset == RDT0) now = write.value;
        if (write.offset == EIMS && (write.value & queue_vector) != 0)
            served.push_back(ahead(bench, tail, now));
    }
    return served;
}

void check_budget(Bench& bench) {
    const auto frames = 2 * budget + 5 + static_cast<unsigned>(bench.random()() % 60);
    begin_deferral(bench, rarely);
    const auto tail = bench.reg(RDT0);
    const auto mark = bench.writes().size();
    for (unsigned i = 0; i < frames; ++i) send_silent(bench);
    end_deferral(bench);
    expect_served(bench, tail, frames);
    for (const auto served : served_when_enabled(bench, tail, writes_since(bench, mark)))
        expect_equal(fmt::format("frames served of {} that were waiting, when EIMS was written, as "
                                 "QEMU recorded it",
                                 frames),
                     frames, served);
}

/// Holds the poll where it calls napi_complete_done() for the first time from now on, until the
/// card has received another frame.
void hold_window(Bench& bench) {
    const auto file = "/sys/bus/pci/devices/" + bench.pci_address() + "/resource";
    const auto resources = bench.text(file);
    const auto console = bench.console().size();
    bench.must_run({"insmod", Bench::companion("window"), "symbol=napi_complete_done",
                    "bar=" + resources.substr(0, resources.find(' ')), "frames=1"});
    send_silent(bench);
    expect_that(bench.soon([&] {
        return bench.console().find("window: open", console) != std::string::npos;
    }),
                "the poll function, after a frame", "calls napi_complete_done()", "does not");
}

void check_window(Bench& bench) {
    const auto tail = bench.reg(RDT0);
    hold_window(bench);
    send_silent(bench);
    const std::string arrived = "/sys/module/window/parameters/arrived";
    expect_equal("frames received while the poll was held before napi_complete_done()",
                 std::string("1"), bench.text(arrived));
    expect_that(
        bench.soon([&] { return ahead(bench, tail, bench.reg(RDT0)) == 2; }),
        "a frame that came between the last look at the ring and napi_complete_done(), and after "
        "which none comes",
        "is served", "is not");
    bench.must_run({"rmmod", "window"});
}

/// A segment of a TCP connection that the guest has never heard of.
std::string tcp_segment(Bench& bench, std::uint32_t sequence, std::size_t payload) {
    constexpr std::uint8_t header_words = 5;
    constexpr std::uint8_t flag_ack = 0x10;
    sandbox::Frame segment{0x9c, 0x40, 0x12, 0x34};
    for (const auto word : {sequence, std::uint32_t{1}})
        for (int shift = 24; shift >= 0; shift -= 8)
            segment.push_back(static_cast<std::uint8_t>(word >> static_cast<unsigned>(shift)));
    const std::array<std::uint8_t, 8> rest{header_words << 4U, flag_ack, 0x20, 0, 0, 0, 0, 0};
    segment.insert(segment.end(), rest.begin(), rest.end());
    const auto text = bench.random_bytes(payload);
    segment.insert(segment.end(), text.begin(), text.end());
    // The pseudo header, then the segment.
    auto sum = sandbox::checksum_add(sandbox::kTcp, sandbox::kHostIp4.data(), 4);
    sum = sandbox::checksum_add(sum, sandbox::kGuestIp4.data(), 4) +
          static_cast<std::uint32_t>(segment.size());
    const auto check =
        sandbox::checksum_finish(sandbox::checksum_add(sum, segment.data(), segment.size()));
    constexpr std::size_t check_at = 16;
    segment[check_at] = static_cast<std::uint8_t>(check >> 8U);
    segment[check_at + 1] = static_cast<std::uint8_t>(check & 0xffU);
    const auto frame = sandbox::ip4({}, sandbox::kTcp, segment);
    constexpr std::size_t address = 6;
    return bench.random_frame(14, bench.mac()).substr(0, address) +
           std::string(frame.begin() + address, frame.end());
}

bool is_reset(const std::string& bytes) {
    constexpr std::size_t flags = 13;
    constexpr unsigned rst = 0x04;
    const sandbox::Frame frame(bytes.begin(), bytes.end());
    const auto parsed = sandbox::parse(frame);
    return parsed && parsed->protocol == sandbox::kTcp &&
           (frame[parsed->l4_offset + flags] & rst) != 0;
}

/// The guest refuses what it knows nothing of: one answer for each piece that reaches TCP.
void check_gro(Bench& bench) {
    constexpr unsigned segments = 8;
    constexpr std::size_t payload = 500;
    const auto eth = interface(bench);
    bench.must("an address", fmt::format("ip addr replace 192.0.2.2/24 dev {0} && ip neigh replace "
                                         "192.0.2.1 lladdr 02:00:00:00:00:01 dev {0}",
                                         eth));
    bench.take_frames();
    begin_deferral(bench, rarely);
    send_silent(bench);  // what follows waits for the timer
    const auto start = static_cast<std::uint32_t>(bench.random()());
    for (unsigned i = 0; i < segments; ++i)
        bench.send(tcp_segment(bench, start + i * static_cast<std::uint32_t>(payload), payload));
    end_deferral(bench);  // also what GRO holds is passed on then
    const auto answer = bench.receive();
    bench.let_settle();
    auto answers = bench.take_frames();
    if (answer) answers.push_back(*answer);
    const auto refused = std::count_if(answers.begin(), answers.end(), is_reset);
    bench.must_run({"ip", "addr", "del", "192.0.2.2/24", "dev", eth});
    expect_that(refused >= 1 && refused <= segments / 2,
                fmt::format("TCP resets for {} segments that follow one another, received in one "
                            "poll: one for each piece that GRO makes of them",
                            segments),
                "one", std::to_string(refused));
}

/// EITR of vector 0 as it was last written.
std::uint32_t last_pause(Bench& bench) {
    bench.let_settle();  // that the vector is enabled does not say the poll that writes it is over
    const auto record = bench.writes();
    const auto found = std::find_if(record.rbegin(), record.rend(),
                                    [](const auto& write) { return write.offset == EITR0; });
    if (found == record.rend())
        grader::fail("EITR of vector 0, as QEMU recorded it", "written", "never");
    return found->value;
}

void check_pause(Bench& bench) {
    const auto eth = interface(bench);
    const auto usecs = 20 + static_cast<std::uint32_t>(bench.random()() % 300);
    bench.must_run({"ethtool", "-C", eth, "rx-usecs", std::to_string(usecs)});
    grader::serve_one(bench);
    grader::expect_register(
        fmt::format("EITR of vector 0 after ethtool -C rx-usecs {}, as QEMU recorded it", usecs),
        EITR_CNT_INGR | usecs << eitr_shift, last_pause(bench));
    bench.must_run({"ethtool", "-C", eth, "rx-usecs", "0"});
    grader::serve_one(bench);
    grader::expect_register("EITR of vector 0 after ethtool -C rx-usecs 0, as QEMU recorded it",
                            EITR_CNT_INGR, last_pause(bench));
}

// --- beyond the book ----------------------------------------------------------------------------

unsigned number(const Bench& bench, const std::string& name) {
    return static_cast<unsigned>(std::stoul(bench.param(name)));
}

/// The policy of the handout, as a model.
class Policy {
  public:
    explicit Policy(const Bench& bench)
        : some_(number(bench, "some_frames")),
          many_(number(bench, "many_frames")),
          some_usecs_(number(bench, "some_usecs")),
          many_usecs_(number(bench, "many_usecs")),
          patience_(number(bench, "patience_samples")) {}

    unsigned after(unsigned frames) {
        const auto asked = frames < some_ ? 0 : frames < many_ ? some_usecs_ : many_usecs_;
        longer_ = asked > pause_ ? longer_ + 1 : 0;
        if (asked <= pause_ || longer_ == patience_) {
            pause_ = asked;
            longer_ = 0;
        }
        return pause_;
    }
    unsigned patience() const { return patience_; }

    unsigned few(Bench& bench) const { return between(bench, 1, some_); }
    unsigned some(Bench& bench) const { return between(bench, some_, many_); }
    unsigned many(Bench& bench) const { return between(bench, many_, many_ + 10); }

  private:
    static unsigned between(Bench& bench, unsigned least, unsigned end) {
        return least + static_cast<unsigned>(bench.random()() % (end - least));
    }

    unsigned some_, many_, some_usecs_, many_usecs_, patience_;
    unsigned pause_ = 0;
    unsigned longer_ = 0;
};

/// Samples of every kind, in an order that shows each rule.
std::vector<unsigned> make_samples(Bench& bench, const Policy& policy) {
    std::vector<unsigned> samples{policy.few(bench)};
    const auto repeat = [&](unsigned times, unsigned (Policy::*kind)(Bench&) const) {
        for (; times > 0; --times) samples.push_back((policy.*kind)(bench));
    };
    repeat(policy.patience() - 1, &Policy::many);
    repeat(1, &Policy::few);  // one too early: the patience begins anew
    repeat(policy.patience(), &Policy::many);
    repeat(1, &Policy::some);  // shorter, at once
    repeat(policy.patience() - 1, &Policy::many);
    repeat(1, &Policy::some);  // asks for what there is
    repeat(1, &Policy::many);
    repeat(1, &Policy::few);
    repeat(policy.patience(), &Policy::some);
    return samples;
}

/// One sample: frames that are served while the core defers, and then interrupts come back.
void give_sample(Bench& bench, unsigned frames) {
    begin_deferral(bench, often);
    const auto tail = bench.reg(RDT0);
    for (unsigned i = 0; i < frames; ++i) send_silent(bench);
    expect_served(bench, tail, frames);
    end_deferral(bench);
}

void check_table(Bench& bench) {
    const auto eth = interface(bench);
    bench.must_run({"ethtool", "-C", eth, "adaptive-rx", "on"});
    Policy policy(bench);
    std::string before = "none";
    for (const auto frames : make_samples(bench, policy)) {
        give_sample(bench, frames);
        before += fmt::format(", {}", frames);
        expect_equal(
            fmt::format("the pause in EITR of vector 0, as QEMU recorded it, after samples of "
                        "these sizes: {}",
                        before),
            fmt::format("{} us", policy.after(frames)),
            fmt::format("{} us", (last_pause(bench) & EITR_INTERVAL) >> eitr_shift));
    }
    bench.must_run({"ethtool", "-C", eth, "adaptive-rx", "off", "rx-usecs", "0"});
}

// --- going --------------------------------------------------------------------------------------

void check_unload(Bench& bench) {
    constexpr unsigned frames = 40;
    bench.run({"ip", "link", "set", "dev", interface(bench), "up"});
    for (unsigned i = 0; i < frames; ++i) bench.send(bench.random_frame(100, bench.mac()));
    bench.must_run({"rmmod", "igbook"});
    grader::expect_released(bench);
    grader::expect_nothing_lost(bench, "unloading while frames come");
}

void add_the_rings(grader::Scenario& lab) {
    CHECK_POINTS(5, "the driver loads and follows its cable")
        .id("loads")
        .hint("What has to do with interrupts and the link is complete as handed out.")
        .book("cov-h1")
        .run(check_loads);

    CHECK_POINTS(10, "frames are received and sent, alone and in bursts, byte for byte")
        .id("frames")
        .after("loads")
        .hint("Is the vector unmasked when a poll has completed? Has the frame been given to GRO?")
        .book("cov-h2")
        .run(tidy(check_frames));

    CHECK_POINTS(10, "the vector is masked from the handler to the end of the last poll")
        .id("mask")
        .after("loads")
        .hint("Unmasking is the last thing, after napi_complete_done() has said true.")
        .book("cov-h2")
        .run(tidy(check_mask));

    CHECK_POINTS(10, "what was sent is taken back, also when nothing is received")
        .id("sent")
        .after("loads")
        .hint("A poll serves both rings. Sent frames do not count against the budget.")
        .book("cov-h2")
        .run(tidy(check_sent));
}

void add_the_contract(grader::Scenario& lab) {
    CHECK_POINTS(10, "while napi_complete_done() says false the vector stays masked")
        .id("deferred")
        .after("loads")
        .hint("Somebody else will poll: the core's timer, or a program that busy-polls.")
        .book("cov-h5")
        .run(tidy(check_deferred));

    CHECK_POINTS(10, "a poll that used its budget does not complete")
        .id("budget")
        .after("deferred")
        .hint("Return the budget, and be called again with the vector still masked.")
        .book("cov-h2")
        .run(tidy(check_budget));

    CHECK_POINTS(10, "a frame that comes after the last look at the ring is not lost")
        .id("window")
        .after("loads")
        .hint("The card keeps the cause of a masked vector, if nobody clears it.")
        .book("cov-h2")
        .run(tidy(check_window));

    CHECK_POINTS(10, "segments that follow one another reach TCP as one")
        .id("gro")
        .after("deferred")
        .hint("napi_gro_receive() wants the instance whose poll this is.")
        .book("cov-h3")
        .run(tidy(check_gro));
}

void add_the_pauses(grader::Scenario& lab) {
    CHECK_POINTS(5, "ethtool -C sets the pause, and a pause that is running goes on")
        .id("pause")
        .after("loads")
        .hint("EITR has an interval of 13 bits and CNT_INGR.")
        .book("cov-g2-moderation")
        .run(tidy(check_pause));

    CHECK_POINTS(15, "the pause follows the table")
        .id("table")
        .after("deferred")
        .hint(
            "A sample is what was served between two times that interrupts were let in; an empty "
            "one says nothing. Longer needs patience, shorter does not.")
        .book("cov-g2-moderation")
        .run(tidy(check_table));

    CHECK_POINTS(5, "unloading while frames come leaves nothing behind")
        .id("unload")
        .after("loads")
        .hint("igbook_vector_stop() is complete as handed out; did you take something else?")
        .book("cov-h2")
        .run(check_unload);
}

}  // namespace

grader::Scenario napi() {
    grader::Scenario lab("06-napi");
    add_the_rings(lab);
    add_the_contract(lab);
    add_the_pauses(lab);
    return lab;
}

}  // namespace fwts::labs
