// Each house rule is shown a tree that it must refuse, and one beside it that it must let pass.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/tidy/reasons.h"
#include "tests/tidy/rules.h"
#include "tests/tidy/source.h"
#include "tests/tidy/tree.h"

namespace qinglan::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

class TempTree : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "qinglan-tidy-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::filesystem::path root_;
};

TEST_F(TempTree, IsReadWithoutWhatIsBuilt) {
  Write("eventstore/a.h", "#pragma once\n");
  Write("build/dev/generated.cc", "x");
  Write("services/console/node_modules/package/index.js", "x");
  EXPECT_THAT(ReadTree(root_), ElementsAre(::testing::Pair("eventstore/a.h", "#pragma once\n")));
}

TEST_F(TempTree, OfACheckoutHasNewFilesButNoIgnoredOnes) {
  Write("eventstore/a.h", "#pragma once\n");
  Write(".gitignore", "*.log\n");
  Write("server.log", "x");
  ASSERT_EQ(std::system(fmt::format("git init -q '{}'", root_.string()).c_str()), 0);
  const Tree tree = ReadTree(root_);
  EXPECT_TRUE(tree.contains("eventstore/a.h"));
  EXPECT_FALSE(tree.contains("server.log"));
}

TEST_F(TempTree, BreachesAreFoundInFilesOnDisk) {
  Write("eventstore/a.cc", "#include \"services/runtime/decision.h\"\n");
  EXPECT_THAT(IncludesThatPointUp(ReadTree(root_)),
              ElementsAre("eventstore/a.cc:1: may not include services/runtime/decision.h"));
}

TEST(Bites, IncludesThatPointUp) {
  const auto breaches = [](const std::string& path, const std::string& included) {
    return IncludesThatPointUp({{path, fmt::format("// a\n#include {}\n", included)}});
  };
  EXPECT_THAT(breaches("eventstore/a.cc", "\"projections/projection.h\""), SizeIs(1));
  EXPECT_THAT(breaches("eventstore/rocks/a.h", "\"services/runtime/decision.h\""), SizeIs(1));
  EXPECT_THAT(breaches("projections/a.cc", "\"services/runtime/decision.h\""), SizeIs(1));
  EXPECT_THAT(breaches("eventstore/a.cc", "<rocksdb/db.h>"), SizeIs(1));
  EXPECT_THAT(breaches("services/runtime/a.cc", "<rocksdb/db.h>"), SizeIs(1));
  EXPECT_THAT(breaches("projections/dossier/a.cc", "<rocksdb/db.h>"), SizeIs(1));
  EXPECT_THAT(breaches("projections/a.cc", "<grpcpp/grpcpp.h>"), SizeIs(1));
  EXPECT_THAT(breaches("services/a.cc", "\"tests/tidy/tree.h\""), SizeIs(1));
  EXPECT_THAT(breaches("services/a.cc", "\"projections/projection.h\""), IsEmpty());
  EXPECT_THAT(breaches("services/a.cc", "<grpcpp/grpcpp.h>"), IsEmpty());
  EXPECT_THAT(breaches("projections/view_store.cc", "<rocksdb/db.h>"), IsEmpty());
  EXPECT_THAT(breaches("eventstore/rocks/a.cc", "<rocksdb/db.h>"), IsEmpty());
  EXPECT_THAT(breaches("tests/eventstore/a.cc", "<rocksdb/db.h>"), IsEmpty());
}

TEST(Bites, FilesTooLong) {
  EXPECT_THAT(FilesTooLong({{"services/a.cc", Repeat("\n", kFileLinesMax + 1)}}), SizeIs(1));
  EXPECT_THAT(FilesTooLong({{"proto/qinglan/a/v1/a.proto", Repeat("\n", kProtoLinesMax + 1)}}), SizeIs(1));
  EXPECT_THAT(FilesTooLong({{"services/a.cc", Repeat("\n", kFileLinesMax)}}), IsEmpty());
  EXPECT_THAT(FilesTooLong({{"tests/scenario/a.txtpb", Repeat("\n", 9999)}}), IsEmpty());
}

std::string FunctionOf(int lines) { return "int F(int a) {\n" + Repeat("  ++a;\n", lines - 2) + "}\n"; }

TEST(Bites, FunctionsTooLong) {
  const auto breaches = [](const std::string& text) { return FunctionsTooLong({{"services/a.cc", text}}); };
  EXPECT_THAT(breaches(FunctionOf(kFunctionLinesMax)), IsEmpty());
  EXPECT_THAT(breaches(FunctionOf(kFunctionLinesMax + 1)),
              ElementsAre(HasSubstr(fmt::format("services/a.cc:1: F has {} lines", kFunctionLinesMax + 1))));
  EXPECT_THAT(breaches("namespace a {\nnamespace {\n" + FunctionOf(kFunctionLinesMax + 1) + "}\n}\n"),
              SizeIs(1));
  EXPECT_THAT(breaches("class C : public B {\n public:\n" + FunctionOf(kFunctionLinesMax + 1) + "};\n"),
              SizeIs(1));
  EXPECT_THAT(breaches("template <class T>\nstruct S {\n" + FunctionOf(kFunctionLinesMax + 1) + "};\n"),
              SizeIs(1));
  EXPECT_THAT(breaches("TEST(A, B) {\n" + Repeat("  F();\n", kFunctionLinesMax) + "}\n"), SizeIs(1));
}

