// Plays random epochs through an operator and compares it with its slow definition. Tests only.
//
//   slow::Check({.inputs = {schema},
//                .output = schema,
//                .make = [=] { return MakeDistinct({schema, {}}); },
//                .answer = [=](const std::vector<slow::Rows>& in) {
//                  return slow::Distinct({schema, {}}, in[0]); }}, seed);
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/slow_test.h"
#include "state/memory.h"
#include "state/memory_store.h"

namespace leat::slow {

struct Case {
  std::vector<Schema> inputs;
  Schema output;
  std::function<Result<std::unique_ptr<Operator>>()> make;
  std::function<Rows(const std::vector<Rows>&)> answer;
  // What is fed keeps these promises; give the operator the same. final: one epoch, ports from the
  // last to the first, as a final join wants them.
  Properties properties;
  bool seq = true;         // the inputs' rows have `_seq`
  bool output_seq = true;  // so have the output's; else it is not compared
  int epochs = 6;
  int changes_max = 12;  // per epoch and input
};

// What an operator has said so far: a Z-set of rows.
class Collected : public Output {
 public:
  Collected(Schema schema, bool seq) : schema_(std::move(schema)), seq_(seq) {}

  Status Emit(Batch batch) override {
    const Rows rows = RowsOf(batch, schema_);
    for (size_t i = 0; i < rows.size(); ++i) {
      Add(rows[i], batch.weight(static_cast<int64_t>(i)), &net_);
    }
    return Status::OK();
  }
  Status Reject(RowError error) override {
    rejects_[error.sqlstate + " " + error.reason] += error.weight;
    return Status::OK();
  }
  void ExpectEqual(const Rows& rows, const std::string& trace) const {
    std::map<std::string, int64_t> expected;
    for (const Row& row : rows) Add(row, 1, &expected);
    EXPECT_EQ(net_, expected) << trace;
    EXPECT_TRUE(rejects_.empty()) << trace << rejects_.begin()->first;
  }
  const std::map<std::string, int64_t>& rejects() const { return rejects_; }
  const std::map<std::string, int64_t>& net() const { return net_; }

 private:
  void Add(Row row, int64_t weight, std::map<std::string, int64_t>* net) const {
    if (!seq_) row.seq.reset();
    const std::string identity = Identity(row);
    if (((*net)[identity] += weight) == 0) net->erase(identity);
  }

  const Schema schema_;
  const bool seq_;
  std::map<std::string, int64_t> net_;
  std::map<std::string, int64_t> rejects_;
};

// One input as it changes: the rows that are there, and the changes of an epoch.
class Feed {
 public:
  struct Change {
    Row row;
    int64_t weight;
  };

  Feed(const Case& test, size_t port) : test_(test), schema_(test.inputs[port]) {}

  std::vector<Change> Epoch(Random* random) {
    std::vector<Change> changes;
    for (int64_t n = Pick(random, 0, test_.changes_max); n > 0; --n) {
      const int64_t kind =
          test_.properties.append_only || present_.empty() ? 0 : Pick(random, 0, 9);
      if (kind < 5) {
        Insert(random, &changes);
      } else if (kind < 7) {
        Delete(random, &changes);
      } else if (kind < 9) {
        Update(random, &changes);
      } else {
        Insert(random, &changes);
        changes.push_back({present_.back(), -1});
        present_.pop_back();
      }
    }
    if (!test_.properties.in_order) std::shuffle(changes.begin(), changes.end(), *random);
    return changes;
  }
  const Rows& present() const { return present_; }

  Batch ToBatch(Random* random, std::span<const Change> changes) const {
    Rows rows;
    std::vector<int64_t> weights;
    bool all_came = true;
    rows.push_back(changes[0].row);  // sliced off again: arrays have no particular offset
    weights.push_back(1);
    for (const Change& change : changes) {
      rows.push_back(change.row);
      weights.push_back(change.weight);
      all_came = all_came && change.weight == 1;
    }
    if (all_came && Pick(random, 0, 1) == 0) weights.clear();
    Batch batch = BatchOf(rows, schema_, weights);
    for (auto& column : batch.columns) {
      if (column->type_id() == arrow::Type::STRING && Pick(random, 0, 1) == 0) {
        column = DictionaryOf(*column);
      }
    }
    return Slice(batch, 1, batch.rows - 1);
  }

