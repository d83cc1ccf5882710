#include "state/store.h"

#include <xxhash.h>

#include <charconv>
#include <cstring>

#include "base/check.h"

namespace leat {
namespace {

constexpr char kManifestMagic[] = "leatman";
constexpr char kManifestVersion = '2';
constexpr char kFileMagic[8] = {'l', 'e', 'a', 't', 'f', 'i', 'l', '1'};

// At the end of each file of PutFile, so that the content begins where its mapping does.
struct Trailer {
  char magic[8];
  uint64_t size;      // of the content
  uint64_t checksum;  // xxh3 of the content
};

void PutNumber(uint64_t number, std::string* out) {
  out->append(reinterpret_cast<const char*>(&number), sizeof(number));
}
void PutText(std::string_view text, std::string* out) {
  PutNumber(text.size(), out);
  out->append(text);
}

// Reads what PutNumber and PutText wrote; `ok` turns false where there is too little.
struct Parser {
  std::string_view left;
  bool ok = true;

  uint64_t Number() {
    uint64_t number = 0;
    if (left.size() < sizeof(number)) {
      ok = false;
      return 0;
    }
    std::memcpy(&number, left.data(), sizeof(number));
    left.remove_prefix(sizeof(number));
    return number;
  }
  std::string Text() {
    const uint64_t size = Number();
    if (size > left.size()) {
      ok = false;
      return {};
    }
    std::string text(left.substr(0, size));
    left.remove_prefix(size);
    return text;
  }
};

std::string Encode(const StateManifest& manifest) {
  std::string out(kManifestMagic);
  out += kManifestVersion;
  PutNumber(manifest.files_made, &out);
  PutText(manifest.extra, &out);
  PutNumber(manifest.files.size(), &out);
  for (const std::string& file : manifest.files) PutText(file, &out);
  PutNumber(manifest.blobs.size(), &out);
  for (const auto& [id, blobs] : manifest.blobs) {
    PutText(id, &out);
    PutNumber(blobs.size(), &out);
    for (const auto& [name, bytes] : blobs) {
      PutText(name, &out);
      PutText(bytes, &out);
    }
  }
  PutNumber(XXH3_64bits(out.data(), out.size()), &out);
  return out;
}

// A manifest of another version says which, and what to do, before anything else of it is believed.
Status CheckVersion(const std::string& path, std::string_view bytes) {
  const std::string_view magic(kManifestMagic);
  if (bytes.size() <= magic.size() || !bytes.starts_with(magic)) {
    return DamagedState(path, "is cut off or no manifest");
  }
  const char version = bytes[magic.size()];
  if (version == kManifestVersion) return Status::OK();
  const bool newer = version > kManifestVersion;
  return IOErrorF(
      "the state's manifest \"{}\" has format {}, and this leat reads format {}: {}; or `leat run "
      "--fresh` drops the state and the rows that leat wrote, and reads all again",
      path, version, kManifestVersion,
      newer ? "it was written by a newer leat, upgrade this one" : "run the leat that wrote it");
}

Result<StateManifest> Decode(const std::string& path, std::string_view bytes) {
  LEAT_RETURN(CheckVersion(path, bytes));
  const size_t magic_size = sizeof(kManifestMagic);
  if (bytes.size() < magic_size + sizeof(uint64_t)) return DamagedState(path, "is cut off");
  Parser checksum{bytes.substr(bytes.size() - sizeof(uint64_t))};
  bytes.remove_suffix(sizeof(uint64_t));
  if (checksum.Number() != XXH3_64bits(bytes.data(), bytes.size())) {
    return DamagedState(path, "does not have the checksum with which it was written");
  }
  Parser parser{bytes.substr(magic_size)};
  StateManifest manifest;
  manifest.files_made = parser.Number();
  manifest.extra = parser.Text();
  for (uint64_t n = parser.Number(); parser.ok && n > 0; --n) manifest.files.insert(parser.Text());
  for (uint64_t n = parser.Number(); parser.ok && n > 0; --n) {
    auto& blobs = manifest.blobs[parser.Text()];
    for (uint64_t count = parser.Number(); parser.ok && count > 0; --count) {
      std::string name = parser.Text();
      blobs[std::move(name)] = parser.Text();
    }
  }
  if (!parser.ok || !parser.left.empty()) return DamagedState(path, "cannot be read");
  return manifest;
}

}  // namespace

Status DamagedState(const std::string& path, std::string_view what) {
  return IOErrorF(
      "the state is damaged: \"{}\" {}; put the state directory back from a copy, or `leat run "
      "--fresh` drops it and the rows that leat wrote, and reads all again",
      path, what);
}

// ---- files --------------------------------------------------------------------------------------

// The directory's files: which are there, which are in use, which the last checkpoint holds.
// Outlives the store while files are in use. Thread-safe.
class StateDirectoryFiles : public StateFiles,
                            public std::enable_shared_from_this<StateDirectoryFiles> {
 public:
  StateDirectoryFiles(FileSystem* files, std::string directory, bool read_only)
      : files_(files), directory_(std::move(directory)), read_only_(read_only) {}

  std::string PathOf(std::string_view name) const { return directory_ + "/" + std::string(name); }
  Status Load();
  Status Clear();
  Result<std::unique_ptr<StateFileMaker>> NewFile() override { return MakeFile(NewName()); }
  std::string NewName() {
    const std::lock_guard lock(mutex_);
    return fmt::format("{:08}.state", ++files_made_);
  }
  Result<std::unique_ptr<StateFileMaker>> MakeFile(std::string name);
  Result<std::shared_ptr<const StateFile>> OpenFile(const std::string& name);
  Result<std::shared_ptr<const std::string_view>> ReadWhole(std::string_view name);

  bool committed() const {
    const std::lock_guard lock(mutex_);
    return committed_;
  }
  StateManifest last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  // Whether a checkpoint may keep it.
  bool has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return last_.files.contains(name) || known_.contains(name);
  }
  // The files of the checkpoint that is being made stay, from when they are named until another is
  // begun.
  void BeginCheckpoint() {
    const std::lock_guard lock(mutex_);
    pending_.clear();
  }
  void Hold(const std::string& name) {
    const std::lock_guard lock(mutex_);
    pending_.insert(name);
  }
  Status SyncAll(const std::set<std::string>& names);
  Status Commit(StateManifest manifest);
  // What a checkpoint that came to nothing was to write: the next one may keep it.
  void KeepUnwritten(std::vector<std::pair<std::string, std::shared_ptr<StateContent>>> contents) {
    const std::lock_guard lock(mutex_);
    for (auto& [name, content] : contents) unwritten_[name] = std::move(content);
  }
  std::shared_ptr<StateContent> TakeUnwritten(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = unwritten_.find(name);
    return found == unwritten_.end() ? nullptr : found->second;
  }
  // No reader is left.
  void Forget(const std::string& name);
  void FinishedWriting(const std::string& name) {
    const std::lock_guard lock(mutex_);
    known_[name].being_written = false;
  }

