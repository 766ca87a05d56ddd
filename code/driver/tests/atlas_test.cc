// SPDX-License-Identifier: GPL-2.0
/// @file
/// Chapter 10's counter atlas: each line that the tools print for the card grows by the cause that
/// is named here, or is one of those that cannot grow on the emulated card. There is no third kind:
/// a line that nobody has thought of is a failure, too.
#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Frame;
using sandbox::Guest;
using sandbox::Ip4Ends;

constexpr std::uint16_t kEtherType = 0x88b5;  // IEEE 802: for local experiments
constexpr std::uint16_t kPtp = 0x88f7;
constexpr std::uint16_t kMacControl = 0x8808;
constexpr std::size_t kEthernet = 14;
constexpr std::size_t kIp = 20;
constexpr int kQueues = 2;
constexpr int kPort = 4000;  // where a program reads
constexpr int kFull = 4001;  // where one does not, its buffer being full
constexpr int kSlow = 4002;  // nor here, where there is room
constexpr int kNobody = 4003;
const sandbox::Mac kGroup = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
const sandbox::Mac kOther = {0x02, 0x02, 0x02, 0x02, 0x02, 0x02};

/// By tool: the lines it prints.
using Lines = std::map<std::string, std::vector<std::string>>;
/// Those that are programs; the others are files.
const Lines kTools = {{"ethtool", {}}, {"groups", {}}, {"ip", {}}, {"nstat", {}}};

// --- what cannot grow ---------------------------------------------------------------------------

const std::vector<std::pair<std::string, Lines>> kStill = {
    {"belong to the other direction of a ring",
     {{"ethtool",
       {"tx0_checksum_good", "tx0_checksum_bad", "rx0_stops", "rx0_doorbells", "tx1_checksum_good",
        "tx1_checksum_bad", "rx1_stops", "rx1_doorbells"}}}},
    {"tell of a damaged frame: the cable of QEMU carries neither FCS nor symbols",
     {{"groups",
       {"eth-mac-FrameCheckSequenceErrors", "eth-mac-AlignmentErrors",
        "eth-phy-SymbolErrorDuringCarrier", "rmon-etherStatsFragments", "rmon-etherStatsJabbers"}},
      {"ip", {"rx crc_errors", "rx frame_errors"}}}},
    {"tell of a frame that is too long, or says another length than it has: QEMU does not count "
     "these",
     {{"groups",
       {"eth-mac-FrameTooLongErrors", "rmon-etherStatsOversizePkts",
        "eth-mac-InRangeLengthErrors"}}}},
    {"tell of collisions: nobody else sends on this cable",
     {{"groups",
       {"eth-mac-SingleCollisionFrames", "eth-mac-MultipleCollisionFrames",
        "eth-mac-FramesWithDeferredXmissions", "eth-mac-LateCollisions",
        "eth-mac-FramesAbortedDueToXSColls"}},
      {"ip", {"tx errors", "tx aborted_errors", "tx window_errors", "tx collisions"}},
      {"dev", {"tx errs", "tx colls"}}}},
    {"are for pause frames: QEMU neither sends nor heeds them",
     {{"groups",
       {"eth-ctrl-MACControlFramesTransmitted", "eth-ctrl-MACControlFramesReceived",
        "eth-ctrl-UnsupportedOpcodesReceived"}}}},
    {"are for a frame that finds no room: QEMU holds it back, or loses it and says nothing",
     {{"ip", {"rx missed_errors", "rx fifo_errors"}}, {"dev", {"rx fifo"}}}},
    {"are incremented by nobody, for this card",
     {{"ip", {"rx over_errors", "tx carrier_errors", "tx fifo_errors", "tx heartbeat_errors"}},
      {"dev", {"rx compressed", "tx fifo", "tx carrier", "tx compressed"}},
      {"softnet", {"4", "5", "6", "7", "8", "9"}}}},
    {"want CONFIG_NET_FLOW_LIMIT, which the guest's kernels lack", {{"softnet", {"11"}}}},
};

/// Lengths at this moment, and the number of a processor.
const std::set<std::string> kNoCounters = {"softnet 12", "softnet 13", "softnet 14", "softnet 15"};

// --- what the tools print -----------------------------------------------------------------------

using Counters = std::map<std::string, std::uint64_t>;

std::vector<std::string> words(const std::string& line) {
    std::istringstream stream(line);
    return {std::istream_iterator<std::string>(stream), {}};
}

std::vector<std::string> lines(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> all;
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
}

/// "NAME: VALUE", a line each.
void add_ethtool(Counters& all, const std::string& tool, const std::string& said) {
    for (const auto& line : lines(said)) {
        const auto parts = words(line);
        if (parts.size() == 2 && parts[0].ends_with(":"))
            all[tool + " " + parts[0].substr(0, parts[0].size() - 1)] = std::stoull(parts[1]);
    }
}

