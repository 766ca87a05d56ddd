// SPDX-License-Identifier: GPL-2.0
#include "snippet.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "definition.h"

namespace fwts::loom {

namespace {

constexpr int kContext = 3;

/// A piece before its id is settled.
struct Draft {
    Snippet snippet;
    std::string name;       ///< of a symbol; empty when the id is final
    bool declares = false;  ///< a prototype or an extern, which yields its name to the definition
};

/// Whether a block is a piece of its own: a chapter names it, or it comes later than what is around
/// it. A block that is there from the start and only ends sooner is shown with what is around it.
bool stands_alone(const SourceFile& file, const Region& region) {
    if (region.kind != Region::Kind::block) return false;
    return region.life.from > file.life_around(region).from || !region.states_until;
}

/// Finds the pieces of one file.
class FileWeaver {
  public:
    /// @param version what follows the ids of the whole file and of its head
    FileWeaver(const SourceFile& file, std::string version, Tagger& tagger,
               std::vector<Draft>& drafts)
        : file_(file), version_(std::move(version)), tagger_(tagger), drafts_(drafts) {
        alone_.reserve(file.regions.size());
        for (const Region& region : file.regions) alone_.push_back(stands_alone(file, region));
    }

    /// Takes what `stage` brings. `changed` says that the file differs from the stage before.
    void take(const StageFile& cut, int stage) {
        cut_ = &cut;
        stage_ = stage;
        const Lines texts = cut.texts();
        definitions_ = find_definitions(texts, tagger_.tags(cut.text()));
        if (stage == file_.life.from) take_file_and_head();
        take_symbols();
        take_blocks();
    }

  private:
    int count() const { return static_cast<int>(cut_->lines.size()); }
    const std::string& text(int number) const { return cut_->lines[number - 1].text; }
    int origin(int number) const { return cut_->lines[number - 1].source_line; }

    /// The innermost block standing alone that holds a line of the cut file, or -1.
    int owner(int number) const {
        int region = file_.region_of[origin(number) - 1];
        while (region >= 0 && !alone_[region]) region = file_.regions[region].parent;
        return region;
    }

    int owner_around(int region) const {
        do region = file_.regions[region].parent;
        while (region >= 0 && !alone_[region]);
        return region;
    }

    /// The outermost block standing alone that holds the line but lies within `around`.
    int owner_within(int number, int around) const {
        int region = owner(number);
        while (region >= 0 && region != around && owner_around(region) != around)
            region = owner_around(region);
        return region;
    }

    bool is_new(int number) const { return file_.life_of(origin(number)).from == stage_; }

    Snippet start(Snippet::Kind kind, std::string id) const {
        Snippet snippet;
        snippet.id = std::move(id);
        snippet.kind = kind;
        snippet.file = file_.name;
        snippet.path = file_.path;
        snippet.stage = stage_;
        return snippet;
    }

    /// Shows lines [first, last] of the cut file, less the pieces within them.
    void show(Snippet& snippet, int first, int last, int around) const {
        while (first < last && is_blank(text(first))) ++first;
        while (last > first && is_blank(text(last))) --last;
        snippet.first_line = first;
        snippet.last_line = last;
        int previous = around;
        for (int number = first; number <= last; ++number) {
            const int within = owner_within(number, around);
            if (within == around || within < 0) {
                previous = around;
                snippet.lines.push_back(text(number));
                snippet.covers.push_back(origin(number));
            } else if (within != previous && !is_blank(text(number))) {
                previous = within;
                elide(snippet, text(number), file_.regions[within].name);
            }
        }
    }

    static void elide(Snippet& snippet, const std::string& line, const std::string& id) {
        snippet.elided.push_back({static_cast<int>(snippet.lines.size()), id});
        const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
        snippet.lines.push_back(indent + (id.empty() ? "/* … */" : "/* … " + id + " … */"));
    }

