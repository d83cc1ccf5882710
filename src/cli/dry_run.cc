#include "cli/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/table.h"
#include "connect/changelog.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

// The first rows of a source, then its end.
class FirstRows : public Source {
 public:
  FirstRows(std::unique_ptr<Source> source, int64_t rows_max)
      : source_(std::move(source)), left_(rows_max) {}
  Status Seek(const Offset& offset) override { return source_->Seek(offset); }
  Result<Arrival> Reread(const Offset& end) override { return source_->Reread(end); }
  Status Limit(const Offset& end) override { return source_->Limit(end); }
  Result<std::optional<Arrival>> Poll(int64_t bytes_max) override {
    if (left_ <= 0) return std::nullopt;
    LEAT_ASSIGN(auto arrival, source_->Poll(std::min(bytes_max, kBytesMax)));
    if (!arrival) return arrival;
    const int64_t rows = std::min(arrival->batch.rows, left_);
    const int64_t rejected = arrival->rows_read - arrival->batch.rows;
    arrival->batch = Slice(arrival->batch, 0, rows);
    arrival->rows_read = rows + rejected;
    left_ -= rows;
    return arrival;
  }

 private:
  static constexpr int64_t kBytesMax = 256 << 10;

  const std::unique_ptr<Source> source_;
  int64_t left_;
};

}  // namespace

struct DryRun::Shown {
  std::string name;
  Schema schema;
  std::vector<Batch> batches;
  int64_t rows = 0, deletes = 0;
};

namespace {

// Keeps what it is given.
template <typename Shown>
class ShownSink : public Sink {
 public:
  explicit ShownSink(Shown* shown) : shown_(*shown) {}
  Result<std::optional<Mark>> Open() override { return std::nullopt; }
  Status Write(const Batch& batch) override {
    if (batch.rows > 0 && batch.weight(0) < 0) {
      shown_.deletes += batch.rows;
      return Status::OK();
    }
    shown_.rows += batch.rows;
    shown_.batches.push_back(batch);
    return Status::OK();
  }
  Status Commit(int64_t) override { return Status::OK(); }
  int64_t staged_bytes() const override { return 0; }
  Status Reset() override { return Status::OK(); }

 private:
  Shown& shown_;
};

}  // namespace

DryRun::DryRun(const Pipeline& pipeline, int64_t rows_max)
    : pipeline_(pipeline), rows_max_(rows_max) {}

DryRun::~DryRun() {
  std::error_code gone_anyway;
  if (!folder_.empty()) fs::remove_all(folder_, gone_anyway);
}

Status DryRun::Prepare(RunContext* context) {
  for (const StandingSource& source : pipeline_.sources) {
    if (!source.traits.shared) continue;
    return NotSupported(
        fmt::format("--dry-run cannot read \"{}\": a replication slot would have to be made",
                    source.name),
        -1, "`leat check` types everything; a SELECT in `leat sql` shows the table's rows.");
  }
  std::string folder = (fs::temp_directory_path() / "leat-dry-run-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    return IOErrorF("could not create directory \"{}\": {}", folder, std::strerror(errno));
  }
  folder_ = folder;
  context->state_dir = folder_;
  for (const StandingSink& sink : pipeline_.sinks) {
    shown_.push_back(std::make_unique<Shown>(Shown{.name = sink.name, .schema = sink.spec.schema}));
  }
  context->make_sink = [this](const SinkSpec& spec) -> Result<std::unique_ptr<Sink>> {
    for (const auto& shown : shown_) {
      if (shown->name != spec.name) continue;
      std::unique_ptr<Sink> sink = std::make_unique<ShownSink<Shown>>(shown.get());
      return spec.mode == SinkMode::kChangelog ? WriteChanges(std::move(sink)) : std::move(sink);
    }
    return Status::KeyError(spec.name);
  };
  context->make_source = [rows_max = rows_max_](
                             const Server& server,
                             const Relation& relation) -> Result<std::unique_ptr<Source>> {
    LEAT_ASSIGN(auto source, MakeSource(server, relation));
    return std::make_unique<FirstRows>(std::move(source), rows_max);
  };
  return Status::OK();
}

void DryRun::Print() const {
  for (const auto& shown : shown_) {
    Batch rows = EmptyBatch(shown->schema);
    if (const auto all = Concatenate(shown->schema, shown->batches); all.ok()) rows = *all;
    rows = Slice(rows, 0, std::min(rows.rows, rows_max_));
    fmt::print("-- {} would get {} rows\n{}\n", shown->name, shown->rows,
               FormatTable(shown->schema, rows, {}, {}));
  }
}

}  // namespace leat
