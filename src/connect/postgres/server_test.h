// A PostgreSQL server of the tests' own: started when first asked for, stopped when they end.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "connect/postgres/connection.h"

namespace leat::testing {

class PostgresServer : public ::testing::Environment {
 public:
  // The options of a server whose tables are those of a new, empty schema; none where no server can
  // be started here (PostgreSQL 15 is not installed).
  static Options NewSchema() {
    PostgresServer& server = Only();
    if (!server.Start()) return {};
    const std::string name = "schema_" + std::to_string(++server.schemas_);
    const Options options = {{"url", server.Url()}, {"schema", name}};
    const auto connection =
        PostgresConnection::Open({.name = "pg", .kind = "database", .options = options});
    EXPECT_TRUE(connection.ok()) << connection.status().message();
    if (!connection.ok()) return {};
    const Status made = (*connection)->Execute("CREATE SCHEMA " + name, "make a schema");
    EXPECT_TRUE(made.ok()) << made.message();
    return options;
  }

  void TearDown() override {
    const int stopped = started_ ? Script("stop " + folder_) : 0;
    EXPECT_EQ(stopped, 0);
    std::error_code gone_anyway;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, gone_anyway);
    started_ = false;
  }

 private:
  static PostgresServer& Only() {
    static auto* const only = static_cast<PostgresServer*>(
        ::testing::AddGlobalTestEnvironment(new PostgresServer));  // gtest owns it
    return *only;
  }

  // The sources' root: tests run somewhere below it.
  static std::string Root() {
    auto root = std::filesystem::current_path();
    while (!std::filesystem::exists(root / "test/servers/postgres.sh") &&
           root.has_relative_path()) {
      root = root.parent_path();
    }
    return root.string();
  }
  static int Script(const std::string& words) {
    return std::system(
        ("bash " + Root() + "/test/servers/postgres.sh " + words + " >/dev/null").c_str());
  }

  static int FreePort() {
    const int handle = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(handle, any, length), 0);
    EXPECT_EQ(::getsockname(handle, any, &length), 0);
    ::close(handle);
    return ntohs(address.sin_port);
  }

  bool Start() {
    if (started_ || failed_) return started_;
    std::string folder = (std::filesystem::temp_directory_path() / "leat-postgres-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return false;
    folder_ = folder;
    ::chmod(folder_.c_str(), 0755);  // the server runs as a user of its own
    port_ = FreePort();
    started_ = std::filesystem::exists("/usr/lib/postgresql/15/bin/initdb") &&
               Script("start " + folder_ + " " + std::to_string(port_)) == 0;
    failed_ = !started_;
    return started_;
  }
  std::string Url() const {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres";
  }

  std::string folder_;
  int port_ = 0, schemas_ = 0;
  bool started_ = false, failed_ = false;
};

}  // namespace leat::testing
