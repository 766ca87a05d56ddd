// SPDX-License-Identifier: GPL-2.0
/// @file
/// The protocol family of chapter 9: datagrams both ways over the cable, frames that are none,
/// calls without sense, two namespaces, and a module that goes when it may and not before.
#include <algorithm>
#include <cstdint>
#include <sstream>
#include <thread>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::ethernet;
using sandbox::Frame;
using sandbox::Guest;
using sandbox::kGuestMac;
using sandbox::kHostMac;
using sandbox::Mac;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kEdp = "/modules/edp.ko";
constexpr std::uint16_t kEtherType = 0x88b5;
constexpr std::uint16_t kHostPort = 4000;
constexpr std::size_t kHeader = 14;
constexpr Mac kStranger = {0x02, 0x00, 0x00, 0x00, 0x00, 0x99};

void append16(Frame& frame, std::size_t value) {
    frame.push_back(static_cast<std::uint8_t>(value >> 8));
    frame.push_back(static_cast<std::uint8_t>(value));
}

/// What stands behind the Ethernet header.
Frame body(std::uint16_t from_port, std::uint16_t to_port, std::string_view data) {
    Frame made = {1, 0};
    append16(made, 8 + data.size());
    append16(made, from_port);
    append16(made, to_port);
    made.insert(made.end(), data.begin(), data.end());
    return made;
}

/// A datagram from the host's end of the cable.
Frame datagram(std::uint16_t port, std::string_view data, const Mac& to = kGuestMac) {
    return ethernet(to, kHostMac, kEtherType, body(kHostPort, port, data));
}

/// The same in a VLAN; 0 is none, only a priority.
Frame tagged(std::uint16_t vlan, const Frame& frame) {
    Frame made = frame;
    const std::array<std::uint8_t, 4> tag = {0x81, 0x00, static_cast<std::uint8_t>(vlan >> 8),
                                             static_cast<std::uint8_t>(vlan)};
    made.insert(made.begin() + 12, tag.begin(), tag.end());
    return made;
}

/// @return one figure of /proc/net/edp_stat.
std::uint64_t count_of(Guest& guest, const std::string& name) {
    std::string counts = "\n" + content(guest, "/proc/net/edp_stat");
    std::ranges::replace(counts, '\n', ' ');
    return counter_in(counts, name);
}

/// @return what all calls said, one a line. @p actions  for sockio
std::string calls(Guest& guest, const std::string& actions) {
    return guest.must("sockio " + actions, {.limit = 120s});
}

/// The same behind our back: a program that sleeps in a call.
class Caller {
  public:
    Caller(Guest& guest, const std::string& program, const std::string& ready) : guest_(guest) {
        static int number = 0;
        file_ = "/tmp/caller" + std::to_string(++number);
        guest.start({"sh", "-c", program + " >" + file_ + " 2>&1; echo ended >>" + file_});
        EXPECT_TRUE(eventually([&] { return said().find(ready) != std::string::npos; }))
            << program << ": " << said();
    }
    [[nodiscard]] std::string said() { return content(guest_, file_); }
    /// @return all it said, once it has ended.
    [[nodiscard]] std::string end() {
        EXPECT_TRUE(eventually([&] { return said().ends_with("ended\n"); })) << said();
        return said();
    }

  private:
    Guest& guest_;
    std::string file_;
};

/// Puts a frame on the cable; waits while the guest takes none.
void put(Guest& guest, const Frame& frame) {
    EXPECT_TRUE(eventually([&] { return guest.cable().try_send(frame); })) << "the cable is full";
}

/// The next datagram from the guest, cut to the length that its header says.
Frame next_datagram(Guest& guest) {
    auto frame = guest.cable().expect(sandbox::is_ether_type(kEtherType), 30s);
    if (!frame || frame->size() < kHeader + 8) return {};
    const std::size_t length = kHeader + ((*frame)[kHeader + 2] << 8 | (*frame)[kHeader + 3]);
    EXPECT_GE(frame->size(), length);
    frame->resize(length);
    return *frame;
}

