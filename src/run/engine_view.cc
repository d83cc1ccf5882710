// What readers on other threads see of the machine: its state after the last epoch, frozen.
#include "run/engine.h"

namespace leat {
namespace {

// The entries as they are now: a copy.
Result<RowsScan> Freeze(const RowsScan& rows) {
  std::shared_ptr<Index> frozen = MakeIndex();
  Strings keys, values;
  std::vector<int64_t> weights;
  LEAT_RETURN(rows("", "", [&](std::string_view key, std::string_view value, int64_t weight) {
    keys.Append(key);
    values.Append(value);
    weights.push_back(weight);
    return Result<bool>(true);
  }));
  LEAT_RETURN(frozen->Apply(keys, values, weights));
  auto one_at_a_time = std::make_shared<std::mutex>();
  return [=](std::string_view begin, std::string_view end, const Index::Visit& visit) {
    const std::lock_guard lock(*one_at_a_time);
    return frozen->Scan(begin, end, false, visit);
  };
}

}  // namespace

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
  LEAT_ASSIGN(view->rows["rejects"], Freeze(rejects_.rows()));
  for (const ViewSeat& seat : views_) {
    const auto rows = [&](std::string_view begin, std::string_view end, const Index::Visit& visit) {
      return seat.rows->Scan(begin, end, false, visit);
    };
    LEAT_ASSIGN(view->rows["view " + seat.plan->name], Freeze(rows));
  }
  return ReadViewPtr(std::move(view));
}

}  // namespace leat
