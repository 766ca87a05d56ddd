// SPDX-License-Identifier: GPL-2.0
// Properties over random drivers. RapidCheck prints the seed of a failure; run it again with
// RC_PARAMS="seed=…".
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "patch.h"
#include "scratch.h"
#include "stage_writer.h"
#include "test_fixture.h"

namespace fwts::loom {
namespace {

using loom::testing::Driver;
using loom::testing::tagger;

/// A lifetime among three stages: from 0..2, until 1..3, where 3 is for ever.
Lifetime random_life(const Lifetime& outer) {
    const int last = std::min(outer.until, 3);
    const int from = *rc::gen::inRange(outer.from, last);
    const int until = *rc::gen::inRange(from + 1, last + 1);
    return {from, until};
}

std::string words(const Lifetime& life) {
    std::string text = fmt::format(" from 0{}", life.from + 1);
    if (life.until < 3) text += fmt::format(" until 0{}", life.until + 1);
    return text;
}

/// Writes random source and, beside it, says of each line when it lives.
class Author {
  public:
    struct Line {
        std::string text;
        Lifetime life;
    };

    void write_file(int size) {
        for (int i = 0; i < size; ++i) write_item();
        say("int last;", {0, 3});  // a file is never empty
    }

    std::string text;
    std::vector<Line> lines;

  private:
    std::string fresh(const char* stem) { return fmt::format("{}{}", stem, ++count_); }

    void say(const std::string& line, const Lifetime& life) {
        text += line + "\n";
        lines.push_back({line, life});
    }

    void write_item() {
        const Lifetime file{0, 3};
        switch (*rc::gen::inRange(0, 5)) {
            case 0:
                say("int " + fresh("v") + ";", file);
                break;
            case 1:
                say("", file);
                break;
            case 2: {
                const Lifetime life = random_life(file);
                if (life == file) return;
                text += "/* loom:" + words(life) + " */\n";
                write_function(life);
                break;
            }
            case 3:
                write_function(file);
                break;
            default: {
                const Lifetime life = random_life(file);
                const std::string name = fresh("b");
                text += "/* loom: begin " + name + words(life) + " */\n";
                say("int " + fresh("v") + ";", life);
                if (*rc::gen::arbitrary<bool>()) say("", life);
                write_function(life);
                text += "/* loom: end " + name + " */\n";
            }
        }
    }

    void write_function(const Lifetime& life) {
        say("int " + fresh("f") + "(void)", life);
        say("{", life);
        const int statements = *rc::gen::inRange(0, 4);
        for (int i = 0; i < statements; ++i) write_statement(life, 0);
        say("\treturn 0;", life);
        say("}", life);
    }

    void write_statement(const Lifetime& life, int depth) {
        const int kind = *rc::gen::inRange(0, depth > 2 ? 2 : 4);
        if (kind == 0) {
            say("", life);
        } else if (kind == 1) {
            say("\t" + fresh("call") + "();", life);
        } else {
            const Lifetime inner = random_life(life);
            // What is gone in the last stage is kept from the compiler.
            const bool hidden = inner.until < std::min(life.until, 3) && inner.until < 3;
            const std::string name = fresh("b");
            text += (hidden ? "#if 0 /* loom: begin " : "\t/* loom: begin ") + name + words(inner) +
                    " */\n";
            say("\t" + fresh("call") + "();", inner);
            if (!hidden) write_statement(inner, depth + 1);
            text += (hidden ? "#endif /* loom: end " : "\t/* loom: end ") + name + " */\n";
        }
    }

