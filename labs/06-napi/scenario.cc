// SPDX-License-Identifier: GPL-2.0
// Lab 6, NAPI: the checks. handout.md is the same list in the student's words.
//
// napi_defer_hard_irqs and gro_flush_timeout are the checks' own tools: while they are set, the
// core polls by a timer and the vector must stay masked, so frames can be put together in peace,
// and what is done when it ends does not depend on how fast anything ran.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "all_labs.h"
#include "expect.h"
#include "frame.h"
#include "testbed.h"
#include "traffic.h"
#include "witness.h"

namespace fwts::labs {
namespace {

using grader::ahead;
using grader::Credit;
using grader::expect_equal;
using grader::expect_that;
using grader::Inserted;
using grader::interface;
using grader::number;
using grader::RegisterWrite;
using grader::send_silent;
using grader::Testbed;
using grader::unmasked;
using grader::Witness;
using grader::writes_since;
using Writes = std::vector<RegisterWrite>;

using namespace sandbox::registers;

constexpr unsigned eitr_shift = 2;
constexpr std::uint32_t queue_vector = 1U << 0U;

constexpr unsigned usual_ring = 256;
constexpr unsigned budget = 64;
constexpr unsigned tx_limit = 256;  // sent frames taken back in one poll
constexpr const char* irq_mode_file = "/sys/module/igbook/parameters/irq_mode";

// What the driver calls, as witness names it.
constexpr const char* delivered = "napi_gro_receive";
constexpr const char* taken_back = "napi_consume_skb";
constexpr const char* completes = "napi_complete_done";

void put_setting(Testbed& testbed, const std::string& name, std::uint64_t value) {
    testbed.put("/sys/class/net/" + interface(testbed) + "/" + name, std::to_string(value));
}

/// From the next frame on the core polls by its timer and keeps the vector masked.
/// @param between  nanoseconds from one poll to the next.
void begin_deferral(Testbed& testbed, std::uint64_t between) {
    constexpr unsigned for_ever = 100'000;  // empty polls; nobody waits for them
    put_setting(testbed, "gro_flush_timeout", between);
    put_setting(testbed, "napi_defer_hard_irqs", for_ever);
}

/// The next poll of the timer is the last.
void end_deferral(Testbed& testbed) {
    put_setting(testbed, "gro_flush_timeout", 0);
    put_setting(testbed, "napi_defer_hard_irqs", 0);
    constexpr Testbed::Seconds timer_and_more{5};
    expect_that(testbed.soon([&] { return unmasked(testbed); }, timer_and_more),
                "EIMS, read from outside the guest, when napi_defer_hard_irqs is 0 again",
                "vector 0 enabled", "masked");
}

constexpr std::uint64_t often = 50'000'000;      // ns
constexpr std::uint64_t rarely = 1'500'000'000;  // ns; all frames are there before

/// Frames that nobody answers are put into the ring, and served.
/// @return how far the tail had moved when each of them was served.
void expect_served(Testbed& testbed, std::uint32_t tail, unsigned frames) {
    expect_that(testbed.soon([&] { return ahead(testbed, tail, testbed.reg(RDT0)) == frames; }),
                fmt::format("RDT of queue 0 after {} frames, read from outside the guest", frames),
                fmt::format("{} on", frames),
                fmt::format("{} on", ahead(testbed, tail, testbed.reg(RDT0))));
}

/// A check's body; whatever becomes of it, the next one finds the interface up as after loading.
std::function<void(Testbed&)> tidy(void (*body)(Testbed&)) {
    return [body](Testbed& testbed) {
        try {
            grader::bring_up(testbed);
            body(testbed);
        } catch (const grader::Failure&) {
            if (testbed.text(irq_mode_file) == "intx") {
                testbed.run({"rmmod", "igbook"});
                testbed.run({"insmod", Testbed::guest_module});
            }
            put_setting(testbed, "gro_flush_timeout", 0);
            put_setting(testbed, "napi_defer_hard_irqs", 0);
            // A program that still listens ends when the interface goes down.
            testbed.sh(
                fmt::format("ip link set dev {0} down 2>/dev/null; ethtool -G {0} rx {1} tx {1}; "
                            "ethtool -C {0} adaptive-rx off rx-usecs 0; "
                            "ip link set dev {0} up",
                            interface(testbed), usual_ring));
            throw;
        }
    };
}

// --- the chapter's part -----------------------------------------------------------------------

void check_loads(Testbed& testbed) {
    testbed.silence_guest();
    grader::load(testbed);
    const auto eth = interface(testbed);
    // No pauses unless a check asks for them.
    testbed.must_run({"ethtool", "-C", eth, "adaptive-rx", "off", "rx-usecs", "0"});
    testbed.must_run({"ip", "link", "set", "dev", eth, "up"});
    grader::expect_carrier(testbed, eth, true);
}

void exchange(Testbed& testbed, unsigned singly, unsigned together) {
    const grader::Answering program(testbed, singly + together);
    program.exchange_singly(singly);
    program.exchange_together(together);
}

/// @param parameters  of the module
void load_anew(Testbed& testbed, const std::vector<std::string>& parameters) {
    testbed.must_run({"rmmod", "igbook"});
    grader::load(testbed, parameters);
    testbed.must_run({"ethtool", "-C", interface(testbed), "adaptive-rx", "off", "rx-usecs", "0"});
    grader::bring_up(testbed);
}

void check_frames(Testbed& testbed) {
    Credit credit;
    credit.part(8, [&] { exchange(testbed, 10, 50); });
    credit.part(2, [&] {
        load_anew(testbed, {"irq_mode=intx"});
        exchange(testbed, 3, 20);
    });
    load_anew(testbed, {});
    credit.done();
}

void check_mask(Testbed& testbed) {
    constexpr unsigned frames = 8;
    Credit credit;
    credit.part(8, [&] { grader::expect_masked_while_serving(testbed, frames); });
    credit.part(2, [&] { grader::expect_tagged(testbed); });
    credit.done();
}

// --- the contract, poll by poll -----------------------------------------------------------------

/// What witness is to mark for the contract.
std::vector<std::string> contract_symbols() {
    return {std::string("%") + delivered, taken_back, completes};
}

/// One poll, out of the record.
struct Poll {
    std::uint32_t budget = 0;
    std::uint32_t returned = 0;
    unsigned received = 0;
    unsigned sent = 0;
    unsigned completed = 0;
    unsigned enabled = 0;  ///< EIMS was written so often
};

/// What one write or call adds to the poll it is in, and what must not come after what.
void add_to(Poll& poll, const Witness& witness, const RegisterWrite& write) {
    const bool work = witness.is_call(write, delivered) || witness.is_call(write, taken_back) ||
                      write.offset == RDT0;
    expect_that(!work || poll.completed == 0, "a poll, as QEMU recorded it",
                "no frame is served after napi_complete_done()", "one is");
    const bool card = write.offset == EITR0 || write.offset == EIMS;
    expect_that(!card || poll.completed > 0, "a poll, as QEMU recorded it",
                "EITR and EIMS are written after napi_complete_done()", "before it, or without it");
    expect_that(write.offset != EITR0 || poll.enabled == 0, "a poll, as QEMU recorded it",
                "the pause is written before the vector is enabled", "after it");
    if (witness.is_call(write, delivered)) {
        ++poll.received;
        expect_equal("queue noted in a frame when GRO gets it, plus one", 1U,
                     Witness::argument(write));
    }
    if (witness.is_call(write, taken_back)) {
        ++poll.sent;
        expect_that(poll.received == 0, "a poll, as QEMU recorded it",
                    "what was sent is taken back before anything is received", "after that");
        expect_equal("budget that comes with a sent frame to napi_consume_skb()", poll.budget,
                     Witness::argument(write));
    }
    if (witness.is_call(write, completes)) {
        ++poll.completed;
        expect_equal("frames that napi_complete_done() is told of", poll.received,
                     Witness::argument(write));
    }
    if (write.offset == EIMS && (write.value & queue_vector) != 0) ++poll.enabled;
}

void expect_honest(const Poll& poll) {
    const auto which = fmt::format("a poll with budget {} that received {} and took back {}",
                                   poll.budget, poll.received, poll.sent);
    expect_that(poll.received <= poll.budget, which, "no more received than the budget", "more");
    expect_that(poll.sent <= tx_limit, which, fmt::format("at most {} taken back", tx_limit),
                "more");
    const bool more = poll.sent == tx_limit || poll.received == poll.budget;
    expect_equal(which + ": it returns", more ? poll.budget : poll.received, poll.returned);
    if (poll.budget == 0) {
        expect_equal(which + ": writes of EIMS", 0U, poll.enabled);
        return;
    }
    expect_equal(which + ": calls of napi_complete_done()", more ? 0U : 1U, poll.completed);
    expect_that(poll.enabled <= 1, which, "EIMS is written once at most", "more often");
}

/// The polls of a record, each of which must be right in itself.
std::vector<Poll> expect_contract(const Witness& witness, const Writes& record) {
    std::vector<Poll> polls;
    bool inside = false;
    for (const auto& write : record) {
        if (write.offset == grader::poll_mark) {
            polls.push_back({static_cast<unsigned>(write.value)});
            inside = true;
        } else if (inside && write.offset == grader::polled_mark) {
            polls.back().returned = write.value;
            expect_honest(polls.back());
            inside = false;
        } else if (inside) {
            add_to(polls.back(), witness, write);
        }
    }
    return polls;
}

/// A number of silent frames is put into the ring.
void fill(Testbed& testbed, unsigned frames) {
    for (unsigned i = 0; i < frames; ++i) send_silent(testbed);
}

/// From now on nothing calls; frames that were sent and received pile up.
void pile_up(Testbed& testbed, unsigned received, unsigned sent) {
    // The timer of a pause that is over interrupts once more; that poll unmasks.
    expect_that(testbed.soon([&] {
        testbed.let_settle();
        testbed.set_reg(EIMC, queue_vector);
        testbed.let_settle();
        return !unmasked(testbed);
    }),
                "EIMS after EIMC, both from outside the guest, with nothing to be served",
                "vector 0 masked", "enabled again and again");
    testbed.take_frames();
    // What a socket has sent and nobody took back fills its buffer: each run has a socket of its
    // own.
    constexpr unsigned a_socket_holds = 128;
    for (; sent > 0; sent -= std::min(sent, a_socket_holds))
        testbed.must_run(
            {"frames", "send", interface(testbed), std::to_string(std::min(sent, a_socket_holds))});
    fill(testbed, received);
}

/// The card may call for what has piled up, and all is served when the vector is enabled again.
/// @return what was written meanwhile
Writes let_in(Testbed& testbed) {
    const auto mark = testbed.writes().size();
    testbed.set_reg(EIMS, queue_vector);
    const auto record_now = [&] { return grader::after_letting_in(writes_since(testbed, mark)); };
    const auto enabled = [&] {
        const auto record = record_now();
        return grader::first(record, EIMS, queue_vector) < record.size() && unmasked(testbed);
    };
    expect_that(testbed.soon(enabled), "EIMS, as QEMU recorded it, after an interrupt",
                "vector 0 is enabled again", "it is not");
    testbed.let_settle();
    return record_now();
}

/// All polls together, after a pile: how much they received and took back.
void expect_all(const std::vector<Poll>& polls, unsigned received, unsigned sent) {
    Poll all;
    for (const auto& poll : polls) {
        all.received += poll.received;
        all.sent += poll.sent;
        all.enabled += poll.enabled;
    }
    const auto text = [](unsigned one, unsigned other) {
        return fmt::format("{} received, {} taken back", one, other);
    };
    expect_equal("what the polls did after one interrupt", text(received, sent),
                 text(all.received, all.sent));
}

void serve_pile(Testbed& testbed, unsigned received, unsigned sent) {
    const Witness witness(testbed, contract_symbols(), {"poll=" + interface(testbed)});
    pile_up(testbed, received, sent);
    expect_all(expect_contract(witness, let_in(testbed)), received, sent);
}

void send_through_small_ring(Testbed& testbed) {
    constexpr unsigned ring = 16;
    constexpr unsigned frames = 40;
    const auto eth = interface(testbed);
    testbed.must_run({"ethtool", "-G", eth, "tx", std::to_string(ring)});
    testbed.take_frames();
    testbed.start({"frames", "send", eth, std::to_string(frames)});
    unsigned came = 0;
    while (came < frames && testbed.receive()) ++came;
    expect_equal("frames sent through a ring of 16 while none comes", frames, came);
    testbed.must_run({"ethtool", "-G", eth, "tx", std::to_string(usual_ring)});
}

void send_more_than_the_limit(Testbed& testbed) {
    const auto eth = interface(testbed);
    testbed.must_run({"ethtool", "-G", eth, "tx", std::to_string(2 * usual_ring)});
    serve_pile(testbed, 3, tx_limit + 40);
    testbed.must_run({"ethtool", "-G", eth, "tx", std::to_string(usual_ring)});
}

void check_sent(Testbed& testbed) {
    Credit credit;
    credit.part(5, [&] { send_through_small_ring(testbed); });
    credit.part(5, [&] { send_more_than_the_limit(testbed); });
    credit.done();
}

void check_deferred(Testbed& testbed) {
    constexpr unsigned frames = 6;
    const auto before = grader::interrupts(testbed, queue_name(testbed));
    begin_deferral(testbed, often);
    const auto tail = testbed.reg(RDT0);
    for (unsigned sent = 1; sent <= frames; ++sent) {
        send_silent(testbed);
        expect_served(testbed, tail, sent);
        testbed.let_settle();
        expect_that(!unmasked(testbed),
                    "EIMS, read from outside the guest, while napi_complete_done() says false",
                    "vector 0 masked", "enabled");
    }
    end_deferral(testbed);
    // One for the first frame; a cause noted while the vector was masked may bring a second.
    const auto came = grader::interrupts(testbed, queue_name(testbed)) - before;
    expect_that(came <= 2, fmt::format("interrupts for {} frames, polled by the timer", frames),
                "one or two", std::to_string(came));
}

/// A poll by somebody else, with his budget.
void poll_as_others(Testbed& testbed, unsigned with, unsigned received, unsigned sent) {
    const auto eth = interface(testbed);
    const Witness witness(testbed, contract_symbols(), {"poll=" + eth});
    pile_up(testbed, received, sent);
    const auto tail = testbed.reg(RDT0);
    const auto mark = testbed.writes().size();
    {
        const Inserted poller(testbed, "poller",
                              {"interface=" + eth, fmt::format("budget={}", with)});
        const auto least = std::min(with, received);
        expect_that(testbed.soon([&] { return ahead(testbed, tail, testbed.reg(RDT0)) >= least; }),
                    "RDT of queue 0 after a poll by somebody else", fmt::format("{} on", least),
                    "less");
    }
    expect_that(testbed.soon([&] { return unmasked(testbed); }),
                "EIMS, read from outside the guest, after all has been served", "vector 0 enabled",
                "masked");
    testbed.let_settle();
    const auto polls = expect_contract(witness, writes_since(testbed, mark));
    expect_all(polls, received, sent);
    expect_equal("budget of the first poll", with, polls.at(0).budget);
    expect_equal(fmt::format("frames received by it, of {}", received), std::min(with, received),
                 polls.at(0).received);
    if (with == 0) expect_equal("sent frames taken back by it", sent, polls.at(0).sent);
}

void check_budget(Testbed& testbed) {
    Credit credit;
    credit.part(6, [&] {
        for (const auto received : {budget - 1, budget, budget + 1, 2 * budget + 5})
            serve_pile(testbed, received, 3);
        serve_pile(testbed, 3, 2 * budget);  // what was sent does not count
    });
    credit.part(4, [&] {
        constexpr unsigned small = 5;
        for (const auto received : {small - 1, small, small + 4})
            poll_as_others(testbed, small, received, 2);
        poll_as_others(testbed, 0, 3, 2);
    });
    credit.done();
}

void check_window(Testbed& testbed) {
    const auto tail = testbed.reg(RDT0);
    const auto console = testbed.console().size();
    // Holds the poll where it calls napi_complete_done() for the first time from now on, until the
    // card has received another frame.
    const Inserted window(
        testbed, "window",
        {grader::card_memory(testbed), std::string("symbol=") + completes, "frames=1"});
    send_silent(testbed);
    expect_that(testbed.soon([&] {
        return testbed.console().find("window: open", console) != std::string::npos;
    }),
                "the poll function, after a frame", "calls napi_complete_done()", "does not");
    send_silent(testbed);
    expect_equal("frames received while the poll was held before napi_complete_done()",
                 std::string("1"), window.parameter("arrived"));
    expect_that(
        testbed.soon([&] { return ahead(testbed, tail, testbed.reg(RDT0)) == 2; }),
        "a frame that came between the last look at the ring and napi_complete_done(), and after "
        "which none comes",
        "is served", "is not");
}

/// A segment of a TCP connection that the guest has never heard of.
std::string tcp_segment(Testbed& testbed, std::uint32_t sequence, std::size_t payload) {
    constexpr std::uint8_t header_words = 5;
    constexpr std::uint8_t flag_ack = 0x10;
    sandbox::Frame segment{0x9c, 0x40, 0x12, 0x34};
    for (const auto word : {sequence, std::uint32_t{1}})
        for (int shift = 24; shift >= 0; shift -= 8)
            segment.push_back(static_cast<std::uint8_t>(word >> static_cast<unsigned>(shift)));
    const std::array<std::uint8_t, 8> rest{header_words << 4U, flag_ack, 0x20, 0, 0, 0, 0, 0};
    segment.insert(segment.end(), rest.begin(), rest.end());
    const auto text = testbed.random_bytes(payload);
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
    return testbed.random_frame(14, testbed.mac()).substr(0, address) +
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
void join_segments(Testbed& testbed) {
    constexpr unsigned segments = 8;
    constexpr std::size_t payload = 500;
    const auto eth = interface(testbed);
    testbed.must("an address",
                 fmt::format("ip addr replace 192.0.2.2/24 dev {0} && ip neigh replace "
                             "192.0.2.1 lladdr 02:00:00:00:00:01 dev {0}",
                             eth));
    testbed.take_frames();
    begin_deferral(testbed, rarely);
    send_silent(testbed);  // what follows waits for the timer
    const auto start = static_cast<std::uint32_t>(testbed.random()());
    for (unsigned i = 0; i < segments; ++i)
        testbed.send(
            tcp_segment(testbed, start + i * static_cast<std::uint32_t>(payload), payload));
    end_deferral(testbed);  // also what GRO holds is passed on then
    const auto answer = testbed.receive();
    testbed.let_settle();
    auto answers = testbed.take_frames();
    if (answer) answers.push_back(*answer);
    const auto refused = std::count_if(answers.begin(), answers.end(), is_reset);
    testbed.must_run({"ip", "addr", "del", "192.0.2.2/24", "dev", eth});
    expect_that(refused >= 1 && refused <= segments / 2,
                fmt::format("TCP resets for {} segments that follow one another, received in one "
                            "poll: one for each piece that GRO makes of them",
                            segments),
                "one", std::to_string(refused));
}

void check_gro(Testbed& testbed) {
    Credit credit;
    credit.part(6, [&] { join_segments(testbed); });
    credit.part(4, [&] { serve_pile(testbed, 4, 0); });
    credit.done();
}

/// EITR of vector 0 as it was last written.
std::uint32_t last_pause(Testbed& testbed) {
    testbed
        .let_settle();  // that the vector is enabled does not say the poll that writes it is over
    const auto record = testbed.writes();
    const auto found = std::find_if(record.rbegin(), record.rend(),
                                    [](const auto& write) { return write.offset == EITR0; });
    if (found == record.rend())
        grader::fail("EITR of vector 0, as QEMU recorded it", "written", "never");
    return found->value;
}

void expect_paused_while_masked(const Writes& record) {
    const auto pause = grader::first(record, EITR0);
    bool masked = false;
    for (std::size_t i = 0; i < std::min(pause, record.size()); ++i) {
        if ((record[i].value & queue_vector) == 0) continue;
        if (record[i].offset == EIMC) masked = true;
        if (record[i].offset == EIMS) masked = false;
    }
    expect_that(pause == record.size() || masked, "EITR and EIMS, as QEMU recorded them",
                "the pause is written before the vector is enabled", "after it");
}

/// What was noted is not what the card has when it was reset.
void expect_pause_after_reset(Testbed& testbed) {
    const auto eth = interface(testbed);
    const auto usecs = 20 + static_cast<std::uint32_t>(testbed.random()() % 300);
    testbed.must_run({"ethtool", "-C", eth, "rx-usecs", std::to_string(usecs)});
    grader::serve_one(testbed);
    const auto mark = testbed.writes().size();
    testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
    grader::bring_up(testbed);
    grader::serve_one(testbed);
    const auto written = last_pause(testbed);
    const auto record = writes_since(testbed, mark);
    expect_that(grader::first(record, EITR0) < record.size(),
                "EITR of vector 0 after going down and up, as QEMU recorded it",
                "written: the card was reset", "not written");
    grader::expect_register("EITR of vector 0 after going down and up, as QEMU recorded it",
                            EITR_CNT_INGR | usecs << eitr_shift, written);
    testbed.must_run({"ethtool", "-C", eth, "rx-usecs", "0"});
    grader::serve_one(testbed);
}

/// The vector stops and starts again, and the card was not reset: it has the pause it had.
void expect_pause_with_new_rings(Testbed& testbed) {
    const auto eth = interface(testbed);
    const auto usecs = 20 + static_cast<std::uint32_t>(testbed.random()() % 300);
    testbed.must_run({"ethtool", "-C", eth, "rx-usecs", std::to_string(usecs)});
    grader::serve_one(testbed);
    testbed.must_run({"ethtool", "-C", eth, "rx-usecs", "0"});
    testbed.must_run({"ethtool", "-G", eth, "rx", std::to_string(usual_ring / 2)});
    grader::serve_one(testbed);
    grader::expect_register(
        fmt::format("EITR of vector 0 after ethtool -C rx-usecs {}, ethtool -C rx-usecs 0 and "
                    "ethtool -G, as QEMU recorded it",
                    usecs),
        EITR_CNT_INGR, last_pause(testbed));
    testbed.must_run({"ethtool", "-G", eth, "rx", std::to_string(usual_ring)});
}

void check_pause(Testbed& testbed) {
    const auto eth = interface(testbed);
    constexpr std::uint32_t longest = EITR_INTERVAL >> eitr_shift;
    for (const auto usecs :
         {20 + static_cast<std::uint32_t>(testbed.random()() % 300), 1U, longest, 0U}) {
        testbed.must_run({"ethtool", "-C", eth, "rx-usecs", std::to_string(usecs)});
        const auto before = testbed.writes().size();
        grader::serve_one(testbed);
        testbed.let_settle();  // EITR may be written after RDT, and the vector open all the time
        expect_paused_while_masked(writes_since(testbed, before));
        grader::expect_register(
            fmt::format("EITR of vector 0 after ethtool -C rx-usecs {}, as QEMU recorded it",
                        usecs),
            EITR_CNT_INGR | usecs << eitr_shift, last_pause(testbed));
        const auto mark = testbed.writes().size();
        grader::serve_one(testbed);
        testbed.let_settle();
        const auto record = writes_since(testbed, mark);
        expect_that(grader::first(record, EITR0) == record.size(),
                    "EITR after a frame more, as QEMU recorded it",
                    "not written, for it is the same", "written");
    }
    expect_pause_after_reset(testbed);
    expect_pause_with_new_rings(testbed);
}

// --- beyond the book ----------------------------------------------------------------------------

/// The policy of the handout, as a model.
class Policy {
  public:
    explicit Policy(const Testbed& testbed)
        : some_(number(testbed, "some_frames")),
          many_(number(testbed, "many_frames")),
          some_usecs_(number(testbed, "some_usecs")),
          many_usecs_(number(testbed, "many_usecs")),
          patience_(number(testbed, "patience_samples")) {}

    unsigned after(unsigned frames) {
        if (frames == 0) return pause_;
        const auto asked = frames < some_ ? 0 : frames < many_ ? some_usecs_ : many_usecs_;
        longer_ = asked > pause_ ? longer_ + 1 : 0;
        if (asked <= pause_ || longer_ == patience_) {
            pause_ = asked;
            longer_ = 0;
        }
        return pause_;
    }
    unsigned patience() const { return patience_; }
    unsigned some() const { return some_; }
    unsigned many() const { return many_; }
    unsigned longest() const { return many_usecs_; }
    /// Going down and up.
    void begin() { start_with(0); }
    /// The user's own pause.
    void start_with(unsigned pause) {
        pause_ = pause;
        longer_ = 0;
    }

  private:
    unsigned some_, many_, some_usecs_, many_usecs_, patience_;
    unsigned pause_ = 0;
    unsigned longer_ = 0;
};

struct Sample {
    unsigned received;
    unsigned sent = 0;
};

/// One sample: what has piled up when the card may call. An empty one is a call for nothing.
void give_sample(Testbed& testbed, const Sample& sample) {
    if (sample.received + sample.sent == 0) {
        const auto mark = testbed.writes().size();
        testbed.set_reg(EICS, queue_vector);
        expect_that(testbed.soon([&] {
            const auto record = writes_since(testbed, mark);
            return grader::first(record, EIMS, queue_vector) < record.size();
        }),
                    "EIMS, as QEMU recorded it, after an interrupt without a frame",
                    "vector 0 is enabled again", "it is not");
        return;
    }
    const auto tail = testbed.reg(RDT0);
    pile_up(testbed, sample.received, sample.sent);
    let_in(testbed);
    expect_served(testbed, tail, sample.received);
}

/// Gives samples, and demands the model's pause after each.
class Sampler {
  public:
    explicit Sampler(Testbed& testbed) : testbed_(testbed), policy_(testbed) {}

    void give(const Sample& sample) {
        give_sample(testbed_, sample);
        expect_after(sample);
    }
    void expect_after(const Sample& sample) {
        before_ += fmt::format(", {}+{}", sample.received, sample.sent);
        expect_equal(fmt::format("the pause in EITR of vector 0, as QEMU recorded it, after "
                                 "samples of so many frames received and sent: {}",
                                 before_),
                     fmt::format("{} us", policy_.after(sample.received + sample.sent)),
                     fmt::format("{} us", (last_pause(testbed_) & EITR_INTERVAL) >> eitr_shift));
    }
    void give(unsigned times, const Sample& sample) {
        for (; times > 0; --times) give(sample);
    }
    /// Received in several polls: the core keeps interrupts out meanwhile.
    void give_slowly(unsigned received) {
        begin_deferral(testbed_, often);
        const auto tail = testbed_.reg(RDT0);
        for (unsigned half : {received / 2, received - received / 2}) {
            const auto before = testbed_.reg(RDT0);
            fill(testbed_, half);
            expect_served(testbed_, before, half);
        }
        end_deferral(testbed_);
        expect_served(testbed_, tail, received);
        expect_after({received});
    }
    /// @param what  for the report
    Policy& after(const std::string& what) {
        before_ = what;
        return policy_;
    }
    const Policy& policy() const { return policy_; }

  private:
    Testbed& testbed_;
    Policy policy_;
    std::string before_ = "none";
};

/// Each line of the table from both sides.
void show_the_table(Sampler& sampler) {
    const auto some = sampler.policy().some();
    const auto many = sampler.policy().many();
    const auto patience = sampler.policy().patience();
    sampler.give(patience + 1, {1});
    sampler.give(patience + 1, {some - 1});
    sampler.give(patience, {some});
    sampler.give({some - 1});  // shorter, at once
    sampler.give(patience + 1, {many - 1});
    sampler.give(patience, {many});
    sampler.give({many - 1});  // likewise
    sampler.give({1});
    sampler.give(patience, {budget + 6});  // more than one poll takes
    sampler.give({1});
    for (unsigned i = 0; i < patience; ++i) sampler.give_slowly(many);
    sampler.give({1});
}

void show_the_patience(Sampler& sampler) {
    const auto some = sampler.policy().some();
    const auto many = sampler.policy().many();
    const auto last = sampler.policy().patience() - 1;
    sampler.give(last, {many});
    sampler.give({1});  // one too early: the row begins anew
    sampler.give(last, {many});
    sampler.give({some});  // ends the row with what it asks for
    sampler.give(last, {many});
    sampler.give({some});  // asks for what there is
    sampler.give(last, {many});
    sampler.give({many});
    sampler.give({1});
    sampler.give(last, {some});
    sampler.give({many});
    sampler.give({some});
    sampler.give(last, {many});
    sampler.give({1});  // shorter than there is: that, too, ends a row
    sampler.give(last, {many});
    sampler.give({1});
    sampler.give(last + 1, {some});
    sampler.give(last, {many});  // the pause just granted has ended the row
    sampler.give({1});
}

void show_the_empty(Sampler& sampler) {
    const auto many = sampler.policy().many();
    sampler.give({0});  // the pause is what it was
    sampler.give({1});
    sampler.give(sampler.policy().patience() - 1, {many});
    sampler.give(2, {0});
    sampler.give({many});
    sampler.give({1});
}

/// Sent frames are frames.
void show_the_sent(Sampler& sampler) {
    const auto some = sampler.policy().some();
    const auto many = sampler.policy().many();
    const auto patience = sampler.policy().patience();
    sampler.give(patience, {0, some});
    sampler.give({1});
    sampler.give(patience, {many - 1, 1});
    sampler.give({some - 1, 1});
    sampler.give({some - 2, 1});
}

void show_the_beginning(Testbed& testbed, Sampler& sampler) {
    const auto eth = interface(testbed);
    const auto many = sampler.policy().many();
    const auto last = sampler.policy().patience() - 1;
    sampler.give(last, {many});
    testbed.must_run({"ip", "link", "set", "dev", eth, "down"});
    grader::bring_up(testbed);
    sampler.after("going down and up").begin();
    sampler.give(last, {many});
    sampler.give({1});
    const auto own = sampler.policy().longest() + 20;
    testbed.must_run({"ethtool", "-C", eth, "adaptive-rx", "off", "rx-usecs", std::to_string(own)});
    give_sample(testbed, {1});
    testbed.must_run({"ethtool", "-C", eth, "adaptive-rx", "on"});
    sampler.after(fmt::format("a pause of {} us set by the user", own)).start_with(own);
    sampler.give({many});  // shorter than that
}

void check_table(Testbed& testbed) {
    const auto eth = interface(testbed);
    testbed.must_run({"ethtool", "-C", eth, "adaptive-rx", "on"});
    Sampler sampler(testbed);
    show_the_table(sampler);
    show_the_patience(sampler);
    show_the_empty(sampler);
    show_the_sent(sampler);
    show_the_beginning(testbed, sampler);
    testbed.must_run({"ethtool", "-C", eth, "adaptive-rx", "off", "rx-usecs", "0"});
}

// --- going --------------------------------------------------------------------------------------

void check_unload(Testbed& testbed) {
    constexpr unsigned frames = 40;
    testbed.run({"ip", "link", "set", "dev", interface(testbed), "up"});
    for (unsigned i = 0; i < frames; ++i) testbed.send(testbed.random_frame(100, testbed.mac()));
    testbed.must_run({"rmmod", "igbook"});
    grader::expect_released(testbed, "after rmmod");
    grader::expect_nothing_lost(testbed, "unloading while frames come");
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
