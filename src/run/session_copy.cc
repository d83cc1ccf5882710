// COPY: text and files into tables, and queries out.
#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "connect/options.h"
#include "data/text.h"
#include "format/format.h"
#include "run/session.h"

namespace leat {
namespace {

// A field of COPY's text format: nullopt for \N; escapes resolved.
std::optional<std::string> UnescapeCopy(std::string_view field, std::string_view null) {
  if (field == null) return std::nullopt;
  std::string text;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      text += field[i];
      continue;
    }
    constexpr std::string_view kFrom = "bfnrtv", kTo = "\b\f\n\r\t\v";
    const char next = field[++i];
    const size_t known = kFrom.find(next);
    text += known == kFrom.npos ? next : kTo[known];
  }
  return text;
}

// A temporary file that goes with its scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& extension)
      : path_((std::filesystem::temp_directory_path() /
               fmt::format("leat-copy-{}-{}.{}", ::getpid(), ++made_, extension))
                  .string()) {}
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  static inline std::atomic<int> made_ = 0;
  const std::string path_;
};

// The format of the bytes that stand for a source's files: as declared, else as its path ends, and
// never compressed.
std::string FixtureFormat(const Relation& relation) {
  std::string format = OptionOr(relation.options, "format", "");
  if (!format.empty()) return format;
  const std::string path = OptionOr(relation.options, "path", "");
  std::string_view name = path;
  for (const std::string_view packed : {".gz", ".zst", ".zstd"}) {
    if (name.ends_with(packed)) name.remove_suffix(packed.size());
  }
  const size_t dot = name.rfind('.');
  return dot == name.npos ? "csv" : std::string(name.substr(dot + 1));
}

// The relation with the columns that COPY lists, in their order; all of them if it lists none.
Relation Listed(const Relation& relation, const std::vector<std::string>& names) {
  Relation listed = relation;
  if (names.empty()) return listed;
  listed.columns.clear();
  for (const std::string& name : names) {
    listed.columns.push_back(relation.columns[static_cast<size_t>(relation.schema().Find(name))]);
  }
  return listed;
}

// Rows of the listed columns as rows of the relation, the others by default.
Result<Batch> WithDefaults(const Relation& relation, const std::vector<std::string>& names,
                           const Batch& rows, const EvalContext& context) {
  if (names.empty()) return rows;
  Batch out{.rows = rows.rows};
  for (const ColumnSpec& spec : relation.columns) {
    const auto found = std::find(names.begin(), names.end(), spec.column.name);
    if (found != names.end()) {
      out.columns.push_back(rows.columns[static_cast<size_t>(found - names.begin())]);
      continue;
    }
    if (!spec.default_value) {
      LEAT_ASSIGN(auto nulls, arrow::MakeArrayOfNull(ArrowType(spec.column.type), rows.rows));
      out.columns.push_back(std::move(nulls));
      continue;
    }
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(auto column, Evaluate(*spec.default_value, rows, context, {}, &errors));
    LEAT_RETURN(errors.status());
    out.columns.push_back(std::move(column));
  }
  return out;
}

// How COPY TO writes a value.
struct CopyStyle {
  bool csv = false;
  bool header = false;
  bool quote_all = false;  // FORCE_QUOTE *
  char delimiter = '\t';
  char quote = '"';
  char escape = '"';
  std::string null;
};

Result<char> OneByte(const Options& options, const std::string& name, char otherwise) {
  const auto found = options.find(name);
  if (found == options.end()) return otherwise;
  if (found->second.size() == 1) return found->second[0];
  return SqlStatus(fmt::format("COPY {} must be a single one-byte character", name),
                   {.sqlstate = "0A000"});
}

Result<CopyStyle> StyleOf(const Options& options) {
  CopyStyle style;
  style.csv = OptionOr(options, "format", "text") == "csv";
  const std::string header = OptionOr(options, "header", "false");
  style.header = header != "false" && header != "off" && header != "0";
  style.null = OptionOr(options, "null", style.csv ? "" : "\\N");
  LEAT_ASSIGN(style.delimiter, OneByte(options, "delimiter", style.csv ? ',' : '\t'));
  LEAT_ASSIGN(style.quote, OneByte(options, "quote", '"'));
  LEAT_ASSIGN(style.escape, OneByte(options, "escape", style.quote));
  if (const auto force = options.find("force_quote"); force != options.end()) {
    if (!style.csv) {
      return SqlStatus("COPY force quote available only in CSV mode", {.sqlstate = "0A000"});
    }
    if (force->second != "*" && force->second != "true") {
      return NotSupported("FORCE_QUOTE of some columns is not supported", -1, "FORCE_QUOTE * is.");
    }
    style.quote_all = true;
  }
  return style;
}

