// SPDX-License-Identifier: GPL-2.0
/// @file
/// Frames sent by hand: byte for byte on the cable, and field by field in the descriptors, which
/// are read out of the guest's memory. The card forgives wrong descriptors, so both are needed.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;

constexpr unsigned kRing = 8;      // descriptors
constexpr unsigned kMinimum = 60;  // bytes of a frame without FCS

/// A descriptor as it stands in memory (82576 datasheet, "Advanced Transmit Data Descriptor").
struct Descriptor {
    std::uint64_t address;
    std::uint32_t command;
    std::uint32_t status;
};

/// Frames leave by hand from stage 02 until stage 04 has a ring for the stack's.
class Dma : public StageTest {
  protected:
    /// Loads the module and waits until frames can go out.
    static Guest& ready_guest() {
        Guest& guest = StageTest::guest();
        guest.must(std::string("insmod ") + kDriver + " && ip link set eth0 up");
        EXPECT_TRUE(carrier_becomes(guest, true));
        return guest;
    }
};

std::string hand_send_file(Guest& guest) {
    return "/sys/kernel/debug/igbook/" +
           guest.must("basename $(readlink /sys/class/net/eth0/device) | tr -d '\\n'") +
           "/hand_send";
}

/// One write(2) of the whole frame, by the agent. @return whether the driver took it.
bool hand_send(Guest& guest, const std::string& file, const Frame& frame) {
    try {
        guest.put(file, std::string(frame.begin(), frame.end()), 0600);
        return true;
    } catch (const sandbox::SetupError&) {
        return false;
    }
}

constexpr std::size_t kTypeAt = 12;  // in a frame
constexpr std::uint16_t kForExperiments = 0x88b5;

Frame of_type(Frame frame, std::uint16_t type) {
    frame.at(kTypeAt) = static_cast<std::uint8_t>(type >> 8);
    frame.at(kTypeAt + 1) = static_cast<std::uint8_t>(type);
    return frame;
}

/// Of a protocol into which the emulated card does not look.
Frame random_frame(std::mt19937_64& random, std::size_t size) {
    Frame frame(size);
    for (auto& byte : frame) byte = static_cast<std::uint8_t>(random());
    return of_type(frame, kForExperiments);
}

Descriptor descriptor(Guest& guest, unsigned index) {
    const std::uint64_t base =
        guest.read_register(kTdbal0) | std::uint64_t{guest.read_register(kTdbah0)} << 32;
    const std::string bytes = guest.memory(base + index * sizeof(Descriptor), sizeof(Descriptor));
    Descriptor result{};
    std::memcpy(&result, bytes.data(), sizeof(result));
    return result;
}

/// The frame as it must arrive: padded with zeros to the least length.
Frame on_the_cable(Frame frame) {
    frame.resize(std::max<std::size_t>(frame.size(), kMinimum));
    return frame;
}

void check_descriptor(Guest& guest, unsigned index, std::uint32_t length) {
    const Descriptor got = descriptor(guest, index);
    EXPECT_NE(got.address, 0U);
    EXPECT_EQ(got.command & 0xffff, length) << "DTALEN";
    EXPECT_EQ(got.command >> 20 & 0xf, 3U) << "DTYP: a data descriptor";
    EXPECT_EQ(got.command >> 24, 0x2bU) << "DCMD: DEXT, RS, IFCS and EOP, nothing else";
    EXPECT_EQ(got.status >> 14, length) << "PAYLEN";
    EXPECT_EQ(got.status & 0xf, 1U) << "STA: DD";
    EXPECT_EQ(guest.read_register(kTdt0), (index + 1) % kRing) << "TDT";
}

