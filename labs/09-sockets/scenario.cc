// SPDX-License-Identifier: GPL-2.0
// Lab 9, Sockets: the checks. handout.md is the same list in the student's words.
//
// Datagrams go over the cable, with ports and data that nobody can know beforehand; the program
// sockio in the guest makes the calls and says what each returned.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "all_labs.h"
#include "expect.h"
#include "interface.h"
#include "registers.h"
#include "testbed.h"
#include "watch.h"
#include "witness.h"

namespace fwts::labs {
namespace {

using grader::expect_bytes;
using grader::expect_equal;
using grader::expect_that;
using grader::fail;
using grader::Testbed;
using Seconds = Testbed::Seconds;
namespace registers = sandbox::registers;
using Words = std::vector<std::string>;

constexpr std::size_t ethernet = 14;
constexpr std::size_t header = 8;
constexpr std::size_t shortest = 60;   // of a frame on the cable, without FCS
constexpr std::size_t longest = 1492;  // data of a datagram at the usual MTU
constexpr unsigned first_free = 0xc000;
constexpr Seconds patience{10};
const std::string type = "\x88\xb5";
const std::string station("\x02\x00\x00\x00\x00\x01", 6);  // the cable's end
const std::string everybody(6, '\xff');
const std::string stranger("\x02\x00\x00\x00\x00\x99", 6);

// --- datagrams -----------------------------------------------------------------------------------

std::string big_endian(std::size_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

unsigned number_at(const std::string& bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1]);
}

char all_by_xor(const std::string& bytes, std::size_t from, std::size_t length) {
    unsigned char sum = 0;
    for (std::size_t i = from; i < from + length && i < bytes.size(); ++i)
        sum ^= static_cast<unsigned char>(bytes[i]);
    return static_cast<char>(sum);
}

char check_byte(const Testbed& testbed) {
    return static_cast<char>(std::stoul(testbed.param("check_byte"), nullptr, 0));
}

std::string own_address(const Testbed& testbed) {
    std::string bytes;
    std::istringstream parts(fmt::format("{}", testbed.mac()));
    for (std::string part; std::getline(parts, part, ':');)
        bytes += static_cast<char>(std::stoul(part, nullptr, 16));
    return bytes;
}

/// A datagram as it must be on the cable.
std::string datagram(const Testbed& testbed, const std::string& to, const std::string& from,
                     unsigned to_port, unsigned from_port, const std::string& data) {
    std::string frame = to + from + type + std::string(2, '\0');
    frame[ethernet] = 1;
    frame += big_endian(header + data.size()) + big_endian(from_port) + big_endian(to_port) + data;
    frame[ethernet + 1] = static_cast<char>(check_byte(testbed) ^
                                            all_by_xor(frame, ethernet, frame.size() - ethernet));
    return frame;
}

std::string to_guest(const Testbed& testbed, unsigned port, unsigned from_port,
                     const std::string& data) {
    return datagram(testbed, own_address(testbed), station, port, from_port, data);
}

/// The same in a VLAN; 0 is none.
std::string tagged(std::string frame, unsigned vlan) {
    frame.insert(12, std::string("\x81\x00", 2) + big_endian(vlan));
    return frame;
}

std::string mended(const Testbed& testbed, std::string frame) {
    frame[ethernet + 1] = 0;
    const std::size_t length =
        std::min<std::size_t>(number_at(frame, ethernet + 2), frame.size() - ethernet);
    frame[ethernet + 1] =
        static_cast<char>(check_byte(testbed) ^ all_by_xor(frame, ethernet, length));
    return frame;
}

/// The next datagram from the guest, cut to the length that its header says.
std::string next_datagram(Testbed& testbed, const std::string& what) {
    auto frame = testbed.receive([](const std::string& one) {
        return one.size() >= ethernet + header && one.substr(12, 2) == type;
    });
    if (!frame) fail(what, "a datagram on the cable", "none");
    frame->resize(std::min<std::size_t>(frame->size(), ethernet + number_at(*frame, ethernet + 2)));
    return *frame;
}

/// Text of some length that nobody knows beforehand and that any program can print.
std::string secret(Testbed& testbed, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + testbed.random()() % 26);
    return text;
}

unsigned port(Testbed& testbed) {
    return static_cast<unsigned>(300 + testbed.random()() % 40000);
}

/// A port's place in the chapter's table.
unsigned place(unsigned port) {
    const std::uint32_t swapped = (port & 0xffU) << 8U | port >> 8U;
    return swapped * 0x61c88647U >> 26U;
}

unsigned port_at(Testbed& testbed, unsigned wanted) {
    for (;;)
        if (const auto one = port(testbed); place(one) == wanted) return one;
}

// --- calls ---------------------------------------------------------------------------------------

/// A program of the guest that makes calls while the check goes on. A call that nobody wakes ends
/// with this.
class Caller {
  public:
    /// @param actions  for sockio; when "note:FILE" is among them, written "{note}", they have got
    /// that far before the constructor returns
    Caller(Testbed& testbed, const std::string& actions) : testbed_(testbed), actions_(actions) {
        file_ = fmt::format("/tmp/{}", secret(testbed, 12));
        const auto noted = actions.find("{note}");
        auto words = actions;
        if (noted != std::string::npos) words.replace(noted, 6, "note:" + file_);
        testbed.start({"sh", "-c",
                       fmt::format("sockio {0} >{1}.said 2>&1 & echo $! >{1}.pid; wait $!; "
                                   "echo ended >>{1}.said",
                                   words, file_)});
        if (noted == std::string::npos) return;
        testbed.wait_until(
            "sockio " + actions, "a program that has got as far as {note}",
            [&] { return said().find("note 0") != std::string::npos || ended(); },
            [&] { return said(); }, patience);
    }
    ~Caller() {
        try {
            if (!ended()) stop();
        } catch (...) {
            // The guest is gone; whoever asks it next says so.
        }
    }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    std::string said() { return testbed_.bytes(file_ + ".said"); }
    bool ended() { return said().ends_with("ended\n"); }
    /// Waits until it sleeps in a call.
    void wait_asleep() {
        testbed_.soon([&] {
            const auto stat = testbed_.text("/proc/" + pid() + "/stat");
            return stat.find("(sockio) S") != std::string::npos || stat.empty();
        });
    }
    /// The same in the call behind one that has said something.
    void wait_asleep_behind(const std::string& call) {
        testbed_.soon([&] { return said().find("\n" + call + " ") != std::string::npos; });
        wait_asleep();
    }
    /// All it said, or what it said after {note}, once it has ended. The check fails when it does
    /// not.
    std::string end() {
        testbed_.soon([&] { return ended(); }, patience);
        auto all = said();
        if (!all.ends_with("ended\n")) {
            stop();
            fail("sockio " + actions_, "the end of these calls",
                 fmt::format("after {} s one that still waits, behind: {}", patience.count(), all));
        }
        all.resize(all.size() - 6);
        const auto noted = all.find("note 0 -\n");
        return noted == std::string::npos ? all : all.substr(noted + 9);
    }

