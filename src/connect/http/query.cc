#include "connect/http/query.h"

#include <algorithm>

#include "connect/http/request.h"
#include "connect/json.h"
#include "connect/options.h"
#include "connect/secrets.h"
#include "data/text.h"
#include "format/json_reader.h"

namespace leat {
namespace {

Result<std::vector<EachRow>> ReadRows(const std::string& text) {
  std::vector<EachRow> rows;
  JsonScanner json(text);
  const auto read_row = [&] {
    EachRow& row = rows.emplace_back();
    if (json.Peek() != JsonKind::kObject) return false;
    json.Enter();
    std::string_view key;
    for (bool first = true; json.NextKey(first, &key); first = false) {
      std::string name;
      if (!UnescapeJson(key, &name)) return false;
      if (json.Peek() == JsonKind::kNull) {
        std::string_view null;
        if (!json.Scalar(&null)) return false;
        row[name] = std::nullopt;
        continue;
      }
      if (!ReadJson(&json, &row[name].emplace())) return false;
    }
    return json.ok();
  };
  if (!ReadJsonArray(&json, read_row) || !json.AtEnd()) {
    return InvalidValue("for_each_rows", text, "Write a JSON array of objects of strings.");
  }
  return rows;
}

Status TakeCursor(const Relation& relation, HttpQuery* query) {
  const Schema schema = relation.schema();
  LEAT_ASSIGN(const auto columns, ColumnList(relation.options, "cursor", schema));
  if (columns.empty()) return Status::OK();
  if (columns.size() > 1) {
    return InvalidValue("cursor", OptionOr(relation.options, "cursor", ""), "Name one column.");
  }
  query->cursor = columns[0];
  const Type& type = schema.columns[static_cast<size_t>(columns[0])].type;
  switch (type.id) {
    case TypeId::kInt4:
    case TypeId::kInt8: {
      query->cursor_start = OptionOr(relation.options, "cursor_start", "0");
      LEAT_ASSIGN(query->overlap, CountOption(relation.options, "overlap", 0));
      break;
    }
    case TypeId::kDate:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz: {
      query->cursor_start = OptionOr(relation.options, "cursor_start", "1970-01-01");
      LEAT_ASSIGN(const auto overlap, TimeOption(relation.options, "overlap", {}));
      constexpr std::chrono::hours kDay(24);
      query->overlap = type.id == TypeId::kDate ? overlap / kDay : overlap.count();
      break;
    }
    default:
      return SqlStatus(
          fmt::format("column \"{}\" of type {} cannot be a cursor",
                      schema.columns[static_cast<size_t>(columns[0])].name, TypeName(type)),
          {.sqlstate = kDatatypeMismatch,
           .location = relation.location,
           .hint = "A cursor is an integer, a bigint, a date, or a timestamp."});
  }
  return ParseValue(query->cursor_start, type, {}).status();
}

}  // namespace

Result<HttpQuery> HttpQuery::Make(const Server& server, const Relation& relation) {
  const Options& options = relation.options;
  LEAT_ASSIGN(const Options secrets, OpenSecrets(server.credentials));
  HttpQuery query{.base = OptionOr(server.options, "url", ""),
                  .path = OptionOr(options, "path", ""),
                  .secrets = secrets,
                  .root = JsonRoot(options),
                  .next = OptionOr(options, "next", ""),
                  .page = OptionOr(options, "page", "")};
  while (query.base.ends_with('/')) query.base.pop_back();
  if (!query.path.empty() && !query.path.starts_with('/')) query.path.insert(0, "/");
  constexpr std::array<std::string_view, 1> kFormats = {"json"};
  LEAT_RETURN(ChoiceOption(options, "format", kFormats).status());
  std::string_view headers =
      options.contains("headers") ? options.at("headers") : std::string_view();
  while (!headers.empty()) {
    const size_t end = std::min(headers.find('\n'), headers.size());
    if (end > 0) query.headers.emplace_back(headers.substr(0, end));
    headers.remove_prefix(std::min(end + 1, headers.size()));
  }
  if (!query.next.empty() && !query.page.empty()) {
    return InvalidValue("page", query.page, "Pages are counted, or linked by \"next\", not both.");
  }
  LEAT_ASSIGN(query.page_first, CountOption(options, "page_first", 1));
  LEAT_ASSIGN(query.retries, CountOption(options, "retries", 3));
  LEAT_ASSIGN(query.every, TimeOption(options, "every", std::chrono::minutes(10)));
  LEAT_ASSIGN(const auto timeout, TimeOption(options, "timeout", std::chrono::seconds(30)));
  query.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  query.deduplicate = options.contains("key") || !relation.primary_key.empty();
  LEAT_RETURN(TakeCursor(relation, &query));
  if (!options.contains("for_each")) {
    query.each.emplace_back();
  } else if (server.options.contains("for_each_rows")) {
    LEAT_ASSIGN(query.each, ReadRows(server.options.at("for_each_rows")));
  }
  return query;
}

Result<std::string> HttpQuery::Fill(std::string_view text, const EachRow& row,
                                    const std::string& cursor, bool encode) const {
  std::string out;
  while (!text.empty()) {
    const size_t open = std::min(text.find('{'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const size_t close = text.find('}');
    if (close == text.npos) return InvalidValue("path", path, "A brace has no end.");
    const std::string name(text.substr(1, close - 1));
    text.remove_prefix(close + 1);
    std::string value;
    if (const auto found = row.find(name); found != row.end()) {
      value = found->second.value_or("");
    } else if (const auto secret = secrets.find(name); secret != secrets.end()) {
      value = secret->second;
    } else if (name == "cursor" && this->cursor >= 0) {
      value = cursor;
    } else {
      return SqlStatus(
          fmt::format("\"{{{}}}\" in the option \"path\" names nothing", name),
          {.sqlstate = kUndefinedColumn,
           .hint = "It is a column of the relation in \"for_each\", an option of the USER MAPPING, "
                   "or \"cursor\"."});
    }
    out += encode ? UrlEncode(value) : value;
  }
  return out;
}

std::string HttpQuery::Redact(std::string text) const {
  for (const auto& [name, secret] : secrets) {
    for (const std::string& form : {secret, UrlEncode(secret)}) {
      if (form.empty()) continue;
      for (size_t at = 0; (at = text.find(form, at)) != text.npos;) {
        text.replace(at, form.size(), "{" + name + "}");
        at += name.size() + 2;
      }
    }
  }
  return text;
}

}  // namespace leat