/// The objects "rx" and "tx" of JSON.
void add_link(Counters& all, const std::string& json) {
    static const std::regex way(R"re("(rx|tx)":\{([^}]*)\})re");
    static const std::regex field(R"re("(\w+)":(\d+))re");
    for (std::sregex_iterator each(json.begin(), json.end(), way), end; each != end; ++each) {
        const std::string fields = (*each)[2];
        for (std::sregex_iterator one(fields.begin(), fields.end(), field); one != end; ++one)
            all["ip " + (*each)[1].str() + " " + (*one)[1].str()] = std::stoull((*one)[2]);
    }
}

/// Two rows of headings, a row for each interface.
void add_dev(Counters& all, const std::string& file) {
    const auto rows = lines(file);
    std::vector<std::string> names;
    std::istringstream headings(rows.at(1));
    std::string part;
    std::getline(headings, part, '|');  // "face"
    for (const char* way : {"rx ", "tx "}) {
        std::getline(headings, part, '|');
        for (const auto& name : words(part)) names.push_back(way + name);
    }
    for (const auto& row : rows) {
        const auto values = words(row);
        if (values.empty() || values[0] != "eth0:") continue;
        ASSERT_EQ(values.size(), names.size() + 1);
        for (std::size_t i = 0; i < names.size(); i++)
            all["dev " + names[i]] = std::stoull(values[i + 1]);
    }
}

/// One row for each processor; they are added up.
void add_softnet(Counters& all, const std::string& file) {
    for (const auto& row : lines(file)) {
        std::size_t column = 0;
        for (const auto& word : words(row))
            all["softnet " + std::to_string(++column)] += std::stoull(word, nullptr, 16);
    }
}

/// "WHAT: COUNT COUNT ... NAME", a count for each processor.
std::uint64_t sum_of(const std::vector<std::string>& row) {
    std::uint64_t sum = 0;
    for (int cpu = 1; cpu <= kQueues; cpu++) sum += std::stoull(row.at(cpu));
    return sum;
}

void add_interrupts(Counters& all, const std::string& interrupts, const std::string& softirqs) {
    for (const auto& line : lines(interrupts)) {
        const auto row = words(line);
        if (row.back().starts_with("eth0")) all["interrupts " + row.back()] = sum_of(row);
    }
    for (const auto& line : lines(softirqs)) {
        const auto row = words(line);
        if (row[0].starts_with("NET_"))
            all["softirqs " + row[0].substr(0, row[0].size() - 1)] = sum_of(row);
    }
}

/// "NAME VALUE RATE": those lines that stand in the atlas.
void add_nstat(Counters& all, const std::string& said, const std::set<std::string>& atlas) {
    for (const auto& line : lines(said)) {
        const auto row = words(line);
        if (row.size() == 3 && atlas.contains(row[0])) all["nstat " + row[0]] = std::stoull(row[1]);
    }
}

/// Chapter 10 in one line.
std::string chapter() {
    const auto place = std::filesystem::path(FWTS_ROOT) / "book/chapters/10-observe.rst";
    std::ifstream file(place);
    std::string text;
    for (std::string word; file >> word;) text += word + " ";
    EXPECT_FALSE(text.empty()) << place;
    return text;
}

/// @return the lines of nstat that stand in the atlas.
std::set<std::string> nstat_in_atlas(const std::string& text) {
    static const std::regex name("``((Ip|Icmp|Tcp|Udp)[A-Z][A-Za-z]+)``");
    const std::size_t from = text.find("list-table:: ``nstat``");
    EXPECT_NE(from, std::string::npos);
    const std::string table = text.substr(from, text.find("``ethtool -S``", from) - from);
    std::set<std::string> found;
    for (std::sregex_iterator each(table.begin(), table.end(), name), end; each != end; ++each)
        found.insert((*each)[1]);
    return found;
}

// --- the atlas ----------------------------------------------------------------------------------

class Atlas {
  public:
    explicit Atlas(Guest& guest)
        : guest_(guest),
          chapter_(chapter()),
          nstat_(nstat_in_atlas(chapter_)),
          start_(read(kTools)) {}

    /// Does something, by which these lines grow.
    void grow(const std::string& cause, const Lines& by_tool, const std::function<void()>& act) {
        const Counters before = read(by_tool);
        act();
        std::string still;
        EXPECT_TRUE(eventually([&] {
            const Counters after = read(by_tool);
            still.clear();
            for (const auto& name : names(by_tool))
                if (value(after, name) <= value(before, name)) still += " " + name + ";";
            return still.empty();
        })) << cause
            << ": does not move" << still;
        for (const auto& name : names(by_tool)) causes_.emplace(name, cause);
    }

