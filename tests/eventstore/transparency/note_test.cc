// Keys, signed notes and checkpoints: against the note that the format's first implementation signs in its
// documentation, and what must be refused.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "eventstore/text.h"
#include "eventstore/transparency/checkpoint.h"

namespace qinglan::eventstore::transparency {
namespace {

using testing::HasSubstr;

constexpr std::string_view kKnownPrivate =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view kKnownPublic =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kKnownText =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
constexpr std::string_view kKnownNote =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

VerifierKey KnownPublic() { return *VerifierKey::Parse(kKnownPublic); }

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(KeyTest, TheKnownKeySignsTheKnownNote) {
  const auto key = SigningKey::Parse(kKnownPrivate);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->verifier().Text(), kKnownPublic);
  EXPECT_EQ(key->Text(), kKnownPrivate);
  EXPECT_EQ(key->verifier().id(), 0xc74f20a3U);
  EXPECT_EQ(key->Sign(kKnownText), kKnownNote);
}

TEST(KeyTest, TheKnownNoteIsOpenedWithThePublicKey) {
  const auto text = OpenNote(kKnownNote, KnownPublic());
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, kKnownText);
}

TEST(KeyTest, ANewKeyIsReadBackAndSigns) {
  const auto key = SigningKey::Generate("example.com/log");
  ASSERT_TRUE(key.ok()) << key.status();
  const auto again = SigningKey::Parse(key->Text());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->verifier().Text(), key->verifier().Text());
  EXPECT_EQ(*OpenNote(again->Sign("text\n"), key->verifier()), "text\n");
  EXPECT_NE(SigningKey::Generate("example.com/log")->Text(), key->Text());
}