  private:
    std::string pid() { return testbed_.text(file_ + ".pid"); }
    void stop() {
        testbed_.run({"kill", "-KILL", pid()});
        testbed_.soon([&] { return ended(); });
    }

    Testbed& testbed_;
    std::string actions_;
    std::string file_;
};

/// What a program said that makes these calls.
std::string calls(Testbed& testbed, const Words& actions) {
    return Caller(testbed, fmt::format("{}", fmt::join(actions, " "))).end();
}

/// An address as sockio shows it.
std::string shown(const std::string& interface, const std::string& mac, unsigned port) {
    std::string digits;
    for (const char byte : mac) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return fmt::format("19/{}/{}/{}", interface, digits, port);
}

std::string received(const std::string& data, const std::string& from, unsigned from_port,
                     const std::string& interface = "eth0") {
    return fmt::format("recv {} - whole {} '{}'\n", data.size(), shown(interface, from, from_port),
                       data);
}

/// One figure of /proc/net/edp_stat.
long count_of(Testbed& testbed, const std::string& name) {
    const auto all = testbed.bytes("/proc/net/edp_stat");
    const auto at = all.find(name + ": ");
    return at == std::string::npos ? -1 : std::atol(all.c_str() + at + name.size() + 2);
}

std::string references(Testbed& testbed) {
    return testbed.text("/sys/module/igbook/refcnt");
}

void expect_references(Testbed& testbed, const std::string& when, const std::string& wanted) {
    testbed.wait_until(
        "references to the module " + when, wanted, [&] { return references(testbed) == wanted; },
        [&] { return references(testbed); }, patience);
}

/// While this lives the card's interrupts are masked from outside, so its driver keeps the frames
/// that it has sent.
class HeldBack {
  public:
    explicit HeldBack(Testbed& testbed) : testbed_(testbed), mask_(testbed.reg(registers::EIMS)) {
        // One that had begun may unmask them again when it is over.
        int quiet = 0;
        testbed.soon([&] {
            testbed.let_settle();
            quiet = works() ? quiet + 1 : 0;
            if (quiet == 0) testbed.set_reg(registers::EIMC, ~0U);
            return quiet == 10;
        });
    }
    ~HeldBack() {
        try {
            testbed_.set_reg(registers::EIMS, mask_);
        } catch (...) {
            // The guest is gone; whoever asks it next says so.
        }
    }
    HeldBack(const HeldBack&) = delete;
    HeldBack& operator=(const HeldBack&) = delete;
    bool works() const { return testbed_.reg(registers::EIMS) == 0; }

  private:
    Testbed& testbed_;
    std::uint32_t mask_;
};

// --- the checks ----------------------------------------------------------------------------------

void check_loads(Testbed& testbed) {
    testbed.silence_guest();
    testbed.must_run({"modprobe", "igb"});  // the kernel's own: the card is no part of this lab
    testbed.must_run({"ip", "link", "set", "dev", "lo", "up"});
    testbed.must_run({"ip", "link", "set", "dev", "eth0", "up"});
    grader::expect_carrier(testbed, "eth0", true);
    testbed.must_run({"insmod", Testbed::guest_module});
    expect_that(testbed.text("/proc/net/edp").find("port") != std::string::npos, "/proc/net/edp",
                "its heading", testbed.text("/proc/net/edp"));
}

/// Somebody who had begun to look before the socket was closed may still be looking.
void expect_freed_late(Testbed& testbed) {
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller holder(testbed, fmt::format("socket bind:eth0:{} connect:eth0:020000000001:7 {{note}} "
                                       "await:{}",
                                       port(testbed), go));
    {
        grader::Watch watch(testbed, {"kfree"});
        const grader::Inserted looker(testbed, "reader", {});
        testbed.put(go, "");
        // Its close() may wait, or not. By the clock that the looker's patience goes by, too.
        const auto begun = testbed.uptime();
        testbed.soon([&] { return holder.ended() || testbed.uptime() > begun + 1; });
        testbed.let_settle();
        expect_that(references(testbed) != "0",
                    "references to the module while somebody under RCU may still see the socket",
                    "the socket's", "0");
        expect_that(watch.count("kfree").was_given_something == 0,
                    "kfree() called while somebody under RCU may still see the socket",
                    "not at all", "called");
        looker.set("go", 1);
    }
    holder.end();
    expect_references(testbed, "when nobody can see the socket", "0");
}

const std::string protocols = "/proc/net/protocols";

/// How many there are, as /proc/net/protocols has it.
std::string sockets_open(const std::string& protocols) {
    std::istringstream lines(protocols);
    std::string name;
    std::string size;
    std::string sockets;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        if (words >> name >> size >> sockets && name == "EDP") return sockets;
    }
    return "no line";
}

void check_sockets(Testbed& testbed) {
    expect_equal("sockets of other types and protocols, and one of ours",
                 std::string("socket -1 ESOCKTNOSUPPORT\nsocket -1 EPROTONOSUPPORT\n"
                             "socket -1 EPROTONOSUPPORT\nsocket -1 EPROTONOSUPPORT\nsocket 0 -\n"
                             "poll 1 - out\nclose 0 -\n"),
                 // 34997 is the EtherType, 46472 its bytes the other way round.
                 calls(testbed, {"socket:1", "socket:2:4", "socket:2:34997", "socket:2:46472",
                                 "socket", "poll:0", "close"}));
    expect_references(testbed, "when all sockets are closed", "0");
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller holder(testbed, "socket {note} await:" + go);
    expect_references(testbed, "with one socket open", "2");
    expect_equal("sockets of EDP in /proc/net/protocols, with one open", std::string("1"),
                 sockets_open(testbed.bytes(protocols)));
    expect_that(testbed.run({"rmmod", "igbook"}).status != 0, "rmmod with one socket open",
                "refused", "done");
    testbed.put(go, "");
    holder.end();
    expect_references(testbed, "when it is closed", "0");
    expect_equal("sockets of EDP in /proc/net/protocols, with none open", std::string("0"),
                 sockets_open(testbed.bytes(protocols)));
    expect_freed_late(testbed);
}