void check_exchange(Guest& guest) {
    Caller echo(guest, "edp echo eth0 7 4", "listening");
    const std::string large(1480, 'e');
    for (const std::string& data : {std::string("hello"), std::string(), large})
        for (const Mac& to : {kGuestMac, sandbox::kBroadcast}) {
            if (data.empty() && to != kGuestMac) continue;
            if (data.size() > 5 && to != kGuestMac) continue;
            guest.cable().send(datagram(7, data, to));
            EXPECT_EQ(next_datagram(guest),
                      ethernet(kHostMac, kGuestMac, kEtherType, body(7, kHostPort, data)));
        }
    const std::string said = echo.end();
    EXPECT_THAT(said, HasSubstr("eth0 02:00:00:00:00:01 port 4000, 5 bytes: hello\n"));
    EXPECT_THAT(said, HasSubstr("port 4000, 0 bytes: \n")) << "padding is no data";

    Caller ask(guest, "edp ask eth0 02:00:00:00:00:01 4000 question", "");
    Frame question = next_datagram(guest);
    ASSERT_GT(question.size(), kHeader + 8);
    const auto port =
        static_cast<std::uint16_t>(question[kHeader + 4] << 8 | question[kHeader + 5]);
    EXPECT_EQ(question,
              ethernet(kHostMac, kGuestMac, kEtherType, body(port, kHostPort, "question")));
    guest.cable().send(datagram(port, "answer"));
    EXPECT_THAT(ask.end(), HasSubstr("6 bytes: answer\n"));
    EXPECT_THAT(guest.run("edp send eth0 02:00:00:00:00:01 7 " + std::string(1493, 'x')).err,
                HasSubstr("Message too long"));
}

/// Frames that are no datagrams, or not for this machine.
void check_refused(Guest& guest) {
    const auto malformed = count_of(guest, "malformed");
    const auto received = count_of(guest, "received");
    Caller reader(guest,
                  "sockio socket bind:eth0:9 set:300:1:1 note:/tmp/refused recv:100 recv:100",
                  "note 0");
    guest.must("ip link set eth0 promisc on");
    const Frame good = datagram(9, "good");
    std::size_t bad = 0;
    const auto spoil = [&](std::size_t at, std::uint8_t value) {
        Frame frame = good;
        frame[kHeader + at] = value;
        put(guest, frame);
        ++bad;
    };
    spoil(0, 0);
    spoil(0, 2);
    spoil(1, 1);
    spoil(2, 1);   // longer than the frame
    spoil(3, 7);   // shorter than the header
    spoil(3, 47);  // by one byte, padding counted
    Frame nobody = good;
    nobody[kHeader + 4] = nobody[kHeader + 5] = 0;
    put(guest, nobody);
    ++bad;
    put(guest, datagram(9, "stranger", kStranger));
    put(guest, tagged(5, good));
    put(guest, tagged(0, datagram(9, "priority")));
    put(guest, datagram(9, "last", sandbox::kBroadcast));
    const std::string said = reader.end();
    EXPECT_THAT(said, HasSubstr("recv 8 - whole 19/eth0/020000000001/4000 control 300/1 "
                                "19/eth0/525400123456/9 'priority'\n"));
    EXPECT_THAT(said, HasSubstr("recv 4 - whole 19/eth0/020000000001/4000 control 300/1 "
                                "19/eth0/ffffffffffff/9 'last'\n"));
    EXPECT_EQ(count_of(guest, "malformed") - malformed, bad);
    EXPECT_EQ(count_of(guest, "received") - received, 2U);

    guest.must(
        "modprobe 8021q && ip link add link eth0 name eth0.5 type vlan id 5 &&"
        " ip link set eth0.5 up");
    Caller inside(guest, "sockio socket bind:eth0.5:9 note:/tmp/vlan recv:100", "note 0");
    put(guest, datagram(9, "outside"));
    put(guest, tagged(5, datagram(9, "inside")));
    EXPECT_THAT(inside.end(), HasSubstr("19/eth0.5/020000000001/4000 'inside'\n"));
    guest.must("ip link del eth0.5 && ip link set eth0 promisc off");
}

