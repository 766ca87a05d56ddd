// SPDX-License-Identifier: GPL-2.0
#include "rows.h"

#include <algorithm>

namespace fwts::measure {

namespace {

using Kind = Work::Kind;

constexpr unsigned kWindows = 9, kQuickWindows = 3;
constexpr const char* kAll = "all";

// As much as igb's default pauses between two interrupts.
constexpr const char* kPaused =
    "ethtool -C $dev adaptive-rx off 2>/dev/null; ethtool -C $dev rx-usecs 49";
// What a driver does not have it need not set.
constexpr const char* kOffloads =
    "for each in rx tx sg tso gso gro; do ethtool -K $dev $each on >/dev/null 2>&1 || :; done";
constexpr const char* kNoOffloads =
    "for each in gro gso tso sg tx rx; do ethtool -K $dev $each off >/dev/null 2>&1 || :; done";
constexpr const char* kRings = "ethtool -G $dev rx 256 tx 4096; await_link";
constexpr const char* kSmallRings = "ethtool -G $dev rx 64 tx 64; await_link";
constexpr const char* kLargeRings = "ethtool -G $dev rx 4096 tx 4096; await_link";
constexpr const char* kJumbo = "ip link set $dev mtu 9000; await_link";
constexpr const char* kNoJumbo = "ip link set $dev mtu 1500; await_link";

/// All rows, in the order in which they are measured: what is set for one is set back after it.
std::vector<Row> all_rows(bool quick) {
    const auto paced = [&](Kind kind, unsigned burst) {
        const unsigned long period = burst == 1 ? 100'000 : 1'000'000;
        const unsigned moments = burst == 1 ? 2'000 : 100;
        return Work{.kind = kind,
                    .burst = burst,
                    .period = period,
                    .moments = quick ? moments / 10 : moments,
                    .windows = windows(quick)};
    };
    const auto flood = [&](unsigned burst) {
        return Work{
            .kind = Kind::kFlood, .burst = burst, .window = 10'000'000, .windows = windows(quick)};
    };
    const auto long_ones = [](Work work, unsigned length) {
        work.length = length;
        return work;
    };
    const Work sent_1 = paced(Kind::kTransmit, 1), sent_32 = paced(Kind::kTransmit, 32),
               got_1 = paced(Kind::kReceive, 1), got_32 = paced(Kind::kReceive, 32),
               refused_32 = paced(Kind::kReceiveRefused, 32),
               jumbo_sent = long_ones(paced(Kind::kTransmit, 8), kJumboFrame),
               jumbo_got = long_ones(paced(Kind::kReceive, 8), kJumboFrame),
               tcp_got = paced(Kind::kReceiveTcp, 32), tcp_sent = paced(Kind::kWrite, 32);
    const auto mebibyte = Unit::kMebibyte;
    // pktgen is not for stage 04: that looks at its ring every few milliseconds, and pktgen would
    // fill it and spin.
    return {
        {"transmit-1", "sent, one by one", "basic", "04", sent_1},
        {"transmit-32", "sent, 32 at a time", "basic", "04", sent_32, 0.5},
        {"receive-1", "received, one by one", "basic", "04", got_1},
        {"receive-32", "received, 32 at a time", "basic", "04", got_32, 0.6},
        {"pktgen-1", "pktgen, burst 1", "basic", "05", flood(1)},
        {"pktgen-32", "pktgen, burst 32", "basic", "05", flood(32), 0.5},
        {"receive-ip-32", "UDP to a deaf socket, 32", "ip", "04", refused_32},
        {"transmit-jumbo-8", "sent, 8 of 9014 bytes", "jumbo", "08", jumbo_sent, 0, kJumbo,
         kNoJumbo},
        {"receive-jumbo-8", "received, 8 of 9014 bytes", "jumbo", "07", jumbo_got, 0, kJumbo,
         kNoJumbo},
        {"tcp-write", "TCP written, MiB", "tcp", "08", tcp_sent, 0, kOffloads, "", mebibyte},
        {"tcp-write-plain", "... without offloads", "tcp", "08", tcp_sent, 0, kNoOffloads,
         kOffloads, mebibyte},
        {"tcp-read", "TCP read, MiB", "tcp", "07", tcp_got, 0, kOffloads, "", mebibyte},
        {"tcp-read-plain", "... without offloads", "tcp", "07", tcp_got, 0, kNoOffloads, kOffloads,
         mebibyte},
        {"transmit-32-of-128", "sent, 32 of 128 bytes", "lengths", "04", long_ones(sent_32, 128)},
        {"transmit-32-of-256", "sent, 32 of 256 bytes", "lengths", "04", long_ones(sent_32, 256)},
        {"transmit-32-of-512", "sent, 32 of 512 bytes", "lengths", "04", long_ones(sent_32, 512)},
        {"transmit-32-of-1024", "sent, 32 of 1024 bytes", "lengths", "04",
         long_ones(sent_32, 1024)},
        {"transmit-32-of-1514", "sent, 32 of 1514 bytes", "lengths", "04",
         long_ones(sent_32, 1514)},
        {"receive-32-of-128", "received, 32 of 128 bytes", "lengths", "04", long_ones(got_32, 128)},
        {"receive-32-of-256", "received, 32 of 256 bytes", "lengths", "04", long_ones(got_32, 256)},
        {"receive-32-of-512", "received, 32 of 512 bytes", "lengths", "04", long_ones(got_32, 512)},
        {"receive-32-of-1024", "received, 32 of 1024 bytes", "lengths", "04",
         long_ones(got_32, 1024)},
        {"receive-32-of-1514", "received, 32 of 1514 bytes", "lengths", "04",
         long_ones(got_32, 1514)},
        {"transmit-32-ring-64", "sent, 32, ring of 64", "rings", "04", sent_32, 0, kSmallRings,
         kRings},
        {"transmit-32-ring-4096", "sent, 32, ring of 4096", "rings", "04", sent_32, 0, kLargeRings,
         kRings},
        {"receive-32-ring-64", "received, 32, ring of 64", "rings", "04", got_32, 0, kSmallRings,
         kRings},
        {"receive-32-ring-4096", "received, 32, ring of 4096", "rings", "04", got_32, 0,
         kLargeRings, kRings},
        // Last: what igb paused before cannot be set again.
        {"transmit-1-paused", "sent, one by one, 49 us", "paused", "06", sent_1, 0.85, kPaused},
        {"receive-1-paused", "received, 1 by 1, 49 us", "paused", "06", got_1, 0.85, kPaused},
    };
}

}  // namespace

bool Row::possible(const std::string& driver) const {
    return driver == "igb" || driver == kFloor || driver >= since;
}

bool Row::has_settings(const std::string& driver) const {
    return driver != kFloor || unit == Unit::kMebibyte;
}

std::vector<Row> choose_rows(const std::vector<std::string>& wanted, bool quick) {
    std::vector<Row> rows = all_rows(quick);
    std::erase_if(rows, [&](const Row& row) {
        return std::ranges::none_of(wanted, [&](const std::string& word) {
            return word == kAll || word == row.name || word == row.set;
        });
    });
    return rows;
}

std::vector<std::string> row_words() {
    std::vector<std::string> words = {kAll};
    for (const Row& row : all_rows(false))
        for (const char* word : {row.set, row.name})
            if (std::ranges::find(words, word) == words.end()) words.emplace_back(word);
    return words;
}

unsigned windows(bool quick) {
    return quick ? kQuickWindows : kWindows;
}

}  // namespace fwts::measure
