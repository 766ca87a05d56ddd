// SPDX-License-Identifier: GPL-2.0
// What the programs show of a card and its cable, which loopback has not. One guest for all.
#include "guest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <random>

#include "frame.h"

namespace fwts::sandbox {
namespace {

using std::chrono_literals::operator""s;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Waits until a file in the guest holds a text. @return what it holds then
std::string await(Guest& guest, const std::string& file, const std::string& text) {
    guest.must(
        fmt::format("n=0; until grep -q '{}' {} 2>/dev/null; do n=$((n + 1)); [ $n -lt 300 ] || "
                    "exit 1; sleep 0.1; done",
                    text, file));
    return guest.get(file);
}

constexpr std::uint8_t kSyn = 0x02, kPush = 0x18, kReset = 0x04;

/// A TCP segment from port 40000 of this end to port 7 of the guest, with its sum.
Frame segment(std::uint8_t flags, std::uint32_t number, std::uint32_t acknowledged,
              const std::string& data) {
    Frame bytes = {0x9c, 0x40, 0, 7};
    for (const auto word : {number, acknowledged})
        for (const int shift : {24, 16, 8, 0})
            bytes.push_back(static_cast<std::uint8_t>(word >> shift));
    const Frame rest = {0x50, flags, 0xff, 0xff, 0, 0, 0, 0};
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    bytes.insert(bytes.end(), data.begin(), data.end());
    auto sum = checksum_add(0, kHostIp4.data(), kHostIp4.size());
    sum = checksum_add(sum, kGuestIp4.data(), kGuestIp4.size());
    sum += kTcp + static_cast<std::uint32_t>(bytes.size());
    const auto check = checksum_finish(checksum_add(sum, bytes.data(), bytes.size()));
    bytes[16] = static_cast<std::uint8_t>(check >> 8);
    bytes[17] = static_cast<std::uint8_t>(check);
    return ip4({}, kTcp, bytes);
}

/// Connects from this end as far as is needed for one message, which must come back.
void echo_by_tcp(Guest& guest, const std::string& message) {
    const auto is_tcp = [](const Frame& frame) {
        const auto parsed = parse(frame);
        return parsed && parsed->protocol == kTcp && parsed->to_port == 40000;
    };
    guest.cable().send(segment(kSyn, 99, 0, ""));
    const auto greeting = guest.cable().expect(is_tcp, 30s);
    ASSERT_TRUE(greeting.has_value());
    std::uint32_t theirs = 1;  // what it begins with, and its SYN
    for (const int at : {4, 5, 6, 7})
        theirs +=
            std::uint32_t{(*greeting)[parse(*greeting)->l4_offset + static_cast<std::size_t>(at)]}
            << (56 - 8 * at);
    guest.cable().send(segment(kPush, 100, theirs, message));
    const auto answer = guest.cable().expect(
        [&](const Frame& frame) { return is_tcp(frame) && !parse(frame)->payload.empty(); }, 30s);
    ASSERT_TRUE(answer.has_value());
    const auto parsed = parse(*answer).value();
    EXPECT_EQ(std::string(parsed.payload.begin(), parsed.payload.end()), message);
    EXPECT_TRUE(parsed.l4_checksum_ok);
    guest.cable().send(segment(kReset, 100 + static_cast<std::uint32_t>(message.size()), 0, ""));
}

TEST(Sockets, SeeTheCardAndItsCable) {
    Options options;
    options.boot_limit = 180s;
    options.peer = true;
    for (const auto* name :
         {"echo_server", "time_stamps", "sniffer", "ping_pong", "netlink_listener"})
        options.files.push_back(
            {std::filesystem::path(FWTS_PROGRAMS) / name, fmt::format("/bin/{}", name)});
    Guest guest = Guest::boot(options);

    // An announcement for each thing that a user does to the interface.
    guest.must("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");  // sends of its own accord
    guest.must("modprobe igb; netlink_listener >>/tmp/heard & sleep 0; true");
    await(guest, "/tmp/heard", "listening");
    EXPECT_THAT(guest.run("sniffer eth0").err, HasSubstr("sniffer: eth0: Network is down\n"));
    guest.must("ip addr add 192.0.2.2/24 dev eth0; ip link set eth0 up");
    auto heard = await(guest, "/tmp/heard", "link eth0: up, running");
    EXPECT_THAT(heard, HasSubstr("address 192.0.2.2/24 on eth0\n"));
    EXPECT_THAT(heard, ContainsRegex("route to 192.0.2.0/24 by eth0, table 254\n"));
    guest.must(
        "ip addr add 192.0.2.9/24 dev eth0; ip addr del 192.0.2.9/24 dev eth0; ip neigh add "
        "192.0.2.7 lladdr 02:00:00:00:00:07 dev eth0");
    heard = await(guest, "/tmp/heard", "neighbour 192.0.2.7 on eth0: state 0x80");
    EXPECT_THAT(heard, HasSubstr("address 192.0.2.9/24 on eth0: gone\n"));
    guest.must("echo >/tmp/heard");
    guest.qmp().set_link(false);
    await(guest, "/tmp/heard", "link eth0: up, no carrier");
    guest.must("echo >/tmp/heard");
    guest.qmp().set_link(true);
    await(guest, "/tmp/heard", "link eth0: up, running");

    // Echo over the card, both ways: what came back is what this end sent.
    guest.start({"echo_server", "7"});
    guest.must(
        "n=0; until grep -q ':0007' /proc/net/udp6; do n=$((n + 1)); [ $n -lt 300 ] || exit 1; "
        "sleep 0.1; done");
    const std::string payload = fmt::format("{:016x}{:0>1000}", std::random_device()(), "x");
    guest.cable().send(udp(7, payload));
    const auto answer = guest.cable().expect(is_udp_to(40000), 30s);
    ASSERT_TRUE(answer.has_value());
    const auto parsed = parse(*answer).value();
    EXPECT_EQ(std::string(parsed.payload.begin(), parsed.payload.end()), payload);
    EXPECT_TRUE(parsed.l4_checksum_ok);
    echo_by_tcp(guest, payload.substr(0, 500));  // one segment

    // A line for each frame, with the length that it had on the cable.
    guest.must("sniffer eth0 >/tmp/seen & sleep 0; true");
    await(guest, "/tmp/seen", "watching eth0");
    std::string lines;
    for (const std::uint8_t size : {60, 61, 200}) {
        guest.cable().send(ethernet(kGuestMac, kHostMac, 0x88b5, Frame(size - 14U, size)));
        lines +=
            fmt::format("02:00:00:00:00:01 > 52:54:00:12:34:56 type 88b5, {} bytes, to us\n", size);
    }
    await(guest, "/tmp/seen", " 200 bytes");
    guest.must("killall sniffer");
    EXPECT_THAT(await(guest, "/tmp/seen", "printed"), HasSubstr(" printed, 0 dropped\n"));
    EXPECT_EQ(guest.must("grep 'type 88b5' /tmp/seen"), lines);

    // Stamps of the kernel, and the driver's word for a sent frame.
    EXPECT_THAT(guest.must("time_stamps send 192.0.2.1 4000"),
                ContainsRegex("^0 queued software [0-9.]+\n0 sent software [0-9.]+\n$"));
    // The kernel begins to stamp a while after the first socket has asked, and goes on for this
    // one.
    guest.must("time_stamps receive 4002 >/tmp/asked & sleep 0; true");
    await(guest, "/tmp/asked", "listening");
    std::string stamp;
    for (int tries = 0; tries < 100 && stamp.find("software") == std::string::npos; ++tries) {
        guest.must("rm -f /tmp/stamp; time_stamps receive 4000 >/tmp/stamp & sleep 0; true");
        await(guest, "/tmp/stamp", "listening");
        guest.cable().send(udp(4000, "stamp me"));
        stamp = await(guest, "/tmp/stamp", "received");
    }
    EXPECT_THAT(stamp, ContainsRegex("received software [0-9]+[.][0-9]+\n$"));
    guest.must("killall time_stamps");
    EXPECT_THAT(guest.must("time_stamps card eth0 on"),
                HasSubstr("eth0: sent frames: on request; received: filter 12\n"));

    // The NAPI instance is known, with busy polling and without.
    for (const auto* busy : {"", " 100"}) {
        guest.must(fmt::format("ping_pong 4001 2{} >/tmp/pong & sleep 0; true", busy));
        await(guest, "/tmp/pong", "listening");
        for (int i = 0; i < 2; ++i) {
            guest.cable().send(udp(4001, "ping"));
            EXPECT_TRUE(guest.cable().expect(is_udp_to(40000), 30s).has_value());
        }
        EXPECT_THAT(await(guest, "/tmp/pong", "answered"),
                    ContainsRegex("2 answered, slept [0-9]+ times; NAPI [1-9][0-9]*\n"));
    }
}

}  // namespace
}  // namespace fwts::sandbox
