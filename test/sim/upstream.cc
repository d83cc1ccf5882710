#include "test/sim/upstream.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "connect/constraints.h"

namespace leat::sim {
namespace {

constexpr int64_t kRowBytes = 50;

template <typename T>
std::optional<T> OrNull(Random* random, T value) {
  if (random->OneIn(12)) return std::nullopt;
  return value;
}

UpstreamRow DrawRow(int64_t id, uint64_t keys, Random* random) {
  UpstreamRow row;
  row.id = random->OneIn(60) ? std::nullopt : std::optional(id);
  row.k = OrNull(random, static_cast<int32_t>(random->Below(keys)));
  row.v = OrNull(random, static_cast<int32_t>(random->Below(95)));
  // Sums that depend on their order unless they are exact.
  const double magnitude = random->OneIn(10) ? 1e16 : 1;
  row.w = OrNull(random, (random->Unit() - 0.5) * magnitude);
  row.name =
      OrNull(random, std::string(1 + random->Below(3), static_cast<char>('a' + random->Below(4))));
  row.broken = random->OneIn(40);
  return row;
}

template <typename Builder, typename T>
Status Add(Builder* builder, const std::optional<T>& value) {
  return value ? builder->Append(*value) : builder->AppendNull();
}

std::string TextOf(const UpstreamRow& row) {
  const auto text = [](const auto& value) { return value ? fmt::format("{}", *value) : "\\N"; };
  return fmt::format("{}|{}|{}|{}|{}|{}", text(row.id), text(row.k), text(row.v), text(row.w),
                     text(row.name), row.broken);
}

// Rows to a chunk whose bytes are the rows' texts.
class ChunkBuilder {
 public:
  Status Add(const UpstreamRow& row) {
    const std::string text = TextOf(row) + "\n";
    const auto at = static_cast<int64_t>(bytes_.size());
    bytes_ += text;
    ++chunk_.rows_read;
    if (row.broken) {
      chunk_.rejects.push_back({.offset = at,
                                .line = chunk_.rows_read,
                                .row = chunk_.rows_read - 1,
                                .column = "v",
                                .raw = TextOf(row),
                                .reason = "invalid input syntax for type integer"});
      return Status::OK();
    }
    chunk_.row_offsets.push_back(at);
    ++chunk_.batch.rows;
    LEAT_RETURN(sim::Add(&id_, row.id));
    LEAT_RETURN(sim::Add(&k_, row.k));
    LEAT_RETURN(sim::Add(&v_, row.v));
    LEAT_RETURN(sim::Add(&w_, row.w));
    return sim::Add(&name_, row.name);
  }

  Result<ReadChunk> Finish() {
    arrow::ArrayBuilder* builders[] = {&id_, &k_, &v_, &w_, &name_};
    for (auto* builder : builders) {
      LEAT_ASSIGN(auto array, builder->Finish());
      chunk_.batch.columns.push_back(std::move(array));
    }
    chunk_.end = static_cast<int64_t>(bytes_.size());
    chunk_.checksum = XXH3_64bits(bytes_.data(), bytes_.size());
    chunk_.first_line = 1;
    chunk_.bytes = std::make_shared<const std::string>(std::move(bytes_));
    return std::move(chunk_);
  }

 private:
  ReadChunk chunk_;
  std::string bytes_;
  arrow::Int64Builder id_;
  arrow::Int32Builder k_, v_;
  arrow::DoubleBuilder w_;
  arrow::StringBuilder name_;
};

class SimSource : public Source {
 public:
  SimSource(World* world, const Upstream* upstream, const Relation& relation, int64_t rows_max,
            const SourceLies& lies)
      : world_(world),
        upstream_(upstream),
        relation_(relation),
        rows_max_(rows_max),
        lies_(lies),
        at_(upstream->partitions()) {}

  Status Seek(const Offset& offset) override {
    LEAT_RETURN(world_->Try(Deed::kSource, "seek in " + upstream_->name() + " to " + offset));
    LEAT_ASSIGN(at_, DecodePlace(offset, upstream_->partitions()));
    said_ = offset;
    return Status::OK();
  }

  void GiveSteps() override { steps_ = true; }

  Result<std::optional<Arrival>> Poll(int64_t) override {
    LEAT_RETURN(world_->Try(Deed::kSource, upstream_->name()));
    Random& random = world_->random();
    Place to = at_;
    // Rows of one partition, or of several in one piece.
    const bool several = random.OneIn(4);
    const size_t first = random.Below(to.size());
    for (size_t i = 0; i < to.size(); ++i) {
      const size_t partition = (first + i) % to.size();
      const int64_t there = upstream_->visible(partition) - at_[partition];
      if (there == 0) continue;
      to[partition] +=
          1 + static_cast<int64_t>(random.Below(static_cast<uint64_t>(std::min(there, rows_max_))));
      if (!several) break;
    }
    if (to == at_) return std::nullopt;
    LEAT_ASSIGN(Arrival arrival, upstream_->Read(relation_, at_, to));
    at_ = std::move(to);
    const Offset before = std::exchange(said_, arrival.end);
    world_->Say([&] { return fmt::format("  {} rows, to {}", arrival.rows_read, arrival.end); });
    if (steps_) {
      arrival.step = StepTo(arrival.end, before);
      arrival.end.clear();
    }
    return arrival;
  }

