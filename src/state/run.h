// A sorted immutable run of a trace: keys, each with its values and weights. Lookups by whole key
// go through a hash table of the run (one cache miss where the key is absent, so it is the filter
// too); ranges go by binary search. The same bytes in memory and in a file.
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

// Offsets of 4 or of 8 bytes each.
class Offsets {
 public:
  Offsets() = default;
  Offsets(const char* data, bool wide) : data_(data), wide_(wide) {}
  uint64_t operator[](int64_t i) const {
    return wide_ ? reinterpret_cast<const uint64_t*>(data_)[i]
                 : reinterpret_cast<const uint32_t*>(data_)[i];
  }

 private:
  const char* data_ = nullptr;
  bool wide_ = false;
};

// What a run is made of; also the head of its file.
struct RunShape {
  uint64_t keys = 0;
  uint64_t entries = 0;
  uint64_t key_bytes = 0;
  uint64_t value_bytes = 0;
  uint64_t slots = 0;       // of the hash table
  uint32_t index_bits = 0;  // of a slot: the key's number plus one; above them, bits of the hash
  uint8_t wide_keys = 0;    // offsets into the key bytes have 8 bytes
  uint8_t wide_values = 0;
  uint8_t single = 0;  // one value a key: no list of first entries
  uint8_t unit = 0;    // all weights are 1: none stored
};

class Run {
 public:
  int64_t keys() const { return static_cast<int64_t>(shape_.keys); }
  int64_t entries() const { return static_cast<int64_t>(shape_.entries); }
  int64_t bytes() const;  // of memory
  uint64_t key_bytes() const { return shape_.key_bytes; }
  uint64_t value_bytes() const { return shape_.value_bytes; }

  std::string_view key(int64_t k) const { return Slice(keys_, key_offsets_, k); }
  // The entries of key k are [first(k), first(k + 1)).
  int64_t first(int64_t k) const {
    return firsts_ == nullptr ? k : static_cast<int64_t>(firsts_[k]);
  }
  std::string_view value(int64_t entry) const { return Slice(values_, value_offsets_, entry); }
  // Stored less one, so that untouched memory means 1.
  int64_t weight(int64_t entry) const { return weights_ == nullptr ? 1 : weights_[entry] + 1; }

  void Prefetch(uint64_t hash) const { __builtin_prefetch(slots_ + Home(hash)); }
  // The number of the key, or -1.
  int64_t Find(std::string_view key, uint64_t hash) const;
  // The first key that is not less.
  int64_t LowerBound(std::string_view key) const;

  // The file's content, piece by piece; the views last as long as the run. `head` holds what is
  // not in the run's memory and must live as long as the pieces are used.
  std::vector<std::string_view> Pieces(std::string* head) const;
  // The run in a file's bytes, which `file` keeps alive.
  static Result<std::unique_ptr<Run>> FromFile(std::shared_ptr<const std::string_view> file);

  // Gives back about `bytes` of memory and says how many; 0 when none is left. Nothing but this and
  // the destructor may be called after it.
  size_t Release(size_t bytes);

 private:
  friend class RunBuilder;
  static constexpr int kSections = 7;
  static std::string_view Slice(const char* bytes, const Offsets& offsets, int64_t i) {
    const uint64_t begin = offsets[i];
    return {bytes + begin, offsets[i + 1] - begin};
  }
  uint64_t Home(uint64_t hash) const {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(hash) * shape_.slots) >> 64);
  }
  // Points the members at the sections, in the file's order.
  void Point(const char* const (&sections)[kSections]);
  // The bytes that each section has in use.
  static void SectionSizes(const RunShape& shape, uint64_t (&sizes)[kSections]);

  RunShape shape_;
  Offsets key_offsets_, value_offsets_;
  const uint32_t* firsts_ = nullptr;
  const int64_t* weights_ = nullptr;
  const uint32_t* slots_ = nullptr;
  const char* keys_ = nullptr;
  const char* values_ = nullptr;
  Pages pages_[kSections];                        // of a run made here
  std::shared_ptr<const std::string_view> file_;  // of a run from a file
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
  std::unique_ptr<Run> Finish();

 private:
  // Keys enter the hash table this many keys after they came, when their slot is in the cache.
  static constexpr uint64_t kDelay = 32;
  void InsertSlot(uint64_t key);

  uint64_t delayed_[kDelay];  // hashes, by number of the key
  Bounds bounds_;
  std::unique_ptr<Run> run_;
  bool weighted_ = false;
};

}  // namespace leat
