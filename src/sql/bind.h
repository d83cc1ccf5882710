// The binder: PostgreSQL's trees in, logical trees out. One object binds one statement; its methods
// are spread over the bind_*.cc files by what they bind.
#pragma once

#include <arrow/scalar.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/build.h"
#include "sql/coerce.h"
#include "sql/scope.h"
#include "sql/sql.h"
#include "sql/tree.h"

namespace leat {

// Where an expression stands: says what may be in it, and what errors call the place.
enum class Clause : uint8_t {
  kSelect,
  kWhere,
  kHaving,
  kGroupBy,
  kOrderBy,
  kDistinctOn,
  kJoin,
  kFilter,  // of an aggregate
  kWindow,  // PARTITION BY, ORDER BY and frame of a window
  kValues,
  kLimit,
  kCheck,
  kDefault,
  kUpdate,
  kReturning,
};
// "WHERE", "JOIN conditions", "check constraints".
std::string_view NameOf(Clause clause);

// A subquery in an expression, until it is joined to the rows that need it. What it takes from the
// query around it are `args`, over the FROM's row; in `plan`, kOuterBase + i stands for args[i].
struct Subquery {
  enum class Kind : uint8_t {
    kScalar,  // `value`, over the plan's columns, of its only row; null without one
    kExists,  // whether there is a row
    kIn,      // whether `value` is equal to args.back() in some row
  };
  Kind kind = Kind::kScalar;
  LogicalPtr plan;
  std::vector<ExprPtr> args;
  ExprPtr value;
  int location = -1;
};

struct WindowUse {
  std::vector<ExprPtr> partition;
  std::vector<SortKey> order;
  RowFrame frame;
  std::vector<ExprPtr> bounds;  // of a frame by value, until the call has them
  WindowCall call;
  std::string name;
  bool needs_order = false;  // its answer depends on the order of rows
  int location = -1;
};

// What the expressions of one SELECT leave to be built around them.
struct Collected {
  std::vector<AggregateCall> aggregates;
  std::vector<std::string> aggregate_names;
  std::vector<int> aggregate_locations;
  std::vector<WindowUse> windows;
  std::vector<Subquery> subqueries;
  std::vector<ExprPtr> sets;                    // set-returning calls of the select list: arrays
  std::vector<std::vector<ExprPtr>> groupings;  // GROUPING(…)
};

struct ExprContext {
  Clause clause = Clause::kSelect;
  const Scope* scope = nullptr;                 // nullptr: no columns
  Collected* collected = nullptr;               // nullptr: no aggregates, windows, subqueries
  const PgQuery__SelectStmt* select = nullptr;  // for its WINDOW clause
  bool in_aggregate = false;
  bool in_window = false;
};

// A FROM item: its rows, and what its columns are called.
struct FromItem {
  LogicalPtr plan;
  std::vector<ScopeTable> tables;
};

// A column of the select list.
struct Target {
  std::string name;
  ExprPtr expr;
};

struct SelectOptions {
  const Scope* outer = nullptr;
  bool keep_unknown = false;       // INSERT … SELECT 'x': the column says what the literal is
  const Schema* wanted = nullptr;  // INSERT … VALUES: each literal is read as its column's type
};

class Binder {
 public:
  explicit Binder(const Catalog& catalog, int view_depth = 0);

  // --- Queries: bind_select.cc, bind_aggregate.cc, bind_order.cc, bind_set.cc
  Result<Query> BindQuery(const PgQuery__SelectStmt& select, const SelectOptions& options = {});
  // The visible columns alone, unordered: a query as a table.
  Result<LogicalPtr> BindTable(const PgQuery__SelectStmt& select,
                               const SelectOptions& options = {});

  // --- FROM: bind_from.cc, bind_join.cc
  Result<FromItem> BindFrom(Nodes nodes, const Scope* outer);
  Result<LogicalPtr> BindRelation(const Relation& relation, int location);
  Result<const Relation*> FindRelation(const PgQuery__RangeVar& range);

  // --- Expressions: bind_expr.cc, bind_operator.cc, bind_call.cc, bind_window.cc
  Result<ExprPtr> BindExpr(const Node* node, const ExprContext& context);
  // With untyped literals made text.
  Result<ExprPtr> BindValue(const Node* node, const ExprContext& context);
  Result<ExprPtr> BindBool(const Node* node, const ExprContext& context,
                           std::string_view construct);

