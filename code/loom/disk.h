// SPDX-License-Identifier: GPL-2.0
/// @file
/// The few things loom does with files, behind an interface so that tests run in memory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fwts::loom {

/// Files named by path. Every member throws Failure when the system refuses.
class Disk {
  public:
    virtual ~Disk() = default;
    /// The file's text, or nothing when there is no such file.
    virtual std::optional<std::string> read(const std::string& path) = 0;
    /// Replaces the file at once (a reader sees the old or the new text), making its directory.
    virtual void write(const std::string& path, const std::string& text) = 0;
    /// Removes a file; does nothing when it is not there.
    virtual void remove(const std::string& path) = 0;
    /// Removes a directory when it is empty.
    virtual void remove_empty_directory(const std::string& path) = 0;
    /// The names of what lies directly in a directory, sorted; empty when it is not there.
    virtual std::vector<std::string> list(const std::string& directory) = 0;
};

/// The real file system.
class RealDisk : public Disk {
  public:
    std::optional<std::string> read(const std::string& path) override;
    void write(const std::string& path, const std::string& text) override;
    void remove(const std::string& path) override;
    void remove_empty_directory(const std::string& path) override;
    std::vector<std::string> list(const std::string& directory) override;
};

/// Files in memory, with a count of the writes. For tests and benchmarks.
class MemoryDisk : public Disk {
  public:
    std::optional<std::string> read(const std::string& path) override;
    void write(const std::string& path, const std::string& text) override;
    void remove(const std::string& path) override;
    void remove_empty_directory(const std::string& path) override;
    std::vector<std::string> list(const std::string& directory) override;

    std::map<std::string, std::string> files;
    int writes = 0;
};

}  // namespace fwts::loom