void check_ports(Testbed& testbed) {
    const auto one = port(testbed);
    const auto two = one + 1;
    expect_equal(
        "ports given, taken and free",
        fmt::format("socket 0 -\nbind 0 -\nname 0 - 19/lo/000000000000/{0}\nbind -1 EINVAL\n"
                    "socket 0 -\nbind -1 EADDRINUSE\nbind -1 EADDRINUSE\nbind 0 -\nsocket 0 -\n"
                    "bind 0 -\nsocket 0 -\nbind -1 EADDRINUSE\nconnect -1 ENODEV\nclose 0 -\n",
                    one),
        calls(testbed,
              {"socket", fmt::format("bind:lo:{}", one), "name", fmt::format("bind:lo:{}", two),
               "socket", fmt::format("bind:lo:{}", one), fmt::format("bind:-:{}", one),
               fmt::format("bind:eth0:{}", one), "socket", fmt::format("bind:-:{}", two), "socket",
               fmt::format("bind:eth0:{}", two), "connect:-:020000000001:7", "close"}));
    for (const char* interface : {"-", "eth0"}) {
        const auto said = calls(testbed, {"socket", fmt::format("bind:{}:0", interface), "name",
                                          "socket", fmt::format("bind:{}:0", interface), "name"});
        std::istringstream lines(said);
        std::vector<unsigned> given;
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with("name 0 "))
                given.push_back(
                    static_cast<unsigned>(std::stoul(line.substr(line.rfind('/') + 1))));
        expect_that(given.size() == 2 && given[0] >= first_free && given[1] >= first_free &&
                        given[0] != given[1],
                    "two sockets bound to port 0", "two free ports from 49152 on", said);
    }
    expect_equal("the first port and the last",
                 std::string("socket 0 -\nbind 0 -\nsocket 0 -\nbind 0 -\nname 0 - "
                             "19/lo/000000000000/65535\n"),
                 calls(testbed, {"socket", "bind:lo:1", "socket", "bind:lo:65535", "name"}));
    expect_equal("an interface that is none", std::string("socket 0 -\nbind -1 ENODEV\nbind 0 -\n"),
                 calls(testbed, {"socket", fmt::format("bind:#99999:{}", one),
                                 fmt::format("bind:lo:{}", one)}));
    expect_equal("an address that is too short",
                 std::string("socket 0 -\nshort -1 EINVAL\nbind 0 -\n"),
                 calls(testbed, {"socket", "short:15", fmt::format("bind:eth0:{}", one)}));
}

/// What two programs said that sent to a card that keeps what it is given.
struct Filled {
    std::string first;       ///< of one that sent until it would have to wait
    std::string references;  ///< when it had closed its socket
    std::string open;        ///< likewise: what is counted as open
    std::string second;      ///< of one that waited, until the card went on
};

/// @return nothing when a late interrupt of the card's was in the way
std::optional<Filled> fill_card(Testbed& testbed) {
    const auto go = "/tmp/" + secret(testbed, 10);
    const auto start = [&](int number, const std::string& then) {
        return fmt::format(
            "socket set:1:7:4000 connect:eth0:020000000001:7 {{note}} await:{}.{} "
            "fill:500 {}",
            go, number, then);
    };
    Caller first(testbed, start(1, "outq poll:0"));
    Caller second(testbed, start(2, "send:last"));
    Filled filled;
    {
        const HeldBack held(testbed);
        testbed.put(go + ".1", "");
        filled.first = first.end();
        filled.references = references(testbed);
        filled.open = sockets_open(testbed.bytes(protocols));
        testbed.put(go + ".2", "");
        second.wait_asleep_behind("fill");
        if (!held.works()) return std::nullopt;
    }
    filled.second = second.end();
    return filled;
}

/// What the card has counts, and sees the socket, until the card gives it back.
void expect_counted(Testbed& testbed) {
    std::optional<Filled> filled;
    for (int tries = 0; tries < 5 && !filled; ++tries) filled = fill_card(testbed);
    if (!filled) fail("the card's interrupts, masked from outside", "masked", "not");
    int sent = 0;
    int waiting = 0;
    std::array<char, 40> poll{};
    const bool counted =
        std::sscanf(filled->first.c_str(), "await 0 -\nfill %d EAGAIN\noutq 0 - %d\n%39[^\n]",
                    &sent, &waiting, poll.data()) == 3;
    expect_that(counted && sent >= 1 && sent <= 20 && waiting >= 500 * sent &&
                    std::string(poll.data()) == "poll 0 -",
                "datagrams of 500 bytes for a card that keeps them, SO_SNDBUF 8000",
                "some, then EAGAIN; SIOCOUTQ is what they take; poll() says nothing",
                filled->first);
    expect_equal(
        "references to the module with one socket open and one closed of which the card "
        "still has frames",
        std::string("3"), filled->references);
    expect_equal("sockets of EDP in /proc/net/protocols, the same two", std::string("1"),
                 filled->open);
    expect_that(filled->second.ends_with(" EAGAIN\nsend 4 -\n"),
                "send() that may wait, and the card goes on", "a datagram sent", filled->second);
    expect_references(testbed, "when the card is done", "0");
    expect_equal("send() from memory that is none, and what waits then",
                 std::string("socket 0 -\nconnect 0 -\nsendv -1 EFAULT\noutq 0 - 0\n"),
                 calls(testbed, {"socket", "connect:eth0:020000000001:7", "sendv", "outq"}));
    testbed.take_frames();
}

