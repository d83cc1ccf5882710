// Every type into every format and back; inference of what was written.
#include <gtest/gtest.h>

#include <random>

#include "format/files_test.h"

namespace leat {
namespace {

struct Sample {
  Type type;
  std::vector<std::string> texts;  // "NULL" is null
};

std::vector<Sample> Samples() {
  return {
      {TypeId::kBool, {"t", "NULL", "f"}},
      {TypeId::kInt2, {"-32768", "7", "NULL"}},
      {TypeId::kInt4, {"2147483647", "NULL", "0"}},
      {TypeId::kInt8, {"-9223372036854775808", "12345678901234567", "NULL"}},
      {TypeId::kFloat4, {"1.5", "NULL", "3.4e+38"}},
      {TypeId::kFloat8, {"0.1", "1e+300", "NULL"}},
      {Type::Numeric(12, 3), {"123.456", "NULL", "-0.001"}},
      {TypeId::kNumeric, {"1.50", "123456789012345678901234567890123456789012345", "NULL"}},
      {TypeId::kText, {"a,\"b\"\nc", "", "NULL"}},
      {Type::Varchar(5), {"héllo", "NULL", "x"}},
      {Type::Char(4), {"ab  ", "NULL", "abcd"}},
      {TypeId::kBytea, {"\\x00ff", "NULL", "\\x"}},
      {TypeId::kDate, {"2007-05-26", "NULL", "0001-01-01"}},
      {TypeId::kTime, {"23:59:59.999999", "NULL", "00:00:00"}},
      {TypeId::kTimestamp, {"2019-06-04 14:05:13", "NULL", "2000-01-01 00:00:00.000001"}},
      {TypeId::kTimestamptz, {"2019-06-04 14:05:13+00", "NULL", "1969-12-31 23:59:59+00"}},
      {TypeId::kInterval, {"1 mon -2 days +03:04:05", "NULL", "00:00:01.5"}},
      {TypeId::kUuid,
       {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "NULL", "00000000-0000-0000-0000-000000000000"}},
      {TypeId::kJson, {"{\"a\": 1}", "NULL", "[1, 2]"}},
      {TypeId::kJsonb, {"{\"a\": 1}", "NULL", "[1, 2]"}},
      {Type::Array(TypeId::kInt4), {"{1,NULL,3}", "NULL", "{}"}}};
}

Schema SchemaOf(const std::vector<Sample>& samples) {
  Schema schema;
  for (const Sample& sample : samples) {
    schema.columns.push_back({fmt::format("c{}", schema.size()), sample.type});
  }
  return schema;
}

Result<Batch> BatchOf(const std::vector<Sample>& samples) {
  Batch batch;
  batch.rows = static_cast<int64_t>(samples[0].texts.size());
  for (const Sample& sample : samples) {
    arrow::StringBuilder builder;
    for (const auto& text : sample.texts) {
      LEAT_RETURN(text == "NULL" ? builder.AppendNull() : builder.Append(text));
    }
    LEAT_ASSIGN(auto texts, builder.Finish());
    Status wrong;
    LEAT_ASSIGN(auto column, FromTextColumn(*texts, sample.type, {},
                                            [&](int64_t, const Status& error) { wrong = error; }));
    LEAT_RETURN(wrong);
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

class RoundTrip : public testing::TestWithParam<const char*> {};

TEST_P(RoundTrip, EveryTypeComesBack) {
  const auto samples = Samples();
  const Schema schema = SchemaOf(samples);
  auto batch = BatchOf(samples);
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  const TestFile file(std::string("all.") + GetParam());
  auto writer = CreateFile(file.path(), "", schema, {});
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  ASSERT_TRUE((*writer)->Write(*batch).ok());
  const Status written = (*writer)->Write(*batch);
  ASSERT_TRUE(written.ok()) << written.ToString();
  const Status closed = (*writer)->Close();
  ASSERT_TRUE(closed.ok()) << closed.ToString();
  ReadOptions options;
  for (const Column& column : schema.columns) {
    options.columns.push_back(WantColumn(column.name, column.type));
  }
  const Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  for (const Reject& reject : got.rejects) ADD_FAILURE() << reject.column << ": " << reject.reason;
  ASSERT_EQ(got.rows.size(), 6U);
  for (size_t row = 0; row < got.rows.size(); ++row) {
    for (size_t i = 0; i < samples.size(); ++i) {
      EXPECT_EQ(got.rows[row][i], samples[i].texts[row % 3]) << TypeName(samples[i].type);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip,
                         testing::Values("csv", "csv.gz", "ndjson", "ndjson.zst", "parquet"));

TEST(Parquet, RowGroupsDictionariesAndRanges) {
  Schema schema;
  schema.columns = {{"n", TypeId::kInt8}, {"s", TypeId::kText}};
  const TestFile file("groups.parquet");
  auto writer = CreateFile(file.path(), "", schema, {{"row_group_rows", "1000"}});
  ASSERT_TRUE(writer.ok());
  std::mt19937 random(5);
  std::vector<std::vector<std::string>> wanted;
  for (int part = 0; part < 20; ++part) {
    arrow::Int64Builder numbers;
    arrow::StringDictionary32Builder texts;
    arrow::StringBuilder plain;
    for (int i = 0; i < 377; ++i) {
      const std::string text = fmt::format("value {}", random() % (part % 5 == 0 ? 3 : 40));
      const bool null = random() % 7 == 0;
      ASSERT_TRUE(numbers.Append(static_cast<int64_t>(wanted.size())).ok());
      ASSERT_TRUE((null ? texts.AppendNull() : texts.Append(text)).ok());
      ASSERT_TRUE((null ? plain.AppendNull() : plain.Append(text)).ok());
      wanted.push_back({std::to_string(wanted.size()), null ? "NULL" : text});
    }
    Batch batch;
    batch.rows = 377;
    batch.columns.push_back(numbers.Finish().ValueOrDie());
    std::shared_ptr<arrow::Array> column =
        part == 13 ? plain.Finish().ValueOrDie() : texts.Finish().ValueOrDie();
    batch.columns.push_back(column);
    ASSERT_TRUE((*writer)->Write(batch).ok());
  }
  ASSERT_TRUE((*writer)->Close().ok());
  ReadOptions options;
  options.columns = {WantColumn("n", TypeId::kInt8), WantColumn("s", TypeId::kText)};
  options.chunk_bytes_max = 64 * 300;
  const Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  EXPECT_EQ(got.rows, wanted);
  for (const ReadRange range : {ReadRange{.begin = 1}, ReadRange{.begin = 999, .end = 1003},
                                ReadRange{.begin = 2500, .end = 6000}, ReadRange{.begin = 7540}}) {
    const Drained part = Drain(file.path(), options, range);
    ASSERT_TRUE(part.status.ok());
    const auto end = range.end < 0 ? static_cast<int64_t>(wanted.size()) : range.end;
    ASSERT_EQ(static_cast<int64_t>(part.rows.size()), end - range.begin);
    if (part.rows.empty()) continue;
    EXPECT_EQ(part.rows[0], wanted[static_cast<size_t>(range.begin)]);
    EXPECT_EQ(part.offsets[0], range.begin);
  }
}

TEST(Parquet, StoredTypesConvertOrAreRejects) {
  Schema schema;
  schema.columns = {{"x", TypeId::kFloat8}, {"t", TypeId::kText}};
  const TestFile file("convert.parquet");
  auto writer = CreateFile(file.path(), "", schema, {});
  ASSERT_TRUE(writer.ok());
  const auto batch =
      BatchOf({{TypeId::kFloat8, {"1", "2.5", "NULL"}}, {TypeId::kText, {"7", "8", "x"}}});
  ASSERT_TRUE((*writer)->Write(*batch).ok());
  ASSERT_TRUE((*writer)->Close().ok());
  ReadOptions options;
  options.columns = {WantColumn("x", TypeId::kInt4), WantColumn("t", TypeId::kText)};
  Drained got = Drain(file.path(), options);
  ASSERT_TRUE(got.status.ok()) << got.status.ToString();
  EXPECT_EQ(got.rows, (std::vector<std::vector<std::string>>{{"1", "7"}, {"NULL", "x"}}));
  ASSERT_EQ(got.rejects.size(), 1U);
  EXPECT_EQ(got.rejects[0].reason, "invalid input syntax for type integer: \"2.5\"");
  options.columns = {WantColumn("t", TypeId::kInt8)};
  got = Drain(file.path(), options);
  EXPECT_EQ(got.rows, (std::vector<std::vector<std::string>>{{"7"}, {"8"}}));
  options.columns = {WantColumn("x", Type::Array(TypeId::kInt4))};
  EXPECT_FALSE(Drain(file.path(), options).status.ok());
}

std::string Types(const Schema& schema) {
  std::string out;
  for (const Column& column : schema.columns)
    out += column.name + " " + TypeName(column.type) + ", ";
  return out;
}

TEST(Infer, Csv) {
  const TestFile file("t.csv",
                      "i,f,d,t,b,s,zip,empty,big\n1,1.5,2007-05-26,2019-06-04 "
                      "14:05:13,true,x,01234,,99999999999999999999\n"
                      "-2,3,2007-05-27,2019-06-04,false,5,90210,,1\n");
  EXPECT_EQ(
      Types(*InferSchema(file.path(), "", {})),
      "i bigint, f double precision, d date, t timestamp without time zone, b boolean, s text, "
      "zip text, empty text, big numeric, ");
}

TEST(Infer, NdjsonAndParquet) {
  const TestFile file(
      "t.json",
      "{\"a\": 1, \"m\": {\"x\": 1.5, \"l\": [1]}, \"w\": \"2019-06-04 14:05:13\"},\n"
      "{\"a\": null, \"z.q\": true, \"a2\": \"5\"},\n");
  EXPECT_EQ(
      Types(*InferSchema(file.path(), "", {})),
      "a bigint, m.x double precision, m.l jsonb, w timestamp without time zone, z.q boolean, "
      "a2 text, ");
  const auto samples = Samples();
  const Schema schema = SchemaOf(samples);
  const TestFile parquet("t.parquet");
  auto writer = CreateFile(parquet.path(), "", schema, {});
  ASSERT_TRUE((*writer)->Close().ok());
  const auto inferred = InferSchema(parquet.path(), "", {});
  ASSERT_TRUE(inferred.ok()) << inferred.status().ToString();
  EXPECT_EQ(Types(*inferred), Types(schema));
}

}  // namespace
}  // namespace leat
