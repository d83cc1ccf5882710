// leat docs sql: what of PostgreSQL 15's language there is. Functions and types are looked up where
// the binder looks, so that the page cannot promise what is not there.
#include <algorithm>
#include <array>
#include <sstream>

#include "cli/docs.h"
#include "func/aggregate.h"
#include "func/function.h"
#include "sql/support.h"

namespace leat {
namespace {

struct Family {
  std::string_view name;
  std::string_view functions;  // the manual's, by name
};

// PostgreSQL's manual, chapter 9.
constexpr std::array kFamilies = {
    Family{"Mathematical",
           "abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling "
           "cos cosd cosh cot cotd degrees div exp factorial floor gcd lcm ln log log10 min_scale "
           "mod pi power radians random round scale setseed sign sin sind sinh sqrt tan tand tanh "
           "trim_scale trunc width_bucket"},
    Family{
        "String",
        "ascii bit_length btrim char_length chr concat concat_ws format initcap left length lower "
        "lpad ltrim md5 normalize octet_length overlay parse_ident position quote_ident "
        "quote_literal quote_nullable repeat replace reverse right rpad rtrim split_part "
        "starts_with string_to_array string_to_table strpos substr substring to_ascii to_hex "
        "translate unistr upper"},
    Family{"Regular expressions",
           "regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace "
           "regexp_split_to_array regexp_split_to_table regexp_substr"},
    Family{"Binary strings",
           "bit_count convert_from convert_to decode encode get_bit get_byte set_bit set_byte "
           "sha224 sha256 sha384 sha512"},
    Family{"Formatting", "to_char to_date to_number to_timestamp"},
    Family{"Dates and times",
           "age clock_timestamp current_date current_time current_timestamp date_bin date_part "
           "date_trunc extract isfinite justify_days justify_hours justify_interval localtime "
           "localtimestamp make_date make_interval make_time make_timestamp make_timestamptz now "
           "overlaps statement_timestamp timezone transaction_timestamp"},
    Family{"JSON",
           "json_array_elements json_array_elements_text json_array_length json_build_array "
           "json_build_object json_each json_each_text json_extract_path json_extract_path_text "
           "json_object json_object_keys json_populate_record json_strip_nulls json_to_record "
           "json_to_recordset json_typeof jsonb_array_elements jsonb_array_elements_text "
           "jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text "
           "jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_keys "
           "jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array "
           "jsonb_path_query_first jsonb_populate_record jsonb_pretty jsonb_set jsonb_set_lax "
           "jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json to_json "
           "to_jsonb array_to_json"},
    Family{"Arrays",
           "array_append array_cat array_dims array_fill array_length array_lower array_ndims "
           "array_position array_positions array_prepend array_remove array_replace "
           "array_to_string array_upper cardinality trim_array unnest"},
    Family{"Sets of rows", "generate_series generate_subscripts"},
    Family{"Comparison and conditions", "num_nonnulls num_nulls nullif greatest least"},
    Family{"Aggregates",
           "array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp "
           "every json_agg json_object_agg jsonb_agg jsonb_object_agg max min mode "
           "percentile_cont percentile_disc range_agg regr_avgx regr_avgy regr_count "
           "regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop "
           "stddev_samp string_agg sum var_pop var_samp variance xmlagg"},
    Family{"Identifiers", "gen_random_uuid"},
    Family{"Enums", "enum_first enum_last enum_range"},
    Family{"Sequences", "currval lastval nextval pg_get_serial_sequence setval"},
    Family{"Text search, XML, network, geometry, ranges",
           "to_tsvector to_tsquery ts_rank xpath xmlelement host masklen area center lower_inc "
           "isempty range_merge"},
    Family{"The session and the system",
           "current_database current_schema current_user pg_typeof version pg_backend_pid"}};

// Types of chapter 8, by the names that people write.
constexpr std::string_view kTypes =
    "smallint,integer,bigint,real,double precision,numeric,text,character varying,character,bytea,"
    "boolean,date,time,timestamp,timestamptz,interval,uuid,json,jsonb,time with time "
    "zone,money,bit,"
    "bit "
    "varying,name,oid,inet,cidr,macaddr,point,line,box,path,polygon,circle,tsvector,tsquery,xml,"
    "int4range,int8range,numrange,tsrange,tstzrange,daterange,pg_lsn";

bool IsThere(const std::string& name) {
  // What the binder answers without a spec: set functions of FROM and what depends on types.
  static constexpr std::array<std::string_view, 12> kByTheBinder = {
      "pg_typeof",          "unnest",          "json_each",
      "jsonb_each",         "json_each_text",  "jsonb_each_text",
      "json_to_record",     "jsonb_to_record", "json_to_recordset",
      "jsonb_to_recordset", "row_to_json",     "pg_get_serial_sequence"};
  return !FindFunctions(name).empty() || IsAggregate(name) ||
         std::find(kByTheBinder.begin(), kByTheBinder.end(), name) != kByTheBinder.end();
}

std::string FamilyRow(const Family& family) {
  std::string there, missing;
  std::istringstream names{std::string(family.functions)};
  for (std::string name; names >> name;) {
    std::string& list = IsThere(name) ? there : missing;
    list += fmt::format("{}`{}`", list.empty() ? "" : " ", name);
  }
  return fmt::format("| {} | {} | {} |\n", family.name, there, missing);
}

std::string_view NameOf(Support support) {
  switch (support) {
    case Support::kFull:
      return "supported";
    case Support::kDifferent:
      return "different";
    case Support::kAbsent:
      return "absent";
  }
  return "";
}

}  // namespace

std::string SqlPage() {
  std::string text =
      "# SQL: what of PostgreSQL 15 there is\n\nMade by `leat docs sql` from what the binder "
      "knows; "
      "a test binds every example. What is absent is refused with its place and, where there is "
      "one, the way to write it. [functions.md](functions.md) has every function with an example.\n"
      "\n## Statements\n\n| statement | | how it differs, or what to write | example |\n"
      "|---|---|---|---|\n";
  for (const StatementSupport& one : StatementsOfPostgres()) {
    text += fmt::format("| {} | {} | {} | `{}` |\n", one.statement, NameOf(one.support), one.note,
                        MarkdownCell(one.example));
  }
  text +=
      "\nBesides, `ema`, `arg_max`, `arg_min`, `first`, `last`, `tumble`, `hop` and `session` are "
      "leat's own.\n\n## Functions\n\n| family | supported | absent |\n|---|---|---|\n";
  for (const Family& family : kFamilies) text += FamilyRow(family);
  text +=
      "\nAny aggregate may have DISTINCT, ORDER BY and FILTER, and may stand over a window; window "
      "functions are all there. `now()`, `current_date` and their like are the epoch's clock; what "
      "gives another value each time it is asked (`random`, `gen_random_uuid`) cannot be "
      "computed again after a crash and is refused; sequences belong to local tables.\n\n## "
      "Types\n\n| type | |\n|---|---|\n";
  for (size_t at = 0; at < kTypes.size();) {
    const size_t end = std::min(kTypes.find(',', at), kTypes.size());
    const std::string name(kTypes.substr(at, end - at));
    text += fmt::format("| {} | {} |\n", name, TypeFromName(name).ok() ? "supported" : "absent");
    at = end + 1;
  }
  text +=
      "\nArrays have one dimension and begin at 1. Text is UTF-8 and orders by its bytes (COLLATE "
      "\"C\"). Enums and domains are made by CREATE "
      "TYPE and CREATE DOMAIN for local tables; there are no composite or range types.\n";
  return text;
}

}  // namespace leat
