// ADBC drivers: shared libraries found when first needed.
#pragma once

#include <arrow-adbc/adbc.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

enum class System : uint8_t { kSqlite, kDuckdb };

// Where a database is: "sqlite:warehouse.db" beside the pipeline.
struct DatabaseUrl {
  System system = System::kSqlite;
  std::string path;
  std::string text;  // "sqlite:/home/me/warehouse.db", for errors
};

// A driver's words as a status: IOError, with a hint where we know what helps. Frees the error.
Status AdbcStatus(const DatabaseUrl& url, std::string_view what, AdbcStatusCode code,
                  AdbcError* error);

// One open database file. A process opens a file once (DuckDB would damage it otherwise), so all
// who want it share this; each has its own connections.
class Database {
 public:
  static Result<std::shared_ptr<Database>> Open(const DatabaseUrl& url);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const DatabaseUrl& url() const { return url_; }
  AdbcDriver& driver() { return driver_; }
  AdbcDatabase& handle() { return handle_; }

 private:
  explicit Database(DatabaseUrl url) : url_(std::move(url)) {}
  Status Start();

  const DatabaseUrl url_;
  AdbcDriver driver_{};
  AdbcDatabase handle_{};
};

}  // namespace leat
