#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/command.h"

int main(int argc, char** argv) {
  // Arrow's pool keeps what it once had; malloc gives it back. Arrow reads this at its first use.
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0);
  CLI::App app{"PostgreSQL SQL over files, replicas and streams, kept up to date incrementally",
               "leat"};
  app.set_version_flag("--version", LEAT_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  leat::AddInit(&app, &exit_code);
  leat::AddCheck(&app, &exit_code);
  leat::AddRun(&app, &exit_code);
  leat::AddSql(&app, &exit_code);
  leat::AddTest(&app, &exit_code);
  leat::AddStatus(&app, &exit_code);
  leat::AddRejects(&app, &exit_code);
  leat::AddVerify(&app, &exit_code);
  leat::AddRepair(&app, &exit_code);
  leat::AddReplay(&app, &exit_code);
  leat::AddDrop(&app, &exit_code);
  leat::AddTopic(&app, &exit_code);
  leat::AddDocs(&app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : leat::kExitUser;
  }
  return exit_code;
}
