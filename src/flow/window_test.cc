// Row windows against their slow definition, in every form, and what PostgreSQL answers at the
// edges.
#include <gtest/gtest.h>

#include <limits>

#include "base/rounds_test.h"
#include "flow/harness_test.h"

namespace leat {
namespace {

using slow::Pick;
using slow::Random;

ExprPtr RandomColumn(Random* random, const Schema& schema) {
  const auto c = static_cast<int>(Pick(random, 0, schema.size() - 1));
  return ColumnExpr(c, schema.columns[static_cast<size_t>(c)].type);
}

ExprPtr Int4(int32_t value) {
  return LiteralExpr(std::make_shared<arrow::Int32Scalar>(value), TypeId::kInt4);
}

Type SumType(const Type& type) {
  if (type.id == TypeId::kInt4) return TypeId::kInt8;
  return type.id == TypeId::kInt8 ? TypeId::kNumeric : type.id;
}

// Columns of the test schema: 0 bool, 1 int4, 2 int8, 3 float8, 4 numeric, 5 numeric(12,2), then
// any.
Schema TestSchema(Random* random) {
  return slow::RandomSchema(random, {TypeId::kBool, TypeId::kInt4, TypeId::kInt8, TypeId::kFloat8,
                                     TypeId::kNumeric, Type::Numeric(12, 2)});
}

WindowCall RandomAggregate(Random* random, const Schema& schema) {
  WindowCall call;
  call.function = static_cast<WindowFunction>(Pick(random, 0, 4));
  if (call.function == WindowFunction::kSum || call.function == WindowFunction::kAvg) {
    const auto c = static_cast<int>(Pick(random, 1, 5));
    call.args = {ColumnExpr(c, schema.columns[static_cast<size_t>(c)].type)};
    const Type& type = call.args[0]->type;
    call.result = call.function == WindowFunction::kSum ? SumType(type)
                  : type.id == TypeId::kFloat8          ? Type(TypeId::kFloat8)
                                                        : Type(TypeId::kNumeric);
  } else if (call.function == WindowFunction::kCount) {
    if (Pick(random, 0, 1) == 0) call.args = {RandomColumn(random, schema)};
    call.result = TypeId::kInt8;
  } else {
    call.args = {RandomColumn(random, schema)};
    call.result = call.args[0]->type;
  }
  if (Pick(random, 0, 3) == 0) call.filter = ColumnExpr(0, TypeId::kBool);
  return call;
}

WindowCall RandomShift(Random* random, const Schema& schema, bool lead, bool varies) {
  WindowCall call;
  call.function = lead ? WindowFunction::kLead : WindowFunction::kLag;
  call.args = {RandomColumn(random, schema)};
  call.result = call.args[0]->type;
  const int64_t args = varies ? 1 : Pick(random, 0, 2);
  if (args > 0) {
    call.args.push_back(varies ? ColumnExpr(1, TypeId::kInt4)
                               : Int4(static_cast<int32_t>(Pick(random, 0, 3))));
  }
  if (args > 1) call.args.push_back(call.args[0]);
  return call;
}

// `kinds` says which calls may come: 'a' aggregates, 'e' ema, 'n' row_number, 'r' rank, 'l' lag,
// 'L' lead, 'v' a varying lag, 'f' first and last value.
WindowCall RandomCall(Random* random, const Schema& schema, const std::string& kinds) {
  const char kind =
      kinds[static_cast<size_t>(Pick(random, 0, static_cast<int64_t>(kinds.size()) - 1))];
  const bool coin = Pick(random, 0, 1) == 0;
  switch (kind) {
    case 'a':
      return RandomAggregate(random, schema);
    case 'e':
      return {WindowFunction::kEma, {ColumnExpr(3, TypeId::kFloat8), Int4(5)}, {}, TypeId::kFloat8};
    case 'n':
      return {WindowFunction::kRowNumber, {}, {}, TypeId::kInt8};
    case 'r':
      return {coin ? WindowFunction::kRank : WindowFunction::kDenseRank, {}, {}, TypeId::kInt8};
    case 'l':
      return RandomShift(random, schema, false, false);
    case 'L':
      return RandomShift(random, schema, true, false);
    case 'v':
      return RandomShift(random, schema, coin, true);
    default: {
      const ExprPtr arg = RandomColumn(random, schema);
      return {
          coin ? WindowFunction::kFirstValue : WindowFunction::kLastValue, {arg}, {}, arg->type};
    }
  }
}

struct Form {
  Properties properties;
  std::string kinds = "aaaafl";
  bool order = true;
  std::vector<RowFrame> frames;
};

WindowSpec RandomWindow(Random* random, const Form& form) {
  WindowSpec spec;
  spec.input = TestSchema(random);
  spec.properties = form.properties;
  for (int64_t n = Pick(random, 0, 2); n > 1; --n) {
    spec.partition.push_back(RandomColumn(random, spec.input));
  }
  for (int64_t n = form.order ? Pick(random, 0, 2) : 0; n > 0; --n) {
    spec.order.push_back({.expr = RandomColumn(random, spec.input),
                          .descending = Pick(random, 0, 1) == 1,
                          .nulls_first = Pick(random, 0, 1) == 1});
  }
  spec.frame = form.frames[static_cast<size_t>(
      Pick(random, 0, static_cast<int64_t>(form.frames.size()) - 1))];
  for (int64_t n = Pick(random, 1, 4); n > 0; --n) {
    spec.calls.push_back(RandomCall(random, spec.input, form.kinds));
  }
  spec.output = spec.input;
  for (const WindowCall& call : spec.calls) {
    spec.output.columns.push_back({.name = "w", .type = call.result});
  }
  return spec;
}

void CheckForm(const Form& form, int rounds = 80) {
  const auto seeds = static_cast<uint64_t>(Rounds(rounds));
  for (uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    Random random(seed);
    const WindowSpec spec = RandomWindow(&random, form);
    slow::Check({.inputs = {spec.input},
                 .output = spec.output,
                 .make = [=] { return MakeWindow(spec); },
                 .answer = [=](const auto& in) { return slow::Window(spec, in[0]); },
                 .properties = form.properties,
                 .seq = form.properties.in_order || seed % 4 != 0},
                seed);
  }
}

constexpr int64_t kAll = RowFrame::kUnbounded;
constexpr Properties kInOrder = {.append_only = true, .in_order = true};

TEST(Window, AppendFormIsItsDefinition) {
  CheckForm({.properties = kInOrder,
             .kinds = "aaaaenlf",
             .order = false,
             .frames = {{3, 0}, {0, 0}, {5, -1}, {kAll, 0}}},
            150);
}

TEST(Window, NearFormIsItsDefinition) {
  CheckForm({.kinds = "aaaalLf", .frames = {{2, 0}, {0, 0}, {1, 1}, {0, 2}, {3, -1}, {-1, 3}}},
            200);
}

TEST(Window, RunningFormIsItsDefinition) {
  CheckForm({.kinds = "aaaaenlf", .frames = {{kAll, 0}}}, 100);
  CheckForm({.kinds = "aaaaenrlf", .frames = {{kAll, 0, true}, {2, 0}}}, 100);
}

TEST(Window, RunningFormOverAppendedRowsIsItsDefinition) {
  CheckForm({.properties = kInOrder, .kinds = "aaenrlf", .frames = {{kAll, 0, true}, {kAll, 0}}});
}

TEST(Window, WholeFormIsItsDefinition) {
  CheckForm({.kinds = "aaaaenrlLvf",
             .frames = {{kAll, kAll},
                        {kAll, kAll, true},
                        {0, kAll},
                        {kAll, 2},
                        {kAll, -2},
                        {0, 0, true},
                        {0, kAll, true}}},
            150);
}

TEST(Window, GroupsAreTheirDefinition) {
  CheckForm({.kinds = "aaaarf",
             .frames = {{1, 1, false, true},
                        {2, -1, false, true},
                        {-1, 2, false, true},
                        {kAll, 1, false, true},
                        {0, kAll, false, true}}},
            100);
}

TEST(Window, ExclusionsAreTheirDefinition) {
  using Exclude = RowFrame::Exclude;
  for (const Exclude exclude : {Exclude::kCurrentRow, Exclude::kGroup, Exclude::kTies}) {
    CheckForm({.kinds = "aaaaf",
               .frames = {{2, 1, false, false, exclude},
                          {kAll, 0, false, false, exclude},
                          {kAll, 0, true, false, exclude},
                          {1, 1, false, true, exclude}}},
              60);
  }
}

TEST(Window, FinalFormIsItsDefinition) {
  CheckForm({.properties = {.final = true},
             .kinds = "aaaaenrlLvf",
             .frames = {{kAll, kAll}, {kAll, 0, true}, {2, 0}, {1, 1}}});
}

// ---- edges --------------------------------------------------------------------------------------

const Schema kFloats = slow::SchemaOf({TypeId::kFloat8});

WindowSpec FloatWindow(WindowFunction function, RowFrame frame) {
  WindowSpec spec{.input = kFloats, .frame = frame, .properties = kInOrder};
  spec.calls.push_back({function, {ColumnExpr(0, TypeId::kFloat8)}, {}, TypeId::kFloat8});
  spec.output = slow::SchemaOf({TypeId::kFloat8, TypeId::kFloat8});
  return spec;
}

slow::Rows FloatRows(const std::vector<double>& values) {
  slow::Rows rows;
  for (const double value : values) {
    rows.push_back({{slow::Cell::Of(value)}, static_cast<int64_t>(rows.size())});
  }
  return rows;
}

// Frames long enough for the vectorised loop, values that do not sum exactly, cut anywhere.
TEST(Window, SlidingFloatSumsHavePostgresBits) {
  Random random(7);
  std::vector<double> values(1000);
  for (double& value : values) {
    value = std::ldexp(static_cast<double>(Pick(&random, -1000, 1000)),
                       static_cast<int>(Pick(&random, -30, 30)));
  }
  const slow::Rows rows = FloatRows(values);
  for (const WindowFunction function : {WindowFunction::kSum, WindowFunction::kAvg}) {
    const WindowSpec spec = FloatWindow(function, {.preceding = 49});
    auto op = MakeWindow(spec).ValueOrDie();
    slow::Collected out(spec.output, true);
    const Batch batch = slow::BatchOf(rows, kFloats);
    for (int64_t at = 0; at < batch.rows;) {
      const int64_t n = std::min(batch.rows - at, Pick(&random, 1, 300));
      ASSERT_TRUE(op->Push(0, Slice(batch, at, n), {}, &out).ok());
      at += n;
    }
    out.ExpectEqual(slow::Window(spec, rows), "");
  }
}

TEST(Window, OverflowOfASumIsAnErrorOfItsRows) {
  const double most = std::numeric_limits<double>::max();
  const slow::Rows rows = FloatRows({1, most, most, 1, 1, std::numeric_limits<double>::infinity()});
  const WindowSpec spec = FloatWindow(WindowFunction::kSum, {.preceding = 1});
  auto op = MakeWindow(spec).ValueOrDie();
  slow::Collected out(spec.output, true);
  ASSERT_TRUE(op->Push(0, slow::BatchOf(rows, kFloats), {}, &out).ok());
  EXPECT_EQ(out.net().size(), 5u);
  EXPECT_EQ(out.rejects(),
            (std::map<std::string, int64_t>{{"22003 value out of range: overflow", 1}}));
}

// In the general form such a row goes to the rejects and comes back when its frame changes.
TEST(Window, RejectsAreTakenBack) {
  const double most = std::numeric_limits<double>::max();
  const slow::Rows rows = FloatRows({most, most});
  WindowSpec spec = FloatWindow(WindowFunction::kSum, {.preceding = 1});
  spec.properties = {};
  auto op = MakeWindow(spec).ValueOrDie();
  slow::Collected out(spec.output, true);
  ASSERT_TRUE(op->Push(0, slow::BatchOf(rows, kFloats), {}, &out).ok());
  ASSERT_TRUE(op->Finish({.number = 1}, {}, &out).ok());
  EXPECT_EQ(out.net().size(), 1u);
  EXPECT_EQ(out.rejects().begin()->second, 1);
  ASSERT_TRUE(op->Push(0, slow::BatchOf({rows[0]}, kFloats, {-1}), {}, &out).ok());
  ASSERT_TRUE(op->Finish({.number = 2}, {}, &out).ok());
  EXPECT_EQ(out.net().size(), 1u);
  EXPECT_EQ(out.rejects().begin()->second, 0);
}

TEST(Window, EmaBeginsWithTheFirstValueAndSkipsNulls) {
  WindowSpec spec = FloatWindow(WindowFunction::kEma, {});
  spec.calls[0].args.push_back(Int4(3));
  slow::Rows rows = FloatRows({4, 8, 0, 8});
  rows[2].cells[0] = slow::Cell::Null(TypeId::kFloat8);
  auto op = MakeWindow(spec).ValueOrDie();
  slow::Collected out(spec.output, false);
  ASSERT_TRUE(op->Push(0, slow::BatchOf(rows, kFloats), {}, &out).ok());
  slow::Rows expected = rows;
  const double emas[] = {4, 6, 6, 7};
  for (size_t i = 0; i < 4; ++i) expected[i].cells.push_back(slow::Cell::Of(emas[i]));
  out.ExpectEqual(expected, "");
}

TEST(Window, RefusesWhatItCannotDo) {
  WindowSpec spec = FloatWindow(WindowFunction::kSum, {.preceding = 3, .range = true});
  EXPECT_EQ(SqlErrorOf(MakeWindow(spec).status())->sqlstate, "0A000");
  spec = FloatWindow(WindowFunction::kFirstValue, {.preceding = 3});
  spec.calls[0].filter = ColumnExpr(0, TypeId::kBool);
  EXPECT_EQ(SqlErrorOf(MakeWindow(spec).status())->sqlstate, "0A000");
}

}  // namespace
}  // namespace leat
