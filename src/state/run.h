// A sorted immutable run of a trace in memory: keys, each with its values and weights. Lookups by
// whole key go through a hash table of the run (one cache miss where the key is absent, so it is
// the filter too); ranges go by binary search. Runs in files are made of small ones (run_file.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "state/pages.h"

namespace leat {

// The hash by which all runs find keys. Stored in files: changing it changes the format's version.
uint64_t HashKey(std::string_view key);

// Offsets of 2, 4 or 8 bytes each.
class Offsets {
 public:
  Offsets() = default;
  Offsets(const char* data, int width) : data_(data), width_(width) {}
  uint64_t operator[](int64_t i) const {
    if (width_ == 4) return reinterpret_cast<const uint32_t*>(data_)[i];
    if (width_ == 2) return reinterpret_cast<const uint16_t*>(data_)[i];
    return reinterpret_cast<const uint64_t*>(data_)[i];
  }

 private:
  const char* data_ = nullptr;
  int width_ = 4;
};

// What a run is made of.
struct RunShape {
  uint64_t keys = 0;
  uint64_t entries = 0;
  uint64_t key_bytes = 0;
  uint64_t value_bytes = 0;
  uint64_t slots = 0;       // of the hash table; 0: there is none, keys are few
  uint32_t index_bits = 0;  // of a slot: the key's number plus one; above them, bits of the hash
  int key_width = 4;        // of the offsets into the key bytes
  int value_width = 4;
  int first_width = 4;
  bool single = false;  // one value a key: no list of first entries
  bool unit = false;    // all weights are 1: none stored
};

// A run that lies somewhere.
class RunView {
 public:
  // Sections of a run. In a block of a file they follow each other in this order, each but the last
  // filled up to kAlign bytes; empty ones are left out.
  static constexpr int kWeights = 0, kKeyOffsets = 1, kFirsts = 2, kValueOffsets = 3, kSlots = 4,
                       kKeys = 5, kValues = 6, kSections = 7;
  static constexpr uint64_t kAlign = 8;

  RunView() = default;
  RunView(const RunShape& shape, const char* const (&sections)[kSections]);

  const RunShape& shape() const { return shape_; }
  int64_t keys() const { return static_cast<int64_t>(shape_.keys); }
  int64_t entries() const { return static_cast<int64_t>(shape_.entries); }
  int64_t bytes() const;  // of the sections

  std::string_view key(int64_t k) const { return Slice(keys_, key_offsets_, k); }
  // The entries of key k are [first(k), first(k + 1)).
  int64_t first(int64_t k) const { return shape_.single ? k : static_cast<int64_t>(firsts_[k]); }
  std::string_view value(int64_t entry) const { return Slice(values_, value_offsets_, entry); }
  // Stored less one, so that untouched memory means 1.
  int64_t weight(int64_t entry) const { return weights_ == nullptr ? 1 : weights_[entry] + 1; }

  void Prefetch(uint64_t hash) const { __builtin_prefetch(slots_ + Home(hash)); }
  // The number of the key, or -1.
  int64_t Find(std::string_view key, uint64_t hash) const;
  // The first key that is not less.
  int64_t LowerBound(std::string_view key) const;
  // The bytes that each section has in use.
  static void SectionSizes(const RunShape& shape, uint64_t (&sizes)[kSections]);

 private:
  friend class RunBuilder;
  static std::string_view Slice(const char* bytes, const Offsets& offsets, int64_t i) {
    const uint64_t begin = offsets[i];
    return {bytes + begin, offsets[i + 1] - begin};
  }
  uint64_t Home(uint64_t hash) const {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(hash) * shape_.slots) >> 64);
  }

  RunShape shape_;
  Offsets key_offsets_, value_offsets_, firsts_;
  const int64_t* weights_ = nullptr;
  const uint32_t* slots_ = nullptr;
  const char* keys_ = nullptr;
  const char* values_ = nullptr;
};

// A run in memory of its own. Immutable, so that several threads may read it.
class SortedRun : public RunView {
 public:
  // Gives back about `bytes` of memory and says how many; 0 when none is left. Nothing but this and
  // the destructor may be called after it.
  size_t Release(size_t bytes);

 private:
  friend class RunBuilder;
  Pages pages_[kSections];
};

// Makes a run from entries in ascending order of (key, value).
class RunBuilder {
 public:
  struct Bounds {
    uint64_t keys = 0, entries = 0, key_bytes = 0, value_bytes = 0;
  };
  // Takes memory for at most `bounds`, none of it touched yet.
  explicit RunBuilder(const Bounds& bounds);
  // REQUIRES: greater than the key before; at least one AppendValue follows.
  void AppendKey(std::string_view key, uint64_t hash);
  // REQUIRES: greater than the value before it of the same key; weight != 0.
  void AppendValue(std::string_view value, int64_t weight);
  std::unique_ptr<SortedRun> Finish();
  // Bytes that the run has come to by now.
  int64_t bytes() const { return run_->bytes(); }

 private:
  // Keys enter the hash table this many keys after they came, when their slot is in the cache.
  static constexpr uint64_t kDelay = 32;
  void InsertSlot(uint64_t key);

  uint64_t delayed_[kDelay];  // hashes, by number of the key
  Bounds bounds_;
  std::unique_ptr<SortedRun> run_;
  bool weighted_ = false;
};

}  // namespace leat
