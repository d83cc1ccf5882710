// The subcommands of `leat`, one file each. A command returns the process's exit code: 0 done,
// 1 failed (the world), 2 the user's SQL or flags, 3 more rejects than allowed.
#pragma once

#include <memory>
#include <string>

#include "sql/sql.h"

namespace CLI {
class App;
}

namespace leat {

inline constexpr int kExitDone = 0, kExitFailed = 1, kExitUser = 2, kExitRejects = 3;

// Each adds its subcommand; when it is the one chosen, its code is put into `exit_code`.
void AddInit(CLI::App* app, int* exit_code);
void AddCheck(CLI::App* app, int* exit_code);
void AddRun(CLI::App* app, int* exit_code);
void AddSql(CLI::App* app, int* exit_code);
void AddTest(CLI::App* app, int* exit_code);
void AddStatus(CLI::App* app, int* exit_code);
void AddRejects(CLI::App* app, int* exit_code);
void AddVerify(CLI::App* app, int* exit_code);
void AddRepair(CLI::App* app, int* exit_code);
void AddReplay(CLI::App* app, int* exit_code);
void AddDrop(CLI::App* app, int* exit_code);
void AddTopic(CLI::App* app, int* exit_code);
void AddDocs(CLI::App* app, int* exit_code);

// The process's environment under the pipeline's `.env` (with `--env prod`: `.env.prod`).
Result<Environment> LoadEnvironment(const std::string& directory, const std::string& name);

// Where a pipeline keeps its state: `--state`, else `.leat/NAME` beside it (`NAME.prod` with
// --env).
std::string StateDirectoryOf(const std::string& pipeline, const std::string& state,
                             const std::string& env);

// Prints an error as psql does, with its place in `file`, to stderr; returns the exit code.
int ReportError(const Status& status, const std::string& file, const std::string& text);
// The same, reading the text of `file` if it can.
int ReportErrorIn(const Status& status, const std::string& file);

}  // namespace leat
