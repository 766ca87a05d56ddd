// SPDX-License-Identifier: GPL-2.0
// Lab 9, Sockets: the checks. handout.md is the same list in the student's words.
//
// Datagrams go over the cable, with ports and data that nobody can know beforehand; the program
// sockio in the guest makes the calls and says what each returned.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "all_labs.h"
#include "expect.h"
#include "interface.h"
#include "testbed.h"

namespace fwts::labs {
namespace {

using grader::expect_bytes;
using grader::expect_equal;
using grader::expect_that;
using grader::fail;
using grader::Testbed;
using Seconds = Testbed::Seconds;
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
    for (;;) {
        auto frame = testbed.receive();
        if (!frame) fail(what, "a datagram on the cable", "none");
        if (frame->size() < ethernet + header || frame->substr(12, 2) != type) continue;
        frame->resize(
            std::min<std::size_t>(frame->size(), ethernet + number_at(*frame, ethernet + 2)));
        return *frame;
    }
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

// --- calls ---------------------------------------------------------------------------------------

/// What a program said that makes these calls.
std::string calls(Testbed& testbed, Words actions) {
    actions.insert(actions.begin(), "sockio");
    return testbed.run(actions, Seconds(20)).out;
}

/// The same while the check goes on.
class Caller {
  public:
    /// @param actions  one of them is "note:FILE"; when it has been made they have got that far
    Caller(Testbed& testbed, const std::string& actions) : testbed_(testbed) {
        const auto name = fmt::format("/tmp/{}", secret(testbed, 12));
        file_ = name + ".said";
        testbed.start(
            {"sh", "-c",
             fmt::format("sockio {} >{} 2>&1; echo ended >>{}",
                         fmt::format(fmt::runtime(actions), fmt::arg("note", "note:" + name)),
                         file_, file_)});
        testbed.wait_until(
            "sockio " + actions, "a program that waits",
            [&] { return said().find("\nnote 0") != std::string::npos; }, [&] { return said(); },
            patience);
    }
    std::string said() { return testbed_.bytes(file_); }
    /// All it said, once it has ended.
    std::string end() {
        testbed_.wait_until(
            "the program that makes calls", "its end", [&] { return said().ends_with("ended\n"); },
            [&] { return said(); }, patience);
        auto all = said();
        all.resize(all.size() - 6);
        return all.substr(all.find("\nnote 0 -\n") + 10);
    }

