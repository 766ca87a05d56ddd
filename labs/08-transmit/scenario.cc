// SPDX-License-Identifier: GPL-2.0
// Lab 8, Transmit: the checks. handout.md is the same list in the student's words.
//
// The emulated card sends while the tail is written, and ignores most of what a context says. So
// it is held (class Held): what the driver has written is read from outside and compared with the
// datasheet's definition before the card sees it, or the card is let go on up to a descriptor.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <sstream>

#include "all_labs.h"
#include "calls.h"
#include "expect.h"
#include "frame.h"
#include "interface.h"
#include "registers.h"
#include "rings.h"
#include "testbed.h"
#include "traffic.h"
#include "witness.h"

namespace fwts::labs {
namespace {

using grader::CallNote;
using grader::Companion;
using grader::counter;
using grader::Direction;
using grader::expect_bytes;
using grader::expect_equal;
using grader::expect_mapped;
using grader::expect_that;
using grader::Inserted;
using grader::Mapping;
using grader::mappings;
using grader::number;
using grader::RegisterWrite;
using grader::ring_size;
using grader::RingSlot;
using grader::Testbed;
using grader::told;
using grader::writes_since;
using sandbox::Frame;
using Seconds = Testbed::Seconds;
using Slots = std::vector<RingSlot>;

using namespace sandbox::registers;

constexpr std::size_t ethernet = 14;
constexpr std::size_t type_at = 12;
constexpr std::size_t ip4_bytes = 20;
constexpr std::size_t ip6_bytes = 40;
constexpr std::size_t udp_bytes = 8;
constexpr std::size_t tcp_bytes = 20;
constexpr std::size_t tag_bytes = 4;
constexpr std::size_t shortest = 60;   // of a frame on the cable, without FCS
constexpr std::size_t longest = 1514;  // at the usual MTU
constexpr std::size_t copied = 256;    // up to here frames are copied (IGBOOK_TX_SLOT)
constexpr std::size_t longest_piece = 16384;
constexpr unsigned most_frags = 17;  // MAX_SKB_FRAGS
constexpr unsigned usual_ring = 256;
// The emulated card counts the padding of a frame that is too short in the length of its
// pseudo-header, and so its sum is wrong: what the card is to sum up has enough payload.
constexpr std::size_t datagram_headers = ethernet + ip4_bytes + udp_bytes;
constexpr Seconds patience{10};  // for a burst of frames and what is done with them
const std::string eth = "eth0";  // the only card there is
const std::string limits = "/sys/class/net/eth0/queues/tx-0/byte_queue_limits/";
const std::string second_limits = "/sys/class/net/eth0/queues/tx-1/byte_queue_limits/";
const std::string tracing = "/sys/kernel/tracing/";

// TXD_DCMD and TXD_POPTS
enum Command : std::uint64_t { eop = 1, ifcs = 2, rs = 8, dext = 0x20, vle = 0x40, tse = 0x80 };
enum Popts : std::uint64_t { ixsm = 1, txsm = 2 };

// TCP's flags
constexpr std::uint8_t tcp_fin = 1;
constexpr std::uint8_t tcp_psh = 8;
constexpr std::uint8_t tcp_ack = 16;

// --- numbers of this run -------------------------------------------------------------------------

std::size_t between(Testbed& testbed, std::size_t least, std::size_t most) {
    return least + testbed.random()() % (most - least + 1);
}

/// Of UDP on IPv4 that is cut by hand: full segments, and a last one that need not be padded.
std::size_t payload_by_hand(Testbed& testbed, std::size_t full, std::size_t size) {
    return full * size + between(testbed, shortest - datagram_headers, size);
}

/// Segments that are long enough for the card.
std::size_t for_the_card(Testbed& testbed) {
    return between(testbed, std::max(1000U, number(testbed, "least_mss")), 1448);
}

/// IGBOOK_TX_MOST: with fewer descriptors free, a queue is stopped.
unsigned most_needed(const Testbed& testbed) {
    return most_frags + 1 + 2 * number(testbed, "hand_segments");
}

/// IGBOOK_TX_WAKE: with as many free, it goes on.
unsigned enough(const Testbed& testbed) {
    return 2 * most_needed(testbed);
}

// --- the card, from outside ----------------------------------------------------------------------

/// The card sends nothing of a queue while this lives, or what it is told to.
class Held {
  public:
    explicit Held(Testbed& testbed, unsigned queue = 0)
        : testbed_(testbed),
          queue_(queue),
          tail_register_(register_of("TDT")),
          control_register_(register_of("TXDCTL")),
          from_(testbed.reg(tail_register_)) {
        set_enabled(false);
    }
    ~Held() {
        try {
            let_go();
        } catch (const std::exception&) {  // the guest is gone, and somebody is told already
        }
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    /// What has been put into the ring since then, up to the tail.
    Slots waiting() const {
        const auto ring = testbed_.ring(Direction::transmit, queue_);
        Slots slots;
        for (auto i = from_; i != ring.tail; i = (i + 1) % ring.slots.size())
            slots.push_back(ring.slots[i]);
        return slots;
    }
    /// The card does what it has been given up to this number of descriptors.
    /// @param stops  or up to where the driver writes the tail next, if that is not before
    void go(std::size_t descriptors, bool stops = true) {
        if (!partly_) tail_ = testbed_.reg(tail_register_);
        partly_ = true;
        stopped_at_ = static_cast<std::uint32_t>((from_ + descriptors) %
                                                 ring_size(testbed_, Direction::transmit));
        set_enabled(true);
        testbed_.set_reg(tail_register_, stopped_at_);
        if (stops) set_enabled(false);
    }
    void let_go() {
        if (ended_) return;
        ended_ = true;
        auto tail = testbed_.reg(tail_register_);
        if (partly_ && tail == stopped_at_) tail = tail_;
        set_enabled(true);
        testbed_.set_reg(tail_register_, tail);  // QEMU looks at its ring when the tail is written
    }
    /// Somebody else has seen to the queue.
    void leave() { ended_ = true; }

  private:
    std::uint32_t register_of(const char* name) const {
        return sandbox::register_offset(fmt::format("{}({})", name, queue_)).value();
    }
    void set_enabled(bool on) {
        const auto control = testbed_.reg(control_register_) & ~TXDCTL_ENABLE;
        testbed_.set_reg(control_register_, on ? control | TXDCTL_ENABLE : control);
    }

    Testbed& testbed_;
    unsigned queue_;
    std::uint32_t tail_register_;
    std::uint32_t control_register_;
    std::uint32_t from_;
    std::uint32_t tail_ = 0;        ///< the driver's, when the card was let go on for a while
    std::uint32_t stopped_at_ = 0;  ///< where it was told to stop
    bool partly_ = false;
    bool ended_ = false;
};

bool is_context(const RingSlot& slot) {
    return (slot.high >> 20U & 0xfU) == 2;
}

std::uint64_t command(const RingSlot& slot) {
    return slot.high >> 24U & 0xffU;
}

std::size_t length_of(const RingSlot& slot) {
    return slot.high & 0xffffU;
}

/// How often the tail was written since writes().size() was `mark`.
std::size_t doorbells(Testbed& testbed, std::size_t mark) {
    testbed.let_settle();
    const auto writes = writes_since(testbed, mark);
    return static_cast<std::size_t>(
        std::count_if(writes.begin(), writes.end(),
                      [](const RegisterWrite& write) { return write.offset == TDT0; }));
}

std::size_t mapped(Testbed& testbed) {
    return mappings(testbed, "DMA_TO_DEVICE").size();
}

void expect_mapped(Testbed& testbed, const std::string& when, std::size_t count) {
    expect_mapped(testbed, "DMA_TO_DEVICE", count, when);
}

// --- settings ------------------------------------------------------------------------------------

void give_address(Testbed& testbed) {
    testbed.must("an address", fmt::format("ip addr replace 192.0.2.2/24 dev {0} && ip neigh "
                                           "replace 192.0.2.1 lladdr 02:00:00:00:00:01 nud "
                                           "permanent dev {0}",
                                           eth));
}

void set_link(Testbed& testbed, bool up) {
    grader::set_link(testbed, eth, up);
    if (up) give_address(testbed);
}

void set_ring(Testbed& testbed, unsigned descriptors) {
    testbed.must_run({"ethtool", "-G", eth, "tx", std::to_string(descriptors)});
    expect_equal("descriptors of the transmit ring", descriptors,
                 ring_size(testbed, Direction::transmit));
}

std::uint64_t counter(Testbed& testbed, const std::string& name) {
    return counter(testbed, eth, name);
}

std::uint64_t dropped(Testbed& testbed) {
    return std::stoull(testbed.text("/sys/class/net/" + eth + "/statistics/tx_dropped"));
}

std::uint64_t in_flight(Testbed& testbed, const std::string& queue_limits = limits) {
    return std::stoull(testbed.text(queue_limits + "inflight"));
}

void expect_in_flight(Testbed& testbed, const std::string& when, std::uint64_t bytes,
                      const std::string& queue_limits = limits) {
    testbed.wait_until(
        "bytes in flight, as the stack counts them, " + when, std::to_string(bytes),
        [&] { return in_flight(testbed, queue_limits) == bytes; },
        [&] { return std::to_string(in_flight(testbed, queue_limits)); }, patience);
}

/// Each check has the stack wait an hour for a queue of a card that is held; and whatever became of
/// one, the next one finds the interface as after loading.
std::function<void(Testbed&)> tidied(void (*check)(Testbed&)) {
    return [check](Testbed& testbed) {
        const Inserted patient(testbed, "patience", {"interface=" + eth});
        testbed.take_frames();
        try {
            check(testbed);
        } catch (const grader::Failure&) {
            testbed.sh(fmt::format(
                "killall frames; echo stop >/proc/net/pktgen/pgctrl; "
                "echo rem_device_all >/proc/net/pktgen/kpktgend_0; ip link del tagged; rm -f {1}; "
                "echo 0 >{2}limit_min; echo 1879048192 >{2}limit_max; "
                "echo 0 >{3}events/net/net_dev_xmit/enable; "
                "ip link set dev {0} down; tc qdisc del dev {0} root; "
                "ethtool -K {0} tso on txvlan on; ethtool -L {0} combined 1; "
                "ethtool -G {0} tx {4}; ip link set dev {0} up",
                eth, told, limits, tracing, usual_ring));
            try {
                grader::expect_carrier(testbed, eth, true);
            } catch (const grader::Failure&) {
                // What went wrong before says more.
            }
            grader::write_off_mappings(testbed, "DMA_TO_DEVICE");
            testbed.sh(
                fmt::format("ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 nud "
                            "permanent dev {}",
                            eth));
            testbed.take_frames();
            throw;
        }
    };
}

// --- frames --------------------------------------------------------------------------------------

void put16(Frame& frame, std::size_t at, std::size_t value) {
    frame[at] = static_cast<std::uint8_t>(value >> 8U);
    frame[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(Frame& frame, std::size_t at, std::uint32_t value) {
    put16(frame, at, value >> 16U);
    put16(frame, at + 2, value & 0xffffU);
}

std::size_t get16(const Frame& frame, std::size_t at) {
    return std::size_t{frame[at]} << 8U | frame[at + 1];
}

std::string text_of(const Frame& frame) {
    return {frame.begin(), frame.end()};
}

Frame frame_of(const std::string& bytes) {
    return {bytes.begin(), bytes.end()};
}

/// With a tag behind its addresses.
std::string with_tag(std::string frame, unsigned tci) {
    const std::string tag{'\x81', '\0', static_cast<char>(tci >> 8U), static_cast<char>(tci)};
    return frame.insert(type_at, tag);
}

/// What a frame is made of, and what the card is to do to it.
struct Packet {
    std::string name;
    bool six = false;
    bool udp = false;
    bool other = false;     ///< neither, and its sum is in another place
    std::size_t extra = 0;  ///< bytes of IPv4's options, or of an extension header
    std::size_t l4len = tcp_bytes;
    std::size_t payload = 0;
    std::size_t mss = 0;  ///< 0: not to be cut
    std::uint8_t flags = tcp_ack;
    unsigned tci = 0;     ///< 0: no tag
    bool inside = false;  ///< the tag is a part of the frame, and nothing for the card to insert

    std::size_t iplen() const { return (six ? ip6_bytes : ip4_bytes) + extra; }
    std::size_t l4() const { return ethernet + iplen(); }
    std::size_t headers() const { return l4() + l4len; }
    std::size_t sum_in_l4() const { return other ? 2 : (udp ? 6 : 16); }
    std::size_t sum_at() const { return l4() + sum_in_l4(); }
    std::uint8_t protocol() const {
        constexpr std::uint8_t for_experiments = 253;
        if (other) return for_experiments;
        return udp ? sandbox::kUdp : sandbox::kTcp;
    }
    std::size_t segments() const { return mss == 0 ? 1 : (payload + mss - 1) / mss; }
};

/// The sum of a pseudo-header that says `length`, and of so many bytes behind it; of a frame whose
/// sum is right it is 0.
std::uint16_t sum_of(const Frame& frame, const Packet& packet, std::size_t length,
                     std::size_t bytes) {
    std::uint32_t sum = 0;
    if (!packet.other) {
        sum = packet.six ? sandbox::checksum_add(0, &frame[ethernet + 8], 32)
                         : sandbox::checksum_add(0, &frame[ethernet + 12], 8);
        const Frame rest{static_cast<std::uint8_t>(length >> 8U), static_cast<std::uint8_t>(length),
                         0, packet.protocol()};
        sum = sandbox::checksum_add(sum, rest.data(), rest.size());
    }
    return sandbox::checksum_finish(sandbox::checksum_add(sum, &frame[packet.l4()], bytes));
}

std::uint16_t pseudo_sum(const Frame& frame, const Packet& packet, std::size_t length) {
    return static_cast<std::uint16_t>(~sum_of(frame, packet, length, 0));
}

void sum_ip4(Frame& frame, const Packet& packet) {
    put16(frame, ethernet + 10, 0);
    put16(frame, ethernet + 10,
          sandbox::checksum_finish(sandbox::checksum_add(0, &frame[ethernet], packet.iplen())));
}

void put_ip4(Testbed& testbed, Frame& frame, const Packet& packet) {
    put16(frame, type_at, sandbox::kEtherIp4);
    frame[ethernet] = static_cast<std::uint8_t>(0x40U | packet.iplen() / 4);
    put16(frame, ethernet + 2, frame.size() - ethernet);
    put16(frame, ethernet + 4, between(testbed, 0, 0xffff));
    frame[ethernet + 6] = 0x40;  // DF
    frame[ethernet + 8] = 64;
    frame[ethernet + 9] = packet.protocol();
    std::copy(sandbox::kGuestIp4.begin(), sandbox::kGuestIp4.end(), &frame[ethernet + 12]);
    std::copy(sandbox::kHostIp4.begin(), sandbox::kHostIp4.end(), &frame[ethernet + 16]);
    std::fill_n(&frame[ethernet + ip4_bytes], packet.extra, std::uint8_t{1});  // no operation
    sum_ip4(frame, packet);
}

void put_ip6(Frame& frame, const Packet& packet) {
    constexpr std::uint8_t destination_options = 60;
    put16(frame, type_at, sandbox::kEtherIp6);
    frame[ethernet] = 0x60;
    put16(frame, ethernet + 4, frame.size() - ethernet - ip6_bytes);
    frame[ethernet + 6] = packet.extra > 0 ? destination_options : packet.protocol();
    frame[ethernet + 7] = 64;
    std::copy(sandbox::kGuestIp6.begin(), sandbox::kGuestIp6.end(), &frame[ethernet + 8]);
    std::copy(sandbox::kHostIp6.begin(), sandbox::kHostIp6.end(), &frame[ethernet + 24]);
    if (packet.extra == 0) return;
    auto* extension = &frame[ethernet + ip6_bytes];
    extension[0] = packet.protocol();
    extension[1] = static_cast<std::uint8_t>(packet.extra / 8 - 1);
    extension[2] = 1;  // padding, all of it
    extension[3] = static_cast<std::uint8_t>(packet.extra - 4);
}

/// The frame as the stack hands it over: of the sum only the pseudo-header's part.
Frame made(Testbed& testbed, const Packet& packet) {
    Frame frame(packet.headers());
    const auto payload = testbed.random_bytes(packet.payload);
    frame.insert(frame.end(), payload.begin(), payload.end());
    std::copy(sandbox::kHostMac.begin(), sandbox::kHostMac.end(), frame.begin());
    std::copy(sandbox::kGuestMac.begin(), sandbox::kGuestMac.end(), &frame[6]);
    if (packet.six)
        put_ip6(frame, packet);
    else
        put_ip4(testbed, frame, packet);
    const auto l4 = packet.l4();
    put16(frame, l4, 40000);
    if (packet.other) {
        put16(frame, packet.sum_at(), 0);
        return frame;
    }
    put16(frame, l4 + 2, 9);
    if (packet.udp) {
        put16(frame, l4 + 4, packet.l4len + packet.payload);
    } else {
        put32(frame, l4 + 4, static_cast<std::uint32_t>(testbed.random()()));
        put32(frame, l4 + 8, static_cast<std::uint32_t>(testbed.random()()));
        frame[l4 + 12] = static_cast<std::uint8_t>(packet.l4len / 4 << 4U);
        frame[l4 + 13] = packet.flags;
        frame[l4 + 14] = 0x20;
        std::fill_n(&frame[l4 + tcp_bytes], packet.l4len - tcp_bytes, std::uint8_t{1});
    }
    put16(frame, packet.sum_at(), pseudo_sum(frame, packet, frame.size() - l4));
    return frame;
}

/// struct virtio_net_hdr: how the stack is asked for a sum and for segments.
std::string wishes(const Packet& packet) {
    constexpr std::uint8_t udp_segments = 5;
    constexpr std::uint8_t tcp6_segments = 4;
    constexpr std::uint8_t tcp4_segments = 1;
    std::string header(10, '\0');
    const auto little = [&header](std::size_t at, std::size_t value) {
        header[at] = static_cast<char>(value);
        header[at + 1] = static_cast<char>(value >> 8U);
    };
    header[0] = 1;  // NEEDS_CSUM
    if (packet.mss > 0)
        header[1] = static_cast<char>(packet.udp ? udp_segments
                                                 : (packet.six ? tcp6_segments : tcp4_segments));
    little(2, packet.headers());
    little(4, packet.mss);
    little(6, packet.l4());
    little(8, packet.sum_in_l4());
    return header;
}

/// Lets the guest's stack send what `frames` finds in a file, each behind its length.
void send_file(Testbed& testbed, const std::string& verb, const std::string& interface,
               const std::vector<std::string>& frames) {
    std::string file;
    for (const auto& frame : frames) {
        file += static_cast<char>(frame.size() >> 8U);
        file += static_cast<char>(frame.size() & 0xffU);
        file += frame;
    }
    testbed.put("/tmp/frames", file);
    testbed.must_run({"frames", verb, interface, std::to_string(frames.size()), "/tmp/frames"},
                     Seconds(60));
}

void send_packet(Testbed& testbed, const Packet& packet, const Frame& frame) {
    send_file(testbed, "offload", packet.tci == 0 ? eth : "tagged",
              {wishes(packet) + text_of(frame)});
}

/// Frames of a protocol that wants nothing of the card, each with another payload.
std::vector<std::string> plain_frames(Testbed& testbed, std::size_t count, std::size_t least,
                                      std::size_t most) {
    std::vector<std::string> frames;
    frames.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        frames.push_back(testbed.random_frame(between(testbed, least, most), testbed.mac()));
    return frames;
}

/// Not more of them by one socket than it has room for while the card is held.
void send_plain(Testbed& testbed, const std::vector<std::string>& frames) {
    constexpr std::ptrdiff_t most = 100;
    for (auto left = frames.begin(); left != frames.end();) {
        const auto end = left + std::min(most, frames.end() - left);
        send_file(testbed, "send", eth, {left, end});
        left = end;
    }
}

std::string padded(std::string frame) {
    frame.resize(std::max(frame.size(), shortest));
    return frame;
}

std::string next_frame(Testbed& testbed, const std::string& what) {
    const auto seen = testbed.receive();
    expect_that(seen.has_value(), what + ", on the cable", "one frame more", "nothing");
    return seen.value_or("");
}

/// The next frames on the cable are these, in their order.
void expect_plain(Testbed& testbed, const std::vector<std::string>& frames, std::size_t first = 0) {
    for (std::size_t i = first; i < frames.size(); ++i) {
        const auto what = fmt::format("frame {} of {}", i + 1, frames.size());
        expect_bytes(what, padded(frames[i]), next_frame(testbed, what));
    }
}

void expect_silence(Testbed& testbed, const std::string& when) {
    testbed.let_settle();
    expect_equal("frames on the cable " + when, 0U, testbed.take_frames().size());
}

/// One datagram in so many pages, so many bytes in each; those of the first are 1.
void send_pieces(Testbed& testbed, std::size_t pieces, std::size_t size) {
    testbed.must_run({"frames", "pieces", std::to_string(pieces), std::to_string(size)});
}

std::string pieces_payload(std::size_t pieces, std::size_t size) {
    std::string payload;
    for (std::size_t i = 0; i < pieces; ++i) payload += std::string(size, static_cast<char>(i + 1));
    return payload;
}

std::string expect_pieces(Testbed& testbed, std::size_t pieces, std::size_t size) {
    const auto what = fmt::format("a datagram in {} pieces of {} bytes", pieces, size);
    auto seen = next_frame(testbed, what);
    expect_bytes(what + ": payload", pieces_payload(pieces, size),
                 seen.substr(std::min(datagram_headers, seen.size())));
    return seen;
}

// --- what the driver wrote -----------------------------------------------------------------------

/// The datasheet's "Advanced Transmit Context Descriptor", field by field.
void expect_context(const Packet& packet, const RingSlot& slot) {
    const auto what = packet.name + ": context, ";
    const auto field = [&](const char* name, std::uint64_t wanted, std::uint64_t seen) {
        expect_equal(what + name, wanted, seen);
    };
    const auto& high = slot.high;
    expect_that(is_context(slot), packet.name + ": its first descriptor", "a context (DTYP 2)",
                fmt::format("DTYP {}", high >> 20U & 0xfU));
    field("IPLEN", packet.iplen(), slot.low & 0x1ffU);
    field("MACLEN", ethernet + (packet.inside ? tag_bytes : 0), slot.low >> 9U & 0x7fU);
    field("VLAN", packet.inside ? 0 : packet.tci, slot.low >> 16U & 0xffffU);
    field("launch time", 0, slot.low >> 32U);
    field("IPV4", packet.six ? 0 : 1, high >> 10U & 1U);
    field("L4T (0 UDP, 1 TCP)", packet.udp ? 0 : 1, high >> 11U & 3U);
    field("SNAP and what is reserved", 0, (high & 0x3ffU) | (high & 0xfe000U));
    field("DCMD: DEXT, and neither EOP nor RS", dext, command(slot));
    field("IDX", 0, high >> 32U & 0xffU);
    field("L4LEN", packet.mss > 0 ? packet.l4len : 0, high >> 40U & 0xffU);
    field("MSS", packet.mss, high >> 48U);
}

struct Data {
    std::size_t length = 0;  ///< of the frame, as it is in memory
    std::size_t paylen = 0;
    std::uint64_t extra = 0;  ///< of DCMD: VLE, TSE
    std::uint64_t popts = 0;
    bool reported = true;  ///< the last one has RS
};

/// The datasheet's "Advanced Transmit Data Descriptor", for all of a frame.
void expect_data(const std::string& name, const Slots& slots, const Data& data) {
    expect_that(!slots.empty(), name + ": data descriptors", "some", "none");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const bool last = i + 1 == slots.size();
        const auto what = fmt::format("{}: data descriptor {} of {}, ", name, i + 1, slots.size());
        const auto& slot = slots[i];
        expect_equal(what + "DTYP", 3U, slot.high >> 20U & 0xfU);
        const auto wanted = ifcs | dext | data.extra | (last ? std::uint64_t{eop} : 0) |
                            (last && data.reported ? std::uint64_t{rs} : 0);
        expect_equal(what + "DCMD (EOP 0x1, IFCS 0x2, RS 0x8, DEXT 0x20, VLE 0x40, TSE 0x80)",
                     fmt::format("{:#x}", wanted), fmt::format("{:#x}", command(slot)));
        expect_equal(what + "reserved, MAC", 0U, slot.high >> 16U & 0xfU);
        expect_that(length_of(slot) >= 1 && length_of(slot) <= longest_piece, what + "DTALEN",
                    fmt::format("1 to {}", longest_piece), std::to_string(length_of(slot)));
        expect_that(i == 0 || slot.high >> 32U == 0, what + "PAYLEN, POPTS, DD",
                    "0: the first one says it", fmt::format("{:#x}", slot.high >> 32U));
        bytes += length_of(slot);
    }
    expect_equal(name + ": DTALEN of all its descriptors", data.length, bytes);
    expect_equal(name + ": DD, IDX, CC", 0U, slots[0].high >> 32U & 0xffU);
    expect_equal(name + ": POPTS (IXSM 1, TXSM 2)", data.popts, slots[0].high >> 40U & 0x3fU);
    expect_equal(name + ": PAYLEN", data.paylen, slots[0].high >> 46U);
}

std::string memory_of(Testbed& testbed, const Slots& slots) {
    std::string bytes;
    for (const auto& slot : slots) bytes += testbed.memory(slot.low, length_of(slot));
    return bytes;
}

/// Each piece is in a mapping, for the card to read, and nothing else is mapped.
void expect_in_mappings(Testbed& testbed, const std::string& name, const Slots& slots,
                        std::size_t count) {
    const auto found = mappings(testbed, "DMA_TO_DEVICE");
    expect_equal(name + ": pieces mapped, DMA_TO_DEVICE", count, found.size());
    for (const auto& slot : slots)
        expect_that(
            std::any_of(found.begin(), found.end(),
                        [&](const Mapping& one) {
                            return one.address <= slot.low &&
                                   slot.low + length_of(slot) <= one.address + one.size;
                        }),
            fmt::format("{}: {} bytes at {:#x}, in a descriptor", name, length_of(slot), slot.low),
            "mapped, DMA_TO_DEVICE", "not");
}

// --- loading -------------------------------------------------------------------------------------

void check_loads(Testbed& testbed) {
    testbed.silence_guest();
    grader::load(testbed);
    grader::bring_up(testbed);
    give_address(testbed);
    for (const auto& [name, offset] : {std::pair{"TXDCTL", TXDCTL0}, std::pair{"RXDCTL", RXDCTL0}})
        expect_that((testbed.reg(offset) & TXDCTL_ENABLE) != 0,
                    fmt::format("{} of queue 0, read from outside the guest", name), "ENABLE set",
                    fmt::format("{:#010x}", testbed.reg(offset)));
    expect_equal("descriptors of the transmit ring", usual_ring,
                 ring_size(testbed, Direction::transmit));
}

// --- pieces --------------------------------------------------------------------------------------

/// @return how many descriptors it took.
std::size_t check_datagram(Testbed& testbed, std::size_t pieces, std::size_t size) {
    const auto name = fmt::format("a datagram in {} pieces of {} bytes", pieces, size);
    Held held(testbed);
    send_pieces(testbed, pieces, size);
    const auto slots = held.waiting();
    expect_equal(name + ": descriptors", pieces + 1, slots.size());
    const auto length = datagram_headers + pieces * size;
    expect_data(name, slots, {.length = length, .paylen = length});
    for (std::size_t i = 0; i < slots.size(); ++i)
        expect_equal(fmt::format("{}: DTALEN of descriptor {}", name, i + 1),
                     i == 0 ? datagram_headers : size, length_of(slots[i]));
    expect_in_mappings(testbed, name, slots, slots.size());
    const auto bytes = memory_of(testbed, slots);
    held.let_go();
    expect_bytes(name + ": on the cable, beside what stood in memory", bytes,
                 expect_pieces(testbed, pieces, size));
    return slots.size();
}

/// @return the size of a transmit ring that has little more room than one frame may need
unsigned make_ring_small(Testbed& testbed) {
    const auto least = (2 * most_needed(testbed) + 1 + 7) / 8 * 8;
    set_ring(testbed, least);
    return least;
}

void check_pieces(Testbed& testbed) {
    const auto least = make_ring_small(testbed);
    auto frames = plain_frames(testbed, 5, shortest, copied);
    const auto longer = plain_frames(testbed, 15, copied + 1, longest);
    frames.insert(frames.end(), longer.begin(), longer.end());
    std::shuffle(frames.begin(), frames.end(), testbed.random());
    {
        Held held(testbed);
        testbed.put(limits + "limit_min", "1000000");
        send_plain(testbed, {frames[0]});
        held.let_go();
        expect_plain(testbed, {frames[0]});
        expect_mapped(testbed, "when it is out", 0);
    }
    {
        Held held(testbed);
        send_plain(testbed, frames);
        const auto slots = held.waiting();
        expect_equal("descriptors of frames in one piece", frames.size(), slots.size());
        std::size_t pieces = 0;
        for (std::size_t i = 0; i < frames.size(); ++i) {
            expect_data("a frame in one piece", {slots[i]},
                        {.length = frames[i].size(), .paylen = frames[i].size()});
            if (frames[i].size() > copied) ++pieces;
        }
        expect_mapped(testbed, "of frames that are not copied", pieces);
        held.let_go();
        expect_plain(testbed, frames);
    }
    std::size_t used = 0;
    for (int i = 0; used < least + 20; ++i) {
        const auto pieces = i < 3 ? most_frags : between(testbed, 2, most_frags);
        used += check_datagram(testbed, pieces, between(testbed, 300 / pieces + 1, 1400 / pieces));
    }
    testbed.put(limits + "limit_min", "0");
    expect_mapped(testbed, "when all is out", 0);
    set_ring(testbed, usual_ring);
}

// --- what the card is to do ----------------------------------------------------------------------

/// A frame from the cable without its tag, if it is to have one.
Frame without_tag(Frame got, const Packet& packet, const std::string& what) {
    if (packet.tci == 0) return got;
    expect_that(got.size() > ethernet + tag_bytes && get16(got, type_at) == 0x8100, what, "a tag",
                "none");
    expect_equal(what + ": tag", packet.tci, get16(got, type_at + 2));
    got.erase(got.begin() + type_at, got.begin() + type_at + tag_bytes);
    return got;
}

/// One frame on the cable: its sum, added up here, and everything else as it was sent.
void expect_whole(Testbed& testbed, const Packet& packet, Frame sent) {
    const auto what = packet.name + ", on the cable";
    auto got = without_tag(frame_of(next_frame(testbed, packet.name)), packet, what);
    expect_that(got.size() >= packet.headers() + packet.payload, what, "all of it",
                fmt::format("{} bytes", got.size()));
    const auto length = packet.l4len + packet.payload;
    expect_equal(what + ": its bytes added up with its sum", 0U,
                 sum_of(got, packet, length, length));
    put16(got, packet.sum_at(), 0);
    put16(sent, packet.sum_at(), 0);
    expect_bytes(what, padded(text_of(sent)), text_of(got));
}

/// One frame: held, read from outside, sent and looked at on the cable.
/// @param brings  whether it has a context with it
void check_packet(Testbed& testbed, const Packet& packet, bool brings = true) {
    const auto frame = made(testbed, packet);
    const auto in_memory = packet.inside ? with_tag(text_of(frame), packet.tci) : text_of(frame);
    const auto length = std::max(in_memory.size(), shortest);
    Held held(testbed);
    send_packet(testbed, packet, frame);
    auto slots = held.waiting();
    const auto contexts =
        static_cast<std::size_t>(std::count_if(slots.begin(), slots.end(), is_context));
    expect_equal(packet.name + ": contexts", brings ? 1U : 0U, contexts);
    if (brings) {
        expect_context(packet, slots[0]);
        slots.erase(slots.begin());
    }
    if (length <= copied) expect_mapped(testbed, "of " + packet.name + ", which is copied", 0);
    const auto tag = packet.tci == 0 || packet.inside ? 0 : std::uint64_t{vle};
    expect_data(packet.name, slots,
                {.length = length,
                 .paylen = length,
                 .extra = tag,
                 .popts = packet.other ? std::uint64_t{0} : std::uint64_t{txsm}});
    const auto headers = packet.headers() + (packet.inside ? tag_bytes : 0);
    if (!packet.other)
        expect_bytes(packet.name + ": headers as the card finds them", in_memory.substr(0, headers),
                     memory_of(testbed, slots).substr(0, headers));
    held.let_go();
    expect_whole(testbed, packet, frame);
}

/// A tag alone: the card has no sum to add up.
void check_tag_alone(Testbed& testbed, unsigned tci, std::size_t size) {
    const auto frame = testbed.random_frame(size, testbed.mac());
    const auto on_cable = std::max(size, shortest);
    const auto counted = counter(testbed, "tx0_bytes");
    Held held(testbed);
    send_file(testbed, "send", "tagged", {frame});
    auto slots = held.waiting();
    const std::string name = "a tag alone";
    expect_that(!slots.empty() && is_context(slots[0]), name, "a context first", "none");
    expect_equal(name + ": context, VLAN", tci, slots[0].low >> 16U & 0xffffU);
    expect_equal(name + ": context, MACLEN", ethernet, slots[0].low >> 9U & 0x7fU);
    slots.erase(slots.begin());
    expect_data(name, slots, {.length = on_cable, .paylen = on_cable, .extra = vle});
    held.let_go();
    expect_bytes(name, with_tag(padded(frame), tci), next_frame(testbed, name));
    expect_equal(fmt::format("tx0_bytes for a frame of {} bytes with a tag", size), on_cable,
                 counter(testbed, "tx0_bytes") - counted);
}

/// A VLAN's interface, `tagged`. @return the tag of its frames
unsigned add_tagged(Testbed& testbed) {
    const auto priority = static_cast<unsigned>(between(testbed, 1, 7));
    const auto vlan = static_cast<unsigned>(between(testbed, 2, 4000));
    testbed.must("an interface on a VLAN",
                 fmt::format("ip link add link {} name tagged type vlan id {} egress-qos-map 0:{} "
                             "&& ip link set tagged up",
                             eth, vlan, priority));
    return priority << 13U | vlan;
}

void remove_tagged(Testbed& testbed) {
    testbed.must_run({"ip", "link", "del", "tagged"});
}

/// The stack puts the tag into the frame: then it is one of the headers.
void check_tag_inside(Testbed& testbed, unsigned tci) {
    testbed.must_run({"ethtool", "-K", eth, "txvlan", "off"});
    check_packet(testbed, {.name = "TCP behind a tag that is in the frame",
                           .payload = between(testbed, 300, 1300),
                           .tci = tci,
                           .inside = true});
    check_packet(testbed, {.name = "UDP on IPv6 behind a tag that is in the frame",
                           .six = true,
                           .udp = true,
                           .l4len = udp_bytes,
                           .payload = between(testbed, 300, 1300),
                           .tci = tci,
                           .inside = true});
    testbed.must_run({"ethtool", "-K", eth, "txvlan", "on"});
}

void check_context(Testbed& testbed) {
    const auto some = [&](std::size_t least, std::size_t most) {
        return between(testbed, least, most);
    };
    const auto tci = add_tagged(testbed);
    const std::size_t options = 4 * some(1, 6);
    const std::vector<Packet> packets = {
        {.name = "UDP, short",
         .udp = true,
         .l4len = udp_bytes,
         .payload = some(shortest - datagram_headers, 100)},
        {.name = "TCP", .l4len = tcp_bytes + options, .payload = some(300, 1300)},
        {.name = "TCP on IPv6", .six = true, .payload = some(300, 1300)},
        {.name = "UDP behind IPv4's options",
         .udp = true,
         .extra = 4 * some(1, 10),
         .l4len = udp_bytes,
         .payload = some(300, 1300)},
        {.name = "TCP behind an extension header",
         .six = true,
         .extra = 8 * some(1, 5),
         .payload = some(300, 1300)},
        {.name = "UDP with a tag",
         .udp = true,
         .l4len = udp_bytes,
         .payload = some(300, 1300),
         .tci = tci},
        {.name = "TCP on IPv6 with a tag", .six = true, .payload = some(1, 100), .tci = tci},
        {.name = "UDP on IPv6",
         .six = true,
         .udp = true,
         .l4len = udp_bytes,
         .payload = some(1, 9)},
    };
    for (const auto& packet : packets) check_packet(testbed, packet);
    check_tag_inside(testbed, tci);
    check_tag_alone(testbed, tci, some(ethernet + 1, shortest - 1));
    // The same context once more would not come: something else between.
    check_packet(testbed, packets[0]);
    check_tag_alone(testbed, tci, some(300, longest));
    for (const bool six : {false, true})
        check_packet(testbed,
                     {.name = "a sum in another place",
                      .six = six,
                      .other = true,
                      .l4len = udp_bytes,
                      .payload = some(300, 1300)},
                     false);
    // The last context was that of the tag. One more, and then without.
    auto again = packets[1];
    check_packet(testbed, again);
    again.name = "TCP once more";
    again.payload = some(300, 1300);
    check_packet(testbed, again, false);
    auto longer = again;
    longer.name = "TCP behind IPv4's options";
    longer.extra = 4 * some(1, 10);
    check_packet(testbed, longer);
    check_packet(testbed, again);
    const auto plain = plain_frames(testbed, 1, shortest, longest);
    send_plain(testbed, plain);
    expect_plain(testbed, plain);
    check_packet(testbed, again, false);
    set_link(testbed, false);
    set_link(testbed, true);
    again.name = "TCP after down and up";
    check_packet(testbed, again);
    remove_tagged(testbed);
}

// --- frames that are cut -------------------------------------------------------------------------

/// Segment `i` of a frame, as it must be on the cable; the sum is left out.
Frame segment_of(const Frame& frame, const Packet& packet, std::size_t i) {
    const auto done = i * packet.mss;
    const auto part = std::min(packet.mss, packet.payload - done);
    const auto headers = static_cast<std::ptrdiff_t>(packet.headers());
    Frame segment(frame.begin(), frame.begin() + headers);
    const auto begin = frame.begin() + headers + static_cast<std::ptrdiff_t>(done);
    segment.insert(segment.end(), begin, begin + static_cast<std::ptrdiff_t>(part));
    const auto l4 = packet.l4();
    if (packet.six) {
        put16(segment, ethernet + 4, segment.size() - ethernet - ip6_bytes);
    } else {
        put16(segment, ethernet + 2, segment.size() - ethernet);
        put16(segment, ethernet + 4, get16(frame, ethernet + 4) + i);
        sum_ip4(segment, packet);
    }
    if (packet.udp) {
        put16(segment, l4 + 4, packet.l4len + part);
    } else {
        const auto sequence = get16(frame, l4 + 4) << 16U | get16(frame, l4 + 6);
        put32(segment, l4 + 4, static_cast<std::uint32_t>(sequence + done));
        if (i + 1 < packet.segments())
            segment[l4 + 13] &= static_cast<std::uint8_t>(~(tcp_fin | tcp_psh));
    }
    put16(segment, packet.sum_at(), 0);
    return segment;
}

void expect_segment(const Frame& seen, const Frame& frame, const Packet& packet, std::size_t i) {
    const auto what =
        fmt::format("{}, on the cable: segment {} of {}", packet.name, i + 1, packet.segments());
    auto got = without_tag(seen, packet, what);
    const auto wanted = segment_of(frame, packet, i);
    const auto length = wanted.size() - packet.l4();
    expect_that(got.size() >= wanted.size(), what + ", length", std::to_string(wanted.size()),
                std::to_string(got.size()));
    expect_equal(what + ": its bytes added up with its sum", 0U,
                 sum_of(got, packet, length, length));
    put16(got, packet.sum_at(), 0);
    expect_bytes(what, padded(text_of(wanted)), padded(text_of(got)));
}

void expect_segments(Testbed& testbed, const Frame& frame, const Packet& packet) {
    for (std::size_t i = 0; i < packet.segments(); ++i)
        expect_segment(frame_of(next_frame(testbed, packet.name)), frame, packet, i);
}

/// The headers as the card finds them: without what it fills in.
void expect_cleared(Testbed& testbed, const Packet& packet, Frame frame, const RingSlot& first) {
    put16(frame, packet.sum_at(), pseudo_sum(frame, packet, 0));
    if (packet.six) {
        put16(frame, ethernet + 4, 0);
    } else {
        put16(frame, ethernet + 2, 0);
        put16(frame, ethernet + 10, 0);
    }
    expect_bytes(packet.name + ": headers as the card finds them",
                 text_of(frame).substr(0, packet.headers()),
                 testbed.memory(first.low, packet.headers()));
}

std::size_t bytes_on_cable(const Packet& packet) {
    return packet.segments() * packet.headers() + packet.payload;
}

void check_cut(Testbed& testbed, const Packet& packet) {
    const auto packets = counter(testbed, "tx0_packets");
    const auto bytes = counter(testbed, "tx0_bytes");
    const auto frame = made(testbed, packet);
    Held held(testbed);
    send_packet(testbed, packet, frame);
    auto slots = held.waiting();
    expect_that(!slots.empty(), packet.name + ": descriptors", "some", "none");
    expect_context(packet, slots[0]);
    slots.erase(slots.begin());
    expect_data(packet.name, slots,
                {.length = frame.size(),
                 .paylen = packet.payload,
                 .extra = tse | (packet.tci == 0 ? std::uint64_t{0} : std::uint64_t{vle}),
                 .popts = txsm | (packet.six ? std::uint64_t{0} : std::uint64_t{ixsm})});
    expect_cleared(testbed, packet, frame, slots[0]);
    held.let_go();
    expect_segments(testbed, frame, packet);
    expect_equal(packet.name + ": tx0_packets", packet.segments(),
                 counter(testbed, "tx0_packets") - packets);
    expect_equal(packet.name + ": tx0_bytes", bytes_on_cable(packet),
                 counter(testbed, "tx0_bytes") - bytes);
}

/// A piece that is too long for one descriptor.
void check_long_piece(Testbed& testbed) {
    const Packet packet{.name = "a frame with a piece of 32 KiB",
                        .payload = between(testbed, 36000, 40000),
                        .mss = between(testbed, 1300, 1448)};
    const auto frame = made(testbed, packet);
    // Each of its descriptors has been that of a mapped piece before.
    const auto before = plain_frames(testbed, make_ring_small(testbed), copied + 1, 2 * copied);
    send_plain(testbed, before);
    expect_plain(testbed, before);
    Held held(testbed);
    send_packet(testbed, packet, frame);
    auto slots = held.waiting();
    expect_that(!slots.empty() && is_context(slots[0]), packet.name, "a context first", "none");
    slots.erase(slots.begin());
    expect_data(
        packet.name, slots,
        {.length = frame.size(), .paylen = packet.payload, .extra = tse, .popts = ixsm | txsm});
    expect_that(mapped(testbed) < slots.size(), packet.name + ": mappings",
                "fewer than descriptors: one for each piece", std::to_string(mapped(testbed)));
    const auto bytes = memory_of(testbed, slots);
    expect_bytes(packet.name + ": payload, as the descriptors have it",
                 text_of(frame).substr(packet.headers()), bytes.substr(packet.headers()));
    held.let_go();
    expect_segments(testbed, frame, packet);
    expect_mapped(testbed, "when " + packet.name + " is out", 0);
    set_ring(testbed, usual_ring);
}

/// Who looks at frames that pass by, sees the headers as the stack has made them.
void check_tap(Testbed& testbed) {
    const Packet packet{.name = "a frame that is looked at",
                        .payload = between(testbed, 3000, 9000),
                        .mss = for_the_card(testbed)};
    const auto frame = made(testbed, packet);
    grader::listen(testbed, "tap", 1);
    send_packet(testbed, packet, frame);
    testbed.wait_until(
        "in the guest: frames tap", "a frame, and done",
        [&] { return testbed.text(told).ends_with("done"); },
        [&] { return "\"" + testbed.text(told) + "\""; }, patience);
    const auto words = testbed.text(told);
    const auto line = words.substr(words.find('\n') + 1);
    const auto seen = text_of(sandbox::from_hex(line.substr(0, line.find('\n'))));
    expect_bytes("what a program in the guest sees of the headers of a frame that is cut",
                 text_of(frame).substr(0, packet.headers()), seen.substr(0, packet.headers()));
    expect_segments(testbed, frame, packet);
}

void check_cuts(Testbed& testbed) {
    const auto some = [&](std::size_t least, std::size_t most) {
        return between(testbed, least, most);
    };
    const std::size_t least = number(testbed, "least_mss");
    check_cut(testbed, {.name = "a frame of TCP that is to be cut",
                        .l4len = tcp_bytes + 4 * some(1, 5),
                        .payload = some(15000, 20000),
                        .mss = some(1200, 1428)});
    check_cut(testbed, {.name = "TCP on IPv6 that is to be cut",
                        .six = true,
                        .payload = some(5000, 9000),
                        .mss = some(1200, 1428)});
    check_cut(testbed, {.name = "TCP behind an extension header that is to be cut",
                        .six = true,
                        .extra = 8 * some(1, 4),
                        .l4len = tcp_bytes + 12,
                        .payload = some(3000, 5000),
                        .mss = some(1200, 1300)});
    check_cut(testbed, {.name = "the shortest segments of the card",
                        .payload = 5 * least + some(1, least - 1),
                        .mss = least});
    const auto size = some(std::max<std::size_t>(1000, least + 1), 1400);
    check_cut(testbed,
              {.name = "segments that are all full", .payload = some(2, 9) * size, .mss = size});
    const auto tci = add_tagged(testbed);
    for (const bool six : {false, true})
        check_cut(testbed, {.name = "a frame with a tag that is to be cut",
                            .six = six,
                            .payload = some(3000, 9000),
                            .mss = some(std::max<std::size_t>(1000, least), 1400),
                            .tci = tci});
    remove_tagged(testbed);
    check_long_piece(testbed);
    check_tap(testbed);
}

// --- what cannot be mapped -----------------------------------------------------------------------

/// What fails while a frame is sent: a call of it, when so many others have worked.
struct Failing {
    unsigned skip = 0;
    std::string symbol = "dma_map_page_attrs";
    int value = -1;
};

/// The ring is as it was, and the frame is counted once.
/// @return whether the call was made; if not, the frame is on its way
bool expect_lost(Testbed& testbed, const std::string& name, const Failing& what,
                 const std::function<void()>& send) {
    const auto when =
        fmt::format("after {} for which call {} of {}() failed", name, what.skip + 1, what.symbol);
    const auto drops = counter(testbed, "tx0_drops");
    const auto interface_drops = dropped(testbed);
    const auto tail = testbed.reg(TDT0);
    const auto mark = testbed.writes().size();
    {
        const Companion failing(testbed, "failcall",
                                {"symbol=" + what.symbol, fmt::format("value={}", what.value),
                                 fmt::format("skip={}", what.skip)});
        send();
        testbed.let_settle();
        if (failing.number("hits") == 0) return false;
    }
    expect_equal("the tail " + when, tail, testbed.reg(TDT0));
    expect_equal("how often the tail was written " + when, 0U, doorbells(testbed, mark));
    expect_mapped(testbed, when, 0);
    expect_equal("tx0_drops " + when, drops + 1, counter(testbed, "tx0_drops"));
    expect_equal("tx_dropped of the interface " + when, interface_drops + 1, dropped(testbed));
    expect_silence(testbed, when);
    return true;
}

void expect_unmapped(Testbed& testbed, const std::string& name, unsigned skip,
                     const std::function<void()>& send) {
    expect_that(expect_lost(testbed, name, {.skip = skip}, send), name,
                fmt::format("mapping {}, which fails", skip + 1), "fewer mappings");
}

/// Short frames go out until so many descriptors are left to the end of the ring.
void go_to_end(Testbed& testbed, std::size_t left) {
    const std::size_t size = ring_size(testbed, Direction::transmit);
    const auto frames =
        plain_frames(testbed, (2 * size - left - testbed.reg(TDT0)) % size, shortest, 100);
    send_plain(testbed, frames);
    expect_plain(testbed, frames);
}

/// No memory for headers of the driver's own, nor for a sum that it adds up itself.
void check_no_memory(Testbed& testbed) {
    const Packet cut{.name = "a frame that is looked at",
                     .payload = between(testbed, 3000, 9000),
                     .mss = for_the_card(testbed)};
    const Packet other{.name = "a sum in another place",
                       .other = true,
                       .l4len = udp_bytes,
                       .payload = between(testbed, 300, 1300)};
    auto frame = made(testbed, cut);
    grader::listen(testbed, "tap", 1);
    if (!expect_lost(testbed, cut.name, {.symbol = "pskb_expand_head", .value = -12},
                     [&] { send_packet(testbed, cut, frame); }))
        expect_segments(testbed, frame, cut);
    frame = made(testbed, other);
    if (!expect_lost(testbed, other.name, {.symbol = "skb_checksum_help", .value = -12},
                     [&] { send_packet(testbed, other, frame); }))
        expect_whole(testbed, other, frame);
}

/// The context of a frame that was lost is not the card's.
void check_context_lost(Testbed& testbed) {
    const Packet before{.name = "a frame before it", .payload = between(testbed, 400, 1200)};
    Packet lost{.name = "a frame that wants something else",
                .six = true,
                .l4len = tcp_bytes + 8,
                .payload = between(testbed, 400, 1200)};
    auto frame = made(testbed, before);
    send_packet(testbed, before, frame);
    expect_whole(testbed, before, frame);
    expect_mapped(testbed, "when it is out", 0);
    frame = made(testbed, lost);
    expect_unmapped(testbed, lost.name, 0, [&] { send_packet(testbed, lost, frame); });
    lost.name = "the same after it was lost";
    check_packet(testbed, lost);
}

void check_unwinds(Testbed& testbed) {
    const auto fail_at = [&](std::size_t pieces, unsigned skip) {
        const auto size = between(testbed, 300 / pieces + 1, 1400 / pieces);
        expect_unmapped(testbed, fmt::format("a datagram in {} pieces", pieces), skip,
                        [&] { send_pieces(testbed, pieces, size); });
        send_pieces(testbed, pieces, size);
        expect_pieces(testbed, pieces, size);
        expect_mapped(testbed, "after the next one", 0);
    };
    const auto pieces = between(testbed, 3, 5);
    for (unsigned skip = 0; skip <= pieces; ++skip) fail_at(pieces, skip);
    // At the end of the ring: it goes on at the beginning, or just does not.
    for (const auto left : {std::size_t{2}, pieces}) {
        go_to_end(testbed, left);
        fail_at(pieces, static_cast<unsigned>(pieces));
    }
    fail_at(most_frags, most_frags);
    fail_at(most_frags, static_cast<unsigned>(between(testbed, 6, most_frags - 1)));
    const Packet packet{.name = "a frame with a piece of 32 KiB",
                        .payload = between(testbed, 36000, 40000),
                        .mss = between(testbed, 1300, 1448)};
    const auto frame = made(testbed, packet);
    expect_unmapped(testbed, packet.name, 2, [&] { send_packet(testbed, packet, frame); });
    send_packet(testbed, packet, frame);
    expect_segments(testbed, frame, packet);
    check_context_lost(testbed);
    check_no_memory(testbed);
}

// --- doorbells -----------------------------------------------------------------------------------

void pktgen(Testbed& testbed, const std::vector<std::string>& settings) {
    for (const auto& setting : settings) testbed.put("/proc/net/pktgen/" + eth, setting + "\n");
}

/// Starts it; who writes this word waits until all is sent.
void start_pktgen(Testbed& testbed) {
    testbed.put("/tmp/generated", "");
    testbed.start({"sh", "-c", "echo start >/proc/net/pktgen/pgctrl; echo done >/tmp/generated"});
}

/// Frames in bursts, to the other end of the cable.
void prepare_pktgen(Testbed& testbed, unsigned burst) {
    testbed.put("/proc/net/pktgen/kpktgend_0", "add_device " + eth + "\n");
    pktgen(testbed, {fmt::format("burst {}", burst), "clone_skb 0", "delay 0",
                     "dst_mac 02:00:00:00:00:01", "dst 192.0.2.1"});
}

void forget_pktgen(Testbed& testbed) {
    testbed.put("/proc/net/pktgen/kpktgend_0", "rem_device_all\n");
}

void await_pktgen(Testbed& testbed) {
    testbed.wait_until(
        "pktgen in the guest", "done", [&] { return testbed.text("/tmp/generated") == "done"; },
        [] { return "still at work"; }, patience);
}

void expect_frames(Testbed& testbed, const std::string& what, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        next_frame(testbed, fmt::format("{}: frame {} of {}", what, i + 1, count));
}

/// @return the descriptors that were put in until so many were there.
Slots expect_waiting(Testbed& testbed, const Held& held, const std::string& what,
                     std::size_t count) {
    testbed.soon([&] { return held.waiting().size() >= count; }, patience);
    auto slots = held.waiting();
    expect_equal(what, count, slots.size());
    return slots;
}

/// The card reports on the last descriptor of all that came, and of each burst.
void expect_reported(const Slots& slots, std::size_t burst, const std::string& what) {
    for (std::size_t i = 1; i <= slots.size(); ++i)
        expect_equal(fmt::format("RS in descriptor {} of {}, {}", i, slots.size(), what),
                     i == slots.size() || i % burst == 0, (command(slots[i - 1]) & rs) != 0);
}

void check_bursts(Testbed& testbed, unsigned burst) {
    constexpr unsigned bursts = 3;
    for (const char* size : {"60", "1000"}) {
        const auto what = fmt::format("{} bursts of {} frames of {} bytes", bursts, burst, size);
        const auto before = counter(testbed, "tx0_doorbells");
        const auto mark = testbed.writes().size();
        pktgen(testbed,
               {fmt::format("count {}", bursts * burst), fmt::format("pkt_size {}", size)});
        start_pktgen(testbed);
        expect_frames(testbed, what, std::size_t{bursts} * burst);
        await_pktgen(testbed);
        expect_equal(what + ": how often the tail was written", std::size_t{bursts},
                     doorbells(testbed, mark));
        expect_equal(what + ": tx0_doorbells", std::uint64_t{bursts},
                     counter(testbed, "tx0_doorbells") - before);
    }
    Held held(testbed);
    pktgen(testbed, {fmt::format("count {}", burst)});
    start_pktgen(testbed);
    const auto slots = expect_waiting(testbed, held, "descriptors of a burst", burst);
    expect_reported(slots, burst, "a burst");
    held.let_go();
    expect_frames(testbed, "a burst", burst);
    await_pktgen(testbed);
}

/// The last frame of a burst cannot be mapped: the others must not wait for another.
void check_last_dropped(Testbed& testbed, unsigned burst) {
    const Companion failing(
        testbed, "failcall",
        {"symbol=dma_map_page_attrs", "value=-1", fmt::format("skip={}", burst - 1)});
    pktgen(testbed, {fmt::format("count {}", burst)});
    start_pktgen(testbed);
    expect_frames(testbed, "a burst whose last frame is dropped", burst - 1);
    await_pktgen(testbed);
    expect_equal("mappings that failed", 1L, failing.number("hits"));
    expect_silence(testbed, "after a burst whose last frame is dropped");
}

/// The queue is stopped in the middle of a burst.
void check_stopped_in_a_burst(Testbed& testbed, unsigned burst) {
    const auto room = usual_ring - most_needed(testbed);
    const auto count = (room / burst + 2) * burst;
    Held held(testbed);
    pktgen(testbed, {fmt::format("count {}", count)});
    start_pktgen(testbed);
    const auto slots = expect_waiting(
        testbed, held, "descriptors that the card has heard of when the queue stops in a burst",
        room);
    expect_reported(slots, burst, fmt::format("bursts of {}", burst));
    held.let_go();
    expect_frames(testbed, "bursts that fill the ring", count);
    await_pktgen(testbed);
}

void check_doorbell(Testbed& testbed) {
    const auto room = usual_ring - most_needed(testbed);
    auto burst = static_cast<unsigned>(between(testbed, 17, 31));
    while (room % burst == 0) ++burst;
    prepare_pktgen(testbed, burst);
    check_bursts(testbed, burst);
    check_last_dropped(testbed, burst);
    check_stopped_in_a_burst(testbed, burst);
    forget_pktgen(testbed);
    expect_mapped(testbed, "after all bursts", 0);
    testbed.take_frames();
}

// --- stop and go on ------------------------------------------------------------------------------

/// Bytes in flight are no longer what stops a queue. A limit is looked at when frames are out.
void without_limit(Testbed& testbed, const std::string& queue_limits = limits) {
    testbed.put(queue_limits + "limit_min", "1000000");
    const auto frames = plain_frames(testbed, 3, 300, 400);
    send_plain(testbed, frames);
    expect_plain(testbed, frames);
    expect_mapped(testbed, "when they are out", 0);
}

/// Frames go out by the second of two queues.
void set_second_queue(Testbed& testbed, bool on) {
    testbed.must_run({"ethtool", "-L", eth, "combined", on ? "2" : "1"});
    if (!on) return;
    testbed.put("/sys/class/net/" + eth + "/queues/tx-0/xps_cpus", "0");
    testbed.put("/sys/class/net/" + eth + "/queues/tx-1/xps_cpus", "1");
    without_limit(testbed, second_limits);
}

/// Of two queues the one is stopped that is full.
void check_second_stops(Testbed& testbed) {
    set_second_queue(testbed, true);
    const std::size_t size = ring_size(testbed, Direction::transmit);
    const auto frames = plain_frames(testbed, size + 20, 300, 400);
    const auto stops = counter(testbed, "tx1_stops");
    {
        Held held(testbed, 1);
        send_plain(testbed, frames);
        expect_equal("descriptors in use when the second queue stops", size - most_needed(testbed),
                     held.waiting().size());
        expect_equal("tx1_stops, when it has stopped once", stops + 1,
                     counter(testbed, "tx1_stops"));
    }
    expect_plain(testbed, frames);
    expect_mapped(testbed, "when all are out", 0);
    set_second_queue(testbed, false);
}

void check_stops(Testbed& testbed) {
    const auto most = most_needed(testbed);
    const auto wake = enough(testbed);
    const std::size_t size = ring_size(testbed, Direction::transmit);
    without_limit(testbed);
    testbed.must("tracing", "mount -t tracefs none " + tracing + " 2>/dev/null; echo 'rc != 0' >" +
                                tracing + "events/net/net_dev_xmit/filter && echo 1 >" + tracing +
                                "events/net/net_dev_xmit/enable");
    const auto stops = counter(testbed, "tx0_stops");
    // Each is a batch of its own, and mapped.
    const auto frames = plain_frames(testbed, 3 * size, 300, 400);
    Held held(testbed);
    send_plain(testbed, frames);
    const std::size_t used = size - most;
    expect_equal(fmt::format("descriptors in use when the queue stops, of {}, with {} for the "
                             "largest frame",
                             size, most),
                 used, held.waiting().size());
    expect_equal("tx0_stops, when it has stopped once", stops + 1, counter(testbed, "tx0_stops"));
    // One of the ring is always free.
    const auto out = wake - 1 - (size - 1 - used);
    const auto mark = testbed.writes().size();
    held.go(out);
    expect_mapped(testbed, fmt::format("after {} of {} frames", out, used), used - out);
    testbed.let_settle();
    expect_equal(fmt::format("how often the driver goes on with {} descriptors free, of {} that "
                             "are enough",
                             wake - 1, wake),
                 0U, doorbells(testbed, mark) - 1);  // the testbed's own
    expect_plain(testbed, {frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(out)});
    expect_silence(testbed, "while the queue is stopped");
    held.go(out + 1, false);
    testbed.soon([&] { return doorbells(testbed, mark) > 2; }, patience);
    expect_that(doorbells(testbed, mark) > 2,
                fmt::format("the driver, with {} descriptors free", wake), "goes on", "does not");
    held.leave();
    expect_plain(testbed, frames, out);
    expect_mapped(testbed, "when all are out", 0);
    check_second_stops(testbed);
    const auto refused = testbed.text(tracing + "trace");
    testbed.put(tracing + "events/net/net_dev_xmit/enable", "0");
    testbed.put(limits + "limit_min", "0");
    expect_that(refused.find("net_dev_xmit") == std::string::npos,
                "what igbook_start_xmit() has returned (the trace point net:net_dev_xmit)",
                "NETDEV_TX_OK for each frame", "NETDEV_TX_BUSY");
}

// --- back ----------------------------------------------------------------------------------------

/// How an sk_buff may be freed.
const std::vector<std::string> freeing = {"napi_consume_skb", "dev_kfree_skb_any_reason",
                                          "dev_kfree_skb_irq_reason", "consume_skb", "__kfree_skb"};

std::size_t freed(const CallNote& notes, std::size_t mark) {
    const auto deeds = notes.deeds(mark);
    return static_cast<std::size_t>(std::count_if(deeds.begin(), deeds.end(), [](const auto& deed) {
        return std::find(freeing.begin(), freeing.end(), deed.call) != freeing.end();
    }));
}

/// A frame arrives, and whoever serves the rings has looked at both.
void await_service(Testbed& testbed) {
    const auto count = testbed.reg(RDLEN0) / sizeof(RingSlot);
    const auto tail = (testbed.reg(RDT0) + 1) % count;
    auto frame = testbed.random_frame(shortest, testbed.mac());
    frame[type_at + 1] = static_cast<char>(0xb6);
    testbed.send(frame);
    testbed.wait_until(
        "tail of the receive ring after a frame", std::to_string(tail),
        [&] { return testbed.reg(RDT0) == tail; },
        [&] { return std::to_string(testbed.reg(RDT0)); }, patience);
    testbed.let_settle();
}

/// Of two datagrams the card sends one.
void check_one_of_two(Testbed& testbed) {
    const auto pieces = between(testbed, 3, 8);
    const auto size = between(testbed, 1000 / pieces, 1400 / pieces);
    const CallNote notes(testbed, freeing);
    const auto mark = testbed.writes().size();
    Held held(testbed);
    send_pieces(testbed, pieces, size);
    send_pieces(testbed, pieces, size);
    const auto before = held.waiting();
    expect_equal("descriptors of two datagrams", 2 * (pieces + 1), before.size());
    await_service(testbed);
    expect_equal("frames freed before the card has sent any", 0U, freed(notes, mark));
    expect_mapped(testbed, "before the card has sent any", 2 * (pieces + 1));
    held.go(pieces + 1);
    expect_pieces(testbed, pieces, size);
    expect_mapped(testbed, "when one of two datagrams is out", pieces + 1);
    testbed.let_settle();
    expect_equal("frames freed when one of two datagrams is out", 1U, freed(notes, mark));
    expect_bytes("memory of the other one", pieces_payload(pieces, size),
                 memory_of(testbed, {before.begin() + static_cast<std::ptrdiff_t>(pieces + 2),
                                     before.end()}));
    held.let_go();
    expect_pieces(testbed, pieces, size);
    expect_mapped(testbed, "when both are out", 0);
}

/// Frames that came in a row are reported together; the card has sent some of them.
void check_part_of_a_batch(Testbed& testbed) {
    testbed.must_run({"ethtool", "-K", eth, "tso", "off"});
    const Packet packet{
        .name = "frames in a row", .payload = between(testbed, 5100, 5900), .mss = 1000};
    const auto frame = made(testbed, packet);
    Held held(testbed);
    send_packet(testbed, packet, frame);
    const auto slots = held.waiting();
    const auto pieces = mapped(testbed);
    std::size_t ends = 0;
    std::size_t half = 0;
    while (half < slots.size() && ends < packet.segments() / 2)
        if (const auto& slot = slots[half++]; !is_context(slot) && (command(slot) & eop) != 0)
            ++ends;
    held.go(half);
    expect_frames(testbed, packet.name, ends);
    await_service(testbed);
    expect_mapped(testbed,
                  fmt::format("when {} of {} frames in a row are out, and none is reported", ends,
                              packet.segments()),
                  pieces);
    held.let_go();
    expect_frames(testbed, packet.name, packet.segments() - ends);
    expect_mapped(testbed, "when all of them are out", 0);
    testbed.must_run({"ethtool", "-K", eth, "tso", "on"});
}

/// The card is in the middle of a frame; then the interface goes down.
void check_part_of_a_frame(Testbed& testbed) {
    const auto pieces = between(testbed, 4, 8);
    Held held(testbed);
    send_pieces(testbed, pieces, between(testbed, 1000 / pieces, 1400 / pieces));
    held.go(pieces / 2);
    await_service(testbed);
    expect_mapped(testbed, "when the card is in the middle of a frame", pieces + 1);
    set_link(testbed, false);
    held.leave();
    expect_mapped(testbed, "when the interface is down", 0);
    set_link(testbed, true);
}

/// Many are out at once. Each look at the ring takes as many as it may.
void check_taken_at_once(Testbed& testbed) {
    constexpr unsigned large = 512;
    set_ring(testbed, large);
    without_limit(testbed);
    const auto frames = plain_frames(testbed, large - most_needed(testbed) - 1, 300, 310);
    const CallNote notes(testbed, {"igbook_tx_clean:1", "dma_unmap_page_attrs"});
    std::size_t mark = 0;
    {
        Held held(testbed);
        send_plain(testbed, frames);
        mark = testbed.writes().size();
    }
    expect_plain(testbed, frames);
    expect_mapped(testbed, "when all are out", 0);
    grader::expect_limit_kept(notes.deeds(mark));
    testbed.put(limits + "limit_min", "0");
    set_ring(testbed, usual_ring);
}

/// Many bursts are out at once: the limit is one on frames.
void check_bursts_taken_at_once(Testbed& testbed) {
    constexpr unsigned large = 512;
    constexpr unsigned burst = 20;
    set_ring(testbed, large);
    const auto count = (large - most_needed(testbed) - 1) / burst * burst;
    prepare_pktgen(testbed, burst);
    pktgen(testbed, {fmt::format("count {}", count), "pkt_size 1000"});
    const CallNote notes(testbed, {"igbook_tx_clean:1", "dma_unmap_page_attrs"});
    std::size_t mark = 0;
    {
        Held held(testbed);
        start_pktgen(testbed);
        expect_waiting(testbed, held, "descriptors of bursts", count);
        mark = testbed.writes().size();
    }
    expect_frames(testbed, "bursts that are out at once", count);
    await_pktgen(testbed);
    expect_mapped(testbed, "when all are out", 0);
    grader::expect_limit_kept(notes.deeds(mark), burst);
    forget_pktgen(testbed);
    set_ring(testbed, usual_ring);
}

void check_frees(Testbed& testbed) {
    without_limit(testbed);
    check_one_of_two(testbed);
    check_part_of_a_batch(testbed);
    check_part_of_a_frame(testbed);
    check_taken_at_once(testbed);
    check_bursts_taken_at_once(testbed);
}

// --- bytes in flight -----------------------------------------------------------------------------

/// Each queue has an account of its own.
void check_second_account(Testbed& testbed) {
    set_second_queue(testbed, true);
    const auto frames = plain_frames(testbed, 5, 300, 900);
    std::size_t bytes = 0;
    for (const auto& frame : frames) bytes += frame.size();
    {
        Held held(testbed, 1);
        send_plain(testbed, frames);
        expect_equal("descriptors in use of the second queue", frames.size(),
                     held.waiting().size());
        expect_in_flight(testbed, "of the second queue", bytes, second_limits);
        expect_in_flight(testbed, "of the first queue, by which none goes", 0);
    }
    expect_plain(testbed, frames);
    expect_in_flight(testbed, "of the second queue, when all is out", 0, second_limits);
    set_second_queue(testbed, false);
}

void check_limit(Testbed& testbed) {
    constexpr std::size_t frame_bytes = 300;
    const auto most = between(testbed, 1500, 6000);
    const auto usual = testbed.text(limits + "limit_max");
    testbed.put(limits + "limit_max", std::to_string(most));
    auto frames = plain_frames(testbed, 3, frame_bytes, frame_bytes);
    send_plain(testbed, frames);
    expect_plain(testbed, frames);
    testbed.put(limits + "limit_min", std::to_string(most));
    send_plain(testbed, frames);
    expect_plain(testbed, frames);
    expect_in_flight(testbed, "when all is out", 0);
    frames = plain_frames(testbed, 60, frame_bytes, frame_bytes);
    const auto given = most / frame_bytes + 1;  // the last one exceeds it
    for (const bool down : {false, true}) {
        Held held(testbed);
        send_plain(testbed, frames);
        expect_equal(fmt::format("frames of {} bytes that are given to the card with a limit of "
                                 "{} bytes in flight",
                                 frame_bytes, most),
                     given, held.waiting().size());
        expect_in_flight(testbed, "while the card is held", given * frame_bytes);
        // Frames that do not go out keep the rings as they are: the new ones, empty, are freed.
        expect_that(testbed.run({"ethtool", "-G", eth, "tx", "128"}).status != 0,
                    "ethtool -G while the card is held", "fails, as the driver has it", "succeeds");
        expect_in_flight(testbed, "after an ethtool -G that failed", given * frame_bytes);
        if (down) {
            set_link(testbed, false);
            held.leave();
            expect_in_flight(testbed, "when the interface is down", 0);
            expect_mapped(testbed, "when the interface is down", 0);
            set_link(testbed, true);
            testbed.take_frames();
            continue;
        }
        held.let_go();
        expect_plain(testbed, frames);
        expect_in_flight(testbed, "when all is out", 0);
    }
    send_plain(testbed, frames);
    expect_plain(testbed, frames);
    expect_in_flight(testbed, "when all is out, after down and up", 0);
    const Packet packet{.name = "a frame that is cut",
                        .payload = between(testbed, 3000, 9000),
                        .mss = for_the_card(testbed)};
    const auto frame = made(testbed, packet);
    {
        Held held(testbed);
        send_packet(testbed, packet, frame);
        expect_in_flight(testbed, "with segments, each with its headers", bytes_on_cable(packet));
    }
    expect_segments(testbed, frame, packet);
    expect_in_flight(testbed, "when the segments are out", 0);
    testbed.put(limits + "limit_min", "0");
    testbed.put(limits + "limit_max", usual);
    check_second_account(testbed);
}

// --- beyond the book: nobody waits ---------------------------------------------------------------

void set_discipline(Testbed& testbed, bool there) {
    if (there)
        testbed.must_run({"tc", "qdisc", "del", "dev", eth, "root"});
    else
        testbed.must_run({"tc", "qdisc", "replace", "dev", eth, "root", "noqueue"});
}

/// The ring is filled to the last descriptor, and what does not fit is dropped.
void check_to_the_last(Testbed& testbed) {
    const auto size = ring_size(testbed, Direction::transmit);
    const auto drops = counter(testbed, "tx0_drops");
    const auto interface_drops = dropped(testbed);
    const auto stops = counter(testbed, "tx0_stops");
    const auto spare = between(testbed, 3, 8);
    auto frames = plain_frames(testbed, size - 1 - spare, shortest, 500);
    add_tagged(testbed);
    Held held(testbed);
    send_plain(testbed, frames);
    expect_equal("descriptors in use, of a queue that nobody stops", frames.size(),
                 held.waiting().size());
    // As many pieces as fit with the headers, less one; one more does not fit.
    send_pieces(testbed, spare, 1200 / spare);
    expect_equal("descriptors in use, after a frame that needs one more than there are",
                 frames.size(), held.waiting().size());
    const Packet summed{.name = "a frame with a context",
                        .six = true,
                        .l4len = tcp_bytes + 16,
                        .payload = between(testbed, 300, 1200)};
    const auto more = plain_frames(testbed, spare - 1, shortest, 500);
    send_plain(testbed, more);
    frames.insert(frames.end(), more.begin(), more.end());
    send_packet(testbed, summed, made(testbed, summed));
    expect_equal("descriptors in use, after a frame that needs a context and has one descriptor",
                 frames.size(), held.waiting().size());
    send_file(testbed, "send", "tagged", plain_frames(testbed, 1, shortest, 500));
    expect_equal("descriptors in use, after a frame that needs a context for its tag alone",
                 frames.size(), held.waiting().size());
    const auto last = plain_frames(testbed, 10, shortest, 500);
    send_plain(testbed, last);
    frames.push_back(last[0]);
    expect_equal("descriptors in use, of a queue that nobody stops", size - 1,
                 held.waiting().size());
    constexpr unsigned lost = 3 + 9;
    expect_equal("tx0_drops", drops + lost, counter(testbed, "tx0_drops"));
    expect_equal("tx_dropped of the interface", interface_drops + lost, dropped(testbed));
    expect_equal("tx0_stops", stops, counter(testbed, "tx0_stops"));
    expect_equal("bytes in flight, as the stack counts them, that might stop the queue", 0U,
                 in_flight(testbed));
    held.let_go();
    expect_plain(testbed, frames);
    expect_mapped(testbed, "when all are out", 0);
    remove_tagged(testbed);
}

/// How many descriptors are in use, out of a ring in which so many are free, after a frame.
void expect_fits(Testbed& testbed, const std::string& name, std::size_t free, bool fits,
                 const Packet* packet, std::size_t pieces) {
    const std::size_t size = ring_size(testbed, Direction::transmit);
    const auto frames = plain_frames(testbed, size - 1 - free, shortest, 100);
    const auto drops = counter(testbed, "tx0_drops");
    const auto frame = packet == nullptr ? Frame{} : made(testbed, *packet);
    Held held(testbed);
    send_plain(testbed, frames);
    if (packet == nullptr)
        send_pieces(testbed, pieces, 1200 / pieces);
    else
        send_packet(testbed, *packet, frame);
    expect_equal(fmt::format("descriptors in use after {}, with {} free", name, free),
                 fits ? size - 1 : frames.size(), held.waiting().size());
    expect_equal(fmt::format("tx0_drops after {}, with {} free", name, free),
                 drops + (fits ? 0 : 1), counter(testbed, "tx0_drops"));
    held.let_go();
    expect_plain(testbed, frames);
    if (fits && packet == nullptr) expect_pieces(testbed, pieces, 1200 / pieces);
    if (fits && packet != nullptr) expect_segments(testbed, frame, *packet);
    expect_mapped(testbed, "when all are out", 0);
}

/// What a frame takes that brings its context, in an empty ring.
std::size_t taken_by(Testbed& testbed, const Packet& packet) {
    const auto frame = made(testbed, packet);
    std::size_t taken = 0;
    {
        Held held(testbed);
        send_packet(testbed, packet, frame);
        taken = held.waiting().size();
    }
    expect_segments(testbed, frame, packet);
    return taken;
}

/// Frames that need more than one descriptor, and have them, or one fewer.
void check_fits(Testbed& testbed) {
    const auto pieces = between(testbed, 3, 8);
    expect_fits(testbed, fmt::format("a datagram in {} pieces", pieces), pieces + 1, true, nullptr,
                pieces);
    // Each brings another context, so it needs the same.
    Packet cut{.name = "a frame with a piece of 32 KiB",
               .payload = between(testbed, 36000, 40000),
               .mss = between(testbed, 1300, 1400)};
    auto needed = taken_by(testbed, cut);
    ++cut.mss;
    expect_fits(testbed, cut.name, needed - 1, false, &cut, 0);
    expect_fits(testbed, cut.name, needed, true, &cut, 0);
    Packet hand{.name = "a frame that is cut by hand",
                .udp = true,
                .l4len = udp_bytes,
                .payload = payload_by_hand(testbed, between(testbed, 5, 6), 1000),
                .mss = 1000};
    needed = taken_by(testbed, hand);
    const Packet other{.name = "a frame with another context", .payload = 500};
    const auto frame = made(testbed, other);
    send_packet(testbed, other, frame);
    expect_whole(testbed, other, frame);
    expect_fits(testbed, hand.name, needed - 1, false, &hand, 0);
}

/// The stack cuts a frame, and not all of the segments have room: those that have are announced.
void check_row_without_room(Testbed& testbed) {
    const auto segments = between(testbed, 11, 16);
    const auto size = between(testbed, 1300, 1400);
    const Packet packet{
        .name = "a frame that the stack cuts", .payload = segments * size, .mss = size};
    const auto free = between(testbed, 4, 9);
    const auto frames =
        plain_frames(testbed, ring_size(testbed, Direction::transmit) - 1 - free, shortest, 100);
    const auto drops = counter(testbed, "tx0_drops");
    const auto frame = made(testbed, packet);
    testbed.must_run({"ethtool", "-K", eth, "tso", "off"});
    Held held(testbed);
    send_plain(testbed, frames);
    send_packet(testbed, packet, frame);
    const auto lost = counter(testbed, "tx0_drops") - drops;
    expect_that(lost > 0 && lost < segments,
                fmt::format("segments dropped, of {}, with {} descriptors free", segments, free),
                "some, and not all", std::to_string(lost));
    held.let_go();
    expect_plain(testbed, frames);
    expect_frames(testbed, packet.name + ", and not all has room", segments - lost);
    expect_silence(testbed, "after the segments that had room");
    expect_mapped(testbed, "when all are out", 0);
    testbed.must_run({"ethtool", "-K", eth, "tso", "on"});
}

/// The discipline comes or goes while frames are under way.
void check_changes(Testbed& testbed, bool there) {
    const auto frames = plain_frames(testbed, 5, 300, 900);
    Held held(testbed);
    send_plain(testbed, {frames[0], frames[1]});
    set_discipline(testbed, there);
    send_plain(testbed, {frames[2], frames[3]});
    held.let_go();
    expect_plain(testbed, {frames.begin(), frames.begin() + 4});
    expect_mapped(testbed, "when all are out", 0);
    expect_in_flight(testbed, "after a change of the discipline", 0);
    send_plain(testbed, {frames[4]});
    expect_plain(testbed, {frames[4]});
    expect_in_flight(testbed, "after a change of the discipline", 0);
}

void check_no_queue(Testbed& testbed) {
    without_limit(testbed);
    check_changes(testbed, false);
    testbed.put(limits + "limit_min", "0");
    const auto console = testbed.console().size();
    check_to_the_last(testbed);
    testbed.let_settle();
    expect_that(testbed.console().find("asks to queue packet", console) == std::string::npos,
                "the kernel log", "no complaint of the stack's",
                "\"Virtual device eth0 asks to queue packet!\"");
    check_fits(testbed);
    check_row_without_room(testbed);
    testbed.put(limits + "limit_min", "1000000");
    check_changes(testbed, true);
    testbed.put(limits + "limit_min", "0");
}

// --- beyond the book: cut by hand ----------------------------------------------------------------

/// Frames of their own, which the card hears of at once.
void check_hand_cut(Testbed& testbed, const Packet& packet) {
    const auto frame = made(testbed, packet);
    const auto packets = counter(testbed, "tx0_packets");
    const auto mark = testbed.writes().size();
    Held held(testbed);
    send_packet(testbed, packet, frame);
    const auto rings = doorbells(testbed, mark);
    const auto slots = held.waiting();
    std::size_t frames = 0;
    std::size_t first = 0;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (is_context(slots[i])) {
            expect_equal(packet.name + ": place of a context", 0U, i);
            auto whole = packet;
            whole.mss = 0;
            expect_context(whole, slots[i]);
            first = i + 1;
            continue;
        }
        if ((command(slots[i]) & eop) == 0 && i + 1 < slots.size()) continue;
        const auto done = frames++ * packet.mss;
        const auto part = packet.payload > done ? std::min(packet.mss, packet.payload - done) : 0;
        const auto length = std::max(packet.headers() + part, shortest);
        expect_data(fmt::format("{}, segment {}", packet.name, frames),
                    {slots.begin() + static_cast<std::ptrdiff_t>(first),
                     slots.begin() + static_cast<std::ptrdiff_t>(i) + 1},
                    {.length = length,
                     .paylen = length,
                     .extra = packet.tci == 0 ? 0 : std::uint64_t{vle},
                     .popts = txsm,
                     .reported = i + 1 == slots.size()});
        first = i + 1;
    }
    expect_equal(packet.name + ": frames in the ring", packet.segments(), frames);
    expect_equal(packet.name + ": how often the tail was written", 1U, rings);
    held.let_go();
    expect_segments(testbed, frame, packet);
    expect_equal(packet.name + ": tx0_packets", packet.segments(),
                 counter(testbed, "tx0_packets") - packets);
    expect_mapped(testbed, "after " + packet.name, 0);
}

/// Frames that have waited for the queue come in a row; one that is cut is not the end of it.
void check_cut_in_a_row(Testbed& testbed, const Packet& by_hand, const Packet& by_card) {
    const auto usual = testbed.text(limits + "limit_max");
    const auto alone = plain_frames(testbed, 1, 300, 400);
    const auto under_way = plain_frames(testbed, 2, 300, 400);
    const auto row = plain_frames(testbed, 2, 300, 400);
    testbed.put(limits + "limit_min", "0");
    testbed.put(limits + "limit_max", "1");
    send_plain(testbed, alone);
    expect_plain(testbed, alone);
    expect_in_flight(testbed, "when all is out", 0);
    Held held(testbed);
    // The first of two is given to the card; the second finds the queue stopped and goes alone when
    // it is not any more.
    send_plain(testbed, under_way);
    expect_equal("frames that are given to the card with a limit of one byte in flight", 1U,
                 held.waiting().size());
    send_plain(testbed, {row[0]});
    const auto hand = made(testbed, by_hand);
    send_packet(testbed, by_hand, hand);
    const auto card = made(testbed, by_card);
    send_packet(testbed, by_card, card);
    send_plain(testbed, {row[1]});
    testbed.put(limits + "limit_max", usual);
    testbed.put(limits + "limit_min", "1000000");
    const auto mark = testbed.writes().size();
    held.let_go();
    expect_plain(testbed, under_way);
    expect_plain(testbed, {row[0]});
    expect_segments(testbed, hand, by_hand);
    expect_segments(testbed, card, by_card);
    expect_plain(testbed, {row[1]});
    const auto what = fmt::format("a row of four frames, with {} and {} in the middle",
                                  by_hand.name, by_card.name);
    expect_equal("how often the tail was written, for a frame and " + what, 2U,
                 doorbells(testbed, mark) - 1);  // the testbed's own
    auto slots = held.waiting();
    const auto earlier = std::min(under_way.size(), slots.size());
    slots.erase(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(earlier));
    expect_reported(slots, slots.size(), "for " + what);
    expect_mapped(testbed, "after " + what, 0);
}

/// One of the segments cannot be mapped.
void check_hand_cut_lost(Testbed& testbed, const Packet& packet, unsigned skip) {
    const auto frame = made(testbed, packet);
    const auto drops = counter(testbed, "tx0_drops");
    long hits = 0;
    {
        const Companion failing(
            testbed, "failcall",
            {"symbol=dma_map_page_attrs", "value=-1", fmt::format("skip={}", skip)});
        send_packet(testbed, packet, frame);
        testbed.let_settle();
        hits = failing.number("hits");
    }
    expect_mapped(testbed, "after " + packet.name, 0);
    const auto got = testbed.take_frames();
    std::size_t i = 0;
    for (const auto& bytes : got) {
        const auto seen = frame_of(bytes);
        // Which one is it? Those that are missing are before it.
        while (i + 1 < packet.segments() &&
               text_of(segment_of(frame, packet, i)).substr(packet.headers()) !=
                   bytes.substr(std::min(packet.headers(), bytes.size())))
            ++i;
        expect_segment(seen, frame, packet, i++);
    }
    if (hits == 0) {
        expect_equal(packet.name + ", nothing failed: segments", packet.segments(), got.size());
        return;
    }
    expect_equal(packet.name + ": segments on the cable, without the one that has no mapping",
                 packet.segments() - 1, got.size());
    expect_equal(packet.name + ": tx0_drops", drops + 1, counter(testbed, "tx0_drops"));
}

/// No memory for what it is cut with.
void check_not_cut(Testbed& testbed, const Packet& packet) {
    const auto frame = made(testbed, packet);
    const auto drops = counter(testbed, "tx0_drops");
    const auto mark = testbed.writes().size();
    long hits = 0;
    {
        const Companion failing(testbed, "failcall", {"symbol=__skb_gso_segment", "value=-12"});
        send_packet(testbed, packet, frame);
        testbed.let_settle();
        hits = failing.number("hits");
    }
    if (hits == 0) {  // it is done in another way
        expect_segments(testbed, frame, packet);
        return;
    }
    expect_equal("tx0_drops after a frame that could not be cut", drops + 1,
                 counter(testbed, "tx0_drops"));
    expect_equal("how often the tail was written for a frame that could not be cut", 0U,
                 doorbells(testbed, mark));
    expect_silence(testbed, "after a frame that could not be cut");
}

void check_by_hand(Testbed& testbed) {
    const auto some = [&](std::size_t least, std::size_t most) {
        return between(testbed, least, most);
    };
    const std::size_t least = number(testbed, "least_mss");
    const auto segments = number(testbed, "hand_segments");
    const std::uint8_t all = tcp_ack | tcp_psh | tcp_fin;
    testbed.put(limits + "limit_min", "1000000");
    const auto size = some(900, 1400);
    const Packet datagrams{.name = "UDP that is to be cut",
                           .udp = true,
                           .l4len = udp_bytes,
                           .payload = payload_by_hand(testbed, some(4, 7), size),
                           .mss = size};
    const Packet tcp{.name = "segments that are too short for the card",
                     .l4len = tcp_bytes + 12,
                     .payload = some(3 * least, 6 * least),
                     .mss = least - 1,
                     .flags = all};
    check_hand_cut(testbed, datagrams);
    check_hand_cut(testbed, tcp);
    const auto tci = add_tagged(testbed);
    for (auto packet : {datagrams, tcp}) {
        packet.name += ", with a tag";
        packet.tci = tci;
        check_hand_cut(testbed, packet);
    }
    remove_tagged(testbed);
    check_hand_cut(testbed, {.name = "UDP whose segments are all full",
                             .udp = true,
                             .l4len = udp_bytes,
                             .payload = some(3, 7) * size,
                             .mss = size});
    check_hand_cut(testbed, {.name = "UDP on IPv6 that is to be cut",
                             .six = true,
                             .udp = true,
                             .l4len = udp_bytes,
                             .payload = some(4100, 9000),
                             .mss = least});
    check_hand_cut(testbed, {.name = "TCP on IPv6, of short segments",
                             .six = true,
                             .payload = some(1500, 2500),
                             .mss = some(200, 400),
                             .flags = all});
    check_hand_cut(testbed, {.name = "more segments than are cut by hand",
                             .payload = (segments + some(1, 5)) * 300,
                             .mss = 300,
                             .flags = all});
    auto lost = datagrams;
    lost.name = "UDP of which a mapping fails";
    for (const unsigned skip : {0U, static_cast<unsigned>(some(2, 5))})
        check_hand_cut_lost(testbed, lost, skip);
    auto none = tcp;
    none.name = "a frame that cannot be cut";
    check_not_cut(testbed, none);
    const Packet by_card{
        .name = "segments that the card can cut", .payload = 4 * least + 1, .mss = least};
    check_cut(testbed, by_card);
    check_cut_in_a_row(testbed, datagrams, by_card);
    testbed.put(limits + "limit_min", "0");
}

// --- going ---------------------------------------------------------------------------------------

void check_unload(Testbed& testbed) {
    const Packet cut{.name = "a frame that is cut", .payload = 9000, .mss = 1400};
    const Packet hand{.name = "a frame that is cut by hand",
                      .udp = true,
                      .l4len = udp_bytes,
                      .payload = 4000,
                      .mss = 1000};
    {
        const Inserted patient(testbed, "patience", {"interface=" + eth});
        without_limit(testbed);
        const auto frame = made(testbed, hand);
        send_packet(testbed, hand, frame);
        expect_segments(testbed, frame, hand);
    }
    Held held(testbed);
    send_plain(testbed, plain_frames(testbed, 20, shortest, longest));
    send_pieces(testbed, most_frags, 70);
    send_packet(testbed, cut, made(testbed, cut));
    testbed.must_run({"rmmod", "igbook"});
    held.leave();
    grader::expect_released(testbed, "after rmmod");
    expect_equal("mappings of the driver's after rmmod", 0U, mappings(testbed, "").size());
    expect_equal("errors DMA-API debugging has found", std::string("0"),
                 testbed.text("/sys/kernel/debug/dma-api/error_count"));
    grader::expect_nothing_lost(testbed, "unloading with frames under way");
}

void add_the_ring(grader::Scenario& lab) {
    CHECK_POINTS(10, "the module loads and has its interface")
        .id("loads")
        .hint("The skeleton does this. What did the kernel log say?")
        .book("08-transmit")
        .run(check_loads);
    CHECK_POINTS(10, "frames in one piece and in many: descriptors, mappings, the cable")
        .id("pieces")
        .after("loads")
        .hint("PAYLEN stands in the first descriptor, EOP in the last; DTALEN in each is its own.")
        .book("cov-j2")
        .run(tidied(check_pieces));
    CHECK_POINTS(15, "contexts say what the card is to do, and are kept")
        .id("context")
        .after("pieces")
        .hint("Where does IP begin, and where does csum_start say that it ends?")
        .book("cov-j4")
        .run(tidied(check_context));
    CHECK_POINTS(10, "frames that the card is to cut")
        .id("cuts")
        .after("context")
        .hint("What does the card fill in for each segment? Who else may have the headers?")
        .book("cov-j4")
        .run(tidied(check_cuts));
    CHECK_POINTS(10, "a piece that cannot be mapped leaves nothing behind")
        .id("unwinds")
        .after("cuts")
        .hint("End what was mapped, from the last to the first. Which context has the card?")
        .book("cov-j2")
        .run(tidied(check_unwinds));
    CHECK_POINTS(10, "one doorbell for many frames, on each way out")
        .id("doorbell")
        .after("pieces")
        .hint("A frame that is dropped may be the last one, and so may one that stops the queue.")
        .book("08-into")
        .run(tidied(check_doorbell));
}

void add_the_queue(grader::Scenario& lab) {
    CHECK_POINTS(5, "the queue stops and goes on in time, and no frame is refused")
        .id("stops")
        .after("pieces")
        .hint("Stop after a frame, when the next one might not fit; go on at IGBOOK_TX_WAKE.")
        .book("cov-j3")
        .run(tidied(check_stops));
    CHECK_POINTS(10, "what the card has reported comes back, and nothing else")
        .id("frees")
        .after("context")
        .hint("The note of a batch's first descriptor says which one is to be watched.")
        .book("cov-j5")
        .run(tidied(check_frees));
    CHECK_POINTS(5, "the account of bytes in flight is right, whatever happens")
        .id("limit")
        .after("cuts")
        .hint("What was given and will never be reported: netdev_tx_reset_queue().")
        .book("cov-j3")
        .run(tidied(check_limit));
    CHECK_POINTS(5, "without a queueing discipline the ring is used to the last descriptor")
        .id("no-queue")
        .after("stops")
        .after("context")
        .hint("Bytes that the stack has not heard of cannot be done.")
        .book("cov-j3")
        .run(tidied(check_no_queue));
    CHECK_POINTS(5, "what the card cannot cut is cut by hand, below @least_mss@ bytes and UDP")
        .id("by-hand")
        .after("cuts")
        .hint("skb_gso_segment() makes a list of frames. None of them is to be cut any more.")
        .book("cov-j4")
        .run(tidied(check_by_hand));
    CHECK_POINTS(5, "unloaded with frames under way: nothing stays mapped or is lost")
        .id("unload")
        .after("cuts")
        .hint("Every frame belongs to the ring, to the stack, or to nobody.")
        .book("cov-j5")
        .run(check_unload);
}

}  // namespace

grader::Scenario transmit() {
    grader::Scenario lab("08-transmit");
    add_the_ring(lab);
    add_the_queue(lab);
    return lab;
}

}  // namespace fwts::labs
