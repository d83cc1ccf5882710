#include "flow/window_calls.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <cstring>

#include "data/date.h"
#include "flow/row_errors.h"
#include "func/aggregate.h"

namespace leat {
namespace {

constexpr int64_t kUnbounded = RowFrame::kUnbounded;
constexpr int64_t kRowsMax = int64_t{1} << 40;

bool TakesFilter(WindowFunction function) {
  return function <= WindowFunction::kEma || function == WindowFunction::kAggregate;
}

bool UsesFrame(WindowFunction function) {
  return function <= WindowFunction::kMax || function == WindowFunction::kFirstValue ||
         function == WindowFunction::kLastValue || function == WindowFunction::kNthValue ||
         function == WindowFunction::kAggregate;
}

bool IsPeerRank(WindowFunction function) {
  return function == WindowFunction::kRank || function == WindowFunction::kDenseRank ||
         function == WindowFunction::kPercentRank || function == WindowFunction::kCumeDist;
}

bool SeesPartition(const BoundCall& call, const BoundFrame& frame) {
  if (call.function >= WindowFunction::kNthValue && !call.folds) return true;
  if (!UsesFrame(call.function)) return false;
  const bool endless = frame.preceding == kUnbounded || frame.following == kUnbounded;
  return frame.groups || frame.key >= 0 || (call.folds && (endless || frame.range));
}

Status CheckTypes(const BoundCall& call) {
  const bool summed =
      call.function == WindowFunction::kSum || call.function == WindowFunction::kAvg;
  if (summed && !call.type.is_numeric()) {
    return NotSupported("sum and avg of " + TypeName(call.type) + " over a window");
  }
  if (call.function == WindowFunction::kEma && call.type.id != TypeId::kFloat8) {
    return NotSupported("ema of " + TypeName(call.type), -1, "Cast it to double precision.");
  }
  return Status::OK();
}

Result<Micros> SessionGap(const Expr& expr) {
  if (!IsConstant(expr)) return NotSupported("a session's gap that varies", expr.location);
  LEAT_ASSIGN(const auto value, EvaluateConstant(expr, {}));
  const auto& gap = static_cast<const arrow::MonthDayNanoIntervalScalar&>(*value);
  const Micros micros = gap.value.days * kMicrosPerDay + gap.value.nanoseconds / 1000;
  if (gap.is_valid && gap.value.months == 0 && micros >= 0) return micros;
  return SqlStatus("the gap of a session must be a time of days, hours, minutes and seconds",
                   {.sqlstate = "22023", .location = expr.location});
}

// A constant integer argument; nothing if it is null.
Result<std::optional<int64_t>> ConstantInteger(const Expr& expr) {
  LEAT_ASSIGN(auto value, EvaluateConstant(expr, {}));
  if (!value->is_valid) return std::nullopt;
  LEAT_ASSIGN(auto wide, value->CastTo(arrow::int64()));
  return static_cast<const arrow::Int64Scalar&>(*wide).value;
}

void Widen(int64_t rows, int64_t* reach) { *reach = std::max(*reach, rows); }

}  // namespace

int64_t Sheet::computed() const {
  int64_t rows_computed = 0;
  for (const Stretch& stretch : stretches) rows_computed += stretch.last - stretch.first;
  return rows_computed;
}

Result<WindowCalls> WindowCalls::Make(const WindowSpec& spec) {
  WindowCalls calls;
  static_cast<RowFrame&>(calls.frame_) = spec.frame;
  for (int64_t* rows : {&calls.frame_.preceding, &calls.frame_.following}) {
    // No partition is that long; the sums of positions and bounds stay in range.
    if (*rows > kRowsMax) *rows = kUnbounded;
    *rows = std::max(*rows, -kRowsMax);
  }
  LEAT_RETURN(calls.BindValueFrame(spec));
  for (const WindowCall& call : spec.calls) LEAT_RETURN(calls.Bind(call));
  if (calls.columns_.empty()) {
    // Rows around a stretch are counted by their columns.
    calls.AddColumn(LiteralExpr(std::make_shared<arrow::BooleanScalar>(true), TypeId::kBool));
  }
  return calls;
}

int WindowCalls::AddColumn(const ExprPtr& expr) {
  const auto same = [&](const ExprPtr& other) { return Equal(*expr, *other); };
  const auto found = std::find_if(columns_.begin(), columns_.end(), same);
  const auto at = found - columns_.begin();
  if (found == columns_.end()) columns_.push_back(expr);
  return static_cast<int>(at);
}

Status WindowCalls::BindValueFrame(const WindowSpec& spec) {
  const auto by_value = [](int64_t bound) { return bound != 0 && bound != kUnbounded; };
  const bool wanted = frame_.range && (by_value(frame_.preceding) || by_value(frame_.following));
  if (!wanted) return Status::OK();
  const WindowCall& call = spec.calls[0];  // all calls of a node have the same frame
  if (!call.by_value || spec.order.size() != 1) {
    return NotSupported("RANGE with an offset over another order than that of one column");
  }
  const ExprPtr* bounds = &call.args[call.args.size() - 3];
  frame_.key = AddColumn(bounds[0]);
  frame_.low = AddColumn(bounds[1]);
  frame_.high = AddColumn(bounds[2]);
  frame_.order = {.type = bounds[0]->type,
                  .descending = spec.order[0].descending,
                  .nulls_first = spec.order[0].nulls_first};
  needs_peers_ = true;
  return Status::OK();
}

// An aggregate of its own; or what the function is called over frames that exclude rows.
Status WindowCalls::BindFold(const WindowCall& call, BoundCall* bound) {
  bound->aggregate = call.aggregate;
  const bool excluding = frame_.exclude != RowFrame::Exclude::kNothing;
  bound->folds = call.aggregate != nullptr || (excluding && UsesFrame(call.function));
  for (const ExprPtr& arg : call.args) {
    bound->args.push_back(AddColumn(arg));
    bound->arg_types.push_back(arg->type);
  }
  const bool summed = bound->folds && (call.function == WindowFunction::kSum ||
                                       call.function == WindowFunction::kAvg);
  if (!summed || bound->type.is_float()) return Status::OK();
  LEAT_ASSIGN(const ResolvedAggregate resolved,
              ResolveAggregate(call.function == WindowFunction::kSum ? "sum" : "avg",
                               std::span(&bound->type, 1), -1));
  bound->aggregate = resolved.aggregate;
  return Status::OK();
}

Status WindowCalls::Bind(const WindowCall& written) {
  WindowCall call = written;
  if (call.by_value) call.args.resize(call.args.size() - 3);
  BoundCall bound{.function = call.function, .result = call.result};
  if (!call.args.empty()) {
    bound.type = call.args[0]->type;
    bound.value = AddColumn(call.args[0]);
  }
  if (call.filter) {
    if (!TakesFilter(call.function)) {
      return NotSupported("FILTER is not implemented for non-aggregate window functions");
    }
    bound.filter = AddColumn(call.filter);
  }
  if (call.function == WindowFunction::kEma) {
    if (!IsConstant(*call.args[1])) return NotSupported("ema over a number of rows that varies");
    LEAT_ASSIGN(const std::optional<int64_t> rows, ConstantInteger(*call.args[1]));
    if (!rows || *rows < 1) {
      return SqlStatus("the number of rows of ema must be greater than zero",
                       {.sqlstate = "22023", .location = call.args[1]->location});
    }
    bound.alpha = 2 / (static_cast<double>(*rows) + 1);
  }
  if (call.function == WindowFunction::kSession) {
    LEAT_ASSIGN(bound.gap, SessionGap(*call.args[1]));
  }
  if (call.function == WindowFunction::kNthValue) bound.place = AddColumn(call.args[1]);
  const bool shifted =
      call.function == WindowFunction::kLag || call.function == WindowFunction::kLead;
  if (shifted) LEAT_RETURN(BindShift(call, &bound));
  LEAT_RETURN(CheckTypes(bound));
  LEAT_RETURN(BindFold(call, &bound));
  Extend(bound);
  calls_.push_back(std::move(bound));
  return Status::OK();
}

Status WindowCalls::BindShift(const WindowCall& call, BoundCall* bound) {
  if (call.args.size() > 2) bound->fallback = AddColumn(call.args[2]);
  if (call.args.size() > 1) {
    std::optional<int64_t> shift;
    if (IsConstant(*call.args[1])) {
      LEAT_ASSIGN(shift, ConstantInteger(*call.args[1]));
    }
    if (!shift) {
      if (call.args[1]->type.id != TypeId::kInt4) {
        return NotSupported("an offset of type " + TypeName(call.args[1]->type));
      }
      bound->offset = AddColumn(call.args[1]);
      return Status::OK();
    }
    bound->shift = *shift;
  }
  if (call.function == WindowFunction::kLead) bound->shift = -bound->shift;
  return Status::OK();
}

void WindowCalls::Extend(const BoundCall& call) {
  if (call.function == WindowFunction::kLag || call.function == WindowFunction::kLead) {
    const bool varies = call.offset >= 0;
    const int64_t lag = varies ? kUnbounded : std::max<int64_t>(call.shift, 0);
    const int64_t lead = varies ? kUnbounded : std::max<int64_t>(-call.shift, 0);
    Widen(lag, &reach_.forward);
    Widen(lag, &reach_.before);
    Widen(lead, &reach_.back);
    Widen(lead, &reach_.after);
    return;
  }
  needs_peers_ = needs_peers_ || IsPeerRank(call.function);
  if (UsesFrame(call.function)) {
    needs_peers_ = needs_peers_ || frame_.by_peers() ||
                   frame_.exclude == RowFrame::Exclude::kGroup ||
                   frame_.exclude == RowFrame::Exclude::kTies;
  }
  if (SeesPartition(call, frame_)) {
    for (int64_t* rows : {&reach_.back, &reach_.forward, &reach_.before, &reach_.after}) {
      *rows = kUnbounded;
    }
    return;
  }
  if (!UsesFrame(call.function)) {
    reach_.running = true;
    reach_.forward = kUnbounded;
    return;
  }
  const bool to_current = frame_.following == 0;  // or its last peer
  if (frame_.preceding == kUnbounded && to_current) {
    reach_.running = true;
    reach_.forward = kUnbounded;
    return;
  }
  // RANGE that begins or ends with the peers only: they may be any number.
  const int64_t preceding = frame_.range ? kUnbounded : std::max<int64_t>(frame_.preceding, 0);
  const int64_t following = frame_.range ? kUnbounded : std::max<int64_t>(frame_.following, 0);
  Widen(preceding, &reach_.forward);
  Widen(preceding, &reach_.before);
  Widen(following, &reach_.back);
  Widen(following, &reach_.after);
}

std::vector<Type> WindowCalls::column_types() const {
  std::vector<Type> types;
  for (const ExprPtr& column : columns_) types.push_back(column->type);
  return types;
}

Result<std::vector<std::shared_ptr<arrow::Array>>> WindowCalls::Compute(const Sheet& sheet,
                                                                        ErrorMask* errors) const {
  std::vector<std::shared_ptr<arrow::Array>> results;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const BoundCall& call = calls_[i];
    const auto compute = [&]() -> CallResult {
      if (call.folds) return ComputeFold(call, frame_, sheet, errors);
      switch (call.function) {
        case WindowFunction::kSum:
        case WindowFunction::kAvg:
        case WindowFunction::kCount:
          return ComputeSum(call, i, frame_, sheet, errors);
        case WindowFunction::kEma:
          return ComputeEma(call, i, sheet);
        case WindowFunction::kSession:
          return ComputeSession(call, i, sheet);
        case WindowFunction::kRowNumber:
        case WindowFunction::kRank:
        case WindowFunction::kDenseRank:
          return ComputeRank(call, i, sheet);
        case WindowFunction::kLag:
        case WindowFunction::kLead:
          return ComputeShift(call, sheet);
        case WindowFunction::kNthValue:
          return ComputeNth(call, frame_, sheet, errors);
        case WindowFunction::kNtile:
        case WindowFunction::kPercentRank:
        case WindowFunction::kCumeDist:
          return ComputeShare(call, sheet, errors);
        default:
          return ComputePick(call, i, frame_, sheet);
      }
    };
    LEAT_ASSIGN(auto result, compute());
    results.push_back(std::move(result));
  }
  return results;
}

