#include "run/sink_comparison.h"

#include <map>
#include <numeric>

#include "base/record.h"
#include "data/key.h"
#include "run/row_text.h"

namespace leat {
namespace {

constexpr int64_t kWriteRows = 65536;

std::vector<int> AllColumns(const Schema& schema) {
  std::vector<int> all(static_cast<size_t>(schema.size()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// The rows of one key, by value: those of equal value take each other out.
class KeyRows {
 public:
  void Add(const std::string& value, std::string row, int64_t weight) {
    auto& [of, weights] = rows_[value];
    weights += weight;
    // Of several forms of a value the one that is left over is shown.
    if (of.empty() || weight == weights) of = std::move(row);
  }
  SinkDifference Take() {
    SinkDifference difference;
    for (const auto& [value, row] : rows_) {
      for (int64_t i = row.second; i > 0; --i) difference.missing.Append(row.first);
      for (int64_t i = row.second; i < 0; ++i) difference.extra.Append(row.first);
    }
    rows_.clear();
    return difference;
  }

 private:
  std::map<std::string, std::pair<std::string, int64_t>> rows_;  // value → bytes, weight
};

}  // namespace

SinkComparison::SinkComparison(const SinkSpec& spec)
    : schema_(spec.schema),
      key_(spec.key.empty() ? AllColumns(spec.schema) : spec.key),
      all_(AllColumns(spec.schema)),
      rows_(MakeIndex()) {}

Status SinkComparison::Add(const Batch& rows, int64_t weight, int64_t* count) {
  Strings keys, values, exact, entries;
  LEAT_RETURN(EncodeKeyColumns(schema_, key_, rows, &keys));
  LEAT_RETURN(EncodeKeyColumns(schema_, all_, rows, &values));
  LEAT_RETURN(EncodeRows(rows.columns, TypesOf(schema_), rows.rows, &exact));
  std::vector<int64_t> weights;
  for (int64_t i = 0; i < rows.rows; ++i) {
    entries.Append(RecordWriter().Text(values[i]).Text(exact[i]).bytes());
    weights.push_back(weight * rows.weight(i));
    *count += rows.weight(i);
  }
  return rows_->Apply(keys, entries, weights);
}

Result<ComparisonCounts> SinkComparison::Differences(const Visit& visit) const {
  ComparisonCounts counts = counts_;
  std::string at;
  KeyRows rows;
  const auto end = [&]() -> Status {
    const SinkDifference difference = rows.Take();
    if (difference.differs())
      ++counts.different;
    else if (difference.missing.size() > 0)
      ++counts.missing;
    else if (difference.extra.size() > 0)
      ++counts.extra;
    else
      return Status::OK();
    return visit(difference);
  };
  LEAT_RETURN(rows_->Scan(
      "", "", false,
      [&](std::string_view key, std::string_view entry, int64_t weight) -> Result<bool> {
        if (key != at) {
          LEAT_RETURN(end());
          at = key;
        }
        RecordReader in(entry);
        const std::string value = in.Text();
        rows.Add(value, in.Text(), weight);
        LEAT_RETURN(in.status());
        return true;
      }));
  LEAT_RETURN(end());
  return counts;
}

Status AddTargetRows(const std::string& name, SinkComparison* comparison,
                     const std::function<Status(const ArrivalVisitor& visit)>& read) {
  return read([&](const Arrival& arrival) -> Status {
    if (!arrival.rejects.empty()) {
      const Reject& reject = arrival.rejects[0];
      return IOErrorF("the target of sink \"{}\" holds what is none of its rows: {}, line {}: {}",
                      name, arrival.place, reject.line, reject.reason);
    }
    return comparison->AddFound(arrival.batch);
  });
}

Result<Batch> DecodeRows(const Schema& schema, const Strings& rows) {
  RowDecoder decoder(TypesOf(schema));
  for (int64_t i = 0; i < rows.size(); ++i) LEAT_RETURN(decoder.Append(rows[i]));
  Batch batch{.rows = decoder.rows()};
  LEAT_ASSIGN(batch.columns, decoder.Finish());
  return batch;
}

Status WriteDifferences(const SinkComparison& comparison, const Schema& schema,
                        const ChooseDifference& chooses, Sink* sink) {
  const auto each = [&](bool deletes) -> Status {
    Strings rows;
    const auto flush = [&]() -> Status {
      if (rows.size() == 0) return Status::OK();
      LEAT_ASSIGN(Batch batch, DecodeRows(schema, rows));
      rows = {};
      if (deletes) {
        LEAT_ASSIGN(batch, Negate(batch));
      }
      return sink->Write(batch);
    };
    const auto write = [&](const SinkDifference& difference) -> Status {
      const bool gone = difference.missing.size() == 0;
      if (gone != deletes) return Status::OK();
      if (chooses) {
        LEAT_ASSIGN(const bool chosen, chooses(difference));
        if (!chosen) return Status::OK();
      }
      const Strings& from = gone ? difference.extra : difference.missing;
      for (int64_t i = 0; i < from.size(); ++i) rows.Append(from[i]);
      return rows.size() < kWriteRows ? Status::OK() : flush();
    };
    LEAT_RETURN(comparison.Differences(write).status());
    return flush();
  };
  LEAT_RETURN(each(true));
  return each(false);
}

}  // namespace leat