/// Random frames; what must become of each is known here as well.
void check_hostile_frames(Guest& guest, std::mt19937_64& random, std::size_t frames) {
    const auto malformed = count_of(guest, "malformed");
    const auto unclaimed = count_of(guest, "unclaimed");
    const auto taken = count_of(guest, "received") + count_of(guest, "full");
    // Somebody else who gets every frame, so that buffers are shared; and one who reads.
    Frames tap(guest, "take", frames);
    Caller reader(guest, "edp receive any 9 1000000", "listening");
    std::size_t bad = 0;
    std::size_t nobodys = 0;
    std::size_t good = 0;
    for (std::size_t i = 0; i < frames; ++i) {
        const std::string data(random() % 3 == 0 ? random() % 1493 : random() % 64, 'h');
        Frame frame = datagram(random() % 4 == 0 ? 10 : 9, data);
        for (std::size_t at = 0; at < 8; ++at)
            if (random() % 16 == 0)
                frame[kHeader + at] = static_cast<std::uint8_t>(
                    random() % 2 == 0 ? random() : frame[kHeader + at] + random() % 3 - 1);
        if (random() % 8 == 0) frame.resize(kHeader + random() % (frame.size() - kHeader + 1));
        frame = sandbox::pad(frame);
        const std::uint8_t* field = frame.data() + kHeader;
        const std::size_t length = field[2] << 8 | field[3];
        if (field[0] != 1 || field[1] != 0 || (field[4] == 0 && field[5] == 0) || length < 8 ||
            length > frame.size() - kHeader)
            ++bad;
        else if (field[6] == 0 && field[7] == 9)
            ++good;
        else
            ++nobodys;
        put(guest, frame);
    }
    EXPECT_TRUE(tap.done());
    EXPECT_TRUE(eventually([&] {
        return count_of(guest, "received") + count_of(guest, "full") - taken == good;
    })) << content(guest, "/proc/net/edp_stat");
    EXPECT_EQ(count_of(guest, "malformed") - malformed, bad);
    EXPECT_EQ(count_of(guest, "unclaimed") - unclaimed, nobodys);
    EXPECT_GT(bad, frames / 10);
    EXPECT_GT(good, frames / 10);
    guest.must("killall edp");
}

/// What the flags of recvmsg() do, and what is no address.
void check_calls(Guest& guest) {
    EXPECT_EQ(
        calls(guest,
              "socket name bind:lo:9 name peer poll:0 recv:10:d sendto:lo:000000000000:9:hello"
              " inq poll:0 recv:2:p recv:1:pt recv:3:t recv:10:d"),
        "socket 0 -\nname 0 - 19/-/000000000000/0\nbind 0 -\n"
        "name 0 - 19/lo/000000000000/9\npeer -1 ENOTCONN\npoll 1 - out\nrecv -1 EAGAIN\n"
        "sendto 5 -\ninq 0 - 5\npoll 1 - in out\n"
        "recv 2 - cut 19/lo/000000000000/9 'he'\n"
        "recv 5 - cut 19/lo/000000000000/9 'h'\n"
        "recv 5 - cut 19/lo/000000000000/9 'hel'\nrecv -1 EAGAIN\n");
    // Connected: hears its peer alone; no more after AF_UNSPEC.
    EXPECT_EQ(calls(guest,
                    "socket bind:lo:9 socket bind:lo:8 connect:lo:000000000000:9 peer"
                    " get:300:2 send:one use:0 recv:9 sendto:lo:000000000000:8:two"
                    " connect:lo:000000000000:7 use:1 recv:9:d send:three use:0 recv:9:d"
                    " disconnect send:x use:1 send:four use:0 recv:9:d"),
              "socket 0 -\nbind 0 -\nsocket 0 -\nbind 0 -\nconnect 0 -\n"
              "peer 0 - 19/lo/000000000000/9\nget 0 - 65527 4\nsend 3 -\n"
              "recv 3 - whole 19/lo/000000000000/8 'one'\nsendto 3 -\nconnect 0 -\n"
              "recv 3 - whole 19/lo/000000000000/9 'two'\nsend 5 -\nrecv -1 EAGAIN\n"
              "disconnect 0 -\nsend -1 EDESTADDRREQ\nsend 4 -\n"
              "recv 4 - whole 19/lo/000000000000/8 'four'\n");
    // A peer has an interface: its own, or the one that the socket is bound to.
    EXPECT_EQ(calls(guest,
                    "socket connect:-:000000000000:9 name bind:lo:9 connect:-:000000000000:8 peer"
                    " socket bind:-:8 connect:-:000000000000:9 peer"),
              "socket 0 -\nconnect -1 ENODEV\nname 0 - 19/-/000000000000/0\nbind 0 -\n"
              "connect 0 -\npeer 0 - 19/lo/000000000000/8\n"
              "socket 0 -\nbind 0 -\nconnect -1 ENODEV\npeer -1 ENOTCONN\n");
    EXPECT_EQ(calls(guest,
                    "socket:1 socket:2:4 socket short:3 short:15 bind:lo:9 bind:lo:10"
                    " sendto:lo:ffffffffffff:9:x sendto:lo:000000000000:0:x"
                    " sendto:eth0:000000000000:9:x sendto:lo:000000000000:9:x readv recv:5:o"
                    " recv:9:d set:300:9:1 get:300:9 get:300:2:2 socket bind:lo:9 bind:-:9"
                    " bind:lo:0 socket get:300:2 sendto:lo:000000000000:9:x"),
              "socket -1 ESOCKTNOSUPPORT\nsocket -1 EPROTONOSUPPORT\nsocket 0 -\n"
              "short -1 EINVAL\nshort -1 EINVAL\nbind 0 -\nbind -1 EINVAL\n"
              "sendto -1 EACCES\nsendto -1 EINVAL\nsendto -1 ENETUNREACH\nsendto 1 -\n"
              "readv -1 EFAULT\nrecv -1 EOPNOTSUPP\nrecv -1 EAGAIN\nset -1 ENOPROTOOPT\n"
              "get -1 ENOPROTOOPT\nget 0 - 65527 2\nsocket 0 -\nbind -1 EADDRINUSE\n"
              "bind -1 EADDRINUSE\nbind 0 -\nsocket 0 -\nget -1 ENOTCONN\nsendto 1 -\n");
}

