// Aggregates over frames, by taking in the rows of each: those that have no kernel of their own,
// and every function where frames exclude rows.
#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>

#include <algorithm>
#include <cmath>

#include "flow/row_errors.h"
#include "flow/window_calls.h"
#include "func/aggregate.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Exclude = RowFrame::Exclude;

constexpr size_t kPicksMax = size_t{1} << 16;  // from which rows are handed on

// The rows of frames, one frame after another: rows[offsets[i], offsets[i + 1]) are those of i.
struct FrameRows {
  std::vector<int32_t> rows;
  std::vector<int64_t> offsets = {0};
  std::vector<int64_t> own;  // the row whose frame it is
  int64_t frames() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t begin(int64_t i) const { return offsets[static_cast<size_t>(i)]; }
  int64_t end(int64_t i) const { return offsets[static_cast<size_t>(i) + 1]; }
  int32_t row(int64_t at) const { return rows[static_cast<size_t>(at)]; }
};

// The columns of a call, of the rows that some frames hold.
Result<std::vector<Argument>> TakeArguments(const BoundCall& call, const Sheet& sheet,
                                            const std::vector<int32_t>& rows) {
  std::vector<Argument> args;
  for (const int column : call.args) {
    Argument arg;
    LEAT_ASSIGN(arg.array, TakeElements(Plain(sheet.columns[static_cast<size_t>(column)]), rows));
    arg.type = call.arg_types[args.size()];
    args.push_back(std::move(arg));
  }
  return args;
}

// ---- answers from the rows of some frames -------------------------------------------------------

Result<ArrayPtr> Accumulated(const BoundCall& call, const std::vector<Argument>& args,
                             const FrameRows& held, ErrorMask* errors) {
  std::vector<uint32_t> groups(held.rows.size()), all(static_cast<size_t>(held.frames()));
  for (size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<uint32_t>(i);
    for (int64_t at = held.offsets[i]; at < held.offsets[i + 1]; ++at) {
      groups[static_cast<size_t>(at)] = all[i];
    }
  }
  const auto states = call.aggregate->make(call.arg_types);
  if (states == nullptr) return NotSupported(call.aggregate->name + " over a window");
  LEAT_RETURN(states->Resize(held.frames()));
  const auto rows = static_cast<int64_t>(held.rows.size());
  ErrorMask row_errors(rows);
  LEAT_RETURN(states->Update(args, groups.data(), nullptr, nullptr, rows, &row_errors));
  for (const auto& error : row_errors.errors()) {
    errors->Set(groups[static_cast<size_t>(error.row)], error.sqlstate, error.message);
  }
  return states->Finish(all, errors);
}

// The sums of PostgreSQL, which adds in the order of the frame.
template <typename T, typename Builder>
Result<ArrayPtr> FloatsInOrder(const BoundCall& call, const arrow::Array& column,
                               const FrameRows& held, ErrorMask* errors) {
  const bool mean = call.function == WindowFunction::kAvg;
  const T* values = column.data()->GetValues<T>(1);
  Builder out;
  for (int64_t i = 0; i < held.frames(); ++i) {
    double sum = mean ? 0.0 : -0.0;
    int64_t count = 0;
    for (int64_t at = held.begin(i); at < held.end(i); ++at) {
      const int32_t row = held.row(at);
      if (column.IsNull(row)) continue;
      ++count;
      const double next =
          mean ? sum + values[row] : static_cast<T>(static_cast<T>(sum) + values[row]);
      if (std::isinf(next) && !std::isinf(sum) && !std::isinf(values[row])) {
        errors->Set(i, kOutOfRange, "value out of range: overflow");
      }
      sum = next;
    }
    if (std::isnan(sum)) sum = std::nan("");
    if (count == 0) {
      LEAT_RETURN(out.AppendNull());
    } else {
      LEAT_RETURN(out.Append(static_cast<typename Builder::value_type>(
          mean ? sum / static_cast<double>(count) : sum)));
    }
  }
  return out.Finish();
}

