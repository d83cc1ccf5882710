#include "run/failed_rejects.h"

#include <arrow/array.h>
#include <xxhash.h>

#include "base/record.h"
#include "data/key.h"
#include "run/rejects.h"
#include "run/row_text.h"

namespace leat {
namespace {

constexpr int64_t kFormat = 1;
constexpr int64_t kRowsMax = 10'000;

std::string PathIn(const std::string& state_dir) { return state_dir + "/failed_rejects"; }

Result<int64_t> EpochOf(std::string_view row) {
  RowDecoder decoder(TypesOf(RejectsSchema()));
  LEAT_RETURN(decoder.Append(row));
  LEAT_ASSIGN(const auto columns, decoder.Finish());
  const auto at = static_cast<size_t>(RejectsSchema().Find("epoch"));
  return static_cast<const arrow::Int64Array&>(*columns[at]).Value(0);
}

}  // namespace

Status SaveFailedRejects(FileSystem* files, const std::string& state_dir, const RowsScan& rejects,
                         int64_t committed, const std::string& message, Micros now) {
  RecordWriter rows;
  int64_t kept = 0, left_out = 0;
  LEAT_RETURN(rejects(
      "", "", [&](std::string_view key, std::string_view row, int64_t weight) -> Result<bool> {
        LEAT_ASSIGN(const int64_t epoch, EpochOf(row));
        if (epoch <= committed) return true;
        if (kept == kRowsMax) {
          left_out += weight;
          return true;
        }
        ++kept;
        rows.Text(key).Text(row).Int(weight);
        return true;
      }));
  const std::string body =
      RecordWriter().Int(kFormat).Text(message).Int(now).Int(left_out).Int(kept).bytes() +
      rows.bytes();
  const auto checksum = static_cast<int64_t>(XXH3_64bits(body.data(), body.size()));
  return WriteFileAtomically(files, PathIn(state_dir), RecordWriter().Int(checksum).bytes() + body);
}

Result<std::optional<FailedRejects>> LoadFailedRejects(FileSystem* files,
                                                       const std::string& state_dir) {
  if (!files->Exists(PathIn(state_dir))) return std::optional<FailedRejects>();
  LEAT_ASSIGN(std::shared_ptr<FileBytes> file, files->Read(PathIn(state_dir)));
  std::string_view bytes = file->bytes();
  const int64_t checksum = RecordReader(bytes).Int();
  bytes.remove_prefix(std::min(bytes.size(), sizeof checksum));
  RecordReader in(bytes);
  if (static_cast<int64_t>(XXH3_64bits(bytes.data(), bytes.size())) != checksum ||
      in.Int() != kFormat) {
    return IOErrorF("\"{}\" is damaged; it may be removed", PathIn(state_dir));
  }
  FailedRejects failed;
  failed.message = in.Text();
  failed.at = in.Int();
  failed.left_out = in.Int();
  const int64_t rows = in.Int();
  failed.rows = [file, in, rows](std::string_view begin, std::string_view end,
                                 const Index::Visit& visit) -> Status {
    RecordReader rest = in;
    for (int64_t i = 0; i < rows; ++i) {
      const std::string key = rest.Text(), row = rest.Text();
      const int64_t weight = rest.Int();
      LEAT_RETURN(rest.status());
      if (key < begin || (!end.empty() && key >= end)) continue;
      LEAT_ASSIGN(const bool more, visit(key, row, weight));
      if (!more) break;
    }
    return Status::OK();
  };
  LEAT_RETURN(in.status());
  return std::optional(std::move(failed));
}

Status RemoveFailedRejects(FileSystem* files, const std::string& state_dir) {
  return files->Remove(PathIn(state_dir));
}

}  // namespace leat
