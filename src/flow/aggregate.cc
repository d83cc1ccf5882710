// GROUP BY. Every epoch finds the groups that its rows touch, remembers what was said of them,
// takes the rows into the states of the calls, and says what changed.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/bit_util.h>

#include <map>

#include "base/check.h"
#include "flow/aggregate_call.h"
#include "flow/cold_groups.h"
#include "flow/group_keys.h"
#include "flow/row_errors.h"
#include "state/group_log.h"

namespace leat {
namespace {

using aggregate_internal::CallInput;
using aggregate_internal::CallStates;
using aggregate_internal::ColdGroups;
using aggregate_internal::GroupKeys;
using ArrayPtr = std::shared_ptr<arrow::Array>;

// Groups that are answered and put out together.
constexpr size_t kOutputGroups = 16384;

// The columns that the keys and calls of a batch evaluate to.
struct Inputs {
  std::vector<ArrayPtr> keys;
  std::vector<std::vector<Argument>> args;  // of each call
  std::vector<std::vector<uint8_t>> masks;  // of each call; empty: every row counts
};

// What is said of some groups: their rows, and the errors of those that have no answer.
struct Answer {
  Batch rows;
  std::map<int64_t, ErrorMask::Error> errors;  // by position
};

class AggregateOperator : public Operator {
 public:
  explicit AggregateOperator(AggregateSpec spec)
      : spec_(std::move(spec)),
        memory_(StateMemory::Current()),
        account_(memory_, MemoryAccount::Kind::kTable),
        keys_(TypesOfKeys(), spec_.properties.append_only) {}
  Status Init();

  Status Push(int port, const Batch& batch, const EvalContext& context, Output* out) override;
  Status Finish(const Epoch& epoch, const EvalContext& context, Output* out) override;
  Status Checkpoint(StateWriter* writer) override;
  Status Restore(StateReader* reader) override;
  OperatorStats stats() const override;

 private:
  struct Group {
    int64_t rows = 0;      // weights that are there
    uint32_t touched = 0;  // the last epoch that touched it
    bool said = false;     // its row (or error) was put out
    bool known = false;    // it is in the table, and not among the cold
  };
  struct Touched {
    uint32_t group;
    bool said;  // before the epoch
  };

  std::vector<Type> TypesOfKeys() const {
    std::vector<Type> types;
    for (const ExprPtr& key : spec_.keys) types.push_back(key->type);
    return types;
  }
  Result<Inputs> Evaluate(const Batch& batch, const EvalContext& context, ErrorMask* errors) const;
  Status EvaluateCall(const AggregateCall& call, const Batch& batch, const EvalContext& context,
                      ErrorMask* errors, Inputs* inputs) const;
  Status Take(const Batch& batch, const Inputs& inputs);
  // Counts the rows, and remembers what was said of groups that the epoch had not touched before.
  Status Touch(const Batch& batch, const std::vector<uint32_t>& groups);
  Status Resize();
  void Erase(uint32_t group);
  Result<Answer> Answers(const std::vector<uint32_t>& groups);
  Status Remember(const std::vector<uint32_t>& groups);

  Status SayChanges(std::span<const Touched> touched, int64_t old_begin, Output* out);
  Status Say(const Answer& answer, const std::vector<uint8_t>& same, int64_t sign, Output* out);
  // Which groups said the same before; by position in `before` and `after`.
  Status FindSame(const Answer& before, const std::vector<int64_t>& after_of, const Answer& after,
                  std::vector<uint8_t>* same_before, std::vector<uint8_t>* same_after) const;

  // Groups that memory has no room for: see Relieve.
  int64_t TableBytes() const;
  bool Crowded(bool now) const;
  Status Relieve(Output* out);
  Status Cool(int64_t groups_max);
  Status ForgetTable();
  Status LeaveTable();
  Status WarmUp();
  Status SayUnsaid(Output* out);
  Status SayUnsaidPart(const Strings& keys, const Strings& states, std::vector<uint8_t>* gone,
                       Output* out);
  void SaveGroup(uint32_t group, std::string* out) const;
  Status LoadGroup(uint32_t group, std::string_view state);
  void ForgetEpoch();

