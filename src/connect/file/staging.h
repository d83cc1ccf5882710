// The files of a commit while they are written: one at a time for each folder, none much larger
// than asked for, and not too many at once.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "format/format.h"

namespace leat {

struct StagedFile {
  std::string name;    // in the staging folder
  std::string folder;  // where it is to go: "dt=2024-05-01", or empty
  int64_t rows = 0;
  int64_t bytes = 0;
};

struct StagingSpec {
  std::string folder;  // where files are staged
  std::string prefix;  // of the files' names there
  std::string format;
  std::string extension;  // ".parquet"
  Schema schema;
  std::map<std::string, std::string> options;  // the format's
  int64_t file_bytes_max = 256 << 20;
  int64_t writers_max = 64;
};

class Staging {
 public:
  explicit Staging(StagingSpec spec) : spec_(std::move(spec)) {}

  // Adds rows to the file of a folder. Few rows wait until there are more.
  Status Write(const std::string& folder, Batch batch);
  // Ends all files, synced, and gives them up. Names never repeat in a life of this object.
  Result<std::vector<StagedFile>> Finish();
  int64_t bytes() const;

 private:
  struct Part {
    std::vector<Batch> waiting;
    int64_t rows_waiting = 0;
    int64_t bytes_waiting = 0;
    std::unique_ptr<FileWriter> writer;
    StagedFile file;
    std::list<Part*>::iterator used;  // in open_, while there is a writer
  };

  Status Flush(Part* part);
  Status OpenWriter(Part* part);
  Status CloseWriter(Part* part);
  Status Named(const Status& status, const Part& part) const;

  StagingSpec spec_;
  std::map<std::string, Part> parts_;
  std::list<Part*> open_;  // the idle longest first
  std::vector<StagedFile> finished_;
  int64_t finished_bytes_ = 0;
  int64_t waiting_bytes_ = 0;
  int64_t files_ = 0;
};

}  // namespace leat
