// SPDX-License-Identifier: GPL-2.0
// Every fatal error of the marks and the manifest names the file, the line and what to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_fixture.h"

namespace fwts::loom {
namespace {

using loom::testing::Driver;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string complaint(const std::string& text, const std::string& life = "01") {
    return Driver().file("a.c", text, life).complaint();
}

TEST(LoomSource, PlainFileHasNoComplaint) {
    EXPECT_EQ(complaint("int a;\n"), "");
}

TEST(LoomSource, UnknownMarker) {
    EXPECT_THAT(complaint("int a;\n/* loom: form 02 */\nint b;\n"),
                AllOf(StartsWith("d/a.c:2: error: unknown marker '/* loom: form 02 */'"),
                      HasSubstr("; write /* loom: from 02")));
}

TEST(LoomSource, MarkerBesideCodeIsUnknown) {
    EXPECT_THAT(complaint("int a; /* loom: begin x */\n"), StartsWith("d/a.c:1: error: unknown"));
}

TEST(LoomSource, MarkerNameMustBeKebabCase) {
    EXPECT_THAT(complaint("/* loom: begin Big_Name */\nint a;\n/* loom: end Big_Name */\n"),
                StartsWith("d/a.c:1: error: unknown marker"));
}

TEST(LoomSource, BeginWithoutEnd) {
    EXPECT_THAT(complaint("int a;\n/* loom: begin x */\nint b;\n"),
                AllOf(HasSubstr("d/a.c:2: error: unbalanced marker: 'begin x' has no end"),
                      HasSubstr("; add /* loom: end x */ below it")));
}

TEST(LoomSource, EndWithoutBegin) {
    EXPECT_THAT(complaint("int a;\n/* loom: end x */\n"),
                AllOf(HasSubstr("d/a.c:2: error: unbalanced marker: 'end x' has no begin"),
                      HasSubstr("; add /* loom: begin x */ above it, or remove it")));
}

TEST(LoomSource, EndAboveItsBegin) {
    EXPECT_THAT(complaint("/* loom: end x */\nint a;\n/* loom: begin x */\n"),
                AllOf(HasSubstr("d/a.c:1: error: misordered marker: 'end x' stands above"),
                      HasSubstr("; move it below line 3")));
}

TEST(LoomSource, CrossingBlocks) {
    EXPECT_THAT(complaint("/* loom: begin x */\nint a;\n/* loom: begin y */\nint b;\n"
                          "/* loom: end x */\nint c;\n/* loom: end y */\n"),
                AllOf(HasSubstr("d/a.c:5: error: misordered marker: 'end x' comes before 'end y'"),
                      HasSubstr("; end y, begun at line 3, first")));
}

TEST(LoomSource, BlockAcrossTheEndOfAFunction) {
    EXPECT_THAT(complaint("int f(void)\n{\n/* loom: begin x */\n\treturn 1;\n}\nint b;\n"
                          "/* loom: end x */\n"),
                AllOf(HasSubstr("d/a.c:3: error: misordered marker: 'x' holds only a part of f"),
                      HasSubstr("; let it lie within f or hold all of it (lines 1 to 5)")));
}

TEST(LoomSource, DuplicateNameInTwoFiles) {
    Driver driver;
    driver.file("a.c", "/* loom: begin x */\nint a;\n/* loom: end x */\n");
    driver.file("b.c", "int c;\n/* loom: begin x */\nint b;\n/* loom: end x */\n");
    EXPECT_THAT(driver.complaint(),
                AllOf(HasSubstr("d/b.c:2: error: duplicate marker 'x'"),
                      HasSubstr("; choose another name; it is taken at d/a.c:1")));
}

TEST(LoomSource, MarkThatSaysNoStage) {
    EXPECT_THAT(complaint("int a;\n\n/* loom: begin both */\nint b;\n/* loom: end both */\n"),
                AllOf(HasSubstr("d/a.c:3: error: unused marker 'both': it says no stage"),
                      HasSubstr("; remove it; a chapter names lines by")));
}

TEST(LoomSource, NameThatIsAlsoASymbol) {
    EXPECT_THAT(complaint("/* loom: begin x from 02 */\nint x;\n/* loom: end x */\n"),
                AllOf(HasSubstr("d/a.c:2: error: duplicate name: 'x' is also a marker"),
                      HasSubstr("; rename the marker at d/a.c:1")));
}

TEST(LoomSource, TwoMarksAboveOneDefinition) {
    EXPECT_THAT(complaint("/* loom: from 02 */\n/* loom: from 03 */\nint a;\n"),
                AllOf(HasSubstr("d/a.c:2: error: duplicate marker: a has one"),
                      HasSubstr("; remove one of them")));
}

TEST(LoomSource, UnusedMarkOnADefinition) {
    EXPECT_THAT(complaint("/* loom: from 02 */\nint a;\n", "02"),
                AllOf(HasSubstr("d/a.c:1: error: unused marker: a lives from 02 without it"),
                      HasSubstr("; remove the marker")));
}

TEST(LoomSource, UnusedEmptyBlock) {
    EXPECT_THAT(complaint("int a;\n/* loom: begin x from 02 */\n\n/* loom: end x */\n"),
                AllOf(HasSubstr("d/a.c:2: error: unused marker 'x': it holds no lines"),
                      HasSubstr("; put lines between its begin and its end, or remove both")));
}

TEST(LoomSource, MarkAboveNothing) {
    EXPECT_THAT(complaint("/* loom: from 02 */\n\nint a;\n"),
                AllOf(HasSubstr("d/a.c:1: error: misplaced marker: no definition begins"),
                      HasSubstr("; move it to the line above a definition")));
}

TEST(LoomSource, MarkInsideAFunction) {
    EXPECT_THAT(complaint("int f(void)\n{\n\t/* loom: from 02 */\n\treturn 1;\n}\n"),
                AllOf(HasSubstr("d/a.c:3: error: misplaced marker: it stands inside f"),
                      HasSubstr("; inside a definition, put begin NAME and end NAME")));
}

TEST(LoomSource, UnknownStage) {
    EXPECT_THAT(complaint("/* loom: from 07 */\nint a;\n"),
                AllOf(HasSubstr("d/a.c:1: error: unknown stage '07'"),
                      HasSubstr("; use one of 01, 02, 03, or list it in stages.toml")));
}

TEST(LoomSource, EmptyLifetime) {
    EXPECT_THAT(complaint("/* loom: from 02 until 02 */\nint a;\n"),
                AllOf(HasSubstr("d/a.c:1: error: the lifetime is empty"),
                      HasSubstr("; let 'until' name a stage after the first")));
}

TEST(LoomSource, InnerLifetimeReachesBeyondTheOuter) {
    EXPECT_THAT(complaint("/* loom: from 02 */\nint f(void)\n{\n\t/* loom: begin x from 01 */\n"
                          "\treturn 1;\n\t/* loom: end x */\n}\n"),
                AllOf(HasSubstr("d/a.c:4: error: the lifetime of 'x' reaches beyond that of f"),
                      HasSubstr("; keep it within from 02")));
}

TEST(LoomSource, HiddenBlockThatLivesOn) {
    EXPECT_THAT(complaint("int a;\n#if 0 /* loom: begin x from 02 */\nint b;\n"
                          "#endif /* loom: end x */\n"),
                AllOf(HasSubstr("d/a.c:2: error: 'x' is hidden by #if 0 but lives on"),
                      HasSubstr("; say until which stage it lives")));
}

TEST(LoomSource, OnlyOneEndIsHidden) {
    EXPECT_THAT(
        complaint("#if 0 /* loom: begin x until 02 */\nint b;\n/* loom: end x */\n#endif\n"),
        AllOf(HasSubstr("d/a.c:3: error: unbalanced marker: only one end of 'x'"),
              HasSubstr("; write #if 0 /* loom: begin")));
}

TEST(LoomSource, SeveralComplaintsInOneRun) {
    const std::string text =
        complaint("/* loom: what */\n/* loom: begin x */\n/* loom: end y */\n");
    EXPECT_THAT(text, AllOf(HasSubstr("d/a.c:1:"), HasSubstr("d/a.c:2:"), HasSubstr("d/a.c:3:")));
}

TEST(LoomSource, FileOnDiskButNotListed) {
    Driver driver;
    driver.file("a.c", "int a;\n").disk.files["d/stray.h"] = "int s;\n";
    EXPECT_THAT(driver.complaint(),
                AllOf(StartsWith("d/stray.h: error: is not listed in stages.toml"),
                      HasSubstr("; add \"stray.h\" = \"NN\" to [files]")));
}

TEST(LoomSource, FileListedButNotOnDisk) {
    Driver driver;
    driver.file("a.c", "int a;\n").disk.files.erase("d/a.c");
    EXPECT_THAT(driver.complaint(),
                AllOf(StartsWith("d/stages.toml:17: error: a.c is listed but not there"),
                      HasSubstr("; write the file or remove the line")));
}

TEST(LoomSource, FileInAFolderButNotListed) {
    Driver driver;
    driver.file("a.c", "int a;\n").file("old/b.c", "int b;\n", "01..02");
    driver.disk.files["d/old/stray.h"] = "int s;\n";
    EXPECT_THAT(driver.complaint(), AllOf(StartsWith("d/old/stray.h: error: is not listed"),
                                          HasSubstr("; add \"old/stray.h\" = \"NN\"")));
}

TEST(LoomSource, WhatLiesInAFolderEnds) {
    EXPECT_THAT(Driver().file("a.c", "int a;\n").file("old/b.c", "int b;\n").complaint(),
                HasSubstr("d/stages.toml:18: error: old/b.c lives on in the last stage"));
}

TEST(LoomSource, TwoFilesOfOneNameInOneStage) {
    Driver driver;
    driver.file("old/a.c", "int a;\n", "01..03").file("a.c", "int b;\n", "02");
    EXPECT_THAT(driver.complaint(),
                AllOf(HasSubstr("d/stages.toml:18: error: two files called a.c in one stage"),
                      HasSubstr("; let one of old/a.c (line 17) and a.c end")));
}

TEST(LoomSource, MissingManifestAndTemplate) {
    Driver none;
    EXPECT_THAT(none.complaint(), StartsWith("d/stages.toml: error: is missing; name the driver"));
    Driver driver;
    driver.file("a.c", "int a;\n").disk.files.erase("d/Kbuild.in");
    EXPECT_THAT(driver.complaint(), StartsWith("d/Kbuild.in: error: is missing; write it"));
}

TEST(LoomSource, UnknownPlaceholder) {
    Driver driver;
    driver.file("a.c", "int a;\n").disk.files["d/Makefile.in"] = "x:\n\t@echo $@ @WHO@\n";
    EXPECT_THAT(driver.complaint(),
                AllOf(StartsWith("d/Makefile.in:2: error: unknown placeholder '@WHO@'"),
                      HasSubstr("; use @OBJECTS@, @STAGE@, @NAME@ or @TITLE@")));
}

TEST(LoomSource, FileWithoutLinesInAStage) {
    EXPECT_THAT(complaint("/* loom: from 02 */\nint a;\n"),
                AllOf(StartsWith("d/a.c: error: has no lines in stage 01"),
                      HasSubstr("; let its lifetime in stages.toml leave that stage out")));
}

std::string manifest_complaint(const std::string& text) {
    try {
        parse_manifest(text, "s.toml");
        return "";
    } catch (const Failure& failure) {
        return failure.what();
    }
}

constexpr const char* kStage =
    "[[stage]]\nnumber = \"01\"\nname = \"a\"\ntitle = \"A\"\nchapter = \"c\"\n";

TEST(LoomManifest, NotToml) {
    EXPECT_THAT(manifest_complaint("[[stage]]\nnumber = \n"),
                AllOf(StartsWith("s.toml:2: error: "), HasSubstr("; correct the TOML")));
}

TEST(LoomManifest, NothingListed) {
    EXPECT_THAT(manifest_complaint(""),
                AllOf(HasSubstr("s.toml: error: no stage is listed; add a [[stage]] table"),
                      HasSubstr("s.toml: error: no [files] are listed; list each driver file")));
}

TEST(LoomManifest, StageLacksAKey) {
    EXPECT_THAT(manifest_complaint("[[stage]]\nnumber = \"01\"\nname = \"a\"\ntitle = \"A\"\n"
                                   "[files]\n\"a.c\" = \"01\"\n"),
                HasSubstr("s.toml:1: error: a stage lacks 'chapter'; add  chapter = "));
}

TEST(LoomManifest, StageTwice) {
    EXPECT_THAT(manifest_complaint(std::string(kStage) + kStage + "[files]\n\"a.c\" = \"01\"\n"),
                HasSubstr("s.toml:6: error: stage 01 is listed twice; give each stage"));
}

TEST(LoomManifest, FileInUnknownStage) {
    EXPECT_THAT(manifest_complaint(std::string(kStage) + "[files]\n\"a.c\" = \"09\"\n"),
                HasSubstr("s.toml:7: error: unknown stage '09'; use one of 01"));
}

TEST(LoomManifest, LifetimeOfAFileIsNoText) {
    EXPECT_THAT(manifest_complaint(std::string(kStage) + "[files]\n\"a.c\" = 1\n"),
                HasSubstr("s.toml:7: error: the lifetime of a.c is no text; write"));
}

}  // namespace
}  // namespace fwts::loom