 private:
  friend class DirectoryMaker;
  struct Known {
    bool being_written = false;
    int64_t readers = 0;
    bool synced = false;
  };
  Status RemoveUnneeded();
  bool Needed(const std::string& name) const {
    if (last_.files.contains(name) || pending_.contains(name)) return true;
    const auto known = known_.find(name);
    return known != known_.end() && (known->second.being_written || known->second.readers > 0);
  }

  FileSystem* const files_;
  const std::string directory_;
  const bool read_only_;
  mutable std::mutex mutex_;  // guards all below
  uint64_t files_made_ = 0;
  bool committed_ = false;
  StateManifest last_;
  std::set<std::string> pending_;
  std::map<std::string, std::shared_ptr<StateContent>> unwritten_;
  std::map<std::string, Known> known_;  // beyond the last checkpoint's, and those that are read
};

namespace {

class DirectoryFile : public StateFile {
 public:
  DirectoryFile(std::shared_ptr<StateDirectoryFiles> owner, std::string name,
                std::unique_ptr<ReadFile> file)
      : owner_(std::move(owner)), name_(std::move(name)), file_(std::move(file)) {}
  ~DirectoryFile() override {
    file_ = nullptr;
    owner_->Forget(name_);
  }
  const std::string& name() const override { return name_; }
  std::string path() const override { return owner_->PathOf(name_); }
  int64_t size() const override { return file_->size(); }
  Status ReadAt(int64_t offset, int64_t size, char* out) const override {
    const Status status = file_->ReadAt(offset, size, out);
    return status.ok() ? status : DamagedState(path(), "cannot be read: " + status.message());
  }