    void take_file_and_head() {
        if (count() == 0) return;
        Snippet whole = start(Snippet::Kind::file, file_.name + version_);
        show(whole, 1, count(), -1);
        drafts_.push_back({std::move(whole), "", false});

        const int last = definitions_.empty() ? count() : definitions_.front().first - 1;
        Snippet head = start(Snippet::Kind::file, file_.name + ":head" + version_);
        if (last >= 1) show(head, 1, last, -1);
        while (!head.lines.empty() && ends_in_elision(head)) {
            head.elided.pop_back();
            head.lines.pop_back();
            trim_end(head);
        }
        add_guard_end(head);
        if (!head.covers.empty()) drafts_.push_back({std::move(head), "", false});
    }

    static bool ends_in_elision(const Snippet& snippet) {
        return !snippet.elided.empty() &&
               snippet.elided.back().line + 1 == static_cast<int>(snippet.lines.size());
    }

    static void trim_end(Snippet& snippet) {
        while (!snippet.lines.empty() && is_blank(snippet.lines.back())) {
            snippet.lines.pop_back();
            snippet.covers.pop_back();
        }
    }

    /// The last line of a file whose include guard it closes; 0 when there is none.
    int guard_end() const {
        if (definitions_.empty() || !trimmed(text(count())).starts_with("#endif")) return 0;
        for (int number = 1; number < definitions_.front().first; ++number) {
            const auto words = words_of(text(number));
            if (words.size() == 2 && words[0] == "#ifndef" && number < count())
                return trimmed(text(number + 1)).starts_with("#define") ? count() : 0;
        }
        return 0;
    }

    void add_guard_end(Snippet& head) const {
        const int number = guard_end();
        if (number == 0) return;
        head.lines.emplace_back();
        elide(head, "", "");
        head.lines.emplace_back();
        head.lines.push_back(text(number));
        head.covers.push_back(origin(number));
    }

    /// Whether line `number` belongs to no definition and may go with one owned by `around`.
    bool is_loose(int number, int around) const {
        return is_blank(text(number)) || (owner(number) == around && is_new(number));
    }

    void take_symbols() {
        for (size_t i = 0; i < definitions_.size(); ++i) {
            const Definition& d = definitions_[i];
            if (!all_new(d)) continue;
            const int around = owner_of(d);
            int first = d.first;
            // What stands before the first definition is the file's head.
            if (i > 0)
                while (first - 1 > end_of(i - 1) && is_loose(first - 1, around)) --first;
            Snippet snippet = start(Snippet::Kind::symbol, "");
            show(snippet, first, end_of(i), around);
            if (snippet.covers.empty()) continue;  // named blocks hold all of it
            snippet.removed = removed_by(d);
            const bool declares = d.kind == "prototype" || d.kind == "externvar";
            drafts_.push_back({std::move(snippet), d.name(), declares});
        }
    }

    /// The last line of definition `i` with what stands directly below it, such as `#endif`; after
    /// the last definition, with all that is left.
    int end_of(size_t i) const {
        const bool is_final = i + 1 == definitions_.size();
        const int limit =
            is_final ? count() - (guard_end() > 0 ? 1 : 0) : definitions_[i + 1].first - 1;
        const int around = owner_of(definitions_[i]);
        int last = definitions_[i].last;
        while (last + 1 <= limit && (is_final || !is_blank(text(last + 1))) &&
               is_loose(last + 1, around))
            ++last;
        return last;
    }

    bool all_new(const Definition& d) const {
        for (int number = d.first; number <= d.last; ++number)
            if (!is_blank(text(number)) && !is_new(number)) return false;
        return true;
    }

    /// The innermost block standing alone that holds all of a definition.
    int owner_of(const Definition& d) const {
        int region = owner(d.start);
        while (region >= 0 && !(file_.regions[region].contains(origin(d.first)) &&
                                file_.regions[region].contains(origin(d.last))))
            region = owner_around(region);
        return region;
    }

