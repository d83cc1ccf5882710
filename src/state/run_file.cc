#include "state/run_file.h"

#include <xxhash.h>

#include <atomic>
#include <cstring>

#include "base/check.h"

namespace leat {
namespace {

constexpr size_t kBlockBytes = 4000;  // from here on a block is full: a page, mostly
constexpr size_t kWriteBytes = 256 << 10;
constexpr int64_t kReadAheadBytes = 128 << 10;

struct BlockHead {
  uint64_t checksum;  // of all that follows it
  uint64_t key_bytes, value_bytes;
  uint32_t keys, entries;
  uint8_t key_width, value_width, first_width, single, unit;
  uint8_t unused[3];
};

constexpr char kMagic[8] = {'l', 'e', 'a', 't', 'r', 'u', 'n', 'f'};
constexpr uint32_t kVersion = 1;

struct Foot {
  uint64_t keys, entries, key_bytes, value_bytes;
  uint64_t filter_place, filter_size, filter_checksum;
  uint64_t directory_place, directory_size, directory_checksum;
  uint32_t unit, unused;
  char magic[8];
  uint32_t version;  // these three have their place in every version
  uint32_t foot_size;
  uint64_t checksum;  // of the foot before it
};

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

uint64_t Checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

uint64_t Padded(uint64_t size) { return (size + RunView::kAlign - 1) & ~(RunView::kAlign - 1); }

int WidthOf(uint64_t most) { return most <= UINT16_MAX ? 2 : most <= UINT32_MAX ? 4 : 8; }

template <typename T>
void AppendAll(const std::vector<uint64_t>& numbers, std::string* out) {
  for (const uint64_t number : numbers) out->append(BytesOf(static_cast<T>(number)));
}

void AppendNumbers(const std::vector<uint64_t>& numbers, int width, std::string* out) {
  if (width == 2) return AppendAll<uint16_t>(numbers, out);
  if (width == 4) return AppendAll<uint32_t>(numbers, out);
  AppendAll<uint64_t>(numbers, out);
}

uint64_t NextId() {
  static std::atomic<uint64_t> next = 1;
  return next.fetch_add(1, std::memory_order_relaxed) << 32;
}

Result<Foot> ReadFoot(const StateFile& file) {
  Foot foot;
  const int64_t place = file.size() - static_cast<int64_t>(sizeof(foot));
  if (place < 0) return DamagedState(file.path(), "is cut off");
  LEAT_RETURN(file.ReadAt(place, sizeof(foot), reinterpret_cast<char*>(&foot)));
  if (std::memcmp(foot.magic, kMagic, sizeof(kMagic)) != 0) {
    return DamagedState(file.path(), "is cut off or no run of a trace");
  }
  if (foot.version > kVersion) {
    return IOErrorF(
        "the state file \"{}\" has format {}, and this leat reads formats up to {}: it was written "
        "by a newer version, upgrade this one; or `leat run --fresh` drops the state and the rows "
        "that leat wrote, and reads all again",
        file.path(), foot.version, kVersion);
  }
  const std::string_view checked = BytesOf(foot).substr(0, sizeof(foot) - sizeof(foot.checksum));
  if (foot.foot_size != sizeof(foot) || foot.checksum != Checksum(checked) ||
      foot.filter_place + foot.filter_size > static_cast<uint64_t>(place) ||
      foot.directory_place + foot.directory_size > static_cast<uint64_t>(place)) {
    return DamagedState(file.path(), "does not have the checksum with which it was written");
  }
  return foot;
}

Result<std::string> ReadPart(const StateFile& file, uint64_t place, uint64_t size,
                             uint64_t checksum) {
  std::string bytes(size, '\0');
  LEAT_RETURN(file.ReadAt(static_cast<int64_t>(place), static_cast<int64_t>(size), bytes.data()));
  if (Checksum(bytes) != checksum) {
    return DamagedState(file.path(), "does not have the checksum with which it was written");
  }
  return bytes;
}

}  // namespace

Result<std::shared_ptr<const RunFile>> RunFile::Open(std::shared_ptr<const StateFile> file,
                                                     std::shared_ptr<BlockCache> cache) {
  LEAT_ASSIGN(const Foot foot, ReadFoot(*file));
  std::shared_ptr<RunFile> run(new RunFile());
  run->file_ = std::move(file);
  run->cache_ = std::move(cache);
  run->id_ = NextId();
  run->shape_ = {.keys = foot.keys,
                 .entries = foot.entries,
                 .key_bytes = foot.key_bytes,
                 .value_bytes = foot.value_bytes,
                 .unit = foot.unit != 0};
  LEAT_ASSIGN(std::string filter,
              ReadPart(*run->file_, foot.filter_place, foot.filter_size, foot.filter_checksum));
  run->filter_ = KeyFilter(std::move(filter));
  LEAT_ASSIGN(const std::string directory, ReadPart(*run->file_, foot.directory_place,
                                                    foot.directory_size, foot.directory_checksum));
  LEAT_RETURN(run->ReadDirectory(directory));
  return run;
}

// For each block its place, the size of its first key, the key; then where the last block ends.
Status RunFile::ReadDirectory(std::string_view bytes) {
  const auto damaged = [&] { return DamagedState(file_->path(), "has a broken directory"); };
  while (bytes.size() > sizeof(uint64_t)) {
    uint64_t head[2];
    if (bytes.size() < sizeof(head)) return damaged();
    std::memcpy(head, bytes.data(), sizeof(head));
    bytes.remove_prefix(sizeof(head));
    if (head[1] > bytes.size()) return damaged();
    places_.push_back(head[0]);
    first_keys_.Append(bytes.substr(0, head[1]));
    bytes.remove_prefix(head[1]);
  }
  uint64_t end = 0;
  if (bytes.size() != sizeof(end)) return damaged();
  std::memcpy(&end, bytes.data(), sizeof(end));
  places_.push_back(end);
  return Status::OK();
}

int64_t RunFile::memory() const {
  return static_cast<int64_t>(sizeof(RunFile) + filter_.bytes().size() +
                              first_keys_.bytes.capacity() +
                              (first_keys_.offsets.capacity() + places_.capacity()) * 8);
}

int64_t RunFile::BlockOf(std::string_view key) const {
  int64_t low = 0, high = blocks();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (first_key(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low < blocks() && first_key(low) == key && !continued(low)) return low;
  return low == 0 ? 0 : low - 1;
}

Result<RunView> RunFile::Parse(std::string_view bytes) const {
  BlockHead head;
  const auto damaged = [&] {
    return DamagedState(file_->path(),
                        "has a block without the checksum with which it was written");
  };
  if (bytes.size() < sizeof(head)) return damaged();
  std::memcpy(&head, bytes.data(), sizeof(head));
  if (head.checksum != Checksum(bytes.substr(sizeof(head.checksum)))) return damaged();
  RunShape shape{.keys = head.keys,
                 .entries = head.entries,
                 .key_bytes = head.key_bytes,
                 .value_bytes = head.value_bytes,
                 .key_width = head.key_width,
                 .value_width = head.value_width,
                 .first_width = head.first_width,
                 .single = head.single != 0,
                 .unit = head.unit != 0};
  uint64_t sizes[RunView::kSections];
  RunView::SectionSizes(shape, sizes);
  const char* sections[RunView::kSections];
  uint64_t at = sizeof(head);
  for (int i = 0; i < RunView::kSections; ++i) {
    sections[i] = bytes.data() + at;
    at += Padded(sizes[i]);
  }
  if (at > bytes.size()) return damaged();
  return RunView(shape, sections);
}

Result<std::shared_ptr<const Block>> RunFile::Read(int64_t number) const {
  const uint64_t key = id_ | static_cast<uint64_t>(number);
  if (auto cached = cache_->Get(key)) return cached;
  auto block = std::make_shared<Block>();
  const int64_t place = Place(number);
  block->size = Place(number + 1) - place;
  block->bytes = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(block->size));
  LEAT_RETURN(file_->ReadAt(place, block->size, block->bytes.get()));
  LEAT_ASSIGN(block->run, Parse({block->bytes.get(), static_cast<size_t>(block->size)}));
  cache_->Put(key, block);
  return block;
}

Result<bool> RunFileReader::Next(RunView* block) {
  if (block_ == run_->blocks()) return false;
  if (block_ == ahead_end_) {
    ahead_place_ = run_->Place(block_);
    do {
      ++ahead_end_;
    } while (ahead_end_ < run_->blocks() &&
             run_->Place(ahead_end_ + 1) - ahead_place_ <= kReadAheadBytes);
    const int64_t size = run_->Place(ahead_end_) - ahead_place_;
    buffer_.resize(static_cast<size_t>(size));
    LEAT_RETURN(run_->file_->ReadAt(ahead_place_, size, buffer_.data()));
  }
  const int64_t begin = run_->Place(block_), end = run_->Place(block_ + 1);
  LEAT_ASSIGN(*block,
              run_->Parse(std::string_view(buffer_).substr(
                  static_cast<size_t>(begin - ahead_place_), static_cast<size_t>(end - begin))));
  ++block_;
  return true;
}

RunFileBuilder::RunFileBuilder(std::unique_ptr<StateFileMaker> maker, uint64_t keys)
    : maker_(std::move(maker)), run_(new RunFile()) {
  run_->filter_ = KeyFilter(keys);
  run_->shape_.unit = true;
}

void RunFileBuilder::AppendKey(std::string_view key, uint64_t hash) {
  key_.assign(key);
  key_open_ = false;
  run_->filter_.Add(hash);
  run_->shape_.keys += 1;
  run_->shape_.key_bytes += key.size();
}

size_t RunFileBuilder::BlockBytes() const {
  return sizeof(BlockHead) + keys_.bytes.size() + values_.bytes.size() +
         2 * (keys_.offsets.size() + values_.offsets.size()) +
         (weighted_ ? weights_.size() * 8 : 0);
}

void RunFileBuilder::AppendValue(std::string_view value, int64_t weight) {
  if (BlockBytes() >= kBlockBytes) {
    FlushBlock();
    continues_ = key_open_;
    key_open_ = false;
  }
  if (!key_open_) OpenKey();
  values_.Append(value);
  weights_.push_back(weight - 1);
  weighted_ = weighted_ || weight != 1;
  run_->shape_.entries += 1;
  run_->shape_.value_bytes += value.size();
}

void RunFileBuilder::OpenKey() {
  if (keys_.size() == 0) {
    run_->places_.push_back((written_ + out_.size()) | (continues_ ? RunFile::kContinued : 0));
    run_->first_keys_.Append(key_);
    continues_ = false;
  }
  firsts_.push_back(static_cast<uint64_t>(values_.size()));
  keys_.Append(key_);
  key_open_ = true;
}

void RunFileBuilder::FlushBlock() {
  firsts_.push_back(static_cast<uint64_t>(values_.size()));
  BlockHead head{.checksum = 0,
                 .key_bytes = keys_.bytes.size(),
                 .value_bytes = values_.bytes.size(),
                 .keys = static_cast<uint32_t>(keys_.size()),
                 .entries = static_cast<uint32_t>(values_.size()),
                 .key_width = static_cast<uint8_t>(WidthOf(keys_.bytes.size())),
                 .value_width = static_cast<uint8_t>(WidthOf(values_.bytes.size())),
                 .first_width = static_cast<uint8_t>(WidthOf(firsts_.back())),
                 .single = keys_.size() == values_.size(),
                 .unit = !weighted_};
  run_->shape_.unit = run_->shape_.unit && !weighted_;
  const size_t begin = out_.size();
  out_.append(BytesOf(head));
  const auto pad = [&] { out_.append(Padded(out_.size() - begin) - (out_.size() - begin), '\0'); };
  if (weighted_) {
    out_.append(reinterpret_cast<const char*>(weights_.data()), weights_.size() * sizeof(int64_t));
  }
  AppendNumbers(keys_.offsets, head.key_width, &out_);
  pad();
  if (head.single == 0) AppendNumbers(firsts_, head.first_width, &out_);
  pad();
  AppendNumbers(values_.offsets, head.value_width, &out_);
  pad();
  out_.append(keys_.bytes);
  pad();
  out_.append(values_.bytes);
  pad();
  head.checksum = Checksum(std::string_view(out_).substr(begin + sizeof(head.checksum)));
  std::memcpy(out_.data() + begin, &head.checksum, sizeof(head.checksum));
  keys_.Clear();
  values_.Clear();
  firsts_.clear();
  weights_.clear();
  weighted_ = false;
  Write(kWriteBytes);
}

void RunFileBuilder::Write(size_t least) {
  if (out_.size() < least) return;
  if (status_.ok()) status_ = maker_->Append(out_);
  written_ += out_.size();
  out_.clear();
}

std::string RunFileBuilder::Directory() const {
  std::string bytes;
  for (int64_t block = 0; block < run_->blocks(); ++block) {
    const std::string_view key = run_->first_key(block);
    bytes.append(BytesOf(run_->places_[static_cast<size_t>(block)]));
    bytes.append(BytesOf(uint64_t{key.size()}));
    bytes.append(key);
  }
  bytes.append(BytesOf(run_->places_.back()));
  return bytes;
}

Result<std::shared_ptr<const RunFile>> RunFileBuilder::Finish(std::shared_ptr<BlockCache> cache) {
  if (values_.size() > 0) FlushBlock();
  run_->places_.push_back(written_ + out_.size());
  const std::string_view filter = run_->filter_.bytes();
  const std::string directory = Directory();
  Foot foot = {.keys = run_->shape_.keys,
               .entries = run_->shape_.entries,
               .key_bytes = run_->shape_.key_bytes,
               .value_bytes = run_->shape_.value_bytes,
               .filter_place = written_ + out_.size(),
               .filter_size = filter.size(),
               .filter_checksum = Checksum(filter),
               .directory_size = directory.size(),
               .directory_checksum = Checksum(directory),
               .unit = run_->shape_.unit ? 1u : 0u,
               .version = kVersion,
               .foot_size = sizeof(Foot)};
  foot.directory_place = foot.filter_place + foot.filter_size;
  std::memcpy(foot.magic, kMagic, sizeof(kMagic));
  foot.checksum = Checksum(BytesOf(foot).substr(0, sizeof(foot) - sizeof(foot.checksum)));
  Write(0);
  for (const std::string_view part : {filter, std::string_view(directory), BytesOf(foot)}) {
    if (status_.ok()) status_ = maker_->Append(part);
  }
  LEAT_RETURN(status_);
  LEAT_ASSIGN(run_->file_, maker_->Finish());
  run_->cache_ = std::move(cache);
  run_->id_ = NextId();
  return std::shared_ptr<const RunFile>(std::move(run_));
}

}  // namespace leat