/// An MTU without room for a header.
void check_mtu(Guest& guest) {
    guest.must("ip link set lo mtu 4");
    EXPECT_EQ(calls(guest, "socket connect:lo:000000000000:9 get:300:2 send:"),
              "socket 0 -\nconnect 0 -\nget 0 - 0 4\nsend -1 EMSGSIZE\n");
    guest.must("ip link set lo mtu 65536");
}

/// A signal ends a blocking recv(), or restarts it, as its handler was set up.
void check_signals(Guest& guest) {
    EXPECT_THAT(calls(guest, "socket bind:eth0:11 alarm:50 recv:5"), HasSubstr("recv -1 EINTR\n"));
    Caller reader(guest, "sockio socket bind:eth0:11 restart:20 note:/tmp/restart recv:20",
                  "note 0");
    std::this_thread::sleep_for(300ms);  // for the signal; if it comes later, nothing is lost
    guest.cable().send(datagram(11, "after all"));
    EXPECT_THAT(reader.end(), HasSubstr("'after all'\n"));
}

/// A queue that is full: who is refused is counted, who is in stays in.
void check_full(Guest& guest) {
    const auto full = count_of(guest, "full");
    const auto received = count_of(guest, "received");
    std::string drain;
    for (int i = 0; i < 40; ++i) drain += " recv:200:d";
    Caller reader(guest,
                  "sockio socket set:1:8:4000 bind:eth0:12 note:/tmp/full await:/tmp/drain" + drain,
                  "note 0");
    for (int i = 0; i < 40; ++i) put(guest, datagram(12, std::to_string(100 + i)));
    EXPECT_TRUE(eventually([&] {
        return count_of(guest, "full") + count_of(guest, "received") == full + received + 40;
    })) << content(guest, "/proc/net/edp_stat");
    const auto kept = count_of(guest, "received") - received;
    EXPECT_GT(kept, 2U);
    EXPECT_LT(kept, 38U);
    std::istringstream lines(content(guest, "/proc/net/edp"));
    std::string heading;
    std::string line;
    std::getline(lines, heading);
    std::getline(lines, line);
    EXPECT_THAT(line, testing::ContainsRegex(" 12 .* " + std::to_string(40 - kept) + " +0 [0-9]+$"))
        << "drops";
    EXPECT_THAT(guest.must("edp list"), HasSubstr("eth0 52:54:00:12:34:56 port 12, uid 0, inode "));
    guest.must("touch /tmp/drain");
    const std::string said = reader.end();
    for (std::size_t i = 0; i < 40; ++i)
        EXPECT_EQ(said.find("'" + std::to_string(100 + i) + "'") != std::string::npos, i < kept);
}

