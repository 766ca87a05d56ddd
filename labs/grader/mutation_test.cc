// SPDX-License-Identifier: GPL-2.0
#include "mutation.h"

#include <gmock/gmock.h>

#include <set>

#include "c_tokens.h"

namespace fwts::grader {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> result;
    for (const auto& token : c_tokens(text)) result.push_back(token.text);
    return result;
}

TEST(CTokens, CommentsBlanksAndDirectivesAreNone) {
    EXPECT_THAT(
        words("#include <a.h>\n#if A < B\nx /* y < 2 */ = // no\n\"a\\\"b;\" + 'c';\n#endif\n"),
        ElementsAre("x", "=", "\"a\\\"b;\"", "+", "'c'", ";"));
}

TEST(CTokens, LongSignsAreOne) {
    EXPECT_THAT(words("a->b<<=1;c>=d&&e++"),
                ElementsAre("a", "->", "b", "<<=", "1", ";", "c", ">=", "d", "&&", "e", "++"));
}

TEST(CTokens, OfADefineOnlyWhatItStandsFor) {
    const auto tokens = c_tokens("#define LEAST(x)\t\\\n\t((x) + 3)\nint y;\n");
    ASSERT_EQ(tokens.size(), 10U);
    EXPECT_EQ(tokens[0].text, "(");
    EXPECT_TRUE(tokens[6].directive);
    EXPECT_EQ(tokens[7].text, "int");
    EXPECT_FALSE(tokens[7].directive);
}

TEST(CTokens, BracketsHavePartners) {
    const auto tokens = c_tokens("f(a[1], (b)) }");
    EXPECT_EQ(tokens[1].partner, 10U);
    EXPECT_EQ(tokens[3].partner, 5U);
    EXPECT_EQ(tokens[11].partner, 11U);
    EXPECT_TRUE(tokens[2].in_parentheses);
    EXPECT_FALSE(tokens[0].in_parentheses);
}

/// The body of a function, mutated by one operator: each body that comes of it.
std::vector<std::string> by(const std::string& op, const std::string& body) {
    const std::string head = "static int f(struct x *priv)\n{\n";
    const auto text = head + body + "}\n";
    std::vector<std::string> results;
    for (const auto& one : mutations("a.c", text, {{"f", 0, text.size()}})) {
        if (one.op != op) continue;
        auto result = one.applied(text).substr(head.size());
        result.erase(result.size() - 2);
        results.push_back(result);
    }
    return results;
}

TEST(Mutation, ComparisonsMoveByOne) {
    EXPECT_THAT(by("compare", "x = a < b;\n"), ElementsAre("x = a <= b;\n"));
    EXPECT_THAT(by("compare", "x = a >= b;\n"), ElementsAre("x = a > b;\n"));
    EXPECT_THAT(by("compare", "x = a == b;\n"), ElementsAre("x = a != b;\n"));
}

TEST(Mutation, ConstantsAreReplacedOrOffByOne) {
    EXPECT_THAT(by("off-by-one", "x = 0x10u;\n"), ElementsAre("x = 0x11u;\n", "x = 0xfu;\n"));
    EXPECT_THAT(by("off-by-one", "x = 0444;\n"), ElementsAre("x = 0445;\n", "x = 0443;\n"));
    EXPECT_THAT(by("constant", "x = 0;\n"), ElementsAre("x = 1;\n"));
    EXPECT_THAT(by("constant", "x = true;\n"), ElementsAre("x = false;\n"));
    EXPECT_THAT(by("off-by-one", "#define MOST 8\n"),
                ElementsAre("#define MOST 9\n", "#define MOST 7\n"));
}

TEST(Mutation, TimesOfWaitingAreOffByMore) {
    EXPECT_THAT(by("off-by-one", "err = read_poll_timeout(f, v, v & D, 10, 10000);\n"), IsEmpty());
    EXPECT_THAT(by("constant", "msleep(20);\n"), ElementsAre("msleep(80);\n"));
}

