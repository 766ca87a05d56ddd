// SPDX-License-Identifier: GPL-2.0
#include "book.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

namespace fwts::loom {

namespace {

constexpr std::string_view kDirective = ".. snippet::";

/// The lines of a file or template that the book has to show.
struct Text {
    std::string path;
    std::vector<bool> wanted;  ///< of each line
};

std::vector<Text> texts_of(const Source& source) {
    std::vector<Text> texts;
    for (const SourceFile& file : source.files) {
        Text text{file.path, {}};
        for (size_t i = 0; i < file.lines.size(); ++i)
            text.wanted.push_back(!file.is_mark[i] && !is_blank(file.lines[i]));
        texts.push_back(std::move(text));
    }
    for (const Template& from : source.templates) {
        Text text{from.path, {}};
        for (const std::string& line : from.lines) text.wanted.push_back(!is_blank(line));
        texts.push_back(std::move(text));
    }
    return texts;
}

/// How many single letters lie between two words, for suggestions.
int distance(const std::string& a, const std::string& b) {
    std::vector<int> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
    for (size_t i = 1; i <= a.size(); ++i) {
        int diagonal = row[0];
        row[0] = static_cast<int>(i);
        for (size_t j = 1; j <= b.size(); ++j) {
            const int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

class Checker {
  public:
    Checker(const BookIndex& book, const Source& source, const std::vector<Snippet>& snippets)
        : book_(book), source_(source) {
        for (const Snippet& snippet : snippets) by_id_[snippet.id] = &snippet;
    }

    Errors check() {
        find_chapters();
        for (const Showing& showing : book_.showings) take(showing);
        for (const Text& text : texts_of(source_)) check_text(text);
        return std::move(errors_);
    }

  private:
    const Stage& stage_of(const Snippet& snippet) const {
        return source_.manifest.stages[snippet.stage];
    }

    std::string chapter_path(const Snippet& snippet) const {
        return fmt::format("{}/{}.rst", book_.chapters, stage_of(snippet).chapter);
    }

    void find_chapters() {
        for (const Stage& stage : source_.manifest.stages) {
            const std::string path = fmt::format("{}/{}.rst", book_.chapters, stage.chapter);
            if (!book_.documents.contains(path))
                errors_.push_back({source_.manifest.path, stage.line,
                                   fmt::format("the chapter of stage {} is missing", stage.number),
                                   fmt::format("write {}, or correct 'chapter'", path)});
        }
    }

    void take(const Showing& showing) {
        const auto found = by_id_.find(showing.id);
        if (found == by_id_.end()) {
            errors_.push_back({showing.path, showing.line,
                               fmt::format("unknown snippet '{}'", showing.id),
                               suggestion(showing.id)});
            return;
        }
        const Snippet& snippet = *found->second;
        const auto [first, fresh] = shown_.emplace(showing.id, showing);
        if (!fresh) {
            errors_.push_back({showing.path, showing.line,
                               fmt::format("snippet '{}' is shown twice", showing.id),
                               fmt::format("remove it here or at {}:{}", first->second.path,
                                           first->second.line)});
            return;
        }
        if (!showing.appendix && showing.document != stage_of(snippet).chapter)
            errors_.push_back({showing.path, showing.line,
                               fmt::format("snippet '{}' belongs to stage {}", showing.id,
                                           stage_of(snippet).number),
                               fmt::format("move it to {}", chapter_path(snippet))});
        cover(snippet, showing);
    }

    void cover(const Snippet& snippet, const Showing& showing) {
        for (const int line : snippet.covers) {
            const auto [by, fresh] = shower_of_.emplace(std::pair(snippet.path, line), &snippet);
            if (fresh || overlaps_.contains({by->second, &snippet}) || !is_text(snippet, line))
                continue;
            overlaps_.insert({by->second, &snippet});
            errors_.push_back({showing.path, showing.line,
                               fmt::format("'{}' shows {} line {} again, which '{}' shows",
                                           snippet.id, snippet.file, line, by->second->id),
                               "show one of the two, or split them with :from: and :to:"});
        }
    }

    bool is_text(const Snippet& snippet, int line) const {
        for (const SourceFile& file : source_.files)
            if (file.path == snippet.path) return !is_blank(file.lines[line - 1]);
        return true;
    }

    std::string suggestion(const std::string& id) const {
        const Snippet* nearest = nullptr;
        int best = static_cast<int>(id.size()) / 2;
        for (const auto& [name, snippet] : by_id_) {
            const int d = distance(id, name);
            if (d <= best) {
                best = d - 1;
                nearest = snippet;
            }
        }
        if (nearest != nullptr) return fmt::format("did you mean '{}'?", nearest->id);
        return "see 'loom weave' for all there are";
    }

    /// The piece that would best show a line: a block by its name, then a symbol, a head, a file.
    const Snippet* best_for(const std::string& path, int line) const {
        const Snippet* best = nullptr;
        const auto rank = [](const Snippet& s) {
            if (s.kind == Snippet::Kind::marker) return 0;
            if (s.kind == Snippet::Kind::symbol) return 1;
            return s.id.find(":head") == std::string::npos ? 3 : 2;
        };
        for (const auto& [id, snippet] : by_id_)
            if (snippet->path == path && (best == nullptr || rank(*snippet) < rank(*best)) &&
                std::binary_search(snippet->covers.begin(), snippet->covers.end(), line))
                best = snippet;
        return best;
    }

    /// Complains once about each piece that would show what is not shown.
    void check_text(const Text& text) {
        const int count = static_cast<int>(text.wanted.size());
        std::vector<Hole> holes;
        const Snippet* previous = nullptr;
        bool open = false;
        for (int line = 1; line <= count; ++line) {
            if (!text.wanted[line - 1]) continue;
            if (shower_of_.contains({text.path, line})) {
                open = false;
                continue;
            }
            const Snippet* best = best_for(text.path, line);
            auto hole = std::find_if(holes.begin(), holes.end(), [&](const Hole& h) {
                return best != nullptr && h.best == best;
            });
            if (hole == holes.end() && !(open && best == previous))
                hole = holes.insert(holes.end(), {best, {}});
            else if (hole == holes.end())
                hole = holes.end() - 1;
            if (open && best == previous)
                hole->ranges.back().second = line;
            else
                hole->ranges.emplace_back(line, line);
            open = true;
            previous = best;
        }
        for (const Hole& hole : holes) complain_unshown(text, hole);
    }

    /// Lines that nothing shows, and the piece that would.
    struct Hole {
        const Snippet* best = nullptr;
        std::vector<std::pair<int, int>> ranges;
    };

    void complain_unshown(const Text& text, const Hole& hole) {
        std::string lines;
        for (const auto& [first, last] : hole.ranges) {
            if (!lines.empty()) lines += ", ";
            lines += first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
        }
        const bool is_one = lines.find_first_of("-,") == std::string::npos;
        const std::string what =
            fmt::format("{} {} shown in no chapter", is_one ? "line " + lines : "lines " + lines,
                        is_one ? "is" : "are");
        std::string what_to_do = "show them under a name of their own, with :of:, :from: and :to:";
        if (hole.best != nullptr) {
            // A whole file helps only while nothing of it has been shown.
            const bool whole = hole.best->kind == Snippet::Kind::file &&
                               hole.best->id.find(":head") == std::string::npos;
            if (!whole || !partly_shown(*hole.best))
                what_to_do = fmt::format("add '{} {}' to {}", kDirective, hole.best->id,
                                         chapter_path(*hole.best));
        }
        errors_.push_back({text.path, hole.ranges.front().first, what, what_to_do});
    }

    bool partly_shown(const Snippet& snippet) const {
        return std::any_of(snippet.covers.begin(), snippet.covers.end(), [&](int line) {
            return is_text(snippet, line) && shower_of_.contains({snippet.path, line});
        });
    }

    const BookIndex& book_;
    const Source& source_;
    std::map<std::string, const Snippet*> by_id_;
    std::map<std::string, Showing> shown_;
    std::map<std::pair<std::string, int>, const Snippet*> shower_of_;
    std::set<std::pair<const Snippet*, const Snippet*>> overlaps_;
    Errors errors_;
};

}  // namespace

Cut make_cut(const Showing& showing, const std::string& of, std::string from, std::string to) {
    const auto colon = of.find(':');
    return {showing.id,
            of.substr(0, colon),
            colon == std::string::npos ? "" : of.substr(colon + 1),
            std::move(from),
            std::move(to),
            showing.path,
            showing.line};
}

BookIndex read_book_index(Disk& disk, const std::string& path) {
    const auto text = disk.read(path);
    if (!text) throw_if_any({{path, 0, "there is no index of the book", "write it: make tools"}});
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (json.is_discarded())
        throw_if_any({{path, 0, "this is no index of the book", "write it anew: make tools"}});
    BookIndex book;
    book.chapters = json.at("chapters");
    book.documents = json.at("documents");
    for (const auto& snippet : json.at("snippets")) {
        book.showings.push_back({snippet.at("id"), snippet.at("document"), snippet.at("path"),
                                 snippet.at("line"), snippet.at("appendix")});
        if (!snippet.contains("of")) continue;
        book.cuts.push_back(make_cut(book.showings.back(), snippet.at("of"),
                                     snippet.value("from", ""), snippet.value("to", "")));
    }
    return book;
}

Errors check_book(const BookIndex& book, const Source& source,
                  const std::vector<Snippet>& snippets) {
    return Checker(book, source, snippets).check();
}

}  // namespace fwts::loom
