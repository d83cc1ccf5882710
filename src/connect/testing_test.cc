#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "connect/testing.h"
#include "data/text.h"

namespace leat::testing {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() : path_(fs::temp_directory_path() / "leat-XXXXXX") {
  EXPECT_NE(::mkdtemp(path_.data()), nullptr);
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

void TemporaryFolder::Write(const std::string& name, const std::string& text) const {
  const fs::path path = path_ + "/" + name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void TemporaryFolder::Append(const std::string& name, const std::string& text) const {
  std::ofstream(path_ + "/" + name, std::ios::binary | std::ios::app) << text;
}

std::string TemporaryFolder::Read(const std::string& name) const {
  std::ifstream file(path_ + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> TemporaryFolder::Files() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    const std::string name = fs::relative(entry.path(), path_).string();
    if (entry.is_regular_file() && name.find("_leat") == name.npos) names.push_back(name);
  }
  return Sorted(names);
}

std::vector<std::string> Sorted(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

Schema MakeSchema(const std::string& text) {
  Schema schema;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(", ", at), text.size());
    const std::string item = text.substr(at, comma - at);
    const size_t space = item.find(' ');
    auto type = TypeFromName(item.substr(space + 1));
    EXPECT_TRUE(type.ok()) << item << ": " << type.status().message();
    schema.columns.push_back({item.substr(0, space), *type});
    at = comma + 2;
  }
  return schema;
}

Batch MakeRows(const Schema& schema, const std::vector<std::string>& rows,
               const std::vector<int64_t>& weights) {
  std::vector<arrow::StringBuilder> builders(schema.columns.size());
  for (std::string row : rows) {
    row += '|';
    size_t at = 0;
    for (auto& builder : builders) {
      const size_t bar = row.find('|', at);
      const std::string text = row.substr(at, bar - at);
      EXPECT_TRUE((text == "\\N" ? builder.AppendNull() : builder.Append(text)).ok());
      at = bar + 1;
    }
  }
  Batch batch{.rows = static_cast<int64_t>(rows.size())};
  for (size_t i = 0; i < builders.size(); ++i) {
    auto column =
        FromTextColumn(*builders[i].Finish().ValueOrDie(), schema.columns[i].type, TextSettings{},
                       [](int64_t, const Status& status) { ADD_FAILURE() << status.message(); });
    batch.columns.push_back(column.ValueOrDie());
  }
  if (!weights.empty()) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.AppendValues(weights).ok());
    batch.weights = std::static_pointer_cast<arrow::Int64Array>(builder.Finish().ValueOrDie());
  }
  return batch;
}

std::vector<std::string> Texts(const Schema& schema, const std::vector<Batch>& batches) {
  std::vector<std::string> rows;
  for (const Batch& batch : batches) {
    for (int64_t row = 0; row < batch.rows; ++row) {
      std::string text;
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        if (i > 0) text += '|';
        const auto column = Plain(batch.columns[i]);
        if (column->IsNull(row)) {
          text += "\\N";
        } else {
          AppendText(*column, row, schema.columns[i].type, TextSettings{}, &text);
        }
      }
      rows.push_back(std::move(text));
    }
  }
  return rows;
}

Relation MakeRelation(const std::string& name, const Schema& schema, Options options) {
  Relation relation{.name = name, .kind = RelationKind::kForeign};
  relation.options = std::move(options);
  for (const Column& column : schema.columns) {
    relation.columns.push_back({.column = column, .outside_name = column.name});
  }
  return relation;
}

}  // namespace leat::testing
