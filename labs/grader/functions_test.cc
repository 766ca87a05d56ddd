// SPDX-License-Identifier: GPL-2.0
#include "functions.h"

#include <gmock/gmock.h>

namespace fwts::grader {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr const char* file =
    "// SPDX\n\n#include <a.h>\n\nstatic int one(void)\n{\n\treturn 1;\n}\n\n"
    "/*\n * Two lines.\n *\n * Paragraphs.\n */\nstatic inline struct a *\ntwo(int x,\n    int "
    "y)\n{\n\treturn x;\n}\n\nint end;\n";

TEST(ReplaceBody, KeepsWhatStandsAround) {
    const std::string text = "int a;\nint f(int x,\n      int y)\n{\n\treturn x;\n}\nint b;\n";
    EXPECT_EQ(replace_body(text, 2, 6, "\treturn 0;\n"),
              "int a;\nint f(int x,\n      int y)\n{\n\treturn 0;\n}\nint b;\n");
    EXPECT_THROW(replace_body("int f(void) { return 1; }\n", 1, 1, ""), std::runtime_error);
}

TEST(WithFunctions, PutsEachInThePlaceOfItsNamesake) {
    loom::Ctags tagger;
    EXPECT_EQ(with_functions(file, "// SPDX\n\nstatic struct a *two(int x)\n{\n}\n", tagger),
              "// SPDX\n\n#include <a.h>\n\nstatic int one(void)\n{\n\treturn 1;\n}\n\n"
              "static struct a *two(int x)\n{\n}\n\nint end;\n");
}

TEST(WithFunctions, NewOnesAndWhatStandsBetweenComeBeforeTheNext) {
    loom::Ctags tagger;
    EXPECT_EQ(with_functions(file,
                             "// SPDX\n/* Head. */\n\nenum b { C };\n\nint none(void)\n{\n}\n\n"
                             "int one(void)\n{\n}\n\n/* 2 */\nint two(void)\n{\n}\n",
                             tagger),
              "// SPDX\n\n#include <a.h>\n\nenum b { C };\n\nint none(void)\n{\n}\n\n"
              "int one(void)\n{\n}\n\n/* 2 */\nint two(void)\n{\n}\n\nint end;\n");
}

TEST(WithFunctions, RefusesWhatHasNoPlace) {
    loom::Ctags tagger;
    const auto after = [&] {
        with_functions(file, "// SPDX\n\nint one(void)\n{\n}\n\nint last;\n", tagger);
    };
    EXPECT_THAT(after, ThrowsMessage<std::runtime_error>(HasSubstr("\"int last;\": no function")));
    const auto nothing = [&] { with_functions(file, "// SPDX\n", tagger); };
    EXPECT_THAT(nothing, ThrowsMessage<std::runtime_error>(HasSubstr("no function follows")));
}

TEST(WithoutFunction, TakesItsCommentToo) {
    loom::Ctags tagger;
    std::string left = file;
    for (const auto* name : {"two", "one"})
        for (const auto& tag : tagger.tags(std::string(left)))
            if (tag.name == name) {
                left = without_function(left, tag);
                break;
            }
    EXPECT_EQ(left, "// SPDX\n\n#include <a.h>\n\nint end;\n");
}

}  // namespace
}  // namespace fwts::grader
