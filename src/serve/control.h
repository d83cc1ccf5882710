// What other processes ask of a running leat, over the control socket in its state directory:
// `leat status`, `leat sql`, `leat rejects` beside `leat run`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "run/aside.h"
#include "run/live_status.h"
#include "run/read_view.h"

namespace leat {

// --- The running process ---

// What it answers from; borrowed, they must outlive the server.
struct ControlServices {
  const StatusBoard* board = nullptr;
  ReadDesk* desk = nullptr;
  AsideDesk* aside = nullptr;
};

// Threads of its own: one listens, and one for each client, of which there are at most 16. A client
// holds a view (and what it pins) for as long as it is connected, and is dropped after a minute of
// silence or of not reading.
class ControlServer {
 public:
  // REQUIRES: this process holds the state directory's lock.
  static Result<std::unique_ptr<ControlServer>> Start(const std::string& state_dir,
                                                      const ControlServices& services);
  virtual ~ControlServer() = default;  // cuts off clients; their threads have ended
};

// --- Everybody else ---

// What the process that works on this state says of itself; nothing where none listens.
Result<std::optional<LiveStatus>> AskStatus(const std::string& state_dir);

// Asks the process that works on this state to let go of it: it commits, checkpoints and steps
// aside for as long as what this gives lives, or this process does. nullptr where nobody is at
// work. `why` names the command, for its status.
Result<std::shared_ptr<void>> AskAside(const std::string& state_dir, const std::string& why);

// The last committed epoch: from the process that works on this state, else from its last
// checkpoint. nullptr where nothing was committed yet. Its scans are for one thread, one after
// another.
Result<ReadViewPtr> OpenView(FileSystem* files, const std::string& state_dir);

}  // namespace leat
