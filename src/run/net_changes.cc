#include "run/net_changes.h"

#include "data/key.h"
#include "run/row_text.h"

namespace leat {
namespace {

Result<Batch> Decode(const std::vector<Type>& types, const std::vector<const std::string*>& rows) {
  RowDecoder decoder(types);
  for (const std::string* row : rows) LEAT_RETURN(decoder.Append(*row));
  Batch batch{.rows = static_cast<int64_t>(rows.size())};
  LEAT_ASSIGN(batch.columns, decoder.Finish());
  return batch;
}

}  // namespace

NetChanges::NetChanges(std::string sink, Schema schema, std::vector<int> key)
    : sink_(std::move(sink)),
      schema_(std::move(schema)),
      key_(std::move(key)),
      types_(TypesOf(schema_)) {}

Status NetChanges::Add(const Batch& batch) {
  Strings keys, rows;
  LEAT_RETURN(EncodeKeyColumns(schema_, key_, batch, &keys));
  LEAT_RETURN(EncodeRows(batch.columns, types_, batch.rows, &rows));
  for (int64_t i = 0; i < batch.rows; ++i) {
    auto& of_key = keys_[std::string(keys[i])];
    const auto [it, added] = of_key.try_emplace(std::string(rows[i]), 0);
    it->second += batch.weight(i);
    if (added) bytes_ += static_cast<int64_t>(keys[i].size() + rows[i].size()) + 128;
    // A key whose rows cancel stays, empty: it costs little, and nothing is to be done for it.
    if (it->second == 0) of_key.erase(it);
  }
  return Status::OK();
}

Result<NetChanges::Changes> NetChanges::Take() {
  std::vector<const std::string*> deleted, upserted;
  for (const auto& [key, rows] : keys_) {
    const std::string* present = nullptr;
    const std::string* gone = nullptr;
    for (const auto& [row, weight] : rows) {
      if (weight < 0) gone = &row;
      if (weight <= 0) continue;
      if (present != nullptr || weight > 1) {
        return TwoRowsForKey(sink_, schema_, key_, present != nullptr ? *present : row, row);
      }
      present = &row;
    }
    if (present != nullptr)
      upserted.push_back(present);
    else if (gone != nullptr)
      deleted.push_back(gone);
  }
  Changes changes;
  LEAT_ASSIGN(changes.deletes, Decode(types_, deleted));
  LEAT_ASSIGN(changes.upserts, Decode(types_, upserted));
  LEAT_ASSIGN(changes.deletes, Negate(changes.deletes));
  keys_.clear();
  bytes_ = 0;
  return changes;
}

}  // namespace leat
