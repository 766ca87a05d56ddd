// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 07, receive: what the card may write and what the stack is told. Where a frame went and
/// what was said of it stands in the kernel's own trace of napi_gro_receive(); what the card wrote
/// is read from outside. The hash is computed here once more, from the key alone.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;
using testing::HasSubstr;

constexpr const char* kWindow = "/modules/window.ko";
constexpr const char* kVlanModule = "/modules/8021q.ko";
constexpr std::uint16_t kEtherType = 0x88b5;  // IEEE 802: for local experiments
constexpr std::size_t kHeader = 14;
constexpr std::size_t kTag = 4;
constexpr std::uint32_t kRxcsum = 0x05000;
constexpr std::uint32_t kVfta = 0x05600;
constexpr std::uint32_t kMrqc = 0x05818;
constexpr std::uint32_t kReta = 0x05c00;
constexpr std::size_t kTable = 128;

/// A strict guest with the driver loaded and up, and the trace of received frames on.
Guest ready_guest() {
    sandbox::Options options = strict("07");
    options.record_registers = true;
    options.files.push_back(
        {std::filesystem::path(FWTS_ROOT) / "build/modules/strict/in-kernel/window.ko", kWindow});
    options.files.push_back(
        {sandbox::find_module(sandbox::find_kernel("strict"), "8021q"), kVlanModule});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    silence(guest);
    guest.must(std::string("insmod ") + kDriver + " && ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    guest.must("mount -t tracefs none /sys/kernel/tracing 2>/dev/null; echo 1 >" + kTracing +
               "events/net/napi_gro_receive_entry/enable");
    guest.cable().clear();
    return guest;
}

/// What the driver said of one frame when it handed it over.
struct Said {
    int queue = 0;
    bool tagged = false;
    unsigned tci = 0;
    int ip_summed = 0;
    std::uint32_t hash = 0;
    bool l4_hash = false;
    std::size_t len = 0;
    std::size_t data_len = 0;
    std::size_t truesize = 0;
    int frags = 0;
};

/// @return the number after "NAME=" in a line of the trace.
std::uint64_t field(const std::string& line, const std::string& name) {
    const std::size_t at = line.find(" " + name + "=");
    EXPECT_NE(at, std::string::npos) << name << " in " << line;
    return at == std::string::npos ? 0 : std::stoull(line.substr(at + name.size() + 2), nullptr, 0);
}

/// @return the frames handed over since the last call, in their order; waits for @p count.
std::vector<Said> handed_over(Guest& guest, std::size_t count) {
    std::vector<Said> frames;
    EXPECT_TRUE(eventually([&] {
        std::istringstream lines(guest.get(kTracing + "trace"));
        frames.clear();
        for (std::string line; std::getline(lines, line);) {
            if (line.find("napi_gro_receive_entry: dev=eth0") == std::string::npos) continue;
            frames.push_back({.queue = static_cast<int>(field(line, "queue_mapping")) - 1,
                              .tagged = field(line, "vlan_tagged") != 0,
                              .tci = static_cast<unsigned>(field(line, "vlan_tci")),
                              .ip_summed = static_cast<int>(field(line, "ip_summed")),
                              .hash = static_cast<std::uint32_t>(field(line, "hash")),
                              .l4_hash = field(line, "l4_hash") != 0,
                              .len = field(line, "len") + kHeader,  // pulled before
                              .data_len = field(line, "data_len"),
                              .truesize = field(line, "truesize"),
                              .frags = static_cast<int>(field(line, "nr_frags"))});
        }
        return frames.size() >= count;
    })) << frames.size()
        << " of " << count << " frames";
    guest.put(kTracing + "trace", "");
    EXPECT_EQ(frames.size(), count);
    frames.resize(count);
    return frames;
}

/// One frame, and what was said of it.
Said said_of(Guest& guest, const Frame& frame) {
    guest.cable().send(frame);
    return handed_over(guest, 1)[0];
}

