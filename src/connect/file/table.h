// A foreign table over files, its options parsed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "format/format.h"

namespace leat {

struct FileTable {
  Relation relation;
  std::string root;               // the server's folder
  std::string pattern;            // below it
  std::string format;             // as declared; empty: by extension
  ReadOptions read;               // the columns that are in the files
  std::vector<int> partition_by;  // columns of the relation that are folders
  bool ignore_change = false;
  bool ignore_delete = false;
  bool tail = false;  // read while it is written
};

// Reads no file, unless `strip_prefix` asks which names there are.
Result<FileTable> MakeFileTable(const Server& server, const Relation& relation);

// The option `path`, or the table's name and '/'.
std::string PathOption(const Options& options, const std::string& table);
// The options that are the format's, passed on as they are.
std::map<std::string, std::string> FormatOptions(const Options& options);

// The folder below the root in which all files of the table are, "" the root itself; whether they
// may be in folders below it.
struct FolderOfFiles {
  std::string name;
  bool deep = false;
};
FolderOfFiles FolderOf(const FileTable& table);

bool IsParquet(const FileTable& table, std::string_view name);
// Text that can grow at its end: neither compressed nor Parquet.
bool CanGrow(const FileTable& table, std::string_view name);
// Text in which every row ends with its line, so that it can be read while it is written.
bool IsRows(const FileTable& table, std::string_view name);
bool IsCsv(const FileTable& table, std::string_view name);

// Puts the columns that are folders into a batch of the columns that are in the file `name`.
Result<Batch> AddPartitionColumns(const FileTable& table, const std::string& name, Batch batch);

}  // namespace leat
