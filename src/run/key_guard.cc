#include "run/key_guard.h"

#include "data/key.h"
#include "run/row_text.h"

namespace leat {

KeyGuard::KeyGuard(std::string sink, Schema schema, std::vector<int> key)
    : sink_(std::move(sink)),
      schema_(std::move(schema)),
      key_(std::move(key)),
      index_(MakeIndex()) {}

Status KeyGuard::Push(const Batch& batch) {
  Strings keys, rows;
  LEAT_RETURN(EncodeKeyColumns(schema_, key_, batch, &keys));
  LEAT_RETURN(EncodeRows(batch.columns, TypesOf(schema_), batch.rows, &rows));
  std::vector<int64_t> weights;
  for (int64_t i = 0; i < batch.rows; ++i) {
    weights.push_back(batch.weight(i));
    if (batch.weight(i) > 0) touched_.Append(keys[i]);
  }
  return index_->Apply(keys, rows, weights);
}

Status KeyGuard::Finish() {
  int64_t last = -1;
  std::string first_row;
  const Status status =
      index_->Probe(touched_, [&](int64_t i, std::string_view row, int64_t weight) -> Status {
        if (weight > 1) return TwoRowsForKey(sink_, schema_, key_, row, row);
        if (weight > 0 && i == last) return TwoRowsForKey(sink_, schema_, key_, first_row, row);
        last = i;
        first_row = std::string(row);
        return Status::OK();
      });
  touched_.Clear();
  return status;
}

}  // namespace leat
