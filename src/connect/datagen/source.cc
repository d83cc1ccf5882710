#include <arrow/scalar.h>
#include <xxhash.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "connect/constraints.h"
#include "connect/datagen/datagen.h"
#include "connect/datagen/maker.h"
#include "data/text.h"

namespace leat {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int64_t kNoEnd = INT64_MAX;
constexpr int64_t kChunkRows = 8192;
constexpr uint64_t kWrongStream = 1 << 20;

// A share in [0, 1].
Result<double> ShareOption(const Options& options, std::string_view name) {
  const std::string text = OptionOr(options, name, "0");
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error == std::errc() && end == text.data() + text.size() && share >= 0 && share <= 1) {
    return share;
  }
  return InvalidValue(name, text, "A share is a number from 0 to 1.");
}

// "nexmark" of "datagen:nexmark".
std::string WhatOf(const Server& server) {
  const std::string url = OptionOr(server.options, "url", "");
  return url.substr(url.find(':') + 1);
}

Result<std::unique_ptr<RowMaker>> MakerOf(const Server& server, const Relation& relation,
                                          uint64_t seed) {
  LateRows late;
  LEAT_ASSIGN(late.share, ShareOption(relation.options, "late"));
  LEAT_ASSIGN(const auto by, TimeOption(relation.options, "late_by", std::chrono::minutes(1)));
  late.by = by.count();
  const std::string what = WhatOf(server);
  if (what.empty()) return MakeColumnMaker(relation, seed, late);
  if (what != "nexmark") {
    return InvalidValue("url", "datagen:" + what,
                        "There are \"datagen:\" and \"datagen:nexmark\".");
  }
  NexmarkSpec spec{.entity = OptionOr(relation.options, "entity", relation.name), .seed = seed};
  spec.late = late;
  const std::string start = OptionOr(relation.options, "start_time", "2024-01-01 00:00:00");
  LEAT_ASSIGN(const auto time, ParseValue(start, TypeId::kTimestamp, {}));
  spec.start = static_cast<const arrow::TimestampScalar&>(*time).value;
  LEAT_ASSIGN(spec.events_per_second,
              CountOption(relation.options, "events_per_second", 10'000, 1));
  LEAT_ASSIGN(const Schema expected, NexmarkColumns(spec.entity));
  for (const ColumnSpec& column : relation.columns) {
    const int at = expected.Find(column.column.name);
    if (at >= 0 && expected.columns[static_cast<size_t>(at)].type == column.column.type) continue;
    return SqlStatus(fmt::format("a Nexmark {} has no column \"{}\" of type {}", spec.entity,
                                 column.column.name, TypeName(column.column.type)),
                     {.sqlstate = kUndefinedColumn,
                      .location = relation.location,
                      .hint = "Declare the table with (), which takes all of them."});
  }
  return MakeNexmarkMaker(spec);
}

class DatagenSource : public Source {
 public:
  struct Settings {
    int64_t rows = kNoEnd;
    int64_t events = kNoEnd;
    double rows_per_second = 0;  // 0: as fast as they are taken
    double wrong = 0;
    uint64_t seed = 1;
    uint64_t fingerprint = 0;  // of all that decides which rows are made
    std::vector<int> columns;  // of the maker, for each of the relation
  };
  DatagenSource(Relation relation, std::unique_ptr<RowMaker> maker, Settings settings)
      : relation_(std::move(relation)),
        maker_(std::move(maker)),
        settings_(std::move(settings)),
        end_(settings_.rows) {}

  Status Seek(const Offset& offset) override {
    next_ = 0;
    end_ = settings_.rows;
    if (offset.empty()) return Status::OK();
    LEAT_ASSIGN(next_, Decode(offset));
    return Status::OK();
  }
  Status Limit(const Offset& end) override {
    LEAT_ASSIGN(end_, Decode(end));
    return Status::OK();
  }
  void Follow() override { following_ = true; }
  bool Wait(std::chrono::milliseconds at_most) override {
    if (next_ >= end_) {
      std::this_thread::sleep_for(at_most);
      return false;
    }
    std::this_thread::sleep_for(std::min(at_most, std::chrono::milliseconds(5)));
    return true;
  }

  Result<std::optional<Arrival>> Poll(int64_t bytes_max) override {
    if (end_ == kNoEnd && !following_) {
      return SqlStatus(fmt::format("the rows of \"{}\" never end", relation_.name),
                       {.sqlstate = "22023",
                        .location = relation_.location,
                        .hint = "Say how many with OPTIONS (rows '1000'), or run with --follow."});
    }
    const int64_t there = std::min(end_, Come());
    if (next_ >= there) return std::nullopt;
    const int64_t good = std::clamp<int64_t>(bytes_max / 64, 1, kChunkRows);
    LEAT_ASSIGN(Arrival arrival, Make(std::min(next_ + good, there)));
    return arrival;
  }

  Result<Arrival> Reread(const Offset& end) override {
    LEAT_ASSIGN(const int64_t last, Decode(end));
    if (last < next_) return IOErrorF("row {} was read before row {}", next_, last);
    return Make(last);
  }

 private:
  // An offset: the row's number, and what the rows are made from.
  Offset Encode(int64_t row) const {
    return fmt::format("{{\"row\":{},\"of\":\"{:016x}\"}}", row, settings_.fingerprint);
  }
  Result<int64_t> Decode(const Offset& offset) const {
    constexpr std::string_view kHead = "{\"row\":";
    int64_t row = 0;
    if (offset.starts_with(kHead)) {
      std::from_chars(offset.data() + kHead.size(), offset.data() + offset.size(), row);
      if (offset == Encode(row)) return row;
    }
    return IOErrorF("\"{}\" made other rows when it was read before: its options have changed",
                    relation_.name);
  }

  // How many rows have come by now, where they come at a rate.
  int64_t Come() {
    if (!following_ || settings_.rows_per_second == 0) return kNoEnd;
    const auto now = SteadyClock::now();
    if (!began_) {
      began_ = now;
      first_ = next_;
    }
    const std::chrono::duration<double> passed = now - *began_;
    return first_ + static_cast<int64_t>(passed.count() * settings_.rows_per_second) + 1;
  }

  // The rows up to `last`.
  Result<Arrival> Make(int64_t last) {
    const int64_t rows = last - next_;
    ReadChunk chunk{.rows_read = rows, .begin = next_, .end = last, .first_row = next_};
    LEAT_ASSIGN(Batch all, maker_->Make(next_, rows));
    chunk.batch = {.rows = all.rows};
    for (const int column : settings_.columns) {
      chunk.batch.columns.push_back(all.columns[static_cast<size_t>(column)]);
    }
    LEAT_RETURN(TakeWrongOnes(&chunk));
    LEAT_RETURN(ApplyConstraints(relation_, "datagen", &chunk));
    Arrival arrival{.batch = std::move(chunk.batch), .rejects = std::move(chunk.rejects)};
    arrival.place = "datagen";
    arrival.rows_read = rows;
    arrival.bytes_read = MemoryOf(arrival.batch);
    const int64_t range[] = {next_, last, static_cast<int64_t>(settings_.fingerprint)};
    arrival.checksum = XXH3_64bits(range, sizeof(range));
    arrival.end = Encode(last);
    next_ = last;
    return arrival;
  }

  Status TakeWrongOnes(ReadChunk* chunk) const {
    std::vector<int32_t> right;
    for (int64_t i = 0; i < chunk->batch.rows; ++i) {
      const int64_t row = next_ + i;
      chunk->row_offsets.push_back(row);
      if (settings_.wrong == 0) continue;
      if (RandomOf(settings_.seed, kWrongStream, row).Unit() >= settings_.wrong) {
        right.push_back(static_cast<int32_t>(i));
        continue;
      }
      Reject reject{.offset = row, .line = row + 1, .row = row};
      reject.raw = fmt::format("row {}", row);
      reject.reason = "made to be wrong";
      chunk->rejects.push_back(std::move(reject));
    }
    if (settings_.wrong == 0 || std::ssize(right) == chunk->batch.rows) return Status::OK();
    std::vector<int64_t> offsets;
    for (const int32_t i : right) offsets.push_back(chunk->row_offsets[static_cast<size_t>(i)]);
    chunk->row_offsets = std::move(offsets);
    LEAT_ASSIGN(chunk->batch, Take(chunk->batch, right));
    return Status::OK();
  }

  const Relation relation_;
  const std::unique_ptr<RowMaker> maker_;
  const Settings settings_;
  int64_t end_;  // of the rows that Poll gives
  int64_t next_ = 0;
  bool following_ = false;
  std::optional<SteadyClock::time_point> began_;
  int64_t first_ = 0;  // row, when it began
};

// All that decides which rows are made; not how many, nor how fast.
uint64_t FingerprintOf(const Server& server, const Relation& relation) {
  std::string text = WhatOf(server) + "\n" + relation.name;
  for (const auto& [name, value] : relation.options) {
    if (name != "rows" && name != "rate" && name != "max_rejects")
      text += "\n" + name + "=" + value;
  }
  for (const ColumnSpec& column : relation.columns) {
    text += "\n" + column.column.name + " " + TypeName(column.column.type);
    for (const auto& [name, value] : column.options) text += " " + name + "=" + value;
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace

Result<std::unique_ptr<Source>> MakeDatagenSource(const Server& server, const Relation& relation) {
  DatagenSource::Settings settings;
  LEAT_ASSIGN(settings.events, CountOption(relation.options, "rows", kNoEnd));
  LEAT_ASSIGN(const int64_t seed, CountOption(relation.options, "seed", 1));
  LEAT_ASSIGN(const int64_t rate, CountOption(relation.options, "rate", 0));
  LEAT_ASSIGN(settings.wrong, ShareOption(relation.options, "wrong"));
  settings.seed = static_cast<uint64_t>(seed);
  settings.fingerprint = FingerprintOf(server, relation);
  LEAT_ASSIGN(auto maker, MakerOf(server, relation, settings.seed));
  settings.rows = settings.events == kNoEnd ? kNoEnd : maker->RowsIn(settings.events);
  constexpr int64_t kMany = 5'000'000;
  settings.rows_per_second =
      static_cast<double>(rate) * static_cast<double>(maker->RowsIn(kMany)) / double{kMany};
  LEAT_ASSIGN(const Schema made, InferDatagenColumns(server, relation));
  for (const ColumnSpec& column : relation.columns) {
    settings.columns.push_back(made.Find(column.column.name));
  }
  return std::make_unique<DatagenSource>(relation, std::move(maker), std::move(settings));
}

Result<std::unique_ptr<Sink>> MakeDatagenSink(SinkSpec spec) {
  return NotSupported(fmt::format("\"{}\" makes rows and takes none", spec.name));
}

Result<Schema> InferDatagenColumns(const Server& server, const Relation& relation) {
  if (WhatOf(server) == "nexmark") {
    return NexmarkColumns(OptionOr(relation.options, "entity", relation.name));
  }
  if (relation.columns.empty()) {
    return SqlStatus("the columns of a generated table must be declared",
                     {.sqlstate = "42P16", .location = relation.location});
  }
  return relation.schema();
}

Status ReadDatagen(const Server& server, const Relation& relation, const ArrivalVisitor& visit) {
  LEAT_ASSIGN(const auto source, MakeDatagenSource(server, relation));
  while (true) {
    LEAT_ASSIGN(const auto arrival, source->Poll(4 << 20));
    if (!arrival) return Status::OK();
    LEAT_RETURN(visit(*arrival));
  }
}

Result<std::optional<Mark>> ReadDatagenMark(const SinkSpec& spec) {
  return MakeDatagenSink(spec).status();
}

}  // namespace leat
