// Functions that answer with a value of some row: the work is to find its index; one Take per call
// fetches them all, whatever their type.
#include <arrow/array.h>
#include <arrow/array/concatenate.h>

#include <bit>
#include <cmath>
#include <deque>

#include "data/key.h"
#include "flow/row_errors.h"
#include "flow/window_calls.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

// ---- values in an order that integers or bytes have
// ----------------------------------------------

// Smaller first, -0 equal to 0, NaN greatest.
int64_t Ordered(double value) {
  if (std::isnan(value)) return INT64_MAX;
  const auto bits = std::bit_cast<int64_t>(value == 0 ? 0.0 : value);
  return bits < 0 ? bits ^ INT64_MAX : bits;
}

template <typename T>
std::vector<int64_t> OrderedValues(const arrow::Array& array) {
  const T* values = array.data()->GetValues<T>(1);
  std::vector<int64_t> out(static_cast<size_t>(array.length()));
  for (size_t i = 0; i < out.size(); ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      out[i] = Ordered(values[i]);
    } else {
      out[i] = values[i];
    }
  }
  return out;
}

// The order of a column's elements, whatever they are.
struct Order {
  std::vector<int64_t> words;  // where words do; else
  Strings keys;
  int Compare(int64_t a, int64_t b) const {
    if (words.empty()) return keys[a].compare(keys[b]);
    const int64_t x = words[static_cast<size_t>(a)], y = words[static_cast<size_t>(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  }
};

Result<Order> OrderOf(const ArrayPtr& array, const Type& type) {
  switch (array->type_id()) {
    case arrow::Type::INT16:
      return Order{.words = OrderedValues<int16_t>(*array)};
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return Order{.words = OrderedValues<int32_t>(*array)};
    case arrow::Type::INT64:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
      return Order{.words = OrderedValues<int64_t>(*array)};
    case arrow::Type::FLOAT:
      return Order{.words = OrderedValues<float>(*array)};
    case arrow::Type::DOUBLE:
      return Order{.words = OrderedValues<double>(*array)};
    default: {
      Order order;
      LEAT_RETURN(KeyEncoder({{.type = type}}).Encode({array}, array->length(), &order.keys));
      return order;
    }
  }
}

// ---- values carried from before a stretch
// ---------------------------------------------------------

// The sheet's column followed by the values that the stretches' states carry; `at[s]` is where that
// of stretch s stands, -1 without.
struct Carried {
  ArrayPtr column;
  std::vector<int64_t> at;
};

Result<Carried> CarriedInto(const BoundCall& call, size_t number, const Sheet& sheet) {
  Carried carried{.column = Plain(sheet.columns[static_cast<size_t>(call.value)])};
  RowDecoder decoder({call.type});
  for (const Stretch& stretch : sheet.stretches) {
    const CallState* state = stretch.states ? &(*stretch.states)[number] : nullptr;
    const bool carries = state != nullptr && state->set;
    carried.at.push_back(carries ? sheet.rows + decoder.rows() : -1);
    if (carries) LEAT_RETURN(decoder.Append(state->value));
  }
  if (decoder.rows() == 0) return carried;
  LEAT_ASSIGN(auto values, decoder.Finish());
  LEAT_ASSIGN(carried.column, arrow::Concatenate({carried.column, values[0]}));
  return carried;
}

Status SaveValue(const Carried& carried, const Type& type, int64_t at, CallState* state) {
  state->set = at >= 0;
  state->value.clear();
  if (at < 0) return Status::OK();
  Strings bytes;
  LEAT_RETURN(EncodeRows({carried.column->Slice(at, 1)}, {type}, 1, &bytes));
  state->value = bytes[0];
  return Status::OK();
}

// ---- min and max
// ----------------------------------------------------------------------------------

// Which of two rows, `late` behind `early`, min or max prefers. Of equals the later one, because
// float8smaller and numeric_smaller do; char(n)'s functions keep the earlier.
struct Preference {
  const Order& order;
  const int sign;  // 1: the least, -1: the greatest
  const bool later_of_equals;
  bool Late(int64_t early, int64_t late) const {
    const int compared = sign * order.Compare(late, early);
    return compared < 0 || (compared == 0 && later_of_equals);
  }
};

using Counted = std::vector<uint8_t>;
bool Counts(const Counted& counted, int64_t row) {
  return counted.empty() || counted[static_cast<size_t>(row)] != 0;
}

// Frames that begin with the partition: the best so far, and it goes on in the state.
Status RunningBest(const Preference& prefer, const Counted& counted, const Carried& carried,
                   const BoundCall& call, size_t number, const Sheet& sheet, const Frames& frames,
                   std::vector<int32_t>* picks) {
  size_t out = 0;
  for (size_t s = 0; s < sheet.stretches.size(); ++s) {
    const Stretch& stretch = sheet.stretches[s];
    int64_t best = carried.at[s], next = stretch.first, saved = best;
    for (int64_t i = stretch.first; i < stretch.last; ++i, ++out) {
      if (i == stretch.save) saved = best;
      for (; next < frames.end[out]; ++next) {
        if (Counts(counted, next) && (best < 0 || prefer.Late(best, next))) best = next;
      }
      picks->push_back(static_cast<int32_t>(best));
    }
    if (stretch.save == stretch.last) saved = best;
    if (stretch.save < 0) continue;
    LEAT_RETURN(SaveValue(carried, call.type, saved, &(*stretch.states)[number]));
  }
  return Status::OK();
}

// Frames that slide: candidates, each preferred to all behind it; the front is the answer.
void SlidingBest(const Preference& prefer, const Counted& counted, const Sheet& sheet,
                 const Frames& frames, std::vector<int32_t>* picks) {
  size_t out = 0;
  std::deque<int64_t> candidates;
  for (const Stretch& stretch : sheet.stretches) {
    candidates.clear();
    int64_t next = stretch.begin;
    for (int64_t i = stretch.first; i < stretch.last; ++i, ++out) {
      next = std::max(next, frames.begin[out]);
      for (; next < frames.end[out]; ++next) {
        if (!Counts(counted, next)) continue;
        while (!candidates.empty() && prefer.Late(candidates.back(), next)) candidates.pop_back();
        candidates.push_back(next);
      }
      while (!candidates.empty() && candidates.front() < frames.begin[out]) candidates.pop_front();
      picks->push_back(candidates.empty() ? -1 : static_cast<int32_t>(candidates.front()));
    }
  }
}

Status PickBest(const BoundCall& call, size_t number, const BoundFrame& frame, const Sheet& sheet,
                const Frames& frames, const Carried& carried, std::vector<int32_t>* picks) {
  LEAT_ASSIGN(const Order order, OrderOf(carried.column, call.type));
  const Preference prefer{.order = order,
                          .sign = call.function == WindowFunction::kMin ? 1 : -1,
                          .later_of_equals = call.type.id != TypeId::kChar};
  const Counted counted = CountedRows(call, sheet);
  if (frame.preceding == RowFrame::kUnbounded) {
    return RunningBest(prefer, counted, carried, call, number, sheet, frames, picks);
  }
  SlidingBest(prefer, counted, sheet, frames, picks);
  return Status::OK();
}

// ---- first_value and last_value
// -------------------------------------------------------------------

Status PickEnds(const BoundCall& call, size_t number, const BoundFrame& frame, const Sheet& sheet,
                const Frames& frames, const Carried& carried, std::vector<int32_t>* picks) {
  const bool running = frame.preceding == RowFrame::kUnbounded;
  size_t out = 0;
  for (size_t s = 0; s < sheet.stretches.size(); ++s) {
    const Stretch& stretch = sheet.stretches[s];
    for (int64_t i = stretch.first; i < stretch.last; ++i, ++out) {
      int64_t pick = -1;
      if (call.function == WindowFunction::kLastValue) {
        if (frames.begin[out] < frames.end[out]) pick = frames.end[out] - 1;
      } else if (running && carried.at[s] >= 0) {
        pick = carried.at[s];
      } else if (frames.begin[out] < frames.end[out]) {
        pick = frames.begin[out];
      }
      picks->push_back(static_cast<int32_t>(pick));
    }
    const bool begins = carried.at[s] < 0 && stretch.save > stretch.first;
    if (begins && call.function == WindowFunction::kFirstValue) {
      LEAT_RETURN(SaveValue(carried, call.type, stretch.first, &(*stretch.states)[number]));
    }
  }
  return Status::OK();
}

}  // namespace

CallResult ComputePick(const BoundCall& call, size_t number, const BoundFrame& frame,
                       const Sheet& sheet) {
  LEAT_ASSIGN(const Frames frames, FramesOf(frame, sheet));
  LEAT_ASSIGN(const Carried carried, CarriedInto(call, number, sheet));
  std::vector<int32_t> picks;
  picks.reserve(frames.begin.size());
  if (call.function == WindowFunction::kMin || call.function == WindowFunction::kMax) {
    LEAT_RETURN(PickBest(call, number, frame, sheet, frames, carried, &picks));
  } else {
    LEAT_RETURN(PickEnds(call, number, frame, sheet, frames, carried, &picks));
  }
  return TakeElements(carried.column, picks);
}

CallResult ComputeShift(const BoundCall& call, const Sheet& sheet) {
  ArrayPtr column = Plain(sheet.columns[static_cast<size_t>(call.value)]);
  const auto at = [&](int c) { return c < 0 ? nullptr : sheet.columns[static_cast<size_t>(c)]; };
  const ArrayPtr offsets = at(call.offset);
  std::vector<int64_t> shifts;
  if (offsets) shifts = OrderedValues<int32_t>(*offsets);
  const bool falls_back = call.fallback >= 0;
  if (falls_back) {
    LEAT_ASSIGN(column, arrow::Concatenate({column, Plain(at(call.fallback))}));
  }
  const int64_t sign = call.function == WindowFunction::kLead ? -1 : 1;
  std::vector<int32_t> picks;
  for (const Stretch& stretch : sheet.stretches) {
    for (int64_t i = stretch.first; i < stretch.last; ++i) {
      int64_t pick = -1;
      if (!offsets || offsets->IsValid(i)) {
        pick = i - (offsets ? sign * shifts[static_cast<size_t>(i)] : call.shift);
        const bool inside = pick >= stretch.begin && pick < stretch.end;
        if (!inside) pick = falls_back ? sheet.rows + i : -1;
      }
      picks.push_back(static_cast<int32_t>(pick));
    }
  }
  return TakeElements(column, picks);
}

}  // namespace leat