// ---- arguments ----------------------------------------------------------------------------------

std::vector<uint8_t> CountedRows(const BoundCall& call, const Sheet& sheet) {
  std::vector<uint8_t> counted;
  const auto rows = static_cast<size_t>(sheet.rows);
  if (call.value >= 0) {
    const arrow::Array& value = *sheet.columns[static_cast<size_t>(call.value)];
    if (value.null_count() > 0) {
      counted.resize(rows);
      for (size_t i = 0; i < rows; ++i) counted[i] = value.IsValid(static_cast<int64_t>(i));
    }
  }
  if (call.filter < 0) return counted;
  if (counted.empty()) counted.assign(rows, 1);
  const auto& filter =
      static_cast<const arrow::BooleanArray&>(*sheet.columns[static_cast<size_t>(call.filter)]);
  for (size_t i = 0; i < rows; ++i) {
    const auto at = static_cast<int64_t>(i);
    counted[i] &= filter.IsValid(at) && filter.Value(at);
  }
  return counted;
}

// ---- states -------------------------------------------------------------------------------------

namespace {

void SaveSized(std::string_view bytes, std::string* out) {
  const auto size = static_cast<uint32_t>(bytes.size());
  out->append(reinterpret_cast<const char*>(&size), sizeof(size));
  out->append(bytes);
}

template <typename T>
bool LoadRaw(std::string_view* bytes, T* value) {
  if (bytes->size() < sizeof(T)) return false;
  std::memcpy(value, bytes->data(), sizeof(T));
  bytes->remove_prefix(sizeof(T));
  return true;
}

bool LoadBytes(std::string_view* bytes, std::string_view* value) {
  uint32_t size = 0;
  if (!LoadRaw(bytes, &size) || bytes->size() < size) return false;
  *value = bytes->substr(0, size);
  bytes->remove_prefix(size);
  return true;
}

}  // namespace

void SaveStates(const std::vector<CallState>& states, std::string* out) {
  for (const CallState& state : states) {
    const int64_t words[] = {state.rows, state.groups};
    out->append(reinterpret_cast<const char*>(words), sizeof(words));
    out->append(reinterpret_cast<const char*>(&state.real), sizeof(state.real));
    out->push_back(static_cast<char>(state.set | (state.overflow << 1)));
    std::string exact;
    state.exact.Encode(&exact);
    SaveSized(exact, out);
    SaveSized(state.value, out);
  }
}

Status LoadStates(std::string_view* bytes, std::vector<CallState>* states) {
  for (CallState& state : *states) {
    uint8_t flags = 0;
    std::string_view exact, value;
    if (!LoadRaw(bytes, &state.rows) || !LoadRaw(bytes, &state.groups) ||
        !LoadRaw(bytes, &state.real) || !LoadRaw(bytes, &flags) || !LoadBytes(bytes, &exact) ||
        !LoadBytes(bytes, &value)) {
      return Status::IOError("the state of a window is cut short");
    }
    state.set = (flags & 1) != 0;
    state.overflow = (flags & 2) != 0;
    state.exact = Numeric::Decode(exact);
    state.value = value;
  }
  return Status::OK();
}

}  // namespace leat
