#include "state/store.h"

#include <xxhash.h>

#include <cstring>

#include "base/check.h"

namespace leat {
namespace {

constexpr char kManifestMagic[8] = {'l', 'e', 'a', 't', 'm', 'a', 'n', '1'};
constexpr char kFileMagic[8] = {'l', 'e', 'a', 't', 'f', 'i', 'l', '1'};

// At the end of each file, so that the content begins where its mapping does.
struct Trailer {
  char magic[8];
  uint64_t size;      // of the content
  uint64_t checksum;  // xxh3 of the content
};

Status Damaged(const std::string& path, std::string_view what) {
  return IOErrorF(
      "the state is damaged: \"{}\" {}; put the state directory back from a copy, or remove it and "
      "run again to compute it anew from the sources",
      path, what);
}

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

}  // namespace

Result<std::string> StateWriter::PutFilePieces(const std::vector<std::string_view>& pieces) {
  std::string whole;
  for (const std::string_view piece : pieces) whole += piece;
  return PutFile(whole);
}

class DirectoryWriter : public StateWriter {
 public:
  DirectoryWriter(StateStore* store, std::string id) : store_(store), id_(std::move(id)) {
    store_->next_.blobs[id_];
  }
  Status PutBlob(std::string_view name, std::string bytes) override {
    auto& blobs = store_->next_.blobs[id_];
    LEAT_CHECK(blobs.emplace(std::string(name), std::move(bytes)).second,
               "blob \"{}\" of \"{}\" is written twice", name, id_);
    return Status::OK();
  }
  Result<std::string> PutFile(std::string_view bytes) override { return PutFilePieces({bytes}); }
  Result<std::string> PutFilePieces(const std::vector<std::string_view>& pieces) override {
    return store_->WriteFile(pieces);
  }
  Status KeepFile(std::string_view file) override {
    std::string name(file);
    LEAT_CHECK(store_->present_.contains(name), "file \"{}\" was removed before", name);
    store_->next_.files.insert(std::move(name));
    return Status::OK();
  }

 private:
  StateStore* store_;
  const std::string id_;
};

class DirectoryReader : public StateReader {
 public:
  DirectoryReader(StateStore* store, std::string id) : store_(store), id_(std::move(id)) {}
  Result<std::string> GetBlob(std::string_view name) override {
    const auto blobs = store_->last_.blobs.find(id_);
    if (blobs == store_->last_.blobs.end()) {
      return Status::KeyError("the checkpoint has no operator \"", id_, "\"");
    }
    const auto found = blobs->second.find(std::string(name));
    if (found == blobs->second.end()) {
      return Status::KeyError("the checkpoint of \"", id_, "\" has no \"", name, "\"");
    }
    return found->second;
  }
  Result<std::shared_ptr<const std::string_view>> GetFile(std::string_view file) override {
    return store_->ReadFile(file);
  }

