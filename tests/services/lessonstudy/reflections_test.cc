#include "services/lessonstudy/cycle/reflections.h"

#include <gtest/gtest.h>

namespace qinglan::lessonstudy {
namespace {

TEST(CountCharactersTest, CountsCharactersAndNotBytes) {
  EXPECT_EQ(CountCharacters(""), 0u);
  EXPECT_EQ(CountCharacters("abc"), 3u);
  EXPECT_EQ(CountCharacters("教学反思。"), 5u);
  EXPECT_EQ(CountCharacters("𠮷野"), 2u) << "a character beyond the first plane is one";
}

TEST(CountCharactersTest, WhiteSpaceIsNoCharacter) {
  EXPECT_EQ(CountCharacters(" \t\r\n"), 0u);
  EXPECT_EQ(CountCharacters("教 学\n反\u3000思"), 4u) << "nor is the full-width space";
}

TEST(CountCharactersTest, BrokenBytesAreNoCharacter) {
  EXPECT_EQ(CountCharacters("\xe6\x95"), 0u);
  EXPECT_EQ(CountCharacters("a\xff"
                            "b"),
            2u);
}

}  // namespace
}  // namespace qinglan::lessonstudy
