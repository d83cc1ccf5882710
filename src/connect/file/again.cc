#include "connect/file/again.h"

#include <arrow/scalar.h>
#include <fnmatch.h>

#include <algorithm>

#include "connect/file/paths.h"
#include "data/text.h"

namespace leat {
namespace {

constexpr int64_t kNanosPerMicro = 1000;
constexpr size_t kNamesShown = 5;

// The files that a person named.
class Choice {
 public:
  explicit Choice(const std::string& from) : from_(from) {
    if (from.empty()) return;
    const auto time = ParseValue(from, Type(TypeId::kTimestamptz), {});
    if (time.ok()) since_ = static_cast<const arrow::TimestampScalar&>(**time).value;
  }

  bool Has(const FileState& file, const std::optional<FoundFile>& now) const {
    if (from_.empty()) return false;
    if (since_) {
      const int64_t modified = std::max(file.modified, now ? now->modified : 0);
      return modified >= *since_ * kNanosPerMicro;
    }
    if (fnmatch(from_.c_str(), file.name.c_str(), 0) == 0) return true;
    const size_t slash = file.name.rfind('/');
    return from_.find('/') == from_.npos && slash != file.name.npos &&
           fnmatch(from_.c_str(), file.name.c_str() + slash + 1, 0) == 0;
  }

 private:
  const std::string from_;
  std::optional<Micros> since_;
};

// Whether the file holds, from its beginning, what it held when it was last looked at.
Result<bool> IsAsItWas(const FileState& file, const FoundFile& now) {
  if (now.size < file.size) return false;
  if (now.size == file.size && now.modified == file.modified) return true;
  LEAT_ASSIGN(const uint64_t fingerprint, Fingerprint(now.path, file.size));
  return fingerprint == file.fingerprint;
}

Result<FileState> AsItIs(const FileState& file, const FoundFile& now) {
  FileState state{.name = file.name, .size = now.size, .modified = now.modified};
  LEAT_ASSIGN(state.fingerprint, Fingerprint(now.path, now.size));
  return state;
}

Status NobodyNamed(const std::vector<FileState>& files, const std::string& from) {
  std::vector<std::string> names;
  for (const FileState& file : files) {
    if (names.size() < kNamesShown) names.push_back(file.name);
  }
  const bool more = files.size() > kNamesShown;
  return SqlStatus(
      fmt::format("no file that was read is meant by \"{}\"", from),
      {.hint =
           files.empty()
               ? std::string("No file was read yet.")
               : fmt::format("Files that were read: {}{}.", fmt::join(names, ", "),
                             more ? fmt::format(" and {} more", files.size() - kNamesShown) : "")});
}

// One that was not named must give the same rows again.
Status CheckSame(const FileState& file, const std::optional<FoundFile>& now) {
  LEAT_RETURN(CheckReadOnce(file));
  const auto refuse = [&](const char* what) {
    return SqlStatus(
        fmt::format("file \"{}\" {} after it was read, and all is read again", file.name, what),
        {.sqlstate = "55000",
         .hint = "Name it with --from too (a glob, or a time), or put it back."});
  };
  if (!now) return file.done == 0 ? Status::OK() : refuse("vanished");
  LEAT_ASSIGN(const bool same, IsAsItWas(file, *now));
  return same ? Status::OK() : refuse("changed");
}

std::string Said(const FileState& file, std::string_view what) {
  return fmt::format("{}: {} rows were read; {}", file.name, file.rows, what);
}

}  // namespace

Status CheckReadOnce(const FileState& file) {
  if (file.earlier == 0) return Status::OK();
  return SqlStatus(fmt::format("file \"{}\" was read again as new (leat replay --as-new): what it "
                               "gave before cannot be had again",
                               file.name),
                   {.sqlstate = "55000",
                    .hint = "`leat replay --from` (without --as-new) naming this file takes all "
                            "that it gave back and reads it once."});
}

Result<AgainPlan> PlanAgain(const FileTable& table, const Offset& end, const AgainSpec& spec) {
  LEAT_ASSIGN(const auto files, DecodeOffset(end));
  const Choice choice(spec.from);
  std::vector<FileState> again;
  AgainPlan plan;
  for (const FileState& file : files) {
    LEAT_ASSIGN(const auto now, StatFile(table.root, file.name));
    if (!choice.Has(file, now)) {
      if (!spec.as_new) LEAT_RETURN(CheckSame(file, now));
      again.push_back(file);
    } else if (!now) {
      plan.parts.push_back(Said(file, spec.as_new ? "it is gone, and nothing of it comes again"
                                                  : "it is gone, and they are taken back"));
      if (spec.as_new) again.push_back(file);
      continue;
    } else {
      LEAT_ASSIGN(const bool same, IsAsItWas(file, *now));
      LEAT_ASSIGN(FileState state, AsItIs(file, *now));
      state.earlier = spec.as_new ? file.earlier + (file.done > 0 ? 1 : 0) : 0;
      again.push_back(std::move(state));
      const std::string is =
          fmt::format("it {} ({} bytes)", same ? "holds the same" : "has changed since", now->size);
      plan.parts.push_back(
          Said(file, spec.as_new ? fmt::format("they stay, and it is read once more: {}", is)
                                 : fmt::format("they are taken back, and it is read: {}", is)));
    }
    if (spec.as_new) continue;
    FileState& state = again.back();
    state.done = state.rows = 0;
    state.lines = 1;
    state.complete = false;
  }
  if (!spec.from.empty() && plan.parts.empty()) return NobodyNamed(files, spec.from);
  plan.from = EncodeOffset(again);
  return plan;
}

}  // namespace leat
