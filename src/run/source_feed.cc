#include "run/source_feed.h"

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

Result<Server> ServerForSource(const Pipeline& pipeline, const Server& server,
                               const Relation& relation, const std::string& state_dir) {
  if (server.kind != "http") return server;
  Server fed = server;
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