/// A datagram with a priority, in a VLAN whose tags say it.
void expect_priority(Testbed& testbed) {
    const auto from = port(testbed);
    const auto data = secret(testbed, 50);
    const auto wanted =
        tagged(datagram(testbed, station, own_address(testbed), 7, from, data), 6U << 13U | 5U);
    testbed.must_run({"ip", "link", "add", "link", "eth0", "name", "eth0.5", "type", "vlan", "id",
                      "5", "egress-qos-map", "6:6"});
    testbed.must_run({"ip", "link", "set", "dev", "eth0.5", "up"});
    testbed.take_frames();
    const auto said = calls(testbed, {"socket", fmt::format("bind:eth0.5:{}", from), "set:1:12:6",
                                      fmt::format("sendto:-:020000000001:7:{}", data)});
    auto seen = testbed.receive();
    testbed.must_run({"ip", "link", "del", "dev", "eth0.5"});
    if (seen && seen->size() > wanted.size()) seen->resize(wanted.size());
    expect_bytes("a datagram with SO_PRIORITY 6 sent in a VLAN that maps it (" + said + ")", wanted,
                 seen ? *seen : "");
}

/// 681 bytes of data fill the buffer to its end.
void check_sends(Testbed& testbed) {
    // While somebody listens to all that passes, the kernel looks where the headers are.
    testbed.start({"frames", "tap", "eth0", "1000", "/tmp/tap"});
    testbed.wait_until(
        "a tap", "ready", [&] { return testbed.text("/tmp/tap").starts_with("ready"); },
        [&] { return testbed.text("/tmp/tap"); }, patience);
    testbed.take_frames();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 2 + testbed.random()() % 400,
                                   1000 + testbed.random()() % 400, std::size_t{681}, longest}) {
        const auto data = secret(testbed, size);
        const auto from = port(testbed);
        const auto to = port(testbed);
        const auto said = calls(testbed, {"socket", fmt::format("bind:eth0:{}", from),
                                          fmt::format("sendto:-:020000000001:{}:{}", to, data)});
        expect_equal("sendto()", fmt::format("socket 0 -\nbind 0 -\nsendto {} -\n", size), said);
        expect_bytes(fmt::format("a datagram with {} bytes of data", size),
                     datagram(testbed, station, own_address(testbed), to, from, data),
                     next_datagram(testbed, "after sendto()"));
    }
    expect_equal(
        "one byte too many", std::string("socket 0 -\nsendto -1 EMSGSIZE\n"),
        calls(testbed, {"socket", "sendto:eth0:020000000001:7:" + secret(testbed, longest + 1)}));
    calls(testbed, {"socket", "connect:eth0:020000000001:7", "send:x"});
    const auto frame = next_datagram(testbed, "after connect() and send()");
    expect_that(number_at(frame, ethernet + 4) >= first_free,
                "the port of a socket that was not bound", "one that is free",
                fmt::format("{}", number_at(frame, ethernet + 4)));
    expect_priority(testbed);
    expect_counted(testbed);
    testbed.run({"killall", "frames"});
}

/// Nothing of a datagram but the Ethernet header lies in the buffer's linear part.
void expect_scattered(Testbed& testbed) {
    constexpr std::size_t size = 5000;
    const auto mine = port(testbed);
    const auto data = secret(testbed, size);
    const std::string nowhere(6, '\0');
    const auto frame = datagram(testbed, nowhere, nowhere, mine, 7, data);
    // What stands in front of it (struct virtio_net_hdr) says how much is linear.
    const std::string how{"\0\0\x0e\0\0\0\0\0\0\0", 10};
    Caller reader(testbed, fmt::format("socket bind:lo:{} {{note}} recv:9000", mine));
    const auto file = "/tmp/" + secret(testbed, 10);
    const auto padding = secret(testbed, 1 + testbed.random()() % 300);
    testbed.put(file,
                big_endian(how.size() + frame.size() + padding.size()) + how + frame + padding);
    testbed.must_run({"frames", "offload", "lo", "1", file});
    expect_equal("a datagram whose bytes, and some of padding, lie in several pages",
                 received(data, nowhere, 7, "lo"), reader.end());
    // Not even a header.
    const auto malformed = count_of(testbed, "malformed");
    testbed.put(file, big_endian(how.size() + ethernet + 5) + how + frame.substr(0, ethernet + 5));
    testbed.must_run({"frames", "offload", "lo", "1", file});
    expect_equal("frames of five bytes counted as malformed", 1L,
                 count_of(testbed, "malformed") - malformed);
}

/// Another program has the same frames, with all that is in them.
void expect_shared(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto data = secret(testbed, 70);
    const auto file = "/tmp/" + secret(testbed, 10);
    testbed.start({"frames", "answer", "eth0", "1", file});
    testbed.wait_until(
        "a packet socket", "ready", [&] { return testbed.text(file) == "ready"; },
        [&] { return testbed.text(file); }, patience);
    Caller reader(testbed, fmt::format("socket bind:eth0:{} {{note}} recv:2000", mine));
    auto frame = to_guest(testbed, mine, 7, data) + secret(testbed, 400);
    testbed.take_frames();
    testbed.send(frame);
    expect_equal("a datagram that a packet socket gets, too", received(data, station, 7),
                 reader.end());
    const auto seen = testbed.receive();
    // The program exchanges the addresses and sends the frame back, to the length that its first
    // two bytes say.
    frame = frame.substr(6, 6) + frame.substr(0, 6) + frame.substr(12);
    frame.resize(std::min<std::size_t>(frame.size(), number_at(frame, ethernet)));
    expect_bytes("what the packet socket got", frame, seen ? *seen : "");
}

/// Where to, on demand. What stands in skb->cb when a frame comes is anybody's.
void expect_told(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto data = secret(testbed, 30);
    const grader::Inserted stain(testbed, "stain", {"type=0x88b5"});
    Caller reader(testbed,
                  fmt::format("socket bind:-:{} set:300:1:1 {{note}} recv:100 recv:100", mine));
    std::string wanted;
    for (const auto& to : {everybody, own_address(testbed)}) {
        testbed.send(datagram(testbed, to, station, mine, 7, data));
        wanted += fmt::format("recv {} - whole {} control 300/1 {} '{}'\n", data.size(),
                              shown("eth0", station, 7), shown("eth0", to, mine), data);
    }
    expect_equal("datagrams with EDP_RECVDEST, when skb->cb was not 0 before", wanted,
                 reader.end());
}

