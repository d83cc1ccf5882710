#include "run/manifest.h"

#include "base/record.h"

namespace leat {
namespace {

// What a format has that the one before had not: 2 `mend`.
constexpr int64_t kFormat = 2;

}  // namespace

std::string Manifest::Encode() const {
  RecordWriter out;
  out.Int(kFormat).Text(state).Int(epoch.number).Int(epoch.clock).Int(next_seq).Int(mend);
  out.Int(static_cast<int64_t>(sources.size()));
  for (const auto& source : sources) {
    out.Text(source.name).Text(source.offset).Int(source.rows_read).Int(source.rows_rejected);
  }
  out.Int(static_cast<int64_t>(definitions.size()));
  for (const auto& [name, hash] : definitions) out.Text(name).Text(hash);
  out.Int(static_cast<int64_t>(pinned.size()));
  for (const auto& [name, columns] : pinned) {
    out.Text(name).Int(static_cast<int64_t>(columns.size()));
    for (const auto& column : columns) {
      out.Text(column.name).Text(TypeName(column.type)).Int(column.nullable ? 1 : 0);
    }
  }
  return out.bytes();
}

Result<Manifest> Manifest::Decode(std::string_view bytes) {
  RecordReader in(bytes);
  const int64_t format = in.Int();
  if (format > kFormat) {
    return SqlStatus(
        fmt::format("the state was written by a newer leat: it has format {}, and this one reads "
                    "formats up to {}",
                    format, kFormat),
        {.sqlstate = "55000",
         .hint =
             "Upgrade leat. Or `leat run --fresh` drops the state and the rows that leat wrote, "
             "and reads all again."});
  }
  if (format < 1) return IOErrorF("the state has format {}, which there never was", format);
  Manifest manifest;
  manifest.state = in.Text();
  manifest.epoch.number = in.Int();
  manifest.epoch.clock = in.Int();
  manifest.next_seq = in.Int();
  if (format >= 2) manifest.mend = in.Int();
  for (int64_t n = in.Int(); n > 0 && in.ok(); --n) {
    SourcePosition source;
    source.name = in.Text();
    source.offset = in.Text();
    source.rows_read = in.Int();
    source.rows_rejected = in.Int();
    manifest.sources.push_back(std::move(source));
  }
  for (int64_t n = in.Int(); n > 0 && in.ok(); --n) {
    const std::string name = in.Text();
    manifest.definitions[name] = in.Text();
  }
  for (int64_t n = in.Int(); n > 0 && in.ok(); --n) {
    auto& columns = manifest.pinned[in.Text()];
    for (int64_t m = in.Int(); m > 0 && in.ok(); --m) {
      Column column;
      column.name = in.Text();
      LEAT_ASSIGN(column.type, TypeFromName(in.Text()));
      column.nullable = in.Int() != 0;
      columns.push_back(std::move(column));
    }
  }
  LEAT_RETURN(in.status());
  return manifest;
}

}  // namespace leat