Frame plain(std::mt19937_64& random, std::size_t size) {
    Frame payload(size - kHeader);
    for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
    if (payload.size() >= 2)
        payload[0] = payload[1] = 0;  // `frames answer`: the answer is as long as this
    return sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, kEtherType, payload);
}

Frame tagged(Frame frame, std::uint16_t tci) {
    const std::array<std::uint8_t, kTag> tag = {0x81, 0x00, static_cast<std::uint8_t>(tci >> 8),
                                                static_cast<std::uint8_t>(tci)};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    return frame;
}

// --- receive side scaling -----------------------------------------------------------------------

using Key = std::array<std::uint8_t, 40>;

/// For each bit of @p input that is set, from the first on, the 32 bits of the key that begin at
/// its place are added without carry (Microsoft, "RSS hashing functions").
std::uint32_t toeplitz(const Key& key, const Frame& input) {
    std::uint32_t hash = 0;
    for (std::size_t bit = 0; bit < input.size() * 8; bit++) {
        if ((input[bit / 8] >> (7 - bit % 8) & 1) == 0) continue;
        for (std::size_t i = 0; i < 32; i++) {
            const std::size_t from = bit + i;
            hash ^= static_cast<std::uint32_t>(key[from / 8] >> (7 - from % 8) & 1) << (31 - i);
        }
    }
    return hash;
}

/// The vectors that were published with the function.
TEST(Receive, TheTestsOwnToeplitzIsRight) {
    const Key key = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                     0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                     0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                     0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
    Frame input = {66, 9, 149, 187, 161, 142, 100, 80};
    EXPECT_EQ(toeplitz(key, input), 0x323e8fc2U);
    for (const std::uint8_t byte : {2794 >> 8, 2794 & 0xff, 1766 >> 8, 1766 & 0xff})
        input.push_back(byte);
    EXPECT_EQ(toeplitz(key, input), 0x51ccc178U);
}

/// A flow: its frame, what of it the card hashes, and whether ports are part of that.
struct Flow {
    Frame frame;
    Frame hashed;
    bool ports = false;
};

Frame bytes_of(std::mt19937_64& random, std::size_t count) {
    Frame bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
}

/// A TCP segment or UDP datagram without data; ends nobody has, so nobody answers.
Flow random_flow(std::mt19937_64& random, bool udp_ports) {
    const bool six = random() % 2 != 0;
    constexpr std::array<std::uint8_t, 3> kProtocols = {sandbox::kTcp, sandbox::kUdp, 89};
    const std::uint8_t protocol = kProtocols[random() % kProtocols.size()];
    Frame head = bytes_of(random, 20);
    head[12] = 0x50;  // TCP: a header of 20 bytes
    head[13] = 0x10;
    Flow flow;
    if (protocol == sandbox::kUdp) {
        head.resize(8);
        head[4] = 0;
        head[5] = 8;
        head[6] = head[7] = 0;
    }
    const Frame from = bytes_of(random, six ? 16 : 4);
    const Frame to = bytes_of(random, six ? 16 : 4);
    if (six) {
        sandbox::Ip6Ends ends;
        std::copy(from.begin(), from.end(), ends.from.begin());
        std::copy(to.begin(), to.end(), ends.to.begin());
        ends.from[0] = ends.to[0] = 0x20;
        flow.frame = sandbox::ip6(ends, protocol, head);
        flow.hashed.assign(ends.from.begin(), ends.from.end());
        flow.hashed.insert(flow.hashed.end(), ends.to.begin(), ends.to.end());
    } else {
        sandbox::Ip4Ends ends;
        std::copy(from.begin(), from.end(), ends.from.begin());
        std::copy(to.begin(), to.end(), ends.to.begin());
        ends.from[0] = ends.to[0] = 10;
        flow.frame = sandbox::ip4(ends, protocol, head);
        flow.hashed.assign(ends.from.begin(), ends.from.end());
        flow.hashed.insert(flow.hashed.end(), ends.to.begin(), ends.to.end());
    }
    flow.ports = protocol == sandbox::kTcp || (protocol == sandbox::kUdp && udp_ports);
    if (flow.ports) flow.hashed.insert(flow.hashed.end(), head.begin(), head.begin() + 4);
    return flow;
}

