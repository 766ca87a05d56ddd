// SPDX-License-Identifier: GPL-2.0
/// @file
/// A driver in memory, for tests. ctags is the real one.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "book.h"
#include "disk.h"
#include "error.h"
#include "snippet.h"
#include "source.h"
#include "tagger.h"
#include "tangle.h"

namespace fwts::loom::testing {

/// One ctags for all tests of a program.
inline Tagger& tagger() {
    static Ctags ctags;
    return ctags;
}

/// A driver of three stages in the directory "d", and a book in "b".
class Driver {
  public:
    Driver() {
        disk.files["d/Kbuild.in"] = "igbook-y := @OBJECTS@\n";
        disk.files["d/Makefile.in"] = "# @STAGE@ @NAME@: @TITLE@\n";
    }

    /// Adds a source file with its lifetime.
    Driver& file(const std::string& name, const std::string& text, const std::string& life = "01") {
        disk.files["d/" + name] = text;
        files_ += fmt::format("\"{}\" = \"{}\"\n", name, life);
        write_manifest();
        return *this;
    }

    Driver& chapter(const std::string& name, const std::string& text) {
        disk.files["b/chapters/" + name + ".rst"] = text;
        return *this;
    }

    Driver& appendix(const std::string& name, const std::string& text) {
        disk.files["b/appendix/" + name + ".rst"] = text;
        return *this;
    }

    Source read() { return read_source(disk, "d", tagger(), index().cuts); }

    /// What is printed when reading fails; empty when it does not.
    std::string complaint() {
        try {
            tangle_all(read());
            return "";
        } catch (const Failure& failure) {
            return failure.what();
        }
    }

    /// The text of one file in one stage, counted from 0.
    std::string cut(const std::string& name, int stage) {
        const Source source = read();
        const StageTree tree = tangle(source, stage);
        const StageFile* file = tree.find(name);
        return file == nullptr ? "(absent)" : file->text();
    }

    std::map<std::string, Snippet> weave() {
        const Source source = read();
        std::map<std::string, Snippet> by_id;
        for (Snippet& s : fwts::loom::weave(source, tangle_all(source), tagger()))
            by_id[s.id] = std::move(s);
        return by_id;
    }

    /// What `loom check --book` prints.
    std::string check() {
        const Source source = read();
        const auto snippets = fwts::loom::weave(source, tangle_all(source), tagger());
        std::string text;
        for (const Error& error : check_book(index(), source, snippets))
            text += to_string(error) + "\n";
        return text;
    }

    MemoryDisk disk;

  private:
    /// An option of the snippet that was found last: `:of: FILE` or `FILE:SYMBOL` comes first.
    static bool take_option(std::string_view line, BookIndex& book) {
        const auto value = [&](std::string_view option) {
            return std::string(trimmed(line.substr(option.size())));
        };
        if (line.starts_with(":of:"))
            book.cuts.push_back(make_cut(book.showings.back(), value(":of:"), "", ""));
        else if (line.starts_with(":from:"))
            book.cuts.back().from = value(":from:");
        else if (line.starts_with(":to:"))
            book.cuts.back().to = value(":to:");
        else
            return false;
        return true;
    }

    /// What book/tools/index.py finds in the documents.
    BookIndex index() {
        constexpr std::string_view directive = ".. snippet:: ";
        BookIndex book{"b/chapters", {}, {}, {}};
        for (const bool appendix : {false, true}) {
            const std::string directory = appendix ? "b/appendix/" : "b/chapters/";
            for (const auto& [path, text] : disk.files) {
                if (!path.starts_with(directory)) continue;
                book.documents.insert(path);
                const std::string name =
                    path.substr(directory.size(), path.size() - directory.size() - 4);
                int number = 0;
                for (const std::string& line : split_lines(text)) {
                    ++number;
                    const std::string_view rest = trimmed(line);
                    if (take_option(rest, book) || !rest.starts_with(directive)) continue;
                    book.showings.push_back(
                        {std::string(rest.substr(directive.size())), name, path, number, appendix});
                }
            }
        }
        return book;
    }

    void write_manifest() {
        std::string text;
        for (const char* name : {"one", "two", "three"}) {
            const int number = *name == 'o' ? 1 : (name[1] == 'w' ? 2 : 3);
            text += fmt::format(
                "[[stage]]\nnumber = \"0{0}\"\nname = \"{1}\"\ntitle = \"T{0}\"\nchapter = "
                "\"c{0}\"\n",
                number, name);
        }
        disk.files["d/stages.toml"] = text + "[files]\n" + files_;
    }

    std::string files_;
};

}  // namespace fwts::loom::testing
