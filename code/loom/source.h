// SPDX-License-Identifier: GPL-2.0
/// @file
/// The literate source: every line of the driver with the stages it lives in.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "definition.h"
#include "disk.h"
#include "lifetime.h"
#include "manifest.h"
#include "mark.h"
#include "tagger.h"
#include "text.h"

namespace fwts::loom {

/// A run of lines that a mark speaks of. The marks' own lines lie outside [first, last] of a block.
struct Region {
    enum class Kind { block, definition };
    Kind kind = Kind::block;
    std::string name;  ///< of the block; the symbol, when a mark stands above a definition
    int first = 0;     ///< counted from 1
    int last = 0;
    int mark_line = 0;          ///< where the mark that opens it stands
    Lifetime life;              ///< its own, or its parent's when the mark names none
    bool hidden = false;        ///< between #if 0 and #endif
    bool states_until = false;  ///< the mark says when it ends
    int parent = -1;            ///< index of the enclosing region; -1 is the file itself
    int replaces = -1;          ///< index of the block directly above that ends as this one begins

    bool contains(int line) const { return first <= line && line <= last; }
};

/// One file of the driver, read.
struct SourceFile {
    std::string name;  ///< in a stage, "igbook_main.c"
    std::string path;  ///< how messages name it
    Lifetime life;
    Lines lines;
    std::vector<bool> is_mark;    ///< of each line
    std::vector<int> region_of;   ///< of each line: its innermost region, or -1
    std::vector<Region> regions;  ///< outer before inner, in order of their first line

    /// When line `number`, counted from 1, exists. Of a mark, its surroundings' lifetime.
    const Lifetime& life_of(int number) const {
        const int region = region_of[number - 1];
        return region < 0 ? life : regions[region].life;
    }
    /// The lifetime around a region.
    const Lifetime& life_around(const Region& region) const {
        return region.parent < 0 ? life : regions[region.parent].life;
    }
};

/// A file from which one is made for every stage: Kbuild.in, Makefile.in.
struct Template {
    std::string name;  ///< of what is made, "Kbuild"
    std::string path;  ///< of the template, for messages
    Lines lines;
};

/// A piece of a file that a chapter names by its lines: it needs no mark.
struct Cut {
    std::string name;
    std::string file;    ///< as stages.toml names it
    std::string symbol;  ///< the definition in it; empty: the whole file
    std::string from;    ///< stands in its first line, and in no other line of file or symbol
    std::string to;      ///< stands in its last line, and in none between; empty: one line
    std::string path;    ///< of the chapter, for messages
    int line = 0;
};

/// The whole driver.
struct Source {
    Manifest manifest;
    std::vector<SourceFile> files;  ///< in the order of the manifest
    std::vector<Template> templates;
};

/// Reads and understands `directory`: stages.toml, the files it lists, Kbuild.in and Makefile.in.
/// @param cuts  what chapters cut out of the files; each becomes a block
/// @throw Failure with every complaint about a mark, a lifetime, the manifest or a cut
Source read_source(Disk& disk, const std::string& directory, Tagger& tagger,
                   const std::vector<Cut>& cuts = {});

/// Understands the marks of one file, and the cuts that are its own. `names` holds the block names
/// seen so far, for the whole driver, and where each was given.
SourceFile read_source_file(const Manifest& manifest, const ManifestFile& entry,
                            const std::string& path, std::string_view text, Tagger& tagger,
                            const std::vector<Cut>& cuts, std::map<std::string, std::string>& names,
                            Errors& errors);

}  // namespace fwts::loom