  const AggregateSpec spec_;
  StateMemory* const memory_;
  mutable MemoryAccount account_;  // told whenever it is asked of
  GroupKeys keys_;
  std::vector<std::unique_ptr<CallStates>> calls_;
  Chunked<Group> groups_;
  GroupLog log_;
  ColdGroups cold_;
  uint32_t cool_next_ = 0;  // the group from which Cool goes on
  uint32_t epoch_ = 1;
  std::vector<Touched> touched_;
  std::vector<Batch> old_rows_;  // of the touched groups that were said, in their order
  std::map<int64_t, ErrorMask::Error> old_errors_;
  int64_t old_count_ = 0;
  std::vector<uint32_t> row_groups_;
  OperatorStats stats_;
};

Status AggregateOperator::Init() {
  for (const AggregateCall& call : spec_.calls) {
    LEAT_ASSIGN(auto states,
                aggregate_internal::MakeCallStates(call, spec_.properties, keys_.table()));
    calls_.push_back(std::move(states));
  }
  return Status::OK();
}

// ---- rows in ------------------------------------------------------------------------------------

// Rows that count for a call, as bytes.
std::vector<uint8_t> MaskOf(const arrow::Array& array) {
  const auto& bools = static_cast<const arrow::BooleanArray&>(array);
  std::vector<uint8_t> mask(static_cast<size_t>(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    mask[static_cast<size_t>(i)] = bools.IsValid(i) && bools.Value(i) ? 1 : 0;
  }
  return mask;
}

Status AggregateOperator::EvaluateCall(const AggregateCall& call, const Batch& batch,
                                       const EvalContext& context, ErrorMask* errors,
                                       Inputs* inputs) const {
  Selection selection;
  if (call.filter) {
    LEAT_ASSIGN(const ArrayPtr filter, EvaluateColumn(*call.filter, batch, context, errors));
    selection.active = MaskOf(*filter);
  }
  inputs->masks.push_back(selection.active);
  std::vector<Argument>& args = inputs->args.emplace_back();
  for (const ExprPtr& arg : call.args) {
    ArrayPtr array;
    // Calls often share arguments: avg(x), max(x). Under a filter rows fail or not by the filter.
    for (size_t i = 0; i + 1 < inputs->args.size() && !array && !call.filter; ++i) {
      const AggregateCall& other = spec_.calls[i];
      for (size_t k = 0; k < other.args.size() && !other.filter; ++k) {
        if (Equal(*arg, *other.args[k])) array = inputs->args[i][k].array;
      }
    }
    if (!array && arg->kind == ExprKind::kColumn) {
      array = Plain(batch.columns[static_cast<size_t>(arg->column)]);
    } else if (!array) {
      LEAT_ASSIGN(array, leat::Evaluate(*arg, batch, context, selection, errors));
      array = Plain(array);
    }
    args.push_back({.array = std::move(array), .type = arg->type});
  }
  return Status::OK();
}

Result<Inputs> AggregateOperator::Evaluate(const Batch& batch, const EvalContext& context,
                                           ErrorMask* errors) const {
  Inputs inputs;
  for (const ExprPtr& key : spec_.keys) {
    LEAT_ASSIGN(auto column, EvaluateColumn(*key, batch, context, errors));
    inputs.keys.push_back(std::move(column));
  }
  for (const AggregateCall& call : spec_.calls) {
    LEAT_RETURN(EvaluateCall(call, batch, context, errors, &inputs));
  }
  return inputs;
}

Status AggregateOperator::Push(int, const Batch& batch, const EvalContext& context, Output* out) {
  if (batch.rows == 0) return Status::OK();
  if (Crowded(true)) LEAT_RETURN(Relieve(out));
  ErrorMask errors(batch.rows);
  LEAT_ASSIGN(const Inputs inputs, Evaluate(batch, context, &errors));
  if (!errors.any()) {
    stats_.rows_in += batch.rows;
    return Take(batch, inputs);
  }
  LEAT_RETURN(RejectRows(batch, errors, out));
  stats_.rows_in += static_cast<int64_t>(errors.errors().size());
  LEAT_ASSIGN(const Batch good, leat::Take(batch, RowsWithoutErrors(batch.rows, errors)));
  return Push(0, good, context, out);
}

Status AggregateOperator::Take(const Batch& batch, const Inputs& inputs) {
  row_groups_.resize(static_cast<size_t>(batch.rows));
  LEAT_RETURN(keys_.Resolve(inputs.keys, batch.rows, row_groups_.data()));
  LEAT_RETURN(Resize());
  LEAT_RETURN(WarmUp());
  LEAT_RETURN(Touch(batch, row_groups_));
  LEAT_RETURN(keys_.NoteValues(inputs.keys, batch, row_groups_.data()));
  const int64_t* weights = batch.weights ? batch.weights->raw_values() : nullptr;
  for (size_t i = 0; i < calls_.size(); ++i) {
    const std::vector<uint8_t>& mask = inputs.masks[i];
    LEAT_RETURN(calls_[i]->Update({.batch = &batch,
                                   .args = inputs.args[i],
                                   .groups = row_groups_.data(),
                                   .weights = weights,
                                   .mask = mask.empty() ? nullptr : mask.data()}));
  }
  return Status::OK();
}

Status AggregateOperator::Resize() {
  const int64_t groups = keys_.table().capacity();
  groups_.Resize(groups);
  for (const auto& call : calls_) LEAT_RETURN(call->Resize(groups));
  return Status::OK();
}

Status AggregateOperator::Touch(const Batch& batch, const std::vector<uint32_t>& groups) {
  std::vector<uint32_t> said;
  const int64_t* weights = batch.weights ? batch.weights->raw_values() : nullptr;
  for (size_t row = 0; row < groups.size(); ++row) {
    Group& group = groups_[groups[row]];
    const int64_t weight = weights == nullptr ? 1 : weights[row];
    if (weight < 0 && spec_.properties.append_only) {
      return Status::Invalid("an append-only input took a row back");
    }
    group.rows += weight;
    if (group.touched == epoch_) continue;
    group.touched = epoch_;
    touched_.push_back({groups[row], group.said});
    if (group.said) said.push_back(groups[row]);
  }
  return Remember(said);
}

Status AggregateOperator::Remember(const std::vector<uint32_t>& groups) {
  for (size_t begin = 0; begin < groups.size(); begin += kOutputGroups) {
    const size_t end = std::min(groups.size(), begin + kOutputGroups);
    LEAT_ASSIGN(Answer answer, Answers({groups.begin() + static_cast<ptrdiff_t>(begin),
                                        groups.begin() + static_cast<ptrdiff_t>(end)}));
    for (auto& [at, error] : answer.errors) old_errors_.emplace(old_count_ + at, error);
    old_count_ += answer.rows.rows;
    old_rows_.push_back(std::move(answer.rows));
  }
  return Status::OK();
}

Result<Answer> AggregateOperator::Answers(const std::vector<uint32_t>& groups) {
  Answer answer;
  answer.rows.rows = static_cast<int64_t>(groups.size());
  if (!spec_.keys.empty()) {
    LEAT_ASSIGN(answer.rows.columns, keys_.Values(groups));
  }
  ErrorMask errors(answer.rows.rows);
  for (const auto& call : calls_) {
    LEAT_ASSIGN(auto column, call->Answers(groups, &errors));
    answer.rows.columns.push_back(std::move(column));
  }
  for (const auto& error : errors.errors()) answer.errors.emplace(error.row, error);
  return answer;
}

// ---- changes out --------------------------------------------------------------------------------

Status AggregateOperator::Finish(const Epoch&, const EvalContext&, Output* out) {
  if (spec_.keys.empty() && keys_.table().size() == 0) {
    const uint32_t group = keys_.table().FindOrInsert("");
    LEAT_RETURN(Resize());
    groups_[group].touched = epoch_;
    touched_.push_back({group, false});
  }
  LEAT_RETURN(keys_.Commit());
  for (const auto& call : calls_) LEAT_RETURN(call->Commit());
  int64_t old_begin = 0;
  for (size_t begin = 0; begin < touched_.size(); begin += kOutputGroups) {
    const std::span<const Touched> part(touched_.data() + begin,
                                        std::min(kOutputGroups, touched_.size() - begin));
    LEAT_RETURN(SayChanges(part, old_begin, out));
    for (const Touched& touched : part) old_begin += touched.said ? 1 : 0;
  }
  for (const Touched& touched : touched_) {
    log_.Touch(touched.group);
    if (groups_[touched.group].rows != 0 || spec_.keys.empty()) continue;
    log_.Erased(keys_.table().key(touched.group));
    Erase(touched.group);
  }
  const auto touched = static_cast<int64_t>(touched_.size());
  ForgetEpoch();
  if (cold_.has_unsaid()) LEAT_RETURN(SayUnsaid(out));
  if (!Crowded(false)) return Status::OK();
  // In small steps little by little; where much came, or nothing else helps, at once.
  if (account_.asked() || touched > keys_.table().size() / 16) return ForgetTable();
  return Cool(4 * touched + 1000);
}

void AggregateOperator::ForgetEpoch() {
  touched_.clear();
  old_rows_.clear();
  old_errors_.clear();
  old_count_ = 0;
  ++epoch_;
}

void AggregateOperator::Erase(uint32_t group) {
  for (const auto& call : calls_) call->Clear(group);
  keys_.Erase(group);
  groups_[group] = {};
}

Status AggregateOperator::SayChanges(std::span<const Touched> touched, int64_t old_begin,
                                     Output* out) {
  std::vector<uint32_t> present;
  std::vector<int64_t> after_of;  // of each said group: its position among the present, or -1
  for (const Touched& one : touched) {
    Group& group = groups_[one.group];
    const bool is_present = group.rows > 0 || spec_.keys.empty();
    if (one.said) after_of.push_back(is_present ? static_cast<int64_t>(present.size()) : -1);
    if (is_present) present.push_back(one.group);
    group.said = is_present;
  }
  LEAT_ASSIGN(const Answer after, Answers(present));
  std::vector<uint8_t> same_after(present.size(), 0);
  if (!after_of.empty()) {
    // All old rows as one batch, from which each part takes its slice.
    if (old_rows_.size() > 1) {
      LEAT_ASSIGN(Batch all, Concatenate(spec_.output, old_rows_));
      old_rows_.assign(1, all);
    }
    const auto count = static_cast<int64_t>(after_of.size());
    Answer before{.rows = Slice(old_rows_[0], old_begin, count), .errors = {}};
    for (auto at = old_errors_.lower_bound(old_begin);
         at != old_errors_.end() && at->first < old_begin + count; ++at) {
      before.errors.emplace(at->first - old_begin, at->second);
    }
    std::vector<uint8_t> same_before(after_of.size(), 0);
    LEAT_RETURN(FindSame(before, after_of, after, &same_before, &same_after));
    LEAT_RETURN(Say(before, same_before, -1, out));
  }
  return Say(after, same_after, 1, out);
}

Status AggregateOperator::FindSame(const Answer& before, const std::vector<int64_t>& after_of,
                                   const Answer& after, std::vector<uint8_t>* same_before,
                                   std::vector<uint8_t>* same_after) const {
  std::vector<Type> types;
  for (const Column& column : spec_.output.columns) types.push_back(column.type);
  Strings old_bytes, new_bytes;
  LEAT_RETURN(EncodeRows(before.rows.columns, types, before.rows.rows, &old_bytes));
  LEAT_RETURN(EncodeRows(after.rows.columns, types, after.rows.rows, &new_bytes));
  for (size_t i = 0; i < after_of.size(); ++i) {
    const int64_t now = after_of[i];
    const auto at = static_cast<int64_t>(i);
    if (now < 0 || old_bytes[at] != new_bytes[now]) continue;
    const auto old_error = before.errors.find(at), new_error = after.errors.find(now);
    const bool failed = old_error != before.errors.end();
    if (failed != (new_error != after.errors.end())) continue;
    if (failed && old_error->second.message != new_error->second.message) continue;
    (*same_before)[i] = 1;
    (*same_after)[static_cast<size_t>(now)] = 1;
  }
  return Status::OK();
}

Status AggregateOperator::Say(const Answer& answer, const std::vector<uint8_t>& same, int64_t sign,
                              Output* out) {
  std::vector<int32_t> rows;
  for (size_t i = 0; i < same.size(); ++i) {
    if (same[i] != 0) continue;
    const auto failed = answer.errors.find(static_cast<int64_t>(i));
    if (failed == answer.errors.end()) {
      rows.push_back(static_cast<int32_t>(i));
      continue;
    }
    LEAT_ASSIGN(Batch row, leat::Take(answer.rows, {static_cast<int32_t>(i)}));
    LEAT_RETURN(out->Reject({.row = std::move(row),
                             .weight = sign,
                             .sqlstate = failed->second.sqlstate,
                             .reason = failed->second.message}));
  }
  if (rows.empty()) return Status::OK();
  Batch batch = answer.rows;
  if (rows.size() < same.size()) {
    LEAT_ASSIGN(batch, leat::Take(answer.rows, rows));
  }
  if (sign < 0) {
    LEAT_ASSIGN(batch, Negate(batch));
  }
  stats_.rows_out += batch.rows;
  return out->Emit(std::move(batch));
}

// ---- state --------------------------------------------------------------------------------------

void AppendSized(std::string_view bytes, std::string* out) {
  const auto size = static_cast<uint32_t>(bytes.size());
  out->append(reinterpret_cast<const char*>(&size), sizeof(size));
  out->append(bytes);
}

Result<std::string_view> TakeSized(std::string_view* from) {
  uint32_t size = 0;
  if (from->size() < sizeof(size)) return Status::IOError("a group's state is cut off");
  std::memcpy(&size, from->data(), sizeof(size));
  from->remove_prefix(sizeof(size));
  if (from->size() < size) return Status::IOError("a group's state is cut off");
  const std::string_view bytes = from->substr(0, size);
  from->remove_prefix(size);
  return bytes;
}

void AggregateOperator::SaveGroup(uint32_t group, std::string* out) const {
  std::string part;
  const int64_t rows = groups_[group].rows;
  out->append(reinterpret_cast<const char*>(&rows), sizeof(rows));
  keys_.Save(group, &part);
  AppendSized(part, out);
  for (const auto& call : calls_) {
    part.clear();
    call->Save(group, &part);
    AppendSized(part, out);
  }
}

// As it was, and as if it had been said. REQUIRES: there is room for the group.
Status AggregateOperator::LoadGroup(uint32_t group, std::string_view state) {
  Group& loaded = groups_[group];
  if (state.size() < sizeof(loaded.rows)) return Status::IOError("a group's state is cut off");
  std::memcpy(&loaded.rows, state.data(), sizeof(loaded.rows));
  state.remove_prefix(sizeof(loaded.rows));
  loaded.said = loaded.rows > 0 || spec_.keys.empty();
  loaded.known = true;
  LEAT_ASSIGN(const auto values, TakeSized(&state));
  keys_.Load(group, values);
  for (const auto& call : calls_) {
    LEAT_ASSIGN(const auto bytes, TakeSized(&state));
    call->Clear(group);
    LEAT_RETURN(call->Load(group, bytes));
  }
  return Status::OK();
}

Status AggregateOperator::Checkpoint(StateWriter* writer) {
  LEAT_CHECK(touched_.empty(), "a checkpoint within an epoch");
  const auto save = [&](uint32_t group, std::string* out) { SaveGroup(group, out); };
  LEAT_RETURN(log_.Checkpoint(keys_.table(), save, writer));
  PrefixWriter cold("cold.", writer);
  LEAT_RETURN(cold_.Checkpoint(&cold));
  PrefixWriter keys("keys.", writer);
  LEAT_RETURN(keys_.Checkpoint(&keys));
  for (size_t i = 0; i < calls_.size(); ++i) {
    PrefixWriter call(fmt::format("call{}.", i), writer);
    LEAT_RETURN(calls_[i]->Checkpoint(&call));
  }
  return Status::OK();
}

Status AggregateOperator::Restore(StateReader* reader) {
  PrefixReader cold("cold.", reader);
  LEAT_RETURN(cold_.Restore(&cold));
  PrefixReader keys("keys.", reader);
  LEAT_RETURN(keys_.Restore(&keys));
  for (size_t i = 0; i < calls_.size(); ++i) {
    PrefixReader call(fmt::format("call{}.", i), reader);
    LEAT_RETURN(calls_[i]->Restore(&call));
  }
  bool relieved = false;  // there was more room when the state was written
  const auto load = [&](uint32_t group, std::string_view state) -> Status {
    LEAT_RETURN(Resize());
    return LoadGroup(group, state);
  };
  const auto relieve = [&]() -> Status {
    if (!Crowded(true)) return Status::OK();
    relieved = true;
    return LeaveTable();
  };
  const auto elsewhere = [&](const Strings& of) -> Result<std::vector<uint8_t>> {
    return relieved ? cold_.Contains(of) : std::vector<uint8_t>();
  };
  LEAT_RETURN(log_.Restore(&keys_.table(), load, relieve, elsewhere, reader));
  if (relieved) {
    log_ = {};
    for (int64_t i = 0; i < keys_.table().capacity(); ++i) {
      if (keys_.table().live(static_cast<uint32_t>(i))) log_.Touch(static_cast<uint32_t>(i));
    }
  }
  account_.Set(TableBytes());
  return Status::OK();
}

// ---- more groups than memory --------------------------------------------------------------------

int64_t AggregateOperator::TableBytes() const {
  int64_t bytes = keys_.table_memory() + groups_.memory();
  for (const auto& call : calls_) bytes += call->table_memory();
  return bytes;
}

// Whether groups are to leave the table; `now`: all at once, as a large epoch may go on for long.
// Of its part only what live groups take counts: room that has become free is filled first.
bool AggregateOperator::Crowded(bool now) const {
  if (!memory_->limited() || spec_.keys.empty() || keys_.table().size() == 0) return false;
  const int64_t bytes = TableBytes();
  account_.Set(bytes);
  const StateMemory::Pressure pressure = memory_->Check();
  if (bytes <= memory_->spill_bytes_min()) return false;
  if (account_.asked() || (now && pressure == StateMemory::Pressure::kHard)) return true;
  const double live =
      static_cast<double>(keys_.table().size()) / static_cast<double>(keys_.table().capacity());
  return memory_->TableTooLarge(static_cast<int64_t>(static_cast<double>(bytes) * live));
}

// Makes room within an epoch: all groups leave the table, and what was said of those that the epoch
// touched is taken back, so that they wait for Finish like those of which nothing was said. Nothing
// is asked of them now: between its rows an epoch's states need not make sense.
Status AggregateOperator::Relieve(Output* out) {
  LEAT_RETURN(keys_.Commit());
  for (const auto& call : calls_) LEAT_RETURN(call->Commit());
  int64_t begin = 0;
  for (Batch& rows : old_rows_) {
    Answer before{.rows = std::move(rows), .errors = {}};
    const int64_t end = begin + before.rows.rows;
    for (auto at = old_errors_.lower_bound(begin); at != old_errors_.end() && at->first < end;
         ++at) {
      before.errors.emplace(at->first - begin, at->second);
    }
    LEAT_RETURN(Say(before, std::vector<uint8_t>(static_cast<size_t>(end - begin), 0), -1, out));
    begin = end;
  }
  for (const Touched& touched : touched_) groups_[touched.group].said = false;
  ForgetEpoch();
  return ForgetTable();
}

// All groups leave the table. REQUIRES: no group is touched.
Status AggregateOperator::ForgetTable() {
  log_ = {};
  return LeaveTable();
}

// The same, whatever the log of the table then says.
Status AggregateOperator::LeaveTable() {
  std::string state;
  for (int64_t i = 0; i < keys_.table().capacity(); ++i) {
    const auto group = static_cast<uint32_t>(i);
    if (!keys_.table().live(group)) continue;
    // Also one without rows by now: within an epoch its state may still say what is to come.
    state.clear();
    SaveGroup(group, &state);
    cold_.Put(keys_.table().key(group), state, groups_[i].said);
    if (cold_.waiting_bytes() > memory_->delta_bytes_max()) {
      LEAT_RETURN(cold_.Flush());
    }
  }
  LEAT_RETURN(cold_.Flush());
  keys_.ForgetAll();
  groups_ = {};
  for (size_t i = 0; i < calls_.size(); ++i) {
    LEAT_ASSIGN(auto fresh, aggregate_internal::MakeCallStates(spec_.calls[i], spec_.properties,
                                                               keys_.table()));
    if (!calls_[i]->ForgetTable(fresh.get())) calls_[i] = std::move(fresh);
  }
  cool_next_ = 0;
  account_.Set(TableBytes());
  account_.Answered();
  return Status::OK();
}

// Some groups leave the table, in turn. REQUIRES: no group is touched.
Status AggregateOperator::Cool(int64_t groups_max) {
  std::string state;
  const int64_t capacity = keys_.table().capacity();
  for (int64_t seen = 0; seen < std::min(groups_max, capacity); ++seen) {
    cool_next_ = static_cast<uint32_t>((cool_next_ + 1) % capacity);
    const uint32_t group = cool_next_;
    if (!keys_.table().live(group)) continue;
    state.clear();
    SaveGroup(group, &state);
    cold_.Put(keys_.table().key(group), state, true);
    log_.Erased(keys_.table().key(group));
    Erase(group);
  }
  return cold_.Flush();
}

// Groups that are new in the table come back from the cold, if they are there. Those of a batch
// together, in the order of their keys, so that each block is read once.
Status AggregateOperator::WarmUp() {
  if (!memory_->limited() && cold_.empty()) return Status::OK();
  std::vector<uint32_t> fresh;
  for (const uint32_t group : row_groups_) {
    if (groups_[group].known) continue;
    groups_[group].known = true;
    fresh.push_back(group);
  }
  if (fresh.empty() || cold_.empty()) return Status::OK();
  std::sort(fresh.begin(), fresh.end(),
            [&](uint32_t a, uint32_t b) { return keys_.table().key(a) < keys_.table().key(b); });
  Strings keys;
  for (const uint32_t group : fresh) keys.Append(keys_.table().key(group));
  return cold_.Take(keys, [&](int64_t i, std::string_view state, bool said) -> Status {
    const uint32_t group = fresh[static_cast<size_t>(i)];
    LEAT_RETURN(LoadGroup(group, state));
    if (!said) groups_[group].said = false;
    return Status::OK();
  });
}

Status AggregateOperator::SayUnsaid(Output* out) {
  return cold_.SayUnsaid(
      kOutputGroups, [&](const Strings& keys, const Strings& states, std::vector<uint8_t>* gone) {
        return SayUnsaidPart(keys, states, gone, out);
      });
}

Status AggregateOperator::SayUnsaidPart(const Strings& keys, const Strings& states,
                                        std::vector<uint8_t>* gone, Output* out) {
  std::vector<Touched> part;
  for (int64_t i = 0; i < keys.size(); ++i) {
    part.push_back({keys_.table().FindOrInsert(keys[i]), false});
    LEAT_RETURN(Resize());
    LEAT_RETURN(LoadGroup(part.back().group, states[i]));
    (*gone)[static_cast<size_t>(i)] = groups_[part.back().group].rows == 0 ? 1 : 0;
  }
  LEAT_RETURN(SayChanges(part, 0, out));
  for (const Touched& touched : part) Erase(touched.group);
  return Status::OK();
}

OperatorStats AggregateOperator::stats() const {
  OperatorStats stats = stats_;
  stats.state_rows = keys_.table().size() + cold_.size();
  stats.state_bytes = keys_.memory() + groups_.memory() + cold_.held();
  for (const auto& call : calls_) stats.state_bytes += call->memory();
  return stats;
}

}  // namespace

Result<std::unique_ptr<Operator>> MakeAggregate(AggregateSpec spec) {
  auto made = std::make_unique<AggregateOperator>(std::move(spec));
  LEAT_RETURN(made->Init());
  return made;
}

// A group for each distinct row, of which nothing is asked.
Result<std::unique_ptr<Operator>> MakeDistinct(DistinctSpec spec) {
  AggregateSpec groups;
  for (int i = 0; i < spec.input.size(); ++i) {
    groups.keys.push_back(ColumnExpr(i, spec.input.columns[static_cast<size_t>(i)].type));
  }
  if (groups.keys.empty()) return NotSupported("DISTINCT of rows without columns");
  groups.output = spec.input;
  groups.input = std::move(spec.input);
  groups.properties = std::move(spec.properties);
  return MakeAggregate(std::move(groups));
}

}  // namespace leat