void AppendEscaped(std::string_view value, char delimiter, std::string* out) {
  constexpr std::string_view kFrom = "\b\f\n\r\t\v\\", kTo = "bfnrtv\\";
  for (const char c : value) {
    const size_t known = kFrom.find(c);
    if (known != kFrom.npos) {
      *out += '\\';
      *out += kTo[known];
      continue;
    }
    if (c == delimiter) *out += '\\';
    *out += c;
  }
}

void AppendCsv(std::string_view value, const CopyStyle& style, bool alone, std::string* out) {
  const char special[] = {style.delimiter, style.quote, '\n', '\r'};
  const bool quoted = style.quote_all || value == style.null || (alone && value == "\\.") ||
                      value.find_first_of(std::string_view(special, 4)) != value.npos;
  if (!quoted) {
    *out += value;
    return;
  }
  *out += style.quote;
  for (const char c : value) {
    if (c == style.quote || c == style.escape) *out += style.escape;
    *out += c;
  }
  *out += style.quote;
}

void AppendField(std::string_view value, const CopyStyle& style, bool alone, std::string* out) {
  if (style.csv) {
    AppendCsv(value, style, alone, out);
  } else {
    AppendEscaped(value, style.delimiter, out);
  }
}

Result<std::string> CopyLines(const Schema& schema, const Batch& rows, const CopyStyle& style,
                              const std::string& timezone) {
  std::vector<std::shared_ptr<arrow::Array>> texts;
  for (size_t i = 0; i < rows.columns.size(); ++i) {
    LEAT_ASSIGN(auto text, ToTextColumn(*Plain(rows.columns[i]), schema.columns[i].type,
                                        {.timezone = timezone}));
    texts.push_back(std::move(text));
  }
  std::string out;
  const bool alone = texts.size() == 1;
  for (size_t i = 0; style.header && i < texts.size(); ++i) {
    if (i > 0) out += style.delimiter;
    AppendField(schema.columns[i].name, style, alone, &out);
  }
  if (style.header) out += '\n';
  for (int64_t row = 0; row < rows.rows; ++row) {
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i > 0) out += style.delimiter;
      const auto& text = static_cast<const arrow::StringArray&>(*texts[i]);
      if (text.IsNull(row)) {
        out += style.null;
      } else {
        AppendField(text.GetView(row), style, alone, &out);
      }
    }
    out += '\n';
  }
  return out;
}

}  // namespace

Result<StatementResult> Session::RunCopy(const CopyFrom& copy, const LineReader& input) {
  const std::string format = OptionOr(copy.options, "format", "text");
  if (copy.path.empty() && !input) return NotSupported("COPY FROM stdin has no input here");
  int64_t rows = 0;
  if (!copy.path.empty()) {
    LEAT_ASSIGN(rows, CopyFile(copy, copy.path));
  } else if (format == "text" && !fixtures_.contains(copy.table)) {
    LEAT_ASSIGN(rows, CopyText(copy, input));
  } else {
    const TemporaryFile file(format == "text" ? "csv" : format);
    std::ofstream out(file.path(), std::ios::binary);
    for (auto line = input(); line && *line != "\\."; line = input()) out << *line << '\n';
    out.close();
    LEAT_ASSIGN(rows, CopyFile(copy, file.path()));
  }
  return StatementResult{.tag = fmt::format("COPY {}", rows)};
}

