// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 08, transmit. The emulated card ignores most of what a context descriptor says, so it is
/// held (qemu/probes/hold.cc) and what the driver has written is read from outside, before the card
/// sees it, and compared with the datasheet's definition; sums on the cable are added up here.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;
using testing::HasSubstr;

constexpr std::uint16_t kEtherType = 0x88b5;  // IEEE 802: for local experiments
constexpr std::size_t kEthernet = 14;
constexpr std::size_t kIp4 = 20;
constexpr std::size_t kIp6 = 40;
constexpr std::size_t kMinimum = 60;  // bytes of a frame without FCS
constexpr std::uint16_t kTag = 3U << 13 | 5;
const std::string kQueue = "/sys/class/net/eth0/queues/tx-0/";

/// A strict guest with the driver loaded, up, with carrier and a neighbour that nobody has to ask.
Guest ready_guest(int cpus = 1, const std::string& stage = "08") {
    sandbox::Options options = strict(stage);
    options.record_registers = true;
    options.cpus = cpus;
    options.files.push_back({kernel_module("8021q"), "/modules/8021q.ko"});
    options.files.push_back({kernel_module("pktgen"), "/modules/pktgen.ko"});
    options.files.push_back(
        {std::filesystem::path(FWTS_ROOT) / "build/modules/strict/in-kernel/patience.ko",
         "/modules/patience.ko"});
    options.files.push_back(
        {std::filesystem::path(FWTS_ROOT) / "build/modules/strict/in-kernel/tunneller.ko",
         "/modules/tunneller.ko"});
    options.files.push_back(
        {std::filesystem::path(FWTS_ROOT) / "build/bin/time_stamps", "/bin/time_stamps"});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    silence(guest);
    guest.must(std::string("insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up && "
               "ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 nud permanent dev eth0");
    EXPECT_TRUE(carrier_becomes(guest, true));
    // Until a test is about that, nobody gives up a queue of a card that is held.
    guest.must("insmod /modules/patience.ko");
    guest.cable().clear();
    return guest;
}

std::uint64_t number(Guest& guest, const std::string& path) {
    return std::stoull(guest.get(path));
}

/// Sixteen bytes of a ring as they stand in memory.
struct Descriptor {
    std::uint64_t low;
    std::uint64_t high;

    [[nodiscard]] bool is_context() const { return (high >> 20 & 0xf) == 2; }
    [[nodiscard]] std::uint64_t command() const { return high >> 24 & 0xff; }
};

enum Command : std::uint64_t {
    kEop = 1,
    kIfcs = 2,
    kRs = 8,
    kDext = 0x20,
    kVle = 0x40,
    kTse = 0x80
};
enum Popts : std::uint64_t { kIxsm = 1, kTxsm = 2 };

/// @return what has been put into queue 0 from descriptor @p from on, up to the tail.
std::vector<Descriptor> waiting(Guest& guest, std::uint32_t from) {
    // The tail first: what lies before it was written before it.
    const std::uint32_t tail = guest.read_register(kTdt0);
    const std::uint64_t base =
        guest.read_register(kTdbal0) | std::uint64_t{guest.read_register(kTdbah0)} << 32;
    const std::size_t count = guest.read_register(kTdlen0) / sizeof(Descriptor);
    const std::string bytes = guest.memory(base, count * sizeof(Descriptor));
    std::vector<Descriptor> ring(count);
    std::memcpy(ring.data(), bytes.data(), bytes.size());
    std::vector<Descriptor> result;
    for (std::size_t i = from; i != tail; i = (i + 1) % count) result.push_back(ring[i]);
    return result;
}

// --- frames -------------------------------------------------------------------------------------

std::size_t get16(const Frame& frame, std::size_t at) {
    return static_cast<std::size_t>(frame[at]) << 8 | frame[at + 1];
}

/// What a frame is made of, and what the card is to do to it.
struct Wanted {
    std::string name;
    bool ip = true;
    bool six = false;
    bool udp = false;
    std::size_t extension = 0;  ///< bytes of an IPv6 extension header
    std::size_t l4len = 20;
    std::size_t payload = 0;
    std::size_t mss = 0;  ///< 0: not to be cut
    bool tagged = false;
    bool routed = false;  ///< the sum is that of a last destination which IP's header does not name

    [[nodiscard]] std::size_t iplen() const { return six ? kIp6 + extension : kIp4; }
    [[nodiscard]] std::size_t l4() const { return kEthernet + iplen(); }
    [[nodiscard]] std::size_t headers() const { return l4() + l4len; }
    [[nodiscard]] std::size_t check() const { return l4() + (udp ? 6 : 16); }
    [[nodiscard]] std::uint8_t protocol() const { return udp ? sandbox::kUdp : sandbox::kTcp; }
};

/// The sum of a pseudo-header and @p bytes from @p l4 on; a right one is 0.
std::uint16_t sum_of(const Frame& frame, bool six, std::size_t l4, std::uint8_t protocol,
                     std::size_t length, std::size_t bytes) {
    std::uint32_t sum = six ? sandbox::checksum_add(0, &frame[kEthernet + 8], 32)
                            : sandbox::checksum_add(0, &frame[kEthernet + 12], 8);
    const std::uint8_t rest[] = {static_cast<std::uint8_t>(length >> 8),
                                 static_cast<std::uint8_t>(length), 0, protocol};
    sum = sandbox::checksum_add(sum, rest, sizeof rest);
    return sandbox::checksum_finish(sandbox::checksum_add(sum, &frame[l4], bytes));
}

/// The sum of the pseudo-header alone, as it stands in the place of a sum the card is to complete.
std::uint16_t pseudo_sum(Frame frame, const Wanted& wanted, std::size_t length) {
    if (wanted.routed) frame[kEthernet + (wanted.six ? 39 : 19)] ^= 0x40;
    return static_cast<std::uint16_t>(
        ~sum_of(frame, wanted.six, wanted.l4(), wanted.protocol(), length, 0));
}

/// The frame as the stack hands it over: of the sum only the pseudo-header's part.
Frame frame_of(std::mt19937_64& random, const Wanted& wanted) {
    Frame payload(wanted.payload);
    for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
    if (!wanted.ip)
        return sandbox::ethernet(sandbox::kHostMac, sandbox::kGuestMac, kEtherType, payload);
    Frame l4(wanted.l4len);
    put16(l4, 0, 40000);
    put16(l4, 2, 9);
    if (wanted.udp) {
        put16(l4, 4, wanted.l4len + wanted.payload);
    } else {
        l4[7] = 1;  // sequence number
        l4[12] = static_cast<std::uint8_t>(wanted.l4len / 4 << 4);
        l4[13] = 0x10;  // ACK
        std::fill(l4.begin() + 20, l4.end(), 1);
    }
    Frame inside(wanted.extension);
    if (wanted.extension > 0) {
        inside[0] = wanted.protocol();
        inside[1] = static_cast<std::uint8_t>(wanted.extension / 8 - 1);
        // Options of padding, each as long as one can be.
        for (std::size_t at = 2; at < inside.size();) {
            const std::size_t left = inside.size() - at;
            const std::size_t option = std::min<std::size_t>(left, 6);
            inside[at] = option == 1 ? 0 : 1;
            if (option > 1) inside[at + 1] = static_cast<std::uint8_t>(option - 2);
            at += option;
        }
    }
    inside.insert(inside.end(), l4.begin(), l4.end());
    inside.insert(inside.end(), payload.begin(), payload.end());
    sandbox::Ip4Ends four{sandbox::kGuestMac, sandbox::kHostMac, sandbox::kGuestIp4,
                          sandbox::kHostIp4};
    sandbox::Ip6Ends six{sandbox::kGuestMac, sandbox::kHostMac, sandbox::kGuestIp6,
                         sandbox::kHostIp6};
    const std::uint8_t next = wanted.extension > 0 ? 60 : wanted.protocol();
    Frame frame = wanted.six ? sandbox::ip6(six, next, inside)
                             : sandbox::ip4(four, wanted.protocol(), inside);
    put16(frame, wanted.check(), pseudo_sum(frame, wanted, frame.size() - wanted.l4()));
    return frame;
}

/// struct virtio_net_hdr: how the stack is asked for CHECKSUM_PARTIAL and for segments.
Frame offload_header(const Wanted& wanted) {
    Frame header(10);
    if (!wanted.ip) return header;
    const auto little = [&header](std::size_t at, std::size_t value) {
        header[at] = static_cast<std::uint8_t>(value);
        header[at + 1] = static_cast<std::uint8_t>(value >> 8);
    };
    header[0] = 1;  // NEEDS_CSUM
    if (wanted.mss > 0) header[1] = wanted.udp ? 5 : (wanted.six ? 4 : 1);
    little(2, wanted.headers());
    little(4, wanted.mss);
    little(6, wanted.l4());
    little(8, wanted.udp ? 6 : 16);
    return header;
}

/// Lets the guest's stack send a frame, by an interface that may be a VLAN's.
void send(Guest& guest, const Wanted& wanted, const Frame& frame, int times = 1) {
    Frame file;
    for (int i = 0; i < times; i++) {
        const Frame header = offload_header(wanted);
        const std::size_t length = header.size() + frame.size();
        file.push_back(static_cast<std::uint8_t>(length >> 8));
        file.push_back(static_cast<std::uint8_t>(length));
        file.insert(file.end(), header.begin(), header.end());
        file.insert(file.end(), frame.begin(), frame.end());
    }
    guest.put("/tmp/frames", std::string(file.begin(), file.end()));
    guest.must(std::string("frames offload ") + (wanted.tagged ? "v5 " : "eth0 ") +
               std::to_string(times) + " /tmp/frames");
}

// --- what the driver wrote ----------------------------------------------------------------------

/// The datasheet's "Advanced Transmit Context Descriptor", field by field.
void check_context(const Descriptor& got, const Wanted& wanted) {
    EXPECT_TRUE(got.is_context());
    EXPECT_EQ(got.low & 0x1ff, wanted.ip ? wanted.iplen() : 0U) << "IPLEN";
    EXPECT_EQ(got.low >> 9 & 0x7f, kEthernet) << "MACLEN: the tag is not in the frame";
    EXPECT_EQ(got.low >> 16 & 0xffff, wanted.tagged ? kTag : 0U) << "VLAN";
    EXPECT_EQ(got.low >> 32, 0U) << "launch time";
    EXPECT_EQ(got.high >> 9 & 1, 0U) << "SNAP";
    EXPECT_EQ(got.high >> 10 & 1, wanted.ip && !wanted.six ? 1U : 0U) << "IPV4";
    EXPECT_EQ(got.high >> 11 & 3, wanted.ip && !wanted.udp ? 1U : 0U) << "L4T";
    EXPECT_EQ(got.high & 0x1ff, 0U) << "reserved";
    EXPECT_EQ(got.high >> 13 & 0x7f, 0U) << "reserved";
    EXPECT_EQ(got.command(), kDext) << "a context is not a packet: no EOP, no RS";
    EXPECT_EQ(got.high >> 32 & 0xff, 0U) << "IDX";
    EXPECT_EQ(got.high >> 40 & 0xff, wanted.mss > 0 ? wanted.l4len : 0U) << "L4LEN";
    EXPECT_EQ(got.high >> 48, wanted.mss) << "MSS";
}

/// The datasheet's "Advanced Transmit Data Descriptor", for all of a frame.
void check_data(const std::vector<Descriptor>& got, const Wanted& wanted, std::size_t length) {
    const bool cut = wanted.mss > 0;
    std::uint64_t command = kIfcs | kDext;
    if (wanted.tagged) command |= kVle;
    if (cut) command |= kTse;
    ASSERT_FALSE(got.empty());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < got.size(); i++) {
        const bool last = i + 1 == got.size();
        EXPECT_EQ(got[i].high >> 20 & 0xf, 3U) << "DTYP of descriptor " << i;
        EXPECT_EQ(got[i].command(), command | (last ? kEop | kRs : 0U)) << "descriptor " << i;
        EXPECT_EQ(got[i].high >> 16 & 0xf, 0U) << "reserved, MAC";
        bytes += got[i].high & 0xffff;
        EXPECT_TRUE(i == 0 || got[i].high >> 32 == 0) << "only the first says it";
    }
    EXPECT_EQ(bytes, length) << "DTALEN, summed up";
    EXPECT_EQ(got[0].high >> 32 & 0xff, 0U) << "STA, IDX, CC";
    EXPECT_EQ(got[0].high >> 40 & 0x3f, (wanted.ip ? std::uint64_t{kTxsm} : 0U) |
                                            (cut && !wanted.six ? std::uint64_t{kIxsm} : 0U))
        << "POPTS";
    EXPECT_EQ(got[0].high >> 46, cut ? wanted.payload : length) << "PAYLEN";
}

