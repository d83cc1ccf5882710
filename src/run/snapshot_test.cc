// Mode `snapshot`: what a query answered in each period, in a virtual time.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "run/machine.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

constexpr Micros kHour = 3'600'000'000;
constexpr Micros kDay = 24 * kHour;

class Snapshots : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(home_);
    fs::create_directories(home_ / "data");
    Write("p.sql",
          "CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'data');"
          "CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url 'lake');"
          "CREATE FOREIGN TABLE loans (client int, amount int) SERVER files OPTIONS (path '*.csv');"
          "CREATE FOREIGN TABLE features () SERVER lake OPTIONS (path 'f/', format 'csv', "
          "    mode 'snapshot', every '1 day', partition_by 'dt');"
          "INSERT INTO features SELECT client, sum(amount) AS total FROM loans GROUP BY client;");
  }
  void TearDown() override { fs::remove_all(home_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(home_ / name) << text;
  }
  Status RunAt(Micros now,
               const std::function<Result<std::unique_ptr<Sink>>(SinkSpec)>& make = MakeSink) {
    std::string where;
    const auto pipeline = LoadPipeline({.path = (home_ / "p.sql").string()}, &where);
    EXPECT_TRUE(pipeline.ok()) << pipeline.status();
    const ManualClock clock(now);
    const RunContext context{.files = PosixFileSystem(),
                             .clock = &clock,
                             .random = [] { return 7; },
                             .state_dir = (home_ / "state").string(),
                             .make_sink = make};
    return RunPipeline(*pipeline, RunOptions(), context).status();
  }
  // Every period's rows, without the header.
  std::map<std::string, std::string> Periods() const {
    std::map<std::string, std::string> periods;
    for (const auto& entry : fs::recursive_directory_iterator(home_ / "lake/f")) {
      if (entry.path().extension() != ".csv") continue;
      std::ifstream file(entry.path());
      std::string line;
      std::getline(file, line);
      while (std::getline(file, line)) {
        periods[entry.path().parent_path().filename().string()] += line + " ";
      }
    }
    return periods;
  }

  const fs::path home_ = fs::path(testing::TempDir()) / "leat_snapshots";
};

using PeriodRows = std::map<std::string, std::string>;

TEST_F(Snapshots, EachDayKeepsWhatWasAnsweredThen) {
  Write("data/1.csv", "client,amount\n1,10\n2,20\n");
  ASSERT_TRUE(RunAt(kDay + kHour).ok());
  EXPECT_EQ(Periods(), (PeriodRows{{"dt=1970-01-02", "1,10 2,20 "}}));
  Write("data/2.csv", "client,amount\n1,1\n");
  ASSERT_TRUE(RunAt(kDay + 2 * kHour).ok());
  EXPECT_EQ(Periods(), (PeriodRows{{"dt=1970-01-02", "1,11 2,20 "}}));
  // A day without news has an answer too.
  ASSERT_TRUE(RunAt(2 * kDay).ok());
  EXPECT_EQ(Periods(),
            (PeriodRows{{"dt=1970-01-02", "1,11 2,20 "}, {"dt=1970-01-03", "1,11 2,20 "}}));
  ASSERT_TRUE(RunAt(2 * kDay + kHour).ok());
  Write("data/3.csv", "client,amount\n3,30\n");
  ASSERT_TRUE(RunAt(5 * kDay).ok());
  EXPECT_EQ(Periods(), (PeriodRows{{"dt=1970-01-02", "1,11 2,20 "},
                                   {"dt=1970-01-03", "1,11 2,20 "},
                                   {"dt=1970-01-06", "1,11 2,20 3,30 "}}));
}

// A sink whose commits fail from one on.
class Failing : public Sink {
 public:
  Failing(std::unique_ptr<Sink> sink, int commits) : sink_(std::move(sink)), commits_(commits) {}
  Result<std::optional<Mark>> Open() override { return sink_->Open(); }
  Status Write(const Batch& batch) override { return sink_->Write(batch); }
  Status Commit(int64_t epoch) override {
    return commits_-- > 0 ? sink_->Commit(epoch) : Status::IOError("the disk is away");
  }
  int64_t staged_bytes() const override { return sink_->staged_bytes(); }
  Status Reset() override { return sink_->Reset(); }

 private:
  const std::unique_ptr<Sink> sink_;
  int commits_;
};

TEST_F(Snapshots, AFailureLeavesNoDayWrong) {
  Write("data/1.csv", "client,amount\n1,10\n");
  ASSERT_TRUE(RunAt(kDay).ok());
  Write("data/2.csv", "client,amount\n1,5\n");
  EXPECT_FALSE(RunAt(2 * kDay, [](SinkSpec spec) -> Result<std::unique_ptr<Sink>> {
                 LEAT_ASSIGN(auto sink, MakeSink(std::move(spec)));
                 return std::make_unique<Failing>(std::move(sink), 0);
               }).ok());
  EXPECT_EQ(Periods(), (PeriodRows{{"dt=1970-01-02", "1,10 "}}));
  // The next day: that of the failure never had an answer.
  ASSERT_TRUE(RunAt(3 * kDay).ok());
  EXPECT_EQ(Periods(), (PeriodRows{{"dt=1970-01-02", "1,10 "}, {"dt=1970-01-04", "1,15 "}}));
}

}  // namespace
}  // namespace leat
