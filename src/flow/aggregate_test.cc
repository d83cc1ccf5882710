#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include "base/rounds_test.h"
#include "flow/harness_test.h"

namespace leat {
namespace {

using slow::Cell;
using slow::Random;
using slow::Row;
using slow::Rows;

AggregateCall CallOf(const char* name, std::vector<ExprPtr> args) {
  std::vector<Type> types;
  for (const ExprPtr& arg : args) types.push_back(arg->type);
  const ResolvedAggregate resolved = ResolveAggregate(name, types, -1).ValueOrDie();
  return {.aggregate = resolved.aggregate,
          .args = std::move(args),
          .filter = nullptr,
          .distinct = false,
          .result = resolved.result};
}

struct Shape {
  bool append_only = false;
  bool in_order = false;
  bool seq = true;
};

// Columns: a boolean to filter by, an int4, a float8, a numeric, a text; then the keys.
AggregateSpec RandomAggregate(Random* random, const Shape& shape,
                              const std::vector<std::string>& names) {
  AggregateSpec spec;
  std::vector<Type> types = {TypeId::kBool, TypeId::kInt4, TypeId::kFloat8, TypeId::kNumeric,
                             TypeId::kText};
  const size_t values = types.size();
  // Without `_seq` the least bytes of the equal ones decide, of the value here, of the whole row in
  // the slow definition: so only types whose equal values are identical.
  for (int64_t n = slow::Pick(random, 0, 2); n > 0; --n) {
    types.push_back(shape.seq ? slow::RandomType(random) : Type(TypeId::kInt8));
  }
  spec.input = slow::SchemaOf(types);
  for (size_t i = values; i < types.size(); ++i) {
    spec.keys.push_back(ColumnExpr(static_cast<int>(i), types[i]));
    spec.output.columns.push_back(spec.input.columns[i]);
  }
  for (int64_t n = slow::Pick(random, 1, 4); n > 0; --n) {
    const std::string& name =
        names[static_cast<size_t>(slow::Pick(random, 0, static_cast<int64_t>(names.size()) - 1))];
    const auto column = [&](int64_t least, int64_t most) {
      const auto c = static_cast<size_t>(slow::Pick(random, least, most));
      return ColumnExpr(static_cast<int>(c), types[c]);
    };
    std::vector<ExprPtr> args;
    if (name == "sum" || name == "avg") {
      args = {column(1, 3)};
    } else if (name != "count" || slow::Pick(random, 0, 2) > 0) {
      args = {shape.seq ? column(1, 4) : column(1, 1)};
    }
    if (name.starts_with("arg_")) args.push_back(column(1, 4));
    AggregateCall call = CallOf(name.c_str(), args);
    if (slow::Pick(random, 0, 2) == 0) call.filter = ColumnExpr(0, TypeId::kBool);
    call.distinct = shape.seq && args.size() == 1 && slow::Pick(random, 0, 2) == 0 &&
                    name != "first" && name != "last";
    spec.output.columns.push_back({.name = "call", .type = call.result});
    spec.calls.push_back(std::move(call));
  }
  spec.properties.append_only = shape.append_only;
  spec.properties.in_order = shape.in_order;
  return spec;
}

void Check(const AggregateSpec& spec, const Shape& shape, uint64_t seed,
           const std::function<Rows(const Rows&)>& answer) {
  slow::Case test;
  test.inputs = {spec.input};
  test.output = spec.output;
  test.make = [=] { return MakeAggregate(spec); };
  test.answer = [=](const std::vector<Rows>& in) { return answer(in[0]); };
  test.properties = spec.properties;
  test.seq = shape.seq;
  test.output_seq = false;
  slow::Check(test, seed);
}

// The exact sum of zeros is 0, however many of them are -0.
void PositiveZero(const AggregateSpec& spec, size_t call, Row* row) {
  const std::string& name = spec.calls[call].aggregate->name;
  Cell& cell = row->cells[spec.keys.size() + call];
  const bool summed = name == "sum" || name == "avg";
  if (summed && cell.type == TypeId::kFloat8 && !cell.null() && cell.real() == 0) {
    cell = Cell::Of(0.0);
  }
}

void CheckMany(const Shape& shape, uint64_t first_seed) {
  for (uint64_t seed = first_seed; seed < first_seed + Rounds(120) && !testing::Test::HasFailure();
       ++seed) {
    Random random(seed);
    const AggregateSpec spec =
        RandomAggregate(&random, shape, {"count", "sum", "avg", "min", "max"});
    Check(spec, shape, seed, [=](const Rows& rows) {
      Rows answer = slow::Aggregate(spec, rows);
      for (Row& row : answer) {
        for (size_t i = 0; i < spec.calls.size(); ++i) PositiveZero(spec, i, &row);
      }
      return answer;
    });
  }
}

TEST(Aggregate, RowsComeAndGo) { CheckMany({}, 0); }
TEST(Aggregate, RowsOnlyCome) { CheckMany({.append_only = true}, 1000); }
TEST(Aggregate, RowsOnlyComeInOrder) { CheckMany({.append_only = true, .in_order = true}, 2000); }
TEST(Aggregate, WithoutSeq) { CheckMany({.seq = false}, 3000); }

// The slow definition of the calls that pick a row.
Cell PickOf(const AggregateCall& call, const Rows& group, const Schema& schema) {
  const std::string& name = call.aggregate->name;
  std::vector<SortKey> order;
  if (name.starts_with("arg_")) {
    order.push_back({.expr = call.args[1], .descending = name == "arg_max"});
  }
  Rows rows;
  for (const Row& row : slow::Sorted(group, order, schema)) {
    if (!slow::IsTrue(call.filter, row)) continue;
    if (!order.empty() && slow::ValueOf(*call.args[1], row).null()) continue;
    rows.push_back(row);
  }
  if (rows.empty()) return {};
  return slow::ValueOf(*call.args[0], name == "last" ? rows.back() : rows.front());
}

void CheckPicks(const Shape& shape, uint64_t first_seed) {
  for (uint64_t seed = first_seed; seed < first_seed + Rounds(80) && !testing::Test::HasFailure();
       ++seed) {
    Random random(seed);
    const AggregateSpec spec =
        RandomAggregate(&random, shape, {"arg_min", "arg_max", "first", "last"});
    Check(spec, shape, seed, [=](const Rows& in) {
      std::vector<Rows> groups = slow::Grouped(in, spec.keys, spec.input);
      if (spec.keys.empty() && groups.empty()) groups.emplace_back();
      Rows out;
      for (const Rows& group : groups) {
        Row row;
        if (!spec.keys.empty()) row.cells = slow::ValuesOf(spec.keys, group[0]);
        for (const AggregateCall& call : spec.calls) {
          row.cells.push_back(PickOf(call, group, spec.input));
        }
        out.push_back(std::move(row));
      }
      return out;
    });
  }
}

TEST(Aggregate, PicksRowsThatComeAndGo) { CheckPicks({}, 4000); }
TEST(Aggregate, PicksRowsThatOnlyCome) { CheckPicks({.append_only = true}, 5000); }

// The slow definition of array_agg and string_agg: all rows in their order.
Cell FoldOf(const AggregateCall& call, const Rows& group, const Schema& schema) {
  std::string text;
  bool any = false;
  for (const Row& row : slow::Sorted(group, {}, schema)) {
    const Cell value = slow::ValueOf(*call.args[0], row);
    if (!slow::IsTrue(call.filter, row) || value.null()) continue;
    if (any) text += ';';
    any = true;
    text += std::get<std::string>(value.value);
  }
  return any ? Cell::Of(std::move(text)) : Cell{.type = TypeId::kText};
}

// Their rows are in a trace, which must outlive the table of groups that a small memory remakes.
void CheckFolds(uint64_t first_seed) {
  for (uint64_t seed = first_seed; seed < first_seed + 80 && !testing::Test::HasFailure(); ++seed) {
    Random random(seed);
    AggregateSpec spec;
    spec.input = slow::SchemaOf({TypeId::kBool, TypeId::kText, TypeId::kInt4});
    spec.keys = {ColumnExpr(2, TypeId::kInt4)};
    spec.output = slow::SchemaOf({TypeId::kInt4});
    const ExprPtr delimiter =
        LiteralExpr(std::make_shared<arrow::StringScalar>(";"), TypeId::kText);
    for (int64_t n = slow::Pick(&random, 1, 3); n > 0; --n) {
      AggregateCall call = CallOf("string_agg", {ColumnExpr(1, TypeId::kText), delimiter});
      if (slow::Pick(&random, 0, 1) == 0) call.filter = ColumnExpr(0, TypeId::kBool);
      spec.output.columns.push_back({.name = "call", .type = call.result});
      spec.calls.push_back(std::move(call));
    }
    Check(spec, {}, seed, [=](const Rows& in) {
      Rows out;
      for (const Rows& group : slow::Grouped(in, spec.keys, spec.input)) {
        Row row{.cells = slow::ValuesOf(spec.keys, group[0])};
        for (const AggregateCall& call : spec.calls) {
          row.cells.push_back(FoldOf(call, group, spec.input));
        }
        out.push_back(std::move(row));
      }
      return out;
    });
  }
}

TEST(Aggregate, FoldsRowsThatComeAndGo) { CheckFolds(9000); }

void CheckDistinct(const Shape& shape, uint64_t first_seed) {
  for (uint64_t seed = first_seed; seed < first_seed + Rounds(80) && !testing::Test::HasFailure();
       ++seed) {
    Random random(seed);
    DistinctSpec spec{.input = slow::RandomSchema(&random, {slow::RandomType(&random)}, 2)};
    spec.properties.append_only = shape.append_only;
    slow::Case test;
    test.inputs = {spec.input};
    test.output = spec.input;
    test.make = [=] { return MakeDistinct(spec); };
    test.answer = [=](const std::vector<Rows>& in) { return slow::Distinct(spec, in[0]); };
    test.properties = spec.properties;
    test.seq = shape.seq;
    test.output_seq = false;
    test.changes_max = 30;
    slow::Check(test, seed);
  }
}

TEST(Distinct, RowsComeAndGo) { CheckDistinct({}, 6000); }
TEST(Distinct, RowsOnlyCome) { CheckDistinct({.append_only = true}, 7000); }
TEST(Distinct, WithoutSeq) { CheckDistinct({.seq = false}, 8000); }

// A sum that leaves its type is a reject of the group's row, until it fits again.
TEST(Aggregate, AnAnswerThatFailsIsARejectUntilItDoesNot) {
  AggregateSpec spec;
  spec.input = slow::SchemaOf({TypeId::kInt4, TypeId::kFloat8});
  spec.keys = {ColumnExpr(0, TypeId::kInt4)};
  spec.calls = {CallOf("sum", {ColumnExpr(1, TypeId::kFloat8)})};
  spec.output = slow::SchemaOf({TypeId::kInt4, TypeId::kFloat8});
  auto op = MakeAggregate(spec).ValueOrDie();
  slow::Collected collected(spec.output, false);
  const auto play = [&](double value, int64_t weight) {
    const Row row{{Cell::Of(int64_t{1}, TypeId::kInt4), Cell::Of(value)}, std::nullopt};
    ASSERT_TRUE(op->Push(0, slow::BatchOf({row}, spec.input, {weight}), {}, &collected).ok());
    ASSERT_TRUE(op->Finish({}, {}, &collected).ok());
  };
  play(1e308, 1);
  EXPECT_EQ(collected.net().size(), 1u);
  play(1.5e308, 1);
  EXPECT_TRUE(collected.net().empty());
  ASSERT_EQ(collected.rejects().size(), 1u);
  EXPECT_EQ(collected.rejects().begin()->second, 1);
  play(1e307, 1);
  EXPECT_EQ(collected.rejects().begin()->second, 1);
  play(1e308, -1);
  EXPECT_EQ(collected.rejects().begin()->second, 0);
  EXPECT_EQ(collected.net().size(), 1u);
}

}  // namespace
}  // namespace leat
