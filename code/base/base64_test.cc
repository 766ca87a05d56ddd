// SPDX-License-Identifier: GPL-2.0
#include "base64.h"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

namespace fwts {
namespace {

std::string bytes_of(std::size_t size, unsigned seed) {
    std::mt19937 random(seed);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() & 0xff);
    return bytes;
}

TEST(Base64, KnownTexts) {
    EXPECT_EQ(base64_encode(""), "");
    EXPECT_EQ(base64_encode("f"), "Zg==");
    EXPECT_EQ(base64_encode("fo"), "Zm8=");
    EXPECT_EQ(base64_encode("foo"), "Zm9v");
    EXPECT_EQ(base64_decode("Zm9vYg=="), "foob");
}

TEST(Base64, EverySizeComesBack) {
    for (std::size_t size = 0; size < 100; ++size) {
        const std::string bytes = bytes_of(size, static_cast<unsigned>(size));
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes) << "size " << size;
    }
}

TEST(Base64, RefusesWhatIsNone) {
    EXPECT_THROW(base64_decode("abc"), std::invalid_argument);
    EXPECT_THROW(base64_decode("ab*="), std::invalid_argument);
    EXPECT_THROW(base64_decode("=abc"), std::invalid_argument);
}

}  // namespace
}  // namespace fwts
