// The spine: runs of sizes that grow by doubling, summed two by two. Addition commutes, so any two
// runs of like size may be summed, and a sum in progress is not seen until it is whole.
#include "state/index.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <numeric>

#include "base/check.h"
#include "state/cursor.h"
#include "state/merge.h"
#include "state/run.h"
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
constexpr int64_t kProbeBlock = 256;

struct Entry {
  std::unique_ptr<Run> run;
  std::string file;  // of the last checkpoint; empty: not written yet
  bool merging = false;
};

struct ActiveMerge {
  Entry* a;
  Entry* b;
  std::unique_ptr<Merge> merge;
};

int Level(const Run& run) { return std::bit_width(static_cast<uint64_t>(run.entries())); }

class Spine : public Index {
 public:
  Status Apply(const Strings& keys, const Strings& values,
               const std::vector<int64_t>& weights) override;
  Status Probe(const Strings& keys, const Match& match) const override {
    return MatchAll<false>(keys, match);
  }
  Status First(const Strings& keys, const Match& match) const override {
    return MatchAll<true>(keys, match);
  }
  std::vector<uint8_t> Contains(const Strings& keys) const override;
  Status Scan(std::string_view begin, std::string_view end, bool backward,
              const Visit& visit) const override;
  IndexStats stats() const override;
  Status Checkpoint(StateWriter* writer) override;
  Status Restore(StateReader* reader) override;

 private:
  // A run that has the key, and which key it is there.
  struct Hit {
    const Run* run;
    int64_t key;
    int64_t next;  // the next hit of the same probed key; -1 none
  };
  // Looks for keys [begin, end) in every run; first[i - begin] is the first hit of key i.
  void FindHits(const Strings& keys, int64_t begin, int64_t end, std::vector<int64_t>* first,
                std::vector<Hit>* hits) const;
  // `first_only`: the first value whose weight is positive, not all of them.
  template <bool first_only>
  static Status MatchOne(const std::vector<Hit>& hits, int64_t first, int64_t i,
                         const Match& match);
  template <bool first_only>
  Status MatchAll(const Strings& keys, const Match& match) const;

  void Add(std::unique_ptr<Run> run);
  void Replace(const ActiveMerge& done);
  void StepMerges(int64_t fuel);
  void StartMerges();
  void ReleaseRetired(int64_t bytes);

  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<ActiveMerge> merges_;
  std::deque<std::unique_ptr<Run>> retired_;
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
std::unique_ptr<Run> MakeRun(const Strings& keys, const Strings& values,
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
  if (keys.size() == 0) return Status::OK();
  if (auto run = MakeRun(keys, values, weights)) Add(std::move(run));
  StepMerges(std::max(kFuelMin, kFuelPerEntry * keys.size()));
  StartMerges();
  ReleaseRetired(std::max(kReleaseBytes, kReleaseBytesPerEntry * keys.size()));
  return Status::OK();
}

void Spine::Add(std::unique_ptr<Run> run) {
  auto entry = std::make_unique<Entry>();
  entry->run = std::move(run);
  entries_.push_back(std::move(entry));
}

void Spine::Replace(const ActiveMerge& done) {
  std::unique_ptr<Run> sum = done.merge->Take();
  for (Entry* old : {done.a, done.b}) {
    retired_.push_back(std::move(old->run));
    std::erase_if(entries_, [&](const auto& entry) { return entry.get() == old; });
  }
  if (sum->entries() > 0) Add(std::move(sum));
}

void Spine::StepMerges(int64_t fuel) {
  for (size_t i = 0; i < merges_.size();) {
    if (!merges_[i].merge->Step(fuel)) {
      ++i;
      continue;
    }
    Replace(merges_[i]);
    merges_.erase(merges_.begin() + static_cast<ptrdiff_t>(i));
  }
}

void Spine::StartMerges() {
  for (bool again = true; again;) {
    again = false;
    Entry* waiting[65] = {};
    for (const auto& entry : entries_) {
      if (entry->merging) continue;
      Entry*& other = waiting[Level(*entry->run)];
      const int64_t size = entry->run->entries() + (other ? other->run->entries() : 0);
      if (other == nullptr || size >= UINT32_MAX) {
        other = entry.get();
        continue;
      }
      ActiveMerge merge{other, entry.get(), std::make_unique<Merge>(*other->run, *entry->run)};
      if (size <= kEagerMax) {
        merge.merge->Step(INT64_MAX);
        Replace(merge);
        again = true;
        break;  // entries_ changed
      }
      other->merging = entry->merging = true;
      other = nullptr;
      merges_.push_back(std::move(merge));
    }
  }
}

void Spine::ReleaseRetired(int64_t bytes) {
  for (auto left = static_cast<size_t>(bytes); !retired_.empty();) {
    const size_t released = retired_.front()->Release(left);
    if (released >= left) return;
    left -= released;
    if (released == 0) retired_.pop_front();
  }
}

void Spine::FindHits(const Strings& keys, int64_t begin, int64_t end, std::vector<int64_t>* first,
                     std::vector<Hit>* hits) const {
  uint64_t hashes[kProbeBlock];
  for (int64_t i = begin; i < end; ++i) hashes[i - begin] = HashKey(keys[i]);
  first->assign(static_cast<size_t>(end - begin), -1);
  hits->clear();
  for (const auto& entry : entries_) {
    const Run& run = *entry->run;
    for (int64_t i = begin; i < end; ++i) run.Prefetch(hashes[i - begin]);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t key = run.Find(keys[i], hashes[i - begin]);
      if (key < 0) continue;
      int64_t& head = (*first)[static_cast<size_t>(i - begin)];
      hits->push_back({&run, key, head});
      head = static_cast<int64_t>(hits->size()) - 1;
    }
  }
}

