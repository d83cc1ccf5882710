// The statements that change local tables.
#include <arrow/array.h>
#include <arrow/builder.h>

#include <filesystem>
#include <fstream>

#include "connect/options.h"
#include "data/text.h"
#include "format/format.h"
#include "plan/expand.h"
#include "run/row_text.h"
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

// Splits rows into those that keep the constraints and the errors of the others.
Result<std::vector<std::pair<int32_t, std::string>>> Violations(const Relation& relation,
                                                                const Batch& rows,
                                                                const EvalContext& context) {
  std::vector<std::pair<int32_t, std::string>> violations;
  if (CheckConstraints(relation, rows, context).ok()) return violations;
  for (int32_t i = 0; i < rows.rows; ++i) {
    const Status status = CheckConstraints(relation, Slice(rows, i, 1), context);
    if (!status.ok()) violations.emplace_back(i, status.message());
  }
  return violations;
}

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

}  // namespace

void Session::Record(const std::string& table, Batch delta) {
  if (delta.rows > 0) history_.push_back({table, std::move(delta), Eval().now});
}

void Session::EndEpoch(Change::Then then) {
  if (!history_.empty()) history_.back().then = then;
}

int64_t Session::history_rows() const {
  int64_t rows = 0;
  for (const Change& change : history_) rows += change.delta.rows;
  return rows;
}

LocalTable* Session::FindTable(const std::string& name) {
  const auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : it->second.get();
}

Result<Batch> Session::AddRows(const std::string& table, Batch rows) {
  rows.seq = nullptr;
  if (fixtures_.contains(table)) {
    const Relation& relation = *catalog_.FindRelation(table);
    LEAT_ASSIGN(const auto violations, Violations(relation, rows, Eval()));
    std::vector<Reject> rejects;
    std::vector<int32_t> kept;
    size_t next = 0;
    for (int32_t i = 0; i < rows.rows; ++i) {
      if (next == violations.size() || violations[next].first != i) {
        kept.push_back(i);
        continue;
      }
      rejects.push_back({.row = i,
                         .raw = RowValues(relation.schema(), rows, i),
                         .reason = violations[next++].second});
    }
    LEAT_RETURN(rejects_.Add(table, "", rejects, {.number = 1, .clock = Eval().now}).status());
    LEAT_ASSIGN(rows, Take(rows, kept));
  }
  LEAT_ASSIGN(Batch delta, FindTable(table)->Insert(rows, &next_seq_, Eval()));
  Record(table, delta);
  return delta;
}

Result<Batch> Session::RowsOf(const LogicalPtr& query) {
  LEAT_ASSIGN(const LogicalPtr expanded, Expand(query));
  LEAT_ASSIGN(auto batches, AnswerOnce(expanded, OwnCores()));
  for (Batch& batch : batches) batch.seq = nullptr;
  return Concatenate(expanded->schema, batches);
}

Result<std::pair<std::vector<int32_t>, Batch>> Session::Chosen(const LogicalPtr& rows) {
  LEAT_ASSIGN(const Batch all, RowsOf(rows));
  const auto& places = static_cast<const arrow::Int64Array&>(*all.columns[0]);
  std::map<int32_t, int32_t> first;  // place → row of `all`
  for (int32_t i = 0; i < all.rows; ++i) {
    first.try_emplace(static_cast<int32_t>(places.Value(i)), i);
  }
  std::vector<int32_t> chosen, taken;
  for (const auto& [place, row] : first) {
    chosen.push_back(place);
    taken.push_back(row);
  }
  LEAT_ASSIGN(Batch values, Take(all, taken));
  values.columns.erase(values.columns.begin());
  return std::make_pair(std::move(chosen), std::move(values));
}

Result<StatementResult> Session::RunCreateAs(CreateTableAs as) {
  const std::string name = as.create.relation.name;
  if (as.create.if_not_exists && catalog_.FindRelation(name) != nullptr) {
    return StatementResult{.tag = "CREATE TABLE AS"};
  }
  Batch rows = EmptyBatch(as.create.relation.schema());
  if (as.with_data) {
    Query query = as.query;
    LEAT_ASSIGN(const StatementResult answer, Answer(query, {}));  // in its ORDER BY
    rows = answer.rows;
  }
  LEAT_RETURN(RunCreate(std::move(as.create)).status());
  LEAT_ASSIGN(const Batch added, AddRows(name, std::move(rows)));
  return StatementResult{.tag = as.with_data ? fmt::format("SELECT {}", added.rows)
                                             : std::string("CREATE TABLE AS")};
}

Result<StatementResult> Session::RunCreateIndex(const CreateIndex& create) {
  const StatementResult done{.tag = "CREATE INDEX"};
  if (create.exists) return done;
  if (create.index.unique) {
    LEAT_RETURN(FindTable(create.table)->AddUnique(create.index.name, create.index.columns));
  }
  catalog_.FindRelation(create.table)->indexes.push_back(create.index);
  return done;
}

Result<StatementResult> Session::RunDropIndex(const DropIndex& drop) {
  for (const std::string& name : drop.names) {
    for (auto& [table, contents] : tables_) {
      contents->DropUnique(name);
      std::erase_if(catalog_.FindRelation(table)->indexes,
                    [&](const IndexSpec& index) { return index.name == name; });
    }
  }
  return StatementResult{.tag = "DROP INDEX"};
}

