#include "connect/postgres/position.h"

#include <array>
#include <charconv>
#include <iterator>

#include "connect/json.h"

namespace leat {
namespace {

void AppendHex(std::string_view bytes, std::string* out) {
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(*out), "{:02x}", static_cast<uint8_t>(c));
  }
}

bool ReadHex(JsonScanner* json, std::string* bytes) {
  std::string text;
  if (!ReadJson(json, &text) || text.size() % 2 != 0) return false;
  bytes->clear();
  for (size_t i = 0; i < text.size(); i += 2) {
    uint8_t byte = 0;
    const char* const end = text.data() + i + 2;
    if (std::from_chars(text.data() + i, end, byte, 16).ptr != end) return false;
    bytes->push_back(static_cast<char>(byte));
  }
  return true;
}

bool ReadLsn(JsonScanner* json, Lsn* lsn) {
  std::string text;
  return ReadJson(json, &text) && ParseLsn(text, lsn);
}

template <typename Integer>
bool ReadInteger(JsonScanner* json, Integer* value) {
  int64_t number = 0;
  if (!ReadJson(json, &number)) return false;
  *value = static_cast<Integer>(number);
  return true;
}

void AppendTable(const CapturedTable& table, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}{{\"oid\":{},\"columns\":[",
                 out->ends_with('[') ? "" : ",", table.oid);
  for (const CapturedColumn& column : table.columns) {
    fmt::format_to(std::back_inserter(*out), "{}[{},{},{}]", out->ends_with('[') ? "" : ",",
                   column.number, column.type.oid, column.type.modifier);
  }
  fmt::format_to(std::back_inserter(*out), "],\"partitions\":[{}]}}",
                 fmt::join(table.partitions, ","));
}

bool ReadColumn(JsonScanner* json, CapturedColumn* column) {
  std::array<int64_t, 3> numbers{};
  size_t at = 0;
  if (!ReadJsonArray(json, [&] { return at < 3 && ReadJson(json, &numbers.at(at++)); })) {
    return false;
  }
  column->number = numbers[0];
  column->type = {.oid = static_cast<uint32_t>(numbers[1]),
                  .modifier = static_cast<int32_t>(numbers[2])};
  return at == 3;
}

bool ReadTable(JsonScanner* json, CapturedTable* table) {
  return ReadJsonObject(json, 3, [&](std::string_view key) {
    if (key == "oid") return ReadInteger(json, &table->oid);
    if (key == "partitions") {
      return ReadJsonArray(json,
                           [&] { return ReadInteger(json, &table->partitions.emplace_back()); });
    }
    return key == "columns" &&
           ReadJsonArray(json, [&] { return ReadColumn(json, &table->columns.emplace_back()); });
  });
}

void AppendLate(const RowsReadLater& late, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}{{\"table\":{},\"after\":\"",
                 out->ends_with('[') ? "" : ",", late.table);
  AppendHex(late.after, out);
  *out += "\",\"snapshot\":";
  AppendJson(late.snapshot, out);
  fmt::format_to(std::back_inserter(*out), ",\"until\":\"{}\"}}", LsnText(late.until));
}

bool ReadLate(JsonScanner* json, RowsReadLater* late) {
  return ReadJsonObject(json, 4, [&](std::string_view key) {
    if (key == "table") return ReadJson(json, &late->table);
    if (key == "after") return ReadHex(json, &late->after);
    if (key == "snapshot") return ReadJson(json, &late->snapshot);
    return key == "until" && ReadLsn(json, &late->until);
  });
}

bool ReadMember(std::string_view key, JsonScanner* json, ReplicaPosition* position) {
  if (key == "system") return ReadJson(json, &position->system);
  if (key == "timeline") return ReadJson(json, &position->timeline);
  if (key == "slot") return ReadJson(json, &position->slot);
  if (key == "lsn") return ReadLsn(json, &position->lsn);
  if (key == "changes") return ReadJson(json, &position->changes);
  if (key == "streams") return ReadJson(json, &position->streams);
  if (key == "table") return ReadJson(json, &position->table);
  if (key == "chunks") return ReadJson(json, &position->chunks);
  if (key == "key") {
    return ReadJsonArray(json, [&] { return ReadJson(json, &position->key.emplace_back()); });
  }
  if (key == "tables") {
    return ReadJsonArray(json, [&] { return ReadTable(json, &position->tables.emplace_back()); });
  }
  return key == "late" &&
         ReadJsonArray(json, [&] { return ReadLate(json, &position->late.emplace_back()); });
}

}  // namespace

std::string EncodeReplicaPosition(const ReplicaPosition& position) {
  std::string text = fmt::format("{{\"system\":\"{}\",\"timeline\":{},\"slot\":", position.system,
                                 position.timeline);
  AppendJson(position.slot, &text);
  fmt::format_to(std::back_inserter(text),
                 ",\"lsn\":\"{}\",\"changes\":{},\"streams\":{},\"table\":{},\"chunks\":{},"
                 "\"key\":[",
                 LsnText(position.lsn), position.changes, position.streams, position.table,
                 position.chunks);
  for (const std::string& part : position.key) {
    if (!text.ends_with('[')) text += ',';
    AppendJson(part, &text);
  }
  text += "],\"tables\":[";
  for (const CapturedTable& table : position.tables) AppendTable(table, &text);
  text += "],\"late\":[";
  for (const RowsReadLater& late : position.late) AppendLate(late, &text);
  return text + "]}";
}

Result<ReplicaPosition> DecodeReplicaPosition(std::string_view text) {
  ReplicaPosition position;
  if (text.empty()) return position;
  JsonScanner json(text);
  constexpr int kMembers = 11;
  const bool read = ReadJsonObject(
      &json, kMembers, [&](std::string_view key) { return ReadMember(key, &json, &position); });
  if (!read || !json.AtEnd()) return Status::IOError("a replica's offset is damaged");
  return position;
}

bool IsVisible(std::string_view snapshot, uint32_t transaction) {
  // "xmin:xmax:xip,…" of 64-bit numbers; a transaction's are their low halves, compared on a
  // circle.
  const auto take = [&](char end) {
    const size_t at = std::min(snapshot.find(end), snapshot.size());
    uint64_t value = 0;
    std::from_chars(snapshot.data(), snapshot.data() + at, value);
    snapshot.remove_prefix(std::min(at + 1, snapshot.size()));
    return static_cast<uint32_t>(value);
  };
  const auto before = [](uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; };
  const uint32_t first_running = take(':');
  const uint32_t next = take(':');
  if (before(transaction, first_running)) return true;
  if (!before(transaction, next)) return false;
  while (!snapshot.empty()) {
    if (take(',') == transaction) return false;
  }
  return true;
}

}  // namespace leat
