// SPDX-License-Identifier: GPL-2.0
// Every fault of lab 10 in a guest, looked at from outside as a student would: it is there, where
// its number says and nowhere else, and the same driver without a fault does not show it.
#include <gmock/gmock.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "files.h"
#include "grading.h"
#include "guest.h"
#include "lab.h"
#include "patients.h"
#include "registers.h"

namespace fwts::labs {
namespace {

using grader::Patient;
using sandbox::Frame;
using sandbox::Guest;
using sandbox::Ip4Ends;
using sandbox::Mac;

constexpr std::uint16_t kEtherType = 0x88b5;  // IEEE 802: for local experiments
constexpr std::uint16_t kVlanType = 0x8100;
constexpr unsigned kQueues = 8;
constexpr unsigned kTable = 128;  // entries of the indirection table
constexpr std::size_t kEthernet = 14;

std::string text(const char* before, unsigned number, const std::string& after = {}) {
    return before + std::to_string(number) + after;
}

/// A frame that nobody in the guest answers; without FCS `size` bytes long.
Frame plain(std::size_t size, const Mac& to = sandbox::kGuestMac) {
    return sandbox::ethernet(to, sandbox::kHostMac, kEtherType, Frame(size - kEthernet, 'x'));
}

/// The card finds addresses in it, so it has a hash; it is for another machine, so the guest is
/// silent.
Frame hashed(unsigned from = 1) {
    Ip4Ends ends;
    ends.from = {198, 18, static_cast<std::uint8_t>(from >> 8), static_cast<std::uint8_t>(from)};
    ends.to = {192, 0, 2, 99};
    return sandbox::udp(4000, "hello", 40000, ends);
}

/// One guest, in which one driver after the other is tried.
class Ward {
  public:
    Ward() : guest_(Guest::boot(options())) {
        guest_.must("modprobe -a dca 8021q; mount -t tracefs none /sys/kernel/tracing || true");
    }

    /// The answer to a ping comes by queue 0, whose number no fault has.
    void load(const std::string& module) {
        if (loaded_) guest_.must("rmmod igbook");
        guest_.put("/igbook.ko", module);
        guest_.must(
            "insmod /igbook.ko && ethtool -L eth0 combined 8 && ip addr add 192.0.2.2/24 dev eth0 "
            "&& ip link set eth0 up && until grep -q 1 /sys/class/net/eth0/carrier; do sleep 0.1; "
            "done; ethtool -X eth0 equal 1 && ping -c 1 -W 5 192.0.2.1 && ethtool -X eth0 default");
        loaded_ = true;
    }

    Guest& guest() { return guest_; }

    /// All counters of "ethtool -S".
    std::map<std::string, long> counters() {
        std::map<std::string, long> found;
        std::istringstream lines(guest_.must("ethtool -S eth0"));
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string name;
            long value = 0;
            if (words >> name >> value) found[name.substr(0, name.size() - 1)] = value;
        }
        return found;
    }

    /// By the guest's own clock, so that it has run meanwhile: what waits in the card is over then.
    void settle() { guest_.must("sleep 0.2"); }

    /// By how much each counter has moved while something was done.
    std::map<std::string, long> moved(const std::function<void()>& act) {
        const auto before = counters();
        act();
        settle();
        auto after = counters();
        for (const auto& [name, value] : before) after[name] -= value;
        return after;
    }

    std::map<std::string, long> moved_by(const std::vector<Frame>& frames) {
        return moved([&] {
            for (const auto& frame : frames) guest_.cable().send(frame);
        });
    }

    /// In portions that fit the ring.
    void send_many(const std::function<Frame(unsigned)>& frame, unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            guest_.cable().send(frame(i));
            if (i % 50 == 49) guest_.must("true");
        }
    }

    /// All that is hashed comes to this queue.
    void bring_to(unsigned queue) { guest_.must(text("ethtool -X eth0 equal 1 start ", queue)); }

    /// All that is sent goes by this queue.
    void send_by(unsigned queue) {
        for (unsigned i = 0; i < kQueues; ++i)
            guest_.put(text("/sys/class/net/eth0/queues/tx-", i, "/xps_cpus"),
                       i == queue ? "1" : "0");
    }

