// The values of window functions over stretches of ordered rows, column at a time. Which stretches,
// and where the rows come from, is the affair of the window's forms (window_append.cc,
// window_general.cc); the arithmetic is here once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/key.h"
#include "data/numeric.h"
#include "flow/operators.h"

namespace leat {

// What a call knows of the rows before a stretch, where its frame begins with the partition.
struct CallState {
  int64_t rows = 0;       // that counted: rows of row_number and rank, values of aggregates; the
                          // last time of a session
  int64_t groups = 0;     // of peers, for dense_rank; the beginning of the session
  double real = 0;        // a float's sum, or the ema
  bool set = false;       // `real` of ema, or `value`, is there
  bool overflow = false;  // a float's sum left the range: no later sum exists
  Numeric exact;          // an exact sum
  std::string value;      // min, max, first_value: the value so far, as EncodeRows has it
};

// Rows [begin, end) of one partition, in order. The calls are computed for [first, last); the rows
// around are there to be looked at.
struct Stretch {
  int64_t begin = 0, first = 0, last = 0, end = 0;
  // The states before `first`, one per call; null: the partition begins at `first`.
  std::vector<CallState>* states = nullptr;
  // The row (first..last) before which the new states are stored in `states`; -1: they are not.
  int64_t save = -1;
};

// Stretches laid end to end, with the columns that the calls read (WindowCalls::columns).
struct Sheet {
  int64_t rows = 0;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::vector<uint8_t> peer_starts;  // 1: not a peer of the row before. Where needs_peers() only
  std::vector<Stretch> stretches;
  int64_t computed() const;  // rows that are computed: all [first, last)
};

struct BoundCall {
  WindowFunction function;
  Type type;  // of the value
  Type result;
  int value = -1;     // columns of the sheet; -1: there is none
  int offset = -1;    // lag, lead: by how many rows, where it is not `shift`
  int64_t shift = 1;  // lag, lead, as lag counts: negative leads
  int fallback = -1;  // lag, lead: the default
  int filter = -1;
  int place = -1;    // nth_value: which row of the frame
  double alpha = 0;  // ema
  Micros gap = 0;    // session
  // What folds the rows of a frame one by one (window_fold.cc), where nothing faster does: an
  // aggregate's spec, or what stands for the function over frames that exclude rows.
  const Aggregate* aggregate = nullptr;
  std::vector<int> args;  // columns of all arguments, and their types
  std::vector<Type> arg_types;
  bool folds = false;
};

// A frame, and where the sheet has what bounds it by value.
struct BoundFrame : RowFrame {
  int key = -1, low = -1, high = -1;
  KeyColumn order;
  // Its bounds are those of peers, or found by value: not so many rows before and after.
  bool by_peers() const { return range || groups; }
};

// How far a changed row is seen, in rows of its partition; RowFrame::kUnbounded: to its end.
struct Reach {
  int64_t back = 0, forward = 0;  // rows before and after it whose results may change
  int64_t before = 0, after = 0;  // rows that a result looks at, before and after its own
  // Looks at all rows before through CallStates alone (then `before` is what else is looked at).
  bool running = false;
};

class WindowCalls {
 public:
  static Result<WindowCalls> Make(const WindowSpec& spec);

  const std::vector<ExprPtr>& columns() const { return columns_; }
  std::vector<Type> column_types() const;
  bool needs_peers() const { return needs_peers_; }
  const Reach& reach() const { return reach_; }
  size_t size() const { return calls_.size(); }

  // The results of each call for the computed rows, stretch after stretch. Errors by computed row.
  Result<std::vector<std::shared_ptr<arrow::Array>>> Compute(const Sheet& sheet,
                                                             ErrorMask* errors) const;

 private:
  Status Bind(const WindowCall& call);
  Status BindShift(const WindowCall& call, BoundCall* bound);
  void Extend(const BoundCall& call);
  int AddColumn(const ExprPtr& expr);

  Status BindValueFrame(const WindowSpec& spec);
  Status BindFold(const WindowCall& call, BoundCall* bound);

  BoundFrame frame_;
  std::vector<ExprPtr> columns_;
  std::vector<BoundCall> calls_;
  Reach reach_;
  bool needs_peers_ = false;
};

// States as bytes, for a checkpoint, and back (removed from the front of `bytes`).
void SaveStates(const std::vector<CallState>& states, std::string* out);
Status LoadStates(std::string_view* bytes, std::vector<CallState>* states);

// ---- the kernels, one file each: window_sum.cc, window_pick.cc, window_rank.cc, … --------------

// Frames of the computed rows: [begin[i], end[i]), rows of the sheet, neither ever going back
// within a stretch. A frame that begins with the partition begins with its stretch's `first`.
struct Frames {
  std::vector<int64_t> begin, end;
};
Result<Frames> FramesOf(const BoundFrame& frame, const Sheet& sheet);

using CallResult = Result<std::shared_ptr<arrow::Array>>;
// count, sum, avg
CallResult ComputeSum(const BoundCall& call, size_t number, const BoundFrame& frame,
                      const Sheet& sheet, ErrorMask* errors);
// min, max, first_value, last_value
CallResult ComputePick(const BoundCall& call, size_t number, const BoundFrame& frame,
                       const Sheet& sheet);
CallResult ComputeShift(const BoundCall& call, const Sheet& sheet);
// row_number, rank, dense_rank
CallResult ComputeRank(const BoundCall& call, size_t number, const Sheet& sheet);
// ntile, percent_rank, cume_dist: over stretches that are whole partitions.
CallResult ComputeShare(const BoundCall& call, const Sheet& sheet, ErrorMask* errors);
// nth_value, over such stretches too.
CallResult ComputeNth(const BoundCall& call, const BoundFrame& frame, const Sheet& sheet,
                      ErrorMask* errors);
CallResult ComputeSession(const BoundCall& call, size_t number, const Sheet& sheet);
CallResult ComputeEma(const BoundCall& call, size_t number, const Sheet& sheet);
// Calls that fold: any aggregate, and all over frames that exclude rows.
CallResult ComputeFold(const BoundCall& call, const BoundFrame& frame, const Sheet& sheet,
                       ErrorMask* errors);

// Which rows of the sheet count for an aggregate: its value is not null and its filter true. Empty:
// all do.
std::vector<uint8_t> CountedRows(const BoundCall& call, const Sheet& sheet);

}  // namespace leat
