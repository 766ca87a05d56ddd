// SPDX-License-Identifier: GPL-2.0
/// @file
/// The names in a C text and where their definitions end, as universal-ctags reports them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fwts::loom {

/// One thing ctags found.
struct Tag {
    std::string name;
    std::string kind;   ///< "function", "struct", "macro", …
    std::string scope;  ///< what it lies in; empty at the top level
    int line = 0;
    int end = 0;  ///< 0 when ctags does not say
};

/// Finds tags. An interface, because the tests' speed and the cache hang on it.
class Tagger {
  public:
    virtual ~Tagger() = default;
    /// The tags of one text, ordered by line.
    virtual const std::vector<Tag>& tags(std::string_view text) = 0;
};

/// One ctags process, kept open and fed over a pipe, so that no text needs to be on disk and the
/// process starts once for all files. A text seen before is answered from memory.
class Ctags : public Tagger {
  public:
    /// @throw Failure when ctags cannot be started or is not universal-ctags with JSON
    Ctags();
    ~Ctags() override;
    Ctags(const Ctags&) = delete;
    Ctags& operator=(const Ctags&) = delete;
    const std::vector<Tag>& tags(std::string_view text) override;

  private:
    class Process;
    std::unique_ptr<Process> process_;
    struct Cache;
    std::unique_ptr<Cache> cache_;
};

}  // namespace fwts::loom