    void ping(unsigned count, unsigned data = 56) {
        guest_.run("ping -c " + std::to_string(count) + " -i 0.1 -W 1 -s " + std::to_string(data) +
                   " 192.0.2.1");
    }

  private:
    static sandbox::Options options() {
        sandbox::Options options;
        const auto places = grader::Places::of_this_program();
        options.kernel = (places.kernel.parent_path() / "trace").string();
        options.files = {{places.programs / "stamp", "/bin/stamp"}};
        options.append = "ipv6.disable=1";
        options.peer = true;
        options.prepared = true;
        return options;
    }

    Guest guest_;
    bool loaded_ = false;
};

// --- one question for each fault: is it so, with this number?
// --------------------------------------

/// How many of three frames that come one by one are counted by the queue, if the card has all.
std::vector<long> one_by_one(Ward& ward, unsigned queue) {
    ward.bring_to(queue);
    std::vector<long> counted;
    for (int i = 0; i < 3; ++i) {
        const auto moved = ward.moved_by({hashed()});
        EXPECT_EQ(moved.at("card_rx_packets"), 1);
        counted.push_back(moved.at(text("rx", queue, "_packets")));
    }
    return counted;
}

bool rx_queue(Ward& ward, unsigned queue) {
    return one_by_one(ward, queue) == std::vector<long>{0, 0, 0};
}

bool rx_length(Ward& ward, unsigned length) {
    const auto moved = ward.moved_by({plain(length)});
    return moved.at("card_rx_packets") == 1 && moved.at("rx0_packets") == 0;
}

bool rx_late(Ward& ward, unsigned queue) {
    return one_by_one(ward, queue) == std::vector<long>{0, 1, 1};
}

bool rx_once(Ward& ward, unsigned queue) {
    return one_by_one(ward, queue) == std::vector<long>{1, 0, 0};
}

bool rx_sum(Ward& ward, unsigned protocol) {
    ward.bring_to(0);
    Ip4Ends ends;
    ends.to = {192, 0, 2, 99};
    Frame segment(40, 0);
    segment[12] = 0x50;  // of TCP: a header of 20 bytes
    auto frame = protocol == sandbox::kTcp ? sandbox::ip4(ends, sandbox::kTcp, segment) : hashed();
    frame.back() ^= 0x55U;
    const auto moved = ward.moved_by({frame});
    return moved.at("rx0_checksum_bad") == 0 && moved.at("rx0_checksum_good") == 1;
}

/// The trace point says which hash the card has given, and by which queue the frame came. The key
/// is the one that the specification of RSS has in its examples: with one in 65 of the keys that
/// the driver draws, none of these addresses has a hash that ends as the number says.
bool rss_entry(Ward& ward, unsigned entry) {
    const std::string trace = "/sys/kernel/tracing/";
    const std::string event = trace + "events/net/napi_gro_receive_entry/enable";
    ward.guest().must(
        text("ethtool -X eth0 equal ", kQueues,
             " hkey 6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:ae:7b:30:b4:77:cb:"
             "2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa && echo > ") +
        trace + "trace");
    ward.guest().put(event, "1");
    ward.send_many([](unsigned i) { return hashed(i + 1); }, 1800);
    ward.settle();
    ward.guest().put(event, "0");
    const auto log = ward.guest().get(trace + "trace");
    static const std::regex place("queue_mapping=([0-9]+) .* hash=(0x[0-9a-f]+) ");
    std::set<unsigned> asked;
    std::set<unsigned> wrong;
    for (std::sregex_iterator one(log.begin(), log.end(), place), end; one != end; ++one) {
        const auto index = std::stoul((*one)[2], nullptr, 16) % kTable;
        asked.insert(index);
        if (std::stoul((*one)[1]) - 1 != index % kQueues) wrong.insert(index);
    }
    EXPECT_EQ(asked.size(), kTable) << "entries that frames have asked for";
    return wrong == std::set<unsigned>{entry};
}

