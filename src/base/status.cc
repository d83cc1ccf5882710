#include "base/status.h"

#include <algorithm>
#include <string_view>

namespace leat {
namespace {

constexpr const char* kTypeId = "leat::SqlError";

class SqlDetail : public arrow::StatusDetail {
 public:
  explicit SqlDetail(SqlError error) : error_(std::move(error)) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return error_.hint; }
  const SqlError& error() const { return error_; }

 private:
  SqlError error_;
};

// Columns that a terminal gives to UTF-8 text: its code points.
int64_t Width(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

// "LINE 2: SELECT temp_mx\n               ^\n"
std::string Caret(std::string_view sql, size_t location) {
  const auto before = sql.substr(0, location);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t newline = before.rfind('\n');
  const size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const auto text = sql.substr(begin, sql.find('\n', location) - begin);
  const auto label = fmt::format("LINE {}: ", line);
  const auto indent =
      label.size() + static_cast<size_t>(Width(sql.substr(begin, location - begin)));
  return fmt::format("{}{}\n{}^\n", label, text, std::string(indent, ' '));
}

}  // namespace

Status SqlStatus(std::string message, SqlError error) {
  return Status(arrow::StatusCode::Invalid, std::move(message),
                std::make_shared<SqlDetail>(std::move(error)));
}

const SqlError* SqlErrorOf(const Status& status) {
  const auto& detail = status.detail();
  if (!detail || std::string_view(detail->type_id()) != kTypeId) return nullptr;
  return &static_cast<const SqlDetail&>(*detail).error();
}

Status NotSupported(std::string what, int location, std::string hint) {
  return SqlStatus(std::move(what),
                   {.sqlstate = "0A000", .location = location, .hint = std::move(hint)});
}

std::string FormatError(const Status& status, std::string_view sql) {
  std::string text = fmt::format("ERROR:  {}\n", status.message());
  const SqlError* error = SqlErrorOf(status);
  if (error == nullptr) return text;
  if (error->location >= 0 && static_cast<size_t>(error->location) <= sql.size()) {
    text += Caret(sql, static_cast<size_t>(error->location));
  }
  if (!error->detail.empty()) text += fmt::format("DETAIL:  {}\n", error->detail);
  if (!error->hint.empty()) text += fmt::format("HINT:  {}\n", error->hint);
  return text;
}

}  // namespace leat
