// The window over rows that come anywhere and go again. All rows are kept in order; where an epoch
// changed them, the stretches that the changes reach are computed as they were and as they are, and
// the rows whose bytes differ are the delta.
//
// Three ways, by how far a change reaches (WindowCalls::reach):
//   near     frames of so many rows: the rows around each change
//   running  frames from the partition's beginning, and states from a row near its end: from that
//            row on if all changes lie behind it (rows that come at the end), else the partition
//   whole    anything else: the partition
#include <arrow/array.h>
#include <arrow/array/concatenate.h>

#include <deque>
#include <string>
#include <unordered_map>

#include "data/key.h"
#include "flow/ordered_rows.h"
#include "flow/row_errors.h"
#include "flow/window_forms.h"

namespace leat {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using Entry = OrderedRows::Entry;

constexpr int64_t kNoBound = RowFrame::kUnbounded;
constexpr int64_t kSheetRows = 1 << 15;  // rows from which a sheet is computed
// Partitions whose last states are remembered; where memory is limited, at most so much of it.
constexpr int64_t kTailsMax = int64_t{1} << 20;
constexpr int64_t kTailBytes = 300, kTailsShare = 16;

// The stretches to compute, of one of the two times: before the epoch or after it.
class Side {
 public:
  explicit Side(const WindowCalls& calls)
      : by_peers_(calls.needs_peers()), decoder_(calls.column_types()) {}

  void BeginStretch(std::vector<CallState>* states) {
    sheet_.stretches.push_back({.begin = sheet_.rows, .states = states});
    stretch().first = stretch().last = sheet_.rows;
    last_peers_.reset();
  }
  void BeginBody() { stretch().first = stretch().last = sheet_.rows; }
  void EndBody() { stretch().last = sheet_.rows; }
  void EndStretch() { stretch().end = sheet_.rows; }

  Status Add(std::string_view key, std::string_view extras, int64_t times) {
    for (; times > 0; --times, ++sheet_.rows) {
      LEAT_RETURN(decoder_.Append(extras));
      if (!by_peers_) continue;
      const std::string_view peers = OrderedRows::PeersOf(key);
      const bool starts = !last_peers_ || *last_peers_ != peers;
      if (starts) last_peers_ = peers;
      sheet_.peer_starts.push_back(starts);
    }
    return Status::OK();
  }

  Stretch& stretch() { return sheet_.stretches.back(); }
  int64_t rows() const { return sheet_.rows; }

  Result<std::vector<ArrayPtr>> Compute(const WindowCalls& calls, ErrorMask* errors) {
    LEAT_ASSIGN(sheet_.columns, decoder_.Finish());
    auto results = calls.Compute(sheet_, errors);
    sheet_ = {};
    return results;
  }
  int64_t computed() const { return sheet_.computed(); }

 private:
  const bool by_peers_;
  RowDecoder decoder_;
  Sheet sheet_;
  std::optional<std::string> last_peers_;
};

// A row of a stretch's body: how often it stood there and how often it will.
struct BodyRow {
  std::optional<int64_t> seq;
  int64_t before, after;
};

// The states before the rows from `key` on, near a partition's end.
struct Tail {
  std::string key;
  std::vector<CallState> states;
};

// An entry that outlives its visit.
struct KeptEntry {
  explicit KeptEntry(const Entry& entry)
      : key(entry.key), value(entry.value), before(entry.before), after(entry.after) {}
  Entry entry() const { return {key, value, before, after}; }
  std::string key, value;
  int64_t before, after;
};

// Distances add up without running over.
int64_t Plus(int64_t a, int64_t b) { return a == kNoBound || b == kNoBound ? kNoBound : a + b; }

class WindowGeneral : public Operator {
 public:
  WindowGeneral(WindowSpec spec, WindowCalls calls)
      : calls_(std::move(calls)),
        reach_(calls_.reach()),
        rows_({.input = spec.input,
               .partition = spec.partition,
               .order = spec.order,
               .extras = calls_.columns(),
               .final = spec.properties.final}),
        before_(calls_),
        after_(calls_),
        collector_(rows_.row_types()) {
    for (const WindowCall& call : spec.calls) result_types_.push_back(call.result);
  }

  Status Push(int, const Batch& batch, const EvalContext& context, Output* out) override {
    stats_.rows_in += batch.rows;
    LEAT_RETURN(rows_.Push(batch, context, out));
    return rows_.full() ? TakeIn(out) : Status::OK();
  }

  Status Finish(const Epoch&, const EvalContext&, Output* out) override { return TakeIn(out); }