Result<int64_t> Session::CopyText(const CopyFrom& copy, const LineReader& input) {
  const Relation relation = Listed(*catalog_.FindRelation(copy.table), copy.columns);
  const std::string delimiter = OptionOr(copy.options, "delimiter", "\t");
  const std::string null = OptionOr(copy.options, "null", "\\N");
  std::vector<std::unique_ptr<arrow::StringBuilder>> texts;
  for (size_t i = 0; i < relation.columns.size(); ++i)
    texts.push_back(std::make_unique<arrow::StringBuilder>());
  int64_t lines = 0;
  if (OptionOr(copy.options, "header", "false") != "false") input();
  for (auto line = input(); line && *line != "\\."; line = input()) {
    ++lines;
    size_t at = 0;
    for (size_t column = 0; column < texts.size(); ++column) {
      const size_t end = std::min(line->find(delimiter, at), line->size());
      if (at > line->size()) {
        return SqlStatus(
            fmt::format("missing data for column \"{}\"", relation.columns[column].column.name),
            {.sqlstate = "22P04",
             .detail = fmt::format("COPY {}, line {}: \"{}\"", copy.table, lines, *line)});
      }
      const auto value = UnescapeCopy(std::string_view(*line).substr(at, end - at), null);
      LEAT_RETURN(value ? texts[column]->Append(*value) : texts[column]->AppendNull());
      at = end + delimiter.size();
    }
    if (at <= line->size()) {
      return SqlStatus(
          "extra data after last expected column",
          {.sqlstate = "22P04",
           .detail = fmt::format("COPY {}, line {}: \"{}\"", copy.table, lines, *line)});
    }
  }
  Batch rows{.rows = lines};
  Status bad;
  for (size_t column = 0; column < texts.size(); ++column) {
    LEAT_ASSIGN(auto text, texts[column]->Finish());
    LEAT_ASSIGN(auto values,
                FromTextColumn(*text, relation.columns[column].column.type, {.timezone = timezone_},
                               [&](int64_t, const Status& status) { bad = status; }));
    LEAT_RETURN(bad);
    rows.columns.push_back(std::move(values));
  }
  LEAT_ASSIGN(rows, WithDefaults(*catalog_.FindRelation(copy.table), copy.columns, rows, Eval()));
  LEAT_ASSIGN(const Batch added, AddRows(copy.table, std::move(rows)));
  return added.rows;
}

// A file (or a fixture's raw bytes) through the reader of its format: wrong rows of a fixture are
// rejects, those of a table fail the COPY.
Result<int64_t> Session::CopyFile(const CopyFrom& copy, const std::string& path) {
  const Relation& whole = *catalog_.FindRelation(copy.table);
  const Relation relation = Listed(whole, copy.columns);
  const bool fixture = fixtures_.contains(copy.table);
  ReadOptions options{.options = fixture ? relation.options : copy.options};
  if (!fixture) options.options.try_emplace("header", "false");  // as PostgreSQL's COPY has it
  const std::string prefix = fixture ? OptionOr(relation.options, "strip_prefix", "") : "";
  for (const ColumnSpec& spec : relation.columns) {
    const std::string& name = spec.column.name;
    const bool renamed = !spec.outside_name.empty() && spec.outside_name != name;
    options.columns.push_back({spec.column, renamed ? spec.outside_name : prefix + name, spec.path,
                               spec.on_error == OnError::kNull});
  }
  const std::string format =
      fixture ? FixtureFormat(relation) : OptionOr(copy.options, "format", "csv");
  LEAT_ASSIGN(auto reader, OpenFile(path, format, options, {}));
  int64_t rows = 0;
  while (true) {
    LEAT_ASSIGN(auto chunk, reader->Next());
    if (!chunk) return rows;
    if (!chunk->rejects.empty() && !fixture) {
      const Reject& first = chunk->rejects[0];
      return SqlStatus(first.reason,
                       {.sqlstate = kInvalidText,
                        .detail = fmt::format("COPY {}, line {}, column {}: {}", copy.table,
                                              first.line, first.column, first.raw)});
    }
    LEAT_RETURN(
        rejects_.Add(copy.table, "", chunk->rejects, {.number = 1, .clock = Eval().now}).status());
    LEAT_ASSIGN(Batch complete, WithDefaults(whole, copy.columns, chunk->batch, Eval()));
    LEAT_ASSIGN(const Batch added, AddRows(copy.table, std::move(complete)));
    rows += added.rows;
  }
}

Result<StatementResult> Session::RunCopyTo(const CopyTo& copy) {
  LEAT_ASSIGN(const CopyStyle style, StyleOf(copy.options));
  LEAT_ASSIGN(const StatementResult answer, Answer(copy.query, {}));
  StatementResult result{.tag = fmt::format("COPY {}", answer.rows.rows)};
  LEAT_ASSIGN(std::string lines, CopyLines(answer.schema, answer.rows, style, timezone_));
  if (copy.path.empty()) {
    result.output = std::move(lines);
    return result;
  }
  std::ofstream out(copy.path, std::ios::binary);
  out << lines;
  out.close();
  if (out.fail()) return IOErrorF("could not write file \"{}\"", copy.path);
  return result;
}

}  // namespace leat
