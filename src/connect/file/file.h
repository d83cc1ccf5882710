// The `file` kind: folders of CSV, NDJSON and Parquet files, read and written.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

inline constexpr std::array kFileOptions = {
    OptionSpec{
        "path", OptionPlace::kTable, "the table's name and `/`",
        "Which files, below the server's folder: a name, a glob (`rejected_*.csv.gz`, "
        "`2024/**/*.json`), or a folder with all its files (`events/`). A sink's is a folder. "
        "Names that begin with `_` or `.` are passed over."},
    OptionSpec{
        "format", OptionPlace::kTable, "by the file's extension",
        "`csv`, `ndjson` (an object a line), `json` (objects however they are wrapped) or "
        "`parquet`; `.gz` and `.zst` are seen by themselves. A sink's `json` is `ndjson`, and "
        "`delta` a Delta Lake table."},
    OptionSpec{"delimiter", OptionPlace::kTable, ",", "Between two fields of a CSV row."},
    OptionSpec{"quote", OptionPlace::kTable, "\"", "Around a CSV field that holds anything else."},
    OptionSpec{"escape", OptionPlace::kTable, "the quote", "Before a quote inside quotes."},
    OptionSpec{"header", OptionPlace::kTable, "true", "Whether a CSV file begins with names."},
    OptionSpec{"null", OptionPlace::kTable, "nothing, unquoted",
               "The CSV field that means null; several are separated by `|`."},
    OptionSpec{"decimal", OptionPlace::kTable, ".", "What a CSV number's fraction begins with."},
    OptionSpec{"thousands", OptionPlace::kTable, "",
               "What may stand between groups of three digits of a CSV number."},
    OptionSpec{
        "encoding", OptionPlace::kTable, "UTF8",
        "Of a CSV or JSON file: `LATIN1`, `WIN1252`, `UTF-16`, or any other that iconv knows. "
        "Bytes that are no character make their row a reject."},
    OptionSpec{"root", OptionPlace::kTable, "",
               "The key of a JSON document whose array holds the rows: `vehicles_events`, or "
               "`data.items` further down. Without it rows are the outermost objects."},
    OptionSpec{"strip_prefix", OptionPlace::kTable, "",
               "What the names outside begin with and the columns do not."},
    OptionSpec{
        "partition_by", OptionPlace::kTable, "",
        "Columns that are folders, as Hive has them: `dt=2024-05-01/state=NM/`. Null and the "
        "empty text are `__HIVE_DEFAULT_PARTITION__`, which reads as null."},
    OptionSpec{"on_change", OptionPlace::kTable, "fail",
               "When a file that was read is no longer the same: `fail`, or `ignore` it."},
    OptionSpec{"on_delete", OptionPlace::kTable, "fail",
               "When a file that was read is gone: `fail`, or `ignore` it."},
    OptionSpec{"tail", OptionPlace::kTable, "false",
               "With `--follow`, whether CSV and NDJSON files are read row by row while somebody "
               "writes them. Else a file is read when it is whole: renamed into place, or closed."},
    OptionSpec{"file_bytes_max", OptionPlace::kTable, "256MB", "A sink's file ends at this size."},
    OptionSpec{"writers_max", OptionPlace::kTable, "64",
               "How many files a sink writes at once; beyond, the one idle longest is finished."},
    OptionSpec{"compression", OptionPlace::kTable, "zstd",
               "Of a sink's files: `zstd`, `none`, or what the format has besides."},
    OptionSpec{"compression_level", OptionPlace::kTable, "the codec's", "How hard it tries."},
    OptionSpec{
        "vacuum_after", OptionPlace::kTable, "1 day",
        "How long a Delta table keeps files that no longer belong to it, for readers of older "
        "versions."},
    OptionSpec{"row_group_rows", OptionPlace::kTable, "the format's",
               "Rows of a Parquet row group."},
};

Result<std::unique_ptr<Source>> MakeFileSource(const Server& server, const Relation& relation);
Result<std::unique_ptr<Sink>> MakeFileSink(SinkSpec spec);
Result<Schema> InferFileColumns(const Server& server, const Relation& relation);
Status ReadFiles(const Server& server, const Relation& relation, const ArrivalVisitor& visit);
Result<std::optional<Mark>> ReadFileMark(const SinkSpec& spec);

}  // namespace leat
