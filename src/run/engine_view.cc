// What readers on other threads see of the machine: its state after the last epoch, frozen.
#include "run/engine.h"

namespace leat {
// Called between epochs: the last one is in the log for good.
Result<ReadViewPtr> Engine::MakeView() const {
  auto view = std::make_shared<ReadView>();
  view->manifest = manifest_;
  view->manifest.epoch = record_.epoch;
  view->manifest.next_seq = next_seq_;
  view->manifest.definitions = DefinitionsOf(pipeline_);
  view->manifest.pinned = pipeline_.pinned;
  view->manifest.sources.clear();
  for (const SourceSeat& seat : sources_) view->manifest.sources.push_back(seat.position);
  view->rows["rejects"] = rejects_.rows();
  for (const ViewSeat& seat : views_) {
    view->rows["view " + seat.plan->name] = ScanOf(*seat.rows);
  }
  return ReadViewPtr(std::move(view));
}

}  // namespace leat