/// Who is bound to another interface, or connected to somebody else, gets nothing.
void expect_apart(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller elsewhere(testbed,
                     fmt::format("socket bind:lo:{} {{note}} await:{} recv:9:d", mine + 1, go));
    Caller connected(testbed, fmt::format("socket bind:eth0:{} connect:eth0:020000000001:8 {{note}}"
                                          " recv:2000 recv:9:d",
                                          mine));
    const auto data = secret(testbed, 30);
    constexpr long unwanted = 3;
    const auto was_unclaimed = count_of(testbed, "unclaimed");
    testbed.send(to_guest(testbed, mine + 1, 8, "elsewhere"));
    testbed.send(to_guest(testbed, mine, 9, "of another port"));
    testbed.send(datagram(testbed, own_address(testbed), stranger, mine, 8, "of another station"));
    testbed.send(to_guest(testbed, mine, 8, data));
    expect_equal("a connected socket, when its peer and others sent",
                 received(data, station, 8) + "recv -1 EAGAIN\n", connected.end());
    expect_equal("datagrams for neither of them, counted as unclaimed", unwanted,
                 count_of(testbed, "unclaimed") - was_unclaimed);
    testbed.put(go, "");
    expect_equal("a socket bound to that port of another interface",
                 std::string("await 0 -\nrecv -1 EAGAIN\n"), elsewhere.end());
}

void check_receives(Testbed& testbed) {
    for (const auto& to : {own_address(testbed), everybody}) {
        const auto mine = port(testbed);
        const auto theirs = port(testbed);
        const std::vector<std::size_t> sizes{0, 1 + testbed.random()() % 8,
                                             100 + testbed.random()() % 900, longest};
        std::string expected;
        std::string reads;
        for (std::size_t i = 0; i < sizes.size(); ++i) reads += " recv:2000";
        Caller reader(testbed, fmt::format("socket bind:eth0:{} {{note}}{}", mine, reads));
        for (const std::size_t size : sizes) {
            const auto data = secret(testbed, size);
            auto frame = datagram(testbed, to, station, mine, theirs, data);
            // Padding may be anything, and has a check byte of its own.
            if (frame.size() < shortest)
                frame += "!" + testbed.random_bytes(shortest - frame.size() - 1);
            testbed.send(frame);
            expected += received(data, station, theirs);
        }
        expect_equal("datagrams of several sizes", expected, reader.end());
    }
}

/// Which instance of NAPI has brought the last one.
void expect_napi(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto data = secret(testbed, 60);
    Caller reader(testbed, fmt::format("socket bind:eth0:{} {{note}} recv:100 get:1:56", mine));
    testbed.send(to_guest(testbed, mine, 7, data));
    const auto expected = received(data, station, 7);
    const auto said = reader.end();
    const auto napi = said.rfind("get 0 - ");
    expect_equal("a datagram", expected, said.substr(0, napi));
    expect_that(napi != std::string::npos && std::atoi(said.c_str() + napi + 8) > 0,
                "SO_INCOMING_NAPI_ID behind it", "a number", said.substr(expected.size()));
}

void check_told(Testbed& testbed) {
    expect_scattered(testbed);
    expect_shared(testbed);
    expect_told(testbed);
    expect_napi(testbed);
}

/// Ports next to one, and such as share its place in a table: one in the chapter's, and one where
/// the low bits alone say the place. None is 0.
std::vector<unsigned> other_ports(unsigned mine) {
    unsigned same = 300;
    while (same == mine || place(same) != place(mine)) ++same;
    return {mine + 1, mine == 0x4000 ? mine ^ 0x2000U : mine ^ 0x4000U, mine ^ 0x40U, same};
}

/// Frames that are no datagrams, or for somebody else; a good one between any two.
void check_hostile(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto theirs = port(testbed);
    testbed.must_run({"ip", "link", "set", "dev", "eth0", "promisc", "on"});
    const auto good = [&](const std::string& data) {
        return to_guest(testbed, mine, theirs, data);
    };
    std::vector<std::string> bad;
    const auto spoil = [&](std::size_t at, char value, bool mend) {
        auto frame = good("no good");
        frame[ethernet + at] = value;
        frame.resize(shortest);
        bad.push_back(mend ? mended(testbed, frame) : frame);
    };
    spoil(0, 0, true);
    spoil(0, 2, true);
    spoil(3, 4, true);  // shorter than its header
    spoil(3, header - 1, true);
    spoil(3, static_cast<char>(shortest - ethernet + 1), true);  // longer than the frame, by one
    spoil(2, static_cast<char>(0xff), true);
    auto nobody = good("nobody");
    nobody[ethernet + 4] = nobody[ethernet + 5] = 0;
    bad.push_back(mended(testbed, nobody));
    for (int i = 0; i < 3; ++i) {
        auto wrong = good(secret(testbed, 20));
        auto& byte = wrong[ethernet + header + testbed.random()() % 20];
        byte = static_cast<char>(byte ^ (1 << (testbed.random()() % 5)));
        bad.push_back(wrong);
    }
    auto unsummed = good("unsummed");
    while (unsummed[ethernet + 1] == 0) unsummed = good(secret(testbed, 8));
    unsummed[ethernet + 1] = 0;  // not even a check byte
    bad.push_back(unsummed);
    auto damaged = good("its header");
    damaged[ethernet + 5] = static_cast<char>(damaged[ethernet + 5] ^ 1);
    bad.push_back(damaged);
    const auto malformed = static_cast<long>(bad.size());
    for (const unsigned other : other_ports(mine))
        bad.push_back(to_guest(testbed, other, theirs, "another port"));
    const auto unclaimed = static_cast<long>(bad.size()) - malformed;
    bad.push_back(datagram(testbed, stranger, station, mine, theirs, "for a stranger"));
    bad.push_back(tagged(good("in a VLAN"), 5));

    std::string wanted;
    const auto was_received = count_of(testbed, "received");
    const auto was_malformed = count_of(testbed, "malformed");
    const auto was_unclaimed = count_of(testbed, "unclaimed");
    Caller reader(testbed, fmt::format("socket bind:-:{} {{note}}{}", mine, [&] {
                      std::string all;
                      for (std::size_t i = 0; i <= bad.size(); ++i) all += " recv:2000";
                      return all;
                  }()));
    for (const auto& frame : bad) {
        testbed.send(frame);
        const auto data = secret(testbed, 10);
        testbed.send(good(data));
        wanted += received(data, station, theirs);
    }
    testbed.send(tagged(good("priority"), 0));
    wanted += received("priority", station, theirs);
    const auto said = reader.end();
    testbed.must_run({"ip", "link", "set", "dev", "eth0", "promisc", "off"});
    expect_equal("what was received of good and bad frames by turns", wanted, said);
    expect_equal("datagrams counted in /proc/net/edp_stat as received",
                 static_cast<long>(bad.size()) + 1, count_of(testbed, "received") - was_received);
    expect_equal("and as malformed", malformed, count_of(testbed, "malformed") - was_malformed);
    const auto nobodys = count_of(testbed, "unclaimed") - was_unclaimed;
    expect_that(nobodys >= unclaimed && nobodys <= unclaimed + 2, "and as unclaimed",
                fmt::format("{}, or those for other stations as well", unclaimed),
                fmt::format("{}", nobodys));
    expect_apart(testbed);
}