    /// Each line has its cause, and what cannot grow has not.
    void judge() {
        const Counters end = read(kTools);
        std::map<std::string, std::string> still;
        for (const auto& [why, by_tool] : kStill)
            for (const auto& name : names(by_tool)) still[name] = why;
        for (const auto& [name, last] : end) {
            if (causes_.contains(name) || kNoCounters.contains(name)) continue;
            if (!still.contains(name))
                ADD_FAILURE() << name << " was not foreseen, and has grown by "
                              << last - value(start_, name)
                              << ": the atlas and this test must say by what it grows, or why not";
            else
                EXPECT_EQ(last, value(start_, name))
                    << name << " has grown, and was said to be one of those that "
                    << still.at(name);
        }
        for (const auto& [name, why] : still)
            EXPECT_TRUE(end.contains(name)) << name << " is no line any more";
        for (const auto& name : nstat_)
            EXPECT_TRUE(end.contains("nstat " + name)) << name << " stands in the atlas alone";
        const std::string counted = std::to_string(causes_.size() + still.size()) +
                                    " lines on two queues, " + std::to_string(still.size()) +
                                    " cannot";
        EXPECT_NE(chapter_.find(counted), std::string::npos) << "not in the chapter: " << counted;
        if (!testing::Test::HasFailure()) return;
        for (const auto& [name, cause] : causes_) std::cout << name << ": " << cause << "\n";
        for (const auto& [name, why] : still) std::cout << name << ": never; they " << why << "\n";
    }

  private:
    /// What these tools print, now. Programs cost a quarter of a second each.
    Counters read(const Lines& tools) {
        Counters all;
        if (tools.contains("ethtool")) add_ethtool(all, "ethtool", guest_.must("ethtool -S eth0"));
        if (tools.contains("groups"))
            add_ethtool(all, "groups",
                        guest_.must("ethtool -S eth0 --groups eth-mac eth-phy eth-ctrl rmon"));
        if (tools.contains("ip")) add_link(all, guest_.must("ip -s -s -j link show eth0"));
        if (tools.contains("nstat")) add_nstat(all, guest_.must("nstat -asz"), nstat_);
        add_dev(all, guest_.get("/proc/net/dev"));
        add_softnet(all, guest_.get("/proc/net/softnet_stat"));
        add_interrupts(all, guest_.get("/proc/interrupts"), guest_.get("/proc/softirqs"));
        return all;
    }

    static std::vector<std::string> names(const Lines& by_tool) {
        std::vector<std::string> all;
        for (const auto& [tool, some] : by_tool) {
            const std::string before = tool + " ";
            for (const auto& name : some) all.push_back(before + name);
        }
        return all;
    }

    /// A field that ip leaves out is zero.
    static std::uint64_t value(const Counters& counters, const std::string& name) {
        const auto at = counters.find(name);
        return at == counters.end() ? 0 : at->second;
    }

    Guest& guest_;
    std::string chapter_;
    std::set<std::string> nstat_;
    Counters start_;
    std::map<std::string, std::string> causes_;
};

// --- the guest ----------------------------------------------------------------------------------