TEST(Bites, FunctionsAreFoundBetweenOtherBraces) {
  const std::vector<Function> functions = Functions(R"x(
namespace a {
struct S {
  explicit S(int x) : x_{x}, y_(1) {
    if (x) { F("}"); }
  }
  int Get() const { return '}'; }  // }
  int x_{0};
};
const char* kTexts[] = {"a{", "b"};
template <class T>
std::optional<T> As(const T& t) requires Small<T> {
  auto f = [](int i) { return i; };
  return f(t);
}
}  // namespace a
)x");
  ASSERT_THAT(functions, SizeIs(4));
  EXPECT_EQ(functions[2].name, "Get");
  EXPECT_EQ(functions[2].lines, 1);
  EXPECT_EQ(functions[3].name, "As");
  EXPECT_EQ(functions[3].lines, 5);
}

TEST(Bites, LinesTooLong) {
  EXPECT_THAT(LinesTooLong({{"services/a.cc", Repeat("x", kColumnsMax + 1)}}), SizeIs(1));
  EXPECT_THAT(LinesTooLong({{"services/a.cc", Repeat("x", kColumnsMax)}}), IsEmpty());
  EXPECT_THAT(LinesTooLong({{"services/a.cc", Repeat("课", kColumnsMax)}}), IsEmpty());
  EXPECT_THAT(LinesTooLong({{"services/a.cc", Repeat("课", kColumnsMax + 1)}}), SizeIs(1));
  const std::string data = fmt::format("  F(R\"({})\");\n", Repeat("x", kColumnsMax));
  EXPECT_THAT(LinesTooLong({{"services/a.cc", data}}), SizeIs(1));
  EXPECT_THAT(LinesTooLong({{"tests/a.cc", data}}), IsEmpty());
  EXPECT_THAT(LinesTooLong({{"tests/a.cc", "// " + Repeat("x", kColumnsMax) + "\n"}}), SizeIs(1));
  EXPECT_THAT(LinesTooLong({{"tests/a.cc", "  F();  // " + Repeat("x", kColumnsMax) + "\n"}}), SizeIs(1));
}

TEST(Bites, FoldersTooFull) {
  const auto folder = [](const std::string& path, int entries) {
    Tree tree;
    for (int i = 0; i < entries; ++i) tree[fmt::format("{}/file{}.cc", path, i)] = "";
    return tree;
  };
  EXPECT_THAT(FoldersTooFull(folder("services/a", kFolderEntriesMax + 1)),
              ElementsAre(HasSubstr("services/a/: 13")));
  EXPECT_THAT(FoldersTooFull(folder("services/a", kFolderEntriesMax)), IsEmpty());
  EXPECT_THAT(FoldersTooFull(folder("tests/scenario/training", 99)), IsEmpty());
  Tree with_headers = folder("services/a", kFolderEntriesMax);
  for (int i = 0; i < kFolderEntriesMax; ++i) with_headers[fmt::format("services/a/file{}.h", i)] = "";
  EXPECT_THAT(FoldersTooFull(with_headers), IsEmpty());
  Tree with_dot_file = folder("services/a", kFolderEntriesMax);
  with_dot_file["services/a/.clang-tidy"] = "";
  EXPECT_THAT(FoldersTooFull(with_dot_file), IsEmpty());
}

TEST(Bites, FoldersWithoutMeaning) {
  EXPECT_THAT(FoldersWithoutMeaning({{"services/common/a.h", ""}}), SizeIs(1));
  EXPECT_THAT(FoldersWithoutMeaning({{"utils/a.h", ""}}), SizeIs(1));
  EXPECT_THAT(FoldersWithoutMeaning({{"services/commons/util.h", ""}}), IsEmpty());
}

TEST(Bites, UnfinishedWork) {
  EXPECT_THAT(UnfinishedWork({{"a.cc", std::string("int a;\n// TO") + "DO: b\n"}}),
              ElementsAre(HasSubstr("a.cc:2")));
  EXPECT_THAT(UnfinishedWork({{"README.md", std::string("FIX") + "ME"}}), SizeIs(1));
  EXPECT_THAT(UnfinishedWork({{"a.cc", "mkdtemp(\"a-XXXXXX\"); TODAY();"}}), IsEmpty());
}

