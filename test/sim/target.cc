#include "test/sim/target.h"

#include <fmt/format.h>

#include "data/key.h"
#include "run/row_text.h"

namespace leat::sim {
namespace {

class SimSink : public Sink {
 public:
  SimSink(World* world, Target* target, const SinkWatch* watch, const SinkSpec& spec,
          const SinkLies& lies)
      : world_(world), target_(target), watch_(watch), spec_(spec), lies_(lies) {}

  Result<std::optional<Mark>> Open() override {
    LEAT_RETURN(world_->Try(Deed::kSinkOpen, spec_.name));
    staged_ = {};
    staged_bytes_ = 0;
    open_ = true;
    broken_ = false;
    world_->Say([&] {
      return fmt::format("  its mark is at {}", target_->mark ? target_->mark->epoch : 0);
    });
    return lies_.mark_ignored ? target_->mark_before : target_->mark;
  }

  Status Write(const Batch& batch) override {
    if (!open_ || broken_) Complain("is written to though it is not open");
    if (const Status status = world_->Try(Deed::kSinkWrite, spec_.name); !status.ok()) {
      broken_ = true;
      return status;
    }
    LEAT_ASSIGN(const auto rows, RowBytes(spec_.schema, {}, batch));
    LEAT_ASSIGN(const auto keys, RowBytes(spec_.schema, spec_.key, batch));
    for (int64_t i = 0; i < batch.rows; ++i) {
      const auto at = static_cast<size_t>(i);
      const bool removal = batch.weight(i) < 0;
      if (batch.weight(i) != 1 && (spec_.mode != SinkMode::kUpsert || batch.weight(i) != -1)) {
        Complain(fmt::format("is given a row of weight {}", batch.weight(i)));
      }
      staged_bytes_ += static_cast<int64_t>(rows[at].size());
      staged_.push_back({keys[at], rows[at], removal});
      world_->Say([&] {
        return fmt::format("  {} {}", removal ? "-" : "+", RowValues(spec_.schema, batch, i));
      });
    }
    return Status::OK();
  }

  Status Commit(int64_t epoch) override {
    if (!open_ || broken_) Complain("is to commit though it is not open");
    const std::string what = fmt::format("{}, epoch {}", spec_.name, epoch);
    if (const Status status = world_->Try(Deed::kSinkCommit, what); !status.ok()) {
      broken_ = true;
      return status;
    }
    if (target_->mark && target_->mark->state == spec_.state && target_->mark->epoch >= epoch) {
      Complain(fmt::format("is to commit epoch {} and holds {}", epoch, target_->mark->epoch));
    }
    watch_->before_commit(spec_.name, epoch);
    if (lies_.mark_apart) {
      SetMark(epoch);
      LEAT_RETURN(world_->Try(Deed::kSinkWrite, "rows of " + spec_.name));
    }
    Apply();
    SetMark(epoch);
    ++target_->commits;
    if (!lies_.mark_apart) watch_->after_commit(spec_.name, epoch);
    const Status answer = world_->Try(Deed::kSinkAnswer, what);
    broken_ = !answer.ok();
    return answer;
  }

  int64_t staged_bytes() const override { return staged_bytes_; }

  Status Reset() override {
    LEAT_RETURN(world_->Try(Deed::kSinkOpen, "reset of " + spec_.name));
    *target_ = {};
    staged_ = {};
    return Status::OK();
  }

 private:
  struct Staged {
    std::string key, row;
    bool removal = false;
  };

  void Complain(const std::string& what) {
    watch_->complain(fmt::format("sink \"{}\" {}", spec_.name, what));
  }

  void SetMark(int64_t epoch) {
    target_->mark_before = target_->mark;
    target_->mark = Mark{spec_.state, spec_.statement, epoch};
  }

  void Apply() {
    if (spec_.mode == SinkMode::kReplace) target_->rows.clear();
    for (auto& [key, row, removal] : staged_) {
      if (spec_.mode != SinkMode::kUpsert)
        ++target_->rows[row];
      else if (removal)
        target_->row.erase(key);
      else
        target_->row[key] = row;
    }
    staged_.clear();
    staged_bytes_ = 0;
  }

  World* const world_;
  Target* const target_;
  const SinkWatch* const watch_;
  const SinkSpec spec_;
  const SinkLies lies_;
  std::vector<Staged> staged_;
  int64_t staged_bytes_ = 0;
  bool open_ = false;
  bool broken_ = false;  // a failed transaction takes no more
};

}  // namespace

std::map<std::string, int64_t> Target::Content(SinkMode mode) const {
  if (mode != SinkMode::kUpsert) return rows;
  std::map<std::string, int64_t> content;
  for (const auto& [key, bytes] : row) ++content[bytes];
  return content;
}

Result<std::vector<std::string>> RowBytes(const Schema& schema, const std::vector<int>& columns,
                                          const Batch& batch) {
  Schema part = schema;
  auto arrays = batch.columns;
  if (!columns.empty()) {
    part.columns.clear();
    arrays.clear();
    for (const int column : columns) {
      part.columns.push_back(schema.columns[static_cast<size_t>(column)]);
      arrays.push_back(batch.columns[static_cast<size_t>(column)]);
    }
  }
  Strings encoded;
  LEAT_RETURN(EncodeRows(arrays, TypesOf(part), batch.rows, &encoded));
  std::vector<std::string> rows;
  for (int64_t i = 0; i < batch.rows; ++i) rows.emplace_back(encoded[i]);
  return rows;
}

std::unique_ptr<Sink> MakeSimSink(World* world, Target* target, const SinkWatch* watch,
                                  const SinkSpec& spec, const SinkLies& lies) {
  return std::make_unique<SimSink>(world, target, watch, spec, lies);
}

}  // namespace leat::sim