Guest ready_guest() {
    const auto programs = std::filesystem::path(FWTS_ROOT) / "build/bin";
    sandbox::Options options = strict("10");
    options.cpus = kQueues;
    for (const char* program : {"udp_reader", "echo_client", "in-guest/talk"})
        options.files.push_back(
            {programs / program, "/bin/" + std::filesystem::path(program).filename().string()});
    options.files.push_back({FWTS_STAMP, "/bin/stamp"});
    options.files.push_back(
        {std::filesystem::path(FWTS_ROOT) / "build/modules/strict/in-kernel/patience.ko",
         "/modules/patience.ko"});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    silence(guest);
    guest.must(std::string("insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 brd + dev eth0 && ip link set eth0 up && "
               "ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 nud permanent dev eth0 && "
               "sysctl -q net.ipv4.icmp_ratelimit=0 && insmod /modules/patience.ko");
    EXPECT_TRUE(carrier_becomes(guest, true));
    return guest;
}

/// Starts a program that says in a file when it is ready.
void start(Guest& guest, const std::string& program, int port, const std::string& ready) {
    const std::string file = "/tmp/" + std::to_string(port);
    guest.start(
        {"sh", "-c", "echo $$ >" + file + ".pid; exec " + program + " >" + file + " 2>/dev/null"});
    EXPECT_TRUE(eventually([&] { return content(guest, file).find(ready) != std::string::npos; }))
        << program;
}

void signal(Guest& guest, const std::string& name, int port) {
    guest.must("kill -" + name + " $(cat /tmp/" + std::to_string(port) + ".pid)");
}

/// All that has a hash comes by this queue.
void receive_by(Guest& guest, int queue) {
    guest.must("ethtool -X eth0 equal 1 start " + std::to_string(queue));
}

std::string tx(int queue, const std::string& file) {
    return "/sys/class/net/eth0/queues/tx-" + std::to_string(queue) + "/" + file;
}

/// All that is sent goes by this queue.
void send_by(Guest& guest, int queue) {
    for (int i = 0; i < kQueues; i++) guest.put(tx(i, "xps_cpus"), i == queue ? "3" : "0");
}

void expect_all_sent(Guest& guest, int queue) {
    EXPECT_TRUE(
        eventually([&] { return guest.get(tx(queue, "byte_queue_limits/inflight")) == "0\n"; }));
}

/// What a held queue has is sent.
void drain(Guest& guest, int queue) {
    let_go(guest, queue);
    expect_all_sent(guest, queue);
}

/// A limit on the bytes in flight holds from the next frame on that is out.
void limit(Guest& guest, int queue, const std::string& file, const std::string& bytes) {
    guest.put(tx(queue, "byte_queue_limits/" + file), bytes);
    guest.must("frames send eth0 10");
    expect_all_sent(guest, queue);
}

/// Does something at which a call of the driver's fails.
void without(Guest& guest, const std::string& call, const std::function<void()>& act) {
    guest.must(std::string("insmod ") + kFailcall + " symbol=" + call);
    act();
    EXPECT_TRUE(eventually([&] {
        return content(guest, "/sys/module/failcall/parameters/hits") == "1\n";
    })) << call;
    guest.must("rmmod failcall");
}

// --- frames -------------------------------------------------------------------------------------

/// Of a type that nobody wants.
Frame plain(std::size_t size, const sandbox::Mac& to = sandbox::kGuestMac,
            std::uint16_t type = kEtherType) {
    return sandbox::ethernet(to, sandbox::kHostMac, type, Frame(size - kEthernet));
}

Frame datagram(int port, std::size_t size = 300, const Ip4Ends& ends = {}) {
    return sandbox::udp(static_cast<std::uint16_t>(port), std::string(size, 'x'), 40000, ends);
}

Ip4Ends to_address(const sandbox::Ip4& address, const sandbox::Mac& mac = sandbox::kGuestMac) {
    return {.to_mac = mac, .to = address};
}

/// The sum of IP's header, made right again.
Frame summed(Frame frame) {
    put16(frame, kEthernet + 10, 0);
    const std::size_t header = std::size_t{4} * (frame[kEthernet] & 0xfU);
    put16(frame, kEthernet + 10,
          sandbox::checksum_finish(sandbox::checksum_add(0, &frame[kEthernet], header)));
    return frame;
}

/// A part of a datagram: so many bytes after IP's header, from a place on that eight divides.
Frame fragment(const Frame& whole, std::uint16_t id, std::size_t from, std::size_t bytes) {
    const std::size_t data = kEthernet + kIp;
    const bool last = data + from + bytes == whole.size();
    Frame frame(whole.begin(), whole.begin() + data);
    frame.insert(frame.end(), whole.begin() + static_cast<long>(data + from),
                 whole.begin() + static_cast<long>(data + from + bytes));
    put16(frame, kEthernet + 2, kIp + bytes);
    put16(frame, kEthernet + 4, id);
    put16(frame, kEthernet + 6, (last ? 0U : 0x2000U) | from / 8);
    return summed(frame);
}

/// Options that do nothing.
Frame with_options(Frame frame) {
    frame.insert(frame.begin() + kEthernet + kIp, 4, 1);
    frame[kEthernet] = 0x46;
    put16(frame, kEthernet + 2, frame.size() - kEthernet);
    return summed(frame);
}

/// The first segment of a connection.
Frame segment(std::uint16_t port) {
    Frame header(20);
    put16(header, 0, 40000);
    put16(header, 2, port);
    header[12] = 0x50;
    header[13] = 2;  // SYN
    Frame frame = sandbox::ip4({}, sandbox::kTcp, header);
    const std::uint8_t rest[] = {0, sandbox::kTcp, 0, 20};
    std::uint32_t sum = sandbox::checksum_add(0, &frame[kEthernet + 12], 8);
    sum = sandbox::checksum_add(sum, rest, sizeof rest);
    sum = sandbox::checksum_add(sum, &frame[kEthernet + kIp], 20);
    put16(frame, kEthernet + kIp + 16, sandbox::checksum_finish(sum));
    return frame;
}

/// In portions for which a ring has room.
void send_many(Guest& guest, const Frame& frame, int portions) {
    for (int i = 0; i < portions; i++) {
        const std::uint64_t before = statistic(guest, "rx_packets");
        for (int k = 0; k < 50; k++) guest.cable().send(frame);
        EXPECT_TRUE(eventually([&] { return statistic(guest, "rx_packets") >= before + 50; }));
    }
}

// --- causes, from the card up to the socket -----------------------------------------------------

void check_receive_rings(Atlas& atlas, Guest& guest) {
    for (int queue = 0; queue < kQueues; queue++) {
        const std::string rx = "rx" + std::to_string(queue) + "_";
        receive_by(guest, queue);
        atlas.grow(
            "a datagram",
            {{"ethtool", {rx + "packets", rx + "bytes", rx + "checksum_good", "card_rx_packets"}},
             {"groups", {"eth-mac-FramesReceivedOK", "eth-mac-OctetsReceivedOK"}},
             {"ip", {"rx packets", "rx bytes"}},
             {"dev", {"rx packets", "rx bytes"}},
             {"softnet", {"1"}},
             {"interrupts", {"eth0-rxtx-" + std::to_string(queue)}},
             {"softirqs", {"NET_RX"}},
             {"nstat", {"IpInReceives", "IpInDelivers", "IpExtInOctets", "UdpInDatagrams"}}},
            [&] { guest.cable().send(datagram(kPort)); });
        atlas.grow("a datagram with a wrong sum", {{"ethtool", {rx + "checksum_bad"}}},
                   [&] { guest.cable().send(spoilt(datagram(kPort), kEthernet + kIp + 20)); });
        atlas.grow("a frame for which the driver finds no memory",
                   {{"ethtool", {rx + "drops", rx + "no_memory"}},
                    {"ip", {"rx dropped"}},
                    {"dev", {"rx drop"}}},
                   [&] {
                       without(guest, "napi_build_skb value=0",
                               [&] { guest.cable().send(datagram(kPort)); });
                   });
    }
    receive_by(guest, 0);
}

void check_transmit_rings(Atlas& atlas, Guest& guest) {
    for (int queue = 0; queue < kQueues; queue++) {
        const std::string ring = "tx" + std::to_string(queue) + "_";
        send_by(guest, queue);
        atlas.grow(
            "a frame is sent",
            {{"ethtool", {ring + "packets", ring + "bytes", ring + "doorbells", "card_tx_packets"}},
             {"groups", {"eth-mac-FramesTransmittedOK", "eth-mac-OctetsTransmittedOK"}},
             {"ip", {"tx packets", "tx bytes"}},
             {"dev", {"tx packets", "tx bytes"}}},
            [&] { guest.must("frames send eth0 1"); });
        atlas.grow("a frame that cannot be mapped",
                   {{"ethtool", {ring + "drops", ring + "no_memory"}},
                    {"ip", {"tx dropped"}},
                    {"dev", {"tx drop"}}},
                   [&] {
                       without(guest, "dma_map_page_attrs value=-1",
                               [&] { guest.must("frames pieces 17 80"); });
                   });
        limit(guest, queue, "limit_min", "1000000");
        hold(guest, queue);
        atlas.grow("a ring is full", {{"ethtool", {ring + "stops"}}},
                   [&] { guest.must("frames send eth0 400"); });
        atlas.grow("a queue goes on", {{"softirqs", {"NET_TX"}}}, [&] { drain(guest, queue); });
        guest.put(tx(queue, "byte_queue_limits/limit_min"), "0");
    }
    send_by(guest, 0);
}

const std::vector<std::pair<std::string, std::size_t>> kLengths = {
    {"64to64", 64},    {"65to127", 100},   {"128to255", 200},
    {"256to511", 400}, {"512to1023", 800}, {"1024to9238", 1400}};

void check_lengths(Atlas& atlas, Guest& guest) {
    Lines received, sent;
    std::string file;
    for (const auto& [name, bytes] : kLengths) {
        received["groups"].push_back("rx-rmon-etherStatsPkts" + name + "Octets");
        sent["groups"].push_back("tx-rmon-etherStatsPkts" + name + "Octets");
        // The emulated card sorts by the length on the cable, with FCS, what it sends.
        const Frame frame = plain(name == "64to64" ? 60 : bytes, sandbox::kHostMac);
        file += {static_cast<char>(frame.size() >> 8), static_cast<char>(frame.size())};
        file.append(frame.begin(), frame.end());
    }
    atlas.grow("frames of all lengths come", received, [&] {
        for (const auto& [name, bytes] : kLengths) guest.cable().send(plain(bytes));
    });
    atlas.grow("frames of all lengths go", sent, [&] {
        guest.put("/tmp/lengths", file);
        guest.must("frames send eth0 " + std::to_string(kLengths.size()) + " /tmp/lengths");
    });
    atlas.grow("a frame that is too short",
               {{"groups", {"rmon-etherStatsUndersizePkts"}},
                {"ip", {"rx errors", "rx length_errors"}},
                {"dev", {"rx errs", "rx frame"}}},
               [&] { guest.cable().send_unpadded(Frame(30, 0xff)); });
}

void check_addresses(Atlas& atlas, Guest& guest) {
    atlas.grow(
        "a frame to a group",
        {{"groups", {"eth-mac-MulticastFramesReceivedOK"}},
         {"ip", {"rx multicast"}},
         {"dev", {"rx multicast"}},
         {"nstat", {"IpExtInMcastPkts"}}},
        [&] { guest.cable().send(datagram(kPort, 10, to_address({224, 0, 0, 1}, kGroup))); });
    atlas.grow("a frame to everybody",
               {{"groups", {"eth-mac-BroadcastFramesReceivedOK"}}, {"nstat", {"IpExtInBcastPkts"}}},
               [&] {
                   guest.cable().send(
                       datagram(kPort, 10, to_address({192, 0, 2, 255}, sandbox::kBroadcast)));
               });
    atlas.grow("a frame is sent to everybody", {{"groups", {"eth-mac-BroadcastFramesXmittedOK"}}},
               [&] { guest.must("frames send eth0 1"); });
    atlas.grow("a frame is sent to a group", {{"groups", {"eth-mac-MulticastFramesXmittedOK"}}},
               [&] {
                   const Frame frame = plain(60, kGroup);
                   guest.put("/tmp/group",
                             std::string{'\0', '\x3c'} + std::string(frame.begin(), frame.end()));
                   guest.must("frames send eth0 1 /tmp/group");
               });
    guest.must("ip link set eth0 promisc on");
    atlas.grow("a frame for another machine", {{"ip", {"rx otherhost"}}}, [&] {
        guest.cable().send(datagram(kPort, 10, to_address(sandbox::kGuestIp4, kOther)));
    });
    guest.must("ip link set eth0 promisc off");
    atlas.grow("a type that nobody wants", {{"ip", {"rx dropped"}}, {"dev", {"rx drop"}}},
               [&] { guest.cable().send(plain(100)); });
}

void check_carrier(Atlas& atlas, Guest& guest) {
    atlas.grow("the cable is pulled",
               {{"ip", {"tx carrier_changes"}}, {"interrupts", {"eth0-other"}}},
               [&] { guest.qmp().set_link(false); });
    EXPECT_TRUE(carrier_becomes(guest, false));
    atlas.grow("a datagram is sent without a carrier",
               {{"ip", {"tx dropped"}}, {"dev", {"tx drop"}}},
               [&] { guest.must("frames pieces 1 100"); });
    guest.qmp().set_link(true);
    EXPECT_TRUE(carrier_becomes(guest, true));
}

/// A Sync message of PTP.
Frame sync(const sandbox::Mac& to) {
    Frame message(44);
    message[1] = 2;
    message[3] = 44;
    return sandbox::ethernet(to, sandbox::kHostMac, kPtp, message);
}

void check_stamps(Atlas& atlas, Guest& guest) {
    const std::string stamp = "stamp eth0 /dev/ptp0 ";
    guest.must(stamp + "filter:1:12");
    limit(guest, 0, "limit_min", "100000");
    hold(guest, 0);
    atlas.grow("a frame wants a stamp while another waits for one",
               {{"ethtool", {"tx_stamps_skipped"}}},
               [&] { guest.must(stamp + "send:1:hw send:2:hw"); });
    atlas.grow("the card stamps no more", {{"ethtool", {"tx_stamps_lost"}}}, [&] {
        guest.must(stamp + "filter:0:12");
        drain(guest, 0);
    });
    // The emulated card stamps before it looks at the address.
    atlas.grow("a stamp for a frame that was not let in", {{"ethtool", {"rx_stamps_unread"}}},
               [&] { guest.cable().send(sync(kOther)); });
    guest.must(stamp + "filter:0:0");
    guest.put(tx(0, "byte_queue_limits/limit_min"), "0");
}

void check_core(Atlas& atlas, Guest& guest) {
    const std::string rps = "/sys/class/net/eth0/queues/rx-0/rps_cpus";
    const std::string budget = guest.must("sysctl -n net.core.netdev_budget");
    guest.must("sysctl -q net.core.netdev_budget=1");
    atlas.grow("a budget of one packet", {{"softnet", {"3"}}},
               [&] { guest.cable().send(datagram(kPort)); });
    guest.must("sysctl -q net.core.netdev_budget=" + budget);
    atlas.grow("RPS to either processor", {{"softnet", {"10"}}}, [&] {
        for (const char* cpu : {"1", "2"}) {
            const std::uint64_t before = statistic(guest, "rx_packets");
            guest.put(rps, cpu);
            guest.cable().send(datagram(kPort));
            EXPECT_TRUE(eventually([&] { return statistic(guest, "rx_packets") > before; }));
        }
    });
    // The first is polled at once, and the others wait for a timer: they come in one poll.
    const std::string card = "/sys/class/net/eth0/";
    guest.must("sysctl -q net.core.netdev_max_backlog=0");
    guest.put(card + "gro_flush_timeout", "1000000000");
    guest.put(card + "napi_defer_hard_irqs", "1");
    atlas.grow("a backlog of one packet",
               {{"softnet", {"2"}}, {"ip", {"rx dropped"}}, {"dev", {"rx drop"}}}, [&] {
                   for (int i = 0; i < 20; i++) guest.cable().send(datagram(kPort));
               });
    guest.put(card + "napi_defer_hard_irqs", "0");
    guest.put(card + "gro_flush_timeout", "0");
    guest.must("sysctl -q net.core.netdev_max_backlog=1000");
    guest.put(rps, "0");
}

void check_ip(Atlas& atlas, Guest& guest) {
    const Frame good = datagram(kPort);
    const auto send = [&](const Frame& frame) { return [&, frame] { guest.cable().send(frame); }; };
    atlas.grow("a wrong sum of IP", {{"nstat", {"IpInHdrErrors", "IpExtInCsumErrors"}}},
               send(spoilt(good, kEthernet + 1)));
    atlas.grow("a packet that is shorter than it claims", {{"nstat", {"IpExtInTruncatedPkts"}}},
               send(Frame(good.begin(), good.begin() + 100)));
    atlas.grow("another address", {{"nstat", {"IpInAddrErrors"}}},
               send(datagram(kPort, 10, to_address({192, 0, 2, 77}))));
    atlas.grow("a protocol that nobody knows", {{"nstat", {"IpInUnknownProtos"}}},
               send(sandbox::ip4({}, 253, Frame(100))));
    guest.must("sysctl -q net.ipv4.conf.eth0.rp_filter=1");
    atlas.grow("a sender to whom no route leads", {{"nstat", {"TcpExtIPReversePathFilter"}}},
               send(datagram(kPort, 10, {.from = {198, 51, 100, 1}})));
    guest.must("sysctl -q net.ipv4.conf.eth0.rp_filter=0");
    atlas.grow("a datagram in two pieces",
               {{"nstat", {"IpReasmReqds", "IpReasmOKs", "UdpInDatagrams"}}}, [&] {
                   const std::size_t bytes = good.size() - kEthernet - kIp;
                   guest.cable().send(fragment(good, 1, 0, 200));
                   guest.cable().send(fragment(good, 1, 200, bytes - 200));
               });
    guest.must("sysctl -q net.ipv4.ipfrag_time=1");
    atlas.grow("a piece without the other", {{"nstat", {"IpReasmFails", "IpReasmTimeout"}}},
               send(fragment(good, 2, 0, 200)));
    guest.must("sysctl -q net.ipv4.ipfrag_time=30");
}

/// A packet that somebody else has got as well is copied before its options are looked at.
void check_memory(Atlas& atlas, Guest& guest) {
    const std::string failslab = "/sys/kernel/debug/failslab/";
    Frames tap(guest, "tap", 1000);
    guest.must("killall -STOP frames");
    guest.must("cd " + failslab +
               " && set -- $(awk '$3 == \"pskb_expand_head\" { print $1; f = 1; next } "
               "f { print $1; exit }' /proc/kallsyms) && echo 0x$1 >require-start && "
               "echo 0x$2 >require-end && echo N >cache-filter && echo Y >ignore-gfp-wait && "
               "echo 0 >verbose && echo -1 >times && echo 100 >probability");
    atlas.grow("a packet with options, and no memory to copy it", {{"nstat", {"IpInDiscards"}}},
               [&] { guest.cable().send(with_options(datagram(kPort))); });
    guest.put(failslab + "probability", "0");
    guest.must("killall -KILL frames");
}

void check_udp(Atlas& atlas, Guest& guest) {
    atlas.grow("a port that nobody has",
               {{"nstat",
                 {"UdpNoPorts", "IcmpOutMsgs", "IcmpOutDestUnreachs", "IpOutRequests",
                  "IpOutTransmits", "IpExtOutOctets"}}},
               [&] { guest.cable().send(datagram(kNobody)); });
    atlas.grow("a wrong sum of UDP", {{"nstat", {"UdpInCsumErrors", "UdpInErrors"}}},
               [&] { guest.cable().send(spoilt(datagram(kNobody), kEthernet + kIp + 20)); });
    atlas.grow("a socket that is full", {{"nstat", {"UdpRcvbufErrors", "UdpInErrors"}}}, [&] {
        start(guest, "talk full " + std::to_string(kFull), kFull, "ready");
        guest.cable().send(datagram(kFull));
    });
    signal(guest, "KILL", kFull);
    // What a processor keeps for itself, a megabyte, is not in the sum.
    const std::string limits = guest.must("sysctl -n net.ipv4.udp_mem");
    guest.must("sysctl -q net.core.rmem_default=8000000");
    start(guest, "udp_reader " + std::to_string(kSlow) + " 1000", kSlow, "listening");
    signal(guest, "STOP", kSlow);
    guest.must("sysctl -q net.ipv4.udp_mem='0 0 0'");
    atlas.grow("more than all UDP may have", {{"nstat", {"UdpMemErrors", "UdpInErrors"}}},
               [&] { send_many(guest, datagram(kSlow, 1400), 16); });
    guest.must("sysctl -q net.ipv4.udp_mem='" + limits.substr(0, limits.find('\n')) + "'");
    signal(guest, "KILL", kSlow);
}

void check_tcp_and_icmp(Atlas& atlas, Guest& guest) {
    atlas.grow("a segment to a port that nobody has",
               {{"nstat", {"TcpInSegs", "TcpOutSegs", "TcpOutRsts"}}},
               [&] { guest.cable().send(segment(kNobody)); });
    atlas.grow("a segment with a wrong sum", {{"nstat", {"TcpInCsumErrors", "TcpInErrs"}}},
               [&] { guest.cable().send(spoilt(segment(kNobody), kEthernet + kIp + 7)); });
    atlas.grow("nobody answers", {{"nstat", {"TcpRetransSegs"}}},
               [&] { guest.start({"echo_client", "tcp", "192.0.2.1", "9"}); });
    atlas.grow("an echo request", {{"nstat", {"IcmpInMsgs", "IcmpOutMsgs"}}},
               [&] { guest.cable().send(sandbox::ping(1, 1)); });
}

void check_send(Atlas& atlas, Guest& guest) {
    atlas.grow("a datagram is sent",
               {{"nstat", {"UdpOutDatagrams", "IpOutRequests", "IpOutTransmits"}}},
               [&] { guest.must("frames pieces 1 100"); });
    atlas.grow("no route", {{"nstat", {"IpOutNoRoutes"}}},
               [&] { guest.run("echo_client udp 203.0.113.9 9"); });
    limit(guest, 0, "limit_max", "100");
    guest.must("ip link set eth0 txqueuelen 2");
    hold(guest, 0);
    atlas.grow("a qdisc that is full", {{"nstat", {"IpOutDiscards", "UdpSndbufErrors"}}},
               [&] { guest.must("for i in 1 2 3 4 5 6; do frames pieces 1 100; done"); });
    drain(guest, 0);
    guest.put(tx(0, "byte_queue_limits/limit_max"), "1000000");
}

/// What a real card would count: pause frames and other control frames, a length that is not the
/// frame's, frames that are too long, and more of them than a ring has room for.
void check_in_vain(Guest& guest) {
    const sandbox::Mac control = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x01};
    Frame pause = plain(60, control, kMacControl);
    put16(pause, kEthernet, 1);
    put16(pause, kEthernet + 2, 1);
    guest.cable().send(pause);
    put16(pause, kEthernet, 0x1234);
    guest.cable().send(pause);
    guest.cable().send(plain(300, sandbox::kGuestMac, 40));
    for (const std::size_t size : {1600, 17000}) guest.cable().send(plain(size));
    guest.must("ethtool -G eth0 rx 48");
    for (int queue = 0; queue < kQueues; queue++) {
        receive_by(guest, queue);
        for (int i = 0; i < 500; i++) guest.cable().try_send(datagram(kNobody, 10));
    }
    Frames last(guest, "take", 1);
    EXPECT_TRUE(eventually([&] { return guest.cable().try_send(plain(60)) && last.done(1s); }));
}

TEST(Atlas, EachLineGrowsThatTheCardCanMakeGrow) {
    Guest guest = ready_guest();
    start(guest, "udp_reader " + std::to_string(kPort) + " 1000000", kPort, "listening");
    send_by(guest, 0);
    receive_by(guest, 0);
    Atlas atlas(guest);
    check_receive_rings(atlas, guest);
    check_transmit_rings(atlas, guest);
    check_lengths(atlas, guest);
    check_addresses(atlas, guest);
    check_carrier(atlas, guest);
    check_stamps(atlas, guest);
    check_core(atlas, guest);
    check_ip(atlas, guest);
    check_udp(atlas, guest);
    check_tcp_and_icmp(atlas, guest);
    check_send(atlas, guest);
    check_memory(atlas, guest);
    check_in_vain(guest);
    atlas.judge();
    guest.must("rmmod patience igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
