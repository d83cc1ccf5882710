#include "run/source_feed.h"

#include <filesystem>

#include "base/md5.h"

#include "connect/connectors.h"
#include "connect/json.h"
#include "format/text_rows.h"
#include "plan/expand.h"
#include "plan/once.h"

namespace leat {
namespace {

Status NoRelations(const std::string& relation, const BatchVisitor&) {
  return NotSupported(
      fmt::format("a pipeline's INSERT into a local table cannot read \"{}\"", relation));
}

Status AppendRows(const Schema& schema, const Batch& batch, std::string* json) {
  LEAT_ASSIGN(const auto columns, TextColumns(batch, schema));
  for (int64_t row = 0; row < batch.rows; ++row) {
    *json += json->ends_with('[') ? "{" : ",{";
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) *json += ',';
      AppendJson(schema.columns[i].name, json);
      *json += ':';
      if (columns[i].IsNull(row)) {
        *json += "null";
      } else {
        AppendJson(columns[i][row], json);
      }
    }
    *json += '}';
  }
  return Status::OK();
}

Result<std::string> RowsOf(const Pipeline& pipeline, const Relation& relation) {
  std::string json = "[";
  const Schema schema = relation.schema();
  if (relation.kind == RelationKind::kForeign) {
    const Server& server = *pipeline.catalog.FindServer(relation.server);
    LEAT_RETURN(ReadEach(server, relation, [&](const Arrival& arrival) {
      return AppendRows(schema, arrival.batch, &json);
    }));
    return json + "]";
  }
  for (const InsertRows& insert : pipeline.contents) {
    if (insert.table != relation.name) continue;
    LEAT_RETURN(RunOnce(VisibleColumns(insert.query), NoRelations, EvalContext{},
                        [&](const Batch& rows) { return AppendRows(schema, rows, &json); }));
  }
  return json + "]";
}

}  // namespace

std::string SlotNameOf(const std::string& pipeline, const std::string& server,
                       const std::string& state_dir) {
  std::string name = fmt::format("leat_{}_{}", pipeline, server);
  for (char& c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
    else if (!fits)
      c = '_';
  }
  constexpr size_t kNameMax = 40;  // of the 63 that PostgreSQL allows, with what follows
  const std::string path = std::filesystem::absolute(state_dir).lexically_normal().string();
  return fmt::format("{}_{}", name.substr(0, kNameMax), Md5(path).substr(0, 8));
}

Result<Server> ServerForSource(const Pipeline& pipeline, const Server& server,
                               const Relation& relation, const std::string& state_dir) {
  Server fed = server;
  if (TraitsOf(server, relation).shared) {
    fed.options.try_emplace("spool", state_dir + "/spool/" + server.name);
    fed.options.try_emplace("slot", SlotNameOf(pipeline.name, server.name, state_dir));
    return fed;
  }
  if (server.kind != "http") return fed;
  fed.options.try_emplace("spool", state_dir + "/spool/" + relation.name);
  const std::string each = OptionOr(relation.options, "for_each", "");
  if (each.empty()) return fed;
  const Relation* rows = pipeline.catalog.FindRelation(each);
  const bool readable = rows != nullptr && (rows->kind == RelationKind::kTable ||
                                            rows->kind == RelationKind::kForeign);
  if (!readable) {
    return SqlStatus(
        rows == nullptr ? fmt::format("relation \"{}\" does not exist", each)
                        : fmt::format("\"{}\" is no table: each row of a table is asked for", each),
        {.sqlstate = kUndefinedTable, .location = relation.location});
  }
  LEAT_ASSIGN(fed.options["for_each_rows"], RowsOf(pipeline, *rows));
  return fed;
}

}  // namespace leat