/// The queue of each value of the hash's low seven bits, as the card has it.
std::vector<int> table_of(Guest& guest) {
    std::vector<int> table;
    for (std::size_t i = 0; i < kTable; i += 4) {
        const std::uint32_t entries = guest.read_register(kReta + static_cast<std::uint32_t>(i));
        for (unsigned k = 0; k < 4; k++) table.push_back(static_cast<int>(entries >> 8 * k & 0xff));
    }
    return table;
}

/// What of one frame the stack must be told, and has been.
using Told = std::pair<std::uint32_t, bool>;

/// Sends flows and compares, queue by queue and in order, hash and kind of hash.
void check_flows(Guest& guest, std::mt19937_64& random, const Key& key, bool udp_ports,
                 std::size_t count) {
    const std::vector<int> table = table_of(guest);
    std::map<int, std::vector<Told>> expected, seen;
    std::size_t sent = 0;
    while (sent < count) {
        const std::size_t batch = std::min<std::size_t>(count - sent, 200);
        for (std::size_t i = 0; i < batch; i++) {
            const Flow flow = random_flow(random, udp_ports);
            const std::uint32_t hash = toeplitz(key, flow.hashed);
            expected[table[hash % kTable]].push_back({hash, flow.ports});
            guest.cable().send(flow.frame);
        }
        for (const Said& said : handed_over(guest, batch))
            seen[said.queue].push_back({said.hash, said.l4_hash});
        sent += batch;
    }
    ASSERT_EQ(expected.size(), seen.size()) << "queues";
    for (const auto& [queue, told] : expected) EXPECT_EQ(seen[queue], told) << "queue " << queue;
}

std::string words_of(const Key& key) {
    std::string words;
    for (const std::uint8_t byte : key) {
        const std::string two = sandbox::to_hex({byte});
        words += (words.empty() ? "" : ":") + two;
    }
    return words;
}

/// Keys, tables and fields of a user's, with eight queues: some thousand flows.
void check_scaling(Guest& guest, std::mt19937_64& random) {
    guest.must("ethtool -L eth0 combined 8 && ethtool -G eth0 rx 512");
    EXPECT_EQ(guest.read_register(kMrqc) & 7, 2U) << "RSS";
    for (const char* table : {"equal 8", "weight 1 2 3 4 5 6 7 100", "equal 3"}) {
        Key key;
        for (auto& byte : key) byte = static_cast<std::uint8_t>(random());
        guest.must(std::string("ethtool -X eth0 hkey ") + words_of(key) + " " + table);
        const std::string shown = guest.must("ethtool -x eth0");
        EXPECT_THAT(shown, HasSubstr(words_of(key)));
        EXPECT_THAT(shown, HasSubstr("8 RX ring(s)"));
        for (const char* fields : {"sd", "sdfn"}) {
            guest.must(std::string("ethtool -N eth0 rx-flow-hash udp4 ") + fields +
                       " && ethtool -N eth0 rx-flow-hash udp6 " + fields);
            check_flows(guest, random, key, std::string(fields) == "sdfn", 500);
        }
    }
    EXPECT_FALSE(guest.run("ethtool -L eth0 combined 2").ok()) << "the table names queue 2";
    // ethtool says what the driver answers, but ends with 0.
    for (const char* what : {"tcp4 f", "tcp4 sdf", "tcp4 s", "ether sd"})
        EXPECT_THAT(guest.run(std::string("ethtool -N eth0 rx-flow-hash ") + what).err,
                    HasSubstr("Invalid argument"))
            << what;
    EXPECT_FALSE(guest.run("ethtool -X eth0 hfunc xor").ok());
    // What no hash covers goes to queue 0, and says so.
    const Said other = said_of(guest, plain(random, 100));
    EXPECT_EQ(other.queue, 0);
    EXPECT_EQ(other.hash, 0U);
    guest.must("ethtool -K eth0 rxhash off");
    guest.cable().send(random_flow(random, true).frame);
    EXPECT_EQ(handed_over(guest, 1)[0].hash, 0U);
    guest.must("ethtool -K eth0 rxhash on && ethtool -X eth0 default");
}

