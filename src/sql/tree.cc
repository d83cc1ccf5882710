#include "sql/tree.h"

#include <pg_query.h>

#include <algorithm>

#include "base/ascii.h"

namespace leat {
namespace {

// The smaller of two places, where -1 is none.
int Leftmost(int a, int b) {
  if (a < 0) return b;
  return b < 0 ? a : std::min(a, b);
}

int SubLinkLocation(const PgQuery__SubLink& link) {
  return Leftmost(LocationOf(link.testexpr), link.location);
}

int ListLocation(Nodes nodes) {
  for (const Node* node : nodes) {
    if (const int location = LocationOf(node); location >= 0) return location;
  }
  return -1;
}

}  // namespace

std::string_view StringOf(const Node* node) {
  if (Is(node, PG_QUERY__NODE__NODE_STRING)) return node->string->sval;
  return {};
}

std::vector<std::string> StringsOf(Nodes nodes) {
  std::vector<std::string> strings;
  for (const Node* node : nodes) strings.emplace_back(StringOf(node));
  return strings;
}

int LocationOf(const Node* node) {
  if (node == nullptr) return -1;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return node->a_const->location;
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return node->column_ref->location;
    case PG_QUERY__NODE__NODE_A_EXPR:
      return Leftmost(node->a_expr->location, LocationOf(node->a_expr->lexpr));
    case PG_QUERY__NODE__NODE_FUNC_CALL: {
      const PgQuery__FuncCall& call = *node->func_call;
      return Leftmost(call.location, ListLocation(Items(call.n_args, call.args)));
    }
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      const PgQuery__TypeCast& cast = *node->type_cast;
      const int type = cast.type_name == nullptr ? -1 : cast.type_name->location;
      return Leftmost(LocationOf(cast.arg), Leftmost(type, cast.location));
    }
    case PG_QUERY__NODE__NODE_BOOL_EXPR: {
      const PgQuery__BoolExpr& expr = *node->bool_expr;
      return Leftmost(expr.location, ListLocation(Items(expr.n_args, expr.args)));
    }
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return Leftmost(node->null_test->location, LocationOf(node->null_test->arg));
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
      return Leftmost(node->boolean_test->location, LocationOf(node->boolean_test->arg));
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return SubLinkLocation(*node->sub_link);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return node->case_expr->location;
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return node->coalesce_expr->location;
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return node->min_max_expr->location;
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return node->sqlvalue_function->location;
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return LocationOf(node->collate_clause->arg);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return LocationOf(node->a_indirection->arg);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return node->a_array_expr->location;
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return node->row_expr->location;
    case PG_QUERY__NODE__NODE_RES_TARGET:
      return node->res_target->location;
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
      return node->set_to_default->location;
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return node->param_ref->location;
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      return node->range_var->location;
    case PG_QUERY__NODE__NODE_GROUPING_SET:
      return node->grouping_set->location;
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return node->grouping_func->location;
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
      return node->named_arg_expr->location;
    case PG_QUERY__NODE__NODE_TYPE_NAME:
      return node->type_name->location;
    case PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR:
      return node->common_table_expr->location;
    case PG_QUERY__NODE__NODE_LIST:
      return ListLocation(Items(node->list->n_items, node->list->items));
    default:
      return -1;
  }
}

std::string OptionText(const PgQuery__DefElem& option) {
  const Node* arg = option.arg;
  if (arg == nullptr) return "true";
  switch (arg->node_case) {
    case PG_QUERY__NODE__NODE_STRING:
      return arg->string->sval;
    case PG_QUERY__NODE__NODE_INTEGER:
      return std::to_string(arg->integer->ival);
    case PG_QUERY__NODE__NODE_FLOAT:
      return arg->float_->fval;
    case PG_QUERY__NODE__NODE_BOOLEAN:
      return arg->boolean->boolval != 0 ? "true" : "false";
    case PG_QUERY__NODE__NODE_TYPE_NAME: {
      const PgQuery__TypeName& name = *arg->type_name;
      return name.n_names == 0 ? "" : std::string(StringOf(name.names[name.n_names - 1]));
    }
    default:
      return {};
  }
}

int DepthOf(const ProtobufCMessageDescriptor* descriptor, std::string_view bytes) {
  struct Open {
    const ProtobufCMessageDescriptor* descriptor;
    size_t end;
  };
  std::vector<Open> open = {{descriptor, bytes.size()}};
  size_t deepest = 1;
  size_t at = 0;
  const auto varint = [&]() {
    uint64_t value = 0;
    for (int shift = 0; at < bytes.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (!open.empty()) {
    if (at >= open.back().end) {
      open.pop_back();
      continue;
    }
    const uint64_t tag = varint();
    const auto wire = tag & 7;
    if (wire == 0) varint();
    if (wire == 1) at += 8;
    if (wire == 5) at += 4;
    if (wire != 2) continue;
    const uint64_t length = varint();
    const auto* field = protobuf_c_message_descriptor_get_field(open.back().descriptor,
                                                                static_cast<unsigned>(tag >> 3));
    if (field == nullptr || field->type != PROTOBUF_C_TYPE_MESSAGE) {
      at += length;
      continue;
    }
    open.push_back(
        {static_cast<const ProtobufCMessageDescriptor*>(field->descriptor), at + length});
    deepest = std::max(deepest, open.size());
  }
  return static_cast<int>(deepest);
}

std::vector<SqlToken> Tokenize(const std::string& text) {
  PgQueryScanResult scanned = pg_query_scan(text.c_str());
  std::vector<SqlToken> tokens;
  if (scanned.error == nullptr) {
    auto* result = pg_query__scan_result__unpack(
        nullptr, scanned.pbuf.len, reinterpret_cast<const uint8_t*>(scanned.pbuf.data));
    for (size_t i = 0; result != nullptr && i < result->n_tokens; ++i) {
      const PgQuery__ScanToken& token = *result->tokens[i];
      if (token.token == PG_QUERY__TOKEN__SQL_COMMENT ||
          token.token == PG_QUERY__TOKEN__C_COMMENT) {
        continue;
      }
      SqlToken& out = tokens.emplace_back(SqlToken{token.start, token.end, {}});
      out.text = LowerAscii(text.substr(static_cast<size_t>(token.start),
                                        static_cast<size_t>(token.end - token.start)));
    }
    if (result != nullptr) pg_query__scan_result__free_unpacked(result, nullptr);
  }
  pg_query_free_scan_result(scanned);
  return tokens;
}

}  // namespace leat
