#include "connect/postgres/pgoutput.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "connect/postgres/position.h"

namespace leat {
namespace {

std::string Number(uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(value >> shift));
  }
  return text;
}
std::string Text(std::string_view text) { return std::string(text) + '\0'; }
std::string Sent(char kind, std::string_view bytes) {
  return kind + Number(bytes.size(), 4) + std::string(bytes);
}

std::string Update() {
  return "U" + Number(16400, 4) + "K" + Number(2, 2) + Sent('t', "7") + "n" + "N" + Number(2, 2) +
         Sent('b', "8") + "u";
}
std::string RelationMessage() {
  return "R" + Number(16400, 4) + Text("public") + Text("loan") + "d" + Number(2, 2) + '\1' +
         Text("id") + Number(20, 4) + Number(UINT32_MAX, 4) + '\0' + Text("note") + Number(25, 4) +
         Number(UINT32_MAX, 4);
}

TEST(Pgoutput, ChangesHaveTheirValues) {
  PgoutputMessage message;
  ASSERT_TRUE(ReadPgoutput(Update(), &message));
  EXPECT_EQ(message.kind, PgoutputMessage::Kind::kUpdate);
  EXPECT_EQ(message.relation, 16400U);
  EXPECT_TRUE(message.has_before);
  EXPECT_FALSE(message.before_is_whole);
  using Kind = PgoutputValue::Kind;
  EXPECT_EQ(message.before[0].kind, Kind::kText);
  EXPECT_EQ(message.before[1].kind, Kind::kNull);
  EXPECT_EQ(message.after[0].kind, Kind::kBinary);
  EXPECT_EQ(message.after[1].kind, Kind::kUnchanged);

  const std::string insert = "I" + Number(1, 4) + "N" + Number(1, 2) + Sent('t', "x");
  ASSERT_TRUE(ReadPgoutput(insert, &message));
  EXPECT_EQ(message.after[0].bytes, "x");
  const std::string truncate = "T" + Number(2, 4) + '\0' + Number(5, 4) + Number(6, 4);
  ASSERT_TRUE(ReadPgoutput(truncate, &message));
  EXPECT_EQ(message.truncated, (std::vector<uint32_t>{5, 6}));
}

TEST(Pgoutput, TransactionsAndTables) {
  PgoutputMessage message;
  ASSERT_TRUE(ReadPgoutput("B" + Number(0x100000020, 8) + Number(0, 8) + Number(77, 4), &message));
  EXPECT_EQ(LsnText(message.lsn), "1/20");
  EXPECT_EQ(message.transaction, 77U);
  EXPECT_EQ(message.committed_at, 946684800000000) << "2000-01-01";
  ASSERT_TRUE(ReadPgoutput("C" + std::string(1, '\0') + Number(1, 8) + Number(2, 8) + Number(0, 8),
                           &message));
  EXPECT_EQ(message.lsn, 2U) << "behind the commit";
  ASSERT_TRUE(ReadPgoutput(RelationMessage(), &message));
  EXPECT_EQ(message.described.table, "loan");
  ASSERT_EQ(message.described.columns.size(), 2U);
  EXPECT_TRUE(message.described.columns[0].key);
  EXPECT_EQ(message.described.columns[1].type, (PostgresType{25, -1}));
}

// Whatever the bytes: an answer, and never a byte beyond them (the sanitizers look).
TEST(Pgoutput, AnyBytesAreReadOrRefused) {
  for (const std::string& whole : {Update(), RelationMessage()}) {
    PgoutputMessage message;
    for (size_t size = 0; size < whole.size(); ++size) {
      const auto cut = std::make_unique<char[]>(size + 1);
      std::copy_n(whole.data(), size, cut.get());
      EXPECT_FALSE(ReadPgoutput({cut.get(), size}, &message)) << size;
    }
    EXPECT_FALSE(ReadPgoutput(whole + "x", &message));
    uint64_t state = 1;
    for (int i = 0; i < 1000; ++i) {
      std::string bytes = whole;
      for (int flips = 0; flips < 3; ++flips) {
        state = state * 6364136223846793005 + 1442695040888963407;
        bytes[(state >> 33) % bytes.size()] = static_cast<char>(state >> 25);
      }
      static_cast<void>(ReadPgoutput(bytes, &message));
    }
  }
}

TEST(ReplicaPosition, IsWrittenAndRead) {
  ReplicaPosition position{
      .system = "7",
      .timeline = 2,
      .slot = "leat_a\"b",
      .lsn = 0xABCDEF0123,
      .changes = 5,
      .streams = true,
      .table = 1,
      .chunks = 9,
      .key = {"12", "a\nb"},
      .tables = {{.oid = 16384, .columns = {{1, {20, -1}}, {3, {1700, 99}}}}},
      .late = {
          {.table = 0, .after = std::string("\0\xff", 2), .snapshot = "5:9:6,7", .until = 77}}};
  const std::string text = EncodeReplicaPosition(position);
  EXPECT_EQ(DecodeReplicaPosition(text).ValueOrDie(), position) << text;
  EXPECT_EQ(EncodeReplicaPosition(DecodeReplicaPosition(text).ValueOrDie()), text);
  EXPECT_FALSE(DecodeReplicaPosition("").ValueOrDie().begun());
  EXPECT_FALSE(DecodeReplicaPosition(text.substr(0, text.size() - 1)).ok());
}

TEST(ReplicaPosition, SnapshotsSeeWhatHadEnded) {
  const char* const snapshot = "100:110:103,105";
  EXPECT_TRUE(IsVisible(snapshot, 99));
  EXPECT_TRUE(IsVisible(snapshot, 104));
  EXPECT_FALSE(IsVisible(snapshot, 103));
  EXPECT_FALSE(IsVisible(snapshot, 105));
  EXPECT_FALSE(IsVisible(snapshot, 110));
  EXPECT_TRUE(IsVisible("4294967300:4294967310:", 4294967290)) << "of the circle before";
  EXPECT_FALSE(IsVisible("4294967300:4294967310:", 20));
  EXPECT_TRUE(IsVisible("10:10:", 9));
}

}  // namespace
}  // namespace leat
