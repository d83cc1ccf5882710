// A column of some Arrow type as a column of a declared one.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

#include "data/text.h"
#include "data/type.h"
#include "format/column_parser.h"

namespace leat {

// Whether columns of `from` may be read as `type` at all.
Status CanConvert(const arrow::DataType& from, const Type& type);

// Values keep their exact meaning or are null in the result and listed in `bad`. Text columns may
// stay dictionary encoded. REQUIRES: CanConvert.
Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& column,
                                                    const Type& type, const TextSettings& settings,
                                                    std::vector<BadValue>* bad);

}  // namespace leat
