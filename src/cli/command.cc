#include "cli/command.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/whole_file.h"
#include "run/machine.h"

extern char** environ;

namespace leat {
namespace {

namespace fs = std::filesystem;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// NAME=value lines; '#' comments; quotes around a value are taken off; `export` is allowed.
Status ReadEnvFile(const fs::path& path, Environment* environment) {
  LEAT_ASSIGN(std::string text, ReadWholeFile(path));
  std::istringstream in(std::move(text));
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::string_view rest = Trim(line);
    if (rest.empty() || rest[0] == '#') continue;
    if (rest.starts_with("export ")) rest = Trim(rest.substr(7));
    const size_t equals = rest.find('=');
    if (equals == rest.npos) {
      return SqlStatus(fmt::format("{}:{}: not NAME=value", path.string(), number));
    }
    std::string_view value = Trim(rest.substr(equals + 1));
    if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    }
    environment->insert_or_assign(std::string(Trim(rest.substr(0, equals))), std::string(value));
  }
  return Status::OK();
}

}  // namespace

Result<Environment> LoadEnvironment(const std::string& directory, const std::string& name) {
  Environment environment;
  const fs::path file = fs::path(directory) / (name.empty() ? ".env" : ".env." + name);
  if (fs::exists(file)) {
    LEAT_RETURN(ReadEnvFile(file, &environment));
  } else if (!name.empty()) {
    return SqlStatus(fmt::format("there is no \"{}\" for --env {}", file.string(), name));
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair(*entry);
    const size_t equals = pair.find('=');
    if (equals == pair.npos) continue;
    environment.insert_or_assign(std::string(pair.substr(0, equals)),
                                 std::string(pair.substr(equals + 1)));
  }
  return environment;
}

std::string StateDirectoryOf(const std::string& pipeline, const std::string& state,
                             const std::string& env) {
  if (!state.empty()) return state;
  const fs::path path = fs::absolute(pipeline).lexically_normal();
  const bool directory = fs::is_directory(path);
  const fs::path home = directory ? path : path.parent_path();
  std::string name = directory ? "pipeline" : path.stem().string();
  if (!env.empty()) name += "." + env;
  return (home / ".leat" / name).string();
}

int ReportError(const Status& status, const std::string& file, const std::string& text) {
  const SqlError* error = SqlErrorOf(status);
  const std::string place = file.empty() ? "" : "leat: " + file + ": ";
  std::fprintf(stderr, "%s%s", place.c_str(), FormatError(status, text).c_str());
  if (IsTooManyRejects(status)) return kExitRejects;
  // The world's failures may carry a hint too.
  return error != nullptr && !status.IsIOError() ? kExitUser : kExitFailed;
}

int ReportErrorIn(const Status& status, const std::string& file) {
  // Unreadable, there is no text to show; the status says why.
  return ReportError(status, file, ReadWholeFile(file).ValueOr(""));
}

}  // namespace leat
