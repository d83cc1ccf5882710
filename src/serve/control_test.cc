#include "serve/control.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "base/record.h"
#include "serve/channel.h"
#include "serve/control_protocol.h"

namespace leat {
namespace {

namespace fs = std::filesystem;

// A machine that answers readers: its one relation has the numbers below `rows`.
class Engine {
 public:
  explicit Engine(std::string directory, int64_t rows = 3) : directory_(std::move(directory)) {
    desk_.OnAsk([this] { Ring(); });
    view_->manifest.state = "s";
    view_->manifest.epoch = {.number = 41};
    view_->rows["view v"] = [rows](std::string_view begin, std::string_view,
                                   const Index::Visit& visit) -> Status {
      for (int64_t i = begin.empty() ? 0 : std::stoll(std::string(begin)); i < rows; ++i) {
        LEAT_ASSIGN(const bool more, visit(std::to_string(i), std::string(1000, 'x'), i + 1));
        if (!more) break;
      }
      return Status::OK();
    };
    view_->rows["broken"] = [](std::string_view, std::string_view, const Index::Visit&) {
      return SqlStatus("it is broken", {.sqlstate = "XX001", .hint = "Mend it."});
    };
    thread_ = std::thread([this] { Loop(); });
    server_ = *ControlServer::Start(directory_, {.board = &board_, .desk = &desk_});
  }
  ~Engine() {
    server_.reset();
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    rung_.notify_all();
    thread_.join();
  }
  StatusBoard& board() { return board_; }
  void NextEpoch() {
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<ReadView>(*view_);
    ++next->manifest.epoch.number;
    view_ = std::move(next);
  }

 private:
  void Ring() {
    const std::lock_guard lock(mutex_);
    asked_ = true;
    rung_.notify_all();
  }
  void Loop() {
    std::unique_lock lock(mutex_);
    while (true) {
      rung_.wait(lock, [&] { return asked_ || stop_; });
      if (stop_) return;
      asked_ = false;
      const ReadViewPtr view = view_;
      lock.unlock();  // readers ring with the desk's mutex
      if (desk_.wanted()) desk_.Answer(view);
      lock.lock();
    }
  }

  const std::string directory_;
  StatusBoard board_;
  ReadDesk desk_;
  std::mutex mutex_;
  std::condition_variable rung_;
  bool asked_ = false, stop_ = false;
  std::shared_ptr<ReadView> view_ = std::make_shared<ReadView>();
  std::thread thread_;
  std::unique_ptr<ControlServer> server_;
};

class Control : public testing::Test {
 protected:
  // Deeper than the 107 bytes that a socket's path may have.
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / (std::string("leat_control_") + test->name());
    fs::remove_all(root_);
    directory_ = (root_ / std::string(100, 'd') / std::string(100, 'e')).string();
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(root_); }
  Result<ReadViewPtr> View() { return OpenView(PosixFileSystem(), directory_); }

