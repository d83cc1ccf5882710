// How far a stream source was read: its offset.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "connect/stream/topic.h"

namespace leat {

struct StreamOffset {
  std::string topic;  // its identity; empty: there was none when reading began
  TopicPlace from;    // where reading began
  TopicPlace at;      // how far it came
};

// Canonical JSON, and back.
std::string EncodeStreamOffset(const StreamOffset& offset);
Result<StreamOffset> DecodeStreamOffset(std::string_view text);

}  // namespace leat
