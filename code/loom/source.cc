// SPDX-License-Identifier: GPL-2.0
#include "source.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace fwts::loom {

namespace {

/// Builds the regions of one file from its marks.
class Reader {
  public:
    Reader(const Manifest& manifest, SourceFile& file, std::vector<Cut> cuts, Errors& errors)
        : manifest_(manifest), file_(file), cuts_(std::move(cuts)), errors_(errors) {}

    void read(Tagger& tagger, std::map<std::string, std::string>& names) {
        const size_t before = errors_.size();
        collect_marks();
        open_blocks(names);
        if (errors_.size() != before) return;
        const Lines view = visible_lines();
        definitions_ = find_definitions(view, tagger.tags(join_lines(view)));
        place_definition_marks();
        for (const Cut& cut : cuts_) place_cut(cut, names);
        if (errors_.size() != before) return;
        check_blocks_against_definitions();
        nest();
        resolve_lifetimes();
        link_replacements();
        if (errors_.size() == before) check_use(names);
    }

  private:
    void complain(int line, std::string what, std::string what_to_do) {
        errors_.push_back({file_.path, line, std::move(what), std::move(what_to_do)});
    }

    int count() const { return static_cast<int>(file_.lines.size()); }

    bool is_empty(int line) const {
        return file_.is_mark[line - 1] || is_blank(file_.lines[line - 1]);
    }

    void collect_marks() {
        file_.is_mark.assign(file_.lines.size(), false);
        for (int number = 1; number <= count(); ++number) {
            const std::string& line = file_.lines[number - 1];
            if (!mentions_loom(line)) continue;
            file_.is_mark[number - 1] = true;
            if (auto mark = parse_mark(line, file_.path, number, errors_))
                marks_.push_back(std::move(*mark));
        }
    }

    void open_blocks(std::map<std::string, std::string>& names) {
        std::vector<const Mark*> open;
        for (const Mark& mark : marks_) {
            if (mark.kind == Mark::Kind::begin) {
                const auto place = fmt::format("{}:{}", file_.path, mark.line);
                const auto [seen, fresh] = names.emplace(mark.name, place);
                if (!fresh)
                    complain(mark.line, fmt::format("duplicate marker '{}'", mark.name),
                             fmt::format("choose another name; it is taken at {}", seen->second));
                open.push_back(&mark);
            } else if (mark.kind == Mark::Kind::end) {
                close_block(mark, open);
            }
        }
        for (const Mark* mark : open)
            complain(mark->line,
                     fmt::format("unbalanced marker: 'begin {}' has no end", mark->name),
                     fmt::format("add /* loom: end {} */ below it", mark->name));
    }

    void close_block(const Mark& mark, std::vector<const Mark*>& open) {
        const auto found = std::find_if(
            open.begin(), open.end(), [&](const Mark* begin) { return begin->name == mark.name; });
        if (found == open.end()) {
            complain_about_stray_end(mark);
            return;
        }
        const Mark& begin = **found;
        if (found + 1 != open.end())
            complain(mark.line,
                     fmt::format("misordered marker: 'end {}' comes before 'end {}'", mark.name,
                                 open.back()->name),
                     fmt::format("end {}, begun at line {}, first", open.back()->name,
                                 open.back()->line));
        if (begin.hidden != mark.hidden)
            complain(
                mark.line,
                fmt::format("unbalanced marker: only one end of '{}' stands on #if 0 or #endif",
                            mark.name),
                "write #if 0 /* loom: begin … */ and #endif /* loom: end … */ together");
        add_block(begin, mark.line);
        open.erase(found);
    }

    void complain_about_stray_end(const Mark& mark) {
        const auto later = std::find_if(marks_.begin(), marks_.end(), [&](const Mark& other) {
            return other.kind == Mark::Kind::begin && other.name == mark.name &&
                   other.line > mark.line;
        });
        if (later != marks_.end())
            complain(mark.line,
                     fmt::format("misordered marker: 'end {}' stands above its begin", mark.name),
                     fmt::format("move it below line {}", later->line));
        else
            complain(mark.line, fmt::format("unbalanced marker: 'end {}' has no begin", mark.name),
                     fmt::format("add /* loom: begin {} */ above it, or remove it", mark.name));
    }

