// The scheme `datagen:` of every kind of server: rows that are made, not read, the same for ever
// from one seed. An offset is the number of the next row.
#pragma once

#include <array>
#include <memory>

#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

inline constexpr std::array kDatagenOptions = {
    OptionSpec{
        "rows", OptionPlace::kTable, "",
        "How many rows there are; of Nexmark, how many events of all three kinds. Without it "
        "they never end, which only `--follow` bears."},
    OptionSpec{"rate", OptionPlace::kTable, "as fast as they are taken",
               "With `--follow`: how many rows (events) come in a second."},
    OptionSpec{"seed", OptionPlace::kTable, "1", "Other rows of the same kind."},
    OptionSpec{"entity", OptionPlace::kTable, "the table's name",
               "With the url `datagen:nexmark`: `person`, `auction` or `bid`."},
    OptionSpec{"start_time", OptionPlace::kTable, "2024-01-01 00:00:00",
               "With the url `datagen:nexmark`: when the first event was."},
    OptionSpec{"events_per_second", OptionPlace::kTable, "10000",
               "With the url `datagen:nexmark`: how far apart the events' times are, whatever the "
               "rate."},
    OptionSpec{"late", OptionPlace::kTable, "0",
               "The share of rows whose times are earlier by up to `late_by`: `0.01`."},
    OptionSpec{"late_by", OptionPlace::kTable, "1 min", "See `late`."},
    OptionSpec{"wrong", OptionPlace::kTable, "0",
               "The share of rows that cannot be read, to see rejects with: `0.001`."},
    OptionSpec{
        "make", OptionPlace::kColumn, "by the column's type",
        "How a value is made: `sequence(first, step)`, `uniform(least, most)`, `normal(mean, "
        "deviation)`, `zipf(count, exponent)` (1 is the most frequent), `choice(a, b:3, c)` (b "
        "three "
        "times as often), `text(letters)`, `pattern(AB-##-@@)` (# a digit, @ a letter), "
        "`time(first, "
        "step)`."},
    OptionSpec{"nulls", OptionPlace::kColumn, "0", "The share of nulls: `0.1`."},
};

Result<std::unique_ptr<Source>> MakeDatagenSource(const Server& server, const Relation& relation);
Result<std::unique_ptr<Sink>> MakeDatagenSink(SinkSpec spec);  // refused
Result<Schema> InferDatagenColumns(const Server& server, const Relation& relation);
Status ReadDatagen(const Server& server, const Relation& relation, const ArrivalVisitor& visit);
Result<std::optional<Mark>> ReadDatagenMark(const SinkSpec& spec);

}  // namespace leat
