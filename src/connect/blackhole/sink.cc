#include <fmt/format.h>

#include "connect/blackhole/blackhole.h"

namespace leat {
namespace {

class BlackholeSink : public Sink {
 public:
  Result<std::optional<Mark>> Open() override { return std::nullopt; }
  bool keeps_mark() const override { return false; }
  Status Write(const Batch& batch) override {
    staged_bytes_ += MemoryOf(batch);
    return Status::OK();
  }
  Status Commit(int64_t) override {
    staged_bytes_ = 0;
    return Status::OK();
  }
  int64_t staged_bytes() const override { return staged_bytes_; }
  Status Reset() override { return Status::OK(); }

 private:
  int64_t staged_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> RefuseBlackholeSource(const Server&, const Relation& relation) {
  return NotSupported(fmt::format("\"{}\" takes rows and gives none", relation.name),
                      relation.location);
}

Result<std::unique_ptr<Sink>> MakeBlackholeSink(SinkSpec) {
  return std::make_unique<BlackholeSink>();
}

Result<Schema> InferBlackholeColumns(const Server&, const Relation& relation) {
  if (!relation.columns.empty()) return relation.schema();
  return SqlStatus(
      fmt::format("\"{}\" keeps nothing that its columns could be read from", relation.name),
      {.sqlstate = "42P16", .location = relation.location, .hint = "Declare the columns."});
}

Status ReadBlackhole(const Server&, const Relation&, const ArrivalVisitor&) { return Status::OK(); }

Result<std::optional<Mark>> NoBlackholeMark(const SinkSpec& spec) {
  return NotSupported(
      fmt::format("\"{}\" keeps nothing: there is no mark, and nothing to verify", spec.name));
}

}  // namespace leat