 private:
  const std::shared_ptr<StateDirectoryFiles> owner_;
  const std::string name_;
  std::unique_ptr<ReadFile> file_;
};

// What PutFile keeps until it is written.
class BytesContent : public StateContent {
 public:
  explicit BytesContent(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::shared_ptr<const StateFile>> Write(std::unique_ptr<StateFileMaker> to) override {
    Trailer trailer = {.size = bytes_.size(),
                       .checksum = XXH3_64bits(bytes_.data(), bytes_.size())};
    std::memcpy(trailer.magic, kFileMagic, sizeof(kFileMagic));
    LEAT_RETURN(to->Append(bytes_));
    LEAT_RETURN(to->Append({reinterpret_cast<const char*>(&trailer), sizeof(trailer)}));
    return to->Finish();
  }

 private:
  const std::string bytes_;
};

}  // namespace

class DirectoryMaker : public StateFileMaker {
 public:
  DirectoryMaker(std::shared_ptr<StateDirectoryFiles> owner, std::string name,
                 std::unique_ptr<AppendFile> file)
      : owner_(std::move(owner)), name_(std::move(name)), file_(std::move(file)) {}
  ~DirectoryMaker() override {
    if (!file_) return;
    file_ = nullptr;
    owner_->FinishedWriting(name_);
    owner_->Forget(name_);
  }
  Status Append(std::string_view bytes) override { return file_->Append(bytes); }
  Result<std::shared_ptr<const StateFile>> Finish() override {
    file_ = nullptr;
    auto opened = owner_->OpenFile(name_);
    owner_->FinishedWriting(name_);
    if (!opened.ok()) owner_->Forget(name_);
    return opened;
  }

 private:
  const std::shared_ptr<StateDirectoryFiles> owner_;
  const std::string name_;
  std::unique_ptr<AppendFile> file_;  // null when finished
};

Status StateDirectoryFiles::Load() {
  if (!read_only_) LEAT_RETURN(files_->CreateDirectories(directory_));
  const std::string path = PathOf("manifest");
  // The manifest that is seen may be of a process that was killed before it had synced the name: it
  // must not turn into the one before once its files, or a sink's rows, depend on it.
  if (!read_only_) LEAT_RETURN(files_->SyncDirectory(directory_));
  const std::lock_guard lock(mutex_);
  if (files_->Exists(path)) {
    LEAT_ASSIGN(const auto file, files_->Read(path));
    LEAT_ASSIGN(last_, Decode(path, file->bytes()));
    committed_ = true;
    files_made_ = last_.files_made;
  }
  for (const std::string& name : last_.files) {
    if (!files_->Exists(PathOf(name))) return DamagedState(PathOf(name), "is missing");
  }
  return read_only_ ? Status::OK() : RemoveUnneeded();
}

Status StateDirectoryFiles::Clear() {
  const std::lock_guard lock(mutex_);
  LEAT_RETURN(files_->Remove(PathOf("manifest")));
  LEAT_RETURN(files_->SyncDirectory(directory_));
  committed_ = false;
  last_ = {};
  pending_.clear();
  unwritten_.clear();
  return RemoveUnneeded();
}

// Everything here is ours but for the manifest and its temporary name. Numbers of files that a
// crash left go up, so that no name is used twice.
Status StateDirectoryFiles::RemoveUnneeded() {
  LEAT_ASSIGN(const auto names, files_->List(directory_));
  for (const std::string& name : names) {
    if (!name.ends_with(".state") || Needed(name)) continue;
    known_.erase(name);
    LEAT_RETURN(files_->Remove(PathOf(name)));
  }
  return Status::OK();
}

Result<std::unique_ptr<StateFileMaker>> StateDirectoryFiles::MakeFile(std::string name) {
  {
    const std::lock_guard lock(mutex_);
    known_[name] = {.being_written = true};
  }
  // Of a checkpoint that was never committed; we write at the end.
  LEAT_RETURN(files_->Remove(PathOf(name)));
  LEAT_ASSIGN(auto file, files_->OpenAppend(PathOf(name)));
  return std::make_unique<DirectoryMaker>(shared_from_this(), std::move(name), std::move(file));
}

Result<std::shared_ptr<const StateFile>> StateDirectoryFiles::OpenFile(const std::string& name) {
  if (!files_->Exists(PathOf(name))) return DamagedState(PathOf(name), "is missing");
  LEAT_ASSIGN(auto file, files_->OpenRead(PathOf(name)));
  {
    const std::lock_guard lock(mutex_);
    known_[name].readers += 1;
  }
  return std::make_shared<DirectoryFile>(shared_from_this(), name, std::move(file));
}

void StateDirectoryFiles::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.readers > 0) known->second.readers -= 1;
  if (read_only_ || Needed(name)) return;
  if (known != known_.end()) known_.erase(known);
  // A file that stays behind costs room until the next commit removes it.
  static_cast<void>(files_->Remove(PathOf(name)));
}

