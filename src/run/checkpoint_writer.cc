#include "run/checkpoint_writer.h"

namespace leat {

void CheckpointWriter::Begin(std::unique_ptr<PendingCheckpoint> checkpoint) {
  checkpoint_ = std::move(checkpoint);
  {
    const std::lock_guard lock(crew_.mutex);
    begun_ = true;
    done_ = false;
  }
  Start();
  Wake();
}

Micros CheckpointWriter::Due() const { return begun_ && !done_ ? crew_.Now() : kNever; }

void CheckpointWriter::Work() {
  const Status status = checkpoint_->Write();
  const std::lock_guard lock(crew_.mutex);
  status_ = status;
  done_ = true;
  crew_.Ring();
}

Result<std::unique_ptr<PendingCheckpoint>> CheckpointWriter::Finish() {
  crew_.Wait(kNever, [this] { return done_; });
  const std::lock_guard lock(crew_.mutex);  // the worker still looks whether it is due
  begun_ = done_ = false;
  LEAT_RETURN(status_);
  return std::move(checkpoint_);
}

}  // namespace leat