template <bool first_only>
Status Spine::MatchOne(const std::vector<Hit>& hits, int64_t first, int64_t i, const Match& match) {
  const Hit& hit = hits[static_cast<size_t>(first)];
  if (hit.next < 0) {
    const int64_t end = hit.run->first(hit.key + 1);
    for (int64_t entry = hit.run->first(hit.key); entry < end; ++entry) {
      if (first_only && hit.run->weight(entry) <= 0) continue;
      LEAT_RETURN(match(i, hit.run->value(entry), hit.run->weight(entry)));
      if (first_only) break;
    }
    return Status::OK();
  }
  std::vector<RunCursor> cursors;
  for (int64_t at = first; at >= 0; at = hits[static_cast<size_t>(at)].next) {
    const Hit& one = hits[static_cast<size_t>(at)];
    cursors.emplace_back(*one.run, one.key, one.key + 1, false);
  }
  SumCursor sum(std::move(cursors), false);
  while (sum.Next()) {
    if (first_only && sum.weight() <= 0) continue;
    LEAT_RETURN(match(i, sum.value(), sum.weight()));
    if (first_only) break;
  }
  return Status::OK();
}

template <bool first_only>
Status Spine::MatchAll(const Strings& keys, const Match& match) const {
  std::vector<int64_t> first;
  std::vector<Hit> hits;
  for (int64_t begin = 0; begin < keys.size(); begin += kProbeBlock) {
    const int64_t end = std::min(keys.size(), begin + kProbeBlock);
    FindHits(keys, begin, end, &first, &hits);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = first[static_cast<size_t>(i - begin)];
      if (head >= 0) LEAT_RETURN(MatchOne<first_only>(hits, head, i, match));
    }
  }
  return Status::OK();
}

std::vector<uint8_t> Spine::Contains(const Strings& keys) const {
  std::vector<uint8_t> contains(static_cast<size_t>(keys.size()), 0);
  std::vector<int64_t> first;
  std::vector<Hit> hits;
  for (int64_t begin = 0; begin < keys.size(); begin += kProbeBlock) {
    const int64_t end = std::min(keys.size(), begin + kProbeBlock);
    FindHits(keys, begin, end, &first, &hits);
    for (int64_t i = begin; i < end; ++i) {
      std::vector<RunCursor> cursors;
      for (int64_t at = first[static_cast<size_t>(i - begin)]; at >= 0;
           at = hits[static_cast<size_t>(at)].next) {
        const Hit& hit = hits[static_cast<size_t>(at)];
        cursors.emplace_back(*hit.run, hit.key, hit.key + 1, false);
      }
      // A key in one run alone has a value there: runs hold no zeros.
      contains[static_cast<size_t>(i)] =
          cursors.size() == 1 || (!cursors.empty() && SumCursor(std::move(cursors), false).Next());
    }
  }
  return contains;
}

Status Spine::Scan(std::string_view begin, std::string_view end, bool backward,
                   const Visit& visit) const {
  std::vector<RunCursor> cursors;
  for (const auto& entry : entries_) {
    const Run& run = *entry->run;
    const int64_t low = run.LowerBound(begin);
    // Most runs have nothing in a narrow range: one comparison spares the second search.
    if (low == run.keys() || (!end.empty() && run.key(low) >= end)) continue;
    cursors.emplace_back(run, low, end.empty() ? run.keys() : run.LowerBound(end), backward);
  }
  SumCursor sum(std::move(cursors), backward);
  while (sum.Next()) {
    LEAT_ASSIGN(const bool more, visit(sum.key(), sum.value(), sum.weight()));
    if (!more) break;
  }
  return Status::OK();
}

IndexStats Spine::stats() const {
  IndexStats stats;
  for (const auto& entry : entries_) {
    stats.entries += entry->run->entries();
    stats.bytes += entry->run->bytes();
    stats.runs += 1;
  }
  return stats;
}

// Sums in progress are not written: they begin anew after a restart.
Status Spine::Checkpoint(StateWriter* writer) {
  std::string list;
  for (const auto& entry : entries_) {
    if (entry->file.empty()) {
      std::string head;
      LEAT_ASSIGN(entry->file, writer->PutFilePieces(entry->run->Pieces(&head)));
    } else {
      LEAT_RETURN(writer->KeepFile(entry->file));
    }
    list += entry->file + "\n";
  }
  return writer->PutBlob("runs", std::move(list));
}

Status Spine::Restore(StateReader* reader) {
  LEAT_CHECK(entries_.empty(), "Restore on an index that holds something");
  LEAT_ASSIGN(const std::string list, reader->GetBlob("runs"));
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find('\n', at), list.size());
    std::string name = list.substr(at, end - at);
    at = end + 1;
    LEAT_ASSIGN(auto file, reader->GetFile(name));
    LEAT_ASSIGN(auto run, Run::FromFile(std::move(file)));
    Add(std::move(run));
    entries_.back()->file = std::move(name);
  }
  return Status::OK();
}

}  // namespace

std::unique_ptr<Index> MakeIndex() { return std::make_unique<Spine>(); }

}  // namespace leat