/// The headers as the card reads them.
void check_headers(Guest& guest, const Descriptor& first, const Wanted& wanted,
                   const Frame& frame) {
    const std::string bytes = guest.memory(first.low, wanted.headers());
    Frame got(bytes.begin(), bytes.end());
    if (wanted.mss == 0) {
        EXPECT_EQ(got, Frame(frame.begin(), frame.begin() + static_cast<long>(wanted.headers())))
            << "the pseudo-header's sum must still be there";
        return;
    }
    if (wanted.six) {
        EXPECT_EQ(get16(got, kEthernet + 4), 0U) << "IPv6's payload length";
    } else {
        EXPECT_EQ(get16(got, kEthernet + 2), 0U) << "IPv4's total length";
        EXPECT_EQ(get16(got, kEthernet + 10), 0U) << "IPv4's checksum";
    }
    EXPECT_EQ(get16(got, wanted.check()), pseudo_sum(frame, wanted, 0))
        << "the pseudo-header without its length";
}

// --- what is on the cable -----------------------------------------------------------------------

/// One frame on the cable: the sums, added up here, and everything else as it was sent.
void check_whole(Frame got, const Wanted& wanted, Frame sent) {
    if (wanted.tagged) {
        ASSERT_GT(got.size(), kEthernet + 4);
        EXPECT_EQ(get16(got, 12), 0x8100U);
        EXPECT_EQ(get16(got, 14), kTag);
        got.erase(got.begin() + 12, got.begin() + 16);
    }
    if (wanted.ip) {
        ASSERT_GE(got.size(), wanted.headers() + wanted.payload);
        const std::size_t length = wanted.l4len + wanted.payload;
        EXPECT_EQ(sum_of(got, wanted.six, wanted.l4(), wanted.protocol(), length, length), 0U)
            << "sum of TCP or UDP";
        put16(got, wanted.check(), 0);
        put16(sent, wanted.check(), 0);
    }
    sent.resize(std::max(sent.size(), got.size()));  // what is short was padded with zeros
    EXPECT_EQ(got, sent);
}

