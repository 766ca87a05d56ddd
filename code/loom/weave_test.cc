// SPDX-License-Identifier: GPL-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "test_fixture.h"

namespace fwts::loom {
namespace {

using loom::testing::Driver;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kProbe =
    "// SPDX-License-Identifier: GPL-2.0\n#include <linux/module.h>\n\n"
    "/* doc */\nint probe(void)\n{\n\tint err;\n\n\terr = enable();\n"
    "\t/* loom: begin dma from 02 */\n\tmask();\n\t/* loom: end dma */\n"
    "#if 0 /* loom: begin old from 01 until 03 */\n\tpoll();\n#endif /* loom: end old */\n"
    "\t/* loom: begin irq from 03 */\n\tirq();\n\t/* loom: end irq */\n\treturn 0;\n}\n"
    "module_init(probe);\n";

constexpr const char* kEnable =
    ".. snippet:: enable\n   :of: a.c:probe\n   :from: err = enable();\n";

Driver probe() {
    Driver driver;
    driver.file("a.c", kProbe);
    driver.chapter("c1", kEnable);
    return driver;
}

TEST(LoomWeave, SymbolLeavesOutItsNamedBlocks) {
    const Snippet s = probe().weave().at("probe");
    EXPECT_EQ(s.stage, 0);
    EXPECT_THAT(s.lines, ElementsAre("/* doc */", "int probe(void)", "{", "\tint err;", "",
                                     "\t/* … enable … */", "\tpoll();", "\treturn 0;", "}",
                                     "module_init(probe);"));
    ASSERT_EQ(s.elided.size(), 1U);
    EXPECT_EQ(s.elided[0].line, 5);
    EXPECT_EQ(s.elided[0].id, "enable");
    EXPECT_EQ(s.first_line, 4);
    EXPECT_EQ(s.last_line, 13);
}

TEST(LoomWeave, BlockOfALaterStageHasContextAndLocator) {
    const Snippet s = probe().weave().at("dma");
    EXPECT_EQ(s.stage, 1);
    EXPECT_EQ(s.function, "probe");
    EXPECT_THAT(s.before, ElementsAre("\tint err;", "", "\terr = enable();"));
    EXPECT_THAT(s.lines, ElementsAre("\tmask();"));
    EXPECT_THAT(s.after, ElementsAre("\tpoll();", "\treturn 0;", "}"));
    EXPECT_THAT(s.removed, IsEmpty());
}

TEST(LoomWeave, ReplacingBlockTellsWhatItRemoves) {
    const auto all = probe().weave();
    EXPECT_THAT(all.at("irq").removed, ElementsAre("\tpoll();"));
    EXPECT_FALSE(all.contains("old")) << "lines of the same stage are shown with the function";
}

TEST(LoomWeave, HeadAndWholeFile) {
    const auto all = probe().weave();
    EXPECT_THAT(all.at("a.c:head").lines,
                ElementsAre("// SPDX-License-Identifier: GPL-2.0", "#include <linux/module.h>"));
    EXPECT_EQ(all.at("a.c").lines.size(), 13U);
}

TEST(LoomWeave, HeadOfAHeaderHoldsItsGuard) {
    Driver driver;
    driver.file("a.h", "#ifndef A_H\n#define A_H\n\nstruct s {\n\tint a;\n};\n\n#endif\n");
    const Snippet s = driver.weave().at("a.h:head");
    EXPECT_THAT(s.lines, ElementsAre("#ifndef A_H", "#define A_H", "", "/* … */", "", "#endif"));
    EXPECT_EQ(s.elided[0].id, "");
    EXPECT_THAT(driver.weave().at("s").lines, ElementsAre("struct s {", "\tint a;", "};"));
}

TEST(LoomWeave, FieldsNameTheirStruct) {
    Driver driver;
    driver.file("a.h",
                "struct s {\n\tint a;\n\t/* loom: begin b from 02 */\n\tint b;\n"
                "\t/* loom: end b */\n};\n");
    EXPECT_EQ(driver.weave().at("b").function, "struct s");
}

TEST(LoomWeave, AVariableIsNoFunctionAndARunOfMacrosHasNoName) {
    Driver driver;
    driver.file("a.c",
                "static const struct ops ops = {\n\t.a = 1,\n\t/* loom: begin b from 02 */\n"
                "\t.b = 2,\n\t/* loom: end b */\n};\n");
    driver.file("a.h",
                "#define A 1\n/* loom: begin c from 02 */\n#define C 3\n/* loom: end c */\n"
                "#define D 4\n");
    const auto all = driver.weave();
    EXPECT_EQ(all.at("b").function, "variable ops");
    EXPECT_EQ(all.at("c").function, "");
}

TEST(LoomWeave, PrototypeYieldsItsNameToTheFunction) {
    Driver driver;
    driver.file("a.h", "int f(void);\n").file("a.c", "int f(void)\n{\n\treturn 1;\n}\n");
    const auto all = driver.weave();
    EXPECT_EQ(all.at("f").file, "a.c");
    EXPECT_EQ(all.at("a.h:f").file, "a.h");
}

TEST(LoomWeave, SameStaticNameInTwoFiles) {
    Driver driver;
    driver.file("a.c", "static int f(void)\n{\n\treturn 1;\n}\n");
    driver.file("b.c", "static int f(void)\n{\n\treturn 2;\n}\n");
    const auto all = driver.weave();
    EXPECT_TRUE(all.contains("a.c:f"));
    EXPECT_TRUE(all.contains("b.c:f"));
    EXPECT_FALSE(all.contains("f"));
}

TEST(LoomWeave, AnotherVersionOfAFunction) {
    Driver driver;
    driver.file("a.c",
                "#if 0 /* loom: begin old until 02 */\nint f(void)\n{\n\treturn 1;\n}\n"
                "#endif /* loom: end old */\n/* loom: from 02 */\nint f(void)\n{\n"
                "\treturn 2;\n}\n");
    const auto all = driver.weave();
    EXPECT_EQ(all.at("f").stage, 0);
    EXPECT_EQ(all.at("f@02").stage, 1);
    EXPECT_THAT(all.at("f@02").removed, ElementsAre("int f(void)", "{", "\treturn 1;", "}"));
}

TEST(LoomWeave, AdjacentMacrosAreOnePiece) {
    Driver driver;
    driver.file("a.h", "/* bits */\n#define A 1\n#define B 2\n\n#define C 3\n");
    const auto all = driver.weave();
    EXPECT_THAT(all.at("A").lines, ElementsAre("/* bits */", "#define A 1", "#define B 2"));
    EXPECT_FALSE(all.contains("B"));
    EXPECT_TRUE(all.contains("C"));
}

TEST(LoomWeave, EveryKindOfDefinition) {
    Driver driver;
    driver.file("a.c",
                "#define M(x) \\\n\tdo { \\\n\t} while (0)\n\nunion u {\n\tint a;\n};\n\n"
                "enum { FIRST, SECOND };\n\ntypedef struct {\n\tint b;\n} t_t;\n\n"
                "static DEFINE_MUTEX(lock);\n\nint arr[] = {\n\t1,\n};\n\n"
                "static int\nold_style(int a)\n\t__must_hold(&lock)\n{\n\treturn a;\n}\n\n"
                "module_pci_driver(drv);\n");
    const auto all = driver.weave();
    for (const char* id : {"M", "u", "FIRST", "t_t", "lock", "arr", "module_pci_driver"})
        EXPECT_TRUE(all.contains(id)) << id;
    EXPECT_EQ(all.at("old_style").lines.front(), "static int");
    EXPECT_EQ(all.at("M").lines.size(), 3U);
}

TEST(LoomWeave, ChangedKbuildIsAPieceOfItsStage) {
    Driver driver;
    driver.file("a.c", "int a;\n").file("b.c", "int b;\n", "02");
    const auto all = driver.weave();
    EXPECT_THAT(all.at("Kbuild").lines, ElementsAre("igbook-y := a.o"));
    EXPECT_THAT(all.at("Kbuild@02").lines, ElementsAre("igbook-y := a.o b.o"));
    EXPECT_THAT(all.at("Kbuild@02").removed, ElementsAre("igbook-y := a.o"));
    EXPECT_FALSE(all.contains("Kbuild@03"));
}

TEST(LoomWeave, Json) {
    Driver driver = probe();
    const Source source = driver.read();
    const auto json = to_json(weave(source, tangle_all(source), loom::testing::tagger()),
                              source.manifest)["snippets"]["dma"];
    EXPECT_EQ(json["kind"], "marker");
    EXPECT_EQ(json["stage"], "02");
    EXPECT_EQ(json["function"], "probe");
    EXPECT_EQ(json["lines"][0], "\tmask();");
    EXPECT_EQ(json["first_line"], 10);
}

/// A book that shows the whole of kProbe.
Driver book() {
    Driver driver = probe();
    driver.chapter("c1",
                   ".. snippet:: Kbuild\n\n.. snippet:: Makefile\n\n.. snippet:: a.c:head\n\n"
                   ".. snippet:: probe\n\n" +
                       std::string(kEnable));
    driver.chapter("c2", ".. snippet:: dma\n");
    driver.chapter("c3", ".. snippet:: irq\n");
    return driver;
}

TEST(LoomCheck, CompleteBook) {
    EXPECT_EQ(book().check(), "");
}

TEST(LoomCheck, WrappedObjectListIsShownOnce) {
    Driver driver;
    std::string shown = ".. snippet:: Kbuild\n.. snippet:: Makefile\n";
    for (int i = 0; i < 12; ++i) {
        driver.file(fmt::format("igbook_part{}.c", i), "int a;\n");
        shown += fmt::format(".. snippet:: igbook_part{}.c\n", i);
    }
    driver.chapter("c1", shown).chapter("c2", "").chapter("c3", "");
    EXPECT_EQ(driver.check(), "");
}

TEST(LoomCheck, UnknownSnippet) {
    EXPECT_THAT(
        book().chapter("c2", "\n.. snippet:: dna\n").check(),
        HasSubstr("b/chapters/c2.rst:2: error: unknown snippet 'dna'; did you mean 'dma'?"));
}

TEST(LoomCheck, ShownTwice) {
    EXPECT_THAT(book().chapter("c2", ".. snippet:: dma\n\n.. snippet:: dma\n").check(),
                HasSubstr("b/chapters/c2.rst:3: error: snippet 'dma' is shown twice; remove it "
                          "here or at b/chapters/c2.rst:1"));
}

TEST(LoomCheck, InTheChapterOfAnotherStage) {
    EXPECT_THAT(
        book().chapter("c2", "x\n").chapter("c3", ".. snippet:: irq\n.. snippet:: dma\n").check(),
        HasSubstr("b/chapters/c3.rst:2: error: snippet 'dma' belongs to stage 02; move it "
                  "to b/chapters/c2.rst"));
}

TEST(LoomCheck, InAnAppendix) {
    EXPECT_EQ(book().chapter("c2", "x\n").appendix("rest", ".. snippet:: dma\n").check(), "");
}

TEST(LoomCheck, LineShownByTwoPieces) {
    EXPECT_THAT(book()
                    .chapter("c2", ".. snippet:: dma\n")
                    .chapter("c3",
                             ".. snippet:: irq\n\n"
                             ".. snippet:: a.c\n")
                    .check(),
                AllOf(HasSubstr("b/chapters/c3.rst:3: error: 'a.c' shows a.c line 1 again, which "
                                "'a.c:head' shows"),
                      HasSubstr("; show one of the two")));
}

TEST(LoomCheck, LinesThatNoChapterShows) {
    EXPECT_THAT(book().chapter("c2", "nothing\n").check(),
                HasSubstr("d/a.c:11: error: line 11 is shown in no chapter; add '.. snippet:: dma' "
                          "to b/chapters/c2.rst"));
    EXPECT_THAT(Driver(book()).chapter("c1", ".. snippet:: probe\n").check(),
                AllOf(HasSubstr("d/Kbuild.in:1: error: line 1 is shown in no chapter; add "
                                "'.. snippet:: Kbuild'"),
                      HasSubstr("d/a.c:1: error: lines 1-2 are shown in no chapter; add "
                                "'.. snippet:: a.c:head' to b/chapters/c1.rst")));
}

TEST(LoomWeave, LinesThatAChapterNames) {
    Driver driver;
    driver.file("a.h", "#define A 1\n#define B 2\n\n/* C */\n#define C 3\n");
    driver.chapter("c1",
                   ".. snippet:: upper\n   :of: a.h\n   :from: A\n   :to: B\n\n"
                   ".. snippet:: lower\n   :of: a.h\n   :from: /* C\n   :to: define C\n\n"
                   ".. snippet:: Kbuild\n.. snippet:: Makefile\n");
    driver.chapter("c2", "").chapter("c3", "");
    const auto all = driver.weave();
    EXPECT_THAT(all.at("upper").lines, ElementsAre("#define A 1", "#define B 2"));
    EXPECT_THAT(all.at("lower").lines, ElementsAre("/* C */", "#define C 3"));
    EXPECT_EQ(driver.check(), "");
}

TEST(LoomWeave, LinesThatCannotBeFound) {
    const auto complaint = [](const std::string& options) {
        Driver driver;
        driver.file("a.c", "int one;\n\nint f(void)\n{\n\treturn 1;\n}\n\nint two;\n");
        driver.chapter("c1", "text\n\n.. snippet:: some\n" + options);
        return driver.complaint();
    };
    const std::string place = "b/chapters/c1.rst:3: error: ";
    EXPECT_THAT(complaint("   :of: b.c\n   :from: int\n"),
                HasSubstr(place + "snippet 'some': there is no file 'b.c'; name it as"));
    EXPECT_THAT(complaint("   :of: a.c:g\n   :from: int\n"),
                HasSubstr(place + "a.c defines no 'g'; let :of: name"));
    EXPECT_THAT(complaint("   :of: a.c\n   :from: int\n"),
                HasSubstr(place + "'int' stands in more than one line of a.c; let :from:"));
    EXPECT_THAT(complaint("   :of: a.c:f\n   :from: two\n"),
                HasSubstr(place + "'two' stands in no line of a.c; let :from:"));
    EXPECT_THAT(complaint("   :of: a.c\n   :from: two\n   :to: one\n"),
                HasSubstr(place + "'one' stands in no line of a.c from line 8 on; let :to:"));
    EXPECT_THAT(complaint("   :of: a.c\n   :from: one\n   :to: return\n"),
                HasSubstr("'some' holds only a part of f"));
    EXPECT_THAT(complaint("   :of: a.c\n   :from: one\n\n.. snippet:: some\n   :of: a.c\n"
                          "   :from: two\n"),
                HasSubstr("b/chapters/c1.rst:7: error: snippet 'some' has a place already"));
    EXPECT_THAT(complaint("   :of: a.c\n   :from: one\n\n.. snippet:: other\n   :of: a.c\n"
                          "   :from: one\n   :to: two\n"),
                HasSubstr("'other' begins in line 1 of a.c, as another snippet does"));
}

TEST(LoomWeave, FileThatTakesThePlaceOfAnother) {
    Driver driver;
    driver.file("a.c", "/* new */\n#include \"a.h\"\n\nint f;\n", "03");
    driver.file("old/a.c", "/* old */\n#include \"a.h\"\n\nlong f;\n", "01..03");
    driver.chapter("c1",
                   ".. snippet:: a.c:head\n.. snippet:: f\n"
                   ".. snippet:: Kbuild\n.. snippet:: Makefile\n");
    driver.chapter("c2", "").chapter("c3", ".. snippet:: a.c:head@03\n.. snippet:: f@03\n");
    EXPECT_EQ(driver.cut("a.c", 1), "/* old */\n#include \"a.h\"\n\nlong f;\n");
    EXPECT_EQ(driver.cut("a.c", 2), "/* new */\n#include \"a.h\"\n\nint f;\n");
    EXPECT_EQ(driver.cut("Kbuild", 2), "igbook-y := a.o\n");
    const auto pieces = driver.weave();
    EXPECT_THAT(pieces.at("f").lines, ElementsAre("long f;"));
    EXPECT_THAT(pieces.at("f@03").lines, ElementsAre("int f;"));
    EXPECT_EQ(pieces.at("a.c@03").file, "a.c");
    EXPECT_EQ(driver.check(), "");
}

TEST(LoomCheck, MissingChapter) {
    Driver driver = book();
    driver.disk.files.erase("b/chapters/c3.rst");
    EXPECT_THAT(driver.check(), HasSubstr("d/stages.toml:11: error: the chapter of stage 03 is "
                                          "missing; write b/chapters/c3.rst"));
}

}  // namespace
}  // namespace fwts::loom
