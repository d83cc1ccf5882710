#include "catalog/catalog.h"

#include <algorithm>

#include "base/edit_distance.h"

namespace leat {

std::string_view KindName(RelationKind kind) {
  switch (kind) {
    case RelationKind::kTable:
      return "table";
    case RelationKind::kForeign:
      return "foreign table";
    case RelationKind::kView:
      return "view";
    case RelationKind::kMaterializedView:
      return "materialized view";
  }
  return "";
}

Schema Relation::schema() const {
  Schema schema;
  for (const ColumnSpec& spec : columns) schema.columns.push_back(spec.column);
  return schema;
}

std::string CheckSpec::Broken(std::string_view relation) const {
  if (is_not_null) return fmt::format("domain {} does not allow null values", domain);
  if (!domain.empty()) {
    return fmt::format("value for domain {} violates check constraint \"{}\"", domain, name);
  }
  return fmt::format("new row for relation \"{}\" violates check constraint \"{}\"", relation,
                     name);
}

const char* CheckSpec::sqlstate() const { return is_not_null ? "23502" : "23514"; }

Status Catalog::AddServer(Server server) {
  if (servers_.contains(server.name)) {
    return SqlStatus(fmt::format("server \"{}\" already exists", server.name),
                     {.sqlstate = kDuplicateObject});
  }
  std::string name = server.name;
  servers_.emplace(std::move(name), std::move(server));
  return Status::OK();
}

Status Catalog::AddRelation(Relation relation) {
  if (relations_.contains(relation.name) || sequences_.contains(relation.name)) {
    return SqlStatus(fmt::format("relation \"{}\" already exists", relation.name),
                     {.sqlstate = "42P07", .location = relation.location});
  }
  std::string name = relation.name;
  relations_.emplace(std::move(name), std::move(relation));
  return Status::OK();
}

Status Catalog::AddInsert(StandingInsert insert) {
  const auto same = [&](const StandingInsert& other) { return other.sink == insert.sink; };
  if (std::any_of(inserts_.begin(), inserts_.end(), same)) {
    return SqlStatus(fmt::format("there is already an INSERT INTO \"{}\"", insert.sink),
                     {.sqlstate = kDuplicateObject,
                      .location = insert.location,
                      .hint = "A standing query is named by its sink: join them with UNION ALL."});
  }
  inserts_.push_back(std::move(insert));
  return Status::OK();
}

Status Catalog::Drop(std::string_view relation) {
  const auto found = relations_.find(relation);
  if (found == relations_.end()) {
    return SqlStatus(fmt::format("relation \"{}\" does not exist", relation),
                     {.sqlstate = kUndefinedTable});
  }
  std::erase_if(inserts_, [&](const StandingInsert& insert) { return insert.sink == relation; });
  relations_.erase(found);
  return Status::OK();
}

Status Catalog::AddEnum(std::shared_ptr<EnumType> labels) {
  std::string name = labels->name;
  if (enums_.contains(name) || domains_.contains(name) || relations_.contains(name)) {
    return SqlStatus(fmt::format("type \"{}\" already exists", name),
                     {.sqlstate = kDuplicateObject});
  }
  enums_.emplace(std::move(name), std::move(labels));
  return Status::OK();
}

Status Catalog::AddDomain(Domain domain) {
  std::string name = domain.name;
  if (enums_.contains(name) || domains_.contains(name) || relations_.contains(name)) {
    return SqlStatus(fmt::format("type \"{}\" already exists", name),
                     {.sqlstate = kDuplicateObject});
  }
  domains_.emplace(std::move(name), std::move(domain));
  return Status::OK();
}

Status Catalog::AddSequence(SequenceSpec sequence) {
  std::string name = sequence.name;
  if (relations_.contains(name) || sequences_.contains(name)) {
    return SqlStatus(fmt::format("relation \"{}\" already exists", name), {.sqlstate = "42P07"});
  }
  sequences_.emplace(std::move(name), std::move(sequence));
  return Status::OK();
}

void Catalog::DropType(std::string_view name) {
  if (const auto found = enums_.find(name); found != enums_.end()) enums_.erase(found);
  if (const auto found = domains_.find(name); found != domains_.end()) domains_.erase(found);
}

void Catalog::DropSequence(std::string_view name) {
  if (const auto found = sequences_.find(name); found != sequences_.end()) sequences_.erase(found);
}

const std::shared_ptr<EnumType>* Catalog::FindEnum(std::string_view name) const {
  const auto found = enums_.find(name);
  return found == enums_.end() ? nullptr : &found->second;
}

const Domain* Catalog::FindDomain(std::string_view name) const {
  const auto found = domains_.find(name);
  return found == domains_.end() ? nullptr : &found->second;
}

const SequenceSpec* Catalog::FindSequence(std::string_view name) const {
  const auto found = sequences_.find(name);
  return found == sequences_.end() ? nullptr : &found->second;
}

SequenceSpec* Catalog::FindSequence(std::string_view name) {
  const auto found = sequences_.find(name);
  return found == sequences_.end() ? nullptr : &found->second;
}

Status Catalog::AddFunction(SqlFunction function, bool replace) {
  for (auto& other : functions_) {
    if (other->name != function.name || other->types != function.types) continue;
    if (!replace) {
      return SqlStatus(
          fmt::format("function \"{}\" already exists with same argument types", function.name),
          {.sqlstate = "42723"});
    }
    other = std::make_shared<const SqlFunction>(std::move(function));
    return Status::OK();
  }
  functions_.push_back(std::make_shared<const SqlFunction>(std::move(function)));
  return Status::OK();
}

void Catalog::DropFunction(const SqlFunction* function) {
  std::erase_if(functions_, [&](const auto& other) { return other.get() == function; });
}

std::vector<const SqlFunction*> Catalog::FindFunctions(std::string_view name) const {
  std::vector<const SqlFunction*> found;
  for (const auto& function : functions_) {
    if (function->name == name) found.push_back(function.get());
  }
  return found;
}

void Catalog::Set(std::string_view name, std::string value) {
  settings_.insert_or_assign(std::string(name), std::move(value));
}

std::string Catalog::Setting(std::string_view name) const {
  const auto found = settings_.find(name);
  if (found != settings_.end()) return found->second;
  return name == "timezone" ? "UTC" : "";
}

const Server* Catalog::FindServer(std::string_view name) const {
  const auto found = servers_.find(name);
  return found == servers_.end() ? nullptr : &found->second;
}

Server* Catalog::FindServer(std::string_view name) {
  const auto found = servers_.find(name);
  return found == servers_.end() ? nullptr : &found->second;
}

const Relation* Catalog::FindRelation(std::string_view name) const {
  const auto found = relations_.find(name);
  return found == relations_.end() ? nullptr : &found->second;
}

Relation* Catalog::FindRelation(std::string_view name) {
  const auto found = relations_.find(name);
  return found == relations_.end() ? nullptr : &found->second;
}

std::string UniqueName(const Relation& relation, const std::vector<int>& columns) {
  std::string name = relation.name;
  for (const int column : columns) {
    name += "_" + relation.columns[static_cast<size_t>(column)].column.name;
  }
  return name + "_key";
}

std::optional<std::string> NearestName(std::string_view name,
                                       const std::vector<std::string>& names) {
  const std::string* best = nullptr;
  // As PostgreSQL's: at most three letters apart, and at most half of them.
  size_t best_distance = std::min<size_t>(4, name.size() / 2 + 1);
  for (const std::string& candidate : names) {
    const size_t distance = EditDistance(name, candidate);
    if (distance == 0 || distance >= best_distance) continue;
    best = &candidate;
    best_distance = distance;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

}  // namespace leat
