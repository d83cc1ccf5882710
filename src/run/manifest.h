// What a checkpoint says besides the operators' states: the machine's own part of the manifest.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "connect/source.h"
#include "data/type.h"
#include "flow/operator.h"

namespace leat {

struct SourcePosition {
  std::string name;
  Offset offset;
  int64_t rows_read = 0, rows_rejected = 0;  // since the state began
};

struct Manifest {
  std::string state;  // the state's id, 32 hex digits
  Epoch epoch;        // the last one inside
  int64_t next_seq = 0;
  // All was read again and computed anew as this epoch (`leat replay`): a sink whose mark is of an
  // earlier one still holds what was answered before, and is made equal to its query. 0: none.
  int64_t mend = 0;
  std::vector<SourcePosition> sources;
  std::map<std::string, std::string> definitions;     // "sink x" or "view x" → hash of its plan
  std::map<std::string, std::vector<Column>> pinned;  // columns of `()` sources

  std::string Encode() const;
  static Result<Manifest> Decode(std::string_view bytes);
};

}  // namespace leat
