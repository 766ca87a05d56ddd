// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>

#include "patch.h"
#include "stage_writer.h"
#include "test_fixture.h"

namespace fwts::loom {
namespace {

using loom::testing::Driver;

TEST(LoomTangle, FileLifetime) {
    Driver driver;
    driver.file("a.c", "int a;\n", "02..03").file("b.c", "int b;\n");
    EXPECT_EQ(driver.cut("a.c", 0), "(absent)");
    EXPECT_EQ(driver.cut("a.c", 1), "int a;\n");
    EXPECT_EQ(driver.cut("a.c", 2), "(absent)");
    EXPECT_EQ(driver.cut("Kbuild", 0), "igbook-y := b.o\n");
    EXPECT_EQ(driver.cut("Kbuild", 1), "igbook-y := a.o b.o\n");
    EXPECT_EQ(driver.cut("Makefile", 1), "# 02 two: T2\n");
}

TEST(LoomTangle, LongObjectListIsWrapped) {
    Driver driver;
    for (int i = 0; i < 12; ++i) driver.file(fmt::format("igbook_part{}.c", i), "int a;\n");
    for (const std::string& line : split_lines(driver.cut("Kbuild", 0)))
        EXPECT_LE(line.size(), 80U);
    EXPECT_NE(driver.cut("Kbuild", 0).find("igbook_part11.o\n"), std::string::npos);
}

TEST(LoomTangle, DefinitionWithItsCommentAndCallBelow) {
    Driver driver;
    driver.file(
        "a.c",
        "int a;\n\n/* loom: from 02 until 03 */\n/**\n * doc\n */\n"
        "static const struct id t[] = {\n\t{ 1 },\n\t{ }\n};\nMODULE_DEVICE_TABLE(pci, t);\n"
        "\nint z;\n");
    EXPECT_EQ(driver.cut("a.c", 0), "int a;\n\nint z;\n");
    EXPECT_EQ(driver.cut("a.c", 1),
              "int a;\n\n/**\n * doc\n */\nstatic const struct id t[] = {\n\t{ 1 },\n\t{ }\n};\n"
              "MODULE_DEVICE_TABLE(pci, t);\n\nint z;\n");
    EXPECT_EQ(driver.cut("a.c", 2), "int a;\n\nint z;\n");
}

TEST(LoomTangle, MarkBetweenCommentAndDefinition) {
    Driver driver;
    driver.file("a.c",
                "int a;\n\n/* doc */\n/* loom: from 02 */\nint f(void)\n{\n\treturn 1;\n}\n");
    EXPECT_EQ(driver.cut("a.c", 0), "int a;\n");
    EXPECT_EQ(driver.cut("a.c", 1), "int a;\n\n/* doc */\nint f(void)\n{\n\treturn 1;\n}\n");
}

TEST(LoomTangle, ReplacedLines) {
    Driver driver;
    driver.file("a.c",
                "int f(void)\n{\n#if 0 /* loom: begin old from 01 until 03 */\n\treturn 1;\n"
                "#endif /* loom: end old */\n\t/* loom: begin new from 03 */\n\treturn 2;\n"
                "\t/* loom: end new */\n}\n");
    EXPECT_EQ(driver.cut("a.c", 1), "int f(void)\n{\n\treturn 1;\n}\n");
    EXPECT_EQ(driver.cut("a.c", 2), "int f(void)\n{\n\treturn 2;\n}\n");
}

TEST(LoomTangle, ReplacedSignature) {
    Driver driver;
    driver.file("a.c",
                "#if 0 /* loom: begin old until 02 */\nint f(int a)\n#endif /* loom: end old */\n"
                "/* loom: begin new from 02 */\nint f(long a)\n/* loom: end new */\n{\n"
                "\treturn 2;\n}\n");
    EXPECT_EQ(driver.cut("a.c", 0), "int f(int a)\n{\n\treturn 2;\n}\n");
    EXPECT_EQ(driver.cut("a.c", 1), "int f(long a)\n{\n\treturn 2;\n}\n");
}

TEST(LoomTangle, BlankLinesCloseUp) {
    Driver driver;
    driver.file("a.c",
                "struct s {\n\t/* loom: begin x from 02 */\n\tint a;\n\t/* loom: end x */\n\n"
                "\tint b;\n\n\t/* loom: begin y from 02 */\n\tint c;\n\t/* loom: end y */\n\n"
                "\tint d;\n\n\t/* loom: begin z from 02 */\n\tint e;\n\t/* loom: end z */\n};\n"
                "\n/* loom: from 02 */\nint last;\n");
    EXPECT_EQ(driver.cut("a.c", 0), "struct s {\n\tint b;\n\n\tint d;\n};\n");
}

TEST(LoomTangle, NestedBlocks) {
    Driver driver;
    driver.file("a.c",
                "/* loom: begin x from 02 */\nint a;\n/* loom: begin y from 03 */\nint b;\n"
                "/* loom: end y */\n/* loom: end x */\nint c;\n");
    EXPECT_EQ(driver.cut("a.c", 0), "int c;\n");
    EXPECT_EQ(driver.cut("a.c", 1), "int a;\nint c;\n");
    EXPECT_EQ(driver.cut("a.c", 2), "int a;\nint b;\nint c;\n");
}

TEST(LoomPatch, CountsAndContext) {
    EXPECT_EQ(diff_lines({"1", "2", "3", "4", "5", "6"}, {"1", "2", "3", "4", "x", "6"}),
              "@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n");
    EXPECT_EQ(diff_lines({}, {"a"}), "@@ -0,0 +1 @@\n+a\n");
    EXPECT_EQ(diff_lines({"a", "b"}, {}), "@@ -1,2 +0,0 @@\n-a\n-b\n");
    EXPECT_EQ(diff_lines({"a"}, {"a"}), "");
}

TEST(LoomPatch, Colours) {
    EXPECT_EQ(coloured("-a\n+b\n c\n"), "\033[31m-a\033[m\n\033[32m+b\033[m\n c\n");
}

/// Writes all three stages of a driver below "o".
std::vector<WriteReport> write_all(Driver& driver) {
    const Source source = driver.read();
    const auto trees = tangle_all(source);
    std::vector<WriteReport> reports;
    for (const StageTree& tree : trees)
        reports.push_back(write_stage(driver.disk, "o", source.manifest.stages[tree.stage], tree,
                                      tree.stage == 0 ? nullptr : &trees[tree.stage - 1]));
    return reports;
}

TEST(LoomStageWriter, SecondRunWritesNothing) {
    Driver driver;
    driver.file("a.c", "int a;\n").file("b.c", "int b;\n", "02");
    write_all(driver);
    const int writes = driver.disk.writes;
    for (const WriteReport& report : write_all(driver)) EXPECT_EQ(report.written, 0);
    EXPECT_EQ(driver.disk.writes, writes);
}

TEST(LoomStageWriter, OnlyTheChangedFileIsWritten) {
    Driver driver;
    driver.file("a.c", "int a;\n").file("b.c", "int b;\n");
    write_all(driver);
    driver.disk.files["d/b.c"] = "int bb;\n";
    const auto reports = write_all(driver);
    EXPECT_EQ(reports[0].written, 1);
    EXPECT_EQ(driver.disk.files["o/01-one/b.c"], "int bb;\n");
}

TEST(LoomStageWriter, RemovesItsOwnStaleFilesAndNoOthers) {
    Driver driver;
    driver.file("a.c", "int a;\n").file("b.c", "int b;\n");
    write_all(driver);
    driver.disk.files["o/01-one/a.o"] = "built";
    Driver smaller;
    smaller.file("a.c", "int a;\n");
    smaller.disk.files.insert(driver.disk.files.lower_bound("o/"), driver.disk.files.end());
    EXPECT_EQ(write_all(smaller)[0].removed, 1);
    EXPECT_FALSE(smaller.disk.files.contains("o/01-one/b.c"));
    EXPECT_EQ(smaller.disk.files["o/01-one/a.o"], "built");
}

TEST(LoomStageWriter, WillNotOverwriteAStranger) {
    Driver driver;
    driver.file("a.c", "int a;\n").disk.files["o/01-one/a.c"] = "mine";
    try {
        write_all(driver);
        FAIL() << "the stranger's file was overwritten";
    } catch (const Failure& failure) {
        EXPECT_STREQ(failure.what(),
                     "o/01-one/a.c: error: is in the way and was not written by loom; move it "
                     "elsewhere or remove it");
    }
    EXPECT_EQ(driver.disk.files["o/01-one/a.c"], "mine");
}

TEST(LoomStageWriter, ClearsADirectoryThatIsNoStageAnyMore) {
    Driver driver;
    driver.file("a.c", "int a;\n");
    driver.disk.files["o/09-gone/.loom-manifest"] = "a.c\n../../d/a.c\n";
    driver.disk.files["o/09-gone/a.c"] = "old";
    driver.disk.files["o/09-gone/note"] = "mine";
    const auto reports = remove_stale_stages(driver.disk, "o", driver.read().manifest);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_FALSE(driver.disk.files.contains("o/09-gone/a.c"));
    EXPECT_TRUE(driver.disk.files.contains("o/09-gone/note"));
    EXPECT_TRUE(driver.disk.files.contains("d/a.c"));
}

}  // namespace
}  // namespace fwts::loom
