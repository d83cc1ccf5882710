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
  for (const SourceSeat& seat : sources_) {
    if (!seat.keyed) continue;
    view->rows["source " + seat.plan->name] = [held = seat.keyed->Snapshot()](
                                                  std::string_view begin, std::string_view end,
                                                  const Index::Visit& visit) {
      return held->Scan(begin, end, false, visit);
    };
  }
  return ReadViewPtr(std::move(view));
}

}  // namespace leat
