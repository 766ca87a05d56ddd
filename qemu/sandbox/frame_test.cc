// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "failure.h"
#include "peer.h"

namespace fwts::sandbox {
namespace {

TEST(Checksum, TheExampleOfRfc1071) {
    const Frame bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    EXPECT_EQ(checksum_finish(checksum_add(0, bytes.data(), bytes.size())), 0xffff - 0xddf2);
}

TEST(Checksum, AnOddByteIsTheHighHalf) {
    const Frame bytes = {0x12};
    EXPECT_EQ(checksum_finish(checksum_add(0, bytes.data(), bytes.size())), 0xffff - 0x1200);
}

TEST(Frames, UdpIsWhatItShouldBeByteForByte) {
    EXPECT_EQ(to_hex(udp(4000, "hello")),
              "525400123456020000000001"
              "0800"
              "45000021000040004011b6c8c0000201c0000202"
              "9c400fa0000d8c1d68656c6c6f");
}

TEST(Frames, WhatIsBuiltParses) {
    const auto parsed = parse(pad(udp(4000, "hi", 1234)));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->from4, kHostIp4);
    EXPECT_EQ(parsed->to4, kGuestIp4);
    EXPECT_EQ(parsed->from_port, 1234);
    EXPECT_EQ(parsed->to_port, 4000);
    EXPECT_TRUE(parsed->ip_checksum_ok);
    EXPECT_TRUE(parsed->l4_checksum_ok);
    EXPECT_EQ(parsed->payload, Frame({'h', 'i'})) << "the padding is not payload";
}

TEST(Frames, Udp6Parses) {
    const auto parsed = parse(udp6(9, "text"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->to6, kGuestIp6);
    EXPECT_TRUE(parsed->l4_checksum_ok);
    EXPECT_EQ(parsed->payload.size(), 4U);
}

TEST(Frames, EveryFlippedByteOfADatagramIsNoticed) {
    const Frame whole = udp(4000, "payload");
    for (std::size_t at = 14; at < whole.size(); ++at) {
        Frame damaged = whole;
        damaged[at] ^= 0x10;
        const auto parsed = parse(damaged);
        EXPECT_TRUE(!parsed || !parsed->ip_checksum_ok || !parsed->l4_checksum_ok ||
                    parsed->ether_type != kEtherIp4)
            << "byte " << at;
    }
}

TEST(Frames, CutFramesAreRefused) {
    const Frame whole = udp(4000, "payload");
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(parse(Frame(whole.begin(), whole.begin() + static_cast<int>(size)))) << size;
}

TEST(Frames, VlanTagIsRead) {
    Frame tagged = udp(4000, "x");
    const Frame tag = {0x81, 0x00, 0x20, 0x05};
    tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
    const auto parsed = parse(tagged);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->vlan, 0x2005);
    EXPECT_EQ(parsed->to_port, 4000);
}

TEST(Frames, Predicates) {
    EXPECT_TRUE(is_udp_to(4000)(udp(4000, "")));
    EXPECT_FALSE(is_udp_to(4001)(udp(4000, "")));
    EXPECT_TRUE(is_ether_type(kEtherArp)(arp_request()));
    EXPECT_FALSE(is_icmp_echo_reply()(ping(1, 1)));
}

TEST(Hex, ReadsWithAndWithoutSeparators) {
    EXPECT_EQ(from_hex("00:fF 10\n2a"), Frame({0x00, 0xff, 0x10, 0x2a}));
    EXPECT_THROW(from_hex("0g"), SetupError);
    EXPECT_THROW(from_hex("123"), SetupError);
}

TEST(Peer, AnswersArpForItselfOnly) {
    const auto answer = peer_answer(arp_request(kHostIp4, kGuestMac, kGuestIp4));
    ASSERT_TRUE(answer);
    EXPECT_EQ(*answer, arp_reply(kGuestMac, kGuestIp4));
    EXPECT_FALSE(peer_answer(arp_request(Ip4{192, 0, 2, 77}, kGuestMac, kGuestIp4)));
    EXPECT_FALSE(peer_answer(arp_request()));
}

TEST(Peer, AnswersPing) {
    const Ip4Ends from_guest{kGuestMac, kHostMac, kGuestIp4, kHostIp4};
    const auto answer = peer_answer(ping(7, 3, "data", from_guest));
    ASSERT_TRUE(answer);
    EXPECT_TRUE(is_icmp_echo_reply()(*answer));
    const auto parsed = parse(*answer);
    EXPECT_TRUE(parsed->l4_checksum_ok);
    EXPECT_EQ(parsed->to4, kGuestIp4);
    EXPECT_EQ(parsed->payload, Frame({0, 7, 0, 3, 'd', 'a', 't', 'a'}));
}

TEST(Peer, KeepsSilentOnDamage) {
    const Ip4Ends from_guest{kGuestMac, kHostMac, kGuestIp4, kHostIp4};
    Frame damaged = ping(7, 3, "data", from_guest);
    damaged.back() ^= 1;
    EXPECT_FALSE(peer_answer(damaged));
    EXPECT_FALSE(peer_answer({}));
}

TEST(Peer, EchoesUdpOfBothKinds) {
    const auto four = peer_answer(udp(7, "echo", 999, {kGuestMac, kHostMac, kGuestIp4, kHostIp4}));
    ASSERT_TRUE(four);
    EXPECT_TRUE(is_udp_to(999)(*four));
    const auto six = peer_answer(udp6(7, "echo", 999, {kGuestMac, kHostMac, kGuestIp6, kHostIp6}));
    ASSERT_TRUE(six);
    EXPECT_TRUE(is_udp_to(999)(*six));
    EXPECT_TRUE(parse(*six)->l4_checksum_ok);
}

TEST(Peer, AdvertisesItselfToANeighbour) {
    Frame solicitation(24);
    solicitation[0] = 135;
    std::copy(kHostIp6.begin(), kHostIp6.end(), solicitation.begin() + 8);
    const Ip6Ends ends{kGuestMac, {0x33, 0x33, 0xff, 0, 0, 1}, kGuestIp6, kHostIp6};
    std::uint32_t sum = checksum_add(0, kGuestIp6.data(), 16);
    sum = checksum_add(sum, kHostIp6.data(), 16) + kIcmp6 +
          static_cast<std::uint32_t>(solicitation.size());
    const auto check = checksum_finish(checksum_add(sum, solicitation.data(), solicitation.size()));
    solicitation[2] = static_cast<std::uint8_t>(check >> 8);
    solicitation[3] = static_cast<std::uint8_t>(check);
    const auto answer = peer_answer(ip6(ends, kIcmp6, solicitation, 255));
    ASSERT_TRUE(answer);
    const auto parsed = parse(*answer);
    EXPECT_EQ(parsed->icmp_type, 136);
    EXPECT_EQ(parsed->hop_limit, 255);
    EXPECT_TRUE(parsed->l4_checksum_ok);
}

}  // namespace
}  // namespace fwts::sandbox
