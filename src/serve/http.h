// An HTTP server for a few pages that are made when asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace leat {

struct HttpAddress {
  std::string host;  // "127.0.0.1" where none was given
  uint16_t port = 0;
};
// "8080", ":8080", "0.0.0.0:8080", "[::1]:8080", "localhost:8080". SqlStatus: the flag is wrong.
Result<HttpAddress> ParseHttpAddress(std::string_view text);

struct HttpPage {
  int code = 200;
  std::string type = "application/json";
  std::string body;
};
// Called on the server's one thread: what it does holds up all other clients.
using HttpHandler = std::function<HttpPage()>;

// Answers GET and HEAD. One thread for all clients, at most 64 of them, each silent for at most
// 10 s and with 16 KiB of request: a slow or a hostile one costs the process nothing more.
class HttpServer {
 public:
  // Binds and listens; port 0 takes a free one. An address in use is an IOError.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpAddress& address,
                                                   std::map<std::string, HttpHandler> pages);
  virtual ~HttpServer() = default;  // stops: answers under way are cut off

  // "127.0.0.1:8080": where it listens.
  virtual std::string address() const = 0;
};

}  // namespace leat