bool vlan(Ward& ward, unsigned id) {
    ward.guest().must(
        text("ip link add link eth0 name v type vlan id ", id, " && ip link set v up"));
    auto frame = plain(60);
    const Frame tag{kVlanType >> 8, kVlanType & 0xff, 0, static_cast<std::uint8_t>(id)};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    const auto moved = ward.moved_by({frame});
    ward.guest().must("ip link del v");
    return moved.at("card_rx_packets") == 0;
}

bool group(Ward& ward, unsigned last) {
    const Mac to{0x01, 0x00, 0x5e, 0x01, 0x01, static_cast<std::uint8_t>(last)};
    char address[18];
    std::snprintf(address, sizeof address, "01:00:5e:01:01:%02x", last);
    ward.guest().must(std::string("ip maddr add ") + address + " dev eth0");
    const auto moved = ward.moved_by({plain(60, to)});
    ward.guest().must(std::string("ip maddr del ") + address + " dev eth0");
    return moved.at("card_rx_packets") == 0;
}

bool unicast(Ward& ward, unsigned which) {
    for (unsigned i = 1; i < kQueues; ++i)
        ward.guest().must(text("bridge fdb add 02:00:00:00:01:0", i, " dev eth0 self"));
    const auto moved =
        ward.moved_by({plain(60, {2, 0, 0, 0, 1, static_cast<std::uint8_t>(which)})});
    for (unsigned i = 1; i < kQueues; ++i)
        ward.guest().must(text("bridge fdb del 02:00:00:00:01:0", i, " dev eth0 self"));
    return moved.at("card_rx_packets") == 0;
}

bool tx_length(Ward& ward, unsigned length) {
    ward.send_by(0);
    const auto moved = ward.moved([&] { ward.ping(1, length - 42); });
    return moved.at("tx0_packets") == 1 && moved.at("card_tx_packets") == 0;
}

bool tx_priority(Ward& ward, unsigned priority) {
    ward.guest().must(
        "ip link add link eth0 name v type vlan id 9 egress-qos-map 0:" + std::to_string(priority) +
        " && ip link set v up && ip addr add 198.51.100.2/24 dev v");
    ward.guest().cable().clear();
    ward.guest().run("ping -c 1 -W 1 198.51.100.1");
    ward.guest().must("ip link del v");
    const auto frame = ward.guest().cable().expect(sandbox::is_ether_type(sandbox::kEtherArp),
                                                   std::chrono::seconds(2));
    if (!frame) return false;
    const auto tag = sandbox::parse(*frame)->vlan;
    EXPECT_TRUE(tag && (*tag & 0xfffU) == 9);
    return tag && *tag >> 13U == 0;
}

bool tx_count(Ward& ward, unsigned queue) {
    ward.send_by(queue);
    const auto moved = ward.moved([&] { ward.ping(3); });
    const auto sent = moved.at("card_tx_packets");
    EXPECT_GE(sent, 3);
    return moved.at(text("tx", queue, "_packets")) == 2 * sent;
}

bool tx_account(Ward& ward, unsigned queue) {
    ward.send_by(queue);
    ward.ping(3);
    ward.settle();
    return std::stol(ward.guest().get(
               text("/sys/class/net/eth0/queues/tx-", queue, "/byte_queue_limits/inflight"))) > 0;
}

long rmon_class(Ward& ward, unsigned shortest) {
    const auto all = ward.guest().must("ethtool -S eth0 --groups rmon");
    const std::regex line("rx-rmon-etherStatsPkts" + std::to_string(shortest) +
                          "(to[0-9]+)?Octets: ([0-9]+)");
    std::smatch found;
    EXPECT_TRUE(std::regex_search(all, found, line)) << all;
    return found.empty() ? 0 : std::stol(found[2]);
}

bool rmon(Ward& ward, unsigned shortest) {
    const auto before = rmon_class(ward, shortest);
    const auto moved = ward.moved_by({plain(shortest + 20)});
    return moved.at("card_rx_packets") == 1 && rmon_class(ward, shortest) == before;
}

long free_pages(Ward& ward) {
    return std::stol(ward.guest().must("sed -n 's/^nr_free_pages //p' /proc/vmstat"));
}

