// SPDX-License-Identifier: GPL-2.0
// What the programs show of a card and its cable, which loopback has not. One guest for all.
#include "guest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    guest.must("modprobe igb; netlink_listener >/tmp/heard & sleep 0; true");
    await(guest, "/tmp/heard", "listening");
    guest.must("ip addr add 192.0.2.2/24 dev eth0; ip link set eth0 up");
    auto heard = await(guest, "/tmp/heard", "link eth0: up, running");
    EXPECT_THAT(heard, HasSubstr("address 192.0.2.2/24 on eth0\n"));
    EXPECT_THAT(heard, ContainsRegex("route to 192.0.2.0/24 by eth0, table 254\n"));
    guest.must(
        "ip addr add 192.0.2.9/24 dev eth0; ip addr del 192.0.2.9/24 dev eth0; ip neigh add "
        "192.0.2.7 lladdr 02:00:00:00:00:07 dev eth0");
    heard = await(guest, "/tmp/heard", "neighbour 192.0.2.7 on eth0: state 0x80");
    EXPECT_THAT(heard, HasSubstr("address 192.0.2.9/24 on eth0: gone\n"));

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

    // A line for each frame, with the length that it had on the cable.
    guest.must("sniffer eth0 3 >/tmp/seen & sleep 0; true");
    await(guest, "/tmp/seen", "watching eth0");
    for (const std::uint8_t size : {60, 61, 200}) {
        Frame frame = ethernet(kGuestMac, kHostMac, 0x88b5, Frame(size - 14U, size));
        guest.cable().send(frame);
    }
    const auto seen = await(guest, "/tmp/seen", "dropped");
    for (const int size : {60, 61, 200})
        EXPECT_THAT(
            seen, HasSubstr(fmt::format(
                      "02:00:00:00:00:01 > 52:54:00:12:34:56 type 88b5, {} bytes, to us\n", size)));
    EXPECT_THAT(seen, HasSubstr("3 frames printed, 0 dropped\n"));

    // Stamps of the kernel, and the driver's word for a sent frame.
    EXPECT_THAT(guest.must("time_stamps send 192.0.2.1 4000"),
                ContainsRegex("^0 queued software [0-9.]+\n0 sent software [0-9.]+\n$"));
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