// Rows by their place among the frame's, or the least or greatest; -1 for none.
class Picker {
 public:
  Picker(const BoundCall& call, const Sheet& sheet) : call_(call), sheet_(sheet) {}

  Status Pick(const FrameRows& held, std::vector<int32_t>* picks, ErrorMask* errors) {
    const bool orders = call_.function == WindowFunction::kMin ||
                        call_.function == WindowFunction::kMax || call_.aggregate != nullptr;
    if (orders && keys_.size() == 0) LEAT_RETURN(Order());
    for (int64_t i = 0; i < held.frames(); ++i) {
      picks->push_back(orders ? Best(held, i) : Placed(held, i, errors));
    }
    return Status::OK();
  }

 private:
  using Kind = Aggregate::Pick;

  Status Order() {
    const size_t by = call_.aggregate ? static_cast<size_t>(call_.aggregate->pick_by) : 0;
    by_ = Plain(sheet_.columns[static_cast<size_t>(call_.args[by])]);
    return KeyEncoder({{.type = call_.arg_types[by]}}).Encode({by_}, sheet_.rows, &keys_);
  }

  // As the operator without a window: ties of min and max go to the later row (but char's), those
  // of arg_min and arg_max to the earlier.
  int32_t Best(const FrameRows& held, int64_t frame) const {
    const bool least = call_.aggregate ? call_.aggregate->pick == Kind::kLeast
                                       : call_.function == WindowFunction::kMin;
    const bool later = !call_.aggregate && call_.type.id != TypeId::kChar;
    int32_t best = -1;
    for (int64_t at = held.begin(frame); at < held.end(frame); ++at) {
      const int32_t row = held.row(at);
      if (by_->IsNull(row)) continue;
      if (best < 0) {
        best = row;
        continue;
      }
      const int compared = keys_[row].compare(keys_[best]);
      if (least ? compared < 0 : compared > 0) best = row;
      if (compared == 0 && later) best = row;
    }
    return best;
  }

  int32_t Placed(const FrameRows& held, int64_t frame, ErrorMask* errors) const {
    const int64_t begin = held.begin(frame), end = held.end(frame);
    if (call_.function == WindowFunction::kNthValue) return Nth(held, frame, errors);
    if (begin == end) return -1;
    return held.row(call_.function == WindowFunction::kFirstValue ? begin : end - 1);
  }

  int32_t Nth(const FrameRows& held, int64_t frame, ErrorMask* errors) const {
    const auto& places =
        static_cast<const arrow::Int32Array&>(*sheet_.columns[static_cast<size_t>(call_.place)]);
    const int64_t own = held.own[static_cast<size_t>(frame)];
    if (places.IsNull(own)) return -1;
    const int64_t place = places.Value(own);
    if (place <= 0) {
      errors->Set(frame, "22016", "argument of nth_value must be greater than zero");
      return -1;
    }
    const int64_t at = held.begin(frame) + place - 1;
    return at < held.end(frame) ? held.row(at) : -1;
  }

  const BoundCall& call_;
  const Sheet& sheet_;
  ArrayPtr by_;
  Strings keys_;
};

bool Picks(const BoundCall& call) {
  switch (call.function) {
    case WindowFunction::kMin:
    case WindowFunction::kMax:
    case WindowFunction::kFirstValue:
    case WindowFunction::kLastValue:
    case WindowFunction::kNthValue:
      return true;
    case WindowFunction::kAggregate:
      return call.aggregate->pick != Aggregate::Pick::kNone;
    default:
      return false;
  }
}

// Fills frames, and has them answered when they are many.
class Folding {
 public:
  Folding(const BoundCall& call, const BoundFrame& frame, const Sheet& sheet, ErrorMask* errors)
      : call_(call), frame_(frame), sheet_(sheet), errors_(errors), picker_(call, sheet) {}

