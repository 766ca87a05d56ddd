// SPDX-License-Identifier: GPL-2.0
#include "protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fwts::agent {
namespace {

TEST(Decoder, MessagesInPiecesOfEverySize) {
    const nlohmann::json one = {{"op", "ping"}, {"id", 1}};
    const nlohmann::json two = {{"text", "\xc3\xa4 and \xff"}};
    const std::string stream = encode(one) + encode(two);
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        Decoder decoder;
        std::vector<nlohmann::json> got;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            decoder.add(std::string_view(stream).substr(at, piece));
            while (auto message = decoder.next()) got.push_back(*message);
        }
        ASSERT_EQ(got.size(), 2U) << "pieces of " << piece;
        EXPECT_EQ(got[0], one);
        EXPECT_EQ(got[1]["text"], "\xc3\xa4 and \xef\xbf\xbd");
    }
}

TEST(Decoder, ABeginningDropsTheUnfinishedMessage) {
    const std::string cut = encode({{"op", "exec"}}).substr(0, 9);
    for (std::size_t piece : {1, 3, 100}) {
        Decoder decoder;
        const std::string stream = cut + std::string(kBeginning) + encode({{"event", "hello"}});
        std::vector<nlohmann::json> got;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            decoder.add(std::string_view(stream).substr(at, piece));
            while (auto message = decoder.next()) got.push_back(*message);
        }
        ASSERT_EQ(got.size(), 1U);
        EXPECT_EQ(got[0]["event"], "hello");
    }
}

TEST(Decoder, WaitsForTheBeginningWhenTold) {
    Decoder decoder(Decoder::Start::kWaitBeginning);
    decoder.add(encode({{"op", "old"}}));
    EXPECT_FALSE(decoder.next());
    decoder.add(std::string(kBeginning) + encode({{"op", "new"}}));
    EXPECT_EQ(decoder.next().value()["op"], "new");
}

TEST(Decoder, RefusesDamage) {
    Decoder length;
    length.add(std::string("\x00\x00\x00\x7f{}{}{}", 10));
    EXPECT_THROW(length.next(), ProtocolError);
    Decoder text;
    text.add(std::string("\x02\x00\x00\x00[]", 6));
    EXPECT_THROW(text.next(), ProtocolError);
}

}  // namespace
}  // namespace fwts::agent
