// The spine: runs of sizes that grow by doubling, summed two by two. Addition commutes, so any two
// runs of like size may be summed, and a sum in progress is not seen until it is whole. Near the
// memory's limit the greatest run in memory is copied to a file, as one more such sum, and sums of
// some size are made in files: moving state out costs each step a little, and one step never much.
#include "state/index.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <mutex>

#include "base/check.h"
#include "state/memory.h"
#include "state/merge.h"
#include "state/sort.h"
#include "state/store.h"

namespace leat {
namespace {

// Sums of fewer entries are made at once: the tail of a small epoch.
constexpr int64_t kEagerMax = 4096;
// Entries that each sum in progress takes per entry that arrives. Two runs of a level hold at most
// four times what must arrive before the next two wait there, and half as much on average; two is
// where they do not pile up.
constexpr int64_t kFuelPerEntry = 2;
constexpr int64_t kFuelMin = 128;
// Memory of replaced runs that an Apply gives back, at least.
constexpr int64_t kReleaseBytes = 1 << 20;
constexpr int64_t kReleaseBytesPerEntry = 256;
// Entries that each run on its way to a file moves per entry that arrives, and at least: faster
// than what comes in, so that the limit is not met.
constexpr int64_t kSpillFuelPerEntry = 8;
constexpr int64_t kSpillFuelMin = 4096;
// A run of more than this part of the limit is made in a file whatever else is free.
constexpr int64_t kRunPartMax = 16;

// A run in memory on its way to a checkpoint's file.
class RunContent : public StateContent {
 public:
  RunContent(std::shared_ptr<SortedRun> run, std::shared_ptr<BlockCache> cache)
      : run_(std::move(run)), cache_(std::move(cache)) {}

  Result<std::shared_ptr<const StateFile>> Write(std::unique_ptr<StateFileMaker> to) override {
    const AnyRun run{.memory = run_, .file = nullptr};
    Merge copy(run, nullptr, std::move(to));
    LEAT_RETURN(copy.Step(INT64_MAX).status());
    LEAT_ASSIGN(const AnyRun copied, copy.Take(cache_));
    const std::lock_guard lock(mutex_);
    file_ = copied.file;
    return file_->file();
  }
  // Null before it was written.
  std::shared_ptr<const RunFile> file() const {
    const std::lock_guard lock(mutex_);
    return file_;
  }

 private:
  const std::shared_ptr<SortedRun> run_;
  const std::shared_ptr<BlockCache> cache_;
  mutable std::mutex mutex_;
  std::shared_ptr<const RunFile> file_;
};

struct Entry {
  AnyRun run;
  std::shared_ptr<RunContent> saved;  // while only a checkpoint has it in a file
  bool merging = false;
};

struct ActiveMerge {
  Entry* a;
  Entry* b;  // null: a run is copied to a file
  std::unique_ptr<Merge> merge;
  // Its end gives memory back: worth to be hurried on. What only rewrites files can wait.
  bool frees_memory() const { return a->run.memory || (b != nullptr && b->run.memory); }
};

int Level(const AnyRun& run) { return std::bit_width(static_cast<uint64_t>(run.entries())); }

class Spine : public Index {
 public:
  Spine() : memory_(StateMemory::Current()), account_(memory_) {}
  Status Apply(const Strings& keys, const Strings& values,
               const std::vector<int64_t>& weights) override;
  void Absorb(std::unique_ptr<Index> other) override;
  std::shared_ptr<const IndexView> Snapshot() const override { return view_; }
  IndexStats stats() const override;
  Status Checkpoint(StateWriter* writer) override;
  Status Restore(StateReader* reader) override;

 private:
  using Pressure = StateMemory::Pressure;
  void Add(AnyRun run);
  Status Replace(const ActiveMerge& done);
  Status StepMerges(int64_t rows);
  Status StartMerges();
  Status Start(Entry* a, Entry* b);
  bool InFile(int64_t bytes) const;
  Status MergeSmall();
  Status GiveBack();
  // Begins to move the greatest run in memory to a file; false if there is none that is free.
  Result<bool> StartSpill();
  int64_t MemoryBytes() const;
  void ReleaseRetired(int64_t bytes);
  // Makes the view what the runs are now.
  void Refresh();