    void add_block(const Mark& begin, int end_line) {
        Region region;
        region.name = begin.name;
        region.mark_line = begin.line;
        region.hidden = begin.hidden;
        region.first = begin.line + 1;
        region.last = end_line - 1;
        while (region.first <= region.last && is_empty(region.first)) ++region.first;
        while (region.last >= region.first && is_empty(region.last)) --region.last;
        if (region.first > region.last) {
            complain(begin.line, fmt::format("unused marker '{}': it holds no lines", begin.name),
                     "put lines between its begin and its end, or remove both");
            return;
        }
        // The marks' lines and blank lines at the ends go with the block: they vanish with it.
        region.first = begin.line + 1;
        region.last = end_line - 1;
        add(region, &begin);
    }

    void add(const Region& region, const Mark* mark) {
        file_.regions.push_back(region);
        mark_of_[region.mark_line] = mark;
    }

    /// The file as ctags is to see it: the final driver, its line numbers kept. Marks above a
    /// definition stay, being comments; the rest of loom's lines are blank.
    Lines visible_lines() const {
        Lines view = file_.lines;
        for (const Mark& mark : marks_)
            if (mark.kind != Mark::Kind::lifetime) view[mark.line - 1].clear();
        for (const Region& region : file_.regions)
            if (region.hidden)
                for (int line = region.first; line <= region.last; ++line) view[line - 1].clear();
        return view;
    }

    void place_definition_marks() {
        std::set<int> marked;
        for (const Mark& mark : marks_) {
            if (mark.kind != Mark::Kind::lifetime) continue;
            const auto found =
                std::find_if(definitions_.begin(), definitions_.end(),
                             [&](const Definition& d) { return d.contains(mark.line); });
            if (found == definitions_.end()) {
                complain(mark.line, "misplaced marker: no definition begins directly below it",
                         "move it to the line above a definition or its comment, or put begin/end "
                         "around the lines");
            } else if (mark.line > found->start) {
                complain(mark.line,
                         fmt::format("misplaced marker: it stands inside {}", found->name()),
                         "inside a definition, put begin NAME and end NAME around the lines");
            } else if (!marked.insert(found->first).second) {
                complain(mark.line, fmt::format("duplicate marker: {} has one", found->name()),
                         "remove one of them");
            } else {
                Region region;
                region.kind = Region::Kind::definition;
                region.name = found->name();
                region.first = found->first;
                region.last = found->last;
                region.mark_line = mark.line;
                add(region, &mark);
            }
        }
    }

    void place_cut(const Cut& cut, std::map<std::string, std::string>& names) {
        const auto complain_of = [&](std::string what, std::string what_to_do) {
            errors_.push_back({cut.path, cut.line, std::move(what), std::move(what_to_do)});
        };
        const auto [seen, fresh] =
            names.emplace(cut.name, fmt::format("{}:{}", cut.path, cut.line));
        if (!fresh) {
            complain_of(fmt::format("snippet '{}' has a place already", cut.name),
                        fmt::format("choose another name; it is taken at {}", seen->second));
            return;
        }
        int begin = 1;
        int end = count();
        if (!cut.symbol.empty()) {
            const auto found =
                std::find_if(definitions_.begin(), definitions_.end(),
                             [&](const Definition& d) { return d.name() == cut.symbol; });
            if (found == definitions_.end()) {
                complain_of(fmt::format("{} defines no '{}'", file_.name, cut.symbol),
                            "let :of: name a definition of the file, or the file alone");
                return;
            }
            begin = found->first;
            end = found->last;
        }
        const auto next = [&](const std::string& text, int line) {
            while (line <= end && (file_.is_mark[line - 1] ||
                                   file_.lines[line - 1].find(text) == std::string::npos))
                ++line;
            return line;
        };
        const int first = next(cut.from, begin);
        if (first > end || next(cut.from, first + 1) <= end) {
            complain_of(fmt::format("'{}' stands in {} of {}", cut.from,
                                    first > end ? "no line" : "more than one line", file_.name),
                        "let :from: say what only the first line has");
            return;
        }
        const int last = cut.to.empty() ? first : next(cut.to, first);
        if (last > end) {
            complain_of(fmt::format("'{}' stands in no line of {} from line {} on", cut.to,
                                    file_.name, first),
                        "let :to: say what the last line has");
            return;
        }
        if (mark_of_.contains(first)) {
            complain_of(fmt::format("'{}' begins in line {} of {}, as another snippet does",
                                    cut.name, first, file_.name),
                        "let one of them begin elsewhere");
            return;
        }
        Region region;
        region.name = cut.name;
        region.mark_line = first;
        region.first = first;
        region.last = last;
        add(region, &without_lifetime_);
    }