/// The segments of one frame: lengths, numbers, sums, and the payload put together again.
void check_segments(Guest& guest, const Wanted& wanted, const Frame& sent) {
    std::size_t done = 0;
    while (done < wanted.payload) {
        const auto got = guest.cable().receive(20s);
        ASSERT_TRUE(got) << "nothing after " << done << " of " << wanted.payload << " bytes";
        const std::size_t part = std::min(wanted.mss, wanted.payload - done);
        ASSERT_EQ(got->size(), std::max(wanted.headers() + part, kMinimum));
        EXPECT_EQ(get16(*got, wanted.l4() + 4) << 16 | get16(*got, wanted.l4() + 6), 1 + done)
            << "sequence number";
        if (wanted.six) {
            EXPECT_EQ(get16(*got, kEthernet + 4), wanted.headers() + part - kEthernet - kIp6);
        } else {
            EXPECT_EQ(get16(*got, kEthernet + 2), wanted.headers() + part - kEthernet);
            EXPECT_EQ(sandbox::checksum_finish(sandbox::checksum_add(0, &(*got)[kEthernet], kIp4)),
                      0U);
        }
        EXPECT_EQ(sum_of(*got, wanted.six, wanted.l4(), wanted.protocol(), wanted.l4len + part,
                         wanted.l4len + part),
                  0U)
            << "sum of the segment at " << done;
        const auto from = static_cast<long>(wanted.headers());
        EXPECT_TRUE(std::equal(got->begin() + from, got->begin() + from + static_cast<long>(part),
                               sent.begin() + from + static_cast<long>(done)))
            << "payload at " << done;
        done += part;
    }
}

/// One frame: held, read from outside, sent and looked at on the cable.
void check_frame(Guest& guest, std::mt19937_64& random, const Wanted& wanted) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, wanted.name);
    const Frame frame = frame_of(random, wanted);
    const bool context = wanted.ip || wanted.tagged;
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    send(guest, wanted, frame);
    std::vector<Descriptor> written = waiting(guest, from);
    ASSERT_GT(written.size(), context ? 1U : 0U);
    if (context) {
        check_context(written[0], wanted);
        written.erase(written.begin());
    }
    check_data(written, wanted, std::max(frame.size(), kMinimum));
    if (wanted.ip) check_headers(guest, written[0], wanted, frame);
    guest.cable().clear();
    let_go(guest);
    if (wanted.mss > 0) {
        check_segments(guest, wanted, frame);
        return;
    }
    const auto got = guest.cable().receive(20s);
    ASSERT_TRUE(got);
    check_whole(*got, wanted, frame);
}

/// The same twice: the card has the context already.
void check_context_kept(Guest& guest, std::mt19937_64& random) {
    const Wanted wanted{.name = "kept", .l4len = 24, .payload = 600};
    const Frame frame = frame_of(random, wanted);
    for (const std::size_t least : {2U, 1U}) {
        hold(guest);
        const std::uint32_t from = guest.read_register(kTdt0);
        send(guest, wanted, frame);
        const std::vector<Descriptor> written = waiting(guest, from);
        EXPECT_EQ(written[0].is_context(), least == 2);
        guest.cable().clear();
        let_go(guest);
        const auto got = guest.cable().receive(20s);
        ASSERT_TRUE(got);
        check_whole(*got, wanted, frame);
    }
}

