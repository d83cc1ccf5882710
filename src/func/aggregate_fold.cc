// The aggregates that are answered from all rows of a group in their order.
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/key.h"
#include "func/aggregate_state.h"
#include "func/interval.h"
#include "func/list.h"

namespace leat {
namespace {

using enum TypeId;

int64_t GroupsOf(const FoldCall& call) { return static_cast<int64_t>(call.offsets.size()) - 1; }

Result<Type> ArrayOfFirst(std::span<const Type> args) {
  if (args[0].id == kArray) {
    return NotSupported("array_agg of arrays is not supported: arrays have one dimension here");
  }
  return Type::Array(args[0]);
}

Result<Type> LastArgument(std::span<const Type> args) { return args.back(); }
Result<Type> ArrayOfLast(std::span<const Type> args) { return Type::Array(args.back()); }

// ---- string_agg, array_agg ----------------------------------------------------------------------

Result<ArrayPtr> StringAgg(const FoldCall& call) {
  const Texts texts(call.args[0]), separators(call.args[1]);
  const int64_t groups = GroupsOf(call);
  LEAT_ASSIGN(TextWriter writer, TextWriter::Make(groups));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(groups));
  for (int64_t group = 0; group < groups; ++group) {
    bool any = false;
    for (int64_t row = call.offsets[group]; row < call.offsets[group + 1]; ++row) {
      if (call.args[0].array->IsNull(row)) continue;
      if (any && call.args[1].array->IsValid(row)) writer.bytes() += separators[row];
      writer.bytes() += texts[row];
      any = true;
    }
    if (any) arrow::bit_util::SetBit(valid->mutable_data(), group);
    writer.End();
  }
  return writer.Finish(*call.result,
                       {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

Result<ArrayPtr> ArrayAgg(const FoldCall& call) {
  const int64_t groups = GroupsOf(call);
  if (call.offsets[groups] > std::numeric_limits<int32_t>::max()) {
    return Status::CapacityError("the arrays of a batch have more than 2^31 elements");
  }
  LEAT_ASSIGN(auto offsets, AllocateValues(groups + 1, sizeof(int32_t)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(groups));
  auto* out = offsets->mutable_data_as<int32_t>();
  for (int64_t group = 0; group <= groups; ++group) {
    out[group] = static_cast<int32_t>(call.offsets[group]);
    if (group < groups && call.offsets[group] < call.offsets[group + 1]) {
      arrow::bit_util::SetBit(valid->mutable_data(), group);
    }
  }
  auto data = arrow::ArrayData::Make(ArrowType(*call.result), groups,
                                     {std::move(valid), std::move(offsets)});
  data->child_data = {call.args[0].array->data()};
  return arrow::MakeArray(data);
}

// ---- ordered sets -------------------------------------------------------------------------------

// The rows of a group whose last argument, the one sorted by, is not null.
std::vector<int64_t> RowsOf(const FoldCall& call, int64_t group) {
  std::vector<int64_t> rows;
  for (int64_t row = call.offsets[group]; row < call.offsets[group + 1]; ++row) {
    if (call.args.back().array->IsValid(row)) rows.push_back(row);
  }
  return rows;
}

// Whether a fraction can be a percentile's; the group's error if not.
bool CheckFraction(const FoldCall& call, int64_t group, double fraction) {
  if (fraction >= 0 && fraction <= 1) return true;
  call.errors->Set(group, kOutOfRange,
                   fmt::format("percentile value {:g} is not between 0 and 1", fraction));
  return false;
}

// Which of `count` rows percentile_disc answers with.
int64_t DiscreteAt(double fraction, int64_t count) {
  const auto at = static_cast<int64_t>(std::ceil(fraction * static_cast<double>(count)));
  return std::max<int64_t>(at, 1) - 1;
}

Result<ArrayPtr> PercentileDisc(const FoldCall& call) {
  const Values<double> fractions(call.args[0]);
  std::vector<int64_t> picked;
  for (int64_t group = 0; group < GroupsOf(call); ++group) {
    picked.push_back(-1);
    const auto rows = RowsOf(call, group);
    if (rows.empty() || call.args[0].array->IsNull(rows[0])) continue;
    const double fraction = fractions[rows[0]];
    if (!CheckFraction(call, group, fraction)) continue;
    const int64_t at = DiscreteAt(fraction, static_cast<int64_t>(rows.size()));
    picked.back() = rows[static_cast<size_t>(at)];
  }
  return TakeRows(call.args[1].array, picked);
}

// A value between two neighbours, as PostgreSQL's float8_lerp and interval_lerp.
double Between(double low, double high, double part) { return low + part * (high - low); }

Interval Between(const Interval& low, const Interval& high, double part) {
  Interval step{}, out{};
  const bool ok = MakeInterval(static_cast<__int128>(high.months) - low.months,
                               static_cast<__int128>(high.days) - low.days,
                               static_cast<__int128>(MicrosOf(high)) - MicrosOf(low), &step) &&
                  MultiplyInterval(step, part, &step) &&
                  MakeInterval(static_cast<__int128>(low.months) + step.months,
                               static_cast<__int128>(low.days) + step.days,
                               static_cast<__int128>(MicrosOf(low)) + MicrosOf(step), &out);
  return ok ? out : low;
}

template <typename T>
T ContinuousAt(const Values<T>& values, const std::vector<int64_t>& rows, double fraction) {
  const double place = fraction * static_cast<double>(rows.size() - 1);
  const double low = std::floor(place);
  const T below = values[rows[static_cast<size_t>(low)]];
  const T above = values[rows[static_cast<size_t>(std::ceil(place))]];
  return low == std::ceil(place) ? below : Between(below, above, place - low);
}

template <typename T>
Result<ArrayPtr> PercentileCont(const FoldCall& call) {
  const Values<double> fractions(call.args[0]);
  const Values<T> values(call.args[1]);
  const int64_t groups = GroupsOf(call);
  LEAT_ASSIGN(auto answers, AllocateValues(groups, sizeof(T)));
  LEAT_ASSIGN(std::shared_ptr<arrow::Buffer> valid, arrow::AllocateEmptyBitmap(groups));
  T* out = answers->mutable_data_as<T>();
  for (int64_t group = 0; group < groups; ++group) {
    out[group] = T{};
    const auto rows = RowsOf(call, group);
    if (rows.empty() || call.args[0].array->IsNull(rows[0])) continue;
    if (!CheckFraction(call, group, fractions[rows[0]])) continue;
    out[group] = ContinuousAt(values, rows, fractions[rows[0]]);
    arrow::bit_util::SetBit(valid->mutable_data(), group);
  }
  return FixedColumn(*call.result, groups, std::move(answers),
                     {.bitmap = std::move(valid), .count = arrow::kUnknownNullCount});
}

// For an array of fractions: calls put(rows, fraction) for each that is not null and put({}, 0) for
// a null one, begin(valid) before those of a group.
template <typename Begin, typename Put>
Status EachFraction(const FoldCall& call, Begin begin, Put put) {
  const auto& lists = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const auto& fractions = static_cast<const arrow::DoubleArray&>(*lists.values());
  for (int64_t group = 0; group < GroupsOf(call); ++group) {
    const auto rows = RowsOf(call, group);
    const bool valid = !rows.empty() && lists.IsValid(rows[0]);
    LEAT_RETURN(begin(valid));
    if (!valid) continue;
    for (int64_t i = lists.value_offset(rows[0]); i < lists.value_offset(rows[0] + 1); ++i) {
      const bool null = fractions.IsNull(i) || !CheckFraction(call, group, fractions.Value(i));
      LEAT_RETURN(null ? put({}, 0.0) : put(rows, fractions.Value(i)));
    }
  }
  return Status::OK();
}

Result<ArrayPtr> PercentilesCont(const FoldCall& call) {
  const Values<double> values(call.args[1]);
  auto elements = std::make_shared<arrow::DoubleBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), elements);
  LEAT_RETURN(EachFraction(
      call, [&](bool valid) { return lists.Append(valid); },
      [&](const std::vector<int64_t>& rows, double fraction) {
        if (rows.empty()) return elements->AppendNull();
        return elements->Append(ContinuousAt(values, rows, fraction));
      }));
  LEAT_ASSIGN(ArrayPtr out, lists.Finish());
  return out;
}

Result<ArrayPtr> PercentilesDisc(const FoldCall& call) {
  std::vector<int64_t> picked;
  auto elements = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), elements);
  LEAT_RETURN(EachFraction(
      call, [&](bool valid) { return lists.Append(valid); },
      [&](const std::vector<int64_t>& rows, double fraction) {
        const int64_t at = rows.empty() ? -1 : DiscreteAt(fraction, std::ssize(rows));
        picked.push_back(at < 0 ? -1 : rows[static_cast<size_t>(at)]);
        return elements->Append(0);
      }));
  LEAT_ASSIGN(const ArrayPtr shape, lists.Finish());
  LEAT_ASSIGN(const ArrayPtr values, TakeRows(call.args[1].array, picked));
  auto data = shape->data()->Copy();
  data->type = ArrowType(*call.result);
  data->child_data = {values->data()};
  return arrow::MakeArray(data);
}

// The value that is there most often; of several the first.
Result<ArrayPtr> Mode(const FoldCall& call) {
  const Argument& values = call.args[0];
  Strings keys;
  LEAT_RETURN(
      KeyEncoder({{.type = values.type}}).Encode({values.array}, values.array->length(), &keys));
  std::vector<int64_t> picked;
  for (int64_t group = 0; group < GroupsOf(call); ++group) {
    picked.push_back(-1);
    const auto rows = RowsOf(call, group);
    size_t best = 0;
    for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
      while (end < rows.size() && keys[rows[end]] == keys[rows[begin]]) ++end;
      if (end - begin <= best) continue;
      best = end - begin;
      picked.back() = rows[begin];
    }
  }
  return TakeRows(values.array, picked);
}