TEST(Mutation, ErrorCodesAreOthersOrNone) {
    EXPECT_THAT(by("error-code", "return -EINVAL;\n"),
                ElementsAre("return -EIO;\n", "return 0;\n"));
    EXPECT_THAT(by("error-code", "return -ENOMEM;\n"),
                ElementsAre("return -EINVAL;\n", "return 0;\n"));
}

TEST(Mutation, CallsAreRemovedLinesStay) {
    EXPECT_THAT(by("call", "kfree(a,\n      b);\nreturn f(1);\n"),
                ElementsAre(";\n\nreturn f(1);\n"));
    EXPECT_THAT(by("call", "if (a)\n\tpriv->op->stop(a);\n"), ElementsAre("if (a)\n\t;\n"));
}

TEST(Mutation, WhatIsOnlySaidIsLeftAlone) {
    const std::string body = "netdev_err(dev, \"no: %d < 3\", 2);\nNL_SET_ERR_MSG(a, \"b\");\n";
    const auto text = "void f(void)\n{\n" + body + "}\n";
    EXPECT_THAT(mutations("a.c", text, {{"f", 0, text.size()}}), IsEmpty());
}

TEST(Mutation, NeighboursChangePlaces) {
    EXPECT_THAT(by("swap", "stop(a);\nx = take(b);\nx = 1;\n"),
                ElementsAre("x = take(b);\nstop(a);\nx = 1;\n"));
    EXPECT_THAT(by("swap", "int y = take(a);\nint z = take(b);\n"), IsEmpty());
    EXPECT_THAT(by("swap", "swap(a, b);\nswap(c, d);\n"), IsEmpty());
}

TEST(Mutation, DirectionsTurn) {
    EXPECT_THAT(by("direction", "map(a, DMA_TO_DEVICE);\n"),
                ElementsAre("map(a, DMA_FROM_DEVICE);\n"));
}

TEST(Mutation, LengthsLoseOne) {
    EXPECT_THAT(by("length", "map(dev, skb->data, skb->len, 3);\n"),
                ElementsAre("map(dev, skb->data, skb->len - 1, 3);\n"));
    EXPECT_THAT(by("length", "p = kzalloc(sizeof(*p), GFP_KERNEL);\n"),
                ElementsAre("p = kzalloc(sizeof(*p) - 1, GFP_KERNEL);\n"));
    EXPECT_THAT(by("length", "int take(struct x *x, size_t count);\n"), IsEmpty());
}

TEST(Mutation, FlagsAreDropped) {
    EXPECT_THAT(
        by("flag", "x = A | F(B, 1) | C;\n"),
        UnorderedElementsAre("x =  F(B, 1) | C;\n", "x = A  | C;\n", "x = A | F(B, 1) ;\n"));
}

TEST(Mutation, LocksGoInPairs) {
    EXPECT_THAT(by("lock",
                   "spin_lock_bh(&a);\nif (b) {\n\tspin_unlock_bh(&a);\n\treturn 0;\n}\n"
                   "spin_unlock_bh(&a);\n"),
                ElementsAre(";\nif (b) {\n\t;\n\treturn 0;\n}\n;\n"));
    EXPECT_THAT(by("call", "rtnl_lock();\nf(a);\nrtnl_unlock();\n"),
                ElementsAre("rtnl_lock();\n;\nrtnl_unlock();\n"));
    EXPECT_THAT(by("lock", "local_bh_disable();\nf(a);\nlocal_bh_enable();\n"),
                ElementsAre(";\nf(a);\n;\n"));
}

TEST(Mutation, BarriersAreRemoved) {
    EXPECT_THAT(by("barrier", "dma_wmb();\nwrite(a);\n"), ElementsAre(";\nwrite(a);\n"));
}

