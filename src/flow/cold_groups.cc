#include "flow/cold_groups.h"

namespace leat::aggregate_internal {

ColdGroups::ColdGroups()
    : memory_(StateMemory::Current()), said_(MakeIndex()), unsaid_(MakeIndex()) {}

Status ColdGroups::Waiting::ApplyTo(Index* index) {
  LEAT_RETURN(index->Apply(keys, states, weights));
  keys.Clear();
  states.Clear();
  weights.clear();
  return Status::OK();
}

void ColdGroups::Put(std::string_view key, std::string_view state, bool said) {
  Waiting& waiting = said ? waiting_said_ : waiting_unsaid_;
  waiting.keys.Append(key);
  waiting.states.Append(state);
  waiting.weights.push_back(1);
  (said ? said_count_ : unsaid_count_) += 1;
}

Status ColdGroups::Flush() {
  LEAT_RETURN(waiting_said_.ApplyTo(said_.get()));
  return waiting_unsaid_.ApplyTo(unsaid_.get());
}

Status ColdGroups::Take(const Strings& keys, const Load& load) {
  LEAT_RETURN(TakeFrom(said_.get(), &said_count_, keys, true, load));
  return TakeFrom(unsaid_.get(), &unsaid_count_, keys, false, load);
}

Result<std::vector<uint8_t>> ColdGroups::Contains(const Strings& keys) const {
  LEAT_ASSIGN(std::vector<uint8_t> here, said_->Contains(keys));
  if (unsaid_count_ == 0) return here;
  LEAT_ASSIGN(const auto unsaid, unsaid_->Contains(keys));
  for (size_t i = 0; i < here.size(); ++i) here[i] |= unsaid[i];
  return here;
}

Status ColdGroups::TakeFrom(Index* index, int64_t* count, const Strings& keys, bool said,
                            const Load& load) {
  if (*count == 0) return Status::OK();
  Waiting taken;
  LEAT_RETURN(index->First(keys, [&](int64_t i, std::string_view state, int64_t) {
    taken.keys.Append(keys[i]);
    taken.states.Append(state);
    taken.weights.push_back(-1);
    return load(i, state, said);
  }));
  *count -= taken.keys.size();
  return taken.ApplyTo(index);
}

Status ColdGroups::SayUnsaid(int64_t part, const Say& say) {
  const auto unsaid = unsaid_->Snapshot();
  Waiting gone_states;
  std::string from;
  std::vector<uint8_t> gone;
  while (true) {
    Strings keys, states;
    LEAT_RETURN(
        unsaid->Scan(from, "", false,
                     [&](std::string_view key, std::string_view state, int64_t) -> Result<bool> {
                       keys.Append(key);
                       states.Append(state);
                       return keys.size() < part;
                     }));
    if (keys.size() == 0) break;
    gone.assign(static_cast<size_t>(keys.size()), 0);
    LEAT_RETURN(say(keys, states, &gone));
    for (int64_t i = 0; i < keys.size(); ++i) {
      if (gone[static_cast<size_t>(i)] == 0) continue;
      gone_states.keys.Append(keys[i]);
      gone_states.states.Append(states[i]);
      gone_states.weights.push_back(-1);
    }
    from = std::string(keys[keys.size() - 1]) + '\0';  // the next key
  }
  // As they are: nothing is written again.
  said_count_ += unsaid_count_ - gone_states.keys.size();
  LEAT_RETURN(gone_states.ApplyTo(unsaid_.get()));
  said_->Absorb(std::move(unsaid_));
  const MemoryScope scope(memory_);
  unsaid_ = MakeIndex();
  unsaid_count_ = 0;
  return Status::OK();
}

Status ColdGroups::Restore(StateReader* reader) {
  LEAT_RETURN(said_->Restore(reader));
  // Entries that cancel in a later sum count too: more than there are, never fewer.
  said_count_ = said_->stats().entries;
  return Status::OK();
}

}  // namespace leat::aggregate_internal
