#include "connect/file/table.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <array>

#include "connect/file/hive.h"
#include "connect/file/paths.h"
#include "connect/options.h"
#include "connect/read_column.h"
#include "connect/root_folder.h"
#include "data/text.h"

namespace leat {
namespace {

constexpr std::array<std::string_view, 14> kFormatOptions = {"delimiter",
                                                             "quote",
                                                             "escape",
                                                             "header",
                                                             "null",
                                                             "decimal",
                                                             "thousands",
                                                             "encoding",
                                                             "root",
                                                             "compression",
                                                             "compression_level",
                                                             "row_group_rows",
                                                             "date_format",
                                                             "timestamp_format"};

Result<bool> Ignores(const Options& options, std::string_view name) {
  constexpr std::array<std::string_view, 3> kChoices = {"fail", "ignore", "reread"};
  LEAT_ASSIGN(const std::string choice, ChoiceOption(options, name, kChoices));
  if (choice == "reread") {
    return NotSupported(fmt::format("{} 'reread' is not supported yet", name), -1,
                        "Use 'fail' or 'ignore'.");
  }
  return choice == "ignore";
}

// Names in the first file there is; none without a file.
Result<std::vector<std::string>> NamesOutside(const FileTable& table) {
  std::vector<std::string> names;
  LEAT_ASSIGN(const auto files, FindFiles(table.root, table.pattern));
  if (files.empty()) return names;
  LEAT_ASSIGN(const Schema schema,
              InferSchema(files[0].path, table.format, table.read.options, /*sample_rows=*/1000));
  for (const Column& column : schema.columns) names.push_back(column.name);
  return names;
}

std::string NameOutside(const ColumnSpec& column, const std::string& prefix,
                        const std::vector<std::string>& names) {
  const std::string own = column.outside_name.empty() ? column.column.name : column.outside_name;
  if (prefix.empty() || own != column.column.name) return own;
  const bool only_plain = std::find(names.begin(), names.end(), own) != names.end() &&
                          std::find(names.begin(), names.end(), prefix + own) == names.end();
  return only_plain ? own : prefix + own;
}

std::string Extension(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == name.npos ? std::string() : std::string(name.substr(dot + 1));
}

}  // namespace

std::string PathOption(const Options& options, const std::string& table) {
  return OptionOr(options, "path", table + "/");
}

std::map<std::string, std::string> FormatOptions(const Options& options) {
  std::map<std::string, std::string> chosen;
  for (const std::string_view name : kFormatOptions) {
    const auto found = options.find(std::string(name));
    if (found != options.end()) chosen.insert(*found);
  }
  return chosen;
}

bool IsParquet(const FileTable& table, std::string_view name) {
  const std::string kind = table.format.empty() ? Extension(name) : table.format;
  return kind == "parquet" || kind == "pq";
}

bool CanGrow(const FileTable& table, std::string_view name) {
  // Its size counts other bytes than its text.
  if (table.read.options.contains("encoding")) return false;
  if (IsParquet(table, name)) return false;
  for (const std::string_view packed : {"gz", "zst", "zstd"}) {
    if (Extension(name) == packed || Extension(table.format) == packed) return false;
  }
  return true;
}

bool IsCsv(const FileTable& table, std::string_view name) {
  const std::string kind = table.format.empty() ? Extension(name) : table.format;
  return kind == "csv" || kind == "tsv" || kind == "txt";
}

bool IsRows(const FileTable& table, std::string_view name) {
  const std::string kind = table.format.empty() ? Extension(name) : table.format;
  return CanGrow(table, name) && (IsCsv(table, name) || kind == "ndjson" || kind == "jsonl");
}

FolderOfFiles FolderOf(const FileTable& table) {
  const size_t wild = std::min(table.pattern.find_first_of("*?["), table.pattern.size());
  const std::string literal = table.pattern.substr(0, wild);
  const size_t slash = literal.rfind('/');
  FolderOfFiles folder;
  if (slash != literal.npos) folder.name = literal.substr(0, slash);
  const std::string rest = table.pattern.substr(slash == literal.npos ? 0 : slash + 1);
  // A name without an extension may be a folder.
  folder.deep = rest.empty() || rest.find('/') != rest.npos || rest.find("**") != rest.npos ||
                rest.find('.') == rest.npos;
  return folder;
}

Result<FileTable> MakeFileTable(const Server& server, const Relation& relation) {
  FileTable table{.relation = relation,
                  .root = RootFolder(server),
                  .pattern = PathOption(relation.options, relation.name),
                  .format = OptionOr(relation.options, "format", "")};
  if (table.pattern.starts_with('/')) table.root = "/";
  table.read.options = FormatOptions(relation.options);
  LEAT_ASSIGN(table.read.text, TextSettingsOf(server, relation));
  LEAT_ASSIGN(table.ignore_change, Ignores(relation.options, "on_change"));
  LEAT_ASSIGN(table.ignore_delete, Ignores(relation.options, "on_delete"));
  LEAT_ASSIGN(table.tail, BoolOption(relation.options, "tail", false));
  Schema schema;
  for (const ColumnSpec& column : relation.columns) schema.columns.push_back(column.column);
  if (!schema.columns.empty()) {
    LEAT_ASSIGN(table.partition_by, ColumnList(relation.options, "partition_by", schema));
  }
  const std::string prefix = OptionOr(relation.options, "strip_prefix", "");
  std::vector<std::string> names;
  if (!prefix.empty()) {
    LEAT_ASSIGN(names, NamesOutside(table));
  }
  for (int i = 0; i < static_cast<int>(relation.columns.size()); ++i) {
    if (std::find(table.partition_by.begin(), table.partition_by.end(), i) !=
        table.partition_by.end()) {
      continue;
    }
    const ColumnSpec& column = relation.columns[static_cast<size_t>(i)];
    LEAT_ASSIGN(ReadColumn read, ReadColumnOf(relation, column));
    read.outside_name = NameOutside(column, prefix, names);
    table.read.columns.push_back(std::move(read));
  }
  return table;
}

Result<Batch> AddPartitionColumns(const FileTable& table, const std::string& name, Batch batch) {
  if (table.partition_by.empty()) return batch;
  const auto values = HiveValues(name);
  auto in_file = batch.columns.begin();
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int i = 0; i < static_cast<int>(table.relation.columns.size()); ++i) {
    if (std::find(table.partition_by.begin(), table.partition_by.end(), i) ==
        table.partition_by.end()) {
      columns.push_back(std::move(*in_file++));
      continue;
    }
    const Column& column = table.relation.columns[static_cast<size_t>(i)].column;
    const auto value = values.find(column.name);
    if (value == values.end()) {
      return IOErrorF("file \"{}\" is in no folder \"{}=…\"", name, column.name);
    }
    if (!value->second) {
      LEAT_ASSIGN(auto nulls, arrow::MakeArrayOfNull(ArrowType(column.type), batch.rows));
      columns.push_back(std::move(nulls));
      continue;
    }
    LEAT_ASSIGN(const auto scalar, ParseValue(*value->second, column.type, table.read.text));
    LEAT_ASSIGN(auto repeated, arrow::MakeArrayFromScalar(*scalar, batch.rows));
    columns.push_back(std::move(repeated));
  }
  batch.columns = std::move(columns);
  return batch;
}

}  // namespace leat
