// What the connector tests share: a folder that goes away, rows written as text, rows read as text.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "connect/sink.h"
#include "data/batch.h"

namespace leat::testing {

// A folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const;
  void Append(const std::string& name, const std::string& text) const;
  std::string Read(const std::string& name) const;
  // All files below, by name, but for `_leat`.
  std::vector<std::string> Files() const;

 private:
  std::string path_;
};

// "id bigint, state char(2)" without nested commas.
Schema MakeSchema(const std::string& text);
// Rows of '|' separated texts; "\N" is null. Weights if given.
Batch MakeRows(const Schema& schema, const std::vector<std::string>& rows,
               const std::vector<int64_t>& weights = {});
// All rows as such texts, in their order.
std::vector<std::string> Texts(const Schema& schema, const std::vector<Batch>& batches);
std::vector<std::string> Sorted(std::vector<std::string> rows);

Relation MakeRelation(const std::string& name, const Schema& schema, Options options);

}  // namespace leat::testing