// --- channels -----------------------------------------------------------------------------------

/// Frames come all the time while queues come and go: what the card took reaches the stack, and no
/// total falls. The receive unit is off during a change; QEMU then loses a frame that waits on the
/// cable for each tail that is written, and a real card every frame.
void check_channels(Guest& guest, std::mt19937_64& random) {
    constexpr std::size_t kLeast = 500;
    guest.must("echo 0 >" + kTracing + "events/net/napi_gro_receive_entry/enable");
    guest.must("rm -f /tmp/changed");
    const std::uint64_t before = statistic(guest, "rx_packets");
    const std::uint64_t taken_before = counter(guest, "card_rx_packets");
    guest.start({"sh", "-c",
                 "for n in 8 1 5 3 8 2; do ethtool -L eth0 combined $n && "
                 "ethtool -G eth0 rx $((n * 32)) || exit; done; "
                 "ip link set eth0 mtu 4000 && ip link set eth0 mtu 1500 && "
                 "echo done >/tmp/changed"});
    std::uint64_t last = before;
    std::uint64_t taken = 0;
    std::size_t sent = 0;
    // The next few when the last have come: no queue gets more than it has room for.
    EXPECT_TRUE(eventually(
        [&] {
            const bool changed = content(guest, "/tmp/changed") == "done\n";
            const std::uint64_t now = statistic(guest, "rx_packets");
            EXPECT_GE(now, last) << "a total fell";
            last = now;
            taken = counter(guest, "card_rx_packets") - taken_before;
            EXPECT_LE(now - before, taken);
            if (now - before < taken) return false;
            if (changed && taken >= kLeast) return true;
            for (int i = 0; i < 10; i++, sent++)
                guest.cable().send(random_flow(random, false).frame);
            return false;
        },
        300s))
        << sent << " sent, " << taken << " taken, " << last - before << " handed over\n"
        << guest.must("ethtool -S eth0");
    // What is still on the cable comes before this frame.
    Frames after(guest, "take", 1);
    guest.cable().send(plain(random, 60));
    EXPECT_TRUE(after.done());
    EXPECT_TRUE(eventually([&] {
        const std::uint64_t now = statistic(guest, "rx_packets");
        taken = counter(guest, "card_rx_packets") - taken_before;
        return now - before == taken;
    }));
    EXPECT_LE(sent + 1 - taken, 100U) << "lost on the cable";
    std::cout << sent << " frames while queues came and went\n";
    EXPECT_THAT(guest.must("ethtool -l eth0"), shows("Combined", "2"));
    EXPECT_FALSE(guest.run("ethtool -L eth0 combined 9").ok());
    EXPECT_FALSE(guest.run("ethtool -L eth0 combined 0").ok());
    // Queues that are gone keep their part of the totals.
    const std::uint64_t all = statistic(guest, "rx_packets");
    guest.must("ethtool -L eth0 combined 1");
    EXPECT_EQ(statistic(guest, "rx_packets"), all);
    guest.must("ip link set eth0 down && ethtool -L eth0 combined 4 && ip link set eth0 up");
    EXPECT_EQ(statistic(guest, "rx_packets"), all);
    EXPECT_TRUE(carrier_becomes(guest, true));
    interrupt_line(guest, "eth0-rxtx-3");
    guest.must("ethtool -L eth0 combined 1");
    guest.must("echo >" + kTracing + "trace; echo 1 >" + kTracing +
               "events/net/napi_gro_receive_entry/enable");
}

// --- pieces and buffers -------------------------------------------------------------------------

