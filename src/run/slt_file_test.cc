#include "run/slt_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace leat {
namespace {

using Kind = SltRecord::Kind;

TEST(SltFile, ReadsStatementsAndQueries) {
  const auto file =
      ParseSlt("a.slt",
               "# a comment\r\n\r\nstatement ok\r\nCREATE TABLE t (\r\n  i int)\r\n\r\n"
               "statement count 3\nINSERT INTO t\n\n"
               "query IT rowsort label-1\nSELECT 1,\n 'x'\n----\n1  x\n2  y\n\n"
               "statement error division by zero\nSELECT 1/0\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto& records = file->records;
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].sql, "CREATE TABLE t (\n  i int)");
  EXPECT_EQ(records[0].line, 3);
  EXPECT_EQ(records[0].sql_line, 4);
  EXPECT_EQ(records[1].count, 3);
  EXPECT_EQ(records[2].kind, Kind::kQuery);
  EXPECT_EQ(records[2].types, "IT");
  EXPECT_EQ(records[2].sort, SltRecord::Sort::kRows);
  EXPECT_EQ(records[2].label, "label-1");
  EXPECT_EQ(records[2].expected, (std::vector<std::string>{"1  x", "2  y"}));
  EXPECT_EQ(file->lines[static_cast<size_t>(records[2].expected_begin) - 1], "----");
  EXPECT_TRUE(records[3].fails);
  EXPECT_EQ(records[3].error, "division by zero");
}

TEST(SltFile, LeavesOutWhatIsForOthers) {
  const auto file = ParseSlt("a.slt",
                             "skipif sqlite\nstatement ok\nSELECT 1\n\n"
                             "skipif postgresql\nstatement ok\nSELECT 2\n\n"
                             "onlyif mysql # aside\nquery I\nSELECT 3\n----\n3\n\n"
                             "onlyif leat\nstatement ok\nSELECT 4\n\n"
                             "onlyif mysql\nhalt\n\n"
                             "statement ok\nSELECT 5\n\nhalt\n\nthis is never read\n");
  ASSERT_TRUE(file.ok()) << file.status();
  std::string kept;
  for (const auto& record : file->records) kept += record.sql.back();
  EXPECT_EQ(kept, "145");
}

TEST(SltFile, ReadsOurDirectives) {
  const auto file =
      ParseSlt("a.slt",
               "mode whatever\nclock '2024-01-01 00:00:00+00'\npipeline a b.sql\nepoch\n"
               "restart\nhash-threshold 8\nquery I\nSELECT 1\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto& records = file->records;
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0].argument, "2024-01-01 00:00:00+00");
  EXPECT_EQ(records[1].argument, "a b.sql");
  EXPECT_EQ(records[2].kind, Kind::kEpoch);
  EXPECT_EQ(records[3].kind, Kind::kRestart);
  EXPECT_EQ(records[4].hash_threshold, 8);
  EXPECT_FALSE(records[4].has_expected);
}

TEST(SltFile, ReadsWhatOtherRunnersAdd) {
  const auto file =
      ParseSlt("a.slt",
               "subtest one\nconnection c2\nsleep 10ms\ncontrol sortmode rowsort\n"
               "query II nosort con2\nSELECT 1, 2\n\nquery I retry 3 backoff 1s\nSELECT 1\n\n"
               "statement ok retry 3 backoff 1s\nSELECT 1\n\n"
               "statement error\nSELECT 1/0\n----\ndivision\n\nby zero\n\n\nquery I\nSELECT 2\n");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto& records = file->records;
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0].label, "");
  EXPECT_EQ(records[0].sort, SltRecord::Sort::kNone);
  EXPECT_EQ(records[1].sort, SltRecord::Sort::kRows);
  EXPECT_EQ(records[1].label, "");
  EXPECT_EQ(records[3].error, "division\n\nby zero");
  EXPECT_EQ(records[4].sql, "SELECT 2");
}

TEST(SltFile, IncludesFiles) {
  const auto directory = std::filesystem::temp_directory_path() / "leat-slt-include";
  std::filesystem::create_directory(directory);
  std::ofstream(directory / "b1.inc") << "query I\nSELECT 1\n";
  std::ofstream(directory / "b2.inc") << "include a.slt\n";
  const std::string path = (directory / "a.slt").string();
  const auto file = ParseSlt(path, "statement ok\nSELECT 0\n\ninclude b1.*\n");
  EXPECT_FALSE(ParseSlt(path, "include nowhere.inc\n").ok());
  std::ofstream(path) << "include b2.inc\n";
  EXPECT_FALSE(ParseSlt(path, "include b2.inc\n").ok()) << "a circle";
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->records.size(), 2u);
  EXPECT_EQ(file->records[1].file, (directory / "b1.inc").string());
}

TEST(SltFile, ReadsTheInputOfCopy) {
  const auto file =
      ParseSlt("a.slt", "statement ok\ncopy t from stdin;\na\n\n----\n\\.\n\nepoch\n");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->records.size(), 2u);
  EXPECT_EQ(file->records[0].sql, "copy t from stdin;");
  EXPECT_EQ(file->records[0].input, (std::vector<std::string>{"a", "", "----"}));
}

TEST(SltFile, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"nonsense\n", "statement maybe-not\nSELECT 1\n", "query I\n\n", "clock\n", "skipif\n",
        "system ok\nls\n", "control sortmode up\n", "statement ok\nCOPY t FROM stdin\na\n"}) {
    EXPECT_FALSE(ParseSlt("a.slt", text).ok()) << text;
  }
}

}  // namespace
}  // namespace leat