TEST(KeyTest, AKeyTextThatIsBrokenSaysWhere) {
  const auto error = [](std::string_view text) { return Message(VerifierKey::Parse(text).status()); };
  EXPECT_THAT(error("PeterNeumann"), HasSubstr("name+id+base64"));
  EXPECT_THAT(error("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
              HasSubstr("no space"));
  EXPECT_THAT(error("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), HasSubstr("1 to 200 bytes"));
  EXPECT_THAT(error("PeterNeumann+c74f20a3+AR*c"), HasSubstr("not base64"));
  EXPECT_THAT(error("PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
              HasSubstr("type 1"));
  EXPECT_THAT(error("PeterNeumann+c74f20a3+ARpc2QcU"), HasSubstr("has 5 bytes, not 32"));
  EXPECT_THAT(error("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
              HasSubstr("c74f20a3"));
  EXPECT_THAT(error("peterneumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
              HasSubstr("does not fit its name"));
}

TEST(KeyTest, AnErrorAboutAPrivateKeyNeverRepeatsIt) {
  const std::string secret(kKnownPrivate.substr(kKnownPrivate.rfind('+') + 1));
  for (const std::string& text : {std::string(kKnownPrivate) + "=", "KEY" + std::string(kKnownPrivate),
                                  std::string(kKnownPrivate).replace(25, 1, "0"), secret}) {
    const absl::Status status = SigningKey::Parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(Message(status), testing::Not(HasSubstr(secret.substr(0, 12))));
  }
}

TEST(NoteTest, EveryFlippedBitOfTheNoteIsRefused) {
  for (size_t bit = 0; bit < 8 * kKnownNote.size(); ++bit) {
    std::string note(kKnownNote);
    note[bit / 8] = static_cast<char>(note[bit / 8] ^ (1 << bit % 8));
    const auto opened = OpenNote(note, KnownPublic());
    EXPECT_FALSE(opened.ok()) << "bit " << bit;
  }
}

TEST(NoteTest, SignaturesOfUnknownKeysAreIgnoredAndWrongOnesOfKnownKeysAreNot) {
  const auto other = *SigningKey::Generate("example.com/witness");
  Note note = *ParseNote(kKnownNote);
  const Note witnessed = *ParseNote(other.Sign(note.text));
  note.signatures.insert(note.signatures.begin(), witnessed.signatures[0]);
  EXPECT_TRUE(OpenNote(FormatNote(note), KnownPublic()).ok());
  EXPECT_TRUE(OpenNote(FormatNote(note), other.verifier()).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(OpenNote(FormatNote(witnessed), KnownPublic()).status()));
  // The same name with another id is an unknown key; the known key's name and id on another's signature is
  // not.
  note.signatures[0] = note.signatures[1];
  note.signatures[0].key_id += 1;
  EXPECT_TRUE(OpenNote(FormatNote(note), KnownPublic()).ok());
  note.signatures[0].key_id -= 1;
  note.signatures[0].signature = witnessed.signatures[0].signature;
  EXPECT_TRUE(absl::IsPermissionDenied(OpenNote(FormatNote(note), KnownPublic()).status()));
}

TEST(NoteTest, ANoteThatIsNoneSaysWhichLineBreaksWhichRule) {
  const auto error = [](const std::string& note) {
    const absl::Status status = ParseNote(note).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return Message(status);
  };
  const std::string signature = "— a AAAAAAAA\n";
  EXPECT_TRUE(ParseNote("text\n\n" + signature).ok());
  EXPECT_THAT(error("text\n" + signature), HasSubstr("no blank line"));
  EXPECT_THAT(error("text\n\n"), HasSubstr("no signature"));
  EXPECT_THAT(error("text\n\n— a AAAAAAAA"), HasSubstr("line 3: does not end"));
  EXPECT_THAT(error("text\n\n- a AAAAAAAA\n"), HasSubstr("line 3: a signature begins"));
  EXPECT_THAT(error("text\n\n— a\n"), HasSubstr("line 3: a signature is"));
  EXPECT_THAT(error("text\n\n— a+b AAAAAAAA\n"), HasSubstr("line 3: the key's name"));
  EXPECT_THAT(error("text\n\n" + signature + "— a AAAA AAAA\n"),
              HasSubstr("line 4: the signature is not base64"));
  EXPECT_THAT(error("text\n\n— a AAAAAA==\n"), HasSubstr("line 3: the signature is too short"));
  EXPECT_THAT(error("te\txt\n\n" + signature), HasSubstr("line 1: has a control character"));
  for (const std::string broken :
       {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8"}) {
    EXPECT_THAT(error("first\n" + broken + "\n\n" + signature), HasSubstr("line 2: is not UTF-8"));
  }
  EXPECT_TRUE(ParseNote("青蓝 \xf0\x9f\x8c\xb1\n\n" + signature).ok());
  std::string many = "text\n\n";
  for (size_t i = 0; i <= kNoteSignaturesMax; ++i) many += signature;
  EXPECT_THAT(error(many), HasSubstr("one signature too many"));
  EXPECT_THAT(error(std::string(kNoteBytesMax, 'x') + "\n\n" + signature),
              HasSubstr("more than 65536 bytes"));
}

TEST(NoteTest, ABlankLineOfTheTextStaysInTheText) {
  const auto key = *SigningKey::Parse(kKnownPrivate);
  const std::string text = "one\n\ntwo\n";
  EXPECT_EQ(*OpenNote(key.Sign(text), key.verifier()), text);
}

Hash SomeRoot() { return Hasher().Leaf("root"); }

TEST(CheckpointTest, ItsTextIsAsTheFormatHasIt) {
  const std::string text = CheckpointText({"example.com/behind-the-sofa", {20852163, SomeRoot()}, {}});
  EXPECT_EQ(text, "example.com/behind-the-sofa\n20852163\n" + Base64(SomeRoot().view()) + "\n");
  // The example of the specification.
  const auto parsed = ParseCheckpointText(
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->origin, "example.com/behind-the-sofa");
  EXPECT_EQ(parsed->head.size, 20852163U);
  EXPECT_EQ(Hex(parsed->head.root), "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
}

TEST(CheckpointTest, ItIsReadBackAsItWasSigned) {
  const auto key = *SigningKey::Generate("example.com/log");
  const TreeHead head{17, SomeRoot()};
  const auto opened = OpenCheckpoint(SignCheckpoint(head, key), key.verifier());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(*opened, (Checkpoint{"example.com/log", head, {}}));
  const Checkpoint extended{"example.com/log", head, {"an extension", "and another"}};
  EXPECT_EQ(*ParseCheckpointText(CheckpointText(extended)), extended);
}

TEST(CheckpointTest, ATextThatIsNoneSaysWhichLineBreaksWhichRule) {
  const std::string root = Base64(SomeRoot().view());
  const auto error = [](const std::string& text) {
    const absl::Status status = ParseCheckpointText(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return Message(status);
  };
  EXPECT_TRUE(ParseCheckpointText("log\n0\n" + root + "\n").ok());
  EXPECT_THAT(error(""), HasSubstr("line 1: is missing"));
  EXPECT_THAT(error("log\n0\n"), HasSubstr("line 3: is missing"));
  EXPECT_THAT(error("\n0\n" + root + "\n"), HasSubstr("line 1: is empty"));
  EXPECT_THAT(error("log\n0\n" + root), HasSubstr("line 3: does not end"));
  for (const std::string size : {"00", "01", "-1", "+1", " 1", "1 ", "x", "18446744073709551616"}) {
    EXPECT_THAT(error("log\n" + size + "\n" + root + "\n"), HasSubstr("line 2: the tree's size")) << size;
  }
  for (const std::string& wrong :
       std::vector<std::string>{root + "=", root.substr(1), "AA==", root.substr(1, 40)}) {
    EXPECT_THAT(error("log\n0\n" + wrong + "\n"), HasSubstr("line 3: the root")) << wrong;
  }
  EXPECT_THAT(error("log\n0\n" + root + "\n\n"), HasSubstr("line 4: is empty"));
}

TEST(CheckpointTest, AnotherLogsCheckpointIsRefusedThoughTheKeySignedIt) {
  const auto key = *SigningKey::Generate("example.com/log");
  const std::string note = key.Sign(CheckpointText({"example.com/other", {17, SomeRoot()}, {}}));
  const absl::Status status = OpenCheckpoint(note, key.verifier()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr("of the log example.com/other"));
}

}  // namespace
}  // namespace qinglan::eventstore::transparency
