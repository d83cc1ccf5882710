// Rows without a key: a change names one by all of its values (PostgreSQL's
// REPLICA IDENTITY FULL), so it takes back any one of those that are equal.
#include <arrow/array.h>
#include <xxhash.h>

#include <algorithm>
#include <unordered_map>

#include "data/key.h"
#include "flow/keyed_rows.h"
#include "state/index.h"

namespace leat {
namespace {

// What rows are held under: the whole row would be there twice. Equal hashes
// are told apart by the rows themselves.
std::string HashOf(std::string_view row) {
  XXH64_canonical_t bytes;
  XXH64_canonicalFromHash(&bytes, XXH3_64bits(row.data(), row.size()));
  return {reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)};
}

}  // namespace

// A batch's equal rows are a group; what of it comes and goes again cancels.
struct KeyedRows::Equals {
  struct Group {
    std::string_view bytes;
    int64_t net = 0;
    std::vector<int32_t> came;  // rows
  };
  std::vector<Group> groups;
  Strings held_keys, held;  // what goes
};

Status KeyedRows::ApplyWhole(const Batch& batch, const Upserts& how, const RowCheck& check,
                             const std::function<Status(Batch)>& emit) {
  if (how.truncated) LEAT_RETURN(Truncate({}, how, emit));
  if (batch.rows == 0) return Status::OK();
  Strings bytes;
  LEAT_RETURN(EncodeRows(batch.columns, types_, batch.rows, &bytes));
  Equals equals;
  std::unordered_map<std::string_view, size_t> groups;
  for (int32_t row = 0; row < static_cast<int32_t>(batch.rows); ++row) {
    const auto [at, first] = groups.try_emplace(bytes[row], equals.groups.size());
    if (first) equals.groups.push_back({.bytes = bytes[row]});
    Equals::Group& group = equals.groups[at->second];
    const bool comes = batch.weight(row) > 0;
    group.net += comes ? 1 : -1;
    if (comes) group.came.push_back(row);
  }
  LEAT_RETURN(FindEquals(&equals));
  std::vector<int32_t> came;
  for (const Equals::Group& group : equals.groups) {
    const auto newest = group.came.end() - std::max<int64_t>(group.net, 0);
    came.insert(came.end(), newest, group.came.end());
  }
  std::sort(came.begin(), came.end());
  LEAT_ASSIGN(Batch rows, RowsThatMayCome(batch, check, &came));

  Strings keys = equals.held_keys, values = equals.held;
  std::vector<int64_t> weights(static_cast<size_t>(keys.size()), -1);
  for (size_t i = 0; i < came.size(); ++i) {
    keys.Append(HashOf(bytes[came[i]]));
    AppendHeld(rows.seq->Value(static_cast<int64_t>(i)), bytes[came[i]], &values);
    weights.push_back(1);
  }
  LEAT_RETURN(held_->Apply(keys, values, weights));
  LEAT_RETURN(EmitGone(equals.held, emit));
  rows_out_ += rows.rows;
  return rows.rows > 0 ? emit(std::move(rows)) : Status::OK();
}

// Of each group that goes as many of the rows that are held. One that was
// refused is not there.
Status KeyedRows::FindEquals(Equals* equals) const {
  Strings keys;
  std::vector<const Equals::Group*> going;
  for (const Equals::Group& group : equals->groups) {
    if (group.net >= 0) continue;
    keys.Append(HashOf(group.bytes));
    going.push_back(&group);
  }
  if (going.empty()) return Status::OK();
  std::vector<int64_t> found(going.size());
  return held_->Probe(keys, [&](int64_t i, std::string_view held, int64_t) {
    int64_t& count = found[static_cast<size_t>(i)];
    const Equals::Group& group = *going[static_cast<size_t>(i)];
    if (count >= -group.net || RowOf(held) != group.bytes) return Status::OK();
    ++count;
    equals->held_keys.Append(keys[i]);
    equals->held.Append(held);
    return Status::OK();
  });
}

}  // namespace leat