TEST(Mutation, ErrorPathsAreRemoved) {
    EXPECT_THAT(by("path", "if (err)\n\treturn err;\n"), ElementsAre("if (err)\n\t;\n"));
    EXPECT_THAT(by("path", "if (err) {\n\tfree(a);\n\tgoto out;\n}\nx = 1;\n"),
                ElementsAre("if (err) ;\n\n\n\nx = 1;\n"));
    EXPECT_THAT(by("path", "if (a)\n\treturn 1;\nelse\n\tb();\n"), IsEmpty());
}

TEST(Mutation, ConditionsAreNegatedOrAlwaysTrue) {
    EXPECT_THAT(by("negation", "if (a && b)\n\tc();\n"), ElementsAre("if (!(a && b))\n\tc();\n"));
    EXPECT_THAT(by("guard", "if (a)\n\tc();\n"), ElementsAre("if (1)\n\tc();\n"));
    // The other comparison is the negation.
    EXPECT_THAT(by("negation", "if (a == b)\n\tc();\n"), IsEmpty());
}

TEST(Mutation, LogicAndArithmeticTurn) {
    EXPECT_THAT(by("logic", "x = a && b;\n"), ElementsAre("x = a || b;\n"));
    EXPECT_THAT(by("arithmetic", "x = a - b;\ny += 2;\nz = -1;\n"),
                ElementsAre("x = a + b;\ny += 2;\nz = -1;\n", "x = a - b;\ny -= 2;\nz = -1;\n"));
}

TEST(Mutation, AssignmentsAreRemovedDeclarationsStay) {
    EXPECT_THAT(by("assignment", "int a = 1;\nstruct y *b = c;\nd->e[f] = g(h);\ni |= J;\n"),
                ElementsAre("int a = 1;\nstruct y *b = c;\n;\ni |= J;\n",
                            "int a = 1;\nstruct y *b = c;\nd->e[f] = g(h);\n;\n"));
}

TEST(Mutation, OnlyRegionsAreTouched) {
    const std::string text = "int f(void)\n{\n\tstop(a);\n}\nint g(void)\n{\n\tstop(b);\n}\n";
    const auto found = mutations("a.c", text, {{"g", text.find("int g"), text.size()}});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].name(), "a.c:g:call-1");
    EXPECT_EQ(small_diff(found[0], text), "-\tstop(b);\n+\t;\n");
}

TEST(Mutation, NamesDoNotHangOnOtherFunctions) {
    const std::string g = "int g(void)\n{\n\tstop(b);\n\tstop(c);\n}\n";
    const std::string f = "int f(void)\n{\n\tstop(a);\n}\n\n";
    const auto alone = mutations("a.c", g, {{"g", 0, g.size()}});
    const auto after =
        mutations("a.c", f + g, {{"f", 0, f.size()}, {"g", f.size(), f.size() + g.size()}});
    std::set<std::string> names;
    for (const auto& one : after) names.insert(one.name());
    EXPECT_EQ(names.size(), after.size());
    for (const auto& one : alone) EXPECT_THAT(names, Contains(one.name()));
}

TEST(Mutation, SamplesAreSpreadAndRepeatable) {
    std::string text;
    std::vector<Region> regions;
    for (const char* name : {"f", "g", "h"}) {
        const auto begin = text.size();
        text += std::string("int ") + name + "(void)\n{\n\tx(1);\n\ty = 2;\n\tz = a < b;\n}\n";
        regions.push_back({name, begin, text.size()});
    }
    const auto all = mutations("a.c", text, regions);
    const auto one = sample(all, 3, 7);
    const auto same = sample(all, 3, 7);
    std::set<std::string> functions;
    std::set<std::string> operators;
    for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(one[i].name(), same[i].name());
        functions.insert(one[i].function);
        operators.insert(one[i].op);
    }
    EXPECT_EQ(functions.size(), 3U);
    EXPECT_EQ(operators.size(), 3U);
    EXPECT_EQ(sample(all, 1000, 7).size(), all.size());
}

}  // namespace
}  // namespace fwts::grader
