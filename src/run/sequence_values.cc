#include "run/sequence_values.h"

#include "base/ascii.h"

namespace leat {
namespace {

std::string Folded(std::string_view written) {
  if (written.starts_with("public.")) written.remove_prefix(7);
  const bool quoted = written.size() > 1 && written.front() == '"' && written.back() == '"';
  return quoted ? std::string(written.substr(1, written.size() - 2)) : LowerAscii(written);
}

Status NotYet(std::string message) { return SqlStatus(std::move(message), {.sqlstate = "55000"}); }

// The number after `value`; nothing at the end.
std::optional<int64_t> After(const SequenceSpec& sequence, int64_t value) {
  const bool up = sequence.increment > 0;
  int64_t next = 0;
  const bool over = __builtin_add_overflow(value, sequence.increment, &next);
  if (!over && next <= sequence.max && next >= sequence.min) return next;
  if (sequence.cycle) return up ? sequence.min : sequence.max;
  return std::nullopt;
}

}  // namespace

Result<const SequenceSpec*> SequenceValues::Find(std::string_view written) const {
  const std::string name = Folded(written);
  if (const SequenceSpec* sequence = catalog_.FindSequence(name)) return sequence;
  if (catalog_.FindRelation(name) != nullptr) {
    return SqlStatus(fmt::format("\"{}\" is not a sequence", name), {.sqlstate = "42809"});
  }
  return SqlStatus(fmt::format("relation \"{}\" does not exist", name),
                   {.sqlstate = kUndefinedTable});
}

SequenceValues::State& SequenceValues::StateOf(const SequenceSpec& sequence) {
  return states_.try_emplace(sequence.name, State{.value = sequence.start}).first->second;
}

Result<int64_t> SequenceValues::Next(std::string_view name) {
  LEAT_ASSIGN(const SequenceSpec* sequence, Find(name));
  State& state = StateOf(*sequence);
  if (state.called) {
    const auto next = After(*sequence, state.value);
    if (!next) {
      const bool up = sequence->increment > 0;
      return SqlStatus(fmt::format("nextval: reached {} value of sequence \"{}\" ({})",
                                   up ? "maximum" : "minimum", sequence->name,
                                   up ? sequence->max : sequence->min),
                       {.sqlstate = "2200H"});
    }
    state.value = *next;
  }
  state.called = true;
  state.drawn = state.value;
  last_ = sequence->name;
  return state.value;
}

Result<int64_t> SequenceValues::Current(std::string_view name) const {
  LEAT_ASSIGN(const SequenceSpec* sequence, Find(name));
  const auto found = states_.find(sequence->name);
  if (found != states_.end() && found->second.drawn) return *found->second.drawn;
  return NotYet(
      fmt::format("currval of sequence \"{}\" is not yet defined in this session", sequence->name));
}

Result<int64_t> SequenceValues::Last() const {
  const auto found = states_.find(last_);
  if (found != states_.end() && found->second.drawn) return *found->second.drawn;
  return NotYet("lastval is not yet defined in this session");
}

Status SequenceValues::Set(std::string_view name, int64_t value, bool called) {
  LEAT_ASSIGN(const SequenceSpec* sequence, Find(name));
  if (value < sequence->min || value > sequence->max) {
    return SqlStatus(fmt::format("setval: value {} is out of bounds for sequence \"{}\" ({}..{})",
                                 value, sequence->name, sequence->min, sequence->max),
                     {.sqlstate = kOutOfRange});
  }
  State& state = StateOf(*sequence);
  state.value = value;
  state.called = called;
  if (called) state.drawn = value;
  return Status::OK();
}

void SequenceValues::Restart(const std::string& name, int64_t value) {
  State& state = states_[name];
  state.value = value;
  state.called = false;
}

void SequenceValues::Forget(const std::string& name) { states_.erase(name); }

}  // namespace leat
