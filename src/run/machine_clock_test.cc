// The clock is the epoch's and never goes back, whatever the machine's does.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "run/machine.h"
#include "run/read_view.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

class MachineClock : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(home_);
    fs::create_directories(home_ / "data");
    Write("p.sql",
          "CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'data');"
          "CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url 'lake');"
          "CREATE FOREIGN TABLE numbers (x int) SERVER files OPTIONS (path '*.csv');"
          "CREATE FOREIGN TABLE copies () SERVER lake OPTIONS (path 'copies/', format 'csv');"
          "INSERT INTO copies SELECT x FROM numbers;");
  }
  void TearDown() override { fs::remove_all(home_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(home_ / name) << text;
  }
  // The clock of the last epoch after a run at `now`.
  Epoch RunAt(Micros now) {
    std::string where;
    const auto pipeline = LoadPipeline({.path = (home_ / "p.sql").string()}, &where);
    EXPECT_TRUE(pipeline.ok()) << pipeline.status();
    const ManualClock clock(now);
    const std::string state = (home_ / "state").string();
    const RunContext context{.files = PosixFileSystem(),
                             .clock = &clock,
                             .random = [] { return 7; },
                             .state_dir = state};
    const auto report = RunPipeline(*pipeline, RunOptions(), context);
    EXPECT_TRUE(report.ok()) << report.status();
    return (*ReadCheckpoint(PosixFileSystem(), state))->manifest.epoch;
  }

  std::string Recent() const {
    std::string rows;
    for (const auto& entry : fs::recursive_directory_iterator(home_ / "lake" / "recent")) {
      if (entry.path().extension() != ".csv") continue;
      std::ifstream file(entry.path());
      rows.append(std::istreambuf_iterator<char>(file), {});
    }
    return rows;
  }

  const fs::path home_ = fs::path(testing::TempDir()) / "leat_machine_clock";
};

TEST_F(MachineClock, NeverGoesBack) {
  Write("data/1.csv", "x\n1\n");
  const Epoch first = RunAt(1'000'000'000);
  EXPECT_EQ(first.clock, 1'000'000'000);
  Write("data/2.csv", "x\n2\n");
  const Epoch second = RunAt(500'000'000);
  EXPECT_GT(second.number, first.number);
  EXPECT_EQ(second.clock, first.clock) << "it waits for the machine's to catch up";
  Write("data/3.csv", "x\n3\n");
  EXPECT_EQ(RunAt(2'000'000'000).clock, 2'000'000'000);
}

// The rows that a run at `now` leaves in the sink "recent": those of the last second.
TEST_F(MachineClock, MovesRowsOutWithNoneComing) {
  Write("p.sql",
        "CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url 'data');"
        "CREATE SERVER lake FOREIGN DATA WRAPPER file OPTIONS (url 'lake');"
        "CREATE FOREIGN TABLE numbers (x int, at timestamptz) SERVER files OPTIONS (path '*.csv');"
        "CREATE FOREIGN TABLE recent () SERVER lake OPTIONS (path 'recent/', format 'csv', mode "
        "'replace');"
        "INSERT INTO recent SELECT x FROM numbers WHERE at > now() - interval '1 s';");
  Write("data/1.csv", "x,at\n1,1970-01-01 00:16:40+00\n2,1970-01-01 00:16:41+00\n");
  const Epoch first = RunAt(1'000'500'000);
  EXPECT_EQ(Recent(), "x\n1\n2\n");
  EXPECT_EQ(RunAt(1'000'999'999).number, first.number) << "nothing was due";
  const Epoch second = RunAt(1'001'000'000);
  EXPECT_EQ(second.number, first.number + 1);
  EXPECT_EQ(Recent(), "x\n2\n");
  EXPECT_EQ(RunAt(5'000'000'000).number, first.number + 2);
  EXPECT_EQ(Recent(), "");
  EXPECT_EQ(RunAt(9'000'000'000).number, first.number + 2) << "nothing will ever be due again";
}

TEST_F(MachineClock, RefusesATickThatIsNoTime) {
  Write("p.sql", "SET clock_tick = '1 month'");
  std::string where;
  const auto pipeline = LoadPipeline({.path = (home_ / "p.sql").string()}, &where);
  ASSERT_FALSE(pipeline.ok());
  EXPECT_EQ(pipeline.status().message(),
            "clock_tick \"1 month\" is not a time of a millisecond or more");
}

}  // namespace
}  // namespace leat