bool leak(Ward& ward, unsigned pages) {
    const auto send = [&](unsigned frames) {
        ward.send_many([](unsigned) { return plain(60); }, frames);
    };
    send(200);  // what is filled once only is full then
    const auto before = free_pages(ward);
    const auto moved = ward.moved([&] { send(1500); });
    const auto gone = static_cast<double>(before - free_pages(ward)) /
                      static_cast<double>(moved.at("rx0_packets"));
    std::printf("          %.2f pages a frame, of %ld\n", gone, moved.at("rx0_packets"));
    return std::lround(gone) == pages;
}

/// What EITR has of a pause of 8 ms, once the vector has run.
bool moderation(Ward& ward, unsigned queue) {
    ward.bring_to(queue);
    ward.guest().must("ethtool -C eth0 adaptive-rx off rx-usecs 8000");
    ward.moved_by({hashed()});
    using namespace sandbox::registers;
    const auto pause = ward.guest().read_register(EITR0 + 4 * queue) & EITR_INTERVAL;
    ward.guest().must("ethtool -C eth0 rx-usecs 0");
    return pause != 8000U << 2U;
}

bool stamp(Ward& ward, unsigned seconds) {
    const auto out = ward.guest().must("stamp eth0 /dev/ptp0 filter:1:12 send:7:hw sent:2000 get");
    std::istringstream lines(out);
    std::string line;
    std::getline(lines, line);
    std::getline(lines, line);
    long number = 0;
    long long software = 0;
    long long hardware = 0;
    long long now = 0;
    lines >> number >> software >> hardware >> now;
    EXPECT_EQ(number, 7) << out;
    return std::llround(static_cast<double>(now - hardware) / 1e9) == seconds;
}

const std::map<std::string, bool (*)(Ward&, unsigned)> questions{
    {"FAULT_RX_QUEUE", rx_queue},
    {"FAULT_RX_LENGTH", rx_length},
    {"FAULT_RX_LATE", rx_late},
    {"FAULT_RX_ONCE", rx_once},
    {"FAULT_RX_SUM", rx_sum},
    {"FAULT_RSS_ENTRY", rss_entry},
    {"FAULT_VLAN", vlan},
    {"FAULT_GROUP", group},
    {"FAULT_UNICAST", unicast},
    {"FAULT_TX_LENGTH", tx_length},
    {"FAULT_TX_PRIORITY", tx_priority},
    {"FAULT_TX_COUNT", tx_count},
    {"FAULT_TX_ACCOUNT", tx_account},
    {"FAULT_RMON", rmon},
    {"FAULT_LEAK", leak},
    {"FAULT_MODERATION", moderation},
    {"FAULT_STAMP", stamp},
};

/// Each fault with a number out of its middle, and with the one before.
TEST(Patients, HaveWhatIsSaidAndTheHealthyDriverHasNot) {
    const auto places = grader::Places::of_this_program();
    const auto lab = grader::read_lab(grader::find_lab(places.labs, "10"));
    const auto healthy =
        grader::build_ward(lab, places.driver, places.kernel.parent_path() / "trace", places.cache);
    ASSERT_EQ(questions.size(), lab.ward.faults.size());
    const auto number_of = [](const grader::Fault& fault) {
        return fault.numbers[fault.numbers.size() / 2];
    };
    Ward ward;
    ward.load(grader::made_ill(healthy, {}, 1));
    for (const auto& fault : lab.ward.faults)
        EXPECT_FALSE(questions.at(fault.name)(ward, number_of(fault))) << fault.name << ", healthy";
    for (unsigned i = 0; i < lab.ward.faults.size(); ++i) {
        const auto& fault = lab.ward.faults[i];
        const auto other = fault.numbers[fault.numbers.size() / 2 - 1];
        const auto ask = questions.at(fault.name);
        ward.load(grader::made_ill(healthy, {'a', i + 1, number_of(fault)}, i * 7919));
        EXPECT_TRUE(ask(ward, number_of(fault))) << fault.name << " " << number_of(fault);
        EXPECT_FALSE(ask(ward, other)) << fault.name << ", with " << other;
    }
    ward.guest().must("rmmod igbook");
}

}  // namespace
}  // namespace fwts::labs