  // The names that a WITH gives, for what is bound from here on.
  Status BindWith(const PgQuery__WithClause& with, const Scope* outer);
  // The `column`-th of a subquery's `width` columns: UPDATE … SET (a, b) = (SELECT …).
  Result<ExprPtr> BindSubqueryColumn(const PgQuery__SubLink& link, int column, int width,
                                     const ExprContext& context);

  // What a function of the user's gives; its SELECT may become a subquery of `context`.
  Result<ExprPtr> BindSqlCall(const SqlFunction& function, std::vector<ExprPtr> args, int location,
                              const ExprContext& context);

  // Joins the subqueries that `exprs` need to `plan` and puts their values in.
  Status AttachSubqueries(const Collected& collected, std::vector<ExprPtr*> exprs,
                          LogicalPtr* plan);
  // The rows of VALUES, in which subqueries may stand.
  Result<LogicalPtr> BuildRows(Schema schema, std::vector<std::vector<ExprPtr>> rows,
                               const Collected& collected);

  const Catalog& catalog() const { return catalog_; }
  const TextSettings& settings() const { return settings_; }

 private:
  struct Selection;  // bind_select.h

  // bind_recursive.cc
  Result<LogicalPtr> BindRecursive(const PgQuery__CommonTableExpr& common, const Scope* outer);
  // bind_function.cc
  Result<const SqlFunction*> FindSqlFunction(const std::string& name,
                                             const std::vector<ExprPtr>& args);

