#include "state/group_log.h"

#include <algorithm>
#include <cstring>
#include <sstream>
#include <unordered_set>

namespace leat {
namespace {

constexpr std::string_view kMagic = "leatgrp1";
constexpr uint32_t kGone = UINT32_MAX;  // in place of a state's size
constexpr size_t kFileBytes = size_t{32} << 20;
constexpr int64_t kLoadedTogether = 8192;

struct RecordHead {
  uint32_t key_size;
  uint32_t state_size;
};

void AppendRecord(std::string_view key, uint32_t state_size, std::string* out) {
  const RecordHead head{static_cast<uint32_t>(key.size()), state_size};
  out->append(reinterpret_cast<const char*>(&head), sizeof(head));
  out->append(key);
}

Status BadFile() {
  return Status::IOError("a file of groups in the state is damaged or of another version");
}

}  // namespace

int64_t GroupLog::CountChanged(const GroupTable& table, uint32_t since) const {
  int64_t count = 0;
  const int64_t groups = std::min(table.capacity(), changed_.size());
  for (int64_t i = 0; i < groups; ++i) {
    count += changed_[i] >= since && table.live(static_cast<uint32_t>(i)) ? 1 : 0;
  }
  if (since == 0) return count;
  return count + std::count_if(erased_.begin(), erased_.end(),
                               [&](const Gone& gone) { return gone.number >= since; });
}

Status GroupLog::Checkpoint(const GroupTable& table, const Save& save, StateWriter* writer) {
  changed_.Resize(table.capacity());
  Segment segment{.since = current_, .records = CountChanged(table, current_), .files = {}};
  const bool too_many_gone = static_cast<int64_t>(erased_.size()) > 2 * table.size() + 1000;
  const bool writes = segment.records > 0 || too_many_gone;
  while (writes && !segments_.empty() &&
         (too_many_gone || segments_.back().records <= 2 * segment.records)) {
    segment.since = segments_.back().since;
    segments_.pop_back();
    segment.records = CountChanged(table, segment.since);
  }
  for (const Segment& old : segments_) {
    for (const std::string& file : old.files) LEAT_RETURN(writer->KeepFile(file));
  }
  if (writes) {
    if (segments_.empty()) {  // everything: nothing older is left to be taken back
      segment.since = 0;
      erased_.clear();
      segment.records = CountChanged(table, 0);
    }
    LEAT_RETURN(Write(table, save, &segment, writer));
    segments_.push_back(std::move(segment));
  }
  ++current_;
  std::ostringstream list;
  list << current_ << '\n';
  for (const Segment& one : segments_) {
    list << one.since << ' ' << one.records << ' ' << one.files.size() << '\n';
    for (const std::string& file : one.files) list << file << '\n';
  }
  return writer->PutBlob("groups", list.str());
}

Status GroupLog::Write(const GroupTable& table, const Save& save, Segment* segment,
                       StateWriter* writer) const {
  std::string bytes(kMagic);
  const auto flush = [&](size_t least) -> Status {
    if (bytes.size() < least) return Status::OK();
    LEAT_ASSIGN(auto name, writer->PutFile(bytes));
    segment->files.push_back(std::move(name));
    bytes = kMagic;
    return Status::OK();
  };
  std::unordered_set<std::string_view> gone;
  for (const Gone& one : erased_) {
    if (one.number < segment->since || table.Find(one.key) != GroupTable::kNone) continue;
    if (gone.insert(one.key).second) AppendRecord(one.key, kGone, &bytes);
    LEAT_RETURN(flush(kFileBytes));
  }
  std::string state;
  for (int64_t i = 0; i < table.capacity(); ++i) {
    const auto group = static_cast<uint32_t>(i);
    if (changed_[i] < segment->since || !table.live(group)) continue;
    state.clear();
    save(group, &state);
    AppendRecord(table.key(group), static_cast<uint32_t>(state.size()), &bytes);
    bytes += state;
    LEAT_RETURN(flush(kFileBytes));
  }
  return flush(kMagic.size() + (segment->files.empty() ? 0 : 1));
}

struct GroupLog::Restoring {
  GroupTable* table;
  const Load& load;
  const Relieve& relieve;
  const Elsewhere& elsewhere;
  // Keys whose later records said that they are gone.
  std::unordered_set<std::string> gone;
  // Records that are loaded together.
  Strings keys, states;
};

// The latest segments first: what a key's later record said is not said again.
Status GroupLog::Restore(GroupTable* table, const Load& load, const Relieve& relieve,
                         const Elsewhere& elsewhere, StateReader* reader) {
  LEAT_ASSIGN(const std::string blob, reader->GetBlob("groups"));
  std::istringstream list(blob);
  list >> current_;
  Segment segment;
  size_t files = 0;
  while (list >> segment.since >> segment.records >> files) {
    segment.files.assign(files, {});
    for (std::string& name : segment.files) list >> name;
    segments_.push_back(segment);
  }
  Restoring restoring{.table = table, .load = load, .relieve = relieve, .elsewhere = elsewhere};
  for (auto one = segments_.rbegin(); one != segments_.rend(); ++one) {
    const size_t gone_before = erased_.size();
    for (const std::string& name : one->files) {
      LEAT_ASSIGN(const auto file, reader->GetFile(name));
      LEAT_RETURN(Read(*one, *file, &restoring));
    }
    // What is gone in a segment is so for those before it.
    for (size_t i = gone_before; i < erased_.size(); ++i) restoring.gone.insert(erased_[i].key);
  }
  return Status::OK();
}

Status GroupLog::Read(const Segment& segment, std::string_view file, Restoring* restoring) {
  if (!file.starts_with(kMagic)) return BadFile();
  file.remove_prefix(kMagic.size());
  while (!file.empty()) {
    RecordHead head;
    if (file.size() < sizeof(head)) return BadFile();
    std::memcpy(&head, file.data(), sizeof(head));
    file.remove_prefix(sizeof(head));
    const size_t state_size = head.state_size == kGone ? 0 : head.state_size;
    if (file.size() < head.key_size + state_size) return BadFile();
    const std::string_view key = file.substr(0, head.key_size);
    const std::string_view state = file.substr(head.key_size, state_size);
    file.remove_prefix(head.key_size + state_size);
    if (head.state_size == kGone) {
      erased_.push_back({std::string(key), segment.since});
      continue;
    }
    if (!restoring->gone.empty() && restoring->gone.contains(std::string(key))) continue;
    if (restoring->table->Find(key) != GroupTable::kNone) continue;
    restoring->keys.Append(key);
    restoring->states.Append(state);
    if (restoring->keys.size() == kLoadedTogether) LEAT_RETURN(LoadPart(segment, restoring));
  }
  return LoadPart(segment, restoring);
}

Status GroupLog::LoadPart(const Segment& segment, Restoring* restoring) {
  Strings& keys = restoring->keys;
  LEAT_ASSIGN(const std::vector<uint8_t> elsewhere, restoring->elsewhere(keys));
  for (int64_t i = 0; i < keys.size(); ++i) {
    if (!elsewhere.empty() && elsewhere[static_cast<size_t>(i)] != 0) continue;
    const uint32_t group = restoring->table->FindOrInsert(keys[i]);
    changed_.Resize(restoring->table->capacity());
    changed_[group] = segment.since;
    LEAT_RETURN(restoring->load(group, restoring->states[i]));
  }
  keys.Clear();
  restoring->states.Clear();
  return restoring->relieve();
}

}  // namespace leat