TEST(Bites, MachinePaths) {
  const auto breaches = [](const std::string& path, const std::string& text) {
    return MachinePaths({{path, text}});
  };
  EXPECT_THAT(breaches("deploy/run.sh", std::string("cd /ho") + "me/me"), SizeIs(1));
  EXPECT_THAT(breaches("tests/a.cc", std::string("\"/wo") + "rk/x\""), SizeIs(1));
  EXPECT_THAT(breaches("services/a.cc", std::string("\"/t") + "mp/x\""), SizeIs(1));
  EXPECT_THAT(breaches("tests/a.cc", std::string("\"/t") + "mp/x\""), IsEmpty());
  EXPECT_THAT(breaches("README.md", "see docs/work/home/a"), IsEmpty());
}

TEST(Bites, RegistryHosts) {
  EXPECT_THAT(RegistryHosts(
                  {{"services/console/package-lock.json", std::string("https://registry.") + "npmjs.org/"}}),
              SizeIs(1));
  EXPECT_THAT(RegistryHosts({{"a.json", "https://example.org/"}}), IsEmpty());
}

TEST(Bites, HeadersWithoutPragmaOnce) {
  EXPECT_THAT(HeadersWithoutPragmaOnce({{"a.h", "#ifndef A\n#endif\n"}}), SizeIs(1));
  EXPECT_THAT(HeadersWithoutPragmaOnce({{"a.h", "// Text.\n#pragma once\n"}, {"a.cc", ""}}), IsEmpty());
}

constexpr char kFull[] =
    R"({"SESSION_FULL": {"zh": "名额已满(共 {capacity} 人)。", "en": "Full ({capacity} places)."}})";

Tree WithReason(const std::string& code, const std::string& messages) {
  return {{"services/training/decisions.cc", code}, {"services/training/messages.json", messages}};
}

TEST(Bites, ReasonsWithoutSentence) {
  const std::string right = R"x(return Refuse("SESSION_FULL", {{"capacity", Number(1, "a)")}});)x";
  EXPECT_THAT(ReasonsWithoutSentence(WithReason(right, kFull)), IsEmpty());
  EXPECT_THAT(ReasonsWithoutSentence(WithReason(right, "{}")), ElementsAre(HasSubstr("has no sentence")));
  EXPECT_THAT(ReasonsWithoutSentence(WithReason(R"x(return Refuse("SESSION_FULL");)x", kFull)), SizeIs(2));
  EXPECT_THAT(ReasonsWithoutSentence(WithReason(R"x(return Invalid("end", "END_EARLY");)x", kFull)),
              ElementsAre(HasSubstr("END_EARLY has no sentence")));
  EXPECT_THAT(ReasonsWithoutSentence(WithReason(R"x(return Forbid("no way");)x", "{}")),
              ElementsAre(HasSubstr("UPPER_SNAKE_CASE")));
  EXPECT_THAT(ReasonsWithoutSentence(WithReason("", R"({"A_B": {"zh": "甲"}})")),
              ElementsAre(HasSubstr("zh and one in en")));
  EXPECT_THAT(ReasonsWithoutSentence(WithReason("", "[")), ElementsAre(HasSubstr("no JSON object")));
  Tree twice = WithReason(right, kFull);
  twice["services/runtime/messages.json"] = kFull;
  EXPECT_THAT(ReasonsWithoutSentence(twice), ElementsAre(HasSubstr("is also in")));
}

TEST(Bites, ReasonsInOtherLanguagesMustNameTheSame) {
  const std::string one_sided =
      R"({"SESSION_FULL": {"zh": "名额已满。", "en": "Full ({capacity} places)."}})";
  const std::string code = R"x(return Refuse("SESSION_FULL", {{"capacity", "1"}});)x";
  EXPECT_THAT(ReasonsWithoutSentence(WithReason(code, one_sided)), ElementsAre(HasSubstr("its zh sentence")));
}

TEST(Bites, SentencesWithoutReasonKnowsNamesThatArePutTogether) {
  const std::string two =
      R"({"TIER_NEW": {"zh": "新", "en": "new"}, "STATUS_OPEN": {"zh": "开", "en": "open"}})";
  Tree tree = WithReason("auto name = \"STATUS_\" + Upper(status);", two);
  EXPECT_THAT(SentencesWithoutReason(tree), ElementsAre(HasSubstr("nothing says TIER_NEW")));
  tree["proto/qinglan/scale/v1/scale.proto"] = "enum Tier {\n  TIER_NEW = 1;  // 新教师\n}\n";
  EXPECT_THAT(SentencesWithoutReason(tree), IsEmpty());
}

TEST(Bites, SentencesWithoutReason) {
  EXPECT_THAT(SentencesWithoutReason(WithReason("// SESSION_FULL", kFull)),
              ElementsAre(HasSubstr("nothing says SESSION_FULL")));
  EXPECT_THAT(SentencesWithoutReason(WithReason("Refuse(\"SESSION_FULL\")", kFull)), IsEmpty());
}

}  // namespace
}  // namespace qinglan::tidy
