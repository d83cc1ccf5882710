// Rows of a Z-set as a sink without weights takes them.
#pragma once

#include <string>

#include "data/batch.h"

namespace leat {

// The batch with every row as often as its weight says, without weights. An error names the sink if
// a row is taken back: `run` plans such queries into other modes.
Result<Batch> RowsThatCame(const Batch& batch, const std::string& sink);

// The rows that came, as above, and the rows that went, once each.
struct CameAndWent {
  Batch came, went;
};
Result<CameAndWent> SplitByWeight(const Batch& batch);

}  // namespace leat
