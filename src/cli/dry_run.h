// leat run --dry-run: what would come out, without writing anything.
#pragma once

#include <cstdint>
#include <memory>

#include "run/machine.h"

namespace leat {

// Puts itself in place of the sinks and the state: the pipeline is computed as if for the first
// time, over the first rows of each source, into tables on stdout. Lives until the run is over.
class DryRun {
 public:
  // `rows_max`: of each source, and shown of each sink.
  DryRun(const Pipeline& pipeline, int64_t rows_max);
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  Status Prepare(RunContext* context);
  void Print() const;

 private:
  struct Shown;
  const Pipeline& pipeline_;
  const int64_t rows_max_;
  std::string folder_;  // of the state that is thrown away
  std::vector<std::unique_ptr<Shown>> shown_;
};

}  // namespace leat
