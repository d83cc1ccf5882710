// Values as Kafka Connect's JSON converter writes them with schemas: what JDBC sinks expect.
#pragma once

#include <string>

#include "data/batch.h"
#include "data/type.h"
#include "format/format.h"

namespace leat {

// {"type":"struct","fields":[…],"optional":false,"name":"outflow"}
std::string ConnectSchema(const std::string& name, const Schema& schema);

// What the payload's values are in JSON: integers for dates (days) and points in time
// (milliseconds), base64 for numeric(p,s) and bytea, text for what Connect has no type for.
Schema ConnectPayload(const Schema& schema);
// The rows in these types. An error for a time finer than milliseconds: Connect would lose it.
Result<Batch> ToConnect(const std::string& sink, const Schema& schema, const Batch& batch);

// Whether a column of this type is read through FromConnect: its JSON first.
bool IsConnectType(const Type& type);
// JSON tokens (json, as they stand) to values: what Connect writes, or the type's own text. Wrong
// ones are null and in `bad`.
Result<std::shared_ptr<arrow::Array>> FromConnect(
    const arrow::Array& tokens, const Type& type, const TextSettings& text,
    const std::function<void(int64_t row, std::string reason)>& bad);

}  // namespace leat