  CallResult Compute() {
    LEAT_ASSIGN(const Frames frames, FramesOf(frame_, sheet_));
    counted_ = FilteredRows();
    if (Slides()) return Slide(frames);
    size_t row = 0;
    for (const Stretch& stretch : sheet_.stretches) {
      for (int64_t i = stretch.first; i < stretch.last; ++i, ++row) {
        AddFrame(stretch, i, frames.begin[row], frames.end[row]);
        if (held_.rows.size() >= kPicksMax) LEAT_RETURN(Answer());
      }
    }
    LEAT_RETURN(Answer());
    if (Picks(call_)) {
      return TakeElements(Plain(sheet_.columns[static_cast<size_t>(call_.args[0])]), picks_);
    }
    if (parts_.empty()) return arrow::MakeArrayOfNull(ArrowType(call_.result), 0);
    return arrow::Concatenate(parts_);
  }

 private:
  // Whether one state serves all frames: rows enter it at the end and leave it at the beginning.
  bool Slides() const {
    return call_.aggregate != nullptr && call_.aggregate->fold == nullptr && !Picks(call_) &&
           frame_.exclude == Exclude::kNothing &&
           (call_.aggregate->invertible || frame_.preceding == RowFrame::kUnbounded);
  }

  CallResult Slide(const Frames& frames) {
    const auto state = call_.aggregate->make(call_.arg_types);
    if (state == nullptr) return NotSupported(call_.aggregate->name + " over a window");
    LEAT_RETURN(state->Resize(1));
    std::vector<int32_t> places;  // of each row's answer among `parts_`
    size_t row = 0;
    for (const Stretch& stretch : sheet_.stretches) {
      state->Clear(0);
      int64_t from = 0, to = 0;
      for (int64_t i = stretch.first; i < stretch.last; ++i, ++row) {
        const int64_t begin = frames.begin[row], end = frames.end[row];
        const bool same = i > stretch.first && begin == from && end == to;
        if (i == stretch.first) from = to = begin;
        ErrorMask errors(1);
        if (!same) {
          LEAT_RETURN(Take(to, std::max(to, end), 1, state.get(), &errors));
          to = std::max(to, end);
          LEAT_RETURN(Take(from, std::min(begin, to), -1, state.get(), &errors));
          from = begin;
          to = std::max(to, begin);
          const uint32_t only[] = {0};
          LEAT_ASSIGN(ArrayPtr part, state->Finish(only, &errors));
          parts_.push_back(std::move(part));
          failed_ = errors.any() ? errors.errors() : std::vector<ErrorMask::Error>();
        }
        for (const auto& error : failed_) {
          errors_->Set(static_cast<int64_t>(row), error.sqlstate, error.message);
        }
        places.push_back(static_cast<int32_t>(parts_.size()) - 1);
      }
    }
    if (parts_.empty()) return arrow::MakeArrayOfNull(ArrowType(call_.result), 0);
    LEAT_ASSIGN(const ArrayPtr all, arrow::Concatenate(parts_));
    return TakeElements(all, places);
  }

  Status Take(int64_t begin, int64_t end, int64_t weight, Accumulators* state,
              ErrorMask* errors) const {
    if (begin >= end) return Status::OK();
    const auto rows = static_cast<size_t>(end - begin);
    std::vector<Argument> args;
    for (size_t i = 0; i < call_.args.size(); ++i) {
      const ArrayPtr& column = sheet_.columns[static_cast<size_t>(call_.args[i])];
      args.push_back(
          {.array = Plain(column->Slice(begin, end - begin)), .type = call_.arg_types[i]});
    }
    const std::vector<uint32_t> groups(rows);
    const std::vector<int64_t> weights(rows, weight);
    ErrorMask failed(end - begin);
    LEAT_RETURN(state->Update(args, groups.data(), weights.data(),
                              counted_.empty() ? nullptr : counted_.data() + begin, end - begin,
                              &failed));
    for (const auto& error : failed.errors()) errors->Set(0, error.sqlstate, error.message);
    return Status::OK();
  }

  // FILTER alone: nulls are the aggregate's affair.
  std::vector<uint8_t> FilteredRows() const {
    BoundCall filter = call_;
    filter.value = -1;
    return CountedRows(filter, sheet_);
  }

