#include "state/view.h"

#include <algorithm>

namespace leat {
namespace {

constexpr int64_t kProbeBlock = 256;

}  // namespace

Status IndexView::FindHits(const Strings& keys, int64_t begin, int64_t end, Hits* hits) const {
  uint64_t hashes[kProbeBlock];
  for (int64_t i = begin; i < end; ++i) hashes[i - begin] = HashKey(keys[i]);
  hits->first.assign(static_cast<size_t>(end - begin), -1);
  hits->hits.clear();
  hits->blocks.clear();
  for (const AnyRun& any : runs_) {
    if (!any.memory) {
      for (int64_t i = begin; i < end; ++i) any.file->Prefetch(hashes[i - begin]);
      for (int64_t i = begin; i < end; ++i) {
        if (!any.file->MayHave(hashes[i - begin])) continue;
        LEAT_RETURN(FindInFile(any, keys[i], hashes[i - begin],
                               &hits->first[static_cast<size_t>(i - begin)], hits));
      }
      continue;
    }
    const SortedRun& run = *any.memory;
    for (int64_t i = begin; i < end; ++i) run.Prefetch(hashes[i - begin]);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t key = run.Find(keys[i], hashes[i - begin]);
      if (key < 0) continue;
      int32_t& head = hits->first[static_cast<size_t>(i - begin)];
      hits->hits.push_back({&any, &run, {0, key}, false, head});
      head = static_cast<int32_t>(hits->hits.size()) - 1;
    }
  }
  return Status::OK();
}

Status IndexView::FindInFile(const AnyRun& any, std::string_view key, uint64_t hash, int32_t* first,
                             Hits* hits) {
  const int64_t number = any.file->BlockOf(key);
  LEAT_ASSIGN(auto block, any.file->Read(number));
  int64_t at = block->run.Find(key, hash);
  if (at < 0) return Status::OK();
  const bool goes_on = at == block->run.keys() - 1 && number + 1 < any.file->blocks() &&
                       any.file->continued(number + 1);
  hits->hits.push_back({&any, &block->run, {number, at}, goes_on, *first});
  hits->blocks.push_back(std::move(block));
  *first = static_cast<int32_t>(hits->hits.size()) - 1;
  return Status::OK();
}

SumCursor IndexView::SumOf(const Hits& hits, int32_t first) {
  std::vector<RunCursor> cursors;
  for (int32_t at = first; at >= 0; at = hits.hits[static_cast<size_t>(at)].next) {
    const Hit& hit = hits.hits[static_cast<size_t>(at)];
    RunPlace end{hit.place.block, hit.place.key + 1};
    if (hit.goes_on) {
      const std::string_view key = hit.run->key(hit.place.key);
      const RunFile& file = *hit.any->file;
      while (end.block + 1 < file.blocks() && file.first_key(end.block + 1) == key) ++end.block;
      end.key = 1;
    }
    cursors.emplace_back(*hit.any, hit.place, end, false);
  }
  return SumCursor(std::move(cursors), false);
}

template <bool first_only>
Status IndexView::MatchOne(const Hits& hits, int32_t first, int64_t i, const Match& match) {
  const Hit& hit = hits.hits[static_cast<size_t>(first)];
  if (hit.next < 0 && !hit.goes_on) {
    const int64_t end = hit.run->first(hit.place.key + 1);
    for (int64_t entry = hit.run->first(hit.place.key); entry < end; ++entry) {
      if (first_only && hit.run->weight(entry) <= 0) continue;
      LEAT_RETURN(match(i, hit.run->value(entry), hit.run->weight(entry)));
      if (first_only) break;
    }
    return Status::OK();
  }
  SumCursor sum = SumOf(hits, first);
  while (true) {
    LEAT_ASSIGN(const bool more, sum.Next());
    if (!more) return Status::OK();
    if (first_only && sum.weight() <= 0) continue;
    LEAT_RETURN(match(i, sum.value(), sum.weight()));
    if (first_only) return Status::OK();
  }
}

template <bool first_only>
Status IndexView::MatchAll(const Strings& keys, const Match& match) const {
  Hits hits;
  for (int64_t begin = 0; begin < keys.size(); begin += kProbeBlock) {
    const int64_t end = std::min(keys.size(), begin + kProbeBlock);
    LEAT_RETURN(FindHits(keys, begin, end, &hits));
    for (int64_t i = begin; i < end; ++i) {
      const int32_t head = hits.first[static_cast<size_t>(i - begin)];
      if (head >= 0) LEAT_RETURN(MatchOne<first_only>(hits, head, i, match));
    }
  }
  return Status::OK();
}

template Status IndexView::MatchAll<true>(const Strings& keys, const Match& match) const;
template Status IndexView::MatchAll<false>(const Strings& keys, const Match& match) const;

Result<std::vector<uint8_t>> IndexView::Contains(const Strings& keys) const {
  std::vector<uint8_t> contains(static_cast<size_t>(keys.size()), 0);
  Hits hits;
  for (int64_t begin = 0; begin < keys.size(); begin += kProbeBlock) {
    const int64_t end = std::min(keys.size(), begin + kProbeBlock);
    LEAT_RETURN(FindHits(keys, begin, end, &hits));
    for (int64_t i = begin; i < end; ++i) {
      const int32_t head = hits.first[static_cast<size_t>(i - begin)];
      if (head < 0) continue;
      // A key in one run alone has a value there: runs hold no zeros.
      bool any = hits.hits[static_cast<size_t>(head)].next < 0;
      if (!any) {
        LEAT_ASSIGN(any, SumOf(hits, head).Next());
      }
      contains[static_cast<size_t>(i)] = any ? 1 : 0;
    }
  }
  return contains;
}

Status IndexView::Scan(std::string_view begin, std::string_view end, bool backward,
                       const Visit& visit) const {
  std::vector<RunCursor> cursors;
  for (const AnyRun& run : runs_) {
    LEAT_ASSIGN(const RunPlace low, LowerBound(run, begin));
    RunPlace high = EndOf(run);
    if (low >= high) continue;
    // Most runs have nothing in a narrow range: one comparison spares the second search.
    if (run.memory && !end.empty() && run.memory->key(low.key) >= end) continue;
    if (!end.empty()) {
      LEAT_ASSIGN(high, LowerBound(run, end));
    }
    if (low < high) cursors.emplace_back(run, low, high, backward);
  }
  SumCursor sum(std::move(cursors), backward);
  while (true) {
    LEAT_ASSIGN(bool more, sum.Next());
    if (!more) return Status::OK();
    LEAT_ASSIGN(more, visit(sum.key(), sum.value(), sum.weight()));
    if (!more) return Status::OK();
  }
}

}  // namespace leat