/// A datagram wakes whoever waits in poll(), or in recv() after a signal whose handler lets calls
/// begin again.
void expect_woken(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto data = secret(testbed, 40);
    // Without a limit: when its time is over the kernel's poll() looks once more.
    Caller poller(testbed, fmt::format("socket bind:eth0:{} {{note}} poll:-1:in recv:50:d", mine));
    poller.wait_asleep();
    testbed.send(to_guest(testbed, mine, 7, data));
    testbed.wait_until(
        "poll() that waits for a datagram, when one has come", "it returns",
        [&] { return poller.said().find("\npoll ") != std::string::npos; },
        [] { return std::string("it still sleeps"); }, patience);
    expect_equal("poll() that waits for a datagram", "poll 1 - in\n" + received(data, station, 7),
                 poller.end());
    Caller reader(testbed, fmt::format("socket bind:eth0:{} {{note}} restart:100 recv:50", mine));
    reader.wait_asleep();
    const auto begun = testbed.uptime();
    testbed.soon([&] { return testbed.uptime() > begun + 0.2; });
    testbed.send(to_guest(testbed, mine, 7, data));
    expect_equal("recv() that a signal interrupts and that goes on (SA_RESTART)",
                 "alarm 0 -\n" + received(data, station, 7), reader.end());
}

/// Who waits for a datagram is in nobody's way: another makes a call that takes the socket's lock.
void expect_not_locked(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    const auto data = secret(testbed, 40);
    Caller reader(testbed, fmt::format("socket bind:eth0:{} beside:2 await:{} "
                                       "connect:eth0:020000000001:7 {{note}} recv:50",
                                       mine, go));
    reader.wait_asleep();
    testbed.put(go, "");
    testbed.wait_until(
        "connect() of another process on the socket on which recv() waits", "it returns",
        [&] { return reader.said().find("connect 0 -\n") != std::string::npos; },
        [] { return std::string("it still waits for the socket's lock"); }, patience);
    testbed.send(to_guest(testbed, mine, 7, data));
    expect_equal("and recv(), when the peer sends",
                 "await 0 -\nconnect 0 -\n" + received(data, station, 7), reader.end());
}

void check_flags(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto data = secret(testbed, 20);
    const auto self = fmt::format("19/lo/000000000000/{}", mine);
    const auto to = fmt::format("sendto:lo:000000000000:{}:{}", mine, data);
    expect_equal("calls of recvmsg() with flags",
                 fmt::format("socket 0 -\nbind 0 -\nrecv -1 EAGAIN\npoll 1 - out\nsendto 20 -\n"
                             "poll 1 - in out\nrecv 5 - cut {0} '{1}'\nrecv 20 - cut {0} '{2}'\n"
                             "recv 20 - whole {0} '{3}'\nrecv -1 EAGAIN\nsendto 20 -\n"
                             "recv 3 - cut {0} '{4}'\nrecv -1 EAGAIN\nrecv -1 EOPNOTSUPP\nset 0 -\n"
                             "sendto 20 -\nrecv 20 - whole {0} control 300/1 {0} '{3}'\n",
                             self, data.substr(0, 5), data.substr(0, 4), data, data.substr(0, 3)),
                 calls(testbed, {"socket", fmt::format("bind:lo:{}", mine), "recv:9:d", "poll:0",
                                 to, "poll:0", "recv:5:p", "recv:4:pt", "recv:50", "recv:9:d", to,
                                 "recv:3", "recv:9:d", "recv:9:o", "set:300:1:1", to, "recv:50"}));
    expect_equal(
        "buffers that just fit, read(), SO_TIMESTAMP",
        fmt::format("socket 0 -\nbind 0 -\nsendto 20 -\nrecv 20 - whole {0} '{1}'\nsendto 20 -\n"
                    "read 20 - '{1}'\nset 0 -\nsendto 20 -\nrecv 20 - whole {0} control 1/29 "
                    "'{1}'\n",
                    self, data),
        calls(testbed, {"socket", fmt::format("bind:lo:{}", mine), to, "recv:20", to, "read:30",
                        "set:1:29:1", to, "recv:30"}));
    expect_equal(
        "recv() into memory that is none",
        std::string("socket 0 -\nbind 0 -\nsendto 20 -\nreadv -1 EFAULT\nrecv -1 EAGAIN\n"),
        calls(testbed, {"socket", fmt::format("bind:lo:{}", mine), to, "readv", "recv:9:d"}));
    expect_equal("a signal while recv() waits",
                 std::string("socket 0 -\nbind 0 -\nalarm 0 -\nrecv -1 EINTR\n"),
                 calls(testbed, {"socket", fmt::format("bind:lo:{}", mine), "alarm:50", "recv:9"}));
    expect_woken(testbed);
    expect_not_locked(testbed);
}

/// Sends forty datagrams to a program that does not fetch them yet.
/// @param before  what it does with its socket first
/// @return how many it gets then: the first of them, and none besides.
std::size_t kept_of_forty(Testbed& testbed, const std::string& before) {
    constexpr std::size_t sent = 40;
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    std::string drain;
    for (std::size_t i = 0; i < sent; ++i) drain += " recv:200:d";
    const auto counted = [&] { return count_of(testbed, "full") + count_of(testbed, "received"); };
    const auto was_full = count_of(testbed, "full");
    const auto was_counted = counted();
    Caller reader(testbed, fmt::format("socket {} bind:eth0:{} {{note}} await:{}{}", before, mine,
                                       go, drain));
    std::vector<std::string> all;
    for (std::size_t i = 0; i < sent; ++i) {
        all.push_back(secret(testbed, 12));
        testbed.send(to_guest(testbed, mine, 7, all.back()));
    }
    testbed.soon([&] { return counted() >= was_counted + static_cast<long>(sent); });
    const auto lost = count_of(testbed, "full") - was_full;
    testbed.put(go, "");
    const auto said = reader.end();
    std::size_t kept = 0;
    while (kept < sent && said.find(received(all[kept], station, 7)) != std::string::npos) ++kept;
    for (std::size_t i = kept; i < sent; ++i)
        expect_that(said.find(all[i]) == std::string::npos, "a datagram that came to a full queue",
                    "lost", "received");
    expect_equal("datagrams counted in /proc/net/edp_stat for a full queue",
                 static_cast<long>(sent - kept), lost);
    return kept;
}

