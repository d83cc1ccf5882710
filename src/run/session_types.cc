// The declarations of types and sequences.
#include "run/session.h"

namespace leat {

Result<std::optional<StatementResult>> Session::DeclareType(BoundStatement* statement) {
  if (auto* create = std::get_if<CreateEnum>(statement)) {
    LEAT_RETURN(catalog_.AddEnum(std::move(create->labels)));
    return StatementResult{.tag = "CREATE TYPE"};
  }
  if (auto* alter = std::get_if<AlterEnum>(statement)) {
    if (alter->exists) return StatementResult{.tag = "ALTER TYPE"};
    if (alter->renamed.empty()) {
      LEAT_RETURN(alter->labels->Add(std::move(alter->text), alter->place));
      return StatementResult{.tag = "ALTER TYPE"};
    }
    for (EnumType::Label& label : alter->labels->labels) {
      if (label.text == alter->renamed) label.text = alter->text;
    }
    return StatementResult{.tag = "ALTER TYPE"};
  }
  if (auto* create = std::get_if<CreateDomain>(statement)) {
    LEAT_RETURN(catalog_.AddDomain(std::move(create->domain)));
    return StatementResult{.tag = "CREATE DOMAIN"};
  }
  if (const auto* drop = std::get_if<DropType>(statement)) {
    for (const std::string& name : drop->names) catalog_.DropType(name);
    return StatementResult{.tag = drop->tag};
  }
  return DeclareSequence(statement);
}

Result<std::optional<StatementResult>> Session::DeclareSequence(BoundStatement* statement) {
  if (auto* create = std::get_if<CreateSequence>(statement)) {
    if (!create->exists) LEAT_RETURN(catalog_.AddSequence(std::move(create->sequence)));
    return StatementResult{.tag = "CREATE SEQUENCE"};
  }
  if (auto* alter = std::get_if<AlterSequence>(statement)) {
    const std::string name = alter->sequence.name;
    *catalog_.FindSequence(name) = std::move(alter->sequence);
    if (alter->restart) sequences_.Restart(name, *alter->restart);
    return StatementResult{.tag = "ALTER SEQUENCE"};
  }
  if (const auto* drop = std::get_if<DropSequence>(statement)) {
    for (const std::string& name : drop->names) DropSequenceNamed(name);
    return StatementResult{.tag = "DROP SEQUENCE"};
  }
  return std::nullopt;
}

void Session::DropSequenceNamed(const std::string& name) {
  catalog_.DropSequence(name);
  sequences_.Forget(name);
}

std::vector<std::string> Session::SequencesOf(const std::string& table) const {
  std::vector<std::string> names;
  for (const auto& [name, sequence] : catalog_.sequences()) {
    if (sequence.owner == table) names.push_back(name);
  }
  return names;
}

}  // namespace leat
