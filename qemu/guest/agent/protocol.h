// SPDX-License-Identifier: GPL-2.0
// The words the host and the agent in the guest exchange over one virtio-serial port.
//
// A message is a JSON object behind its length (4 bytes, little endian). Both ends use this header,
// so a message cannot mean two things. It knows nothing of sockets, processes or time: bytes go in,
// messages come out. README.md lists the messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fwts::agent {

/// Name of the virtio-serial port, as QEMU announces it and sysfs in the guest shows it.
inline constexpr const char* kPortName = "fwts.agent";

/// No message is longer than this many bytes; a longer length means that the stream is damaged.
inline constexpr std::size_t kLongestMessage = std::size_t{4} << 20;

/// Data is cut into pieces of this many bytes before it is put into messages.
inline constexpr std::size_t kChunk = std::size_t{48} << 10;

/// An end that (re)starts sends this first. JSON text has no byte 0xff and no length has eight of
/// them in a row, so the other end can drop a message that was cut off and begin afresh.
inline constexpr std::string_view kBeginning = "\xff\xff\xff\xff\xff\xff\xff\xff";

/// The stream holds something that is no message.
struct ProtocolError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// @return @p message as bytes for the port, length included.
std::string encode(const nlohmann::json& message);

/// Turns the bytes of a stream, in whatever pieces they arrive, back into messages.
class Decoder {
  public:
    enum class Start {
        kReady,          ///< the stream begins with a message
        kWaitBeginning,  ///< what comes before kBeginning belongs to an earlier conversation
    };

    explicit Decoder(Start start = Start::kReady) : synchronised_(start == Start::kReady) {}

    /// Adds bytes that were read.
    void add(std::string_view bytes);

    /// @return the next whole message, or nothing if more bytes are needed.
    /// @throws ProtocolError if the length or the JSON cannot be true.
    std::optional<nlohmann::json> next();

  private:
    void drop_before_beginning();

    std::string buffer_;
    std::size_t searched_ = 0;  // buffer_ holds no whole kBeginning before this
    bool synchronised_;
};

}  // namespace fwts::agent
