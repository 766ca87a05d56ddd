// SPDX-License-Identifier: GPL-2.0
// Descriptors without names: everything a guest is connected by or fed with.
//
// Nothing here has a path, so nothing is left on disk however a process ends.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "descriptor.h"

namespace fwts::sandbox {

/// Two connected Unix sockets. @param type  SOCK_STREAM or SOCK_DGRAM
struct SocketPair {
    Descriptor ours;
    Descriptor theirs;
};
SocketPair make_socket_pair(int type);

/// A pipe; both ends close on exec.
struct PipePair {
    Descriptor read_end;
    Descriptor write_end;
};
PipePair make_pipe_pair();

/// A file in memory only. @param name  shown in /proc, for people
Descriptor make_memory_file(const char* name);

/// @return a path by which another process that inherited @p descriptor can open it.
std::string inherited_path(const Descriptor& descriptor);

/// Writes all of @p bytes to a blocking descriptor. @throws std::system_error
void write_all(int fd, std::string_view bytes);

/// @return the bytes of a file from @p offset to its end, without moving its position.
std::string read_from(const Descriptor& file, std::size_t offset = 0);

/// @return the whole file. @throws SetupError that names it if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Makes reads and writes return instead of wait.
void set_nonblocking(const Descriptor& descriptor);

}  // namespace fwts::sandbox
