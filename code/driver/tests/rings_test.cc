// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 04, the rings: frames of every length both ways, rings that wrap, fill up and change under
/// traffic, and the descriptors and registers as they are seen from outside the guest.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <sstream>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;

constexpr std::uint16_t kEtherType = 0x88b5;
constexpr std::size_t kHeader = 14;
constexpr std::size_t kMinimum = 60;  // bytes of a frame without FCS
constexpr std::size_t kMaximum = 1514;
constexpr std::uint32_t kEnable = sandbox::registers::RXDCTL_ENABLE;  // TXDCTL's is the same bit

/// Sixteen bytes of a ring as they stand in memory.
struct Descriptor {
    std::uint64_t low;
    std::uint64_t high;
};

Guest ready_guest() {
    sandbox::Options options = strict("04");
    options.record_registers = true;
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    // No protocol may add frames of its own.
    silence(guest);
    guest.must(std::string("insmod ") + kDriver + " && ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    guest.cable().clear();
    return guest;
}

/// A frame to the guest whose answer is cut to @p reply bytes; 0: not at all.
Frame request(std::mt19937_64& random, std::size_t size, std::size_t reply = 0) {
    Frame payload(size - kHeader);
    for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
    if (payload.size() >= 2) {
        payload[0] = static_cast<std::uint8_t>(reply >> 8);
        payload[1] = static_cast<std::uint8_t>(reply);
    }
    return sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kEtherType, payload);
}

/// What must come back: addresses exchanged, cut as asked, padded with zeros.
Frame answer(Frame frame, std::size_t reply = 0) {
    std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
    if (reply != 0) frame.resize(reply);
    frame.resize(std::max(frame.size(), kMinimum));
    return frame;
}

/// Sends each frame, at most @p window ahead of the answers, and compares every answer.
void exchange(Guest& guest, const std::vector<Frame>& requests, const std::vector<Frame>& answers,
              std::size_t window) {
    std::cout << "exchanging " << requests.size() << " frames, " << window << " at once\n";
    Frames answering(guest, "answer", requests.size());
    std::size_t sent = 0;
    for (std::size_t got = 0; got < answers.size(); got++) {
        while (sent < requests.size() && sent < got + window) guest.cable().send(requests[sent++]);
        const auto arrived = guest.cable().receive(20s);
        ASSERT_TRUE(arrived) << "no answer to frame " << got << " of " << requests.size() << "\n"
                             << guest.must("ethtool -S eth0; ip -s link show eth0");
        ASSERT_EQ(*arrived, answers[got]) << "frame " << got;
    }
    ASSERT_TRUE(answering.done()) << "more was sent than answered";
}

std::vector<Descriptor> ring(Guest& guest, std::uint32_t base_low, std::size_t count) {
    const std::uint64_t base =
        guest.read_register(base_low) | std::uint64_t{guest.read_register(base_low + 4)} << 32;
    const std::string bytes = guest.memory(base, count * sizeof(Descriptor));
    std::vector<Descriptor> result(count);
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
}

/// Every length, received and sent; two rounds, because no frame can be short on both ways: a frame
/// below the minimum is padded before the driver sees it.
void every_length(Guest& guest, std::mt19937_64& random) {
    std::vector<Frame> requests, answers;
    for (std::size_t size = kHeader; size <= kMaximum; size++) {
        requests.push_back(request(random, size));
        answers.push_back(answer(requests.back()));
    }
    for (std::size_t size = kHeader; size < kMinimum; size++) {
        requests.push_back(request(random, kMinimum, size));
        answers.push_back(answer(requests.back(), size));
    }
    std::shuffle(requests.begin(), requests.end(), std::mt19937_64(0));
    std::shuffle(answers.begin(), answers.end(), std::mt19937_64(0));
    exchange(guest, requests, answers, 32);
}

