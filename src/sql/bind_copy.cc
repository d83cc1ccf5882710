// COPY, in both directions.
#include "base/ascii.h"
#include "sql/bind_statement.h"

namespace leat {
namespace {

Result<std::vector<std::string>> ListedColumns(const PgQuery__CopyStmt& stmt,
                                               const Relation& relation) {
  NameList names;
  std::vector<std::string> columns = StringsOf(Items(stmt.n_attlist, stmt.attlist));
  for (const std::string& name : columns) names.emplace_back(name, -1);
  LEAT_RETURN(NamedColumns(names, relation).status());
  return columns;
}

// The old forms (COPY t FROM stdin CSV HEADER) come as options of the same names.
Result<Options> CopyOptions(const PgQuery__CopyStmt& stmt) {
  LEAT_ASSIGN(Options options, BindOptions(Items(stmt.n_options, stmt.options)));
  if (const auto format = options.find("format"); format != options.end()) {
    format->second = LowerAscii(format->second);
  }
  return options;
}

Status RefuseOptions(const Options& options) {
  for (const auto& [name, value] : options) {
    if (name == "format" && value != "text" && value != "csv") {
      return NotSupported(fmt::format("COPY format \"{}\" is not supported", value), -1,
                          "There are text and csv.");
    }
    if (name == "format" || name == "delimiter" || name == "null" || name == "header" ||
        name == "quote" || name == "escape" || name == "force_quote") {
      continue;
    }
    return NotSupported(fmt::format("COPY TO option \"{}\" is not supported", name));
  }
  return Status::OK();
}

Result<BoundStatement> BindCopyTo(const PgQuery__CopyStmt& stmt, const StatementContext& context) {
  CopyTo copy;
  LEAT_ASSIGN(copy.options, CopyOptions(stmt));
  LEAT_RETURN(RefuseOptions(copy.options));
  copy.path = stmt.filename;
  Binder binder(context.catalog);
  if (stmt.relation == nullptr) {
    if (!Is(stmt.query, PG_QUERY__NODE__NODE_SELECT_STMT)) {
      return NotSupported("COPY of a statement that changes rows is not supported",
                          context.statement.location, "Use its RETURNING.");
    }
    LEAT_ASSIGN(copy.query, binder.BindQuery(*stmt.query->select_stmt));
    return copy;
  }
  LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*stmt.relation));
  if (relation->kind == RelationKind::kView) {
    return SqlStatus(fmt::format("cannot copy from view \"{}\"", relation->name),
                     {.sqlstate = "42809", .hint = "Try the COPY (SELECT ...) TO variant."});
  }
  LEAT_ASSIGN(const LogicalPtr plan, binder.BindRelation(*relation, stmt.relation->location));
  LEAT_ASSIGN(const auto names, ListedColumns(stmt, *relation));
  std::vector<ExprPtr> exprs;
  std::vector<std::string> titles;
  for (int i = 0; i < plan->schema.size(); ++i) {
    if (names.empty()) titles.push_back(plan->schema.columns[static_cast<size_t>(i)].name);
  }
  if (!names.empty()) titles = names;
  for (const std::string& title : titles) {
    const int at = plan->schema.Find(title);
    exprs.push_back(ColumnExpr(at, plan->schema.columns[static_cast<size_t>(at)].type));
  }
  copy.query.visible = static_cast<int>(exprs.size());
  copy.query.root = ProjectOn(plan, std::move(exprs), titles);
  return copy;
}

}  // namespace

Result<BoundStatement> BindCopy(const PgQuery__CopyStmt& stmt, const StatementContext& context) {
  if (stmt.is_program != 0) return NotSupported("COPY … PROGRAM is not supported");
  if (stmt.is_from == 0) return BindCopyTo(stmt, context);
  if (stmt.where_clause != nullptr) {
    return NotSupported("COPY … WHERE is not supported", LocationOf(stmt.where_clause));
  }
  Binder binder(context.catalog);
  LEAT_ASSIGN(const Relation* relation, binder.FindRelation(*stmt.relation));
  // COPY into a source feeds bytes through its format: a test's fixture.
  if (relation->kind != RelationKind::kForeign) {
    LEAT_RETURN(RefuseReadOnly(*relation, "copy to", stmt.relation->location));
  }
  CopyFrom copy;
  copy.table = relation->name;
  copy.path = stmt.filename;
  LEAT_ASSIGN(copy.columns, ListedColumns(stmt, *relation));
  LEAT_ASSIGN(copy.options, CopyOptions(stmt));
  return copy;
}

}  // namespace leat