 private:
  StateStore* store_;
  const std::string id_;
};

Result<std::unique_ptr<StateStore>> StateStore::Open(FileSystem* files, std::string directory,
                                                     bool read_only) {
  if (!read_only) LEAT_RETURN(files->CreateDirectories(directory));
  std::unique_ptr<StateStore> store(new StateStore(files, std::move(directory)));
  LEAT_RETURN(store->Load(read_only));
  return store;
}

Status StateStore::Load(bool read_only) {
  const std::string path = PathOf("manifest");
  // The manifest that is seen may be of a process that was killed before it had synced the name: it
  // must not turn into the one before once its files, or a sink's rows, depend on it.
  if (!read_only) LEAT_RETURN(files_->SyncDirectory(directory_));
  if (files_->Exists(path)) {
    LEAT_ASSIGN(const auto file, files_->Read(path));
    auto manifest = Decode(file->bytes());
    if (!manifest.ok()) return Damaged(path, manifest.status().message());
    last_ = *std::move(manifest);
    committed_ = true;
  }
  for (const std::string& name : last_.files) {
    if (!files_->Exists(PathOf(name))) return Damaged(PathOf(name), "is missing");
  }
  present_ = last_.files;
  next_.files_made = last_.files_made;
  return read_only ? Status::OK() : RemoveUnkept();
}

Status StateStore::Clear() {
  LEAT_RETURN(files_->Remove(PathOf("manifest")));
  LEAT_RETURN(files_->SyncDirectory(directory_));
  const uint64_t files_made = next_.files_made;
  last_ = next_ = Manifest{.files_made = files_made};
  committed_ = false;
  return RemoveUnkept();
}

// Everything here is ours but for the manifest and its temporary name.
Status StateStore::RemoveUnkept() {
  LEAT_ASSIGN(const auto names, files_->List(directory_));
  for (const std::string& name : names) {
    if (last_.files.contains(name) || !name.ends_with(".state")) continue;
    LEAT_RETURN(files_->Remove(PathOf(name)));
  }
  present_ = last_.files;
  return Status::OK();
}

std::vector<std::string> StateStore::operators() const {
  std::vector<std::string> ids;
  for (const auto& [id, blobs] : last_.blobs) ids.push_back(id);
  return ids;
}

void StateStore::Begin() {
  next_.blobs.clear();
  next_.files.clear();
}

std::unique_ptr<StateWriter> StateStore::Writer(std::string id) {
  return std::make_unique<DirectoryWriter>(this, std::move(id));
}

std::unique_ptr<StateReader> StateStore::Reader(std::string id) {
  return std::make_unique<DirectoryReader>(this, std::move(id));
}

Status StateStore::Commit(std::string extra) {
  next_.extra = std::move(extra);
  // Together: one transaction of the file system's journal serves them all.
  for (const auto& file : unsynced_) LEAT_RETURN(file->Sync());
  unsynced_.clear();
  LEAT_RETURN(files_->SyncDirectory(directory_));
  LEAT_RETURN(WriteFileAtomically(files_, PathOf("manifest"), Encode(next_)));
  last_ = next_;
  committed_ = true;
  return RemoveUnkept();
}

Result<std::string> StateStore::WriteFile(const std::vector<std::string_view>& pieces) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  Trailer trailer = {};
  std::memcpy(trailer.magic, kFileMagic, sizeof(kFileMagic));
  for (const std::string_view piece : pieces) {
    XXH3_64bits_update(state.get(), piece.data(), piece.size());
    trailer.size += piece.size();
  }
  trailer.checksum = XXH3_64bits_digest(state.get());
  const std::string name = fmt::format("{:08}-{:016x}.state", ++next_.files_made, trailer.checksum);
  // Of a checkpoint that was never committed; we write at the end.
  LEAT_RETURN(files_->Remove(PathOf(name)));
  LEAT_ASSIGN(auto file, files_->OpenAppend(PathOf(name)));
  for (const std::string_view piece : pieces) LEAT_RETURN(file->Append(piece));
  LEAT_RETURN(file->Append({reinterpret_cast<const char*>(&trailer), sizeof(trailer)}));
  unsynced_.push_back(std::move(file));
  present_.insert(name);
  next_.files.insert(name);
  return name;
}

Result<std::shared_ptr<const std::string_view>> StateStore::ReadFile(std::string_view name) {
  const std::string path = PathOf(name);
  if (!files_->Exists(path)) return Damaged(path, "is missing");
  LEAT_ASSIGN(auto file, files_->Read(path));
  const std::string_view bytes = file->bytes();
  Trailer trailer;
  if (bytes.size() < sizeof(trailer)) return Damaged(path, "is cut off");
  const std::string_view content = bytes.substr(0, bytes.size() - sizeof(trailer));
  std::memcpy(&trailer, bytes.data() + content.size(), sizeof(trailer));
  if (std::memcmp(trailer.magic, kFileMagic, sizeof(kFileMagic)) != 0 ||
      trailer.size != content.size()) {
    return Damaged(path, "is cut off or of another version");
  }
  if (XXH3_64bits(content.data(), content.size()) != trailer.checksum) {
    return Damaged(path, "does not have the checksum with which it was written");
  }
  struct Held {
    std::unique_ptr<FileBytes> file;
    std::string_view content;
  };
  auto held = std::make_shared<Held>(Held{std::move(file), content});
  return std::shared_ptr<const std::string_view>(held, &held->content);
}

std::string StateStore::Encode(const Manifest& manifest) {
  std::string out(kManifestMagic, sizeof(kManifestMagic));
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

Result<StateStore::Manifest> StateStore::Decode(std::string_view bytes) {
  if (bytes.size() < sizeof(kManifestMagic) + sizeof(uint64_t)) {
    return Status::IOError("is cut off");
  }
  if (std::memcmp(bytes.data(), kManifestMagic, sizeof(kManifestMagic)) != 0) {
    return Status::IOError("is of another version or no manifest");
  }
  Parser checksum{bytes.substr(bytes.size() - sizeof(uint64_t))};
  bytes.remove_suffix(sizeof(uint64_t));
  if (checksum.Number() != XXH3_64bits(bytes.data(), bytes.size())) {
    return Status::IOError("does not have the checksum with which it was written");
  }
  Parser parser{bytes.substr(sizeof(kManifestMagic))};
  Manifest manifest;
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
  if (!parser.ok || !parser.left.empty()) return Status::IOError("cannot be read");
  return manifest;
}

}  // namespace leat