/// Rings of eight: seven frames in each look, fifty laps, the queue stopped again and
/// again; nothing is lost, nothing changes places. On a slow host each look may come in time: then
/// once more.
void small_rings(Guest& guest, std::mt19937_64& random) {
    guest.must("ethtool -G eth0 rx 8 tx 8");
    const std::uint64_t before = counter(guest, "rx0_packets");
    const std::uint64_t stops = counter(guest, "tx0_stops");
    std::uniform_int_distribution<std::size_t> size(kHeader + 2, kMaximum);
    std::size_t answered = 0;
    bool stopped = false;
    for (int round = 0; round < 10 && !stopped; round++) {
        std::vector<Frame> requests, answers;
        for (int i = 0; i < 400; i++) {
            requests.push_back(request(random, size(random)));
            answers.push_back(answer(requests.back()));
        }
        ASSERT_NO_FATAL_FAILURE(exchange(guest, requests, answers, 64));
        answered += requests.size();
        stopped = counter(guest, "tx0_stops") > stops;
    }
    EXPECT_EQ(counter(guest, "rx0_packets") - before, answered);
    EXPECT_TRUE(stopped) << "the transmit ring never filled up";
    EXPECT_EQ(statistic(guest, "rx_dropped"), 0U);
    EXPECT_EQ(statistic(guest, "tx_dropped"), 0U);
    EXPECT_EQ(guest.read_register(kRdlen0), 8 * sizeof(Descriptor));
    EXPECT_EQ(guest.read_register(kTdlen0), 8 * sizeof(Descriptor));
}

/// While the receive queue is off nothing is written that makes QEMU hand over a frame that waits
/// for it, for then it is lost: not the tail, which a real card ignores, and not RCTL.
void check_patience(const sandbox::RegisterLog& log, std::size_t changes) {
    bool off = false;
    std::size_t times = 0;
    for (const auto& write : log.all()) {
        const std::string name = sandbox::register_name(write.offset);
        if (name == "RXDCTL(0)") {
            off = (write.value & kEnable) == 0;
            times += off ? 1 : 0;
        }
        EXPECT_FALSE(off && (name == "RDT(0)" || name == "RCTL")) << name << ", queue off";
    }
    EXPECT_EQ(times, changes);
}

/// Other sizes while frames pass, upwards and downwards, and an MTU that needs other buffers.
void resize_under_traffic(Guest& guest, std::mt19937_64& random) {
    std::vector<Frame> requests, answers;
    for (int i = 0; i < 400; i++) {
        requests.push_back(request(random, 64 + i));
        answers.push_back(answer(requests.back()));
    }
    guest.must("rm -f /tmp/resized");
    const std::size_t mark = guest.registers().all().size();
    guest.start({"sh", "-c",
                 "for i in 1 2; do for n in 16 300 8 256; do "
                 "ethtool -G eth0 rx $n tx $n || exit; done; "
                 "ip link set eth0 mtu 9000 && ip link set eth0 mtu 1500 || exit; done; "
                 "echo done >/tmp/resized"});
    exchange(guest, requests, answers, 8);
    ASSERT_TRUE(eventually([&] { return content(guest, "/tmp/resized") == "done\n"; }, 60s));
    check_patience(guest.registers().since(mark), 12);
    EXPECT_EQ(guest.read_register(kRdlen0), 256 * sizeof(Descriptor));
}

/// A resize that finds no memory says so, and the old rings go on.
void resize_without_memory(Guest& guest, std::mt19937_64& random) {
    for (const char* fails :
         {"symbol=dma_alloc_attrs value=0", "symbol=dma_map_page_attrs value=-1",
          "symbol=__netdev_alloc_skb value=0"}) {
        guest.must(std::string("insmod ") + kFailcall + " " + fails);
        EXPECT_FALSE(guest.run("ethtool -G eth0 rx 64 tx 64").ok()) << fails;
        EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), "1\n") << fails;
        guest.must("rmmod failcall");
        EXPECT_EQ(guest.read_register(kRdlen0), 256 * sizeof(Descriptor));
        const Frame frame = request(random, 100);
        exchange(guest, {frame}, {answer(frame)}, 1);
    }
    EXPECT_FALSE(guest.run("ethtool -G eth0 rx 0").ok());
    EXPECT_FALSE(guest.run("ethtool -G eth0 rx 4097").ok());
}

