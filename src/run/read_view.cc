#include "run/read_view.h"

#include "run/state_dir.h"

namespace leat {

Result<ReadViewPtr> ReadDesk::Ask(std::chrono::milliseconds wait_max) {
  std::unique_lock lock(mutex_);
  const auto refuse = [] {
    return Status::IOError("the running leat is leaving; ask again when it is gone");
  };
  if (closed_) return refuse();
  const int64_t seen = answers_;
  ++asking_;
  if (ring_) ring_();
  const bool told = answered_.wait_for(lock, wait_max, [&] { return closed_ || answers_ != seen; });
  auto answer = answers_ != seen ? last_ : Result<ReadViewPtr>(refuse());
  if (--asking_ == 0) last_ = ReadViewPtr();
  if (told) return answer;
  return IOErrorF("the running leat did not come to the end of an epoch within {:.1f} s",
                  static_cast<double>(wait_max.count()) / 1000);
}

void ReadDesk::Answer(Result<ReadViewPtr> view) {
  const std::lock_guard lock(mutex_);
  last_ = std::move(view);
  ++answers_;
  answered_.notify_all();
}

void ReadDesk::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  ring_ = nullptr;
  answered_.notify_all();
}

namespace {

// The rows of one part of a checkpoint, read when they are first asked for.
class CheckpointRows {
 public:
  CheckpointRows(std::shared_ptr<StateDirectory> state, std::string name)
      : state_(std::move(state)), name_(std::move(name)) {}

  Status Scan(std::string_view begin, std::string_view end, const Index::Visit& visit) {
    if (!index_) {
      auto index = MakeIndex();
      LEAT_ASSIGN(StateReader * reader, state_->Reader(name_));
      LEAT_RETURN(index->Restore(reader));
      index_ = std::move(index);
    }
    return index_->Scan(begin, end, false, visit);
  }

 private:
  const std::shared_ptr<StateDirectory> state_;
  const std::string name_;
  std::unique_ptr<Index> index_;
};

}  // namespace

Result<ReadViewPtr> ReadCheckpoint(FileSystem* files, const std::string& state_dir) {
  LEAT_ASSIGN(std::shared_ptr<StateDirectory> state, StateDirectory::OpenToRead(files, state_dir));
  auto view = std::make_shared<ReadView>();
  LEAT_ASSIGN(const bool there, state->Load(&view->manifest));
  if (!there) return ReadViewPtr();
  const auto add = [&](const std::string& name) {
    auto rows = std::make_shared<CheckpointRows>(state, name);
    view->rows[name] = [rows](std::string_view begin, std::string_view end,
                              const Index::Visit& visit) { return rows->Scan(begin, end, visit); };
  };
  add("rejects");
  for (const auto& [name, hash] : view->manifest.definitions) {
    if (name.starts_with("view ")) add(name);
  }
  for (const SourcePosition& source : view->manifest.sources) add("source " + source.name);
  return ReadViewPtr(std::move(view));
}

}  // namespace leat