Status StateDirectoryFiles::SyncAll(const std::set<std::string>& names) {
  for (const std::string& name : names) {
    {
      const std::lock_guard lock(mutex_);
      const auto known = known_.find(name);
      if (last_.files.contains(name) || (known != known_.end() && known->second.synced)) continue;
    }
    LEAT_ASSIGN(const auto file, files_->OpenAppend(PathOf(name)));
    LEAT_RETURN(file->Sync());
    const std::lock_guard lock(mutex_);
    known_[name].synced = true;
  }
  return Status::OK();
}

Status StateDirectoryFiles::Commit(StateManifest manifest) {
  {
    const std::lock_guard lock(mutex_);
    manifest.files_made = files_made_;
  }
  LEAT_RETURN(files_->SyncDirectory(directory_));
  LEAT_RETURN(WriteFileAtomically(files_, PathOf("manifest"), Encode(manifest)));
  const std::lock_guard lock(mutex_);
  last_ = std::move(manifest);
  committed_ = true;
  pending_.clear();
  unwritten_.clear();
  return RemoveUnneeded();
}

Result<std::shared_ptr<const std::string_view>> StateDirectoryFiles::ReadWhole(
    std::string_view name) {
  const std::string path = PathOf(name);
  if (!files_->Exists(path)) return DamagedState(path, "is missing");
  LEAT_ASSIGN(auto file, files_->Read(path));
  const std::string_view bytes = file->bytes();
  Trailer trailer;
  if (bytes.size() < sizeof(trailer)) return DamagedState(path, "is cut off");
  const std::string_view content = bytes.substr(0, bytes.size() - sizeof(trailer));
  std::memcpy(&trailer, bytes.data() + content.size(), sizeof(trailer));
  if (std::memcmp(trailer.magic, kFileMagic, sizeof(kFileMagic)) != 0 ||
      trailer.size != content.size()) {
    return DamagedState(path, "is cut off or of another version");
  }
  if (XXH3_64bits(content.data(), content.size()) != trailer.checksum) {
    return DamagedState(path, "does not have the checksum with which it was written");
  }
  struct Held {
    std::unique_ptr<FileBytes> file;
    std::string_view content;
  };
  auto held = std::make_shared<Held>(Held{std::move(file), content});
  return std::shared_ptr<const std::string_view>(held, &held->content);
}

// ---- checkpoints --------------------------------------------------------------------------------

PendingCheckpoint::~PendingCheckpoint() { files_->KeepUnwritten(std::move(contents_)); }

// What has been written is no longer in the list; its readers keep it until the commit.
Status PendingCheckpoint::Write() {
  for (; !contents_.empty(); contents_.pop_back()) {
    const auto& [name, content] = contents_.back();
    LEAT_ASSIGN(auto maker, files_->MakeFile(name));
    LEAT_ASSIGN(auto file, content->Write(std::move(maker)));
    written_.push_back(std::move(file));
  }
  return files_->SyncAll(manifest_.files);
}

Status PendingCheckpoint::Publish() {
  LEAT_CHECK(contents_.empty(), "a checkpoint is published before it is written");
  return files_->Commit(std::move(manifest_));
}