/// The transmit queue does not come back after a resize: the user is told, and reads the sizes of
/// the rings that are there. Frames are received all the same.
void resize_without_transmit(Guest& guest) {
    guest.must(std::string("insmod ") + kFailcall + " symbol=igbook_tx_ring_enable value=-110");
    EXPECT_FALSE(guest.run("ethtool -G eth0 rx 64 tx 128").ok());
    EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), "1\n");
    guest.must("rmmod failcall");
    const std::string sizes = guest.must("ethtool -g eth0");
    EXPECT_THAT(sizes, testing::ContainsRegex("hardware settings:\nRX:[ \t]*64\n"));
    EXPECT_THAT(sizes, testing::ContainsRegex("\nTX:[ \t]*128\n"));
    EXPECT_EQ(guest.read_register(kRdlen0), 64 * sizeof(Descriptor));
    const std::uint64_t before = counter(guest, "rx0_packets");
    std::mt19937_64 random(1);
    guest.cable().send(request(random, 100));
    EXPECT_TRUE(eventually([&] { return counter(guest, "rx0_packets") == before + 1; }))
        << "the receive queue is off";
    guest.must("ip link set eth0 down && ip link set eth0 up && ethtool -G eth0 rx 256 tx 256");
    ASSERT_TRUE(carrier_becomes(guest, true));
    guest.cable().clear();
}

/// A frame for which there is no memory is dropped and counted; its buffer serves the next.
void receive_without_memory(Guest& guest, std::mt19937_64& random) {
    const std::uint64_t dropped = statistic(guest, "rx_dropped");
    guest.must(std::string("insmod ") + kFailcall + " symbol=__netdev_alloc_skb value=0");
    guest.cable().send(request(random, 1000));
    ASSERT_TRUE(
        eventually([&] { return guest.get("/sys/module/failcall/parameters/hits") == "1\n"; }));
    guest.must("rmmod failcall");
    EXPECT_EQ(statistic(guest, "rx_dropped"), dropped + 1);
    EXPECT_EQ(counter(guest, "rx0_no_memory"), 1U);
    const Frame frame = request(random, 1000);
    exchange(guest, {frame}, {answer(frame)}, 1);
}

/// One that cannot be mapped is dropped and counted, too.
void send_without_mapping(Guest& guest) {
    const std::uint64_t dropped = statistic(guest, "tx_dropped");
    guest.must("ip addr add 192.0.2.2/24 dev eth0");
    guest.must(std::string("insmod ") + kFailcall + " symbol=dma_map_page_attrs value=-1");
    guest.run("ping -c 1 -W 1 192.0.2.1");
    EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), "1\n");
    guest.must("rmmod failcall && ip addr flush dev eth0");
    EXPECT_EQ(statistic(guest, "tx_dropped"), dropped + 1);
    EXPECT_EQ(counter(guest, "tx0_no_memory"), 1U);
}

/// The interface goes down while frames are in both rings: nothing stays mapped.
void down_with_frames_in_flight(Guest& guest, std::mt19937_64& random) {
    const std::string command =
        "of=$(readlink -f /sys/class/net/eth0/device)/config bs=1 seek=4 conv=notrunc 2>/dev/null";
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 100; k++) guest.cable().send(request(random, 1000));
        // Without bus mastering the card sends nothing: these frames are still under way.
        guest.must("printf '\\003' | dd " + command);
        guest.must("frames send eth0 5");
        guest.must("ip link set eth0 down");
        EXPECT_EQ(mappings(guest), 0U);
        guest.must("printf '\\007' | dd " + command);
        guest.must("ip link set eth0 up");
        ASSERT_TRUE(carrier_becomes(guest, true));
    }
    EXPECT_THAT(guest.get("/sys/kernel/debug/dma-api/error_count"), testing::StrEq("0\n"));
}

/// @return the order of the first write to @p name whose value has all of @p bits, or nothing.
std::optional<std::size_t> first(const sandbox::RegisterLog& log, const char* name,
                                 std::uint64_t bits) {
    for (const auto& write : log.writes(name))
        if ((write.value & bits) == bits) return write.order;
    return std::nullopt;
}

