#include "serve/services.h"

#include "serve/pages.h"

namespace leat {

Result<std::string> Services::Listen(const std::string& address) {
  LEAT_ASSIGN(const HttpAddress at, ParseHttpAddress(address));
  LEAT_ASSIGN(http_, HttpServer::Start(at, StatusPages(&board_, &clock_)));
  return http_->address();
}

Status Services::OpenControl(const std::string& state_dir) {
  if (control_) return Status::OK();
  LEAT_ASSIGN(control_, ControlServer::Start(state_dir,
                                             {.board = &board_, .desk = &desk_, .aside = &aside_}));
  return Status::OK();
}

}  // namespace leat
