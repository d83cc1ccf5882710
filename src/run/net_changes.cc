#include "run/net_changes.h"

#include <arrow/array.h>

#include <algorithm>

#include "data/key.h"
#include "run/row_text.h"

namespace leat {
namespace {

constexpr int64_t kBatchRows = 65536;

// The rows of one pass on their way out.
class Outgoing {
 public:
  Outgoing(const std::vector<Type>& types, bool deletes, const NetChanges::Visit& visit)
      : decoder_(types), deletes_(deletes), visit_(visit) {}
  Status Add(std::string_view row) {
    LEAT_RETURN(decoder_.Append(row));
    return decoder_.rows() < kBatchRows ? Status::OK() : Flush();
  }
  Status Flush() {
    Batch batch{.rows = decoder_.rows()};
    if (batch.rows == 0) return Status::OK();
    LEAT_ASSIGN(batch.columns, decoder_.Finish());
    if (deletes_) {
      LEAT_ASSIGN(batch, Negate(batch));
    }
    return visit_(batch);
  }

 private:
  RowDecoder decoder_;
  const bool deletes_;
  const NetChanges::Visit& visit_;
};

}  // namespace

NetChanges::NetChanges(std::string sink, Schema schema, std::vector<int> key)
    : memory_(StateMemory::Current()),
      sink_(std::move(sink)),
      schema_(std::move(schema)),
      key_(std::move(key)),
      types_(TypesOf(schema_)),
      net_(MakeIndex()) {}

Status NetChanges::Add(const Batch& batch) {
  LEAT_RETURN(EncodeKeyColumns(schema_, key_, batch, &keys_));
  LEAT_RETURN(EncodeRows(batch.columns, types_, batch.rows, &rows_));
  for (int64_t i = 0; i < batch.rows; ++i) weights_.push_back(batch.weight(i));
  if (batch.weights) {
    takes_back_ = takes_back_ || std::any_of(weights_.end() - batch.rows, weights_.end(),
                                             [](int64_t weight) { return weight < 0; });
  }
  rows_added_ += batch.rows;
  const auto waiting = static_cast<int64_t>(keys_.bytes.size() + rows_.bytes.size());
  return waiting < memory_->delta_bytes_max() ? Status::OK() : Flush();
}

int64_t NetChanges::bytes() const {
  return net_->stats().bytes + static_cast<int64_t>(keys_.bytes.size() + rows_.bytes.size());
}

Status NetChanges::Flush() {
  LEAT_RETURN(net_->Apply(keys_, rows_, weights_));
  keys_ = {};
  rows_ = {};
  weights_ = {};
  return Status::OK();
}

Status NetChanges::Take(const Visit& visit) {
  LEAT_RETURN(Flush());
  if (takes_back_) LEAT_RETURN(Pass(true, visit));
  LEAT_RETURN(Pass(false, visit));
  const MemoryScope scope(memory_);
  net_ = MakeIndex();
  rows_added_ = 0;
  takes_back_ = false;
  return Status::OK();
}

Status NetChanges::Pass(bool deletes, const Visit& visit) const {
  Outgoing out(types_, deletes, visit);
  std::string key, gone, present;
  bool has_gone = false, has_present = false;
  const auto finish_key = [&]() -> Status {
    if (deletes && has_gone && !has_present) return out.Add(gone);
    if (!deletes && has_present) return out.Add(present);
    return Status::OK();
  };
  LEAT_RETURN(
      net_->Scan("", "", false,
                 [&](std::string_view of, std::string_view row, int64_t weight) -> Result<bool> {
                   if (of != key) {
                     LEAT_RETURN(finish_key());
                     key = of;
                     has_gone = has_present = false;
                   }
                   if (weight < 0) {
                     gone = row;
                     has_gone = true;
                   } else if (has_present || weight > 1) {
                     return TwoRowsForKey(sink_, schema_, key_, has_present ? present : row, row);
                   } else {
                     present = row;
                     has_present = true;
                   }
                   return true;
                 }));
  LEAT_RETURN(finish_key());
  return out.Flush();
}

}  // namespace leat