/// Two namespaces: the same port in both, and each sees its own.
void check_namespaces(Guest& guest) {
    guest.must(
        "modprobe veth && ip netns add far && ip link add near type veth peer name there &&"
        " ip link set there netns far && ip link set near up && ip -n far link set there up"
        " && ip link set near address 02:00:00:00:00:0a"
        " && ip -n far link set there address 02:00:00:00:00:0b");
    const auto received = count_of(guest, "received");
    EXPECT_EQ(calls(guest,
                    "socket bind:-:9 netns:far socket bind:-:9 netns: use:0"
                    " sendto:near:02000000000b:9:there recv:9:d netns:far use:1 recv:9"
                    " sendto:there:02000000000a:9:back recv:9:d netns: use:0 recv:9"),
              "socket 0 -\nbind 0 -\nnetns 0 -\nsocket 0 -\nbind 0 -\nnetns 0 -\n"
              "sendto 5 -\nrecv -1 EAGAIN\nnetns 0 -\n"
              "recv 5 - whole 19/there/02000000000a/9 'there'\nsendto 4 -\nrecv -1 EAGAIN\n"
              "netns 0 -\nrecv 4 - whole 19/near/02000000000b/9 'back'\n");
    EXPECT_EQ(count_of(guest, "received") - received, 1U) << "the other was received elsewhere";

    // The interface goes: who sleeps wakes and is told, and is bound to nothing.
    const std::string after = " recv:5 recv:5:d sendto:near:02000000000b:9:x bind:-:6 poll:0";
    Caller down(guest, "sockio socket bind:near:5 note:/tmp/down" + after, "note 0");
    guest.must("ip link set near down");
    EXPECT_THAT(down.end(), HasSubstr("recv -1 ENETDOWN\nrecv -1 EAGAIN\nsendto -1 ENETDOWN\n"
                                      "bind -1 EINVAL\npoll 1 - out\n"));
    Caller gone(guest,
                "sockio socket bind:near:5 socket connect:near:02000000000b:7 note:/tmp/gone"
                " recv:5 recv:5:d use:0 poll:0 recv:5 recv:5:d send:x name",
                "note 0");
    Caller kept(guest,
                "sockio socket bind:-:7 connect:near:02000000000b:9 note:/tmp/kept recv:5"
                " disconnect socket bind:lo:7 bind:lo:8 sendto:lo:000000000000:7:after use:0"
                " poll:5000:in recv:9:d",
                "note 0");
    guest.must("ip link del near");
    EXPECT_THAT(kept.end(),
                HasSubstr("recv -1 ENODEV\ndisconnect 0 -\nsocket 0 -\nbind -1 EADDRINUSE\n"
                          "bind 0 -\nsendto 5 -\npoll 1 - in\n"
                          "recv 5 - whole 19/lo/000000000000/8 'after'\n"))
        << "bound to any interface, it was only connected over the one that is gone";
    EXPECT_THAT(gone.end(),
                HasSubstr("recv -1 ENODEV\nrecv -1 EAGAIN\npoll 1 - out err\nrecv -1 ENODEV\n"
                          "recv -1 EAGAIN\nsend -1 EDESTADDRREQ\nname 0 - 19/-/000000000000/5\n"));
    // A namespace goes with a socket in it: not before the socket.
    Caller last(guest, "sockio netns:far socket bind:-:9 note:/tmp/last await:/tmp/leave",
                "note 0");
    EXPECT_THAT(guest.must("ip netns exec far cat /proc/net/edp"), HasSubstr("     9 "));
    guest.must("ip netns del far && touch /tmp/leave");
    EXPECT_THAT(last.end(), HasSubstr("await 0"));
}

