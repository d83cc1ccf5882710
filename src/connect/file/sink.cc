#include <algorithm>
#include <array>
#include <set>

#include "connect/file/commit.h"
#include "connect/file/delta.h"
#include "connect/file/file.h"
#include "connect/file/hive.h"
#include "connect/file/paths.h"
#include "connect/file/staging.h"
#include "connect/file/table.h"
#include "connect/root_folder.h"
#include "connect/weights.h"

namespace leat {
namespace {

class FileSink : public Sink {
 public:
  FileSink(SinkSpec spec, std::string target, StagingSpec staging, std::vector<int> partition_by)
      : spec_(std::move(spec)),
        target_(std::move(target)),
        extension_(staging.extension),
        staging_spec_(std::move(staging)),
        partition_by_(std::move(partition_by)) {}

  Result<std::optional<Mark>> Open() override {
    staging_.reset();
    replaced_.clear();
    LEAT_RETURN(MakeFolders(target_));
    LEAT_ASSIGN(const auto manifest, ReadManifest(target_));
    if (manifest) LEAT_RETURN(Publish(*manifest));
    LEAT_RETURN(ClearStaging(target_));
    // The manifest names files that were staged before it, and stays until the next: what is staged
    // from now on must not have their names, or a crash would publish it under theirs.
    StagingSpec staging = staging_spec_;
    staging.prefix = fmt::format("after-{}-", manifest ? manifest->mark.epoch : 0);
    staging_ = std::make_unique<Staging>(std::move(staging));
    return manifest ? std::optional(manifest->mark) : std::nullopt;
  }

  Status Write(const Batch& batch) override {
    if (spec_.mode == SinkMode::kSnapshot) {
      LEAT_ASSIGN(const CameAndWent rows, SplitByWeight(batch));
      LEAT_ASSIGN(const auto gone, SplitByFolder(rows.went, spec_.schema, partition_by_));
      for (const HivePart& part : gone) replaced_.insert(part.folder);
      return Stage(rows.came);
    }
    LEAT_ASSIGN(const Batch rows, RowsThatCame(batch, spec_.name));
    return Stage(rows);
  }

  Status Commit(int64_t epoch) override {
    CommitManifest manifest;
    manifest.mark = {.state = spec_.state, .statement = spec_.statement, .epoch = epoch};
    LEAT_ASSIGN(const auto files, staging_->Finish());
    for (const StagedFile& file : files) {
      const std::string name = fmt::format("{}{:012d}-{:05d}{}", DataFilePrefix(spec_.state), epoch,
                                           manifest.files.size(), extension_);
      manifest.files.push_back({.staged = file.name,
                                .name = file.folder.empty() ? name : file.folder + "/" + name,
                                .rows = file.rows,
                                .bytes = file.bytes});
    }
    manifest.replaced.assign(replaced_.begin(), replaced_.end());
    replaced_.clear();
    LEAT_RETURN(WriteManifest(target_, manifest));
    return Publish(manifest);
  }

  int64_t staged_bytes() const override { return staging_ ? staging_->bytes() : 0; }

  Status Reset() override {
    staging_.reset();
    LEAT_RETURN(MakeFolders(target_));
    std::vector<std::string> states = {spec_.state};
    LEAT_ASSIGN(const auto manifest, ReadManifest(target_));
    if (manifest) states.push_back(manifest->mark.state);
    LEAT_RETURN(ClearStaging(target_));
    LEAT_RETURN(RemoveCommitted(target_, states));
    staging_ = std::make_unique<Staging>(staging_spec_);
    return Status::OK();
  }

 private:
  Status Stage(const Batch& rows) {
    if (rows.rows == 0) return Status::OK();
    if (partition_by_.empty()) return staging_->Write("", rows);
    LEAT_ASSIGN(const auto parts, SplitByFolder(rows, spec_.schema, partition_by_));
    const Batch inside = WithoutPartitionColumns(rows);
    for (const HivePart& part : parts) {
      if (parts.size() == 1) return staging_->Write(part.folder, inside);
      LEAT_ASSIGN(Batch taken, Take(inside, part.rows));
      LEAT_RETURN(staging_->Write(part.folder, std::move(taken)));
    }
    return Status::OK();
  }

  // What follows a commit, also after a crash.
  Status Publish(const CommitManifest& manifest) const {
    LEAT_RETURN(MoveIntoPlace(target_, manifest));
    const bool everywhere = spec_.mode == SinkMode::kReplace;
    if (!everywhere && manifest.replaced.empty()) return Status::OK();
    return RemoveReplaced(target_, manifest, everywhere);
  }