/// Holds the poll, sends, and lets it go when @p descriptors have been filled meanwhile.
void with_poll_held(Guest& guest, std::mt19937_64& random, std::size_t descriptors,
                    const std::function<void()>& send) {
    const std::string resources = guest.get("/sys/class/net/eth0/device/resource");
    const std::size_t from = guest.console().text().size();
    guest.must(std::string("insmod ") + kWindow + " symbol=napi_complete_done bar=" +
               resources.substr(0, resources.find(' ')) + " frames=" + std::to_string(descriptors));
    guest.cable().send(plain(random, 60));
    ASSERT_TRUE(guest.console().expect("window: open", 60s, from));
    send();
    ASSERT_TRUE(eventually([&] {
        return guest.get("/sys/module/window/parameters/arrived") ==
               std::to_string(descriptors) + "\n";
    }));
    guest.must("rmmod window");
}

struct Descriptor {
    std::uint64_t low;
    std::uint64_t high;
};

std::vector<Descriptor> receive_ring(Guest& guest) {
    const std::uint64_t base =
        guest.read_register(kRdbal0) | std::uint64_t{guest.read_register(kRdbal0 + 4)} << 32;
    const std::string bytes = guest.memory(base, guest.read_register(kRdlen0));
    std::vector<Descriptor> ring(bytes.size() / sizeof(Descriptor));
    std::memcpy(ring.data(), bytes.data(), bytes.size());
    return ring;
}

/// With the poll held nobody but the card writes. Frames as long as may be, and longer ones, which
/// the card must not take: behind the room of each buffer nothing changes.
void check_room(Guest& guest, std::mt19937_64& random, std::size_t longest, std::size_t piece,
                std::size_t room) {
    const std::size_t pieces = (longest + room - 1) / room;
    guest.must("ethtool -G eth0 rx 64");
    const std::size_t frames = 48 / pieces;
    std::map<std::uint64_t, std::string> before;
    std::size_t filled = 0;
    with_poll_held(guest, random, frames * pieces, [&] {
        for (const Descriptor& one : receive_ring(guest))
            if (one.low != 0 && (one.high & 1) == 0)
                before[one.low] = guest.memory(one.low / piece * piece, piece);
        for (std::size_t i = 0; i + 1 < frames; i++) {
            guest.cable().send(plain(random, longest));
            for (const std::size_t over : {1, 2, 4, 30, 600, 2000})
                guest.cable().send(plain(random, longest + over));
        }
        EXPECT_TRUE(eventually([&] {
            filled = 0;
            for (const Descriptor& one : receive_ring(guest)) filled += one.high & 1;
            return filled > (frames - 1) * pieces;  // one is left over from the frame before
        }));
        for (const auto& [address, was] : before) {
            const std::string now = guest.memory(address / piece * piece, piece);
            const std::size_t begin = address % piece;
            EXPECT_EQ(now.substr(0, begin), was.substr(0, begin)) << "before the room";
            EXPECT_EQ(now.substr(begin + room), was.substr(begin + room)) << "behind the room";
        }
        guest.cable().send(plain(random, longest));
    });
    EXPECT_GT(before.size(), frames * pieces) << "buffers that were looked at";
    const auto said = handed_over(guest, frames + 1);
    for (std::size_t i = 1; i < said.size(); i++) {
        EXPECT_EQ(said[i].len, longest);
        EXPECT_EQ(said[i].frags + 1, static_cast<int>(pieces));
        EXPECT_GE(said[i].truesize, pieces * piece) << "memory nobody accounts for";
    }
}