  Status Checkpoint(StateWriter* writer) override { return rows_.Checkpoint(writer); }
  Status Restore(StateReader* reader) override { return rows_.Restore(reader); }
  OperatorStats stats() const override {
    OperatorStats stats = stats_;
    stats.state_rows = rows_.stats().entries;
    stats.state_bytes = rows_.stats().held;
    return stats;
  }

 private:
  // All that is pending, as an epoch of its own.
  Status TakeIn(Output* out) {
    const bool near = !reach_.running && reach_.back != kNoBound && reach_.forward != kNoBound &&
                      reach_.before != kNoBound && reach_.after != kNoBound;
    const bool running =
        reach_.running && reach_.back == 0 && reach_.after == 0 && reach_.before != kNoBound;
    for (const OrderedRows::Changes& partition : rows_.Sort()) {
      if (near) {
        LEAT_RETURN(AddNear(partition, out));
      } else {
        LEAT_RETURN(running ? AddRunning(partition) : AddWhole(partition));
      }
      if (before_.rows() + after_.rows() >= kSheetRows) LEAT_RETURN(Flush(out));
    }
    LEAT_RETURN(Flush(out));
    if (static_cast<int64_t>(tails_.size()) > tails_max_) tails_.clear();
    return rows_.Apply();
  }

  Status AddWhole(const OrderedRows::Changes& changes);
  Status AddRunning(const OrderedRows::Changes& changes);
  Status AddNear(OrderedRows::Changes changes, Output* out);
  Result<size_t> AddStretchNear(std::string_view prefix, const OrderedRows::Changes& changes);
  Result<std::deque<KeptEntry>> RowsBefore(std::string_view prefix, std::string_view key,
                                           int64_t rows) const;

  // Adds rows to look at, or to compute, to both sides.
  Status AddContext(const Entry& entry) {
    LEAT_RETURN(before_.Add(entry.key, rows_.ExtrasOf(entry.value), entry.before));
    return after_.Add(entry.key, rows_.ExtrasOf(entry.value), entry.after);
  }
  Status AddBody(const Entry& entry) {
    body_bytes_.Append(rows_.RowOf(entry.value));
    body_.push_back({OrderedRows::SeqOf(entry.key), entry.before, entry.after});
    return AddContext(entry);
  }
  void BeginStretch(std::vector<CallState>* states) {
    before_.BeginStretch(states);
    after_.BeginStretch(states);
  }
  void BeginBody() {
    before_.BeginBody();
    after_.BeginBody();
  }
  void EndBody() {
    before_.EndBody();
    after_.EndBody();
  }
  void EndStretch() {
    before_.EndStretch();
    after_.EndStretch();
  }

  Status Flush(Output* out);
  Status EmitDifference(const std::vector<ArrayPtr>& old_results, const ErrorMask& old_errors,
                        const std::vector<ArrayPtr>& new_results, const ErrorMask& new_errors,
                        int64_t old_rows, int64_t new_rows, Output* out);
  Status Reject(std::string_view row, std::optional<int64_t> seq, int64_t weight,
                const ErrorMask& errors, int64_t at, Output* out) const;