  void Add(int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (!counted_.empty() && counted_[static_cast<size_t>(i)] == 0) continue;
      held_.rows.push_back(static_cast<int32_t>(i));
    }
  }

  // The rows of the frame but those it excludes: these begin at `gap` and end at `gap_end`, and of
  // ties the row itself stays.
  void AddFrame(const Stretch& stretch, int64_t row, int64_t begin, int64_t end) {
    int64_t gap = row, gap_end = row;
    const bool group = frame_.exclude == Exclude::kGroup || frame_.exclude == Exclude::kTies;
    if (frame_.exclude != Exclude::kNothing) ++gap_end;
    const auto starts = [&](int64_t i) { return sheet_.peer_starts[static_cast<size_t>(i)] != 0; };
    while (group && gap > stretch.begin && !starts(gap)) --gap;
    while (group && gap_end < stretch.end && !starts(gap_end)) ++gap_end;
    Add(begin, std::min(gap, end));
    if (frame_.exclude == Exclude::kTies && row >= begin && row < end) Add(row, row + 1);
    Add(std::max(gap_end, begin), end);
    held_.offsets.push_back(static_cast<int64_t>(held_.rows.size()));
    held_.own.push_back(row);
  }

  Status Answer() {
    if (held_.frames() == 0) return Status::OK();
    ErrorMask errors(held_.frames());
    if (Picks(call_)) {
      LEAT_RETURN(picker_.Pick(held_, &picks_, &errors));
    } else {
      LEAT_ASSIGN(ArrayPtr part, Values(&errors));
      parts_.push_back(std::move(part));
    }
    for (const auto& error : errors.errors()) {
      errors_->Set(answered_ + error.row, error.sqlstate, error.message);
    }
    answered_ += held_.frames();
    held_ = {};
    return Status::OK();
  }

  Result<ArrayPtr> Values(ErrorMask* errors) const {
    if (call_.function == WindowFunction::kCount) return Counts();
    if (call_.aggregate == nullptr) return Floats(errors);
    LEAT_ASSIGN(const std::vector<Argument> args, TakeArguments(call_, sheet_, held_.rows));
    if (call_.aggregate->fold == nullptr) return Accumulated(call_, args, held_, errors);
    return call_.aggregate->fold(
        {.result = &call_.result, .offsets = held_.offsets, .args = args, .errors = errors});
  }

  Result<ArrayPtr> Counts() const {
    arrow::Int64Builder out;
    const arrow::Array* value =
        call_.value < 0 ? nullptr : sheet_.columns[static_cast<size_t>(call_.value)].get();
    for (int64_t i = 0; i < held_.frames(); ++i) {
      int64_t count = 0;
      for (int64_t at = held_.begin(i); at < held_.end(i); ++at) {
        count += value == nullptr || value->IsValid(held_.row(at));
      }
      LEAT_RETURN(out.Append(count));
    }
    return out.Finish();
  }

  Result<ArrayPtr> Floats(ErrorMask* errors) const {
    const arrow::Array& column = *sheet_.columns[static_cast<size_t>(call_.value)];
    const bool mean = call_.function == WindowFunction::kAvg;
    if (call_.type.id == TypeId::kFloat8) {
      return FloatsInOrder<double, arrow::DoubleBuilder>(call_, column, held_, errors);
    }
    if (mean) return FloatsInOrder<float, arrow::DoubleBuilder>(call_, column, held_, errors);
    return FloatsInOrder<float, arrow::FloatBuilder>(call_, column, held_, errors);
  }

  const BoundCall& call_;
  const BoundFrame& frame_;
  const Sheet& sheet_;
  ErrorMask* const errors_;
  Picker picker_;
  std::vector<uint8_t> counted_;
  FrameRows held_;
  int64_t answered_ = 0;  // frames
  std::vector<int32_t> picks_;
  std::vector<ArrayPtr> parts_;
  std::vector<ErrorMask::Error> failed_;  // Slide: the last answer's
};

}  // namespace

CallResult ComputeFold(const BoundCall& call, const BoundFrame& frame, const Sheet& sheet,
                       ErrorMask* errors) {
  return Folding(call, frame, sheet, errors).Compute();
}

}  // namespace leat
