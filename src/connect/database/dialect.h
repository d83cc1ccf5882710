// What SQLite and DuckDB call things, and how our columns travel to them and back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "connect/database/driver.h"
#include "data/type.h"

namespace leat {

// The url of a server, its path relative to the option `base`.
Result<DatabaseUrl> UrlOf(const Server& server);
// The option `table`, or `name`.
std::string TableName(const Options& options, const std::string& name);

std::string QuoteName(std::string_view name);  // "a""b"
std::string QuoteText(std::string_view text);  // 'it''s'

// The type to declare a column with. SQLite has no exact decimal: up to 15 digits a numeric has
// NUMERIC affinity, beyond that it is kept as text (a type that begins with TEXT).
std::string DeclaredType(System system, const Type& type);
// The type that a declared type means; text where it is none of ours.
Type TypeOfDeclared(System system, std::string_view declared);
// Whether a column declared so can hold all values of `type`.
bool CanHold(System system, std::string_view declared, const Type& type);

// The column as the driver takes it: what it does not know becomes text. `table` and `column` name
// it in the error about a value that the system cannot hold (NaN in SQLite).
Result<std::shared_ptr<arrow::Array>> Lower(System system,
                                            const std::shared_ptr<arrow::Array>& column,
                                            const Type& type, std::string_view table,
                                            std::string_view name);
// The type of a staged column that Lower made, and the expression that makes the real value of it.
std::string StagedType(System system, const Type& type);
std::string RaiseExpression(System system, const Type& type, const std::string& quoted_name);

// How to ask for a column of `type`, never null: the value, or anything where `<name> IS NULL`.
std::string ReadExpression(System system, const Type& type, const std::string& quoted_name);
// The column that was asked for so, with `is_null` beside it (0 and 1).
Result<std::shared_ptr<arrow::Array>> Raise(System system, const arrow::Array& values,
                                            const arrow::Array& is_null, const Type& type);

}  // namespace leat
