// libpg_query's protobuf-c trees, as the rest of src/sql/ reads them. Nothing outside includes
// this.
#pragma once

#include <pg_query/pg_query.pb-c.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat {

using Node = PgQuery__Node;
using Nodes = std::span<Node* const>;

// A repeated field: Items(select->n_target_list, select->target_list).
inline Nodes Items(size_t count, Node* const* items) { return {items, count}; }

// A String node's text, "" for any other node.
std::string_view StringOf(const Node* node);
// The strings of a qualified name, in order.
std::vector<std::string> StringsOf(Nodes nodes);
// Where a node begins in the text, as PostgreSQL's exprLocation(); -1 unknown.
int LocationOf(const Node* node);
inline bool Is(const Node* node, PgQuery__Node__NodeCase kind) {
  return node != nullptr && node->node_case == kind;
}
// An option's value as text: DefElem's argument, "true" when there is none.
std::string OptionText(const PgQuery__DefElem& option);

// How deep messages lie in the packed `bytes` of one of this kind, found without recursion:
// unpacking recurses, and must not be asked to go deeper than the stack does.
int DepthOf(const ProtobufCMessageDescriptor* descriptor, std::string_view bytes);

// A token of the text, as PostgreSQL's scanner cuts it.
struct SqlToken {
  int begin = 0;
  int end = 0;
  std::string text;  // lower case
};
// The tokens of a text without comments; none if the scanner refuses it.
std::vector<SqlToken> Tokenize(const std::string& text);

// Calls `visit` for every message below (and including) `message`, parents first.
template <typename Visit>
void VisitMessages(ProtobufCMessage* message, const Visit& visit) {
  if (message == nullptr) return;
  visit(message);
  const ProtobufCMessageDescriptor* descriptor = message->descriptor;
  auto* base = reinterpret_cast<char*>(message);
  for (unsigned i = 0; i < descriptor->n_fields; ++i) {
    const ProtobufCFieldDescriptor& field = descriptor->fields[i];
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      const auto count = *reinterpret_cast<size_t*>(base + field.quantifier_offset);
      auto** items = *reinterpret_cast<ProtobufCMessage***>(base + field.offset);
      for (size_t item = 0; item < count; ++item) VisitMessages(items[item], visit);
      continue;
    }
    if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *reinterpret_cast<uint32_t*>(base + field.quantifier_offset) != field.id) {
      continue;
    }
    VisitMessages(*reinterpret_cast<ProtobufCMessage**>(base + field.offset), visit);
  }
}

}  // namespace leat
