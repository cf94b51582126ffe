// Holds the tree that these tests were built from against the house rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tidy/reasons.h"
#include "tests/tidy/rules.h"
#include "tests/tidy/tree.h"

namespace qinglan::tidy {
namespace {

const Tree& House() {
  static const Tree tree = ReadTree(QINGLAN_SOURCE_DIR);
  return tree;
}

void ExpectNone(const Breaches& breaches) {
  std::string all;
  for (const std::string& breach : breaches) all += "\n  " + breach;
  EXPECT_TRUE(breaches.empty()) << breaches.size() << " breach(es):" << all;
}

TEST(House, TheTreeIsRead) {
  EXPECT_TRUE(House().contains("CMakeLists.txt"));
  EXPECT_TRUE(House().contains("tests/tidy/tidy_test.cc"));
  EXPECT_GT(House().size(), 30U);
}
TEST(House, IncludesNeverPointUp) { ExpectNone(IncludesThatPointUp(House())); }
TEST(House, FilesAreShort) { ExpectNone(FilesTooLong(House())); }
TEST(House, FunctionsAreShort) { ExpectNone(FunctionsTooLong(House())); }
TEST(House, LinesAreShort) { ExpectNone(LinesTooLong(House())); }
TEST(House, FoldersHaveFewEntries) { ExpectNone(FoldersTooFull(House())); }
TEST(House, FoldersAreNamedForTheirContents) { ExpectNone(FoldersWithoutMeaning(House())); }
TEST(House, NothingIsLeftForLater) { ExpectNone(UnfinishedWork(House())); }
TEST(House, NothingDependsOnOneMachine) { ExpectNone(MachinePaths(House())); }
TEST(House, NoRegistryIsNamed) { ExpectNone(RegistryHosts(House())); }
TEST(House, EveryHeaderIsIncludedOnce) { ExpectNone(HeadersWithoutPragmaOnce(House())); }
TEST(House, EveryReasonHasItsSentence) { ExpectNone(ReasonsWithoutSentence(House())); }
TEST(House, EverySentenceIsUsed) { ExpectNone(SentencesWithoutReason(House())); }

}  // namespace
}  // namespace qinglan::tidy
