// Which rows make up the frame of each row.
#include <arrow/array.h>

#include <algorithm>

#include "flow/window_calls.h"

namespace leat {
namespace {

constexpr int64_t kOpenEnd = RowFrame::kUnbounded;

void RowFrames(const BoundFrame& frame, const Stretch& stretch, Frames* out) {
  for (int64_t i = stretch.first; i < stretch.last; ++i) {
    const int64_t begin = frame.preceding == kOpenEnd
                              ? stretch.first
                              : std::clamp(i - frame.preceding, stretch.begin, stretch.end);
    const int64_t end = frame.following == kOpenEnd
                            ? stretch.end
                            : std::clamp(i + frame.following + 1, stretch.begin, stretch.end);
    out->begin.push_back(begin);
    out->end.push_back(std::max(begin, end));
  }
}

// RANGE between the first row, the peers and the last row.
void PeerFrames(const BoundFrame& frame, const Sheet& sheet, const Stretch& stretch, Frames* out) {
  int64_t group = stretch.first, group_end = stretch.first;
  for (int64_t i = stretch.first; i < stretch.last; ++i) {
    if (i == group_end) {
      group = group_end++;
      while (group_end < stretch.end && sheet.peer_starts[static_cast<size_t>(group_end)] == 0) {
        ++group_end;
      }
    }
    out->begin.push_back(frame.preceding == kOpenEnd ? stretch.first : group);
    out->end.push_back(frame.following == kOpenEnd ? stretch.end : group_end);
  }
}

// The first row of each group of peers of a whole partition, and its end.
std::vector<int64_t> GroupStarts(const Sheet& sheet, const Stretch& stretch) {
  std::vector<int64_t> starts;
  for (int64_t i = stretch.first; i < stretch.last; ++i) {
    if (i == stretch.first || sheet.peer_starts[static_cast<size_t>(i)] != 0) starts.push_back(i);
  }
  starts.push_back(stretch.last);
  return starts;
}

void GroupFrames(const BoundFrame& frame, const Sheet& sheet, const Stretch& stretch, Frames* out) {
  const std::vector<int64_t> starts = GroupStarts(sheet, stretch);
  const auto groups = static_cast<int64_t>(starts.size()) - 1;
  const auto start = [&](int64_t group) {
    return starts[static_cast<size_t>(std::clamp<int64_t>(group, 0, groups))];
  };
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t begin =
        frame.preceding == kOpenEnd ? stretch.first : start(group - frame.preceding);
    const int64_t end =
        frame.following == kOpenEnd ? stretch.last : start(group + frame.following + 1);
    for (int64_t i = start(group); i < start(group + 1); ++i) {
      out->begin.push_back(begin);
      out->end.push_back(std::max(begin, end));
    }
  }
}

// What rows are ordered by and the bounds of it, as bytes that have its order.
struct Bounds {
  Strings key, low, high;
};

Result<Bounds> BoundsOf(const BoundFrame& frame, const Sheet& sheet) {
  const KeyEncoder encoder({frame.order});
  Bounds bounds;
  const auto encode = [&](int column, Strings* out) {
    return encoder.Encode({sheet.columns[static_cast<size_t>(column)]}, sheet.rows, out);
  };
  LEAT_RETURN(encode(frame.key, &bounds.key));
  LEAT_RETURN(encode(frame.low, &bounds.low));
  LEAT_RETURN(encode(frame.high, &bounds.high));
  return bounds;
}

// Over whole partitions. The bounds move as the rows do; those of null are null, and so its peers.
void ValueFrames(const BoundFrame& frame, const Bounds& bounds, const Stretch& stretch,
                 const Frames& peers, Frames* out) {
  int64_t begin = stretch.first, end = stretch.first;
  for (int64_t i = stretch.first; i < stretch.last; ++i) {
    const auto row = static_cast<size_t>(i - stretch.first);
    if (frame.preceding == 0) {
      begin = peers.begin[row];
    } else if (frame.preceding != kOpenEnd) {
      while (begin < stretch.last && bounds.key[begin] < bounds.low[i]) ++begin;
    }
    if (frame.following == 0) {
      end = peers.end[row];
    } else if (frame.following == kOpenEnd) {
      end = stretch.last;
    } else {
      while (end < stretch.last && bounds.key[end] <= bounds.high[i]) ++end;
    }
    out->begin.push_back(begin);
    out->end.push_back(std::max(begin, end));
  }
}

}  // namespace

Result<Frames> FramesOf(const BoundFrame& frame, const Sheet& sheet) {
  Frames frames;
  const auto rows = static_cast<size_t>(sheet.computed());
  frames.begin.reserve(rows);
  frames.end.reserve(rows);
  Bounds bounds;
  if (frame.key >= 0) {
    LEAT_ASSIGN(bounds, BoundsOf(frame, sheet));
  }
  for (const Stretch& stretch : sheet.stretches) {
    if (frame.key >= 0) {
      BoundFrame peers;
      peers.preceding = 0;
      Frames around;
      PeerFrames(peers, sheet, stretch, &around);
      ValueFrames(frame, bounds, stretch, around, &frames);
    } else if (frame.range) {
      PeerFrames(frame, sheet, stretch, &frames);
    } else if (frame.groups) {
      GroupFrames(frame, sheet, stretch, &frames);
    } else {
      RowFrames(frame, stretch, &frames);
    }
  }
  return frames;
}

}  // namespace leat