    Lines removed_by(const Definition& d) const {
        for (const Region& region : file_.regions)
            if (region.kind == Region::Kind::definition && region.contains(origin(d.start)))
                return removed_by(region);
        return {};
    }

    /// The lines that lived until this stage in the place of `region`.
    Lines removed_by(const Region& region) const {
        Lines removed;
        if (region.replaces < 0) return removed;
        const Region& old = file_.regions[region.replaces];
        for (int line = old.first; line <= old.last; ++line)
            if (!file_.is_mark[line - 1] && file_.life_of(line).contains(stage_ - 1))
                removed.push_back(file_.lines[line - 1]);
        return removed;
    }

    void take_blocks() {
        for (size_t i = 0; i < file_.regions.size(); ++i) {
            const Region& region = file_.regions[i];
            if (!alone_[i] || region.life.from != stage_) continue;
            int first = 0;
            int last = 0;
            for (int number = 1; number <= count(); ++number) {
                if (!region.contains(origin(number))) continue;
                if (first == 0) first = number;
                last = number;
            }
            if (first == 0) continue;
            Snippet snippet = start(Snippet::Kind::marker, region.name);
            snippet.region = static_cast<int>(i);
            show(snippet, first, last, static_cast<int>(i));
            snippet.removed = removed_by(region);
            add_context(snippet);
            drafts_.push_back({std::move(snippet), "", false});
        }
    }

    /// The lines around a block: within its definition, or else those that touch it.
    void add_context(Snippet& snippet) const {
        int low = snippet.first_line;
        int high = snippet.last_line;
        const auto around =
            std::find_if(definitions_.begin(), definitions_.end(), [&](const Definition& d) {
                return d.start <= snippet.first_line && snippet.last_line <= d.last &&
                       (d.start < snippet.first_line || snippet.last_line < d.last);
            });
        if (around != definitions_.end()) {
            if (around->kind == "function" || around->kind == "call")
                snippet.function = around->name();
            else if (around->kind != "macro")  // a run of macros has no name of its own
                snippet.function = around->kind + " " + around->name();
            low = std::max(around->start, low - kContext);
            high = std::min(around->last, high + kContext);
        } else {
            while (low > 1 && low > snippet.first_line - kContext && !is_blank(text(low - 1)))
                --low;
            while (high < count() && high < snippet.last_line + kContext &&
                   !is_blank(text(high + 1)))
                ++high;
        }
        while (low < snippet.first_line && is_blank(text(low))) ++low;
        while (high > snippet.last_line && is_blank(text(high))) --high;
        for (int number = low; number < snippet.first_line; ++number)
            snippet.before.push_back(text(number));
        for (int number = snippet.last_line + 1; number <= high; ++number)
            snippet.after.push_back(text(number));
    }