    void check_blocks_against_definitions() {
        for (const Region& block : file_.regions) {
            if (block.kind != Region::Kind::block) continue;
            int first = block.first;
            int last = block.last;
            while (is_empty(first) && first < last) ++first;
            while (is_empty(last) && last > first) --last;
            for (const Definition& d : definitions_) {
                const bool apart = last < d.first || d.last < first;
                const bool inside = d.first <= first && last <= d.last;
                const bool around = first <= d.first && d.last <= last;
                if (!apart && !inside && !around)
                    complain(block.mark_line,
                             fmt::format("misordered marker: '{}' holds only a part of {}",
                                         block.name, d.name()),
                             fmt::format("let it lie within {0} or hold all of it (lines {1} to "
                                         "{2})",
                                         d.name(), d.first, d.last));
            }
        }
    }

    void nest() {
        std::vector<Region>& regions = file_.regions;
        std::sort(regions.begin(), regions.end(), [](const Region& a, const Region& b) {
            return std::pair(a.first, -a.last) < std::pair(b.first, -b.last);
        });
        file_.region_of.assign(file_.lines.size(), -1);
        for (int i = 0; i < static_cast<int>(regions.size()); ++i) {
            regions[i].parent = file_.region_of[regions[i].first - 1];
            for (int line = regions[i].first; line <= regions[i].last; ++line)
                file_.region_of[line - 1] = i;
        }
    }

    void resolve_lifetimes() {
        for (Region& region : file_.regions) {
            const Mark& mark = *mark_of_.at(region.mark_line);
            const Lifetime outer = file_.life_around(region);
            const size_t before = errors_.size();
            region.states_until = mark.until.has_value();
            region.life = resolve_lifetime(manifest_, mark.from, mark.until, outer, file_.path,
                                           mark.line, errors_);
            if (errors_.size() != before) continue;
            if (!region.life.within(outer)) {
                const std::string around =
                    region.parent < 0 ? file_.name : file_.regions[region.parent].name;
                complain(mark.line,
                         fmt::format("the lifetime of '{}' reaches beyond that of {} around it",
                                     region.name, around),
                         fmt::format("keep it within {}", describe(outer)));
                region.life = outer;
            }
        }
    }

    std::string describe(const Lifetime& life) const {
        std::string text = "from " + manifest_.stages[life.from].number;
        if (life.until != Lifetime::kForever)
            text += fmt::format(" until {}", manifest_.stages[life.until].number);
        return text;
    }

    /// A block that ends in stage N and, directly below it, what begins in stage N.
    void link_replacements() {
        for (size_t i = 0; i < file_.regions.size(); ++i) {
            Region& fresh = file_.regions[i];
            int above = fresh.kind == Region::Kind::block ? fresh.mark_line - 1 : fresh.first - 1;
            while (above > 0 && is_blank(file_.lines[above - 1])) --above;
            if (above <= 0 || !file_.is_mark[above - 1]) continue;
            for (size_t j = 0; j < file_.regions.size(); ++j) {
                const Region& old = file_.regions[j];
                if (old.kind == Region::Kind::block && old.last + 1 == above &&
                    old.parent == fresh.parent && old.life.until == fresh.life.from)
                    fresh.replaces = static_cast<int>(j);
            }
        }
    }

    void check_use(const std::map<std::string, std::string>& names) {
        for (const Region& region : file_.regions) {
            const Lifetime& outer = file_.life_around(region);
            if (region.kind == Region::Kind::definition && region.life == outer)
                complain(region.mark_line,
                         fmt::format("unused marker: {} lives {} without it", region.name,
                                     describe(outer)),
                         "remove the marker");
            const Mark& mark = *mark_of_.at(region.mark_line);
            if (region.kind == Region::Kind::block && !mark.from && !mark.until && mark.line > 0)
                complain(region.mark_line,
                         fmt::format("unused marker '{}': it says no stage", region.name),
                         "remove it; a chapter names lines by :of:, :from: and :to:");
            if (region.hidden && region.life.contains(manifest_.last_stage()))
                complain(region.mark_line,
                         fmt::format("'{}' is hidden by #if 0 but lives on in the last stage",
                                     region.name),
                         "say until which stage it lives, or drop #if 0 and #endif");
        }
        for (const Definition& d : definitions_)
            for (const std::string& name : d.names)
                if (const auto taken = names.find(name); taken != names.end())
                    complain(d.start, fmt::format("duplicate name: '{}' is also a marker", name),
                             fmt::format("rename the marker at {}", taken->second));
    }