 private:
  static std::shared_ptr<arrow::Array> DictionaryOf(const arrow::Array& column) {
    arrow::StringDictionary32Builder builder;
    EXPECT_TRUE(builder.AppendArray(column).ok());
    return builder.Finish().ValueOrDie();
  }
  Row& Any(Random* random) {
    return present_[static_cast<size_t>(
        Pick(random, 0, static_cast<int64_t>(present_.size()) - 1))];
  }
  void Insert(Random* random, std::vector<Change>* changes) {
    Row row = RandomRow(random, schema_);
    // Without `_seq` the same row may stand twice.
    if (!test_.seq && !present_.empty() && Pick(random, 0, 3) == 0) row = Any(random);
    if (test_.seq) {
      const bool late = !test_.properties.in_order && Pick(random, 0, 4) == 0;
      row.seq = late ? --seq_least_ : ++seq_most_;
    }
    present_.push_back(row);
    changes->push_back({std::move(row), 1});
  }
  void Delete(Random* random, std::vector<Change>* changes) {
    Row& row = Any(random);
    changes->push_back({row, -1});
    std::swap(row, present_.back());
    present_.pop_back();
  }
  void Update(Random* random, std::vector<Change>* changes) {
    Row& row = Any(random);
    changes->push_back({row, -1});
    const size_t c = static_cast<size_t>(Pick(random, 0, schema_.size() - 1));
    row.cells[c] = RandomCell(random, schema_.columns[c].type);
    changes->push_back({row, 1});
  }

  const Case& test_;
  const Schema& schema_;
  Rows present_;
  int64_t seq_least_ = 1000, seq_most_ = 1000;
};

namespace internal {

inline Status PushCut(const Case& test, std::vector<Feed>* feeds, Random* random, Operator* op,
                      Output* out) {
  std::vector<std::vector<Feed::Change>> changes;
  for (Feed& feed : *feeds) changes.push_back(feed.Epoch(random));
  std::vector<size_t> done(changes.size(), 0);
  for (size_t left = changes.size(); left > 0;) {
    left = 0;
    for (size_t i = 0; i < changes.size(); ++i) {
      const size_t port = changes.size() - 1 - i;
      const auto rest = static_cast<int64_t>(changes[port].size() - done[port]);
      if (rest == 0) continue;
      const auto rows = static_cast<size_t>(Pick(random, 1, rest));
      const std::span part(changes[port].data() + done[port], rows);
      const Batch batch = (*feeds)[port].ToBatch(random, part);
      LEAT_RETURN(op->Push(static_cast<int>(port), batch, {}, out));
      done[port] += rows;
      ++left;
      if (test.properties.final) break;  // the last port to its end first
    }
  }
  return Status::OK();
}

}  // namespace internal

// Plays the case with a limit of memory, beyond which state is spilled; after each other restart
// with `second` instead.
inline void CheckWithin(const Case& test, uint64_t seed, int64_t first, int64_t second) {
  Random random(seed);
  MemoryStore store;
  StateMemory memories[] = {StateMemory({.limit = first, .files = &store}),
                            StateMemory({.limit = second, .files = &store})};
  size_t lives = 0;
  std::optional<MemoryScope> scope(&memories[0]);
  std::vector<Feed> feeds;
  for (size_t port = 0; port < test.inputs.size(); ++port) feeds.emplace_back(test, port);
  auto made = test.make();
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  std::unique_ptr<Operator> op = *std::move(made);
  Collected collected(test.output, test.output_seq);
  const int epochs = test.properties.final ? 1 : test.epochs;
  for (int epoch = 1; epoch <= epochs && !testing::Test::HasFailure(); ++epoch) {
    const std::string trace = fmt::format("seed {} epoch {}\n", seed, epoch);
    Status status = internal::PushCut(test, &feeds, &random, op.get(), &collected);
    ASSERT_TRUE(status.ok()) << trace << status.ToString();
    status = op->Finish({.number = epoch}, {}, &collected);
    ASSERT_TRUE(status.ok()) << trace << status.ToString();
    std::vector<Rows> present;
    for (const Feed& feed : feeds) present.push_back(feed.present());
    collected.ExpectEqual(test.answer(present), trace);
    if (test.properties.final || Pick(&random, 0, 2) != 0) continue;
    store.Begin();
    status = op->Checkpoint(&store);
    ASSERT_TRUE(status.ok()) << trace << status.ToString();
    store.Commit();
    op.reset();
    scope.emplace(&memories[++lives % 2]);
    op = test.make().ValueOrDie();
    status = op->Restore(&store);
    ASSERT_TRUE(status.ok()) << trace << status.ToString();
  }
}

// Fails the running test, naming the seed, where the operator and its definition differ: with all
// the memory it likes, and with next to none.
inline void Check(const Case& test, uint64_t seed) {
  CheckWithin(test, seed, INT64_MAX, INT64_MAX);
  if (testing::Test::HasFailure() || test.properties.final) return;
  SCOPED_TRACE("spilling");
  const int64_t little = seed % 2 == 0 ? 64 << 10 : 1 << 10;
  CheckWithin(test, seed, little, little);
  if (testing::Test::HasFailure() || seed % 3 != 0) return;
  SCOPED_TRACE("with less memory than before");
  CheckWithin(test, seed, INT64_MAX, little);
}

}  // namespace leat::slow
