#include "connect/weights.h"

#include <arrow/array.h>

#include <algorithm>

namespace leat {

Result<CameAndWent> SplitByWeight(const Batch& batch) {
  CameAndWent split;
  std::vector<int32_t> came;
  std::vector<int32_t> went;
  const int64_t* weights = batch.weights ? batch.weights->raw_values() : nullptr;
  const bool simple = weights == nullptr ||
                      std::all_of(weights, weights + batch.rows, [](int64_t w) { return w == 1; });
  if (simple) {
    split.came = batch;
    split.came.weights = nullptr;
    split.went = Slice(split.came, 0, 0);
    return split;
  }
  for (int64_t row = 0; row < batch.rows; ++row) {
    for (int64_t i = 0; i < weights[row]; ++i) came.push_back(static_cast<int32_t>(row));
    if (weights[row] < 0) went.push_back(static_cast<int32_t>(row));
  }
  LEAT_ASSIGN(split.came, Take(batch, came));
  LEAT_ASSIGN(split.went, Take(batch, went));
  split.came.weights = split.went.weights = nullptr;
  return split;
}

Result<Batch> RowsThatCame(const Batch& batch, const std::string& sink) {
  LEAT_ASSIGN(CameAndWent split, SplitByWeight(batch));
  if (split.went.rows > 0) {
    return NotSupported(fmt::format("sink \"{}\" appends, and its query took rows back", sink), -1,
                        "Give the sink a key and mode 'upsert'.");
  }
  return std::move(split.came);
}

}  // namespace leat