  const WindowCalls calls_;
  const Reach reach_;
  std::vector<Type> result_types_;
  OrderedRows rows_;
  const int64_t tails_max_ =
      std::min(kTailsMax, StateMemory::Current()->limit() / kTailsShare / kTailBytes);
  std::unordered_map<std::string, Tail> tails_;
  // The sheets being filled, and the rows of their bodies.
  Side before_, after_;
  std::vector<BodyRow> body_;
  Strings body_bytes_;
  RowCollector collector_;
  OperatorStats stats_;
};

Status WindowGeneral::AddWhole(const OrderedRows::Changes& changes) {
  const std::string prefix(changes[0].partition());
  BeginStretch(nullptr);
  LEAT_RETURN(
      rows_.Walk(prefix, PrefixEnd(prefix), changes, [&](const Entry& entry) -> Result<bool> {
        LEAT_RETURN(AddBody(entry));
        return true;
      }));
  EndBody();
  EndStretch();
  return Status::OK();
}

// At most the last `rows` rows (an entry may bring more) of a partition before `key`, in order.
Result<std::deque<KeptEntry>> WindowGeneral::RowsBefore(std::string_view prefix,
                                                        std::string_view key, int64_t rows) const {
  std::deque<KeptEntry> found;
  if (rows == 0 || prefix == key) return found;
  int64_t count = 0;
  LEAT_RETURN(rows_.WalkBack(prefix, key, [&](const Entry& entry) -> Result<bool> {
    found.emplace_front(entry);
    count += entry.before;
    return count < rows;
  }));
  return found;
}

// From the remembered row on if all changes lie behind it, else from the beginning. The new states
// are those before the last row, or before its peers where these matter: what comes at the end
// comes behind.
Status WindowGeneral::AddRunning(const OrderedRows::Changes& changes) {
  const std::string prefix(changes[0].partition());
  auto [at, added] = tails_.try_emplace(prefix);
  Tail& tail = at->second;
  if (added || changes[0].key < tail.key) {
    tail.key = prefix;
    tail.states.assign(calls_.size(), CallState{});
  }
  BeginStretch(&tail.states);
  LEAT_ASSIGN(const auto context, RowsBefore(prefix, tail.key, reach_.before));
  for (const KeptEntry& entry : context) LEAT_RETURN(AddContext(entry.entry()));
  BeginBody();
  std::string last;
  int64_t last_row = -1;
  const auto visit = [&](const Entry& entry) -> Result<bool> {
    const std::string_view mark =
        calls_.needs_peers() ? OrderedRows::PeersOf(entry.key) : entry.key;
    if (entry.after > 0 && (last_row < 0 || mark != last)) {
      last = mark;
      last_row = after_.rows();
    }
    LEAT_RETURN(AddBody(entry));
    return true;
  };
  LEAT_RETURN(rows_.Walk(tail.key, PrefixEnd(prefix), changes, visit));
  EndBody();
  EndStretch();
  if (last_row >= 0) {
    after_.stretch().save = last_row;
    tail.key = std::move(last);
  }
  return Status::OK();
}

Status WindowGeneral::AddNear(OrderedRows::Changes changes, Output* out) {
  const std::string prefix(changes[0].partition());
  while (!changes.empty()) {
    LEAT_ASSIGN(const size_t done, AddStretchNear(prefix, changes));
    changes = changes.subspan(done);
    if (before_.rows() + after_.rows() >= kSheetRows) LEAT_RETURN(Flush(out));
  }
  return Status::OK();
}

// A stretch around the first of `changes` and those that are near it; returns how many these are.
// Unchanged rows are counted in entries' rows; two changes with `apart` of them in between reach no
// common row, and neither lies among the rows that the other's results look at.
Result<size_t> WindowGeneral::AddStretchNear(std::string_view prefix,
                                             const OrderedRows::Changes& changes) {
  const int64_t apart =
      std::max({Plus(reach_.forward, reach_.after), Plus(reach_.forward, reach_.back),
                Plus(reach_.back, reach_.before)});
  BeginStretch(nullptr);
  LEAT_ASSIGN(const auto front, RowsBefore(prefix, changes[0].key, reach_.back + reach_.before));
  // The last of them that reach back over `back` rows belong to the body.
  size_t context = front.size();
  for (int64_t rows = 0; context > 0 && rows < reach_.back;) rows += front[--context].before;
  for (size_t i = 0; i < context; ++i) LEAT_RETURN(AddContext(front[i].entry()));
  BeginBody();
  for (size_t i = context; i < front.size(); ++i) LEAT_RETURN(AddBody(front[i].entry()));

  size_t done = 0;
  int64_t unchanged = 0;
  std::deque<KeptEntry> behind;  // unchanged entries since the last change
  const auto visit = [&](const Entry& entry) -> Result<bool> {
    const bool changed = done < changes.size() && entry.key == changes[done].key &&
                         entry.value == changes[done].value;
    if (!changed) {
      behind.emplace_back(entry);
      unchanged += entry.before;
      return done == 0 || unchanged < apart;  // rows of the first change's key may stand before it
    }
    ++done;
    for (const KeptEntry& kept : behind) LEAT_RETURN(AddBody(kept.entry()));
    behind.clear();
    unchanged = 0;
    LEAT_RETURN(AddBody(entry));
    return apart > 0;
  };
  LEAT_RETURN(rows_.Walk(changes[0].key, PrefixEnd(prefix), changes, visit));
  int64_t rows = 0;
  size_t next = 0;
  for (; next < behind.size() && rows < reach_.forward; ++next) {
    LEAT_RETURN(AddBody(behind[next].entry()));
    rows += behind[next].before;
  }
  EndBody();
  for (rows = 0; next < behind.size() && rows < reach_.after; ++next) {
    LEAT_RETURN(AddContext(behind[next].entry()));
    rows += behind[next].before;
  }
  EndStretch();
  return done;
}

// ---- the delta ----------------------------------------------------------------------------------

Status WindowGeneral::Flush(Output* out) {
  if (body_.empty()) return Status::OK();
  const int64_t old_rows = before_.computed(), new_rows = after_.computed();
  ErrorMask old_errors(old_rows), new_errors(new_rows);
  // The old side first: the new one stores its states where both begin.
  LEAT_ASSIGN(const auto old_results, before_.Compute(calls_, &old_errors));
  LEAT_ASSIGN(const auto new_results, after_.Compute(calls_, &new_errors));
  LEAT_RETURN(
      EmitDifference(old_results, old_errors, new_results, new_errors, old_rows, new_rows, out));
  body_.clear();
  body_bytes_.Clear();
  return Status::OK();
}

const ErrorMask::Error* ErrorAt(const ErrorMask& errors, int64_t row) {
  if (!errors.Has(row)) return nullptr;
  for (const auto& error : errors.errors()) {
    if (error.row == row) return &error;
  }
  return nullptr;
}

Status WindowGeneral::Reject(std::string_view row, std::optional<int64_t> seq, int64_t weight,
                             const ErrorMask& errors, int64_t at, Output* out) const {
  struct Keep : Output {
    Status Emit(Batch batch) override {
      row = std::move(batch);
      return Status::OK();
    }
    Status Reject(RowError) override { return Status::OK(); }
    Batch row;
  } keep;
  RowCollector one(rows_.row_types());
  LEAT_RETURN(one.Add(row, seq, 1));
  LEAT_RETURN(one.Emit({}, &keep));
  const ErrorMask::Error& error = *ErrorAt(errors, at);
  return out->Reject({.row = std::move(keep.row),
                      .weight = weight,
                      .sqlstate = error.sqlstate,
                      .reason = error.message});
}

// Rows whose results are the same bytes, or the same error, before and after cancel.
Status WindowGeneral::EmitDifference(const std::vector<ArrayPtr>& old_results,
                                     const ErrorMask& old_errors,
                                     const std::vector<ArrayPtr>& new_results,
                                     const ErrorMask& new_errors, int64_t old_rows,
                                     int64_t new_rows, Output* out) {
  Strings old_bytes, new_bytes;
  LEAT_RETURN(EncodeRows(old_results, result_types_, old_rows, &old_bytes));
  LEAT_RETURN(EncodeRows(new_results, result_types_, new_rows, &new_bytes));
  const auto same = [&](int64_t old_row, int64_t new_row) {
    const auto* was = ErrorAt(old_errors, old_row);
    const auto* is = ErrorAt(new_errors, new_row);
    if (was || is) return was && is && was->message == is->message;
    return old_bytes[old_row] == new_bytes[new_row];
  };
  std::vector<int32_t> picks;
  const auto say = [&](size_t i, bool came, int64_t at) -> Status {
    const std::string_view row = body_bytes_[static_cast<int64_t>(i)];
    const ErrorMask& errors = came ? new_errors : old_errors;
    const int64_t weight = came ? 1 : -1;
    if (errors.Has(at)) return Reject(row, body_[i].seq, weight, errors, at, out);
    picks.push_back(static_cast<int32_t>(came ? old_rows + at : at));
    return collector_.Add(row, body_[i].seq, weight);
  };
  int64_t old_row = 0, new_row = 0;
  for (size_t i = 0; i < body_.size(); ++i) {
    const auto [seq, before, after] = body_[i];
    for (int64_t k = 0; k < std::max(before, after); ++k) {
      if (k < before && k < after && same(old_row + k, new_row + k)) continue;
      if (k < before) LEAT_RETURN(say(i, false, old_row + k));
      if (k < after) LEAT_RETURN(say(i, true, new_row + k));
    }
    old_row += before;
    new_row += after;
  }
  std::vector<ArrayPtr> results;
  for (size_t c = 0; c < old_results.size(); ++c) {
    LEAT_ASSIGN(ArrayPtr both, arrow::Concatenate({old_results[c], new_results[c]}));
    LEAT_ASSIGN(both, TakeElements(both, picks));
    results.push_back(std::move(both));
  }
  stats_.rows_out += collector_.rows();
  return collector_.Emit(results, out);
}

}  // namespace

std::unique_ptr<Operator> MakeWindowGeneral(WindowSpec spec, WindowCalls calls) {
  return std::make_unique<WindowGeneral>(std::move(spec), std::move(calls));
}

}  // namespace leat
