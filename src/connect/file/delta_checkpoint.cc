#include "connect/file/delta_checkpoint.h"

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/json/from_string.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include <algorithm>

#include "base/file_system.h"
#include "connect/json.h"

namespace leat {
namespace {

using arrow::field;

std::shared_ptr<arrow::DataType> Texts() { return arrow::map(arrow::utf8(), arrow::utf8()); }

// The columns of a checkpoint that leat writes; the protocol lets the others be absent.
arrow::FieldVector Columns() {
  const auto& text = arrow::utf8();
  const auto& number = arrow::int64();
  const auto list = arrow::list(field("element", text));
  return {
      field("txn", arrow::struct_({field("appId", text), field("version", number),
                                   field("lastUpdated", number)})),
      field("add", arrow::struct_({field("path", text), field("partitionValues", Texts()),
                                   field("size", number), field("modificationTime", number),
                                   field("dataChange", arrow::boolean()), field("stats", text)})),
      field("remove", arrow::struct_({field("path", text), field("deletionTimestamp", number),
                                      field("dataChange", arrow::boolean())})),
      field("metaData",
            arrow::struct_({field("id", text), field("name", text), field("description", text),
                            field("format", arrow::struct_({field("provider", text),
                                                            field("options", Texts())})),
                            field("schemaString", text), field("partitionColumns", list),
                            field("configuration", Texts()), field("createdTime", number)})),
      field("protocol",
            arrow::struct_({field("minReaderVersion", arrow::int32()),
                            field("minWriterVersion", arrow::int32()),
                            field("readerFeatures", list), field("writerFeatures", list)})),
  };
}

// JSON of a value of an action as Arrow's reader takes it: a map is a list of pairs, and members
// without a column are left out.
bool ToArrowJson(JsonScanner* json, const arrow::DataType& type, std::string* out) {
  const JsonKind kind = json->Peek();
  if (kind == JsonKind::kObject && type.id() == arrow::Type::MAP) {
    json->Enter();
    *out += '[';
    std::string_view key, value;
    for (bool first = true; json->NextKey(first, &key); first = false) {
      json->Peek();
      *out += fmt::format("{}[\"{}\",", first ? "" : ",", key);
      const auto& item = *static_cast<const arrow::MapType&>(type).item_type();
      if (!ToArrowJson(json, item, out)) return false;
      *out += ']';
    }
    *out += ']';
    return json->ok();
  }
  if (kind == JsonKind::kObject) {
    json->Enter();
    *out += '{';
    std::string_view key, value;
    for (bool first = true; json->NextKey(first, &key); first = false) {
      json->Peek();
      const auto member =
          static_cast<const arrow::StructType&>(type).GetFieldByName(std::string(key));
      if (member == nullptr) {
        if (!json->Skip(&value)) return false;
        continue;
      }
      *out += fmt::format("{}\"{}\":", out->ends_with('{') ? "" : ",", key);
      if (!ToArrowJson(json, *member->type(), out)) return false;
    }
    *out += '}';
    return json->ok();
  }
  std::string_view token;
  if (kind == JsonKind::kString) {
    if (!json->String(&token)) return false;
    *out += '"';
    *out += token;
    *out += '"';
    return true;
  }
  if (!json->Skip(&token)) return false;
  *out += token;
  return true;
}

void AppendValue(const arrow::Array& array, int64_t row, std::string* out);

void AppendStruct(const arrow::StructArray& array, int64_t row, std::string* out) {
  *out += '{';
  for (int i = 0; i < array.num_fields(); ++i) {
    const auto member = array.field(i);
    if (member->IsNull(row)) continue;
    if (!out->ends_with('{')) *out += ',';
    AppendJson(array.type()->field(i)->name(), out);
    *out += ':';
    AppendValue(*member, row, out);
  }
  *out += '}';
}

void AppendMap(const arrow::MapArray& map, int64_t row, std::string* out) {
  *out += '{';
  for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (!out->ends_with('{')) *out += ',';
    AppendJson(static_cast<const arrow::StringArray&>(*map.keys()).GetView(i), out);
    *out += ':';
    AppendValue(*map.items(), i, out);
  }
  *out += '}';
}

void AppendList(const arrow::ListArray& list, int64_t row, std::string* out) {
  *out += '[';
  for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
    if (!out->ends_with('[')) *out += ',';
    AppendValue(*list.values(), i, out);
  }
  *out += ']';
}