    const SourceFile& file_;
    std::string version_;
    Tagger& tagger_;
    std::vector<Draft>& drafts_;
    std::vector<bool> alone_;
    const StageFile* cut_ = nullptr;
    int stage_ = 0;
    std::vector<Definition> definitions_;
};

/// Kbuild and Makefile: whole in the first stage, later what changed, as `Kbuild@02`.
void take_template(const Template& from, const std::vector<StageTree>& trees,
                   const Manifest& manifest, std::vector<Draft>& drafts) {
    Lines old;
    for (const StageTree& tree : trees) {
        const StageFile& file = *tree.find(from.name);
        const Lines now = file.texts();
        if (tree.stage > 0 && now == old) continue;
        const bool is_first = tree.stage == 0;
        const auto shortest = std::min(old.size(), now.size());
        size_t head = 0;
        while (head < shortest && old[head] == now[head]) ++head;
        size_t tail = 0;
        while (tail < shortest - head && old[old.size() - 1 - tail] == now[now.size() - 1 - tail])
            ++tail;
        Snippet snippet;
        snippet.id = is_first ? from.name : from.name + "@" + manifest.stages[tree.stage].number;
        snippet.kind = Snippet::Kind::file;
        snippet.file = from.name;
        snippet.path = from.path;
        snippet.stage = tree.stage;
        snippet.first_line = static_cast<int>(head) + 1;
        snippet.last_line = static_cast<int>(now.size() - tail);
        const auto at = [](const Lines& lines, size_t i) {
            return lines.begin() + static_cast<std::ptrdiff_t>(i);
        };
        snippet.lines.assign(at(now, head), at(now, now.size() - tail));
        snippet.removed.assign(at(old, head), at(old, old.size() - tail));
        snippet.before.assign(at(now, head - std::min<size_t>(head, kContext)), at(now, head));
        snippet.after.assign(at(now, now.size() - tail),
                             at(now, now.size() - tail + std::min<size_t>(tail, kContext)));
        if (is_first)
            // A wrapped line of the template is several lines here.
            for (const StageLine& line : file.lines)
                if (snippet.covers.empty() || snippet.covers.back() != line.source_line)
                    snippet.covers.push_back(line.source_line);
        drafts.push_back({std::move(snippet), "", false});
        old = now;
    }
}

/// Gives symbols their ids: the bare name where it is clear which one is meant, `file:name` where
/// several files have one, `name@02` for another version that a later stage brings.
void settle_ids(std::vector<Draft>& drafts, const Manifest& manifest) {
    std::map<std::string, std::vector<Draft*>> by_name;
    for (Draft& draft : drafts)
        if (!draft.name.empty()) by_name[draft.name].push_back(&draft);
    std::set<std::string> taken;
    for (const Draft& draft : drafts) taken.insert(draft.snippet.id);
    for (auto& [name, same] : by_name) {
        std::stable_sort(same.begin(), same.end(), [](const Draft* a, const Draft* b) {
            return a->snippet.stage < b->snippet.stage;
        });
        const bool defined =
            std::any_of(same.begin(), same.end(), [](const Draft* d) { return !d->declares; });
        std::set<std::string> files;
        for (const Draft* draft : same)
            if (!defined || !draft->declares) files.insert(draft->snippet.file);
        for (Draft* draft : same) {
            const bool bare = files.size() == 1 && (!defined || !draft->declares);
            const std::string base = bare ? name : draft->snippet.file + ":" + name;
            std::string id = base;
            if (taken.contains(id)) id = base + "@" + manifest.stages[draft->snippet.stage].number;
            for (int i = 2; taken.contains(id); ++i) id = fmt::format("{}-{}", base, i);
            draft->snippet.id = id;
            taken.insert(id);
        }
    }
}

/// "@07" for a file that takes the place of one with the same name, else nothing.
std::string version_of(const SourceFile& file, const Source& source) {
    for (const SourceFile& other : source.files)
        if (other.name == file.name && other.life.from < file.life.from)
            return "@" + source.manifest.stages[file.life.from].number;
    return "";
}

}  // namespace

std::vector<Snippet> weave(const Source& source, const std::vector<StageTree>& trees,
                           Tagger& tagger) {
    std::vector<Draft> drafts;
    for (const SourceFile& file : source.files) {
        FileWeaver weaver(file, version_of(file, source), tagger, drafts);
        std::string before;
        for (const StageTree& tree : trees) {
            if (!file.life.contains(tree.stage)) continue;
            const StageFile* cut = tree.find(file.name);
            std::string text = cut->text();
            if (tree.stage != file.life.from && text == before) continue;
            weaver.take(*cut, tree.stage);
            before = std::move(text);
        }
    }
    for (const Template& from : source.templates)
        take_template(from, trees, source.manifest, drafts);
    settle_ids(drafts, source.manifest);
    std::vector<Snippet> snippets;
    snippets.reserve(drafts.size());
    for (Draft& draft : drafts) snippets.push_back(std::move(draft.snippet));
    std::sort(snippets.begin(), snippets.end(),
              [](const Snippet& a, const Snippet& b) { return a.id < b.id; });
    return snippets;
}

}  // namespace fwts::loom
