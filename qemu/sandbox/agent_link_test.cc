// SPDX-License-Identifier: GPL-2.0
// What a guest may write into its agent's port: everything. A call then ends with an error, and a
// new beginning is heard.
#include "agent_link.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>

#include "base64.h"
#include "descriptor.h"

namespace fwts::sandbox {
namespace {

using std::chrono_literals::operator""ms;

class AgentLinkTest : public testing::Test {
  protected:
    AgentLinkTest() { say(std::string(agent::kBeginning) + hello()); }

    static std::string hello() { return agent::encode({{"event", "hello"}, {"release", "6"}}); }
    static std::string framed(const std::string& text) {
        const auto size = static_cast<std::uint32_t>(text.size());
        std::string bytes;
        for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>(size >> (8 * i) & 0xff);
        return bytes + text;
    }
    void say(const std::string& bytes) {
        write_all(pair_.theirs.get(), bytes);
        EXPECT_TRUE(link_.on_readable());
    }
    std::string event_of(std::int64_t id) {
        const auto last = link_.wait(id, 0ms);
        return last ? last->value("event", "") : "nothing";
    }

    SocketPair pair_ = make_socket_pair(SOCK_STREAM);
    Monitor monitor_;
    AgentLink link_{std::move(pair_.ours), monitor_, [] {}};
};

TEST_F(AgentLinkTest, NonsenseEndsTheCallAndNotTheProgram) {
    const std::string deep(100'000, '[');
    for (const std::string& nonsense :
         {framed("{\"event\":5}"),
          framed("{}"),
          framed("[]"),
          framed("null"),
          framed("7"),
          framed("{\"event\":\"dance\",\"id\":1}"),
          framed("{\"event\":null}"),
          framed("{\"id\":\"1\",\"event\":\"exit\"}"),
          framed("{\"id\":1.5,\"event\":\"exit\"}"),
          framed("{\"id\":{},\"event\":\"exit\"}"),
          framed("{\"id\":99999999999999999999999,\"event\":\"exit\"}"),
          framed("{\"event\":\"hello\",\"release\":[]}"),
          framed("{\"id\":1,\"event\":\"exit\",\"status\":\"0\"}"),
          framed("{\"id\":1,\"event\":\"exit\",\"signal\":true}"),
          framed("{\"id\":1,\"event\":\"output\",\"data\":7}"),
          framed("{\"id\":1,\"event\":\"output\",\"stream\":7,\"data\":\"\"}"),
          framed("{\"id\":1,\"event\":\"output\",\"data\":\"*\"}"),
          framed("{\"id\":1,\"event\":\"output\",\"data\":\"****\"}"),
          framed("{\"id\":1,\"event\":\"error\",\"message\":{}}"),
          framed("{\"event\":\"\xff\xfe\"}"),
          framed("{\"event\":\"hello\""),
          framed(deep),
          framed(std::string("{\"event\":\"ex\0it\"}", 17)),
          std::string("\xff\xff\xff\x7f and more", 13)}) {
        // The table's ids are 1, which is the first call's: let each be it.
        SocketPair pair = make_socket_pair(SOCK_STREAM);
        Monitor monitor;
        AgentLink link(std::move(pair.ours), monitor, [] {});
        const auto write = [&](const std::string& bytes) {
            write_all(pair.theirs.get(), bytes);
            link.on_readable();
            link.on_readable();
        };
        write(std::string(agent::kBeginning) + hello());
        const auto id = link.ask({{"op", "ping"}}, [](bool, std::string_view) {});
        write(nonsense);
        const auto last = link.wait(id, 0ms);
        ASSERT_TRUE(last) << nonsense.substr(0, 80);
        EXPECT_EQ((*last)["event"], "error") << nonsense.substr(0, 80);
        // A new beginning makes up for it.
        write(std::string(agent::kBeginning) + hello());
        const auto next = link.ask({{"op", "ping"}});
        write(framed("{\"id\":" + std::to_string(next) + ",\"event\":\"pong\"}"));
        EXPECT_EQ(link.wait(next, 0ms).value()["event"], "pong");
    }
}

TEST_F(AgentLinkTest, ASecondHelloEndsWhatWasAsked) {
    const auto id = link_.ask({{"op", "ping"}});
    say(hello());
    EXPECT_EQ(event_of(id), "error");
}

TEST_F(AgentLinkTest, WhatNobodyAskedForIsPassedOver) {
    const auto id = link_.ask({{"op", "ping"}});
    say(framed("{\"id\":4711,\"event\":\"exit\",\"status\":0}"));
    say(framed("{\"id\":-1,\"event\":\"output\",\"data\":\"\"}"));
    say(framed("{\"id\":" + std::to_string(id) + ",\"event\":\"pong\"}"));
    say(framed("{\"id\":" + std::to_string(id) + ",\"event\":\"error\",\"message\":\"late\"}"));
    EXPECT_EQ(event_of(id), "pong");
}

TEST_F(AgentLinkTest, AnAnswerHasItsLargestSize) {
    std::size_t got = 0;
    const auto id = link_.ask(
        {{"op", "get"}}, [&got](bool, std::string_view piece) { got += piece.size(); }, 100);
    const auto piece = framed("{\"id\":" + std::to_string(id) + ",\"event\":\"data\",\"data\":\"" +
                              base64_encode(std::string(40, 'x')) + "\"}");
    say(piece);
    say(piece);
    EXPECT_EQ(got, 80U);
    say(piece);
    say(piece);
    EXPECT_EQ(got, 80U);
    EXPECT_EQ(event_of(id), "error");
}

}  // namespace
}  // namespace fwts::sandbox
