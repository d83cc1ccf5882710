// Where a row stands among its partition's, the session that it is in, and the moving mean that
// never forgets.
#include <arrow/array.h>
#include <arrow/builder.h>

#include <cmath>

#include "flow/window_calls.h"

namespace leat {
namespace {

int64_t RankAt(WindowFunction function, const CallState& state) {
  return function == WindowFunction::kDenseRank ? state.groups : state.rows;
}

}  // namespace

CallResult ComputeRank(const BoundCall& call, size_t number, const Sheet& sheet) {
  arrow::Int64Builder out;
  LEAT_RETURN(out.Reserve(sheet.computed()));
  const bool by_peers = call.function != WindowFunction::kRowNumber;
  for (const Stretch& stretch : sheet.stretches) {
    CallState state = stretch.states ? (*stretch.states)[number] : CallState{};
    int64_t rank = RankAt(call.function, state);  // of the peers before
    for (int64_t i = stretch.first; i < stretch.last; ++i) {
      if (i == stretch.save) (*stretch.states)[number] = state;
      const bool starts =
          !by_peers || i == stretch.first || sheet.peer_starts[static_cast<size_t>(i)] != 0;
      if (starts) {
        ++state.groups;
        rank = call.function == WindowFunction::kDenseRank ? state.groups : state.rows + 1;
      }
      ++state.rows;
      out.UnsafeAppend(rank);
    }
    if (stretch.save == stretch.last) (*stretch.states)[number] = state;
  }
  return out.Finish();
}

CallResult ComputeSession(const BoundCall& call, size_t number, const Sheet& sheet) {
  const auto& times =
      static_cast<const arrow::TimestampArray&>(*sheet.columns[static_cast<size_t>(call.value)]);
  arrow::TimestampBuilder out(times.type(), arrow::default_memory_pool());
  LEAT_RETURN(out.Reserve(sheet.computed()));
  for (const Stretch& stretch : sheet.stretches) {
    CallState state = stretch.states ? (*stretch.states)[number] : CallState{};
    for (int64_t i = stretch.first; i < stretch.last; ++i) {
      if (i == stretch.save) (*stretch.states)[number] = state;
      if (times.IsNull(i)) {
        out.UnsafeAppendNull();
        continue;
      }
      const Micros at = times.Value(i);
      const bool begins = !state.set || static_cast<__int128>(at) - state.rows > call.gap;
      if (begins) state.groups = at;
      state.rows = at;
      state.set = true;
      out.UnsafeAppend(state.groups);
    }
    if (stretch.save == stretch.last) (*stretch.states)[number] = state;
  }
  return out.Finish();
}

CallResult ComputeEma(const BoundCall& call, size_t number, const Sheet& sheet) {
  const auto& values =
      static_cast<const arrow::DoubleArray&>(*sheet.columns[static_cast<size_t>(call.value)]);
  const std::vector<uint8_t> counted = CountedRows(call, sheet);
  arrow::DoubleBuilder out;
  LEAT_RETURN(out.Reserve(sheet.computed()));
  for (const Stretch& stretch : sheet.stretches) {
    CallState state = stretch.states ? (*stretch.states)[number] : CallState{};
    for (int64_t i = stretch.first; i < stretch.last; ++i) {
      if (i == stretch.save) (*stretch.states)[number] = state;
      if (counted.empty() || counted[static_cast<size_t>(i)] != 0) {
        const double x = values.Value(i);
        // fma: one rounding, the same bits whatever the compiler makes of the rest.
        state.real = state.set ? std::fma(call.alpha, x - state.real, state.real) : x;
        if (std::isnan(state.real)) state.real = std::nan("");
        state.set = true;
      }
      if (state.set) {
        out.UnsafeAppend(state.real);
      } else {
        out.UnsafeAppendNull();
      }
    }
    if (stretch.save == stretch.last) (*stretch.states)[number] = state;
  }
  return out.Finish();
}

}  // namespace leat
