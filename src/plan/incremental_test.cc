// However the changes come, a standing query says what the same query asked once would.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "data/key.h"
#include "plan/dataflow.h"
#include "plan/once.h"
#include "sql/sql.h"

namespace leat {
namespace {

// t (a integer, b integer, c text), with nulls and repeated values.
struct Row {
  int64_t seq = 0;
  int32_t a = 0, b = 0;
  bool a_null = false;
  std::string c;
};

Batch BatchOf(const std::vector<std::pair<Row, int64_t>>& rows) {
  arrow::Int32Builder a, b;
  arrow::StringBuilder c;
  arrow::Int64Builder seq, weight;
  for (const auto& [row, w] : rows) {
    EXPECT_TRUE((row.a_null ? a.AppendNull() : a.Append(row.a)).ok());
    EXPECT_TRUE(b.Append(row.b).ok() && c.Append(row.c).ok());
    EXPECT_TRUE(seq.Append(row.seq).ok() && weight.Append(w).ok());
  }
  const auto numbers = [](arrow::Int64Builder* builder) {
    return std::static_pointer_cast<arrow::Int64Array>(builder->Finish().ValueOrDie());
  };
  Batch batch;
  batch.rows = static_cast<int64_t>(rows.size());
  batch.columns = {a.Finish().ValueOrDie(), b.Finish().ValueOrDie(), c.Finish().ValueOrDie()};
  batch.seq = numbers(&seq);
  batch.weights = numbers(&weight);
  return batch;
}

// A Z-set of rows by their bytes.
class Collected {
 public:
  explicit Collected(const Schema& schema) {
    for (const Column& column : schema.columns) types_.push_back(column.type);
  }
  Status Add(const Batch& batch) {
    Strings rows;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& column : batch.columns) columns.push_back(Plain(column));
    LEAT_RETURN(EncodeRows(columns, types_, batch.rows, &rows));
    for (int64_t i = 0; i < batch.rows; ++i) {
      const std::string row(rows[i]);
      if ((rows_[row] += batch.weight(i)) == 0) rows_.erase(row);
    }
    return Status::OK();
  }
  const std::map<std::string, int64_t>& rows() const { return rows_; }