  fs::path root_;
  std::string directory_;
};

TEST_F(Control, StatusComesFromTheRunningProcess) {
  EXPECT_FALSE((*AskStatus(directory_)).has_value());
  {
    Engine engine(directory_);
    engine.board().Publish({.state = "s", .epoch = 9});
    EXPECT_EQ((*AskStatus(directory_))->epoch, 9);
    EXPECT_EQ(fs::status(directory_ + "/control").permissions(),
              fs::perms::owner_read | fs::perms::owner_write);
  }
  EXPECT_FALSE(fs::exists(directory_ + "/control"));
  EXPECT_FALSE((*AskStatus(directory_)).has_value());
}

TEST_F(Control, ASocketThatADeadProcessLeftIsNobody) {
  { Engine engine(directory_); }
  {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    fs::current_path(directory_);
    const sockaddr address{AF_UNIX, "control"};
    ASSERT_EQ(bind(fd, &address, sizeof address), 0);
    close(fd);
    fs::current_path("/");
  }
  EXPECT_FALSE((*AskStatus(directory_)).has_value());
  Engine engine(directory_);
  EXPECT_TRUE((*AskStatus(directory_)).has_value());
}

TEST_F(Control, AViewStaysWhileTheMachineGoesOn) {
  Engine engine(directory_, 1000);
  const auto view = *View();
  engine.NextEpoch();
  EXPECT_EQ(view->manifest.epoch.number, 41);
  EXPECT_EQ((*View())->manifest.epoch.number, 42);
  for (int again = 0; again < 2; ++again) {
    int64_t rows = 0, weights = 0;
    const auto count = [&](std::string_view key, std::string_view row,
                           int64_t weight) -> Result<bool> {
      EXPECT_EQ(key, std::to_string(rows++));
      EXPECT_EQ(row.size(), 1000U);
      weights += weight;
      return true;
    };
    ASSERT_TRUE(view->rows.at("view v")("", "", count).ok());
    EXPECT_EQ(rows, 1000);
    EXPECT_EQ(weights, 1000 * 1001 / 2);
  }
}

TEST_F(Control, AScanEndsWhereTheReaderHasEnough) {
  Engine engine(directory_, 100'000);  // more than a socket holds
  const auto view = *View();
  for (int again = 0; again < 2; ++again) {
    int64_t rows = 0;
    ASSERT_TRUE(view->rows
                    .at("view v")("10", "",
                                  [&](auto key, auto, auto) -> Result<bool> {
                                    EXPECT_TRUE(rows > 0 || key == "10") << key;
                                    return ++rows < 5;
                                  })
                    .ok());
    EXPECT_EQ(rows, 5);
  }
  const Status cancelled = view->rows.at("view v")(
      "", "", [](auto, auto, auto) -> Result<bool> { return Status::Cancelled("enough"); });
  EXPECT_TRUE(cancelled.IsCancelled());
  EXPECT_FALSE(view->rows.at("view v")("", "", [](auto, auto, auto) { return true; }).ok());
  EXPECT_TRUE(View().ok()) << "others are not touched";
}

TEST_F(Control, ErrorsArriveWithAllTheyCarry) {
  Engine engine(directory_);
  const auto view = *View();
  const Status status = view->rows.at("broken")("", "", [](auto, auto, auto) { return true; });
  EXPECT_EQ(status.message(), "it is broken");
  ASSERT_NE(SqlErrorOf(status), nullptr);
  EXPECT_EQ(SqlErrorOf(status)->hint, "Mend it.");
  EXPECT_TRUE(view->rows.at("view v")("", "", [](auto, auto, auto) { return true; }).ok());
}

TEST_F(Control, TooManyClientsAreTold) {
  Engine engine(directory_);
  std::vector<ReadViewPtr> views;
  for (int i = 0; i < 16; ++i) views.push_back(*View());
  const auto refused = View();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("16 clients"), std::string::npos)
      << refused.status().message();
}

TEST_F(Control, AnotherProtocolIsRefused) {
  Engine engine(directory_);
  const auto channel = *ConnectControl(directory_);
  ASSERT_TRUE(channel->Send(kHello, RecordWriter().Int(99).Text("9.9").bytes()).ok());
  EXPECT_EQ((*channel->Receive())->kind, kHello);
  const auto answer = *channel->Receive();
  EXPECT_EQ(answer->kind, kError);
  EXPECT_NE(DecodeError(answer->body).message().find("9.9"), std::string::npos);
}

TEST_F(Control, NonsenseEndsOnlyItsOwnLine) {
  Engine engine(directory_);
  for (const std::string& bytes :
       {std::string(100, '\xFF'), std::string("\0\0\0\0", 4), std::string("\x05\0\0\0r", 5)}) {
    const auto channel = *ConnectControl(directory_);
    ASSERT_TRUE(channel->Send('?', bytes).ok());
  }
  EXPECT_TRUE(View().ok());
}

}  // namespace
}  // namespace leat