/// The module stays while anything of it is in use, and then goes.
void check_module(Guest& guest) {
    Caller holder(guest, "sockio socket note:/tmp/hold await:/tmp/let-go", "note 0");
    // Sockets that are closed stay for a grace period.
    EXPECT_TRUE(eventually([&] { return content(guest, "/sys/module/edp/refcnt") == "2\n"; }))
        << "by proto_ops and by proto";
    EXPECT_FALSE(guest.run("rmmod edp").ok());
    guest.must("touch /tmp/let-go");
    EXPECT_THAT(holder.end(), HasSubstr("await 0"));
    EXPECT_TRUE(eventually([&] { return content(guest, "/sys/module/edp/refcnt") == "0\n"; }));
    guest.must("rmmod edp");
    EXPECT_THAT(guest.run("edp list").err, HasSubstr("insmod edp.ko"));
    for (int i = 0; i < 5; ++i) {
        guest.must(std::string("insmod ") + kEdp);
        EXPECT_THAT(calls(guest, "socket bind:eth0:9 sendto:eth0:020000000001:7:x"),
                    HasSubstr("sendto 1 -\n"));
        // A frame may still be in the card, and a grace period may not be over.
        EXPECT_TRUE(eventually([&] { return guest.run("rmmod edp").ok(); }));
    }
}

TEST(Edp, IsAFamily) {
    sandbox::Options options = strict(stages().back());
    const std::filesystem::path root(FWTS_ROOT);
    options.files.push_back({root / "build/modules/strict/edp/edp.ko", kEdp});
    options.files.push_back({FWTS_EDP, "/bin/edp"});
    options.files.push_back({FWTS_SOCKIO, "/bin/sockio"});
    Guest guest = Guest::boot(options);
    std::mt19937_64 random = seeded();
    guest.must("dmesg -c");
    silence(guest);
    guest.must(std::string("insmod ") + kDriver + " && insmod " + kEdp +
               " && ip link set lo up && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    check_exchange(guest);
    check_refused(guest);
    check_calls(guest);
    check_signals(guest);
    check_full(guest);
    check_hostile_frames(guest, random, 1000);
    const std::string seed = std::to_string(random() % 1000000);
    EXPECT_EQ(calls(guest, "fuzz:" + seed + ":20000"), "fuzz 20000 -\n") << seed;
    check_namespaces(guest);
    check_module(guest);
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

/// The interface goes while connect() is on its way: after it was looked at, and before the socket
/// has its peer.
void check_gone_meanwhile(Guest& guest) {
    guest.must("modprobe veth && ip link add near type veth peer name there");
    SlowCall slow(guest, "symbol=__kmalloc_cache_noprof caller=edp");
    Caller late(
        guest,
        "sockio socket bind:-:7 connect:near:02000000000b:9 poll:0 connect:lo:000000000000:9",
        "bind 0");
    EXPECT_TRUE(slow.entered());
    guest.must("ip link del near");
    slow.let_go();
    EXPECT_THAT(late.end(), HasSubstr("connect -1 ENODEV\npoll 1 - out\nconnect 0 -\n"))
        << "it would wait for somebody who has gone, and nobody would tell it";
}

/// All ports that nobody asks for, each once; and to find that none is left does not take long.
void check_all_ports(Guest& guest) {
    EXPECT_EQ(calls(guest, "socket bind:lo:60000 ports:lo"),
              "socket 0 -\nbind 0 -\nports 16383 EADDRINUSE quick\n");
}

/// What needs a second processor, many sockets, or a call that takes long.
TEST(Edp, StandsWhatComesAtOnce) {
    sandbox::Options options = strict(stages().back());
    options.cpus = 2;
    options.memory = 512;
    const std::filesystem::path root(FWTS_ROOT);
    options.files.push_back({root / "build/modules/strict/edp/edp.ko", kEdp});
    options.files.push_back({FWTS_SOCKIO, "/bin/sockio"});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    silence(guest);
    guest.must(std::string("insmod ") + kEdp + " && ip link set lo up");
    check_mtu(guest);
    check_gone_meanwhile(guest);
    check_all_ports(guest);
    guest.must("rmmod edp");
    expect_no_complaint(guest);
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