/// Frames of one piece and of several, in the order in which they were sent, byte for byte. The
/// first makes the ends of polls fall between the pieces of a frame.
void check_pieces(Guest& guest, std::mt19937_64& random) {
    guest.must("ip link set eth0 mtu 9216 && ethtool -G eth0 rx 256");
    constexpr std::size_t kLongest = 9216 + kHeader;
    std::vector<std::size_t> sizes = {60,   255,  256,  3071, 3072, 3073,         6143,
                                      6144, 6145, 9215, 9216, 9217, kLongest - 1, kLongest};
    for (int i = 0; i < 60; i++) sizes.push_back(60 + random() % (kLongest - 59));
    std::vector<Frame> sent;
    Frames answering(guest, "answer", sizes.size());
    for (const std::size_t size : sizes) {
        sent.push_back(plain(random, size));
        guest.cable().send(sent.back());
    }
    for (Frame& frame : sent) {
        std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
        const auto back = guest.cable().receive(20s);
        ASSERT_TRUE(back) << "no answer to a frame of " << frame.size() << " bytes";
        ASSERT_EQ(*back, frame);
    }
    ASSERT_TRUE(answering.done());
    const auto said = handed_over(guest, sizes.size());
    for (std::size_t i = 0; i < said.size(); i++) {
        const std::size_t pieces = (sizes[i] + 3071) / 3072;
        EXPECT_EQ(said[i].len, sizes[i]);
        EXPECT_EQ(said[i].frags + 1, static_cast<int>(pieces)) << sizes[i] << " bytes";
        EXPECT_GE(said[i].truesize, sizes[i] < 256 ? 0 : pieces * 4096);
    }
    // One short frame and then 40 of four pieces: after 64 descriptors a frame is in the middle.
    constexpr std::size_t kFrames = 40;
    Frames taken(guest, "take", kFrames + 2);
    with_poll_held(guest, random, 1 + 4 * kFrames, [&] {
        guest.cable().send(plain(random, 60));
        for (std::size_t i = 0; i < kFrames; i++) guest.cable().send(plain(random, kLongest));
    });
    EXPECT_TRUE(taken.done());
    const auto whole = handed_over(guest, kFrames + 2);
    for (std::size_t i = 2; i < whole.size(); i++) EXPECT_EQ(whole[i].len, kLongest);
    check_room(guest, random, kLongest + kTag, 4096, 3072);
    EXPECT_EQ(counter(guest, "rx0_drops"), 0U);
    guest.must("ip link set eth0 mtu 1500");
    check_room(guest, random, 1514, 2048, 1518);
}

/// A frame that loses a piece in its middle is dropped to its end, and the next is whole.
void check_lost_piece(Guest& guest, std::mt19937_64& random) {
    guest.must("ip link set eth0 mtu 9216");
    for (const char* fails :
         {"symbol=page_pool_alloc_pages value=0 skip=0",
          "symbol=page_pool_alloc_pages value=0 skip=1",
          "symbol=page_pool_alloc_pages value=0 skip=2", "symbol=napi_build_skb value=0"}) {
        const std::uint64_t before = counter(guest, "rx0_drops");
        guest.must(std::string("insmod ") + kFailcall + " " + fails);
        guest.cable().send(plain(random, 9000));
        EXPECT_TRUE(eventually([&] { return counter(guest, "rx0_drops") == before + 1; })) << fails;
        EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), "1\n") << fails;
        guest.must("rmmod failcall");
        EXPECT_EQ(said_of(guest, plain(random, 9000)).len, 9000U) << "the next";
    }
    EXPECT_EQ(counter(guest, "rx0_drops"), 4U);
    EXPECT_EQ(counter(guest, "rx0_no_memory"), 4U);
    guest.must("ip link set eth0 mtu 1500");
}

/// Changes that find no memory leave the old rings at work.
void check_refused_changes(Guest& guest, std::mt19937_64& random) {
    for (const char* fails :
         {"symbol=page_pool_create value=-12", "symbol=page_pool_alloc_frag value=0 skip=10",
          "symbol=dma_alloc_attrs value=0 skip=3", "symbol=request_threaded_irq value=-16",
          "symbol=netif_set_real_num_queues value=-12"}) {
        guest.must(std::string("insmod ") + kFailcall + " " + fails);
        EXPECT_FALSE(guest.run("ethtool -L eth0 combined 3").ok()) << fails;
        EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), "1\n") << fails;
        guest.must("rmmod failcall");
        EXPECT_THAT(guest.must("ethtool -l eth0"), testing::ContainsRegex("\nCombined:[ \t]*1\n$"));
        EXPECT_EQ(said_of(guest, plain(random, 1000)).len, 1000U) << fails;
    }
}

