#include "connect/postgres/pgoutput.h"

#include <bit>
#include <charconv>

#include "connect/postgres/binary.h"
#include "data/date.h"

namespace leat {
namespace {

constexpr Micros kEpochMicros = 10957 * kMicrosPerDay;  // 2000-01-01

bool TakeByte(std::string_view* bytes, char* value) {
  if (bytes->empty()) return false;
  *value = bytes->front();
  bytes->remove_prefix(1);
  return true;
}

bool TakeText(std::string_view* bytes, std::string* value) {
  const size_t end = bytes->find('\0');
  if (end == bytes->npos) return false;
  *value = bytes->substr(0, end);
  bytes->remove_prefix(end + 1);
  return true;
}

bool TakeTime(std::string_view* bytes, Micros* value) {
  uint64_t raw = 0;
  if (!TakeUint64(bytes, &raw)) return false;
  *value = std::bit_cast<int64_t>(raw) + kEpochMicros;
  return true;
}

bool TakeRow(std::string_view* bytes, std::vector<PgoutputValue>* row) {
  uint16_t columns = 0;
  if (!TakeUint16(bytes, &columns)) return false;
  row->resize(columns);
  for (PgoutputValue& value : *row) {
    char kind = 0;
    if (!TakeByte(bytes, &kind)) return false;
    value.bytes = {};
    if (kind == 'n' || kind == 'u') {
      value.kind = kind == 'n' ? PgoutputValue::Kind::kNull : PgoutputValue::Kind::kUnchanged;
      continue;
    }
    if (kind != 't' && kind != 'b') return false;
    value.kind = kind == 't' ? PgoutputValue::Kind::kText : PgoutputValue::Kind::kBinary;
    uint32_t length = 0;
    if (!TakeUint32(bytes, &length) || length > bytes->size()) return false;
    value.bytes = bytes->substr(0, length);
    bytes->remove_prefix(length);
  }
  return true;
}

bool ReadBegin(std::string_view bytes, PgoutputMessage* message) {
  message->kind = PgoutputMessage::Kind::kBegin;
  return TakeUint64(&bytes, &message->lsn) && TakeTime(&bytes, &message->committed_at) &&
         TakeUint32(&bytes, &message->transaction) && bytes.empty();
}

bool ReadCommit(std::string_view bytes, PgoutputMessage* message) {
  message->kind = PgoutputMessage::Kind::kCommit;
  char flags = 0;
  Lsn commit = 0;
  return TakeByte(&bytes, &flags) && TakeUint64(&bytes, &commit) &&
         TakeUint64(&bytes, &message->lsn) && TakeTime(&bytes, &message->committed_at) &&
         bytes.empty();
}

bool ReadRelation(std::string_view bytes, PgoutputMessage* message) {
  message->kind = PgoutputMessage::Kind::kRelation;
  PgoutputRelation& relation = message->described;
  uint16_t columns = 0;
  if (!TakeUint32(&bytes, &relation.oid) || !TakeText(&bytes, &relation.schema) ||
      !TakeText(&bytes, &relation.table) || !TakeByte(&bytes, &relation.identity) ||
      !TakeUint16(&bytes, &columns)) {
    return false;
  }
  relation.columns.resize(columns);
  for (PgoutputColumn& column : relation.columns) {
    char flags = 0;
    uint32_t modifier = 0;
    if (!TakeByte(&bytes, &flags) || !TakeText(&bytes, &column.name) ||
        !TakeUint32(&bytes, &column.type.oid) || !TakeUint32(&bytes, &modifier)) {
      return false;
    }
    column.key = (flags & 1) != 0;
    column.type.modifier = std::bit_cast<int32_t>(modifier);
  }
  return bytes.empty();
}

bool ReadInsert(std::string_view bytes, PgoutputMessage* message) {
  message->kind = PgoutputMessage::Kind::kInsert;
  char what = 0;
  return TakeUint32(&bytes, &message->relation) && TakeByte(&bytes, &what) && what == 'N' &&
         TakeRow(&bytes, &message->after) && bytes.empty();
}

bool TakeBefore(char what, std::string_view* bytes, PgoutputMessage* message) {
  message->has_before = what == 'K' || what == 'O';
  message->before_is_whole = what == 'O';
  return message->has_before && TakeRow(bytes, &message->before);
}

bool ReadUpdate(std::string_view bytes, PgoutputMessage* message) {
  message->kind = PgoutputMessage::Kind::kUpdate;
  message->has_before = false;
  char what = 0;
  if (!TakeUint32(&bytes, &message->relation) || !TakeByte(&bytes, &what)) return false;
  if (what != 'N' && (!TakeBefore(what, &bytes, message) || !TakeByte(&bytes, &what))) return false;
  return what == 'N' && TakeRow(&bytes, &message->after) && bytes.empty();
}

bool ReadDelete(std::string_view bytes, PgoutputMessage* message) {
  message->kind = PgoutputMessage::Kind::kDelete;
  char what = 0;
  return TakeUint32(&bytes, &message->relation) && TakeByte(&bytes, &what) &&
         TakeBefore(what, &bytes, message) && bytes.empty();
}

bool ReadTruncate(std::string_view bytes, PgoutputMessage* message) {
  message->kind = PgoutputMessage::Kind::kTruncate;
  uint32_t relations = 0;
  char flags = 0;
  if (!TakeUint32(&bytes, &relations) || !TakeByte(&bytes, &flags)) return false;
  message->truncated.clear();
  for (uint32_t oid = 0; relations > 0; --relations) {
    if (!TakeUint32(&bytes, &oid)) return false;
    message->truncated.push_back(oid);
  }
  return bytes.empty();
}

}  // namespace

std::string LsnText(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn >> 32, lsn & 0xffffffff); }

bool ParseLsn(std::string_view text, Lsn* lsn) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return false;
  const auto parse = [](std::string_view part, uint32_t* value) {
    const char* const end = part.data() + part.size();
    const auto [at, error] = std::from_chars(part.data(), end, *value, 16);
    return error == std::errc() && at == end;
  };
  uint32_t high = 0, low = 0;
  if (!parse(text.substr(0, slash), &high) || !parse(text.substr(slash + 1), &low)) return false;
  *lsn = (Lsn{high} << 32) | low;
  return true;
}

bool ReadPgoutput(std::string_view bytes, PgoutputMessage* message) {
  char kind = 0;
  if (!TakeByte(&bytes, &kind)) return false;
  switch (kind) {
    case 'B':
      return ReadBegin(bytes, message);
    case 'C':
      return ReadCommit(bytes, message);
    case 'R':
      return ReadRelation(bytes, message);
    case 'I':
      return ReadInsert(bytes, message);
    case 'U':
      return ReadUpdate(bytes, message);
    case 'D':
      return ReadDelete(bytes, message);
    case 'T':
      return ReadTruncate(bytes, message);
    case 'Y':
    case 'O':
    case 'M':
      message->kind = PgoutputMessage::Kind::kOther;
      return true;
    default:
      return false;
  }
}

}  // namespace leat