  Result<Arrival> Reread(const Offset& end) override {
    LEAT_RETURN(world_->Try(Deed::kSource, upstream_->name() + " again to " + end));
    LEAT_ASSIGN(const Place to, DecodePlace(end, upstream_->partitions()));
    LEAT_ASSIGN(Arrival arrival, upstream_->Read(relation_, at_, to));
    at_ = to;
    said_ = end;
    if (lies_.rereads_other_rows && arrival.batch.rows > 1) {
      std::vector<int32_t> same(static_cast<size_t>(arrival.batch.rows));
      LEAT_ASSIGN(arrival.batch, Take(arrival.batch, same));
    }
    return arrival;
  }

  Status Limit(const Offset&) override {
    return Status::NotImplemented("nobody asks a simulated source");
  }

 private:
  World* const world_;
  const Upstream* const upstream_;
  const Relation relation_;
  const int64_t rows_max_;
  const SourceLies lies_;
  Place at_;
  bool steps_ = false;
  Offset said_;  // at_, in words
};

}  // namespace

Offset EncodePlace(const Place& place) { return fmt::format("[{}]", fmt::join(place, ",")); }

Result<Place> DecodePlace(const Offset& offset, size_t partitions) {
  Place place(partitions);
  if (offset.empty()) return place;
  const char* at = offset.data() + 1;
  const char* end = offset.data() + offset.size();
  for (int64_t& count : place) {
    const auto read = std::from_chars(at, end, count);
    if (read.ec != std::errc()) return IOErrorF("\"{}\" is no place", offset);
    at = read.ptr + 1;
  }
  return place;
}

Upstream::Upstream(std::string name, int64_t rows_max, Random random) : name_(std::move(name)) {
  partitions_.resize(1 + random.Below(3));
  visible_.resize(partitions_.size());
  const uint64_t keys = 1 + random.Below(12);
  const auto rows = static_cast<int64_t>(random.Below(static_cast<uint64_t>(rows_max) + 1));
  for (int64_t id = 1; id <= rows; ++id) {
    partitions_[random.Below(partitions_.size())].push_back(DrawRow(id, keys, &random));
  }
}

int64_t Upstream::rows() const {
  int64_t rows = 0;
  for (const auto& partition : partitions_) rows += static_cast<int64_t>(partition.size());
  return rows;
}

int64_t Upstream::rows_rejected() const {
  int64_t rows = 0;
  for (const auto& partition : partitions_) {
    rows += std::count_if(partition.begin(), partition.end(), [](const UpstreamRow& row) {
      return row.broken || !row.id || (row.v && *row.v >= 90);
    });
  }
  return rows;
}

int64_t Upstream::visible() const {
  int64_t rows = 0;
  for (const int64_t visible : visible_) rows += visible;
  return rows;
}

void Upstream::Release(Random* random) {
  for (size_t i = 0; i < partitions_.size(); ++i) {
    const int64_t left = static_cast<int64_t>(partitions_[i].size()) - visible_[i];
    visible_[i] += static_cast<int64_t>(random->Below(static_cast<uint64_t>(left) / 2 + 2));
    visible_[i] = std::min(visible_[i], static_cast<int64_t>(partitions_[i].size()));
  }
}

void Upstream::ReleaseAll() {
  for (size_t i = 0; i < partitions_.size(); ++i) {
    visible_[i] = static_cast<int64_t>(partitions_[i].size());
  }
}

Result<Arrival> Upstream::Read(const Relation& relation, const Place& from, const Place& to) const {
  ChunkBuilder builder;
  for (size_t i = 0; i < partitions_.size(); ++i) {
    if (to[i] < from[i] || to[i] > visible_[i]) {
      return IOErrorF("\"{}\" has no rows from {} to {}", name_, EncodePlace(from),
                      EncodePlace(to));
    }
    for (int64_t row = from[i]; row < to[i]; ++row) {
      LEAT_RETURN(builder.Add(partitions_[i][static_cast<size_t>(row)]));
    }
  }
  LEAT_ASSIGN(ReadChunk chunk, builder.Finish());
  LEAT_RETURN(ApplyConstraints(relation, name_, &chunk));
  return Arrival{.batch = std::move(chunk.batch),
                 .rejects = std::move(chunk.rejects),
                 .place = fmt::format("{} {}", name_, EncodePlace(from)),
                 .rows_read = chunk.rows_read,
                 .bytes_read = chunk.rows_read * kRowBytes,
                 .checksum = chunk.checksum,
                 .end = EncodePlace(to)};
}

std::unique_ptr<Source> MakeSimSource(World* world, const Upstream* upstream,
                                      const Relation& relation, int64_t rows_max,
                                      const SourceLies& lies) {
  return std::make_unique<SimSource>(world, upstream, relation, rows_max, lies);
}

}  // namespace leat::sim
