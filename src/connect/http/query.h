// What is asked of an API: a foreign table's options, parsed.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"

namespace leat {

// A row of `for_each`: column → text, nothing for null.
using EachRow = std::map<std::string, std::optional<std::string>>;

struct HttpQuery {
  static Result<HttpQuery> Make(const Server& server, const Relation& relation);

  std::string base;                  // the server's url, without a slash at its end
  std::string path;                  // with names in braces
  std::vector<std::string> headers;  // also
  std::vector<EachRow> each;         // one row without columns where there is no `for_each`
  std::map<std::string, std::string> secrets;
  std::vector<std::string> root;
  std::string next;  // "", "link", or a JSON path
  std::string page;
  int64_t page_first = 1;
  int cursor = -1;  // a column
  std::string cursor_start;
  int64_t overlap = 0;  // microseconds, days, or the column's own units
  bool deduplicate = false;
  std::chrono::microseconds every{0};
  std::chrono::milliseconds timeout{0};
  int64_t retries = 3;

  // Replaces names in braces; `encode` for a url.
  Result<std::string> Fill(std::string_view text, const EachRow& row, const std::string& cursor,
                           bool encode) const;
  // The text without secrets: each is its name in braces again.
  std::string Redact(std::string text) const;
};

}  // namespace leat