/// IPLEN has nine bits: headers too long for it come with a sum already.
void check_long_headers(Guest& guest, std::mt19937_64& random) {
    const Wanted wanted{.name = "long headers",
                        .six = true,
                        .udp = true,
                        .extension = 480,
                        .l4len = 8,
                        .payload = 300};
    const Frame frame = frame_of(random, wanted);
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    send(guest, wanted, frame);
    for (const Descriptor& descriptor : waiting(guest, from)) {
        EXPECT_FALSE(descriptor.is_context());
        EXPECT_EQ(descriptor.high >> 40 & 0x3f, 0U) << "POPTS";
    }
    guest.cable().clear();
    let_go(guest);
    const auto got = guest.cable().receive(20s);
    ASSERT_TRUE(got);
    check_whole(*got, wanted, frame);
}

/// One frame that is read from outside, and not on the cable.
void check_held(Guest& guest, std::mt19937_64& random, const Wanted& wanted) {
    const testing::ScopedTrace trace(__FILE__, __LINE__, wanted.name);
    const Frame frame = frame_of(random, wanted);
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    send(guest, wanted, frame);
    std::vector<Descriptor> written = waiting(guest, from);
    ASSERT_GT(written.size(), 1U);
    check_context(written[0], wanted);
    written.erase(written.begin());
    check_data(written, wanted, frame.size());
    check_headers(guest, written[0], wanted, frame);
    let_go(guest);
}

/// Of a frame that is padded the sum is the stack's: this card would take the padding for data.
void check_padded(Guest& guest, std::mt19937_64& random) {
    // Two datagrams, cut by the stack, of which the second is short: the driver is not asked again.
    const Wanted wanted{
        .name = "a short rest", .udp = true, .l4len = 8, .payload = 1005, .mss = 1000};
    const Frame two = frame_of(random, wanted);
    guest.cable().clear();
    send(guest, wanted, two);
    for (const std::size_t part : {1000U, 5U}) {
        const auto got = guest.cable().receive(20s);
        ASSERT_TRUE(got);
        ASSERT_EQ(got->size(), std::max(wanted.headers() + part, kMinimum));
        EXPECT_EQ(sum_of(*got, false, wanted.l4(), sandbox::kUdp, 8 + part, 8 + part), 0U)
            << "sum of " << part << " bytes";
    }

    guest.cable().clear();
    guest.run("time_stamps send 192.0.2.1 4000");  // stage 08 takes no stamps
    const auto frame = guest.cable().expect(sandbox::is_udp_to(4000), 30s);
    ASSERT_TRUE(frame.has_value()) << "a datagram of ten bytes";
    const auto parsed = sandbox::parse(*frame).value();
    EXPECT_EQ(std::string(parsed.payload.begin(), parsed.payload.end()), "stamp me 0");
    EXPECT_TRUE(parsed.l4_checksum_ok);
}