class DirectoryWriter : public StateWriter {
 public:
  DirectoryWriter(StateStore* store, std::string id) : store_(store), id_(std::move(id)) {
    store_->next_->manifest_.blobs[id_];
  }
  Status PutBlob(std::string_view name, std::string bytes) override {
    auto& blobs = store_->next_->manifest_.blobs[id_];
    LEAT_CHECK(blobs.emplace(std::string(name), std::move(bytes)).second,
               "blob \"{}\" of \"{}\" is written twice", name, id_);
    return Status::OK();
  }
  Result<std::string> PutFile(std::string_view bytes) override {
    return PutContent(std::make_shared<BytesContent>(std::string(bytes)));
  }
  Result<std::string> PutContent(std::shared_ptr<StateContent> content) override {
    std::string name = store_->files_->NewName();
    store_->files_->Hold(name);
    store_->next_->manifest_.files.insert(name);
    store_->next_->contents_.emplace_back(name, std::move(content));
    return name;
  }
  Status KeepFile(std::string_view file) override {
    std::string name(file);
    if (auto content = store_->files_->TakeUnwritten(name)) {
      store_->next_->contents_.emplace_back(name, std::move(content));
    } else {
      LEAT_CHECK(store_->files_->has(name), "file \"{}\" was removed before", name);
    }
    store_->files_->Hold(name);
    store_->next_->manifest_.files.insert(std::move(name));
    return Status::OK();
  }

 private:
  StateStore* store_;
  const std::string id_;
};

namespace {

class DirectoryReader : public StateReader {
 public:
  DirectoryReader(std::shared_ptr<StateDirectoryFiles> files, std::string id)
      : files_(std::move(files)), manifest_(files_->last()), id_(std::move(id)) {}
  Result<std::string> GetBlob(std::string_view name) override {
    const auto blobs = manifest_.blobs.find(id_);
    if (blobs == manifest_.blobs.end()) {
      return Status::KeyError("the checkpoint has no operator \"", id_, "\"");
    }
    const auto found = blobs->second.find(std::string(name));
    if (found == blobs->second.end()) {
      return Status::KeyError("the checkpoint of \"", id_, "\" has no \"", name, "\"");
    }
    return found->second;
  }
  Result<std::shared_ptr<const std::string_view>> GetFile(std::string_view file) override {
    return files_->ReadWhole(file);
  }
  Result<std::shared_ptr<const StateFile>> OpenFile(std::string_view file) override {
    return files_->OpenFile(std::string(file));
  }

 private:
  const std::shared_ptr<StateDirectoryFiles> files_;
  const StateManifest manifest_;
  const std::string id_;
};

}  // namespace

StateStore::~StateStore() = default;

Result<std::unique_ptr<StateStore>> StateStore::Open(FileSystem* files, std::string directory,
                                                     bool read_only) {
  std::unique_ptr<StateStore> store(new StateStore());
  store->files_ = std::make_shared<StateDirectoryFiles>(files, std::move(directory), read_only);
  LEAT_RETURN(store->files_->Load());
  return store;
}

Status StateStore::Clear() {
  Begin();
  return files_->Clear();
}

bool StateStore::has_checkpoint() const { return files_->committed(); }

std::string StateStore::extra() const { return files_->last().extra; }

std::vector<std::string> StateStore::operators() const {
  std::vector<std::string> ids;
  for (const auto& [id, blobs] : files_->last().blobs) ids.push_back(id);
  return ids;
}

void StateStore::Begin() {
  files_->BeginCheckpoint();
  next_.reset(new PendingCheckpoint(files_));
}

std::unique_ptr<StateWriter> StateStore::Writer(std::string id) {
  if (!next_) Begin();
  return std::make_unique<DirectoryWriter>(this, std::move(id));
}

std::unique_ptr<PendingCheckpoint> StateStore::Prepare(std::string extra) {
  if (!next_) Begin();
  next_->manifest_.extra = std::move(extra);
  return std::move(next_);
}

std::unique_ptr<StateReader> StateStore::Reader(std::string id) {
  return std::make_unique<DirectoryReader>(files_, std::move(id));
}

StateFiles* StateStore::files() { return files_.get(); }

}  // namespace leat