 private:
  std::vector<Type> types_;
  std::map<std::string, int64_t> rows_;
};

class Listener : public DataflowListener {
 public:
  explicit Listener(const Schema& schema) : answer(schema) {}
  Status OnDelta(int, const Batch& batch) override { return answer.Add(batch); }
  Status OnRowError(int, const Schema&, const RowError& error) override {
    return Status::Invalid(error.reason);
  }
  Collected answer;
};

std::vector<std::pair<Row, int64_t>> Changes(leat::Random* random, int64_t* seq,
                                             std::vector<Row>* present) {
  std::vector<std::pair<Row, int64_t>> changes;
  for (uint64_t n = random->Below(6); n > 0; --n) {
    if (!present->empty() && random->OneIn(3)) {
      const size_t at = random->Below(present->size());
      changes.emplace_back((*present)[at], -1);
      present->erase(present->begin() + static_cast<ptrdiff_t>(at));
      continue;
    }
    Row row{(*seq)++, static_cast<int32_t>(random->Below(4)),
            static_cast<int32_t>(random->Below(6)), random->OneIn(5),
            std::string(1, static_cast<char>('x' + random->Below(3)))};
    changes.emplace_back(row, 1);
    present->push_back(row);
  }
  return changes;
}

void Check(const std::string& sql, uint64_t seed) {
  Catalog catalog;
  const auto declare =
      Bind(*ParseSql("CREATE TABLE t (a integer, b integer, c text)", {}).ValueOrDie()[0], catalog);
  ASSERT_TRUE(catalog.AddRelation(std::get<CreateRelation>(*declare).relation).ok());
  const auto bound = Bind(*ParseSql(sql, {}).ValueOrDie()[0], catalog);
  ASSERT_TRUE(bound.ok()) << sql << ": " << bound.status().ToString();
  const LogicalPtr root = std::get<Select>(*bound).query.root;
  Listener listener(root->schema);
  Dataflow flow(&listener);
  ASSERT_TRUE(flow.Add(root, [](const std::string&) { return Properties{}; }).ok()) << sql;
  leat::Random random(seed);
  std::vector<Row> present;
  int64_t seq = 0;
  for (int64_t epoch = 1; epoch <= 25; ++epoch) {
    const auto changes = Changes(&random, &seq, &present);
    if (!changes.empty()) {
      ASSERT_TRUE(flow.Push("t", BatchOf(changes), {}).ok()) << sql;
    }
    const Status finished = flow.Finish({.number = epoch}, {});
    ASSERT_TRUE(finished.ok()) << sql << ": " << finished.ToString();
    Collected once(root->schema);
    std::vector<std::pair<Row, int64_t>> all;
    for (const Row& row : present) all.emplace_back(row, 1);
    const auto scan = [&](const std::string&, const BatchVisitor& visit) {
      return visit(BatchOf(all));
    };
    const Status ran = RunOnce(root, scan, {}, [&](const Batch& batch) { return once.Add(batch); });
    ASSERT_TRUE(ran.ok()) << sql << ": " << ran.ToString();
    ASSERT_EQ(listener.answer.rows(), once.rows())
        << sql << ", seed " << seed << ", epoch " << epoch;
  }
}

void CheckAll(const std::vector<std::string>& queries) {
  for (const std::string& sql : queries) {
    for (uint64_t seed = 1; seed <= 4; ++seed) Check(sql, seed);
  }
}

TEST(Incremental, Aggregates) {
  CheckAll({
      "SELECT a, string_agg(c, ',' ORDER BY b DESC), array_agg(b) FROM t GROUP BY a",
      "SELECT a, string_agg(DISTINCT c, ',' ORDER BY c), array_agg(DISTINCT b) FROM t GROUP BY a",
      "SELECT a, var_samp(b), stddev_pop(b), corr(a, b), regr_slope(b, a) FROM t GROUP BY a",
      "SELECT c, bit_and(b), bit_or(b), bit_xor(b) FROM t GROUP BY c",
      "SELECT c, percentile_cont(0.5) WITHIN GROUP (ORDER BY b), mode() WITHIN GROUP (ORDER BY a) "
      "FROM t GROUP BY c",
      "SELECT jsonb_agg(b ORDER BY b) FILTER (WHERE a > 1), count(*) FROM t",
  });
}

TEST(Incremental, GroupingSetsAndSetOperations) {
  CheckAll({
      "SELECT a, c, sum(b), grouping(a, c) FROM t GROUP BY CUBE (a, c)",
      "SELECT a, c, count(*) FROM t GROUP BY ROLLUP (a, c) HAVING count(*) > 1",
      "SELECT a FROM t EXCEPT ALL SELECT b FROM t",
      "SELECT a FROM t INTERSECT ALL SELECT b FROM t",
  });
}

TEST(Incremental, Sets) {
  CheckAll({
      "SELECT a, g FROM t, generate_series(1, b) AS g",
      "SELECT a, x FROM t LEFT JOIN LATERAL unnest(ARRAY[a, b]) AS x ON x > 1",
      "SELECT unnest(string_to_array(c || ',' || b, ',')), a FROM t",
      "SELECT a, ARRAY(SELECT b FROM t u WHERE u.a = t.a ORDER BY b) FROM t",
  });
}

TEST(Incremental, Windows) {
  CheckAll({
      "SELECT a, b, ntile(3) OVER (PARTITION BY c ORDER BY b) FROM t",
      "SELECT a, b, percent_rank() OVER (ORDER BY b), cume_dist() OVER (PARTITION BY a ORDER BY b) "
      "FROM t",
      "SELECT nth_value(b, 2) OVER (PARTITION BY a ORDER BY b) FROM t",
  });
}

}  // namespace
}  // namespace leat