// --- what the stack may believe -----------------------------------------------------------------

enum Summed { kNone = 0, kUnnecessary = 1 };

void check_sums(Guest& guest) {
    const Frame good = sandbox::udp(7, std::string(300, 'x'));
    const Frame good6 = sandbox::udp6(7, std::string(300, 'x'));
    const std::size_t ip = kHeader, udp = ip + 20, udp6 = ip + 40;
    Frame unsummed = good, fragment = good;
    unsummed[udp + 6] = unsummed[udp + 7] = 0;
    fragment[ip + 6] = 0x20;  // more fragments, in place of "do not fragment"
    fragment[ip + 10] = fragment[ip + 11] = 0;
    const std::uint16_t sum =
        sandbox::checksum_finish(sandbox::checksum_add(0, fragment.data() + ip, 20));
    fragment[ip + 10] = static_cast<std::uint8_t>(sum >> 8);
    fragment[ip + 11] = static_cast<std::uint8_t>(sum);

    EXPECT_EQ(said_of(guest, good).ip_summed, kUnnecessary);
    EXPECT_EQ(said_of(guest, good6).ip_summed, kUnnecessary);
    EXPECT_EQ(said_of(guest, unsummed).ip_summed, kNone) << "there is no sum";
    EXPECT_EQ(said_of(guest, fragment).ip_summed, kNone) << "a sum over more than there is here";
    EXPECT_EQ(said_of(guest, sandbox::ping(1, 1)).ip_summed, kNone) << "the card does not know it";
    EXPECT_EQ(counter(guest, "rx0_checksum_bad"), 0U);

    EXPECT_EQ(said_of(guest, spoilt(good, udp + 20)).ip_summed, kNone);
    EXPECT_EQ(said_of(guest, spoilt(good6, udp6 + 20)).ip_summed, kNone);
    EXPECT_EQ(said_of(guest, spoilt(good, ip + 1)).ip_summed, kNone) << "the header's sum";
    EXPECT_EQ(counter(guest, "rx0_checksum_bad"), 3U);
    EXPECT_EQ(counter(guest, "rx0_checksum_good"), 2U);
    EXPECT_EQ(counter(guest, "rx0_drops"), 0U) << "it is the stack that drops them";

    guest.must("ethtool -K eth0 rx off");
    EXPECT_EQ(said_of(guest, good).ip_summed, kNone);
    guest.must("ethtool -K eth0 rx on");
    EXPECT_EQ(said_of(guest, good).ip_summed, kUnnecessary);
}

