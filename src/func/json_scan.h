// Walking through JSON text that is known to be right; private to func.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace leat {

// The kind of a value by its first character: { [ " t f n, or 0 for a number.
char JsonKindOf(std::string_view value);
// The value without blanks around it.
std::string_view JsonTrimmed(std::string_view value);
// Calls `visit` with each member's key (as written, in quotes) and value, until it returns false.
void EachJsonMember(std::string_view object,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit);
void EachJsonElement(std::string_view array,
                     const std::function<bool(std::string_view value)>& visit);
// The text that a JSON string means. REQUIRES: in quotes.
std::string JsonUnquoted(std::string_view text);
// Appends a text as a JSON string, as PostgreSQL's escape_json.
void AppendJsonQuoted(std::string_view text, std::string* out);

}  // namespace leat
