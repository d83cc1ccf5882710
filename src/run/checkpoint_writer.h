// Writes the files of a checkpoint beside the engine.
#pragma once

#include <memory>

#include "run/crew.h"
#include "state/store.h"

namespace leat {

// Used by the engine, one checkpoint after another.
class CheckpointWriter : public Worker {
 public:
  explicit CheckpointWriter(Crew* crew) : Worker(crew) {}
  ~CheckpointWriter() override { Stop(); }

  // REQUIRES: Finish was called for the one before.
  void Begin(std::unique_ptr<PendingCheckpoint> checkpoint);
  // With the crew's mutex: it is written, or could not be.
  bool done() const { return done_; }
  // Waits until it is. The checkpoint is ready to be published.
  Result<std::unique_ptr<PendingCheckpoint>> Finish();

 private:
  Micros Due() const override;
  void Work() override;

  std::unique_ptr<PendingCheckpoint> checkpoint_;  // the worker's, from Begin until done_
  // Guarded by the crew's mutex.
  bool begun_ = false;
  bool done_ = false;
  Status status_;
};

}  // namespace leat