void check_full(Testbed& testbed) {
    const auto few = kept_of_forty(testbed, "set:1:8:4000");
    expect_that(few > 2 && few < 38, "datagrams that a queue of 8000 bytes keeps of 40",
                "some, and not all", fmt::format("{}", few));
    expect_equal("datagrams that a queue of the usual size keeps of 40", std::size_t{40},
                 kept_of_forty(testbed, ""));
}

/// One socket is open, in the other namespace.
void expect_counted_apart(Testbed& testbed) {
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller holder(testbed, "netns:far socket {note} await:" + go);
    expect_equal("sockets of EDP in /proc/net/protocols, one being open in another namespace",
                 std::string("0"), sockets_open(testbed.bytes(protocols)));
    expect_equal("and in that namespace", std::string("1"),
                 sockets_open(testbed.must_run({"ip", "netns", "exec", "far", "cat", protocols})));
    testbed.put(go, "");
    holder.end();
}

void check_apart(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto data = secret(testbed, 30);
    testbed.must("two namespaces",
                 "ip netns add far && ip link add near type veth peer name there && "
                 "ip link set there netns far && ip link set near address 02:00:00:00:00:0a && "
                 "ip -n far link set there address 02:00:00:00:00:0b && ip link set near up && "
                 "ip -n far link set there up");
    expect_equal("the same port in two namespaces",
                 fmt::format("socket 0 -\nbind 0 -\nnetns 0 -\nsocket 0 -\nbind 0 -\nnetns 0 -\n"
                             "sendto 30 -\nrecv -1 EAGAIN\nnetns 0 -\n{}recv -1 EAGAIN\n",
                             received(data, std::string("\x02\0\0\0\0\x0a", 6), mine, "there")),
                 calls(testbed, {"socket", fmt::format("bind:-:{}", mine), "netns:far", "socket",
                                 fmt::format("bind:-:{}", mine), "netns:", "use:0",
                                 fmt::format("sendto:near:02000000000b:{}:{}", mine, data),
                                 "recv:9:d", "netns:far", "use:1", "recv:50", "recv:50:d"}));
    expect_counted_apart(testbed);
}

/// Down: who is bound to it or connected over it is told once, and has its port when it is up
/// again.
void expect_down(Testbed& testbed) {
    // One in the first place of the chapter's table, one in the last.
    const auto mine = port_at(testbed, 0);
    const auto another = port_at(testbed, 63);
    const auto go = "/tmp/" + secret(testbed, 10);
    const auto data = secret(testbed, 30);
    Caller bound(
        testbed,
        fmt::format("socket bind:near:{} {{note}} recv:9 recv:9:d await:{} recv:50", mine, go));
    Caller connected(testbed, fmt::format("socket bind:-:{} connect:near:02000000000b:7 {{note}} "
                                          "recv:9 recv:9:d poll:0",
                                          another));
    Caller other(testbed, fmt::format("socket bind:lo:{} {{note}} await:{} recv:9:d", mine, go));
    Caller any(testbed, fmt::format("socket bind:-:{} {{note}} await:{} recv:9:d", mine + 1, go));
    testbed.must_run({"ip", "link", "set", "dev", "near", "down"});
    expect_equal("recv() of a connected socket when the interface goes down",
                 std::string("recv -1 ENETDOWN\nrecv -1 EAGAIN\npoll 1 - out\n"), connected.end());
    const std::string told = "recv -1 ENETDOWN\nrecv -1 EAGAIN\n";
    testbed.wait_until(
        "recv() when the interface goes down", told,
        [&] { return bound.said().find(told) != std::string::npos; }, [&] { return bound.said(); },
        patience);
    testbed.must_run({"ip", "link", "set", "dev", "near", "up"});
    testbed.put(go, "");
    calls(testbed, {"netns:far", "socket", fmt::format("bind:there:{}", mine),
                    fmt::format("sendto:there:02000000000a:{}:{}", mine, data)});
    expect_equal(
        "and when it is up again",
        told + "await 0 -\n" + received(data, std::string("\x02\0\0\0\0\x0b", 6), mine, "near"),
        bound.end());
    for (Caller* one : {&other, &any})
        expect_equal("a socket that does not depend on the interface",
                     std::string("await 0 -\nrecv -1 EAGAIN\n"), one->end());
}

void check_gone(Testbed& testbed) {
    expect_down(testbed);
    const auto mine = port(testbed);
    Caller far(testbed,
               fmt::format("netns:far socket bind:there:{} {{note}} recv:9 recv:9:d", mine));
    testbed.must_run({"ip", "-n", "far", "link", "set", "dev", "there", "down"});
    expect_equal("recv() when an interface of another namespace goes down",
                 std::string("recv -1 ENETDOWN\nrecv -1 EAGAIN\n"), far.end());
    testbed.must_run({"ip", "link", "set", "dev", "near", "down"});
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller gone(testbed,
                fmt::format("socket bind:near:{} {{note}} poll:-1:in poll:0 recv:9 recv:9:d poll:0"
                            " await:{}",
                            mine, go));
    // Who has the same place in the chapter's table leaves it, too.
    auto beside = mine + 1;
    while (place(beside) != place(mine)) ++beside;
    Caller neighbour(testbed, fmt::format("socket bind:near:{} {{note}} recv:9 recv:9:d", beside));
    // Who is bound to any is in the table afterwards, and hears others once it is connected no
    // more.
    const auto data = secret(testbed, 30);
    const auto theirs = beside + 1;
    const auto kept = beside + 2;
    Caller connected(testbed, fmt::format("socket bind:-:{1} connect:near:02000000000b:7 {{note}} "
                                          "recv:9 recv:9:d disconnect socket bind:lo:{0} "
                                          "sendto:lo:000000000000:{1}:{2} use:0 poll:5000:in "
                                          "recv:50:d",
                                          theirs, kept, data));
    neighbour.wait_asleep();
    gone.wait_asleep();
    testbed.must_run({"ip", "link", "del", "dev", "near"});
    const std::string told =
        "poll 1 - err\npoll 1 - out err\nrecv -1 ENODEV\nrecv -1 EAGAIN\npoll 1 - out\n";
    testbed.wait_until(
        "poll() and recv() when the interface is removed", told,
        [&] { return gone.said().find(told) != std::string::npos; }, [&] { return gone.said(); },
        patience);
    expect_equal("recv() of another socket that is bound to it",
                 std::string("recv -1 ENODEV\nrecv -1 EAGAIN\n"), neighbour.end());
    expect_equal("a socket bound to any interface that was connected over it, and then to nobody",
                 "recv -1 ENODEV\nrecv -1 EAGAIN\ndisconnect 0 -\nsocket 0 -\nbind 0 -\n"
                 "sendto 30 -\npoll 1 - in\n" +
                     received(data, std::string(6, '\0'), theirs, "lo"),
                 connected.end());
    const auto table = testbed.text("/proc/net/edp");
    expect_that(table.find(fmt::format(" {} ", mine)) == std::string::npos,
                "/proc/net/edp when the interface is removed", "no socket of its", table);
    testbed.put(go, "");
    gone.end();
    testbed.must_run({"ip", "netns", "del", "far"});
}

