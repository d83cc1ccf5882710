// A Delta table's columns and files, as the sink and readers see them.
#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <charconv>

#include "connect/file/delta.h"
#include "connect/json.h"
#include "connect/options.h"
#include "data/text.h"
#include "format/format.h"

namespace leat {
namespace {

// Delta's name of a type, or "" where it has none.
std::string DeltaType(const Type& type) {
  switch (type.id) {
    case TypeId::kBool:
      return "boolean";
    case TypeId::kInt2:
      return "short";
    case TypeId::kInt4:
      return "integer";
    case TypeId::kInt8:
      return "long";
    case TypeId::kFloat4:
      return "float";
    case TypeId::kFloat8:
      return "double";
    case TypeId::kNumeric:
      return type.precision < 0 ? "" : fmt::format("decimal({},{})", type.precision, type.scale);
    case TypeId::kText:
    case TypeId::kVarchar:
    case TypeId::kChar:
    case TypeId::kJson:
    case TypeId::kJsonb:
    case TypeId::kUnknown:
      return "string";
    case TypeId::kBytea:
      return "binary";
    case TypeId::kDate:
      return "date";
    case TypeId::kTimestamp:
      return "timestamp_ntz";
    case TypeId::kTimestamptz:
      return "timestamp";
    default:
      return "";
  }
}

Result<Type> TypeOfDelta(const std::string& name) {
  for (const TypeId id : {TypeId::kBool, TypeId::kInt2, TypeId::kInt4, TypeId::kInt8,
                          TypeId::kFloat4, TypeId::kFloat8, TypeId::kText, TypeId::kBytea,
                          TypeId::kDate, TypeId::kTimestamp, TypeId::kTimestamptz}) {
    if (DeltaType(Type(id)) == name) return Type(id);
  }
  if (name == "byte") return Type(TypeId::kInt2);
  int precision = 0, scale = 0;
  if (std::sscanf(name.c_str(), "decimal(%d,%d)", &precision, &scale) == 2) {
    return Type::Numeric(precision, scale);
  }
  return NotSupported(fmt::format("a Delta column of type {} is not supported", name));
}

}  // namespace

bool IsDelta(const Options& options) { return OptionOr(options, "format", "") == "delta"; }

Schema DeltaSchema(const Schema& schema) {
  Schema kept = schema;
  for (Column& column : kept.columns) {
    if (DeltaType(column.type).empty()) column.type = Type(TypeId::kText);
  }
  return kept;
}

Result<Batch> ToDelta(const Schema& schema, const Batch& batch) {
  Batch kept = batch;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Type& type = schema.columns[i].type;
    if (!DeltaType(type).empty()) continue;
    LEAT_ASSIGN(kept.columns[i], ToTextColumn(*batch.columns[i], type, {}));
  }
  return kept;
}

std::string DeltaSchemaString(const Schema& schema) {
  std::string text = "{\"type\":\"struct\",\"fields\":[";
  for (const Column& column : DeltaSchema(schema).columns) {
    text += text.ends_with('[') ? "{\"name\":" : ",{\"name\":";
    AppendJson(column.name, &text);
    text += fmt::format(",\"type\":\"{}\",\"nullable\":true,\"metadata\":{{}}}}",
                        DeltaType(column.type));
  }
  return text + "]}";
}

Result<Schema> ParseDeltaSchema(const std::string& text) {
  Schema schema;
  Status wrong;
  JsonScanner json(text);
  std::string_view skipped;
  const auto read_field = [&] {
    if (json.Peek() != JsonKind::kObject) return false;
    json.Enter();
    std::string name, type;
    std::string_view key;
    for (bool first = true; json.NextKey(first, &key); first = false) {
      if (key == "name"
              ? !ReadJson(&json, &name)
              : !(key == "type" && json.Peek() == JsonKind::kString ? ReadJson(&json, &type)
                                                                    : json.Skip(&skipped))) {
        return false;
      }
    }
    if (type.empty()) type = "of several values";
    const auto found = TypeOfDelta(type);
    if (!found.ok()) wrong = found.status();
    if (found.ok()) schema.columns.push_back({name, *found});
    return json.ok();
  };
  std::string_view key;
  bool read = json.Peek() == JsonKind::kObject;
  if (read) json.Enter();
  for (bool first = true; read && json.NextKey(first, &key); first = false) {
    read = key == "fields" ? ReadJsonArray(&json, read_field) : json.Skip(&skipped);
  }
  LEAT_RETURN(wrong);
  if (!read || !json.ok()) return Status::IOError("a Delta table's schema is damaged");
  return schema;
}

