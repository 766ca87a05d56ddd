// SPDX-License-Identifier: GPL-2.0
// The parts that talk to QEMU, talking to a thread that plays QEMU's end of the socket.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "cable.h"
#include "console.h"
#include "control.h"
#include "descriptor.h"
#include "failure.h"
#include "qmp.h"

namespace fwts::sandbox {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TEST(QmpLines, PiecesAndNoise) {
    QmpLines lines;
    lines.add("{\"a\":1}\nnoise\n{\"b\"");
    EXPECT_EQ(lines.next().value()["a"], 1);
    EXPECT_FALSE(lines.next());
    lines.add(":2}\n");
    EXPECT_EQ(lines.next().value()["b"], 2);
}

TEST(Qmp, CommandsEventsAndRefusals) {
    SocketPair pair = make_socket_pair(SOCK_STREAM);
    Monitor monitor;
    Qmp qmp(std::move(pair.ours), monitor);
    std::thread qemu([&] {
        QmpLines lines;
        for (int count = 0; count < 2;) {
            std::array<char, 4096> bytes{};
            const ssize_t n = recv(pair.theirs.get(), bytes.data(), bytes.size(), 0);
            lines.add({bytes.data(), static_cast<std::size_t>(n)});
            while (const auto request = lines.next()) {
                const bool known = (*request)["execute"] == "query-status";
                nlohmann::json answer = {{"id", (*request)["id"]}};
                if (known)
                    answer["return"] = {{"status", "running"}};
                else
                    answer["error"] = {{"desc", "no such command"}};
                write_all(pair.theirs.get(), "{\"event\":\"STOP\"}\n" + answer.dump() + "\n");
                ++count;
            }
        }
        pair.theirs.close();
    });
    int events = 0;
    std::thread listener([&] {
        for (;;) {
            pollfd one{qmp.descriptor(), POLLIN, 0};
            poll(&one, 1, -1);
            if (!qmp.on_readable([&](const nlohmann::json&) { ++events; })) return;
        }
    });
    EXPECT_EQ(qmp.status(), "running");
    EXPECT_THROW(qmp.command("dance"), QmpError);
    qemu.join();
    listener.join();
    EXPECT_EQ(events, 2);
    EXPECT_EQ(qmp.event_count("STOP"), 2U);
}

TEST(Cable, FramesKeepTheirBoundaries) {
    SocketPair pair = make_socket_pair(SOCK_DGRAM);
    Cable::enlarge_buffers(pair.ours);
    Cable::enlarge_buffers(pair.theirs);
    Monitor monitor;
    Cable cable(std::move(pair.ours), monitor, false);
    const std::vector<Frame> frames = {udp(1, "a"), udp(2, std::string(9000, 'b')), udp(3, "")};
    for (const Frame& frame : frames) {
        cable.send(frame);
        ASSERT_EQ(write(pair.theirs.get(), frame.data(), frame.size()),
                  static_cast<ssize_t>(frame.size()));
    }
    for (const Frame& frame : frames) {
        Frame got(20'000);
        got.resize(static_cast<std::size_t>(recv(pair.theirs.get(), got.data(), got.size(), 0)));
        EXPECT_EQ(got, pad(frame));
    }
    cable.on_readable();
    EXPECT_EQ(cable.received_count(), 3U);
    EXPECT_EQ(cable.expect(is_udp_to(2), 0ms), frames[1]) << "drops what came before";
    EXPECT_EQ(cable.receive(0ms), frames[2]);
    EXPECT_EQ(cable.receive(1ms), std::nullopt);
}

// Ethernet has no shorter frame than 60 bytes and FCS: neither a test's nor the neighbour's.
TEST(Cable, CarriesNoShortFrameUnlessAskedTo) {
    SocketPair pair = make_socket_pair(SOCK_DGRAM);
    Monitor monitor;
    Cable cable(std::move(pair.ours), monitor, true);
    const auto arrived = [&] {
        Frame got(2000);
        got.resize(static_cast<std::size_t>(recv(pair.theirs.get(), got.data(), got.size(), 0)));
        return got;
    };
    const Frame datagram = udp(1, "x");
    ASSERT_LT(datagram.size(), 60U);
    cable.send(datagram);
    EXPECT_EQ(arrived(), pad(datagram));
    EXPECT_TRUE(cable.try_send(datagram));
    EXPECT_EQ(arrived(), pad(datagram));

    const Frame question = arp_request(kHostIp4, kGuestMac, kGuestIp4);
    ASSERT_GT(write(pair.theirs.get(), question.data(), question.size()), 0);
    cable.on_readable();
    EXPECT_EQ(arrived(), pad(arp_reply(kGuestMac, kGuestIp4)));

    cable.send_unpadded(datagram);
    EXPECT_EQ(arrived(), datagram);
    EXPECT_THROW(cable.send(Frame()), SetupError);
}

TEST(Cable, TellsWhenNobodyTakesFrames) {
    SocketPair pair = make_socket_pair(SOCK_DGRAM);
    Monitor monitor;
    Cable cable(std::move(pair.ours), monitor, false);
    EXPECT_THROW(
        {
            for (int i = 0; i < 100'000; ++i) cable.send(udp(1, "x"));
        },
        SetupError);
    EXPECT_THROW(cable.send(Frame(100'000)), SetupError);
    EXPECT_THROW(Cable(Descriptor(), monitor, false).send(udp(1, "")), SetupError);
}

TEST(Console, KeepsTextAndItsTail) {
    SocketPair pair = make_socket_pair(SOCK_STREAM);
    Monitor monitor;
    Console console(std::move(pair.ours), monitor);
    write_all(pair.theirs.get(), "one\r\n\r\ntwo\r\nthree");
    console.on_readable();
    EXPECT_EQ(console.text(), "one\n\ntwo\nthree");
    EXPECT_EQ(console.tail(2), (std::vector<std::string>{"two", "three"}));
    EXPECT_TRUE(console.expect("two", 0ms));
    EXPECT_FALSE(console.expect("two", 0ms, 6));
}

TEST(Monitor, TimeStandsStillWhileTheGuestDoes) {
    Monitor monitor;
    bool done = false;
    {
        const auto lock = monitor.lock();
        monitor.stopped();
    }
    std::thread later([&] {
        std::this_thread::sleep_for(50ms);  // longer than the limit below
        const auto lock = monitor.lock();
        done = true;
        monitor.changed();
    });
    auto lock = monitor.lock();
    EXPECT_TRUE(monitor.wait(lock, 10ms, [&] { return done; }));
    lock.unlock();
    later.join();
}

TEST(Qmp, AStoppedGuestStopsNoWaiting) {
    SocketPair pair = make_socket_pair(SOCK_STREAM);
    Monitor monitor;
    Qmp qmp(std::move(pair.ours), monitor);
    {
        const auto lock = monitor.lock();
        monitor.stopped();
    }
    EXPECT_FALSE(qmp.wait_event("MIGRATION", 0, 20ms));
}

TEST(Failure, AnOldQemuIsNamed) {
    EXPECT_NE(advice_on("qemu: -device igb,id=nic: 'igb' is not a valid device model name\n")
                  .find("8.0 or later"),
              std::string::npos);
    EXPECT_EQ(advice_on("qemu: out of memory\n"), "");
}

TEST(Monitor, TheEndWakesEverybody) {
    Monitor monitor;
    monitor.on_end([] { throw Panic("dead", {"last words"}, {"here"}); });
    std::thread later([&] {
        const auto lock = monitor.lock();
        monitor.end();
    });
    auto lock = monitor.lock();
    EXPECT_THROW(monitor.wait(lock, 10s, [] { return false; }), Panic);
    later.join();
}

TEST(Failure, ReportsAreWhole) {
    const Panic panic("it died", {"one", "two"}, {"f at a.c:1"});
    EXPECT_STREQ(panic.what(),
                 "it died\nlast console lines:\n  | one\n  | two\nbacktrace, innermost first:\n  "
                 "f at a.c:1");
    EXPECT_EQ(kind_of(panic), "panic");
    EXPECT_EQ(kind_of(SetupError("x")), "setup");
}

TEST(Names, OnlyPlainOnes) {
    EXPECT_NO_THROW(check_name("a-b_c.1"));
    for (const char* name : {"", "a/b", "a b", "name-that-is-much-too-long-for-a-socket-address"})
        EXPECT_THROW(check_name(name), SetupError) << name;
    EXPECT_THROW(ControlClient("nobody-has-this-name"), SetupError);
}

}  // namespace
}  // namespace fwts::sandbox