/// What a receiver puts into the queue while the socket is being closed: until edp_unhash() has
/// been called it finds the socket.
void send_while_closed(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller holder(testbed, fmt::format("socket bind:eth0:{} {{note}} await:{}", mine, go));
    grader::Watch watch(testbed, {"igbook:edp_unhash"});
    watch.hold("igbook:edp_unhash");
    testbed.put(go, "");
    testbed.soon([&] { return watch.held() > 0 || holder.ended(); }, Seconds(1));
    const auto come = [&] {
        return count_of(testbed, "received") + count_of(testbed, "unclaimed");
    };
    const auto before = come();
    for (int i = 0; i < 3; ++i) testbed.send(to_guest(testbed, mine, 8, secret(testbed, 200)));
    testbed.soon([&] { return come() >= before + 3; });
    watch.release();
    holder.end();
}

void check_unload(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller holder(testbed, fmt::format("socket bind:eth0:{} connect:eth0:020000000001:7"
                                       " connect:eth0:020000000001:8 {{note}} await:{}",
                                       mine, go));
    const auto before = count_of(testbed, "received");
    for (int i = 0; i < 20; ++i) testbed.send(to_guest(testbed, mine, 8, secret(testbed, 200)));
    testbed.soon([&] { return count_of(testbed, "received") >= before + 20; });
    testbed.put(go, "");
    holder.end();
    send_while_closed(testbed);
    expect_references(testbed, "when sockets with datagrams in their queues are closed", "0");
    testbed.must_run({"rmmod", "igbook"});
    grader::expect_nothing_lost(testbed, "all that came and went");
}

void add_sockets(grader::Scenario& lab) {
    CHECK_POINTS(10, "the module loads, and /proc/net/edp is there")
        .id("loads")
        .hint("What did the kernel's log say?")
        .book("cov-k5")
        .run(check_loads);
    CHECK_POINTS(10, "sockets come and go, and the module with the last")
        .id("sockets")
        .after("loads")
        .hint("Each half of a socket holds the module. Who lets go of the second half?")
        .book("cov-k5")
        .run(check_sockets);
    CHECK_POINTS(10, "each port has one owner")
        .id("ports")
        .after("sockets")
        .hint("Any interface (0) is in the way of each. Is what you compare in network order?")
        .book("cov-k5")
        .run(check_ports);
}

void add_frames(grader::Scenario& lab) {
    CHECK_POINTS(15, "what a program sends is on the cable, byte for byte")
        .id("sends")
        .after("ports")
        .hint("The check byte covers the header, too. It is the last that is written.")
        .book("cov-k5")
        .run(check_sends);
    CHECK_POINTS(10, "what comes over the cable is received, with its sender")
        .id("receives")
        .after("ports")
        .hint("A frame of 60 bytes may hold a datagram of 9.")
        .book("cov-k5")
        .run(check_receives);
    CHECK_POINTS(5, "a program is told all of a datagram, wherever its bytes lie")
        .id("told")
        .after("receives")
        .hint(
            "Who copies from skb->data finds only what is linear. What a program is told of the "
            "sender lies in skb->cb, where others had something before.")
        .book("cov-k5")
        .run(check_told);
    CHECK_POINTS(10, "what is no datagram, or not for this machine or socket, is not received")
        .id("hostile")
        .after("receives")
        .hint("Compare each field before it is used. Which frames does a promiscuous card bring?")
        .book("cov-k5")
        .run(check_hostile);
    CHECK_POINTS(10, "flags of recvmsg(), signals and poll()")
        .id("flags")
        .after("receives")
        .hint(
            "MSG_TRUNC has one meaning in flags and another in msg_flags. Who sleeps in recv() "
            "holds no lock; who sleeps in poll() has left word where to wake it.")
        .book("cov-k5")
        .run(check_flags);
    CHECK_POINTS(5, "a full queue keeps what it has and loses what comes")
        .id("full")
        .after("receives")
        .hint("sock_queue_rcv_skb() compares with sk_rcvbuf. Whose is a frame that it refused?")
        .book("cov-k5")
        .run(check_full);
}

void add_the_end(grader::Scenario& lab) {
    CHECK_POINTS(5, "each network namespace has ports of its own")
        .id("apart")
        .after("receives")
        .hint("A frame belongs to the namespace of the device that it came in by.")
        .book("cov-k5")
        .run(check_apart);
    CHECK_POINTS(5, "who waits is told when an interface goes")
        .id("gone")
        .after("apart")
        .hint("sk_err and sk_error_report().")
        .book("cov-k5")
        .run(check_gone);
    CHECK_POINTS(5, "the module goes, and no memory is lost")
        .id("unload")
        .after("receives")
        .hint(
            "What does a socket own when it is freed? Until it is in no table, more may come. See "
            "the chapter's section on its last step.")
        .book("cov-k5")
        .run(check_unload);
}

}  // namespace

grader::Scenario sockets() {
    grader::Scenario lab("09-sockets");
    add_sockets(lab);
    add_frames(lab);
    add_the_end(lab);
    return lab;
}

}  // namespace fwts::labs
