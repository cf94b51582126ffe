// What is kept for decompression is what zstd would make anew.
#include "eventstore/rocks/disk/decompression.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zdict.h>
#include <zstd.h>

#include <string>
#include <vector>

namespace qinglan::eventstore::rocks {
namespace {

std::string Block(size_t number) {
  std::string block;
  for (size_t i = 0; i < 40; ++i) {
    block += fmt::format("teacher:{} attended session:{}; ", number * 7919 + i, number % 13);
  }
  return block;
}

// Trained on blocks from `first` on.
std::string Dictionary(size_t first) {
  std::string samples;
  std::vector<size_t> sizes;
  for (size_t i = first; i < first + 400; ++i) {
    samples += Block(i);
    sizes.push_back(Block(i).size());
  }
  std::string dictionary(4096, '\0');
  const size_t size = ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(),
                                            sizes.data(), static_cast<unsigned>(sizes.size()));
  EXPECT_FALSE(ZDICT_isError(size)) << ZDICT_getErrorName(size);
  dictionary.resize(size);
  return dictionary;
}

std::string Compress(const std::string& text, const std::string& dictionary) {
  std::string compressed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  compressed.resize(ZSTD_compress_usingDict(context, compressed.data(), compressed.size(), text.data(),
                                            text.size(), dictionary.data(), dictionary.size(), 3));
  ZSTD_freeCCtx(context);
  return compressed;
}

// By the calls that RocksDB makes.
std::string Decompress(const std::string& compressed, const std::string& dictionary) {
  std::string text(Block(0).size() * 2, '\0');
  ZSTD_DCtx* context = ZSTD_createDCtx();
  const size_t size = ZSTD_decompress_usingDict(context, text.data(), text.size(), compressed.data(),
                                                compressed.size(), dictionary.data(), dictionary.size());
  ZSTD_freeDCtx(context);
  if (ZSTD_isError(size)) return "an error";
  text.resize(size);
  return text;
}

TEST(DecompressionTest, BlocksOfSeveralDictionariesAndOfNoneComeBackWhole) {
  const std::vector<std::string> dictionaries = {Dictionary(0), Dictionary(50'000), std::string(1000, 'x'),
                                                 ""};
  for (size_t number = 0; number < 40; ++number) {
    const std::string& dictionary = dictionaries[number % dictionaries.size()];
    EXPECT_EQ(Decompress(Compress(Block(number), dictionary), dictionary), Block(number));
  }
  const std::string compressed = Compress(Block(1), dictionaries[0]);
  EXPECT_EQ(Decompress(compressed, dictionaries[1]), "an error");
  EXPECT_EQ(Decompress(compressed.substr(0, compressed.size() / 2), dictionaries[0]), "an error");
}

TEST(DecompressionTest, ADictionaryIsKeptUntilOthersTakeItsPlace) {
  Dictionaries dictionaries(2);
  const std::string one = Dictionary(0);
  const std::string two = Dictionary(50'000);
  const std::string three = Dictionary(90'000);
  const auto first = dictionaries.Find(one);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(dictionaries.Find(std::string(one)), first);  // by its bytes, wherever they are
  const auto second = dictionaries.Find(two);
  EXPECT_EQ(dictionaries.Find(one), first);
  EXPECT_EQ(dictionaries.Find(two), second);
  EXPECT_NE(dictionaries.Find(three), nullptr);
  EXPECT_EQ(dictionaries.size(), 2u);
  EXPECT_EQ(first->bytes, one);  // who has it keeps it
}

TEST(DecompressionTest, OfTwoDictionariesWithOneIdEachGetsItsOwn) {
  Dictionaries dictionaries(2);
  const std::string one = Dictionary(0);
  std::string other = one;
  other.back() = static_cast<char>(other.back() ^ 1);
  EXPECT_EQ(dictionaries.Find(one)->bytes, one);
  EXPECT_EQ(dictionaries.Find(other)->bytes, other);
  EXPECT_EQ(dictionaries.Find(one)->bytes, one);
  EXPECT_EQ(dictionaries.Find(std::string(1000, 'x')), nullptr);
}

TEST(DecompressionTest, ContextsAreKeptUpToALimit) {
  Contexts contexts(1);
  EXPECT_EQ(contexts.Take(), nullptr);
  ZSTD_DCtx* one = ZSTD_createDCtx();
  ZSTD_DCtx* two = ZSTD_createDCtx();
  EXPECT_TRUE(contexts.Keep(one));
  EXPECT_FALSE(contexts.Keep(two));
  ZSTD_freeDCtx(two);
  EXPECT_EQ(contexts.Take(), one);
  EXPECT_TRUE(contexts.Keep(one));
}

}  // namespace
}  // namespace qinglan::eventstore::rocks
