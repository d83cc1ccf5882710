// A trace: a Z-set of (key, value) byte strings indexed by key. Sorted immutable runs, merged a
// little at every Apply (fuel in proportion to the delta, as in differential dataflow's "fueled"
// spine), so that no single epoch pays for a large merge. Where the process's memory is limited
// (state/memory.h) the greater runs live in files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/strings.h"
#include "state/view.h"

namespace leat {

class StateWriter;  // state/store.h
class StateReader;

struct IndexStats {
  int64_t entries = 0;     // before merging away what cancels
  int64_t bytes = 0;       // of memory
  int64_t held = 0;        // of the runs, each counted once, wherever it lies
  int64_t file_bytes = 0;  // of runs that are in files, be they in memory too
  int64_t runs = 0;
};

// Takes part in the memory of the scope in which it was made. Not thread-safe, but for what
// Snapshot gives. After a failed call only the destructor may follow.
class Index {
 public:
  using Match = IndexView::Match;
  using Visit = IndexView::Visit;
  virtual ~Index() = default;

  // Adds weights[i] to (keys[i], values[i]); any order, repeats allowed, zeros ignored.
  virtual Status Apply(const Strings& keys, const Strings& values,
                       const std::vector<int64_t>& weights) = 0;

  // Adds all that `other` holds. Its runs become this one's as they are. REQUIRES: `other` was
  // never in a checkpoint, and takes part in the same memory.
  virtual void Absorb(std::unique_ptr<Index> other) = 0;

  // What the trace holds now, for any thread and for as long as it is kept.
  virtual std::shared_ptr<const IndexView> Snapshot() const = 0;

  // As IndexView's.
  Status Probe(const Strings& keys, const Match& match) const {
    return Snapshot()->Probe(keys, match);
  }
  Status First(const Strings& keys, const Match& match) const {
    return Snapshot()->First(keys, match);
  }
  Result<std::vector<uint8_t>> Contains(const Strings& keys) const {
    return Snapshot()->Contains(keys);
  }
  Status Scan(std::string_view begin, std::string_view end, bool backward,
              const Visit& visit) const {
    return Snapshot()->Scan(begin, end, backward, visit);
  }

  virtual IndexStats stats() const = 0;

  // Hands over what is new since the last checkpoint and the list of live runs; the bytes are made
  // when the checkpoint is written (state/store.h). Restore is its inverse on an empty index: it
  // opens the runs, and reads them when they are asked for.
  virtual Status Checkpoint(StateWriter* writer) = 0;
  virtual Status Restore(StateReader* reader) = 0;
};

std::unique_ptr<Index> MakeIndex();

}  // namespace leat
