// SPDX-License-Identifier: GPL-2.0
#include "rows.h"

#include <gmock/gmock.h>

#include <set>

namespace {

using namespace fwts::measure;
using testing::Contains;

std::vector<std::string> names(const std::vector<std::string>& wanted) {
    std::vector<std::string> names;
    for (const Row& row : choose_rows(wanted, false)) names.emplace_back(row.name);
    return names;
}

TEST(Rows, AreChosenByNameBySetOrAll) {
    EXPECT_EQ(names({"receive-32"}), std::vector<std::string>{"receive-32"});
    EXPECT_EQ(names({"basic"}).size(), 6U);
    EXPECT_EQ(names({"basic", "receive-32"}), names({"basic"}));
    EXPECT_GT(names({"all"}).size(), names({"basic", "tcp", "rings"}).size());
    EXPECT_TRUE(names({"receive"}).empty());
}

TEST(Rows, AreEachNamedOnce) {
    const auto all = names({"all"});
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
    for (const std::string& name : all) EXPECT_THAT(row_words(), Contains(name));
}

TEST(Rows, AreOnlyForDriversThatCan) {
    for (const Row& row : choose_rows({"all"}, false)) {
        EXPECT_TRUE(row.possible("igb"));
        EXPECT_TRUE(row.possible("floor"));
        EXPECT_TRUE(row.possible("08"));
        EXPECT_FALSE(row.possible("03"));
    }
    EXPECT_FALSE(choose_rows({"tcp-write"}, false).front().possible("07"));
    EXPECT_FALSE(choose_rows({"pktgen-1"}, false).front().possible("04"));
}

TEST(Rows, SetNoRingsAndNoPausesWhereThereIsNoDriver) {
    const Row paused = choose_rows({"receive-1-paused"}, false).front();
    EXPECT_TRUE(paused.has_settings("igb"));
    EXPECT_FALSE(paused.has_settings("floor"));
    EXPECT_TRUE(choose_rows({"tcp-write-plain"}, false).front().has_settings("floor"));
}

TEST(Rows, QuickIsATenthOfTheWork) {
    const Work whole = choose_rows({"transmit-32"}, false).front().work;
    const Work quick = choose_rows({"transmit-32"}, true).front().work;
    EXPECT_EQ(quick.moments * 10, whole.moments);
    EXPECT_LT(quick.windows, whole.windows);
}

}  // namespace