  private:
    Testbed& testbed_;
    std::string file_;
};

std::string received(const std::string& data, const std::string& from, unsigned from_port,
                     const std::string& interface = "eth0") {
    std::string mac;
    for (const char byte : from) mac += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return fmt::format("recv {} - whole 19/{}/{}/{} '{}'\n", data.size(), interface, mac, from_port,
                       data);
}

std::string references(Testbed& testbed) {
    return testbed.text("/sys/module/igbook/refcnt");
}

void expect_references(Testbed& testbed, const std::string& when, const std::string& wanted) {
    testbed.wait_until(
        "references to the module " + when, wanted, [&] { return references(testbed) == wanted; },
        [&] { return references(testbed); }, patience);
}

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

void check_sockets(Testbed& testbed) {
    expect_equal("sockets of other types and protocols, and one of ours",
                 std::string("socket -1 ESOCKTNOSUPPORT\nsocket -1 EPROTONOSUPPORT\nsocket 0 -\n"
                             "poll 1 - out\nclose 0 -\n"),
                 calls(testbed, {"socket:1", "socket:2:4", "socket", "poll:0", "close"}));
    expect_references(testbed, "when all sockets are closed", "0");
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller holder(testbed, "socket {note} await:" + go);
    expect_references(testbed, "with one socket open", "2");
    expect_that(testbed.run({"rmmod", "igbook"}).status != 0, "rmmod with one socket open",
                "refused", "done");
    testbed.put(go, "");
    holder.end();
    expect_references(testbed, "when it is closed", "0");
}

void check_ports(Testbed& testbed) {
    const auto one = port(testbed);
    const auto two = one + 1;
    expect_equal(
        "ports given, taken and free",
        fmt::format("socket 0 -\nbind 0 -\nname 0 - 19/lo/000000000000/{0}\nbind -1 EINVAL\n"
                    "socket 0 -\nbind -1 EADDRINUSE\nbind -1 EADDRINUSE\nbind 0 -\nsocket 0 -\n"
                    "bind 0 -\nsocket 0 -\nbind -1 EADDRINUSE\nclose 0 -\n",
                    one),
        calls(testbed,
              {"socket", fmt::format("bind:lo:{}", one), "name", fmt::format("bind:lo:{}", two),
               "socket", fmt::format("bind:lo:{}", one), fmt::format("bind:-:{}", one),
               fmt::format("bind:eth0:{}", one), "socket", fmt::format("bind:-:{}", two), "socket",
               fmt::format("bind:eth0:{}", two), "close"}));
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
    expect_equal("an address that is too short",
                 std::string("socket 0 -\nshort -1 EINVAL\nbind 0 -\n"),
                 calls(testbed, {"socket", "short:15", fmt::format("bind:eth0:{}", one)}));
}

void check_sends(Testbed& testbed) {
    testbed.take_frames();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 2 + testbed.random()() % 400,
                                   1000 + testbed.random()() % 400, longest}) {
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
}

void check_receives(Testbed& testbed) {
    for (const auto& to : {own_address(testbed), everybody}) {
        const auto mine = port(testbed);
        const auto theirs = port(testbed);
        Caller reader(
            testbed,
            fmt::format("socket bind:eth0:{} {{note}} recv:2000 recv:2000 recv:2000", mine));
        std::string expected;
        for (const std::size_t size :
             {testbed.random()() % 9, 100 + testbed.random()() % 900, longest}) {
            const auto data = secret(testbed, size);
            testbed.send(datagram(testbed, to, station, mine, theirs, data));
            expected += received(data, station, theirs);
        }
        expect_equal("three datagrams", expected, reader.end());
    }
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
    spoil(3, 4, true);                                           // shorter than its header
    spoil(3, static_cast<char>(shortest - ethernet + 1), true);  // longer than the frame, by one
    spoil(2, static_cast<char>(0xff), true);
    auto nobody = good("nobody");
    nobody[ethernet + 4] = nobody[ethernet + 5] = 0;
    bad.push_back(mended(testbed, nobody));
    for (int i = 0; i < 3; ++i) {
        auto damaged = good(secret(testbed, 20));
        auto& byte = damaged[ethernet + header + testbed.random()() % 20];
        byte = static_cast<char>(byte ^ (1 << (testbed.random()() % 5)));
        bad.push_back(damaged);
    }
    bad.push_back(datagram(testbed, stranger, station, mine, theirs, "for a stranger"));
    bad.push_back(tagged(good("in a VLAN"), 5));
    bad.push_back(to_guest(testbed, mine + 1, theirs, "another port"));

    std::string wanted;
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
    expect_equal("a signal while recv() waits",
                 std::string("socket 0 -\nbind 0 -\nalarm 0 -\nrecv -1 EINTR\n"),
                 calls(testbed, {"socket", fmt::format("bind:lo:{}", mine), "alarm:50", "recv:9"}));
}

void check_full(Testbed& testbed) {
    constexpr std::size_t sent = 40;
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    std::string drain;
    for (std::size_t i = 0; i < sent; ++i) drain += " recv:200:d";
    Caller reader(testbed, fmt::format("socket set:1:8:4000 bind:eth0:{} {{note}} await:{}{}", mine,
                                       go, drain));
    std::vector<std::string> all;
    for (std::size_t i = 0; i < sent; ++i) {
        all.push_back(secret(testbed, 12));
        testbed.send(to_guest(testbed, mine, 7, all.back()));
    }
    testbed.let_settle();
    testbed.let_settle();
    testbed.put(go, "");
    const auto said = reader.end();
    std::size_t kept = 0;
    while (kept < sent && said.find(received(all[kept], station, 7)) != std::string::npos) ++kept;
    expect_that(kept > 2 && kept < sent - 2, "datagrams that a queue of 8000 bytes keeps of 40",
                "the first of them, and not all", fmt::format("{}: {}", kept, said));
    for (std::size_t i = kept; i < sent; ++i)
        expect_that(said.find(all[i]) == std::string::npos, "a datagram that came to a full queue",
                    "lost", "received");
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
}

void check_gone(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller down(testbed, fmt::format("socket bind:near:{} {{note}} recv:9 recv:9:d", mine));
    Caller other(testbed, fmt::format("socket bind:lo:{} {{note}} await:{} recv:9:d", mine, go));
    testbed.must_run({"ip", "link", "set", "dev", "near", "down"});
    expect_equal("recv() when the interface goes down",
                 std::string("recv -1 ENETDOWN\nrecv -1 EAGAIN\n"), down.end());
    Caller gone(testbed, fmt::format("socket bind:near:{} {{note}} recv:9 recv:9:d poll:0", mine));
    testbed.must_run({"ip", "link", "del", "dev", "near"});
    expect_equal("recv() when the interface is removed",
                 std::string("recv -1 ENODEV\nrecv -1 EAGAIN\npoll 1 - out\n"), gone.end());
    testbed.put(go, "");
    expect_equal("a socket of another interface", std::string("await 0 -\nrecv -1 EAGAIN\n"),
                 other.end());
    testbed.must_run({"ip", "netns", "del", "far"});
}

void check_unload(Testbed& testbed) {
    const auto mine = port(testbed);
    const auto go = "/tmp/" + secret(testbed, 10);
    Caller holder(testbed, fmt::format("socket bind:eth0:{} connect:eth0:020000000001:7"
                                       " connect:eth0:020000000001:8 {{note}} await:{}",
                                       mine, go));
    for (int i = 0; i < 20; ++i) testbed.send(to_guest(testbed, mine, 8, secret(testbed, 200)));
    testbed.let_settle();
    testbed.put(go, "");
    holder.end();
    expect_references(testbed, "when a socket with datagrams in its queue is closed", "0");
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
    CHECK_POINTS(15, "what comes over the cable is received, with its sender")
        .id("receives")
        .after("ports")
        .hint(
            "A frame of 60 bytes may hold a datagram of 9. What a program is told of the sender "
            "lies in skb->cb.")
        .book("cov-k5")
        .run(check_receives);
    CHECK_POINTS(10, "what is no datagram, or not for this machine, is not received")
        .id("hostile")
        .after("receives")
        .hint("Compare each field before it is used. Which frames does a promiscuous card bring?")
        .book("cov-k5")
        .run(check_hostile);
    CHECK_POINTS(10, "flags of recvmsg(), signals and poll()")
        .id("flags")
        .after("receives")
        .hint("MSG_TRUNC has one meaning in flags and another in msg_flags.")
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
            "What does a socket own when it is freed? See the chapter's section on its last step.")
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
