#include "serve/http.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/metrics.h"
#include "serve/pages.h"

namespace leat {
namespace {

constexpr Micros kTick = 1'000'000, kToday = 1'700'000'000 * kTick;

// A connection of a client that may misbehave.
class Client {
 public:
  explicit Client(const std::string& address) {
    const auto at = ParseHttpAddress(address);
    sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(at->port)};
    inet_pton(AF_INET, at->host.c_str(), &to.sin_addr);
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  std::string Ask(const std::string& request) {
    EXPECT_EQ(send(fd_, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd_, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<size_t>(got));
    return answer;
  }
  std::string Get(const std::string& path, const std::string& method = "GET") {
    return Ask(method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
};

class Http : public testing::Test {
 protected:
  void SetUp() override {
    server_ = *HttpServer::Start(*ParseHttpAddress("0"), StatusPages(&board_, &clock_));
  }
  std::string Get(const std::string& path) { return Client(server_->address()).Get(path); }

  StatusBoard board_;
  ManualClock clock_{kToday};
  std::unique_ptr<HttpServer> server_;
};

bool Has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST_F(Http, HealthIsWellOnlyWhenAllIs) {
  EXPECT_TRUE(Has(Get("/health"), "HTTP/1.1 503 ")) << "before the first word";
  LiveStatus status{.started = kToday - kTick, .now = kToday, .epoch = 4, .committed_epoch = 4};
  status.sinks.push_back({.name = "daily", .state = WorkerState::kRunning});
  board_.Publish(status);
  const std::string well = Get("/health");
  EXPECT_TRUE(Has(well, "HTTP/1.1 200 ")) << well;
  EXPECT_TRUE(Has(well, R"({"healthy":true,"epoch":4,"committed_epoch":4,"reasons":[]})"));
  status.sinks[0].state = WorkerState::kDegraded;
  status.sinks[0].reason = "disk full";
  board_.Publish(status);
  const std::string ill = Get("/health");
  EXPECT_TRUE(Has(ill, "HTTP/1.1 503 ")) << ill;
  EXPECT_TRUE(Has(ill, "disk full"));
  EXPECT_TRUE(Has(Get("/status"), R"("sinks":[{"name":"daily","state":"degraded")"));
}

TEST_F(Http, WhatThereIsNotIsRefused) {
  EXPECT_TRUE(Has(Get("/"), "HTTP/1.1 404 "));
  EXPECT_TRUE(Has(Get("/"), R"(["/health","/metrics","/status"])"));
  EXPECT_TRUE(Has(Client(server_->address()).Get("/health", "POST"), "HTTP/1.1 405 "));
  EXPECT_TRUE(Has(Client(server_->address()).Get("/metrics", "HEAD"), "HTTP/1.1 200 "));
  EXPECT_FALSE(Has(Client(server_->address()).Ask("what?\r\n\r\n"), " 200 "));
  EXPECT_FALSE(Has(Client(server_->address()).Get("/" + std::string(100'000, 'a')), " 200 "));
}

TEST_F(Http, SilentClientsHoldNobodyUp) {
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(std::make_unique<Client>(server_->address()));
  EXPECT_TRUE(Has(Get("/health"), "HTTP/1.1 503 "));
}

TEST_F(Http, AnAddressInUseIsAnError) {
  const auto again = HttpServer::Start(*ParseHttpAddress(server_->address()), {});
  ASSERT_FALSE(again.ok());
  EXPECT_TRUE(Has(again.status().message(), server_->address()));
}

TEST(HttpAddress, Parse) {
  const auto parse = [](std::string_view text) {
    const auto address = ParseHttpAddress(text);
    return address.ok() ? address->host + " " + std::to_string(address->port) : "refused";
  };
  EXPECT_EQ(parse("8080"), "127.0.0.1 8080");
  EXPECT_EQ(parse(":8080"), "127.0.0.1 8080");
  EXPECT_EQ(parse("0.0.0.0:0"), "0.0.0.0 0");
  EXPECT_EQ(parse("[::1]:8080"), "::1 8080");
  EXPECT_EQ(parse("localhost:1"), "localhost 1");
  for (const char* wrong : {"", ":", "host", "::1:80", "[::1:80", "1:65536", "1:-1", "1:80x"})
    EXPECT_EQ(parse(wrong), "refused") << wrong;
}

TEST(Metrics, NamesWithTheirLabelsAndUnits) {
  LiveStatus status{.started = kToday - 9 * kTick, .now = kToday - kTick, .epoch = 12};
  status.checkpointed_at = kToday - 3 * kTick / 2;
  status.sources.push_back({.name = "a\"b\\c\nd", .rows_read = 27'648'741, .lag_bytes = -1});
  status.sinks.push_back({.name = "daily", .epoch = 10, .commit_due = kToday - 9 * kTick});
  status.operators.push_back({.name = "n1", .label = "Join", .nanoseconds = 1'500'000'000});
  const std::string text = MetricsText(status, kToday);
  for (const char* line : {
           "leat_epoch 12\n",
           "leat_checkpoint_age_seconds 1.5\n",
           "# TYPE leat_source_rows_read_total counter\n",
           R"(leat_source_rows_read_total{source="a\"b\\c\nd"} 27648741)",
           "leat_sink_lag_epochs{sink=\"daily\"} 2\n",
           "leat_sink_lag_seconds{sink=\"daily\"} 9\n",
           "leat_operator_seconds_total{operator=\"Join\",node=\"n1\"} 1.5\n",
           "leat_healthy 0\n",
       }) {
    EXPECT_TRUE(Has(text, line)) << line << "\nin\n" << text;
  }
  EXPECT_FALSE(Has(text, "leat_source_lag_bytes{")) << "it cannot say";
  EXPECT_FALSE(Has(text, "leat_memory_limit_bytes")) << "there is none";
}

TEST(Metrics, EachIsDocumented) {
  LiveStatus status{.started = 1, .checkpointed_at = 1, .memory_limit = 1};
  status.sources.push_back({.lag_bytes = 1, .last_row = 1});
  status.sinks.emplace_back();
  status.operators.emplace_back();
  const std::string page = DescribeMetrics(), text = MetricsText(status, kToday);
  int metrics = 0;
  for (size_t at = 0; (at = text.find("# TYPE ", at)) != text.npos; ++metrics) {
    at += 7;
    const std::string name = text.substr(at, text.find(' ', at) - at);
    EXPECT_TRUE(Has(page, "| `" + name + "` |")) << name;
  }
  EXPECT_GT(metrics, 30);
}

}  // namespace
}  // namespace leat