Result<StatementResult> Session::RunInsert(const InsertRows& insert) {
  LEAT_ASSIGN(Batch rows, RowsOf(VisibleColumns(insert.query)));
  if (insert.conflict) return RunUpsert(insert, std::move(rows));
  // What RETURNING cannot compute stops the statement before anything has changed. (A fixture's
  // rows may be rejected; they are not known before.)
  const bool fixture = fixtures_.contains(insert.table);
  StatementResult result;
  if (!fixture) {
    LEAT_ASSIGN(result, Returned(insert.returning, rows, fmt::format("INSERT 0 {}", rows.rows)));
  }
  LEAT_ASSIGN(const Batch added, AddRows(insert.table, std::move(rows)));
  if (!fixture) return result;
  return Returned(insert.returning, added, fmt::format("INSERT 0 {}", added.rows));
}

Result<StatementResult> Session::Returned(const std::optional<Returning>& returning,
                                          const Batch& rows, std::string tag) const {
  StatementResult result{.tag = std::move(tag)};
  if (!returning) return result;
  result.has_rows = true;
  result.schema = returning->schema;
  result.rows.rows = rows.rows;
  for (const ExprPtr& expr : returning->exprs) {
    ErrorMask errors(rows.rows);
    LEAT_ASSIGN(auto column, Evaluate(*expr, rows, Eval(), {}, &errors));
    LEAT_RETURN(errors.status());
    result.rows.columns.push_back(std::move(column));
  }
  return result;
}

Result<std::vector<int32_t>> Session::Matching(LocalTable* table, const ExprPtr& where) {
  LEAT_ASSIGN(const Batch all, table->contents());
  if (!where) {
    std::vector<int32_t> rows(static_cast<size_t>(all.rows));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
    return rows;
  }
  ErrorMask errors(all.rows);
  LEAT_ASSIGN(auto rows, EvaluateFilter(*where, all, Eval(), &errors));
  LEAT_RETURN(errors.status());
  return rows;
}

Result<StatementResult> Session::RunDelete(const DeleteRows& remove) {
  LocalTable* table = FindTable(remove.table);
  std::vector<int32_t> rows;
  Batch behind;
  if (remove.rows) {
    LEAT_ASSIGN(auto chosen, Chosen(remove.rows));
    rows = std::move(chosen.first);
    behind = std::move(chosen.second);
  } else {
    LEAT_ASSIGN(rows, Matching(table, remove.where));
  }
  LEAT_ASSIGN(const Batch all, table->contents());
  LEAT_ASSIGN(Batch gone, Take(all, rows));
  gone.columns.insert(gone.columns.end(), behind.columns.begin(), behind.columns.end());
  // What RETURNING cannot compute stops the statement before anything has changed.
  LEAT_ASSIGN(auto result, Returned(remove.returning, gone, fmt::format("DELETE {}", rows.size())));
  LEAT_ASSIGN(Batch delta, table->Delete(rows));
  Record(remove.table, std::move(delta));
  return result;
}

Result<StatementResult> Session::RunUpdate(const UpdateRows& update) {
  LocalTable* table = FindTable(update.table);
  std::vector<int32_t> rows;
  Batch values;
  Batch behind;
  if (update.rows) {
    LEAT_ASSIGN(auto chosen, Chosen(update.rows));
    rows = std::move(chosen.first);
    values = std::move(chosen.second);
    const auto width = static_cast<ptrdiff_t>(update.values.size());
    behind.columns.assign(values.columns.begin() + width, values.columns.end());
    values.columns.resize(update.values.size());
  } else {
    LEAT_ASSIGN(rows, Matching(table, update.where));
    LEAT_ASSIGN(const Batch all, table->contents());
    LEAT_ASSIGN(const Batch old, Take(all, rows));
    values.rows = old.rows;
    for (const ExprPtr& expr : update.values) {
      ErrorMask errors(old.rows);
      LEAT_ASSIGN(auto column, Evaluate(*expr, old, Eval(), {}, &errors));
      LEAT_RETURN(errors.status());
      values.columns.push_back(std::move(column));
    }
  }
  Batch now = values;
  now.columns.insert(now.columns.end(), behind.columns.begin(), behind.columns.end());
  LEAT_ASSIGN(auto result, Returned(update.returning, now, fmt::format("UPDATE {}", rows.size())));
  LEAT_ASSIGN(Batch delta, table->Update(rows, values, Eval()));
  Record(update.table, std::move(delta));
  return result;
}

Result<StatementResult> Session::RunTruncate(const TruncateTable& truncate) {
  for (const std::string& name : truncate.tables) {
    LEAT_RETURN(RunDelete({.table = name}).status());
  }
  return StatementResult{.tag = "TRUNCATE TABLE"};
}

// --- COPY ----------------------------------------------------------------------------------------

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
  const Relation& relation = *catalog_.FindRelation(copy.table);
  const std::string delimiter = OptionOr(copy.options, "delimiter", "\t");
  const std::string null = OptionOr(copy.options, "null", "\\N");
  std::vector<std::unique_ptr<arrow::StringBuilder>> texts;
  for (size_t i = 0; i < relation.columns.size(); ++i)
    texts.push_back(std::make_unique<arrow::StringBuilder>());
  if (!copy.columns.empty()) {
    return NotSupported("COPY with a column list is not supported", -1,
                        "Use INSERT, or give all columns.");
  }
  int64_t lines = 0;
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
  LEAT_ASSIGN(const Batch added, AddRows(copy.table, std::move(rows)));
  return added.rows;
}

// A file (or a fixture's raw bytes) through the reader of its format: wrong rows of a fixture are
// rejects, those of a table fail the COPY.
Result<int64_t> Session::CopyFile(const CopyFrom& copy, const std::string& path) {
  const Relation& relation = *catalog_.FindRelation(copy.table);
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
    LEAT_ASSIGN(const Batch added, AddRows(copy.table, std::move(chunk->batch)));
    rows += added.rows;
  }
}

}  // namespace leat