TEST_P(Dma, FramesArriveByteForByte) {
    const char* given = std::getenv("FWTS_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : 82576;
    std::cout << "seed " << seed << " (FWTS_SEED)\n";
    std::mt19937_64 random(seed);
    std::vector<std::size_t> sizes = {14, 15, 59, 60, 61, 64, 1500, 1513, 1514};
    for (int i = 0; i < 16; i++)
        sizes.push_back(std::uniform_int_distribution<std::size_t>(14, 1514)(random));

    Guest& guest = ready_guest();
    const std::string file = hand_send_file(guest);
    EXPECT_EQ(guest.read_register(kTdlen0), kRing * sizeof(Descriptor));
    guest.cable().clear();
    std::uint64_t octets = 0;
    for (std::size_t i = 0; i < sizes.size(); i++) {
        const Frame sent = random_frame(random, sizes[i]);
        ASSERT_TRUE(hand_send(guest, file, sent)) << sizes[i] << " bytes";
        const Frame wanted = on_the_cable(sent);
        const auto arrived = guest.cable().receive(10s);
        ASSERT_TRUE(arrived) << "nothing on the cable, " << sizes[i] << " bytes";
        EXPECT_EQ(*arrived, wanted) << sizes[i] << " bytes";
        check_descriptor(guest, i % kRing, static_cast<std::uint32_t>(wanted.size()));
        octets += wanted.size();
    }
    EXPECT_EQ(statistic(guest, "tx_packets"), sizes.size());
    EXPECT_EQ(statistic(guest, "tx_bytes"), octets);
    guest.must("rmmod igbook");
}

TEST_P(Dma, IpWithoutAHeaderIsLostByTheEmulatedCard) {
    Guest& guest = ready_guest();
    const std::string file = hand_send_file(guest);
    guest.cable().clear();
    constexpr std::uint16_t kIpv4 = 0x0800;
    constexpr std::uint16_t kIpv6 = 0x86dd;  // zeros: an extension header, which the frame cuts off
    for (const auto type : {kIpv4, kIpv6})
        EXPECT_TRUE(hand_send(guest, file, of_type(Frame(60), type))) << "reported as done";
    const Frame other = of_type(Frame(60), kForExperiments);
    ASSERT_TRUE(hand_send(guest, file, other));
    EXPECT_EQ(guest.cable().receive(10s), other) << "the first of three to arrive";
    EXPECT_TRUE(guest.cable().take_all().empty());
    guest.must("rmmod igbook");
}

TEST_P(Dma, RefusesWhatCannotBeSent) {
    Guest& guest = ready_guest();
    const std::string file = hand_send_file(guest);
    guest.cable().clear();
    EXPECT_FALSE(hand_send(guest, file, Frame(13))) << "shorter than a header";
    EXPECT_FALSE(hand_send(guest, file, Frame(1515))) << "longer than the MTU allows";
    guest.qmp().set_link(false);
    ASSERT_TRUE(carrier_becomes(guest, false));
    EXPECT_FALSE(hand_send(guest, file, Frame(60))) << "no carrier";
    guest.qmp().set_link(true);
    ASSERT_TRUE(carrier_becomes(guest, true));

    // The mapping fails once: an error, and the next frame goes out.
    guest.must(std::string("insmod ") + kFailcall + " symbol=dma_map_page_attrs value=-1");
    EXPECT_FALSE(hand_send(guest, file, Frame(60))) << "mapping failed";
    EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), "1\n");
    guest.must("rmmod failcall");
    EXPECT_TRUE(guest.cable().take_all().empty());
    EXPECT_TRUE(hand_send(guest, file, Frame(60)));
    EXPECT_TRUE(guest.cable().receive(10s));

    // A card that may not read memory never finishes: the driver resets it and gets over it.
    const std::string command =
        "of=$(readlink -f /sys/class/net/eth0/device)/config "
        "bs=1 seek=4 conv=notrunc 2>/dev/null";
    guest.must("printf '\\003' | dd " + command);
    EXPECT_FALSE(hand_send(guest, file, Frame(60))) << "bus mastering is off";
    EXPECT_THAT(guest.get(file), testing::HasSubstr("error         -110"));
    guest.must("printf '\\007' | dd " + command);
    ASSERT_TRUE(carrier_becomes(guest, true));
    guest.cable().clear();
    EXPECT_TRUE(hand_send(guest, file, Frame(60)));
    EXPECT_TRUE(guest.cable().receive(10s));

    guest.must("ip link set eth0 down");
    EXPECT_FALSE(hand_send(guest, file, Frame(60))) << "the interface is down";
    guest.must("rmmod igbook");
    EXPECT_NE(guest.run("test -e " + file).status, 0);
}

/// @return the order of the first write to @p name whose value has all of @p bits, or nothing.
std::optional<std::size_t> first(const sandbox::RegisterLog& log, const char* name,
                                 std::uint64_t bits) {
    for (const auto& write : log.writes(name))
        if ((write.value & bits) == bits) return write.order;
    return std::nullopt;
}

TEST_P(Dma, TellsTheCardInTheRightOrder) {
    const std::size_t before = StageTest::guest().registers().all().size();
    Guest& guest = ready_guest();
    const std::string file = hand_send_file(guest);
    ASSERT_TRUE(hand_send(guest, file, Frame(60)));
    const sandbox::RegisterLog up = guest.registers().since(before);
    const auto base = first(up, "TDBAL(0)", 0);
    const auto length = first(up, "TDLEN(0)", 128);
    const auto queue = first(up, "TXDCTL(0)", 1U << 25);
    const auto transmit = first(up, "TCTL", 1U << 1);
    const auto tail = first(up, "TDT(0)", 1);
    ASSERT_TRUE(base && length && queue && transmit && tail);
    EXPECT_LT(*base, *queue);
    EXPECT_LT(*length, *queue);
    EXPECT_LT(*queue, *transmit);
    EXPECT_LT(*transmit, *tail) << "the doorbell rang before the card was ready";
    for (const auto& write : up.all())
        EXPECT_TRUE(write.implemented) << "wrote to " << sandbox::register_name(write.offset);

    guest.must("ip link set eth0 down");
    const sandbox::RegisterLog down = guest.registers().since(before + up.all().size());
    const auto master = first(down, "CTRL", 1U << 2);
    const auto reset = first(down, "CTRL", 1U << 26);
    ASSERT_TRUE(master && reset);
    EXPECT_LT(*master, *reset) << "reset before DMA was stopped";
    ASSERT_FALSE(down.writes("TXDCTL(0)").empty());
    EXPECT_EQ(down.writes("TXDCTL(0)").front().value & 1U << 25, 0U) << "queue left enabled";
    guest.must("rmmod igbook");
}

INSTANTIATE_TEST_SUITE_P(Stages, Dma, testing::ValuesIn(stages("02", "04")), stage_name);

}  // namespace
}  // namespace fwts::driver