/// Every value and its place in the order, as the datasheet's two initialisation sections ask.
void check_start(const sandbox::RegisterLog& log) {
    const auto order = [&log](const char* name, std::uint64_t bits = 0) {
        const auto found = first(log, name, bits);
        EXPECT_TRUE(found) << name << " never written";
        return found.value_or(0);
    };
    for (const char* name : {"RDBAL(0)", "RDBAH(0)", "RDLEN(0)", "SRRCTL(0)", "RDH(0)"})
        EXPECT_LT(order(name), order("RXDCTL(0)", kEnable)) << name;
    EXPECT_LT(order("RXDCTL(0)", kEnable), order("RDT(0)", 255)) << "tail before the queue is on";
    EXPECT_LT(order("RDT(0)", 255), order("RCTL", 1U << 1)) << "RXEN before there are buffers";
    for (const char* name : {"TDBAL(0)", "TDBAH(0)", "TDLEN(0)", "TDH(0)", "TDT(0)"})
        EXPECT_LT(order(name), order("TXDCTL(0)", kEnable)) << name;
    EXPECT_LT(order("TXDCTL(0)", kEnable), order("TCTL", 1U << 1));

    EXPECT_EQ(log.last("RDLEN(0)"), 256 * sizeof(Descriptor));
    EXPECT_EQ(*log.last("SRRCTL(0)") & 0x7f, 2U) << "BSIZEPACKET: 2 KB";
    EXPECT_EQ(*log.last("SRRCTL(0)") >> 25 & 7, 1U) << "DESCTYPE: advanced, one buffer";
    EXPECT_EQ(*log.last("RXDCTL(0)") >> 16 & 0x1f, 1U) << "WTHRESH";
    EXPECT_EQ(*log.last("TXDCTL(0)") >> 16 & 0x1f, 1U) << "WTHRESH";
    EXPECT_NE(*log.last("RCTL") & 1U << 26, 0U) << "SECRC";
    EXPECT_EQ(*log.last("TCTL") >> 4 & 0xff, 15U) << "CT";
    EXPECT_NE(*log.last("TCTL") & 1U << 3, 0U) << "PSP";
    for (const auto& write : log.all())
        EXPECT_TRUE(write.implemented) << "wrote to " << sandbox::register_name(write.offset);
}

/// Before any frame: a buffer in every receive descriptor but the last.
void check_posted(Guest& guest) {
    const auto posted = ring(guest, kRdbal0, 256);
    for (std::size_t i = 0; i < 255; i++) {
        EXPECT_NE(posted[i].low, 0U) << "descriptor " << i;
        EXPECT_EQ(posted[i].high, 0U) << "descriptor " << i;
    }
    EXPECT_EQ(posted[255].low, 0U) << "the free one";
    EXPECT_EQ(guest.read_register(kRdt0), 255U);
}

/// The receive descriptor of a frame that has just been taken out of the ring.
void check_received(const Descriptor& got, std::size_t length) {
    EXPECT_EQ(got.high >> 32 & 0xffff, length) << "length";
    EXPECT_EQ(got.high & 0x3, 3U) << "DD and EOP";
    EXPECT_EQ(got.high >> 29 & 0x7, 0U) << "RXE, IPE, L4E";
    EXPECT_EQ(got.low >> 31 & 1, 0U) << "SPH: nothing asked to split";
}

/// The transmit descriptor of a frame that the card has sent.
void check_sent(const Descriptor& got, std::uint64_t length) {
    EXPECT_NE(got.low, 0U);
    EXPECT_EQ(got.high & 0xffff, length) << "DTALEN";
    EXPECT_EQ(got.high >> 20 & 0xf, 3U) << "DTYP: a data descriptor";
    EXPECT_EQ(got.high >> 24 & 0xff, 0x2bU) << "DCMD: DEXT, RS, IFCS and EOP";
    EXPECT_EQ(got.high >> 46, length) << "PAYLEN";
    EXPECT_EQ(got.high >> 32 & 0xf, 1U) << "STA: DD";
}