    const Manifest& manifest_;
    SourceFile& file_;
    std::vector<Cut> cuts_;
    Errors& errors_;
    const Mark without_lifetime_{Mark::Kind::begin, 0, "", {}, {}, false};
    std::vector<Mark> marks_;
    std::map<int, const Mark*> mark_of_;
    std::vector<Definition> definitions_;
};

void read_template(Disk& disk, const std::string& directory, const std::string& name,
                   Source& source, Errors& errors) {
    const std::string path = directory + "/" + name + ".in";
    const auto text = disk.read(path);
    if (!text) {
        errors.push_back({path, 0, "is missing",
                          fmt::format("write it; each stage's {} is made from it", name)});
        return;
    }
    source.templates.push_back({name, path, split_lines(*text)});
}

bool is_driver_source(const std::string& name) {
    return name.ends_with(".c") || name.ends_with(".h");
}

void find_unlisted(Disk& disk, const std::string& directory, const Manifest& manifest,
                   Errors& errors) {
    std::set<std::string> listed;
    std::set<std::string> folders;
    for (const ManifestFile& file : manifest.files) {
        const std::string path = directory + "/" + file.place;
        listed.insert(path);
        folders.insert(path.substr(0, path.rfind('/')));
    }
    for (const std::string& folder : folders) {
        for (const std::string& name : disk.list(folder)) {
            const std::string path = fmt::format("{}/{}", folder, name);
            // What Kbuild generates beside a module that was built in place.
            if (!is_driver_source(name) || name.ends_with(".mod.c") || listed.contains(path))
                continue;
            errors.push_back(
                {path, 0, "is not listed in stages.toml",
                 fmt::format("add \"{}\" = \"NN\" to [files]", path.substr(directory.size() + 1))});
        }
    }
}

}  // namespace

SourceFile read_source_file(const Manifest& manifest, const ManifestFile& entry,
                            const std::string& path, std::string_view text, Tagger& tagger,
                            const std::vector<Cut>& cuts, std::map<std::string, std::string>& names,
                            Errors& errors) {
    SourceFile file;
    file.name = entry.name;
    file.path = path;
    file.life = entry.life;
    file.lines = split_lines(text);
    file.region_of.assign(file.lines.size(), -1);
    std::vector<Cut> own;
    std::copy_if(cuts.begin(), cuts.end(), std::back_inserter(own),
                 [&](const Cut& cut) { return cut.file == entry.place; });
    Reader(manifest, file, std::move(own), errors).read(tagger, names);
    return file;
}

Source read_source(Disk& disk, const std::string& directory, Tagger& tagger,
                   const std::vector<Cut>& cuts) {
    const std::string manifest_path = directory + "/stages.toml";
    const auto text = disk.read(manifest_path);
    if (!text)
        throw Failure({manifest_path, 0, "is missing",
                       "name the driver's directory with --source, or write the file"});
    Source source;
    source.manifest = parse_manifest(*text, manifest_path);
    Errors errors;
    std::map<std::string, std::string> names;
    for (const ManifestFile& entry : source.manifest.files) {
        const std::string path = directory + "/" + entry.place;
        if (const auto contents = disk.read(path))
            source.files.push_back(read_source_file(source.manifest, entry, path, *contents, tagger,
                                                    cuts, names, errors));
        else
            errors.push_back({manifest_path, entry.line,
                              fmt::format("{} is listed but not there", entry.place),
                              "write the file or remove the line"});
    }
    for (const Cut& cut : cuts)
        if (std::none_of(source.manifest.files.begin(), source.manifest.files.end(),
                         [&](const ManifestFile& entry) { return entry.place == cut.file; }))
            errors.push_back(
                {cut.path, cut.line,
                 fmt::format("snippet '{}': there is no file '{}'", cut.name, cut.file),
                 "name it as stages.toml does"});
    find_unlisted(disk, directory, source.manifest, errors);
    read_template(disk, directory, "Kbuild", source, errors);
    read_template(disk, directory, "Makefile", source, errors);
    throw_if_any(errors);
    return source;
}

}  // namespace fwts::loom
