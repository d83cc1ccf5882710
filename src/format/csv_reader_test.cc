#include "format/csv_reader.h"

#include <gtest/gtest.h>

#include "format/files_test.h"

namespace leat {
namespace {

using Rows = std::vector<std::vector<std::string>>;

TEST(CsvReader, WrongValuesAreRejectsAndTheirNeighboursStay) {
  const TestFile file("t.csv",
                      "id,score,day,ok\n1,1.5,2007-05-26,true\nx,2,2008-02-29,f\n"
                      "3,1e400,2008-01-01,t\n4,,2008-02-30,t\n5,\"-7.25\",,\n");
  ReadOptions options;
  options.columns = {WantColumn("day", TypeId::kDate), WantColumn("id", TypeId::kInt4),
                     WantColumn("score", TypeId::kFloat8), WantColumn("ok", TypeId::kBool)};
  const Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  EXPECT_EQ(got.rows, (Rows{{"2007-05-26", "1", "1.5", "t"}, {"NULL", "5", "-7.25", "NULL"}}));
  ASSERT_EQ(got.rejects.size(), 3U);
  EXPECT_EQ(got.rejects[0].reason, "invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(got.rejects[0].column, "id");
  EXPECT_EQ(got.rejects[0].raw, "x,2,2008-02-29,f");
  EXPECT_EQ(got.rejects[0].row, 1);
  EXPECT_EQ(got.rejects[0].line, 3);
  EXPECT_EQ(got.rejects[0].offset, 38);
  EXPECT_EQ(got.rejects[1].reason, "\"1e400\" is out of range for type double precision");
  EXPECT_EQ(got.rejects[2].reason, "date/time field value out of range: \"2008-02-30\"");
  EXPECT_EQ(got.rows_read, 5);
  // A constraint refuses the last row later.
  const Reject later = RejectOf(got.chunks[0], 1, "day", "null value");
  EXPECT_EQ(later.raw, "5,\"-7.25\",,");
  EXPECT_EQ(later.row, 4);
  EXPECT_EQ(later.line, 6);
}

TEST(CsvReader, NullOnErrorKeepsTheRow) {
  const TestFile file("t.csv", "a,b\n1,2\nx,3\n4,y\n");
  ReadOptions options;
  options.columns = {WantColumn("a", TypeId::kInt8), WantColumn("b", TypeId::kInt8)};
  options.columns[0].null_on_error = true;
  const Drained got = Drain(file.path(), options);
  EXPECT_EQ(got.rows, (Rows{{"1", "2"}, {"NULL", "3"}}));
  ASSERT_EQ(got.rejects.size(), 2U);
  EXPECT_TRUE(got.rejects[0].row_kept);
  EXPECT_FALSE(got.rejects[1].row_kept);
  EXPECT_EQ(got.rows_read, 3);
}

TEST(CsvReader, AStrayQuoteGivesUpItsOwnLineOnly) {
  const TestFile file("t.csv", "a,b\n1,\"open\n2,\"shut\"\n3,5\" pipe\n4,\"never closed\n");
  ReadOptions options;
  options.columns = {WantColumn("a", TypeId::kInt8), WantColumn("b", TypeId::kText)};
  const Drained got = Drain(file.path(), options);
  EXPECT_EQ(got.rows, (Rows{{"2", "shut"}, {"3", "5\" pipe"}}));
  ASSERT_EQ(got.rejects.size(), 2U);
  EXPECT_EQ(got.rejects[0].raw, "1,\"open");
  EXPECT_EQ(got.rejects[1].raw, "4,\"never closed");
  EXPECT_EQ(got.rejects[1].reason, "unterminated CSV quoted field");
}

TEST(CsvReader, OptionsOfTheDialect) {
  const TestFile file("t.csv",
                      "\xef\xbb\xbf"
                      "a;b\r\n'x;y';NA\r\n\\N;'it''s'\r\n");
  ReadOptions options;
  options.columns = {WantColumn("a", TypeId::kText), WantColumn("b", TypeId::kText)};
  options.options = {{"delimiter", ";"}, {"quote", "'"}, {"null", "NA|\\N"}};
  const Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  EXPECT_EQ(got.rows, (Rows{{"x;y", "NULL"}, {"NULL", "it's"}}));
  options.options = {{"delimiter", "ab"}};
  EXPECT_EQ(Drain(file.path(), options).status.message(),
            "CSV delimiter must be a single one-byte character");
}

TEST(CsvReader, WithoutHeaderColumnsAreFoundByPlace) {
  const TestFile file("t.csv", "1,2,3\n4,5,6\n");
  ReadOptions options;
  options.columns = {WantColumn("column3", TypeId::kInt8), WantColumn("column1", TypeId::kInt8)};
  options.options = {{"header", "false"}};
  EXPECT_EQ(Drain(file.path(), options).rows, (Rows{{"3", "1"}, {"6", "4"}}));
}

TEST(CsvReader, AMissingColumnIsNamedWithItsNearest) {
  const TestFile file("t.csv", "temp_max,temp_min\n1,2\n");
  ReadOptions options;
  options.columns = {WantColumn("temp_mx", TypeId::kInt8)};
  const Status status = Drain(file.path(), options).status;
  ASSERT_NE(SqlErrorOf(status), nullptr);
  EXPECT_EQ(SqlErrorOf(status)->hint, "Perhaps you meant \"temp_max\".");
  EXPECT_EQ(SqlErrorOf(status)->detail, "The file has \"temp_max\", \"temp_min\".");
}

TEST(CsvReader, LengthsApplyToDictionariesToo) {
  std::string text = "s,v\n";
  for (int i = 0; i < 3000; ++i)
    text += i % 3 == 0 ? "CA,abc\n" : i % 3 == 1 ? "N,ab\n" : "XYZ,a\n";
  const TestFile file("t.csv", text);
  ReadOptions options;
  options.columns = {WantColumn("s", Type::Char(2)), WantColumn("v", Type::Varchar(3))};
  const Drained got = Drain(file.path(), options);
  ASSERT_EQ(got.rows.size(), 2000U);
  EXPECT_EQ(got.rows[0], (std::vector<std::string>{"CA", "abc"}));
  EXPECT_EQ(got.rows[1], (std::vector<std::string>{"N ", "ab"}));
  EXPECT_EQ(got.chunks[0].batch.columns[0]->type_id(), arrow::Type::DICTIONARY);
  ASSERT_EQ(got.rejects.size(), 1000U);
  EXPECT_EQ(got.rejects[0].reason, "value too long for type character(2)");
}

TEST(CsvReader, TextMustBeUtf8) {
  const TestFile file("t.csv",
                      std::string("a,b\ncaf\xc3\xa9,1\n\xff,2\n\xe2\x28\xa1,3\nx\0y,4\nz,5\n", 32));
  ReadOptions options;
  options.columns = {WantColumn("a", TypeId::kText)};
  const Drained got = Drain(file.path(), options);
  EXPECT_EQ(got.rows, (Rows{{"caf\xc3\xa9"}, {"z"}}));
  ASSERT_EQ(got.rejects.size(), 3U);
  EXPECT_EQ(got.rejects[0].reason, "invalid byte sequence for encoding \"UTF8\": 0xff");
  EXPECT_EQ(got.rejects[1].reason, "invalid byte sequence for encoding \"UTF8\": 0xe2 0x28 0xa1");
  EXPECT_EQ(got.rejects[2].reason, "invalid byte sequence for encoding \"UTF8\": 0x00");
}

TEST(CsvReader, ManyDistinctStringsLoseTheirDictionary) {
  std::string text = "s,n\n";
  for (int i = 0; i < 50000; ++i) {
    text += fmt::format("\"a rather long name, number {}\",{}.50\n", i, i);
  }
  const TestFile file("t.csv", text);
  ReadOptions options;
  options.columns = {WantColumn("s", TypeId::kText), WantColumn("n", Type::Numeric(12, 2))};
  const Drained got = Drain(file.path(), options);
  ASSERT_EQ(got.rows.size(), 50000U);
  EXPECT_EQ(got.rows[49999],
            (std::vector<std::string>{"a rather long name, number 49999", "49999.50"}));
  EXPECT_EQ(got.chunks[0].batch.columns[0]->type_id(), arrow::Type::STRING);
}

TEST(CsvReader, ADamagedGzipGivesEveryWholeRowBeforeIt) {
  std::string text = "n\n";
  for (int i = 0; i < 20000; ++i) text += fmt::format("{}\n", i * 7919 % 100003);
  const std::string zipped = Compress(arrow::Compression::GZIP, text);
  const TestFile file("t.csv.gz");
  ReadOptions options;
  options.columns = {WantColumn("n", TypeId::kInt8)};
  options.chunk_bytes_max = 4096;
  for (const size_t kept : {zipped.size() - 1, zipped.size() - 9, zipped.size() / 2, size_t{40}}) {
    file.Write(std::string_view(zipped).substr(0, kept));
    const Drained got = Drain(file.path(), options);
    EXPECT_TRUE(got.status.IsIOError()) << got.status.ToString();
    EXPECT_NE(got.status.message().find(file.path()), std::string::npos);
    if (kept > zipped.size() - 10) {
      EXPECT_EQ(got.rows.size(), 20000U);
    }
    if (kept == zipped.size() / 2) {
      EXPECT_GT(got.rows.size(), 5000U);
    }
    for (size_t i = 0; i < got.rows.size(); ++i) {
      ASSERT_EQ(got.rows[i][0], std::to_string(i * 7919 % 100003));
    }
  }
  // Several members, one after another, are one file.
  const size_t half = text.size() / 2;
  file.Write(Compress(arrow::Compression::GZIP, text.substr(0, half)) +
             Compress(arrow::Compression::GZIP, text.substr(half)));
  const Drained both = Drain(file.path(), options);
  EXPECT_TRUE(both.status.ok()) << both.status.ToString();
  EXPECT_EQ(both.rows.size(), 20000U);
}

TEST(CsvReader, NumbersAsOthersWriteThem) {
  const TestFile file("t.csv",
                      "i;f;n;t\n1.234;-1.234,5;0,25;1,5\n12;7;1.000.000,1;x\n1.23;1;1;a\n"
                      "1;1,2,3;1;b\n1;1.0.0;1;c\n1;\"2,5\";1;d\n1;1;12.34,1;e\n;;;f\n");
  ReadOptions options;
  options.columns = {WantColumn("i", TypeId::kInt4), WantColumn("f", TypeId::kFloat8),
                     WantColumn("n", TypeId::kNumeric), WantColumn("t", TypeId::kText)};
  options.options = {{"delimiter", ";"}, {"decimal", ","}, {"thousands", "."}};
  const Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  EXPECT_EQ(got.rows, (std::vector<std::vector<std::string>>{{"1234", "-1234.5", "0.25", "1,5"},
                                                             {"12", "7", "1000000.1", "x"},
                                                             {"1", "2.5", "1", "d"},
                                                             {"NULL", "NULL", "NULL", "f"}}));
  ASSERT_EQ(got.rejects.size(), 4U);
  EXPECT_EQ(got.rejects[0].reason, "invalid input syntax for type integer: \"1.23\"");
  EXPECT_EQ(got.rejects[3].reason, "invalid input syntax for type numeric: \"12.34,1\"");
  const auto schema = InferSchema(file.path(), "", options.options);
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(schema->columns[3].type.id, TypeId::kText);
}

TEST(CsvReader, TextThatNobodyAsksForIsNotRead) {
  const TestFile file("t.csv", "a,t,n\n1,x,2\n2,\"y\n\",3\n3,\xff,4\n4,z,q\n");
  ReadOptions options;
  options.columns = {WantColumn("a", TypeId::kInt4), WantColumn("t", TypeId::kText),
                     WantColumn("n", TypeId::kInt4)};
  options.columns[1].unread = options.columns[2].unread = true;
  const Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  EXPECT_EQ(got.rows,
            (std::vector<std::vector<std::string>>{{"1", "NULL", "2"}, {"2", "NULL", "3"}}));
  // What is wrong is a reject whoever asks.
  ASSERT_EQ(got.rejects.size(), 2U);
  EXPECT_EQ(got.rejects[0].reason, "invalid byte sequence for encoding \"UTF8\": 0xff");
  EXPECT_EQ(got.rejects[1].reason, "invalid input syntax for type integer: \"q\"");
}

TEST(CsvReader, OtherEncodings) {
  const std::string latin = "name,n\nK\xf6ln,1\n\"M\xfcnchen\",2\n";
  std::string wide = "\xff\xfe";
  for (const char c : std::string("name,n\nK\xf6ln,1\nx,2\n")) wide += {c, '\0'};
  wide += std::string("\x00\xd8z\0,\0", 6);  // half a surrogate pair
  wide += std::string("3\0\n\0", 4);
  ReadOptions options;
  options.columns = {WantColumn("name", TypeId::kText), WantColumn("n", TypeId::kInt4)};
  for (const int64_t bytes : {5, 1 << 20}) {
    options.chunk_bytes_max = bytes;
    options.options = {{"encoding", "LATIN1"}};
    const TestFile one("t.csv", latin);
    EXPECT_EQ(Drain(one.path(), options).rows,
              (std::vector<std::vector<std::string>>{{"Köln", "1"}, {"München", "2"}}));
    options.options = {{"encoding", "utf-16"}};
    const TestFile two("t.csv", wide);
    const Drained got = Drain(two.path(), options);
    EXPECT_EQ(got.rows, (std::vector<std::vector<std::string>>{{"Köln", "1"}, {"x", "2"}}));
    ASSERT_EQ(got.rejects.size(), 1U);
    EXPECT_EQ(got.rejects[0].reason, "invalid byte sequence for encoding \"UTF8\": 0xff");
    // From the second chunk on.
    const int64_t begin = got.chunks[0].end;
    EXPECT_EQ(Drain(two.path(), options, {.begin = begin}).rows.size(),
              2 - static_cast<size_t>(got.chunks[0].batch.rows));
  }
  options.options = {{"encoding", "klingon"}};
  EXPECT_FALSE(Drain(TestFile("t.csv", latin).path(), options).status.ok());
}

}  // namespace
}  // namespace leat