TEST(Transmit, SaysWhatTheCardIsToDo) {
    std::mt19937_64 random = seeded();
    Guest guest = ready_guest();
    guest.must(
        "insmod /modules/8021q.ko && ip link add link eth0 name v5 type vlan id 5 "
        "egress-qos-map 0:3 && ip link set v5 up");
    silence(guest);
    const std::vector<Wanted> frames = {
        {.name = "no offload, short", .ip = false, .payload = 20},
        {.name = "no offload, long", .ip = false, .payload = 1400},
        {.name = "UDP", .udp = true, .l4len = 8, .payload = 100},
        {.name = "TCP", .payload = 1000},
        {.name = "UDP over IPv6", .six = true, .udp = true, .l4len = 8, .payload = 1},
        {.name = "TCP behind an extension", .six = true, .extension = 16, .payload = 700},
        {.name = "VLAN alone", .ip = false, .payload = 300, .tagged = true},
        {.name = "VLAN and TCP", .l4len = 32, .payload = 90, .tagged = true},
        {.name = "segments", .l4len = 32, .payload = 20000, .mss = 1448},
        {.name = "segments of IPv6", .six = true, .payload = 5000, .mss = 1220},
        {.name = "segments of odd length", .payload = 3333, .mss = 1111},
    };
    for (const Wanted& wanted : frames) check_frame(guest, random, wanted);
    check_context_kept(guest, random);
    check_long_headers(guest, random);
    check_padded(guest, random);

    // What cannot be seen on the cable: the emulated card makes fragments of UDP's segments, and
    // adds up the pseudo-header of TCP's by itself.
    EXPECT_THAT(guest.must("ethtool -k eth0"), HasSubstr("tx-udp-segmentation: off\n"));
    guest.must("ethtool -K eth0 tx-udp-segmentation on");
    for (const bool six : {false, true}) {
        check_held(guest, random,
                   {.name = "UDP segments",
                    .six = six,
                    .udp = true,
                    .l4len = 8,
                    .payload = 4000,
                    .mss = 1000});
        check_held(guest, random,
                   {.name = "segments by a route",
                    .six = six,
                    .payload = 4000,
                    .mss = 1000,
                    .routed = true});
    }
    guest.must("ip link del v5 && rmmod 8021q patience igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

// --- tunnels, of the finished driver ------------------------------------------------------------

/// TCP in IPv4 in IPv4, with UDP's header between those of IP or without.
struct Tunnel {
    bool udp;

    [[nodiscard]] std::size_t between() const { return udp ? 8 : 0; }
    [[nodiscard]] std::size_t iplen() const { return 2 * kIp4 + between(); }
    [[nodiscard]] std::size_t inner() const { return kEthernet + kIp4 + between(); }
    [[nodiscard]] std::size_t l4() const { return kEthernet + iplen(); }
    [[nodiscard]] std::size_t headers() const { return l4() + 20; }
    /// Has the guest's stack send 3333 bytes, to be cut into thousands.
    void send(Guest& guest) const {
        guest.must(std::string("insmod /modules/tunneller.ko payload=3333 udp=") +
                   (udp ? "1" : "0") + " && rmmod tunneller");
    }
};
constexpr std::size_t kCut = 1000;
constexpr std::size_t kIdentification = 7;

/// @return 0 if the header at @p at is sound
std::uint16_t ip_sum(const Frame& frame, std::size_t at, std::size_t bytes = kIp4) {
    return sandbox::checksum_finish(sandbox::checksum_add(0, &frame[at], bytes));
}

/// What the one who gets it looks at: the headers, TCP's sum, and the bytes from @p first on.
void check_tunnelled(const Frame& frame, const Tunnel& tunnel, std::size_t first,
                     std::size_t part) {
    ASSERT_EQ(frame.size(), tunnel.headers() + part);
    EXPECT_EQ(get16(frame, kEthernet + 4), kIdentification + first / kCut) << "identification";
    EXPECT_TRUE(!tunnel.udp ||
                get16(frame, kEthernet + kIp4 + 4) == frame.size() - kEthernet - kIp4)
        << "UDP's length";
    for (const std::size_t at : {kEthernet, tunnel.inner()}) {
        EXPECT_EQ(get16(frame, at + 2), frame.size() - at) << "total length at " << at;
        EXPECT_EQ(ip_sum(frame, at), 0U) << "header's sum at " << at;
    }
    const auto outer = static_cast<long>(tunnel.inner() - kEthernet);
    const Frame inner(frame.begin() + outer, frame.end());
    EXPECT_EQ(sum_of(inner, false, kEthernet + kIp4, sandbox::kTcp, 20 + part, 20 + part), 0U)
        << "TCP's sum";
    EXPECT_EQ(get16(frame, tunnel.l4() + 4) << 16 | get16(frame, tunnel.l4() + 6), 1 + first);
    for (std::size_t i = 0; i < part; i++)
        ASSERT_EQ(frame[tunnel.headers() + i], static_cast<std::uint8_t>(first + i))
            << "byte " << i;
}

/// One segment as the datasheet's "TCP/IP/UDP Headers Update" and "Transmit Checksum Offloading in
/// Non-Segmentation Mode" have it, of what lies in memory: @p iplen bytes are an IP header to the
/// card.
Frame cut(const Frame& whole, std::size_t iplen, std::size_t first, std::size_t part) {
    const std::size_t l4 = kEthernet + iplen;
    Frame frame(whole.begin(), whole.begin() + static_cast<long>(l4 + 20));
    const auto from = whole.begin() + static_cast<long>(l4 + 20 + first);
    frame.insert(frame.end(), from, from + static_cast<long>(part));
    put16(frame, kEthernet + 2, iplen + 20 + part);
    put16(frame, kEthernet + 4, (get16(frame, kEthernet + 4) + first / kCut) & 0xffff);
    put16(frame, kEthernet + 10, ip_sum(frame, kEthernet, iplen));
    const std::size_t sequence = get16(frame, l4 + 4) << 16 | get16(frame, l4 + 6);
    put16(frame, l4 + 4, (sequence + first) >> 16);
    put16(frame, l4 + 6, (sequence + first) & 0xffff);
    const std::uint8_t length[] = {static_cast<std::uint8_t>((20 + part) >> 8),
                                   static_cast<std::uint8_t>(20 + part)};
    const std::uint32_t sum = sandbox::checksum_add(0, length, sizeof length);
    put16(frame, l4 + 16,
          sandbox::checksum_finish(sandbox::checksum_add(sum, &frame[l4], 20 + part)));
    return frame;
}

/// The bytes of a packet's data descriptors, and what the first of them says.
std::optional<Descriptor> gather(Guest& guest, std::vector<Descriptor>& written, Frame& whole) {
    std::optional<Descriptor> first;
    while (!written.empty()) {
        const Descriptor got = written.front();
        written.erase(written.begin());
        const std::string bytes = guest.memory(got.low, got.high & 0xffff);
        whole.insert(whole.end(), bytes.begin(), bytes.end());
        if (!first) first = got;
        if ((got.command() & kEop) != 0) break;
    }
    return first;
}

/// Who asks for nothing, or does not allow one identification for all, gets the stack's segments.
void check_tunnel_without_card(Guest& guest, const Tunnel& tunnel) {
    guest.cable().clear();
    tunnel.send(guest);
    for (const std::size_t part : {1000U, 1000U, 1000U, 333U}) {
        const auto got = guest.cable().receive(20s);
        ASSERT_TRUE(got);
        check_tunnelled(*got, tunnel, part == 333 ? 3000 : get16(*got, tunnel.l4() + 6) - 1, part);
    }
}

/// Three segments by the card and a rest; what it would send is made here, for the emulated card
/// goes by the outer header, and makes nothing of it.
void check_tunnel_by_card(Guest& guest, const Tunnel& tunnel) {
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    tunnel.send(guest);
    std::vector<Descriptor> written = waiting(guest, from);
    ASSERT_FALSE(written.empty());
    for (const std::size_t packet : {3000U, 333U}) {
        const bool segments = packet == 3000;
        ASSERT_TRUE(written.front().is_context());
        const Descriptor context = written.front();
        written.erase(written.begin());
        EXPECT_EQ(context.low, tunnel.iplen() | kEthernet << 9) << "IPLEN is all before TCP";
        EXPECT_EQ(context.high >> 10 & 7, 3U) << "IPV4, and TCP";
        EXPECT_EQ(context.high >> 40, segments ? 20U | 1000U << 8 : 0U) << "L4LEN, MSS";
        Frame whole;
        const auto first = gather(guest, written, whole);
        ASSERT_TRUE(first.has_value());
        EXPECT_EQ(first->command() & kTse, segments ? std::uint64_t{kTse} : 0U);
        EXPECT_EQ(first->high >> 40 & 0x3f, kTxsm | (segments ? std::uint64_t{kIxsm} : 0U))
            << "POPTS";
        EXPECT_EQ(first->high >> 46, segments ? packet : whole.size()) << "PAYLEN";
        ASSERT_EQ(whole.size(), tunnel.headers() + packet);
        if (segments) {
            for (std::size_t at = 0; at < packet; at += kCut)
                check_tunnelled(cut(whole, tunnel.iplen(), at, kCut), tunnel, at, kCut);
        } else {
            put16(whole, tunnel.l4() + 16,
                  sandbox::checksum_finish(
                      sandbox::checksum_add(0, &whole[tunnel.l4()], 20 + packet)));
            check_tunnelled(whole, tunnel, 3000, packet);
        }
    }
    EXPECT_TRUE(written.empty());
    let_go(guest);
}

/// Without leave to give all segments one identification the stack cuts: the card adds up at most.
void check_tunnel_without_leave(Guest& guest, const Tunnel& tunnel) {
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    tunnel.send(guest);
    std::size_t frames = 0;
    for (const Descriptor& got : waiting(guest, from)) {
        EXPECT_EQ(got.command() & kTse, 0U);
        if ((got.command() & kEop) != 0) frames++;
    }
    EXPECT_EQ(frames, 4U);
    let_go(guest);
}

TEST(Transmit, CutsWhatIsInATunnel) {
    Guest guest = ready_guest(1, "10");
    EXPECT_THAT(guest.must("ethtool -k eth0"), HasSubstr("tx-ipxip4-segmentation: off\n"));
    const std::string features = "tx-ipxip4-segmentation $v tx-udp_tnl-segmentation $v";
    for (const bool udp : {false, true}) {
        const testing::ScopedTrace trace(__FILE__, __LINE__, udp ? "UDP" : "IP in IP");
        const Tunnel tunnel{udp};
        check_tunnel_without_card(guest, tunnel);
        guest.must("v=on; ethtool -K eth0 " + features);
        check_tunnel_without_leave(guest, tunnel);
        guest.must("ethtool -K eth0 tx-tcp-mangleid-segmentation on");
        check_tunnel_by_card(guest, tunnel);
        guest.must("v=off; ethtool -K eth0 tx-tcp-mangleid-segmentation off " + features);
        check_tunnel_without_card(guest, tunnel);
    }
    guest.must("rmmod patience igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

// --- pieces and doorbells -----------------------------------------------------------------------

/// A datagram of so many pieces, each mapping failing in turn: it is dropped, nothing stays mapped,
/// and the next one passes.
void check_pieces(Guest& guest, std::size_t pieces) {
    constexpr std::size_t kSize = 80;
    const std::string words = std::to_string(pieces) + " " + std::to_string(kSize);
    const std::size_t idle = mappings(guest);
    for (std::size_t failing = 0; failing <= pieces + 1; failing++) {
        const bool fails = failing <= pieces;  // the linear part is one more
        const std::uint64_t dropped = statistic(guest, "tx_dropped");
        const std::uint64_t counted = counter(guest, "tx0_no_memory");
        guest.must(std::string("insmod ") + kFailcall +
                   " symbol=dma_map_page_attrs value=-1 skip=" + std::to_string(failing));
        guest.must("frames pieces " + words);
        EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), fails ? "1\n" : "0\n")
            << "piece " << failing;
        guest.must("rmmod failcall");
        EXPECT_EQ(statistic(guest, "tx_dropped") - dropped, fails ? 1U : 0U);
        EXPECT_EQ(counter(guest, "tx0_no_memory") - counted, fails ? 1U : 0U);
        if (fails) {
            EXPECT_TRUE(eventually([&] { return mappings(guest) == idle; })) << "piece " << failing;
            guest.must("frames pieces " + words);
        }
        const auto got = guest.cable().receive(20s);
        ASSERT_TRUE(got) << "after piece " << failing;
        const auto parsed = sandbox::parse(*got);
        ASSERT_TRUE(parsed);
        ASSERT_EQ(parsed->payload.size(), pieces * kSize);
        EXPECT_TRUE(parsed->l4_checksum_ok);
        for (std::size_t i = 0; i < parsed->payload.size(); i++)
            ASSERT_EQ(parsed->payload[i], i / kSize + 1) << "byte " << i;
    }
}

void set_pktgen(Guest& guest, const std::string& options) {
    std::istringstream words(options);
    for (std::string word; std::getline(words, word, ',');)
        guest.put("/proc/net/pktgen/eth0", word + "\n");
}

/// Sends so many frames as the options say.
void pktgen(Guest& guest, const std::string& options) {
    set_pktgen(guest, options);
    guest.put("/proc/net/pktgen/pgctrl", "start\n");
}

/// Lets the guest's stack send frames of 100 bytes, numbered in their first two bytes of payload.
void send_numbered(Guest& guest, int frames) {
    std::string file;
    for (int i = 0; i < frames; i++) {
        Frame payload(100 - kEthernet);
        put16(payload, 0, static_cast<std::size_t>(i));
        const Frame frame =
            sandbox::ethernet(sandbox::kHostMac, sandbox::kGuestMac, kEtherType, payload);
        file += std::string{'\0', static_cast<char>(frame.size())};
        file.append(frame.begin(), frame.end());
    }
    guest.put("/tmp/numbered", file);
    guest.must("frames send eth0 " + std::to_string(frames) + " /tmp/numbered");
}

void expect_numbered(Guest& guest, int frames) {
    for (int i = 0; i < frames; i++) {
        const auto got = guest.cable().receive(20s);
        ASSERT_TRUE(got) << "frame " << i;
        ASSERT_EQ(get16(*got, kEthernet), static_cast<std::size_t>(i));
    }
}

std::uint64_t in_flight(Guest& guest) {
    return number(guest, kQueue + "byte_queue_limits/inflight");
}

/// Bytes in flight are no longer what stops a queue. A limit is looked at when frames are out.
void without_limit(Guest& guest) {
    guest.put(kQueue + "byte_queue_limits/limit_min", "1000000");
    send_numbered(guest, 10);
    expect_numbered(guest, 10);
    EXPECT_TRUE(eventually([&] { return in_flight(guest) == 0; }));
}

/// Thirty-two frames at a time: one doorbell each, and one although the last of them is dropped.
void check_doorbells(Guest& guest) {
    guest.must("insmod /modules/pktgen.ko");
    guest.put("/proc/net/pktgen/kpktgend_0", "add_device eth0\n");
    without_limit(guest);
    for (const char* size : {"60", "1000"}) {
        const std::size_t mark = guest.registers().all().size();
        const std::uint64_t before = counter(guest, "tx0_doorbells");
        guest.cable().clear();
        pktgen(guest, std::string("count 96,burst 32,clone_skb 0,delay 0,pkt_size ") + size +
                          ",dst_mac 02:00:00:00:00:01,dst 192.0.2.1");
        for (int i = 0; i < 96; i++) ASSERT_TRUE(guest.cable().receive(20s)) << "frame " << i;
        EXPECT_EQ(counter(guest, "tx0_doorbells") - before, 3U);
        EXPECT_EQ(guest.registers().since(mark).writes("TDT(0)").size(), 3U);
    }
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    // Whoever writes "start" waits until the card has sent all.
    guest.start({"sh", "-c",
                 "echo count 32 >/proc/net/pktgen/eth0 && echo start >/proc/net/pktgen/pgctrl && "
                 "echo done >/tmp/generated"});
    std::vector<Descriptor> written;
    EXPECT_TRUE(eventually([&] { return !(written = waiting(guest, from)).empty(); }));
    EXPECT_EQ(written.size(), 32U);
    for (std::size_t i = 0; i < written.size(); i++)
        EXPECT_EQ((written[i].command() & kRs) != 0, i == 31) << "RS of descriptor " << i;
    let_go(guest);
    for (int i = 0; i < 32; i++) ASSERT_TRUE(guest.cable().receive(20s)) << "frame " << i;
    ASSERT_TRUE(eventually([&] { return content(guest, "/tmp/generated") == "done\n"; }));
    guest.must(std::string("insmod ") + kFailcall + " symbol=dma_map_page_attrs value=-1 skip=31");
    guest.cable().clear();
    pktgen(guest, "count 32");
    EXPECT_EQ(guest.get("/sys/module/failcall/parameters/hits"), "1\n");
    guest.must("rmmod failcall");
    for (int i = 0; i < 31; i++)
        ASSERT_TRUE(guest.cable().receive(20s)) << "frame " << i << " waits for a doorbell";
    guest.must("rmmod pktgen");
}

TEST(Transmit, UnwindsPiecesAndRingsTheDoorbell) {
    Guest guest = ready_guest();
    check_pieces(guest, 17);
    check_doorbells(guest);
    guest.must("rmmod patience igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

// --- held ---------------------------------------------------------------------------------------

/// With the card held the queue of the stack grows, not the ring; afterwards all come out in order.
void check_limit(Guest& guest) {
    constexpr int kFrames = 100;
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    send_numbered(guest, kFrames);
    const std::size_t descriptors = waiting(guest, from).size();
    EXPECT_GT(in_flight(guest), 0U);
    EXPECT_LT(descriptors, 50U) << "the limit on bytes in flight does not hold";
    EXPECT_EQ(in_flight(guest), descriptors * 100) << "frames of 100 bytes";
    let_go(guest);
    expect_numbered(guest, kFrames);
    EXPECT_TRUE(eventually([&] { return in_flight(guest) == 0; }));
}

/// Without that limit the ring fills until the largest frame might not find room.
void check_stop(Guest& guest) {
    constexpr int kFrames = 400;
    const std::uint64_t stops = counter(guest, "tx0_stops");
    without_limit(guest);
    guest.must("mount -t tracefs none /sys/kernel/tracing 2>/dev/null; echo 'rc != 0' >" +
               kTracing + "events/net/net_dev_xmit/filter && echo 1 >" + kTracing +
               "events/net/net_dev_xmit/enable");
    hold(guest);
    const std::uint32_t from = guest.read_register(kTdt0);
    send_numbered(guest, kFrames);
    const std::size_t used = waiting(guest, from).size();
    std::cout << used << " descriptors when the queue stopped, limit "
              << number(guest, kQueue + "byte_queue_limits/limit") << " bytes, " << in_flight(guest)
              << " in flight\n";
    EXPECT_EQ(counter(guest, "tx0_stops"), stops + 1);
    EXPECT_GT(used, 255U - 60U);
    EXPECT_LE(used, 255U - 18U) << "a frame of 17 pages and a linear part would not fit";
    let_go(guest);
    expect_numbered(guest, kFrames);
    EXPECT_THAT(guest.get(kTracing + "trace"), testing::Not(HasSubstr("net_dev_xmit")))
        << "the driver has returned NETDEV_TX_BUSY";
    guest.put(kQueue + "byte_queue_limits/limit_min", "0");
}

/// The account is empty after down and after a resize with frames in the ring.
void check_account(Guest& guest) {
    hold(guest);
    send_numbered(guest, 5);
    EXPECT_GT(in_flight(guest), 0U);
    EXPECT_FALSE(guest.run("ethtool -G eth0 tx 128").ok()) << "frames are under way";
    guest.must("ip link set eth0 down");
    EXPECT_EQ(in_flight(guest), 0U);
    EXPECT_EQ(mappings(guest), 0U);
    guest.must("ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    guest.must("drive send-resize 8 eth0 0 128");
    EXPECT_EQ(in_flight(guest), 0U);
    guest.must("ethtool -G eth0 tx 8");
    EXPECT_THAT(guest.must("ethtool -g eth0"), shows("TX", "48"))
        << "the least that takes the largest frame";
    guest.must("ethtool -G eth0 tx 256");
    guest.cable().clear();
}

/// @return whether a frame from queue @p queue comes out.
bool passes(Guest& guest, int queue) {
    guest.cable().clear();
    pktgen(guest, "count 1,burst 1,queue_map_min " + std::to_string(queue) + ",queue_map_max " +
                      std::to_string(queue));
    return guest.cable().receive(2s).has_value();
}

/// Sends until the ring has gone round: it then looks like one that has sent nothing.
void fill_lap(Guest& guest) {
    const std::size_t count = guest.read_register(kTdlen0) / sizeof(Descriptor);
    const int left = static_cast<int>(count - guest.read_register(kTdt0));
    send_numbered(guest, left);
    expect_numbered(guest, left);
    EXPECT_EQ(guest.read_register(kTdt0), 0U);
    EXPECT_TRUE(eventually([&] { return in_flight(guest) == 0; }));
}

/// The stack gives up after five seconds. One queue is stuck, and the other must not notice.
void check_stuck(Guest& guest) {
    guest.must("insmod /modules/pktgen.ko");
    guest.put("/proc/net/pktgen/kpktgend_0", "add_device eth0\n");
    pktgen(guest, "count 1,pkt_size 300,dst_mac 02:00:00:00:00:01,dst 192.0.2.1");
    guest.must("ethtool -L eth0 combined 2");
    EXPECT_EQ(guest.get(kQueue + "xps_cpus"), "1\n") << "the one processor sends by queue 0";
    EXPECT_TRUE(passes(guest, 0));
    EXPECT_TRUE(passes(guest, 1));
    guest.cable().clear();
    fill_lap(guest);
    const std::size_t mark = guest.registers().all().size();
    const std::uint64_t before = number(guest, kQueue + "tx_timeout");
    hold(guest);
    send_numbered(guest, 20);
    EXPECT_TRUE(eventually(
        [&] {
            EXPECT_TRUE(passes(guest, 1)) << "queue 1 stands still";
            return number(guest, kQueue + "tx_timeout") != before;
        },
        120s));
    EXPECT_TRUE(eventually([&] { return passes(guest, 0); })) << "queue 0 does not recover";
    EXPECT_EQ(in_flight(guest), 0U);
    for (const auto& write : guest.registers().since(mark).writes("CTRL"))
        EXPECT_EQ(write.value & 1U << 26, 0U) << "the card was reset for one queue";
    expect_silent_log(guest, "NETDEV WATCHDOG");
}

/// Down comes while the work that recovers the queue is due or runs.
void check_down_when_stuck(Guest& guest) {
    const std::uint64_t before = number(guest, kQueue + "tx_timeout");
    hold(guest);
    send_numbered(guest, 20);
    ASSERT_TRUE(eventually([&] { return number(guest, kQueue + "tx_timeout") != before; }, 120s));
    guest.must("ip link set eth0 down && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_TRUE(eventually([&] { return passes(guest, 0); }));
    expect_silent_log(guest, "NETDEV WATCHDOG");
}

/// The whole card forgets everything.
void check_reset(Guest& guest) {
    guest.put(std::string("/sys/bus/pci/devices/") + kDevice + "/reset", "1");
    ASSERT_TRUE(carrier_becomes(guest, true));
    EXPECT_TRUE(passes(guest, 0));
    EXPECT_TRUE(passes(guest, 1));
}

TEST(Transmit, StopsWaitsAndRecovers) {
    Guest guest = ready_guest();
    check_limit(guest);
    check_stop(guest);
    check_account(guest);
    guest.must("rmmod patience");
    check_stuck(guest);
    check_down_when_stuck(guest);
    check_reset(guest);
    guest.must("rmmod pktgen && rmmod igbook");
    expect_no_complaint(guest, "NETDEV WATCHDOG");
    guest.power_off();
}

// --- senders that know nothing of it ------------------------------------------------------------

/// Bursts of pktgen's, on the other processor, until somebody stops them or the carrier goes.
void start_bursts(Guest& guest) {
    guest.start({"sh", "-c", "echo start >/proc/net/pktgen/pgctrl"});
}

void stop_bursts(Guest& guest) {
    guest.put("/proc/net/pktgen/pgctrl", "stop\n");
}

/// Waits until a counter is higher than it was, and drops what is on the cable.
bool rises(Guest& guest, const std::string& name, std::uint64_t by) {
    const std::uint64_t before = statistic(guest, name);
    return eventually([&] {
        guest.cable().clear();
        return statistic(guest, name) >= before + by;
    });
}

/// The processors keep their queues although the queues were fewer while the interface was down.
void check_spread(Guest& guest) {
    const std::string second = "/sys/class/net/eth0/queues/tx-1/xps_cpus";
    EXPECT_EQ(guest.get(second), "2\n");
    guest.must(
        "ip link set eth0 down && ethtool -L eth0 combined 1 && ethtool -L eth0 combined 2 && "
        "ip link set eth0 up");
    EXPECT_EQ(guest.get(second), "2\n");
    ASSERT_TRUE(carrier_becomes(guest, true));
}

/// The queues are stopped in the middle of a burst: what was not announced is freed once.
void check_reset_in_a_burst(Guest& guest) {
    for (int i = 0; i < 10; i++) {
        start_bursts(guest);
        ASSERT_TRUE(rises(guest, "tx_packets", 200)) << "reset " << i;
        guest.put(std::string("/sys/bus/pci/devices/") + kDevice + "/reset", "1");
        ASSERT_TRUE(carrier_becomes(guest, true)) << "reset " << i;
        stop_bursts(guest);
    }
    EXPECT_TRUE(eventually([&] { return in_flight(guest) == 0; }));
}

/// pktgen chooses a queue when it makes a frame, and then sends the same one over and over.
void check_queue_gone(Guest& guest) {
    set_pktgen(guest, "clone_skb 1000000,queue_map_min 1,queue_map_max 1");
    start_bursts(guest);
    ASSERT_TRUE(rises(guest, "tx_packets", 200));
    guest.must("ethtool -L eth0 combined 1");
    EXPECT_TRUE(rises(guest, "tx_dropped", 200));
    guest.must("ethtool -L eth0 combined 2");
    EXPECT_TRUE(rises(guest, "tx_packets", 200));
    stop_bursts(guest);
}

TEST(Transmit, SendersMeetResetsAndQueuesThatGo) {
    Guest guest = ready_guest(2);
    check_spread(guest);
    guest.must("insmod /modules/pktgen.ko");
    guest.put("/proc/net/pktgen/kpktgend_1", "add_device eth0\n");
    set_pktgen(guest, "count 0,burst 32,delay 1000000,pkt_size 300,dst_mac 02:00:00:00:00:01");
    check_reset_in_a_burst(guest);
    check_queue_gone(guest);
    // Who started the bursts looks every tenth of a second whether they have ended.
    EXPECT_TRUE(eventually([&] { return guest.run("rmmod pktgen").ok(); }));
    guest.must("rmmod patience igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
