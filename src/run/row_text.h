// Rows as a person reads them in a message.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/batch.h"
#include "data/strings.h"

namespace leat {

std::vector<Type> TypesOf(const Schema& schema);

// Keys for an Index from some of a batch's columns.
Status EncodeKeyColumns(const Schema& schema, const std::vector<int>& key, const Batch& batch,
                        Strings* keys);

// "(7, Ada, null)": row `i` of a batch, as PostgreSQL shows a failing row.
std::string RowValues(const Schema& schema, const Batch& batch, int64_t i);
// The same from a row's exact bytes (data/key.h).
std::string RowText(const Schema& schema, std::string_view row);
// "id=7, name=Ada, born=NULL": row `i` of a batch.
std::string NamedRowText(const Schema& schema, const Batch& batch, int64_t i);

// Two rows where a sink's key allows one: 23505, naming both.
Status TwoRowsForKey(const std::string& sink, const Schema& schema, const std::vector<int>& key,
                     std::string_view a, std::string_view b);

}  // namespace leat
