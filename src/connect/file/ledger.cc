#include "connect/file/ledger.h"

#include <algorithm>

#include "connect/watch.h"

namespace leat {
namespace {

// IOError with a hint: the world changed, and the user can say what that means.
Status WithHint(std::string message, std::string hint) {
  const Status sql = SqlStatus("", {.hint = std::move(hint)});
  return Status(arrow::StatusCode::IOError, std::move(message), sql.detail());
}

Status Changed(const FileTable& table, const std::string& path) {
  return WithHint(fmt::format("file \"{}\" changed after it was read", path),
                  fmt::format("Put the file back as it was, or set OPTIONS (on_change 'ignore') on "
                              "\"{}\" to keep the rows read before.",
                              table.relation.name));
}

// Size or time are others than when the file was last looked at.
bool Differs(const FoundFile& now, const FileState& file) {
  return now.size != file.size || now.modified != file.modified;
}

}  // namespace

std::string FileLedger::PathOf(const FileState& file) const {
  return table_.root.ends_with('/') ? table_.root + file.name : table_.root + "/" + file.name;
}

int64_t FileLedger::FirstToRead() {
  while (complete_ < files_.size() && files_[complete_].complete) ++complete_;
  return complete_ < files_.size() ? static_cast<int64_t>(complete_) : -1;
}

void FileLedger::Mark(size_t place) {
  complete_ = std::min(complete_, place);
  text_.Changed(place);
}

void FileLedger::Set(size_t place, FileState file) {
  files_[place] = std::move(file);
  Mark(place);
}

void FileLedger::Append(FileState file) {
  places_[file.name] = files_.size();
  files_.push_back(std::move(file));
  Mark(files_.size() - 1);
}

void FileLedger::Truncate(size_t count) {
  if (count >= files_.size()) return;
  for (size_t i = count; i < files_.size(); ++i) places_.erase(files_[i].name);
  files_.resize(count);
  Mark(count);
}

OffsetStep FileLedger::Step() { return text_.Step(files_); }

int64_t FileLedger::BytesToRead() {
  int64_t bytes = 0;
  const int64_t first = FirstToRead();
  // Of files that do not grow while they are read those before the first are nothing.
  size_t place = first < 0 ? files_.size() : static_cast<size_t>(first);
  if (table_.tail) place = 0;
  for (; place < files_.size(); ++place) {
    const FileState& file = files_[place];
    // Of a file that is read row by row the line that nobody has ended yet waits, too.
    if (file.complete && (!table_.tail || file.done >= file.size)) continue;
    if (!CanGrow(table_, file.name))
      bytes += file.complete ? 0 : file.size;
    else
      bytes += std::max<int64_t>(0, file.size - file.done);
  }
  return bytes;
}

Status FileLedger::Missing(FileState* file) const {
  if (table_.ignore_delete) {
    file->complete = true;
    return Status::OK();
  }
  return WithHint(fmt::format("file \"{}\" is gone", PathOf(*file)),
                  fmt::format("Put it back, or set OPTIONS (on_delete 'ignore') on \"{}\" to keep "
                              "the rows read before.",
                              table_.relation.name));
}

Status FileLedger::LookAgain(const FoundFile& now, FileState* file) const {
  bool same = false;
  if (now.size >= file->size) {
    LEAT_ASSIGN(const uint64_t fingerprint, Fingerprint(now.path, file->size));
    same = fingerprint == file->fingerprint;
  }
  const bool grew = same && now.size > file->size;
  if (grew && (CanGrow(table_, file->name) || !file->complete)) {
    file->complete = false;
  } else if ((!same || grew) && !table_.ignore_change) {
    return Changed(table_, now.path);
  } else if (!same || grew) {
    file->complete = true;
  }
  file->modified = now.modified;
  if (now.size == file->size && same) return Status::OK();
  file->size = now.size;
  LEAT_ASSIGN(file->fingerprint, Fingerprint(now.path, now.size));
  return Status::OK();
}

Status FileLedger::Load(std::vector<FileState> files) {
  files_ = std::move(files);
  complete_ = 0;
  text_.Reset(files_);
  places_.clear();
  for (size_t place = 0; place < files_.size(); ++place) places_[files_[place].name] = place;
  for (size_t place = 0; place < files_.size(); ++place) {
    LEAT_ASSIGN(const auto now, StatFile(table_.root, files_[place].name));
    LEAT_RETURN(LookAtKnown(place, now ? &*now : nullptr));
  }
  return Status::OK();
}

// Where the kernel cannot tell whether anybody writes a file, it has been quiet for so long.
constexpr std::chrono::seconds kQuiet(2);

// Whether a file that is new or changed is to be left for later, because somebody writes it.
bool FileLedger::MustWait(const FoundFile& file) {
  if (!following_ || (table_.tail && IsRows(table_, file.name))) return false;
  const Writers writers = WritersOf(file.path);
  bool wait = writers == Writers::kSome;
  if (writers == Writers::kUnknown) {
    // The file system's time is compared with itself: the same size and time at two looks that are
    // far enough apart.
    const auto now = std::chrono::steady_clock::now();
    auto& [size, modified, since] = seen_[file.name];
    if (since.time_since_epoch().count() == 0 || size != file.size || modified != file.modified) {
      size = file.size;
      modified = file.modified;
      since = now;
    }
    wait = now - since < kQuiet;
  }
  if (!wait) seen_.erase(file.name);
  waits_ = waits_ || wait;
  return wait;
}

// `now`: as it is there; null: it is gone.
Status FileLedger::LookAtKnown(size_t place, const FoundFile* now) {
  FileState file = files_[place];
  if (now == nullptr) {
    LEAT_RETURN(Missing(&file));
  } else if (Differs(*now, file) && !MustWait(*now)) {
    LEAT_RETURN(LookAgain(*now, &file));
  }
  if (file != files_[place]) Set(place, std::move(file));
  return Status::OK();
}

Status FileLedger::AddFound(const FoundFile& file) {
  if (MustWait(file)) return Status::OK();
  LEAT_ASSIGN(const uint64_t fingerprint, Fingerprint(file.path, file.size));
  Append({.name = file.name,
          .size = file.size,
          .modified = file.modified,
          .fingerprint = fingerprint});
  return Status::OK();
}

Status FileLedger::LookAt(const std::string& name) {
  const auto known = places_.find(name);
  if (known == places_.end() && !NamesFile(table_.root, table_.pattern, name)) return Status::OK();
  LEAT_ASSIGN(const auto now, StatFile(table_.root, name));
  if (known != places_.end()) return LookAtKnown(known->second, now ? &*now : nullptr);
  return now ? AddFound(*now) : Status::OK();
}

Result<bool> FileLedger::Discover() {
  waits_ = false;
  LEAT_ASSIGN(const auto found, FindFiles(table_.root, table_.pattern));
  std::unordered_map<std::string_view, const FoundFile*> by_name;
  for (const FoundFile& file : found) by_name.emplace(file.name, &file);
  for (size_t place = 0; place < files_.size(); ++place) {
    const auto now = by_name.find(files_[place].name);
    LEAT_RETURN(LookAtKnown(place, now == by_name.end() ? nullptr : now->second));
  }
  for (const FoundFile& file : found) {
    if (!places_.contains(file.name)) LEAT_RETURN(AddFound(file));
  }
  return FirstToRead() >= 0;
}

Status FileLedger::Verify(const FileState& file) const {
  LEAT_ASSIGN(const auto now, StatFile(table_.root, file.name));
  if (!now) return IOErrorF("file \"{}\" is gone", PathOf(file));
  if (now->size == file.size && now->modified == file.modified) return Status::OK();
  if (now->size >= file.size) {
    LEAT_ASSIGN(const uint64_t fingerprint, Fingerprint(now->path, file.size));
    if (fingerprint == file.fingerprint) return Status::OK();
  }
  return Changed(table_, now->path);
}

Status FileLedger::Finish(FileState* file) const {
  file->complete = true;
  if (!CanGrow(table_, file->name) || file->done <= file->size) return Status::OK();
  file->size = file->done;
  LEAT_ASSIGN(file->fingerprint, Fingerprint(PathOf(*file), file->size));
  return Status::OK();
}

}  // namespace leat