  // As Hive has it, their values are in the folders' names alone.
  Batch WithoutPartitionColumns(const Batch& rows) const {
    Batch inside = rows;
    inside.columns.clear();
    for (int i = 0; i < spec_.schema.size(); ++i) {
      if (std::find(partition_by_.begin(), partition_by_.end(), i) == partition_by_.end()) {
        inside.columns.push_back(rows.columns[static_cast<size_t>(i)]);
      }
    }
    return inside;
  }

  const SinkSpec spec_;
  const std::string target_;
  const std::string extension_;
  const StagingSpec staging_spec_;
  const std::vector<int> partition_by_;
  std::unique_ptr<Staging> staging_;
  std::set<std::string> replaced_;  // kSnapshot: folders whose files go with the next commit
};

// ".csv.gz" for csv and gzip.
std::string ExtensionOf(const std::string& format, const std::string& compression) {
  if (format == "parquet") return ".parquet";
  const std::string packed = compression == "zstd" ? ".zst" : compression == "gzip" ? ".gz" : "";
  return "." + format + packed;
}

Result<StagingSpec> MakeStagingSpec(const SinkSpec& spec, const std::vector<int>& partition_by) {
  constexpr std::array<std::string_view, 4> kFormats = {"parquet", "csv", "ndjson", "json"};
  StagingSpec staging;
  LEAT_ASSIGN(staging.format, ChoiceOption(spec.options, "format", kFormats));
  if (staging.format == "json") staging.format = "ndjson";
  staging.options = FormatOptions(spec.options);
  if (staging.format == "parquet") staging.options.try_emplace("compression", "zstd");
  const auto compression = staging.options.find("compression");
  staging.extension = ExtensionOf(
      staging.format, compression == staging.options.end() ? "none" : compression->second);
  LEAT_ASSIGN(staging.file_bytes_max,
              BytesOption(spec.options, "file_bytes_max", staging.file_bytes_max));
  LEAT_ASSIGN(staging.writers_max,
              CountOption(spec.options, "writers_max", staging.writers_max, /*min=*/1));
  for (int i = 0; i < spec.schema.size(); ++i) {
    if (std::find(partition_by.begin(), partition_by.end(), i) == partition_by.end()) {
      staging.schema.columns.push_back(spec.schema.columns[static_cast<size_t>(i)]);
    }
  }
  if (staging.schema.columns.empty()) {
    return InvalidValue("partition_by", OptionOr(spec.options, "partition_by", ""),
                        "At least one column must be inside the files.");
  }
  return staging;
}

// The folder of a sink.
Result<std::string> TargetOf(const SinkSpec& spec) {
  std::string path = PathOption(spec.options, spec.name);
  const size_t slash = path.rfind('/');
  const auto last = path.substr(slash == path.npos ? 0 : slash + 1);
  if (path.find_first_of("*?[") != path.npos || last.find('.') != last.npos) {
    return InvalidValue("path", path,
                        fmt::format("A sink writes a folder of files, such as '{}/'.", spec.name));
  }
  while (path.ends_with('/')) path.pop_back();
  return path.starts_with('/') ? path : fmt::format("{}/{}", RootFolder(spec.server), path);
}

}  // namespace

Result<std::optional<Mark>> ReadFileMark(const SinkSpec& spec) {
  LEAT_ASSIGN(const std::string target, TargetOf(spec));
  if (IsDelta(spec.options)) return ReadDeltaMark(spec, target);
  LEAT_ASSIGN(const auto manifest, ReadManifest(target));
  return manifest ? std::optional(manifest->mark) : std::nullopt;
}

Result<std::unique_ptr<Sink>> MakeFileSink(SinkSpec spec) {
  if (IsDelta(spec.options)) {
    LEAT_ASSIGN(auto folders, ColumnList(spec.options, "partition_by", spec.schema));
    LEAT_ASSIGN(std::string folder, TargetOf(spec));
    return MakeDeltaSink(std::move(spec), std::move(folder), std::move(folders));
  }
  if (spec.mode == SinkMode::kUpsert) {
    return NotSupported(
        fmt::format("sink \"{}\": a file sink has the modes \"append\", \"replace\", \"changelog\" "
                    "and \"snapshot\"",
                    spec.name),
        -1,
        "A Delta table can take changes, and so can a database: OPTIONS (format 'delta', mode "
        "'upsert', key '…').");
  }
  LEAT_ASSIGN(auto partition_by, ColumnList(spec.options, "partition_by", spec.schema));
  LEAT_ASSIGN(std::string target, TargetOf(spec));
  LEAT_ASSIGN(StagingSpec staging, MakeStagingSpec(spec, partition_by));
  staging.folder = StagingFolder(target);
  return std::make_unique<FileSink>(std::move(spec), std::move(target), std::move(staging),
                                    std::move(partition_by));
}

}  // namespace leat