DeltaFileReader::DeltaFileReader(std::string folder, Schema schema, std::vector<int> columns)
    : folder_(std::move(folder)), schema_(std::move(schema)), columns_(std::move(columns)) {}

Status DeltaFileReader::Read(const DeltaFile& file,
                             const std::function<Status(Batch batch)>& visit) const {
  const std::string path = folder_ + "/" + file.path;
  LEAT_ASSIGN(const Schema there, InferSchema(path, "parquet", {}, 0));
  ReadOptions options;
  std::vector<int> place;  // of each column in the file's batches; -1: not there
  for (const int i : columns_) {
    const Column& column = schema_.columns[static_cast<size_t>(i)];
    const bool in_file = !file.partition.contains(column.name) && there.Find(column.name) >= 0;
    place.push_back(in_file ? static_cast<int>(options.columns.size()) : -1);
    if (in_file) options.columns.push_back({.column = column, .outside_name = column.name});
  }
  // Without a column of its own a file still says how many rows it has.
  if (options.columns.empty() && there.size() > 0) {
    options.columns.push_back({.column = there.columns[0], .outside_name = there.columns[0].name});
  }
  LEAT_ASSIGN(const auto reader, OpenFile(path, "parquet", options, {}));
  while (true) {
    LEAT_ASSIGN(auto chunk, reader->Next());
    if (!chunk) return Status::OK();
    if (!chunk->rejects.empty()) {
      return IOErrorF("file \"{}\" holds what is none of the table's rows: {}", path,
                      chunk->rejects[0].reason);
    }
    Batch batch{.rows = chunk->batch.rows};
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = schema_.columns[static_cast<size_t>(columns_[i])];
      if (place[i] >= 0) {
        batch.columns.push_back(chunk->batch.columns[static_cast<size_t>(place[i])]);
        continue;
      }
      std::shared_ptr<arrow::Scalar> value = arrow::MakeNullScalar(ArrowType(column.type));
      const auto found = file.partition.find(column.name);
      if (found != file.partition.end() && found->second) {
        LEAT_ASSIGN(value, ParseValue(*found->second, column.type, {}));
      }
      LEAT_ASSIGN(auto repeated, arrow::MakeArrayFromScalar(*value, batch.rows));
      batch.columns.push_back(std::move(repeated));
    }
    LEAT_RETURN(visit(std::move(batch)));
  }
}

Status ReadDelta(const Relation& relation, const std::string& target, const ArrivalVisitor& visit) {
  LEAT_ASSIGN(const DeltaState state, ReadDeltaLog(target));
  if (state.version < 0) return IOErrorF("there is no Delta table in \"{}\"", target);
  const Schema schema = relation.schema();
  std::vector<int> all;
  for (int i = 0; i < schema.size(); ++i) all.push_back(i);
  const DeltaFileReader reader(target, schema, all);
  for (const auto& entry : state.files) {
    LEAT_RETURN(reader.Read(entry.second, [&](Batch batch) {
      Arrival arrival{.place = entry.first, .rows_read = batch.rows};
      arrival.batch = std::move(batch);
      return visit(arrival);
    }));
  }
  return Status::OK();
}

Result<Schema> InferDeltaColumns(const std::string& target) {
  LEAT_ASSIGN(const DeltaState state, ReadDeltaLog(target));
  if (state.version < 0) return IOErrorF("there is no Delta table in \"{}\"", target);
  return ParseDeltaSchema(state.schema);
}

}  // namespace leat