/// Three frames, one after another: each descriptor as the card wrote it, those not used unchanged.
void check_written_back(Guest& guest, std::mt19937_64& random) {
    const auto before = ring(guest, kRdbal0, 256);
    const std::vector<std::size_t> sizes = {60, 256, 1514};
    for (std::size_t i = 0; i < sizes.size(); i++) {
        const Frame frame = request(random, sizes[i]);
        exchange(guest, {frame}, {answer(frame)}, 1);
        check_received(ring(guest, kRdbal0, 256)[i], sizes[i]);
        check_sent(ring(guest, kTdbal0, 256)[i], sizes[i]);
    }
    const auto received = ring(guest, kRdbal0, 256);
    for (std::size_t i = sizes.size(); i < 255; i++) {
        EXPECT_EQ(received[i].low, before[i].low) << "descriptor " << i;
        EXPECT_EQ(received[i].high, 0U) << "descriptor " << i;
    }
    // One out, one in: three more are posted, the free descriptor went along.
    EXPECT_EQ(guest.read_register(kRdt0), 2U);
    EXPECT_EQ(guest.read_register(kRdh0), 3U);
    EXPECT_EQ(guest.read_register(kTdt0), 3U);
    EXPECT_EQ(guest.read_register(kTdh0), 3U);
    // A short frame is copied and its buffer posted again; a long one takes its buffer along.
    EXPECT_EQ(received[255].low, before[0].low) << "60 bytes: the same buffer";
    EXPECT_NE(received[0].low, before[1].low) << "256 bytes: a new buffer";
}

/// A ring of eight and two hundred frames at once: never more than seven are given to the card.
void check_tails(Guest& guest, std::mt19937_64& random) {
    guest.must("ethtool -G eth0 rx 8 tx 8");
    const std::size_t mark = guest.registers().all().size();
    std::vector<Frame> requests, answers;
    for (int i = 0; i < 200; i++) {
        requests.push_back(request(random, 200));
        answers.push_back(answer(requests.back()));
    }
    exchange(guest, requests, answers, requests.size());
    const auto log = guest.registers().since(mark);
    std::uint64_t tail = 7, posted = 0, full = 0;
    for (const auto& write : log.writes("RDT(0)")) {
        const std::uint64_t step = (write.value + 8 - tail) % 8;
        EXPECT_LT(write.value, 8U);
        EXPECT_NE(step, 0U) << "a doorbell without a buffer";
        full += step == 7 ? 1 : 0;
        posted += step;
        tail = write.value;
    }
    EXPECT_EQ(posted, requests.size()) << "one in for each one out";
    EXPECT_GT(full, 0U) << "the receive ring was never exhausted";
    tail = 0;
    for (const auto& write : log.writes("TDT(0)")) {
        EXPECT_EQ(write.value, (tail + 1) % 8);
        tail = write.value;
    }
    EXPECT_EQ(log.writes("TDT(0)").size(), requests.size());
}

/// The queues are switched off before the card is asked to end DMA, and that before the reset.
void check_stop(const sandbox::RegisterLog& log) {
    const auto master = first(log, "CTRL", 1U << 2);
    const auto reset = first(log, "CTRL", 1U << 26);
    ASSERT_TRUE(master && reset);
    EXPECT_LT(*master, *reset);
    for (const char* name : {"TXDCTL(0)", "RXDCTL(0)", "RCTL", "TCTL"}) {
        ASSERT_FALSE(log.writes(name).empty()) << name;
        EXPECT_LT(log.writes(name).front().order, *master) << name;
    }
    EXPECT_EQ(log.writes("RXDCTL(0)").front().value & kEnable, 0U);
    EXPECT_EQ(log.writes("TXDCTL(0)").front().value & kEnable, 0U);
}

/// What stands in memory first: it must be the first frames that are seen.
TEST(Rings, StandInMemoryAndCarryFramesOfEveryLength) {
    std::mt19937_64 random = seeded();
    Guest guest = ready_guest();
    check_start(guest.registers());
    check_posted(guest);
    check_written_back(guest, random);
    check_tails(guest, random);
    guest.must("ethtool -G eth0 rx 256 tx 256");
    every_length(guest, random);
    small_rings(guest, random);
    guest.must("ethtool -G eth0 rx 256 tx 256");
    resize_under_traffic(guest, random);
    resize_without_memory(guest, random);
    resize_without_transmit(guest);
    receive_without_memory(guest, random);
    send_without_mapping(guest);
    down_with_frames_in_flight(guest, random);
    const std::size_t mark = guest.registers().all().size();
    guest.must("ip link set eth0 down");
    check_stop(guest.registers().since(mark));
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