Aggregate FoldOf(std::string name, std::vector<Type> args, Type result, Fold fold,
                 const char* description, const char* example, const char* answer) {
  Aggregate aggregate = AggregateOf(std::move(name), std::move(args), std::move(result), nullptr,
                                    description, example, answer);
  aggregate.fold = fold;
  return aggregate;
}

Aggregate WithinGroup(Aggregate aggregate) {
  aggregate.within_group = true;
  return aggregate;
}

Aggregate Resolving(Aggregate aggregate, Result<Type> (*resolve)(std::span<const Type>)) {
  aggregate.resolve = resolve;
  return aggregate;
}

void AddPercentiles(std::vector<Aggregate>* out) {
  const Type fractions = Type::Array(kFloat8);
  const char* between = "The value at this part of the way, between two values if need be";
  const char* at = "The first value that has this part of the values up to it";
  out->push_back(WithinGroup(
      FoldOf("percentile_cont", {kFloat8, kFloat8}, kFloat8, PercentileCont<double>, between,
             "percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES (1.0::float8), (2)) t(x)",
             "1.5")));
  out->push_back(WithinGroup(FoldOf("percentile_cont", {kFloat8, kInterval}, kInterval,
                                    PercentileCont<Interval>, between,
                                    "percentile_cont(0.25) WITHIN GROUP (ORDER BY x) FROM (VALUES "
                                    "(interval '1 day'), ('3 days')) t(x)",
                                    "1 day 12:00:00")));
  out->push_back(WithinGroup(FoldOf("percentile_cont", {fractions, kFloat8}, fractions,
                                    PercentilesCont, between,
                                    "percentile_cont('{0,0.5}'::float8[]) WITHIN GROUP (ORDER BY "
                                    "x) FROM (VALUES (1.0::float8), (2)) t(x)",
                                    "{1,1.5}")));
  out->push_back(WithinGroup(Resolving(
      FoldOf(
          "percentile_disc", {kFloat8, kUnknown}, kUnknown, PercentileDisc, at,
          "percentile_disc(0.5) WITHIN GROUP (ORDER BY x) FROM (VALUES ('a'), ('b'), ('c')) t(x)",
          "b"),
      LastArgument)));
  out->push_back(WithinGroup(Resolving(
      FoldOf("percentile_disc", {fractions, kUnknown}, kUnknown, PercentilesDisc, at,
             "percentile_disc('{0,1}'::float8[]) WITHIN GROUP (ORDER BY x) FROM (VALUES ('a'), "
             "('b')) t(x)",
             "{a,b}"),
      ArrayOfLast)));
  out->push_back(WithinGroup(Resolving(
      FoldOf("mode", {kUnknown}, kUnknown, Mode, "The most frequent value, the least of several",
             "mode() WITHIN GROUP (ORDER BY x) FROM (VALUES (3), (1), (3)) t(x)", "3"),
      LastArgument)));
}

}  // namespace

void AddFolds(std::vector<Aggregate>* out) {
  out->push_back(FoldOf("string_agg", {kText, kText}, kText, StringAgg,
                        "The texts after one another, a separator between them",
                        "string_agg(x, ',' ORDER BY x DESC) FROM (VALUES ('a'), ('b')) t(x)",
                        "b,a"));
  out->push_back(FoldOf("string_agg", {kBytea, kBytea}, kBytea, StringAgg,
                        "The bytes after one another, a separator between them",
                        "string_agg(x, '\\x00') FROM (VALUES ('\\x01'::bytea), ('\\x02')) t(x)",
                        "\\x010002"));
  out->push_back(Resolving(
      FoldOf("array_agg", {kUnknown}, kUnknown, ArrayAgg, "The values as an array, nulls too",
             "array_agg(x ORDER BY x) FROM (VALUES (2), (1), (NULL)) t(x)", "{1,2,NULL}"),
      ArrayOfFirst));
  AddPercentiles(out);
}

}  // namespace leat