  StateMemory* const memory_;
  MemoryAccount account_;
  Pressure pressure_ = Pressure::kNone;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<ActiveMerge> merges_;
  std::deque<std::shared_ptr<SortedRun>> retired_;
  std::shared_ptr<const IndexView> view_ = std::make_shared<const IndexView>();
};

// Appends the pairs in order, those of the same key and value as one.
void AppendSorted(const Strings& keys, const Strings& values, const std::vector<int64_t>& weights,
                  RunBuilder* builder) {
  const std::vector<uint32_t> order = SortedOrder(keys, values);
  std::string_view key;
  bool any = false;
  for (size_t i = 0; i < order.size();) {
    const std::string_view this_key = keys[order[i]], value = values[order[i]];
    int64_t weight = 0;
    for (; i < order.size() && keys[order[i]] == this_key && values[order[i]] == value; ++i) {
      weight += weights[order[i]];
    }
    if (weight == 0) continue;
    if (!any || this_key != key) builder->AppendKey(this_key, HashKey(this_key));
    key = this_key;
    any = true;
    builder->AppendValue(value, weight);
  }
}

// The run of a delta; null if all of it cancels.
std::unique_ptr<SortedRun> MakeRun(const Strings& keys, const Strings& values,
                                   const std::vector<int64_t>& weights) {
  const auto rows = static_cast<uint64_t>(keys.size());
  RunBuilder builder({rows, rows, keys.bytes.size(), values.bytes.size()});
  std::vector<Pairs> parts = SplitByKey(keys, values, weights);
  if (parts.empty()) AppendSorted(keys, values, weights, &builder);
  for (Pairs& part : parts) {
    AppendSorted(part.keys, part.values, part.weights, &builder);
    part = {};
  }
  auto run = builder.Finish();
  return run->entries() > 0 ? std::move(run) : nullptr;
}

Status Spine::Apply(const Strings& keys, const Strings& values,
                    const std::vector<int64_t>& weights) {
  LEAT_CHECK(keys.size() == values.size() && keys.size() == static_cast<int64_t>(weights.size()),
             "{} keys, {} values, {} weights", keys.size(), values.size(), weights.size());
  if (keys.size() == 0 && !account_.asked()) return Status::OK();
  if (auto run = MakeRun(keys, values, weights)) Add({.memory = std::move(run), .file = nullptr});
  LEAT_RETURN(StepMerges(keys.size()));
  LEAT_RETURN(StartMerges());
  LEAT_RETURN(GiveBack());
  Refresh();
  ReleaseRetired(std::max(kReleaseBytes, kReleaseBytesPerEntry * keys.size()));
  return Status::OK();
}

void Spine::Add(AnyRun run) {
  auto entry = std::make_unique<Entry>();
  entry->run = std::move(run);
  entries_.push_back(std::move(entry));
}

// Sums in progress of the other begin anew here: what they sum is there still.
void Spine::Absorb(std::unique_ptr<Index> other) {
  auto& spine = static_cast<Spine&>(*other);
  spine.merges_.clear();
  for (auto& entry : spine.entries_) {
    entry->merging = false;
    entries_.push_back(std::move(entry));
  }
  spine.entries_.clear();
  for (auto& run : spine.retired_) retired_.push_back(std::move(run));
  spine.retired_.clear();
  spine.account_.Set(0);
  account_.Set(MemoryBytes());
  Refresh();
}

void Spine::Refresh() {
  std::vector<AnyRun> runs;
  runs.reserve(entries_.size());
  for (const auto& entry : entries_) runs.push_back(entry->run);
  view_ = std::make_shared<const IndexView>(std::move(runs));
}

Status Spine::Replace(const ActiveMerge& done) {
  LEAT_ASSIGN(AnyRun sum, done.merge->Take(memory_->cache()));
  for (Entry* old : {done.a, done.b}) {
    if (old == nullptr) continue;
    if (old->run.memory) retired_.push_back(std::move(old->run.memory));
    std::erase_if(entries_, [&](const auto& entry) { return entry.get() == old; });
  }
  if (sum.memory || sum.file) Add(std::move(sum));
  return Status::OK();
}

Status Spine::StepMerges(int64_t rows) {
  const int64_t fuel = std::max(kFuelMin, kFuelPerEntry * rows);
  const int64_t spill_fuel = std::max(kSpillFuelMin, kSpillFuelPerEntry * rows);
  for (size_t i = 0; i < merges_.size();) {
    const bool hurries = pressure_ == Pressure::kHard && merges_[i].frees_memory();
    const int64_t of_this = hurries ? INT64_MAX : merges_[i].b == nullptr ? spill_fuel : fuel;
    LEAT_ASSIGN(const bool done, merges_[i].merge->Step(of_this));
    if (!done) {
      ++i;
      continue;
    }
    LEAT_RETURN(Replace(merges_[i]));
    merges_.erase(merges_.begin() + static_cast<ptrdiff_t>(i));
  }
  return Status::OK();
}

bool Spine::InFile(int64_t bytes) const {
  if (!memory_->limited() || bytes <= memory_->spill_bytes_min()) return false;
  return pressure_ != Pressure::kNone || bytes > memory_->limit() / kRunPartMax;
}

// Starts the sum of two runs, or the copy of one to a file.
Status Spine::Start(Entry* a, Entry* b) {
  const auto bytes_of = [](const RunShape& shape) {
    return static_cast<int64_t>(shape.key_bytes + shape.value_bytes + 12 * shape.entries);
  };
  const int64_t bytes = bytes_of(a->run.shape()) + (b ? bytes_of(b->run.shape()) : 0);
  std::unique_ptr<StateFileMaker> maker;
  if (b == nullptr || InFile(bytes)) {
    LEAT_ASSIGN(maker, memory_->files()->NewFile());
  }
  a->merging = true;
  if (b != nullptr) b->merging = true;
  merges_.push_back(
      {a, b, std::make_unique<Merge>(a->run, b ? &b->run : nullptr, std::move(maker))});
  return Status::OK();
}

Status Spine::StartMerges() {
  for (bool again = true; again;) {
    again = false;
    Entry* waiting[65] = {};
    for (const auto& entry : entries_) {
      if (entry->merging) continue;
      Entry*& other = waiting[Level(entry->run)];
      const int64_t size = entry->run.entries() + (other ? other->run.entries() : 0);
      if (other == nullptr || size >= UINT32_MAX) {
        other = entry.get();
        continue;
      }
      LEAT_RETURN(Start(other, entry.get()));
      other = nullptr;
      if (size > kEagerMax) continue;
      LEAT_RETURN(merges_.back().merge->Step(INT64_MAX).status());
      const ActiveMerge done = std::move(merges_.back());
      merges_.pop_back();
      LEAT_RETURN(Replace(done));
      again = true;
      break;  // entries_ changed
    }
  }
  return Status::OK();
}

Result<bool> Spine::StartSpill() {
  Entry* most = nullptr;
  for (const auto& entry : entries_) {
    if (entry->merging || !entry->run.memory) continue;
    if (!entry->run.file && entry->saved) entry->run.file = entry->saved->file();
    if (entry->run.file) {  // it has been written by now
      retired_.push_back(std::move(entry->run.memory));
      entry->run.memory = nullptr;
      return true;
    }
    if (most == nullptr || entry->run.memory->bytes() > most->run.memory->bytes()) {
      most = entry.get();
    }
  }
  if (most == nullptr) return false;
  LEAT_RETURN(Start(most, nullptr));
  return true;
}

Status Spine::GiveBack() {
  account_.Set(MemoryBytes());
  pressure_ = memory_->Check();
  if (pressure_ == Pressure::kNone) return Status::OK();
  const auto spilling = [&] {
    return std::any_of(merges_.begin(), merges_.end(),
                       [](const ActiveMerge& merge) { return merge.b == nullptr; });
  };
  if (pressure_ == Pressure::kSoft) {
    if (account_.asked() && !spilling()) LEAT_RETURN(StartSpill().status());
    account_.Answered();
    return Status::OK();
  }
  while (pressure_ == Pressure::kHard && account_.bytes() > memory_->spill_bytes_min()) {
    const bool frees = std::any_of(merges_.begin(), merges_.end(),
                                   [](const ActiveMerge& merge) { return merge.frees_memory(); });
    LEAT_ASSIGN(const bool started, StartSpill());
    if (!started && !frees) break;
    LEAT_RETURN(StepMerges(0));
    Refresh();  // lets go of what the old view held
    ReleaseRetired(INT64_MAX);
    account_.Set(MemoryBytes());
    pressure_ = memory_->Check();
  }
  account_.Answered();
  return Status::OK();
}

int64_t Spine::MemoryBytes() const {
  int64_t bytes = 0;
  for (const auto& entry : entries_) {
    if (entry->run.memory) bytes += entry->run.memory->bytes();
    if (entry->run.file) bytes += entry->run.file->memory();
  }
  for (const ActiveMerge& merge : merges_) bytes += merge.merge->memory();
  return bytes;
}

void Spine::ReleaseRetired(int64_t bytes) {
  for (auto left = static_cast<size_t>(bytes); !retired_.empty();) {
    size_t released = 0;
    // What a snapshot still reads is its last reader's to give back.
    if (retired_.front().use_count() == 1) {
      // Counting up and down once more sees all that the last reader did before it let go.
      std::shared_ptr<SortedRun>(retired_.front()).reset();
      released = retired_.front()->Release(left);
    }
    if (released >= left) return;
    left -= released;
    if (released == 0) retired_.pop_front();
  }
}

IndexStats Spine::stats() const {
  IndexStats stats;
  for (const auto& entry : entries_) {
    stats.entries += entry->run.entries();
    if (entry->run.file) stats.file_bytes += entry->run.file->file_bytes();
    stats.held += entry->run.memory ? entry->run.memory->bytes() : entry->run.file->file_bytes();
    stats.runs += 1;
  }
  stats.bytes = MemoryBytes();
  return stats;
}

// One file for all that came since the last checkpoint, if it is little.
Status Spine::MergeSmall() {
  while (true) {
    std::vector<Entry*> small;
    for (const auto& entry : entries_) {
      const bool fresh = !entry->merging && !entry->run.file && !entry->saved;
      if (fresh && entry->run.entries() <= kEagerMax) small.push_back(entry.get());
    }
    if (small.size() < 2) return Status::OK();
    ActiveMerge merge{small[0], small[1],
                      std::make_unique<Merge>(small[0]->run, &small[1]->run, nullptr)};
    LEAT_RETURN(merge.merge->Step(INT64_MAX).status());
    LEAT_RETURN(Replace(merge));
  }
}

// Sums in progress are not written: they begin anew after a restart.
Status Spine::Checkpoint(StateWriter* writer) {
  LEAT_RETURN(MergeSmall());
  Refresh();
  std::string list;
  for (const auto& entry : entries_) {
    AnyRun& run = entry->run;
    if (!run.file && entry->saved) run.file = entry->saved->file();
    if (run.file) {
      entry->saved = nullptr;
      LEAT_RETURN(writer->KeepFile(run.file->file()->name()));
      list += run.file->file()->name() + "\n";
      continue;
    }
    entry->saved = std::make_shared<RunContent>(run.memory, memory_->cache());
    LEAT_ASSIGN(const std::string name, writer->PutContent(entry->saved));
    list += name + "\n";
  }
  return writer->PutBlob("runs", std::move(list));
}

Status Spine::Restore(StateReader* reader) {
  LEAT_CHECK(entries_.empty(), "Restore on an index that holds something");
  LEAT_ASSIGN(const std::string list, reader->GetBlob("runs"));
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find('\n', at), list.size());
    LEAT_ASSIGN(auto file, reader->OpenFile(list.substr(at, end - at)));
    at = end + 1;
    AnyRun run;
    LEAT_ASSIGN(run.file, RunFile::Open(std::move(file), memory_->cache()));
    Add(std::move(run));
  }
  account_.Set(MemoryBytes());
  Refresh();
  return Status::OK();
}

}  // namespace

std::unique_ptr<Index> MakeIndex() { return std::make_unique<Spine>(); }

}  // namespace leat