void AppendValue(const arrow::Array& array, int64_t row, std::string* out) {
  if (array.IsNull(row)) {
    *out += "null";
    return;
  }
  switch (array.type_id()) {
    case arrow::Type::STRUCT:
      return AppendStruct(static_cast<const arrow::StructArray&>(array), row, out);
    case arrow::Type::MAP:
      return AppendMap(static_cast<const arrow::MapArray&>(array), row, out);
    case arrow::Type::LIST:
      return AppendList(static_cast<const arrow::ListArray&>(array), row, out);
    case arrow::Type::STRING:
      return AppendJson(static_cast<const arrow::StringArray&>(array).GetView(row), out);
    case arrow::Type::INT64:
      *out += std::to_string(static_cast<const arrow::Int64Array&>(array).Value(row));
      return;
    case arrow::Type::INT32:
      *out += std::to_string(static_cast<const arrow::Int32Array&>(array).Value(row));
      return;
    case arrow::Type::BOOL:
      *out += static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
      return;
    default:  // what others write besides is none of what is read
      *out += "null";
  }
}

constexpr int64_t kActionsPerGroup = 65536;

}  // namespace

Result<int64_t> WriteDeltaCheckpoint(const std::string& path, const std::string& lines) {
  const auto type = arrow::struct_(Columns());
  std::string rows = "[";
  int64_t actions = 0;
  for (size_t at = 0; at < lines.size(); ++actions) {
    const size_t end = lines.find('\n', at);
    JsonScanner json(std::string_view(lines).substr(at, end - at));
    if (rows.size() > 1) rows += ',';
    if (!ToArrowJson(&json, *type, &rows)) return Status::UnknownError("an action is no JSON");
    at = end + 1;
  }
  LEAT_ASSIGN(const auto array, arrow::json::ArrayFromJSONString(type, rows + "]"));
  LEAT_ASSIGN(const auto batch, arrow::RecordBatch::FromStructArray(array));
  LEAT_ASSIGN(const auto table, arrow::Table::FromRecordBatches({batch}));
  LEAT_ASSIGN(const auto out, arrow::io::FileOutputStream::Open(path));
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::SNAPPY)->build();
  try {
    LEAT_RETURN(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out,
                                           kActionsPerGroup, properties));
  } catch (const std::exception& error) {
    return IOErrorF("could not write \"{}\": {}", path, error.what());
  }
  LEAT_RETURN(out->Close());
  LEAT_ASSIGN(const auto synced, PosixFileSystem()->OpenAppend(path));
  LEAT_RETURN(synced->Sync());
  return actions;
}

Status ReadDeltaCheckpoint(const std::string& path,
                           const std::function<Status(const std::string& action)>& visit) {
  LEAT_ASSIGN(const auto file, arrow::io::ReadableFile::Open(path));
  std::shared_ptr<arrow::Table> table;
  try {
    LEAT_ASSIGN(const auto reader, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
    LEAT_ASSIGN(table, reader->ReadTable());
  } catch (const std::exception& error) {
    return IOErrorF("could not read \"{}\": {}", path, error.what());
  }
  LEAT_ASSIGN(const auto batch, table->CombineChunksToBatch());
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    for (int i = 0; i < batch->num_columns(); ++i) {
      if (batch->column(i)->IsNull(row)) continue;
      std::string action = fmt::format("{{\"{}\":", batch->schema()->field(i)->name());
      AppendValue(*batch->column(i), row, &action);
      LEAT_RETURN(visit(action + "}"));
    }
  }
  return Status::OK();
}

}  // namespace leat