  // bind_expr.cc
  Result<ExprPtr> BindNode(const Node* node, const ExprContext& context);
  Result<ExprPtr> BindColumnRef(const PgQuery__ColumnRef& ref, const ExprContext& context);
  Result<ExprPtr> BindCast(const PgQuery__TypeCast& cast, const ExprContext& context);
  Result<ExprPtr> BindBoolExpr(const PgQuery__BoolExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindCase(const PgQuery__CaseExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindCoalesce(const PgQuery__CoalesceExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindMinMax(const PgQuery__MinMaxExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindArray(const PgQuery__AArrayExpr& expr, const ExprContext& context,
                            const Type* wanted);
  Result<ExprPtr> BindIndirection(const PgQuery__AIndirection& indirection,
                                  const ExprContext& context);
  Result<ExprPtr> BindGrouping(const PgQuery__GroupingFunc& grouping, const ExprContext& context);
  Result<ExprPtr> BindNullTest(const PgQuery__NullTest& test, const ExprContext& context);
  Result<ExprPtr> BindBooleanTest(const PgQuery__BooleanTest& test, const ExprContext& context);
  Result<std::vector<ExprPtr>> BindExprs(Nodes nodes, const ExprContext& context);
  Result<std::vector<ExprPtr>> CoerceAll(std::vector<ExprPtr> exprs, std::string_view construct,
                                         int location);

  // bind_operator.cc
  Result<ExprPtr> BindOperator(const PgQuery__AExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindInList(const PgQuery__AExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindBetween(const PgQuery__AExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindAnyOfValue(const PgQuery__AExpr& expr, bool any, const ExprContext& context);
  Result<ExprPtr> BindAnyArray(const PgQuery__AExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindRowSubquery(const PgQuery__AExpr& expr, const ExprContext& context);
  Result<ExprPtr> BindRowOperator(const PgQuery__AExpr& expr, const ExprContext& context);
  Result<std::vector<ExprPtr>> BindRow(const Node* node, const ExprContext& context);
  Result<ExprPtr> CompareRows(std::string_view symbol, const std::vector<ExprPtr>& left,
                              const std::vector<ExprPtr>& right, int location);
  Result<ExprPtr> ApplyOperator(std::string_view symbol, std::vector<ExprPtr> args, int location);
  Result<ExprPtr> ApplyFunction(std::string_view name, std::vector<ExprPtr> args, int location);

  // bind_call.cc
  Result<ExprPtr> BindCall(const PgQuery__FuncCall& call, const ExprContext& context);
  Result<ExprPtr> BindAggregate(const std::string& name, const PgQuery__FuncCall& call,
                                const ExprContext& context);
  Result<ExprPtr> BindPlainCall(const std::string& name, const PgQuery__FuncCall& call,
                                const ExprContext& context);
  Result<ExprPtr> BindClock(const PgQuery__SQLValueFunction& function);
  Result<AggregateCall> BindAggregateCall(const std::string& name, const PgQuery__FuncCall& call,
                                          const ExprContext& inside);
  Status PrepareJson(std::vector<ExprPtr>* args);
  Status BindAggregateOrder(const PgQuery__FuncCall& call, const ExprContext& inside,
                            AggregateCall* out);

  // bind_window.cc
  Result<ExprPtr> BindWindowCall(const std::string& name, const PgQuery__FuncCall& call,
                                 const ExprContext& context);
  Status BindWindowPlace(const PgQuery__WindowDef& definition, const ExprContext& inside,
                         WindowUse* use);
  Status BindWindowFunction(const std::string& name, const PgQuery__FuncCall& call,
                            const ExprContext& inside, WindowUse* use);
  Status BindFrame(const PgQuery__WindowDef& definition, WindowUse* use);
  Status BindRange(const PgQuery__WindowDef& definition, WindowUse* use);
  Status BindValueBounds(const PgQuery__WindowDef& definition, WindowUse* use);
  Result<ExprPtr> RangeKey(const ExprPtr& key, int location) const;
  Result<ExprPtr> RangeOffset(const Node* node, const Type& key, std::string_view which);
  Result<LogicalPtr> BuildWindows(LogicalPtr plan, const std::vector<WindowUse>& windows,
                                  std::vector<int>* places);

  // bind_subquery.cc
  Result<ExprPtr> BindSubLink(const PgQuery__SubLink& link, const ExprContext& context);
  Result<Subquery> BindSubquery(const PgQuery__SubLink& link, const ExprContext& context);
  Result<Subquery> BindArraySubquery(const PgQuery__SubLink& link, const SelectOptions& options);
  Status BindComparison(const PgQuery__SubLink& link, const ExprContext& context,
                        Subquery* subquery);
  Result<ExprPtr> ResolveUnknownAs(const ExprPtr& expr, const Type& type);
  Result<LogicalPtr> ApplySemiJoin(LogicalPtr plan, const PgQuery__SubLink& link,
                                   const ExprContext& context, bool negated);
  // Each joins to *plan what a subquery needs and gives its value; `around` are the rows by which
  // it may depend on them: *plan's first columns.
  Result<ExprPtr> AttachOne(const Subquery& subquery, const LogicalPtr& around, LogicalPtr* plan);
  Result<ExprPtr> AttachScalar(const Subquery& subquery, const LogicalPtr& around,
                               LogicalPtr* plan);
  Result<ExprPtr> AttachRows(const Subquery& subquery, const LogicalPtr& inner,
                             const LogicalPtr& around,
                             const std::function<ExprPtr(const std::vector<ExprPtr>&)>& over,
                             LogicalPtr* plan);
  Result<ExprPtr> AttachExists(const Subquery& subquery, const LogicalPtr& around,
                               LogicalPtr* plan);
  Result<ExprPtr> AttachIn(const Subquery& subquery, const LogicalPtr& around, LogicalPtr* plan);

  // bind_select.cc and its neighbours
  Result<Query> BindPlainSelect(const PgQuery__SelectStmt& select, const SelectOptions& options);
  Result<Query> BindValuesLists(const PgQuery__SelectStmt& select, const SelectOptions& options);
  Result<Query> BindSetOperation(const PgQuery__SelectStmt& select, const SelectOptions& options);
  Status BindTargets(Selection* selection);
  Status BindStar(const PgQuery__ColumnRef& ref, Selection* selection);
  void AddDetermined(Selection* selection);
  Result<ExprPtr> BindGroupKey(const Node* node, Selection* selection);
  Status BindGroupBy(Selection* selection);
  Status BindGroupSets(const Node* node, Selection* selection, std::vector<std::vector<int>>* sets);
  Result<int> AddGroupKey(const Node* node, Selection* selection);
  static std::vector<bool> UnnestKeys(std::vector<ExprPtr>* keys, Selection* selection);
  static void DropSets(const std::vector<bool>& dropped, Selection* selection);
  static Status BuildSessions(std::vector<ExprPtr>* keys, Selection* selection);
  Status BuildGroups(std::vector<ExprPtr> keys, Selection* selection);
  Status BindDistinctOn(Selection* selection);
  Status BindOrderBy(Selection* selection);
  Result<int> BindSortTarget(const Node* node, std::string_view clause, Selection* selection);
  Status BuildAggregate(Selection* selection);
  Status BuildWhere(Selection* selection);
  Result<Query> BuildOutput(Selection* selection);
  // The rows that LIMIT, OFFSET and FETCH leave of `plan`, in this order.
  Result<LogicalPtr> BuildLimit(const PgQuery__SelectStmt& select, LogicalPtr plan,
                                std::vector<SortKey> order);
  Result<std::optional<int64_t>> BindLimitValue(const Node* node, std::string_view clause);
  Result<Query> FinishSetOperation(const PgQuery__SelectStmt& select, LogicalPtr plan);

  // bind_from.cc and bind_join.cc
  // `beside` are the tables to the left, which LATERAL items may refer to, inside the query around;
  // the item's outer columns count their levels from there. nullptr: none, they count from `outer`.
  Result<FromItem> BindFromItem(const Node* node, const Scope* outer, const Scope* beside);
  Result<FromItem> BindRangeVar(const PgQuery__RangeVar& range, const Scope* outer);
  Result<FromItem> BindRangeSubselect(const PgQuery__RangeSubselect& range, const Scope* outer);
  // bind_set_function.cc
  Result<ExprPtr> BindSetInSelect(ExprPtr set, const ExprContext& context);
  Status BindSetInFrom(const Node* node, const Scope* outer, std::vector<ExprPtr>* lists,
                       std::vector<std::string>* names);
  Status BindRecord(const PgQuery__RangeFunction& range, const Node* node, const Scope* outer,
                    std::vector<ExprPtr>* lists, std::vector<std::string>* names);
  // bind_row.cc
  // row_to_json and its kin of a whole row, t or ROW (…); nullopt if the argument is none.
  Result<std::optional<ExprPtr>> BindRowToJson(const std::string& name, const Node* arg,
                                               const ExprContext& context);
  // What names a sequence as text: 'q'::regclass.
  Result<std::vector<ExprPtr>> BindSequenceArgs(const PgQuery__FuncCall& call,
                                                const ExprContext& context);
  // The arguments of a call in their order, those that it names too.
  Result<std::vector<ExprPtr>> BindArgs(const std::string& name, const PgQuery__FuncCall& call,
                                        const ExprContext& context);
  Result<ExprPtr> BindSerialName(const PgQuery__FuncCall& call);
  Result<FromItem> BindRangeFunction(const PgQuery__RangeFunction& range, const Scope* outer);
  Result<FromItem> BindJoin(const PgQuery__JoinExpr& join, const Scope* outer, const Scope* beside);
  // Joins an item that may refer to the rows of `left`, by outer columns of the first level. The
  // condition is over left's columns and then the item's.
  Result<LogicalPtr> JoinLateral(const LogicalPtr& left, const LogicalPtr& item, JoinType type,
                                 const std::vector<ExprPtr>& conjuncts);
  Result<LogicalPtr> JoinOn(const PgQuery__JoinExpr& join, JoinType type, const FromItem& left,
                            const FromItem& right, const Scope& scope,
                            std::vector<ExprPtr> conjuncts, int levels);
  // A condition with subqueries: each is joined to the side whose columns it depends on.
  Result<LogicalPtr> JoinAsking(JoinType type, const FromItem& left, const FromItem& right,
                                std::vector<ExprPtr> conjuncts, Collected collected);
  Result<std::vector<ExprPtr>> BindUsing(const std::vector<std::string>& names, JoinType type,
                                         FromItem* left, FromItem* right, ScopeTable* merged);

  struct CommonTable {
    LogicalPtr plan;
    int level = 0;  // how many queries stand around it
  };
  const CommonTable* FindCommonTable(std::string_view name) const;

  const Catalog& catalog_;
  TextSettings settings_;
  int view_depth_ = 0;
  int depth_ = 0;  // of nested expressions and queries
  std::vector<std::map<std::string, CommonTable, std::less<>>> common_tables_;
  int recursions_ = 0;  // WITH RECURSIVE queries so far: each has a name of its own
};

// The name that PostgreSQL gives the column of an expression without AS: "?column?" for most.
std::string ColumnNameOf(const Node* node);
// The table of a plan under an alias, perhaps with its columns renamed; PostgreSQL's errors.
Result<FromItem> AliasedItem(LogicalPtr plan, std::string_view name, const PgQuery__Alias* alias,
                             int location);
// Takes what the plan needs of the queries around into args: its only outer columns are
// kOuterBase + i from here on, for args[i].
void NumberOuterColumns(Subquery* subquery);
bool IsSetFunction(std::string_view name);
// Of rows of several columns: in FROM alone.
bool GivesRecords(std::string_view name);
// Whether a WITH query names itself in a FROM of its own.
bool RefersToItself(const PgQuery__CommonTableExpr& common);
// Merges conjuncts over several inner-joined tables into those joins; the rest comes back.
LogicalPtr SinkIntoJoins(LogicalPtr plan, std::vector<ExprPtr>* conjuncts);
// Filter over row_number(): the rows with the first numbers, as kTop; other conjuncts stay.
LogicalPtr FilterOrTop(LogicalPtr plan, std::vector<ExprPtr> conjuncts);

}  // namespace leat
