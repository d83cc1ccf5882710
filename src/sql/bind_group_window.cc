// Keys of GROUP BY that are made below the groups: sets, such as hop(ts, slide, size), of which
// each element is a row, and sessions, which depend on the rows around.
#include <algorithm>

#include "func/function.h"
#include "sql/bind_select.h"

namespace leat {
namespace {

const Expr* SessionIn(const Expr& expr) {
  const Expr* found = nullptr;
  VisitExprs(expr, [&](const Expr& part) {
    if (part.kind == ExprKind::kCall && part.function->name == "session") found = &part;
  });
  return found;
}

// The expression with every part that equals `from` replaced.
ExprPtr Replaced(const ExprPtr& expr, const Expr& from, const ExprPtr& to) {
  if (Equal(*expr, from)) return to;
  Expr copy = *expr;
  for (ExprPtr& arg : copy.args) arg = Replaced(arg, from, to);
  return std::make_shared<const Expr>(std::move(copy));
}

}  // namespace

// The sets that keys use become columns of the plan. Which ones, so that they are not made again.
std::vector<bool> Binder::UnnestKeys(std::vector<ExprPtr>* keys, Selection* selection) {
  const auto& sets = selection->collected.sets;
  std::vector<bool> used(sets.size(), false);
  for (const ExprPtr& key : *keys) {
    VisitExprs(*key, [&](const Expr& part) {
      const bool set = part.kind == ExprKind::kColumn && BaseOf(part.column) == kSetBase;
      if (set) used[static_cast<size_t>(part.column - kSetBase)] = true;
    });
  }
  std::vector<ExprPtr> lists;
  std::vector<int> places(sets.size(), -1);
  for (size_t i = 0; i < sets.size(); ++i) {
    if (!used[i]) continue;
    places[i] = selection->plan->schema.size() + static_cast<int>(lists.size());
    lists.push_back(sets[i]);
  }
  if (lists.empty()) return used;
  for (ExprPtr& key : *keys) {
    key = MapColumns(key, [&](const Expr& column) {
      const bool set = BaseOf(column.column) == kSetBase;
      const int place = set ? places[static_cast<size_t>(column.column - kSetBase)] : column.column;
      return ColumnAt(place, column.type, column.location);
    });
  }
  const std::vector<std::string> names(lists.size(), "element");
  selection->plan = UnnestOn(selection->plan, std::move(lists), names);
  return used;
}

// What the select list says of such sets are keys by now.
void Binder::DropSets(const std::vector<bool>& dropped, Selection* selection) {
  auto& sets = selection->collected.sets;
  std::vector<int> places(sets.size(), -1);
  std::vector<ExprPtr> kept;
  for (size_t i = 0; i < sets.size(); ++i) {
    if (dropped[i]) continue;
    places[i] = static_cast<int>(kept.size());
    kept.push_back(sets[i]);
  }
  if (kept.size() == sets.size()) return;
  sets = std::move(kept);
  for (Target& target : selection->targets) {
    target.expr = MapColumns(target.expr, [&](const Expr& column) {
      const bool set = BaseOf(column.column) == kSetBase;
      const int place =
          set ? kSetBase + places[static_cast<size_t>(column.column - kSetBase)] : column.column;
      return ColumnAt(place, column.type, column.location);
    });
  }
}

// session(ts, gap) among the keys: of the rows whose other keys are the same.
Status Binder::BuildSessions(std::vector<ExprPtr>* keys, Selection* selection) {
  const Expr* session = nullptr;
  for (const ExprPtr& key : *keys) {
    const Expr* found = SessionIn(*key);
    if (found == nullptr) continue;
    if (session != nullptr && !Equal(*session, *found)) {
      return NotSupported("two sessions in one GROUP BY", found->location);
    }
    session = found;
  }
  if (session == nullptr) return Status::OK();
  if (!selection->sets.empty()) {
    return NotSupported("a session in grouping sets", session->location);
  }
  WindowParts parts;
  for (const ExprPtr& key : *keys) {
    if (SessionIn(*key) == nullptr) parts.partition.push_back(key);
  }
  parts.order.push_back({.expr = session->args[0]});
  parts.calls.push_back({WindowFunction::kSession, session->args, nullptr, session->type});
  parts.names = {"session"};
  const ExprPtr place = ColumnExpr(selection->plan->schema.size(), session->type);
  const Expr whole = *session;
  selection->plan = WindowOn(selection->plan, std::move(parts));
  for (ExprPtr& key : *keys) key = Replaced(key, whole, place);
  return Status::OK();
}

}  // namespace leat
