#include "connect/database/driver.h"

#include <dlfcn.h>
#include <glob.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <vector>

#ifndef LEAT_TOOLS
#define LEAT_TOOLS ""
#endif

namespace leat {
namespace {

namespace fs = std::filesystem;

struct DriverSpec {
  System system;
  const char* library;
  const char* init;         // AdbcDriverInitFunc
  const char* path_option;  // what the driver calls the file
  const char* beside;       // where `make setup` puts it, below LEAT_TOOLS
  const char* install;
};

constexpr std::array kDrivers = {
    DriverSpec{
        System::kSqlite, "libadbc_driver_sqlite.so", "AdbcDriverSqliteInit", "uri",
        "venv/lib/python3*/site-packages/adbc_driver_sqlite",
        "Install it with `pip install adbc-driver-sqlite` and set LEAT_DRIVERS to its folder."},
    DriverSpec{System::kDuckdb, "libduckdb.so", "duckdb_adbc_init", "path", "duckdb-*",
               "Install DuckDB's C library (libduckdb.so) and set LEAT_DRIVERS to its folder."},
};

const DriverSpec& SpecOf(System system) {
  for (const DriverSpec& spec : kDrivers) {
    if (spec.system == system) return spec;
  }
  return kDrivers[0];
}

// $LEAT_DRIVERS, ../lib/leat of the program, and what `make setup` downloaded, in this order.
std::vector<std::string> Folders(const DriverSpec& spec) {
  std::vector<std::string> folders;
  if (const char* listed = std::getenv("LEAT_DRIVERS")) {
    const std::string_view text(listed);
    for (size_t at = 0; at < text.size();) {
      const size_t colon = std::min(text.find(':', at), text.size());
      folders.emplace_back(text.substr(at, colon - at));
      at = colon + 1;
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path().parent_path() / "lib" / "leat");
  glob_t found{};
  const std::string pattern = fmt::format("{}/{}", LEAT_TOOLS, spec.beside);
  if (*LEAT_TOOLS != '\0' && ::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) folders.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  return folders;
}

Status WithHint(std::string message, std::string hint) {
  const Status sql = SqlStatus("", {.hint = std::move(hint)});
  return Status(arrow::StatusCode::IOError, std::move(message), sql.detail());
}

// The driver's function that fills an AdbcDriver. Libraries stay loaded.
Result<AdbcDriverInitFunc> Load(const DriverSpec& spec) {
  std::string tried;
  for (const std::string& folder : Folders(spec)) {
    const std::string path = fmt::format("{}/{}", folder, spec.library);
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* init = library == nullptr ? nullptr : ::dlsym(library, spec.init);
    if (init != nullptr) return reinterpret_cast<AdbcDriverInitFunc>(init);
    const char* why = ::dlerror();
    tried = fmt::format(": {}", why == nullptr ? path.c_str() : why);
  }
  return WithHint(fmt::format("could not load the database driver \"{}\"{}", spec.library, tried),
                  spec.install);
}

std::string HintFor(std::string_view message) {
  if (message.find("database is locked") != message.npos ||
      message.find("SQLITE_BUSY") != message.npos) {
    return "Another program is writing to it: end its transaction, then run again.";
  }
  if (message.find("Could not set lock") != message.npos) {
    return "Another program has it open: DuckDB lets one program at a time write. Close it there, "
           "then run again.";
  }
  if (message.find("unable to open database file") != message.npos) {
    return "Its folder must exist, and you must be allowed to write there.";
  }
  return {};
}

}  // namespace

Status AdbcStatus(const DatabaseUrl& url, std::string_view what, AdbcStatusCode code,
                  AdbcError* error) {
  if (code == ADBC_STATUS_OK) return Status::OK();
  std::string words =
      error->message == nullptr ? fmt::format("ADBC status {}", code) : std::string(error->message);
  if (error->release != nullptr) error->release(error);
  words.resize(std::min(words.size(), words.find("\nquery")));  // SQLite's driver repeats the SQL
  std::string hint = HintFor(words);
  return WithHint(fmt::format("could not {} in \"{}\": {}", what, url.text, words),
                  std::move(hint));
}

Result<std::shared_ptr<Database>> Database::Open(const DatabaseUrl& url) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Database>> open;
  const std::lock_guard lock(mutex);
  auto& known = open[url.text];
  if (auto database = known.lock()) return database;
  auto database = std::shared_ptr<Database>(new Database(url));
  LEAT_RETURN(database->Start());
  known = database;
  return database;
}

Status Database::Start() {
  const DriverSpec& spec = SpecOf(url_.system);
  LEAT_ASSIGN(const AdbcDriverInitFunc init, Load(spec));
  AdbcError error = ADBC_ERROR_INIT;
  AdbcStatusCode code = init(ADBC_VERSION_1_1_0, &driver_, &error);
  if (code != ADBC_STATUS_OK) {
    driver_ = {};
    if (error.release != nullptr) error.release(&error);
    error = ADBC_ERROR_INIT;
    code = init(ADBC_VERSION_1_0_0, &driver_, &error);
  }
  LEAT_RETURN(AdbcStatus(url_, "start the driver", code, &error));
  LEAT_RETURN(AdbcStatus(url_, "open the database", driver_.DatabaseNew(&handle_, &error), &error));
  LEAT_RETURN(AdbcStatus(
      url_, "open the database",
      driver_.DatabaseSetOption(&handle_, spec.path_option, url_.path.c_str(), &error), &error));
  return AdbcStatus(url_, "open the database", driver_.DatabaseInit(&handle_, &error), &error);
}

Database::~Database() {
  AdbcError error = ADBC_ERROR_INIT;
  if (handle_.private_data != nullptr) driver_.DatabaseRelease(&handle_, &error);
  if (driver_.release != nullptr) driver_.release(&driver_, &error);
  if (error.release != nullptr) error.release(&error);
}

}  // namespace leat
