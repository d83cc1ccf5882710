// Window functions that look at a whole partition: how it is shared out, and a row of the frame by
// its place.
#include <arrow/array.h>
#include <arrow/builder.h>

#include "flow/row_errors.h"
#include "flow/window_calls.h"

namespace leat {
namespace {

// The peer group of each computed row: [begin, end).
struct Peers {
  std::vector<int64_t> begin, end;
};

Peers PeersOf(const Sheet& sheet, const Stretch& stretch) {
  Peers peers;
  for (int64_t i = stretch.first; i < stretch.last;) {
    int64_t next = i + 1;
    while (next < stretch.last && sheet.peer_starts[static_cast<size_t>(next)] == 0) ++next;
    peers.begin.insert(peers.begin.end(), static_cast<size_t>(next - i), i);
    peers.end.insert(peers.end.end(), static_cast<size_t>(next - i), next);
    i = next;
  }
  return peers;
}

CallResult ComputeNtile(const BoundCall& call, const Sheet& sheet, ErrorMask* errors) {
  const auto& buckets =
      static_cast<const arrow::Int32Array&>(*sheet.columns[static_cast<size_t>(call.value)]);
  arrow::Int32Builder out;
  for (const Stretch& stretch : sheet.stretches) {
    const int64_t rows = stretch.last - stretch.first;
    if (rows == 0) continue;
    // The number of buckets is that of the partition's first row.
    const bool null = buckets.IsNull(stretch.first);
    const int64_t count = null ? 0 : buckets.Value(stretch.first);
    for (int64_t i = 0; i < rows; ++i) {
      if (null || count <= 0) {
        if (!null) {
          errors->Set(out.length(), "22014", "argument of ntile must be greater than zero");
        }
        LEAT_RETURN(out.AppendNull());
        continue;
      }
      // The first `rows % count` buckets have a row more than the others.
      const int64_t less = rows / count, longer = rows % count;
      const int64_t in_longer = longer * (less + 1);
      const int64_t bucket = i < in_longer ? i / (less + 1) : longer + (i - in_longer) / less;
      LEAT_RETURN(out.Append(static_cast<int32_t>(bucket + 1)));
    }
  }
  return out.Finish();
}

}  // namespace

CallResult ComputeShare(const BoundCall& call, const Sheet& sheet, ErrorMask* errors) {
  if (call.function == WindowFunction::kNtile) return ComputeNtile(call, sheet, errors);
  arrow::DoubleBuilder out;
  for (const Stretch& stretch : sheet.stretches) {
    const int64_t rows = stretch.last - stretch.first;
    const Peers peers = PeersOf(sheet, stretch);
    for (size_t i = 0; i < peers.begin.size(); ++i) {
      double share = 0;
      if (call.function == WindowFunction::kCumeDist) {
        share = static_cast<double>(peers.end[i] - stretch.first) / static_cast<double>(rows);
      } else if (rows > 1) {
        share = static_cast<double>(peers.begin[i] - stretch.first) / static_cast<double>(rows - 1);
      }
      LEAT_RETURN(out.Append(share));
    }
  }
  return out.Finish();
}

CallResult ComputeNth(const BoundCall& call, const BoundFrame& frame, const Sheet& sheet,
                      ErrorMask* errors) {
  const auto& places =
      static_cast<const arrow::Int32Array&>(*sheet.columns[static_cast<size_t>(call.place)]);
  LEAT_ASSIGN(const Frames frames, FramesOf(frame, sheet));
  std::vector<int32_t> picked;
  for (const Stretch& stretch : sheet.stretches) {
    for (int64_t row = stretch.first; row < stretch.last; ++row) {
      const size_t i = picked.size();
      picked.push_back(-1);
      if (places.IsNull(row)) continue;
      const int64_t place = places.Value(row);
      if (place <= 0) {
        errors->Set(static_cast<int64_t>(i), "22016",
                    "argument of nth_value must be greater than zero");
      } else if (frames.begin[i] + place <= frames.end[i]) {
        picked.back() = static_cast<int32_t>(frames.begin[i] + place - 1);
      }
    }
  }
  return TakeElements(sheet.columns[static_cast<size_t>(call.value)], picked);
}

}  // namespace leat
