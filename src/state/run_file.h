// A sorted immutable run of a trace in a file: blocks of about a page, each a small run with its
// checksum, then a filter of the keys and a directory of the blocks' first keys. The last two are
// in memory while the run is open; blocks are read when asked for and kept in the cache. What is
// damaged is an error of the read that meets it.
//
//   block*  filter  directory  foot
//
// A key with many values goes on in the next block, where it stands again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/strings.h"
#include "state/block_cache.h"
#include "state/file.h"
#include "state/key_filter.h"
#include "state/run.h"

namespace leat {

// Thread-safe once it is made.
class RunFile {
 public:
  // Reads the filter and the directory.
  static Result<std::shared_ptr<const RunFile>> Open(std::shared_ptr<const StateFile> file,
                                                     std::shared_ptr<BlockCache> cache);

  const RunShape& shape() const { return shape_; }  // its widths mean nothing
  int64_t entries() const { return static_cast<int64_t>(shape_.entries); }
  int64_t memory() const;
  int64_t file_bytes() const { return file_->size(); }
  const std::shared_ptr<const StateFile>& file() const { return file_; }

  bool MayHave(uint64_t hash) const { return filter_.MayHave(hash); }
  void Prefetch(uint64_t hash) const { filter_.Prefetch(hash); }

  int64_t blocks() const { return first_keys_.size(); }
  std::string_view first_key(int64_t block) const { return first_keys_[block]; }
  // Whether the block's first key is the last one of the block before it.
  bool continued(int64_t block) const {
    return (places_[static_cast<size_t>(block)] & kContinued) != 0;
  }
  // Where the key stands first, if it is there: in no earlier block.
  int64_t BlockOf(std::string_view key) const;
  Result<std::shared_ptr<const Block>> Read(int64_t block) const;

 private:
  friend class RunFileBuilder;
  friend class RunFileReader;
  static constexpr uint64_t kContinued = uint64_t{1} << 63;
  RunFile() = default;
  int64_t Place(int64_t block) const {
    return static_cast<int64_t>(places_[static_cast<size_t>(block)] & ~kContinued);
  }
  Status ReadDirectory(std::string_view bytes);
  // The block in `bytes`, checked; null and the reason where it is damaged.
  Result<RunView> Parse(std::string_view bytes) const;

  std::shared_ptr<const StateFile> file_;
  std::shared_ptr<BlockCache> cache_;  // outlives who limits it: a snapshot may
  uint64_t id_ = 0;                    // in the cache
  RunShape shape_;
  KeyFilter filter_;
  Strings first_keys_;
  std::vector<uint64_t> places_;  // where blocks begin, and the last one ends; kContinued
};

// Reads the blocks of a run one after another, past the cache.
class RunFileReader {
 public:
  // REQUIRES: the run outlives the reader.
  explicit RunFileReader(const RunFile& run) : run_(&run) {}
  // The next block: its views last until the next call. False at the end.
  Result<bool> Next(RunView* block);
  // Whether the block that Next will give begins with the key that ended the last one.
  bool continues() const { return block_ < run_->blocks() && run_->continued(block_); }

 private:
  const RunFile* run_;
  int64_t block_ = 0;      // the next one
  int64_t ahead_end_ = 0;  // blocks before this one are in the buffer
  int64_t ahead_place_ = 0;
  std::string buffer_;
};

// Makes a run file from entries in ascending order of (key, value).
class RunFileBuilder {
 public:
  // For at most `keys` keys.
  RunFileBuilder(std::unique_ptr<StateFileMaker> maker, uint64_t keys);
  // As RunBuilder's; what fails shows in Finish, or in status() before.
  void AppendKey(std::string_view key, uint64_t hash);
  void AppendValue(std::string_view value, int64_t weight);
  const Status& status() const { return status_; }
  Result<std::shared_ptr<const RunFile>> Finish(std::shared_ptr<BlockCache> cache);
  uint64_t entries() const { return run_->shape_.entries; }
  int64_t memory() const { return run_->memory() + static_cast<int64_t>(out_.capacity()); }

 private:
  void OpenKey();
  void FlushBlock();
  void Write(size_t least);
  size_t BlockBytes() const;
  std::string Directory() const;

  std::unique_ptr<StateFileMaker> maker_;
  std::shared_ptr<RunFile> run_;
  Status status_;
  std::string out_;       // not yet written
  uint64_t written_ = 0;  // all that came before it

  std::string key_;        // the latest
  bool key_open_ = false;  // it stands in the block
  // The block being filled.
  Strings keys_, values_;
  std::vector<uint64_t> firsts_;
  std::vector<int64_t> weights_;
  bool weighted_ = false;
  bool continues_ = false;  // the block begins with the key that ended the one before
};

}  // namespace leat
