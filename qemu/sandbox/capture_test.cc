// SPDX-License-Identifier: GPL-2.0
// Captures are read back by programs that are not ours: tshark and libpcap.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "capture_file.h"
#include "failure.h"
#include "pcapng.h"
#include "scratch.h"

namespace fwts::sandbox {
namespace {

class CaptureTest : public ::testing::Test {
  protected:
    const Scratch scratch_{"capture-test"};
    const std::filesystem::path& directory_ = scratch_.path();
};

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string text;
    std::array<char, 4096> piece{};
    while (const std::size_t n = fread(piece.data(), 1, piece.size(), pipe.get()))
        text.append(piece.data(), n);
    return text;
}

TEST_F(CaptureTest, TsharkReadsFramesAndDirections) {
    const auto path = directory_ / "one.pcapng";
    {
        Capture capture(path);
        capture.add(udp(4000, "hello"), Direction::kToGuest);
        capture.add(arp_request(kHostIp4, kGuestMac, kGuestIp4), Direction::kFromGuest);
    }
    const std::string text = output_of("tshark -r " + path.string() +
                                       " -T fields -e frame.number -e udp.dstport -e data.data "
                                       "-e arp.opcode -e frame.packet_flags_direction 2>&1");
    EXPECT_NE(text.find("1\t4000\t68656c6c6f\t\t0x00000001\n2\t\t\t1\t0x00000002"),
              std::string::npos)
        << text;
}

TEST_F(CaptureTest, LibpcapReadsTheSameFrames) {
    const auto path = directory_ / "two.pcapng";
    const std::vector<Frame> frames = {udp(1, ""), udp(2, "a"), udp(3, std::string(9000, 'j'))};
    {
        Capture capture(path);
        for (const Frame& frame : frames) capture.add(frame, Direction::kToGuest);
    }
    EXPECT_EQ(read_capture(path), frames);
}

TEST_F(CaptureTest, ErrorsNameTheFile) {
    try {
        Capture capture(directory_ / "no/such/place.pcapng");
        FAIL();
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find("no/such/place.pcapng"), std::string::npos);
    }
    EXPECT_THROW(read_capture(directory_ / "nothing"), SetupError);
}

}  // namespace
}  // namespace fwts::sandbox
