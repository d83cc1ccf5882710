// CREATE, ALTER and DROP SEQUENCE, the sequences of serial and identity columns, and where a
// statement may draw from one.
#include <arrow/scalar.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "func/function.h"
#include "sql/bind_statement.h"

namespace leat {
namespace {

Status WrongSequence(std::string message, int location = -1) {
  return SqlStatus(std::move(message), {.sqlstate = "22023", .location = location});
}

// What a sequence of a type counts in: its range.
struct Range {
  int64_t min = INT64_MIN;
  int64_t max = INT64_MAX;
};

Result<Range> RangeOf(const Type& type) {
  switch (type.id) {
    case TypeId::kInt2:
      return Range{INT16_MIN, INT16_MAX};
    case TypeId::kInt4:
      return Range{INT32_MIN, INT32_MAX};
    case TypeId::kInt8:
      return Range{};
    default:
      return WrongSequence("sequence type must be smallint, integer, or bigint");
  }
}

// The options of a sequence, each at most once.
struct SequenceOptions {
  std::optional<Type> type;
  std::optional<int64_t> start, increment, min, max;
  std::optional<bool> cycle;
  bool no_min = false;
  bool no_max = false;
  bool restart = false;
  std::optional<int64_t> restart_with;
};

Result<int64_t> NumberOf(const PgQuery__DefElem& option) {
  const std::string text = OptionText(option);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return SqlStatus(
      fmt::format("invalid value for sequence option \"{}\": {}", option.defname, text),
      {.sqlstate = "22023", .location = option.location});
}

Status ReadOption(const PgQuery__DefElem& option, const Catalog& catalog, SequenceOptions* out) {
  const std::string_view name = option.defname;
  if (name == "as") {
    LEAT_ASSIGN(out->type, BindTypeName(*option.arg->type_name, catalog));
    return Status::OK();
  }
  if (name == "cycle") {
    out->cycle = OptionText(option) != "false" && OptionText(option) != "0";
    return Status::OK();
  }
  if (name == "cache" || name == "owned_by" || name == "sequence_name") return Status::OK();
  if (name == "restart") {
    out->restart = true;
    if (option.arg == nullptr) return Status::OK();
    LEAT_ASSIGN(out->restart_with, NumberOf(option));
    return Status::OK();
  }
  if (option.arg == nullptr) {  // NO MINVALUE, NO MAXVALUE
    (name == "minvalue" ? out->no_min : out->no_max) = true;
    return Status::OK();
  }
  LEAT_ASSIGN(const int64_t number, NumberOf(option));
  if (name == "start") out->start = number;
  if (name == "increment") out->increment = number;
  if (name == "minvalue") out->min = number;
  if (name == "maxvalue") out->max = number;
  return Status::OK();
}

Result<SequenceOptions> ReadSequenceOptions(Nodes nodes, const Catalog& catalog) {
  SequenceOptions options;
  std::vector<std::string_view> seen;
  for (const Node* node : nodes) {
    const PgQuery__DefElem& option = *node->def_elem;
    if (std::find(seen.begin(), seen.end(), option.defname) != seen.end()) {
      return SqlStatus("conflicting or redundant options",
                       {.sqlstate = kSyntaxError, .location = option.location});
    }
    seen.emplace_back(option.defname);
    LEAT_RETURN(ReadOption(option, catalog, &options));
  }
  return options;
}

// As PostgreSQL's init_params: bounds follow from the type and the direction.
Status ApplyOptions(const SequenceOptions& options, const Range& range, bool is_new,
                    SequenceSpec* out) {
  if (options.increment) out->increment = *options.increment;
  if (out->increment == 0) return WrongSequence("INCREMENT must not be zero");
  if (options.cycle) out->cycle = *options.cycle;
  const bool up = out->increment > 0;
  if (options.min) out->min = *options.min;
  if (options.max) out->max = *options.max;
  if (!options.min && (is_new || options.no_min)) out->min = up ? 1 : range.min;
  if (!options.max && (is_new || options.no_max)) out->max = up ? range.max : -1;
  if (out->min < range.min)
    return WrongSequence(
        fmt::format("MINVALUE ({}) is out of range for sequence data type", out->min));
  if (out->max > range.max)
    return WrongSequence(
        fmt::format("MAXVALUE ({}) is out of range for sequence data type", out->max));
  if (out->min >= out->max) {
    return WrongSequence(
        fmt::format("MINVALUE ({}) must be less than MAXVALUE ({})", out->min, out->max));
  }
  if (options.start) {
    out->start = *options.start;
  } else if (is_new) {
    out->start = up ? out->min : out->max;
  }
  if (out->start < out->min) {
    return WrongSequence(
        fmt::format("START value ({}) cannot be less than MINVALUE ({})", out->start, out->min));
  }
  if (out->start > out->max) {
    return WrongSequence(
        fmt::format("START value ({}) cannot be greater than MAXVALUE ({})", out->start, out->max));
  }
  return Status::OK();
}

bool AnyDraws(const std::vector<ExprPtr>& exprs) {
  return std::any_of(exprs.begin(), exprs.end(),
                     [](const ExprPtr& expr) { return expr != nullptr && Draws(*expr); });
}

bool DrawsHere(const Logical& node) {
  if (AnyDraws(node.exprs) || AnyDraws(node.left_keys) || AnyDraws(node.right_keys)) return true;
  if (node.residual && Draws(*node.residual)) return true;
  for (const auto& row : node.rows) {
    if (AnyDraws(row)) return true;
  }
  for (const SortKey& key : node.order) {
    if (Draws(*key.expr)) return true;
  }
  for (const AggregateCall& call : node.calls) {
    if (AnyDraws(call.args) || (call.filter && Draws(*call.filter))) return true;
  }
  for (const WindowCall& call : node.windows) {
    if (AnyDraws(call.args)) return true;
  }
  return false;
}

bool DrawsBelow(const Logical& node) {
  return std::any_of(node.children.begin(), node.children.end(),
                     [](const LogicalPtr& child) { return DrawsNumbers(*child); });
}

// A list of values may draw; nothing else of a query may, since a plan may compute it twice or
// never.
bool MayDraw(const Query& query) {
  const Logical& root = *query.root;
  return root.kind == LogicalKind::kValues ? !DrawsBelow(root) : !DrawsNumbers(root);
}

bool ReturnsDrawn(const std::optional<Returning>& returning) {
  return returning && AnyDraws(returning->exprs);
}

bool MayDraw(const BoundStatement& statement) {
  if (const auto* select = std::get_if<Select>(&statement)) return MayDraw(select->query);
  if (const auto* insert = std::get_if<InsertRows>(&statement)) {
    const bool conflict = insert->conflict && (AnyDraws(insert->conflict->values) ||
                                               AnyDraws({insert->conflict->where}));
    return MayDraw(insert->query) && !conflict && !ReturnsDrawn(insert->returning);
  }
  if (const auto* update = std::get_if<UpdateRows>(&statement)) {
    return !(update->rows && AnyDraws(update->values)) && !AnyDraws({update->where}) &&
           !ReturnsDrawn(update->returning) && !(update->rows && DrawsNumbers(*update->rows));
  }
  if (const auto* remove = std::get_if<DeleteRows>(&statement)) {
    return !AnyDraws({remove->where}) && !ReturnsDrawn(remove->returning) &&
           !(remove->rows && DrawsNumbers(*remove->rows));
  }
  if (const auto* merge = std::get_if<MergeRows>(&statement)) {
    return !DrawsNumbers(*merge->pairs);
  }
  if (const auto* alter = std::get_if<AlterTable>(&statement)) return !AnyDraws(alter->columns);
  if (const auto* as = std::get_if<CreateTableAs>(&statement)) return MayDraw(as->query);
  if (const auto* copy = std::get_if<CopyTo>(&statement)) return MayDraw(copy->query);
  if (const auto* insert = std::get_if<CreateInsert>(&statement)) {
    return !DrawsNumbers(*insert->query.root);
  }
  if (const auto* explain = std::get_if<Explain>(&statement)) {
    return !DrawsNumbers(*explain->query.root);
  }
  return true;
}

}  // namespace

bool Draws(const Expr& expr) {
  bool draws = false;
  VisitExprs(expr, [&](const Expr& part) {
    draws |= part.kind == ExprKind::kCall && part.function->volatility == Volatility::kVolatile;
  });
  return draws;
}

bool DrawsNumbers(const Logical& node) { return DrawsHere(node) || DrawsBelow(node); }

Status CheckDraws(const BoundStatement& statement) {
  if (MayDraw(statement)) return Status::OK();
  return NotSupported("a sequence's function is not supported here", -1,
                      "It may stand in DEFAULT, in VALUES, in SET, in the list of INSERT … SELECT, "
                      "and in a SELECT without FROM.");
}

Result<SequenceSpec> SequenceFor(const std::string& table, const Column& column, Nodes options,
                                 const Catalog& catalog) {
  SequenceSpec sequence{.owner = table};
  const std::string base = fmt::format("{}_{}_seq", table, column.name);
  sequence.name = base;
  for (int number = 1; catalog.FindSequence(sequence.name) != nullptr ||
                       catalog.FindRelation(sequence.name) != nullptr;
       ++number) {
    sequence.name = fmt::format("{}{}", base, number);
  }
  LEAT_ASSIGN(const Range range, RangeOf(column.type));
  LEAT_ASSIGN(const SequenceOptions read, ReadSequenceOptions(options, catalog));
  LEAT_RETURN(ApplyOptions(read, range, true, &sequence));
  return sequence;
}

ExprPtr NextOf(const std::string& sequence, const Type& type) {
  auto name = LiteralExpr(std::make_shared<arrow::StringScalar>(sequence), Type(TypeId::kText));
  ExprPtr next = CallExpr(FindFunctions("nextval")[0], {std::move(name)}, Type(TypeId::kInt8));
  return type.id == TypeId::kInt8 ? next : CastExpr(next, type, CastContext::kAssignment);
}

Result<BoundStatement> BindCreateSequence(const PgQuery__CreateSeqStmt& stmt,
                                          const StatementContext& context) {
  CreateSequence create;
  LEAT_ASSIGN(create.sequence.name, RelationName(*stmt.sequence));
  if (context.catalog.FindSequence(create.sequence.name) != nullptr && stmt.if_not_exists != 0) {
    create.exists = true;
    return create;
  }
  LEAT_ASSIGN(const SequenceOptions options,
              ReadSequenceOptions(Items(stmt.n_options, stmt.options), context.catalog));
  LEAT_ASSIGN(const Range range, RangeOf(options.type.value_or(Type(TypeId::kInt8))));
  LEAT_RETURN(ApplyOptions(options, range, true, &create.sequence));
  return create;
}

Result<BoundStatement> BindAlterSequence(const PgQuery__AlterSeqStmt& stmt,
                                         const StatementContext& context) {
  LEAT_ASSIGN(const std::string name, RelationName(*stmt.sequence));
  const SequenceSpec* found = context.catalog.FindSequence(name);
  if (found == nullptr) {
    if (stmt.missing_ok != 0) return Maintenance{"ALTER SEQUENCE"};
    return SqlStatus(fmt::format("relation \"{}\" does not exist", name),
                     {.sqlstate = kUndefinedTable, .location = stmt.sequence->location});
  }
  AlterSequence alter{.sequence = *found};
  LEAT_ASSIGN(const SequenceOptions options,
              ReadSequenceOptions(Items(stmt.n_options, stmt.options), context.catalog));
  if (options.type) {
    return NotSupported("ALTER SEQUENCE … AS is not supported", context.statement.location,
                        "Give MINVALUE and MAXVALUE.");
  }
  LEAT_RETURN(ApplyOptions(options, Range{}, false, &alter.sequence));
  if (options.restart) alter.restart = options.restart_with.value_or(alter.sequence.start);
  if (alter.restart &&
      (*alter.restart < alter.sequence.min || *alter.restart > alter.sequence.max)) {
    const bool less = *alter.restart < alter.sequence.min;
    return WrongSequence(fmt::format("RESTART value ({}) cannot be {} than {} ({})", *alter.restart,
                                     less ? "less" : "greater", less ? "MINVALUE" : "MAXVALUE",
                                     less ? alter.sequence.min : alter.sequence.max));
  }
  return alter;
}

Result<BoundStatement> BindDropSequence(const PgQuery__DropStmt& stmt,
                                        const StatementContext& context) {
  DropSequence drop;
  for (const Node* node : Items(stmt.n_objects, stmt.objects)) {
    const std::string name = StringsOf(Items(node->list->n_items, node->list->items)).back();
    const SequenceSpec* sequence = context.catalog.FindSequence(name);
    if (sequence == nullptr) {
      if (stmt.missing_ok != 0) continue;
      return SqlStatus(fmt::format("sequence \"{}\" does not exist", name),
                       {.sqlstate = kUndefinedTable});
    }
    if (!sequence->owner.empty()) {
      return SqlStatus(
          fmt::format("cannot drop sequence {} because other objects depend on it", name),
          {.sqlstate = "2BP01",
           .detail = fmt::format("default value of a column of table {} depends on sequence {}",
                                 sequence->owner, name),
           .hint = "It goes with the table."});
    }
    drop.names.push_back(name);
  }
  return drop;
}

}  // namespace leat