    int count_ = 0;
};

/// The model: keep what lives, then close up blank lines in the plainest way there is.
std::string naive(const Author& author, int stage) {
    std::string text = "\n";
    for (const Author::Line& line : author.lines)
        if (line.life.contains(stage)) text += line.text + "\n";
    const auto replace = [&](const std::string& what, const std::string& by) {
        for (size_t at = text.find(what); at != std::string::npos; at = text.find(what))
            text.replace(at, what.size(), by);
    };
    replace("\n\n\n", "\n\n");
    replace("{\n\n", "{\n");
    replace("\n\n}", "\n}");
    while (text.starts_with('\n')) text.erase(0, 1);
    while (text.ends_with("\n\n")) text.pop_back();
    return text == "\n" ? "" : text;
}

RC_GTEST_PROP(LoomProperty, TangleEqualsTheNaiveModel, ()) {
    Author author;
    author.write_file(*rc::gen::inRange(1, 12));
    Driver driver;
    driver.file("a.c", author.text);
    RC_LOG() << author.text;
    for (int stage = 0; stage < 3; ++stage)
        RC_ASSERT(driver.cut("a.c", stage) == naive(author, stage));
}

RC_GTEST_PROP(LoomProperty, EveryLineIsCoveredByAPieceOfTheStageThatBringsIt, ()) {
    Author author;
    author.write_file(*rc::gen::inRange(1, 12));
    Driver driver;
    driver.file("a.c", author.text);
    RC_LOG() << author.text;
    const Source source = driver.read();
    const SourceFile& file = source.files.at(0);
    std::set<int> covered;
    for (const Snippet& s : weave(source, tangle_all(source), tagger()))
        for (const int line : s.covers)
            if (s.file == "a.c" && file.life_of(line).from == s.stage) covered.insert(line);
    for (size_t i = 0; i < file.lines.size(); ++i)
        if (!file.is_mark[i] && !is_blank(file.lines[i]))
            RC_ASSERT(covered.contains(static_cast<int>(i) + 1));
}

/// What tells whether a file was written: its inode and time of change.
std::map<std::string, std::pair<ino_t, long long>> marks_of(const std::string& root) {
    std::map<std::string, std::pair<ino_t, long long>> marks;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        struct stat status = {};
        if (!entry.is_regular_file() || ::stat(entry.path().c_str(), &status) != 0) continue;
        marks[entry.path().string()] = {
            status.st_ino, status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
    }
    return marks;
}

void write_all(Disk& disk, const std::string& out, const Source& source) {
    const auto trees = tangle_all(source);
    for (const StageTree& tree : trees)
        write_stage(disk, out, source.manifest.stages[tree.stage], tree,
                    tree.stage == 0 ? nullptr : &trees[tree.stage - 1]);
}

Driver random_driver() {
    Driver driver;
    for (const char* name : {"a.c", "b.c", "c.c"}) {
        Author author;
        author.write_file(*rc::gen::inRange(1, 8));
        std::string text = author.text;
        // Block names are the driver's, not the file's.
        for (size_t at = text.find(" b"); at != std::string::npos; at = text.find(" b", at + 1))
            if (text.compare(at, 6, " begin") != 0) text.insert(at + 1, 1, *name);
        driver.file(name, text);
    }
    driver.file("late.c", "int late;\n", "02..03").file("gone.c", "int gone;\n", "01..02");
    return driver;
}

RC_GTEST_PROP(LoomProperty, TanglingTwiceTouchesNothing, ()) {
    Driver driver = random_driver();
    const Source source = driver.read();
    const Scratch scratch("loom-test");
    RealDisk disk;
    write_all(disk, scratch.path().string(), source);
    const auto before = marks_of(scratch.path().string());
    write_all(disk, scratch.path().string(), source);
    RC_ASSERT(marks_of(scratch.path().string()) == before);
}

std::map<std::string, std::string> sources_in(const std::string& directory) {
    std::map<std::string, std::string> texts;
    RealDisk disk;
    for (const std::string& name : disk.list(directory))
        if (name != kListName && name != kPatchName)
            texts[name] = disk.read(directory + "/" + name).value_or("");
    return texts;
}

RC_GTEST_PROP(LoomProperty, PatchesLeadFromTheFirstStageToTheLast, ()) {
    Driver driver = random_driver();
    const Source source = driver.read();
    const Scratch scratch("loom-test");
    RealDisk disk;
    write_all(disk, scratch.path().string(), source);
    const std::string work = scratch.path().string() + "/work";
    std::filesystem::copy(scratch.path().string() + "/01-one", work);
    std::filesystem::remove(work + "/" + kListName);
    for (const char* stage : {"02-two", "03-three"}) {
        const std::string command = fmt::format("patch -s -f -F0 -p1 -d {} < {}/{}/{}", work,
                                                scratch.path().string(), stage, kPatchName);
        RC_ASSERT(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c): as a reader would
        RC_ASSERT(sources_in(work) == sources_in(scratch.path().string() + "/" + stage));
    }
}

RC_GTEST_PROP(LoomProperty, MarkerSoupIsReadOrRefusedButNeverCrashes, ()) {
    const auto pieces = *rc::gen::resize(
        40, rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                "/* loom: begin x */\n", "/* loom: end x */\n", "/* loom: begin y from 02 */\n",
                "/* loom: end y */\n", "#if 0 /* loom: begin z until 02 */\n",
                "#endif /* loom: end z */\n", "/* loom: from 02 */\n", "/* loom: until 03 */\n",
                "/* loom: */\n", "int f(void)\n", "{\n", "}\n", "int a;\n", "\n", "#define A \\\n",
                "/*\n", "*/\n", "\"\n", "'\n", "#if 1\n", "#else\n", "#endif\n", "struct s {\n",
                "};\n", "(", ")\n", "// c\n", "MODULE_LICENSE(\"GPL\");\n", "enum { E }\n", "\\")));
    std::string text;
    for (const std::string& piece : pieces) text += piece;
    RC_LOG() << text;
    Driver driver;
    driver.file("a.c", text).chapter("c1", ".. snippet:: a.c\n");
    try {
        driver.check();
    } catch (const Failure& failure) {
        RC_ASSERT(!failure.errors().empty());
        for (const Error& error : failure.errors()) {
            RC_ASSERT(!error.what_to_do.empty());
            RC_ASSERT(error.file == "d/a.c");
        }
    }
}

}  // namespace
}  // namespace fwts::loom