void check_vlans(Guest& guest, std::mt19937_64& random) {
    guest.must(std::string("insmod ") + kVlanModule);
    // Neither this one, which is nobody's, nor the one after it: the third is the first to arrive.
    guest.cable().send(tagged(plain(random, 300), 5));
    guest.cable().send(tagged(plain(random, 301), 4095));
    EXPECT_EQ(said_of(guest, plain(random, 302)).len, 302U);
    const Said priority = said_of(guest, tagged(plain(random, 303), 7 << 13));
    EXPECT_TRUE(priority.tagged);
    EXPECT_EQ(priority.tci, 7U << 13) << "VLAN 0, which is none";

    guest.must("ip link add link eth0 name v5 type vlan id 5");
    EXPECT_EQ(guest.read_register(kVfta), 0x21U);
    const Said ours = said_of(guest, tagged(plain(random, 304), 3 << 13 | 5));
    EXPECT_TRUE(ours.tagged);
    EXPECT_EQ(ours.tci, 3U << 13 | 5);
    EXPECT_EQ(ours.len, 304U) << "the tag is out";
    EXPECT_EQ(said_of(guest, tagged(plain(random, 1514), 5)).len, 1514U) << "the longest";

    guest.must("ethtool -K eth0 rxvlan off");
    const Said with = said_of(guest, tagged(plain(random, 305), 5));
    EXPECT_FALSE(with.tagged);
    EXPECT_EQ(with.len, 305U + kTag);
    guest.must("ethtool -K eth0 rxvlan on");
    EXPECT_TRUE(said_of(guest, tagged(plain(random, 306), 5)).tagged);

    guest.must("ethtool -K eth0 rx-vlan-filter off");
    EXPECT_EQ(said_of(guest, tagged(plain(random, 307), 6)).tci, 6U);
    guest.must("ethtool -K eth0 rx-vlan-filter on");
    guest.must("ip link set eth0 down && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_EQ(guest.read_register(kVfta), 0x21U) << "written again after a reset";
    EXPECT_TRUE(said_of(guest, tagged(plain(random, 308), 5)).tagged);
    guest.must("ip link del v5");
    guest.cable().send(tagged(plain(random, 309), 5));
    EXPECT_EQ(said_of(guest, plain(random, 310)).len, 310U);
    guest.must("rmmod 8021q");
}

/// Short frames are copied, and the user says what is short.
void check_copybreak(Guest& guest, std::mt19937_64& random) {
    EXPECT_LT(said_of(guest, plain(random, 255)).truesize, 2048U);
    EXPECT_GE(said_of(guest, plain(random, 256)).truesize, 2048U);
    guest.must("ethtool --set-tunable eth0 rx-copybreak 0");
    EXPECT_GE(said_of(guest, plain(random, 60)).truesize, 2048U);
    guest.must("ethtool --set-tunable eth0 rx-copybreak 256");
    EXPECT_FALSE(guest.run("ethtool --set-tunable eth0 rx-copybreak 5000").ok());
}

// --- pages that come back late ------------------------------------------------------------------

/// A program holds frames while their pools are destroyed and the module goes.
void check_pages_in_flight(Guest& guest, std::mt19937_64& random) {
    guest.must("echo 0 >" + kTracing + "events/net/napi_gro_receive_entry/enable");
    const std::uint64_t before = statistic(guest, "rx_packets");
    Frames held(guest, "take", 200);
    guest.must("killall -STOP frames");
    for (int i = 0; i < 100; i++) guest.cable().send(plain(random, 1400));
    ASSERT_TRUE(eventually([&] { return statistic(guest, "rx_packets") == before + 100; }));
    guest.must("ethtool -G eth0 rx 128 && ethtool -L eth0 combined 3");
    for (int i = 0; i < 100; i++) guest.cable().send(plain(random, 1400));
    ASSERT_TRUE(eventually([&] { return statistic(guest, "rx_packets") == before + 200; }));
    guest.must("ip link set eth0 down && rmmod igbook");
    // Its interface is gone: it ends, and with it what it held.
    guest.must("killall -CONT frames");
    EXPECT_TRUE(eventually([&] { return !guest.run("pidof frames").ok(); }));
}

TEST(Receive, BuffersPiecesAndWhatTheStackIsTold) {
    std::mt19937_64 random = seeded();
    Guest guest = ready_guest();
    const sandbox::RegisterLog start = guest.registers();
    EXPECT_EQ(guest.read_register(kRxcsum) & 0x2300, 0x2300U) << "PCSD, TUOFLD, IPOFLD";
    for (const auto& write : start.all())
        EXPECT_TRUE(write.implemented) << "wrote to " << sandbox::register_name(write.offset);
    check_sums(guest);
    check_copybreak(guest, random);
    check_vlans(guest, random);
    check_pieces(guest, random);
    check_lost_piece(guest, random);
    check_refused_changes(guest, random);
    check_pages_in_flight(guest, random);
    expect_no_complaint(guest);
    guest.power_off();
}

TEST(Receive, ScalesOverQueuesThatComeAndGo) {
    std::mt19937_64 random = seeded();
    Guest guest = ready_guest();
    check_scaling(guest, random);
    check_channels(guest, random);
    for (int i = 0; i < 300; i++) guest.cable().send(random_flow(random, true).frame);
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
