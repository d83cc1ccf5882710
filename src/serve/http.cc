#include "serve/http.h"

#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "connect/json.h"

namespace leat {
namespace {

constexpr unsigned kConnectionsMax = 64;
constexpr unsigned kSilenceSecondsMax = 10;
constexpr size_t kRequestBytesMax = 16 << 10;

struct AddressesDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// A listening socket, owned.
class Listener {
 public:
  ~Listener() {
    if (fd_ >= 0) close(fd_);
  }
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Status Open(const HttpAddress& address) {
    addrinfo wanted{};
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(address.port);
    if (const int code = getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found);
        code != 0) {
      return IOErrorF("could not listen on {}:{}: {}", address.host, port, gai_strerror(code));
    }
    const std::unique_ptr<addrinfo, AddressesDeleter> list(found);
    fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int yes = 1;
    if (fd_ < 0 || setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd_, found->ai_addr, found->ai_addrlen) != 0 || listen(fd_, kConnectionsMax) != 0) {
      return IOErrorF("could not listen on {}:{}: {}", address.host, port, std::strerror(errno));
    }
    return Status::OK();
  }

  std::string Name() const {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &size) != 0 ||
        getnameinfo(reinterpret_cast<sockaddr*>(&bound), size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
      return "";
    }
    return bound.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, port)
                                       : fmt::format("{}:{}", host, port);
  }

  int fd() const { return fd_; }
  void Release() { fd_ = -1; }

 private:
  int fd_ = -1;
};

class Daemon : public HttpServer {
 public:
  explicit Daemon(std::map<std::string, HttpHandler> pages) : pages_(std::move(pages)) {}
  ~Daemon() override {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  Status Listen(const HttpAddress& address) {
    Listener listener;
    LEAT_RETURN(listener.Open(address));
    name_ = listener.Name();
    daemon_ =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, nullptr, nullptr, &Daemon::Handle, this,
                         MHD_OPTION_LISTEN_SOCKET, listener.fd(), MHD_OPTION_CONNECTION_LIMIT,
                         kConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT, kSilenceSecondsMax,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, kRequestBytesMax, MHD_OPTION_END);
    if (daemon_ == nullptr) return IOErrorF("could not start the HTTP server on {}", name_);
    listener.Release();  // the daemon closes it
    return Status::OK();
  }

  std::string address() const override { return name_; }

 private:
  // Called with the headers first, then with the body, then to answer.
  static MHD_Result Handle(void* self, MHD_Connection* connection, const char* url,
                           const char* method, const char*, const char*, size_t* body_bytes,
                           void** seen) {
    static char headers_seen;
    if (*seen == nullptr) {
      *seen = &headers_seen;
      return MHD_YES;
    }
    if (*body_bytes > 0) {  // nobody wants it
      *body_bytes = 0;
      return MHD_YES;
    }
    return Answer(connection, static_cast<const Daemon*>(self)->PageOf(url, method));
  }

  HttpPage PageOf(const std::string& url, std::string_view method) const {
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD)
      return {.code = MHD_HTTP_METHOD_NOT_ALLOWED, .body = R"({"error":"GET only"})"};
    if (const auto it = pages_.find(url); it != pages_.end()) return it->second();
    HttpPage page{.code = MHD_HTTP_NOT_FOUND, .body = R"({"error":"no such page","pages":[)"};
    for (const auto& [path, handler] : pages_) {
      if (page.body.back() != '[') page.body += ',';
      AppendJson(path, &page.body);
    }
    page.body += "]}";
    return page;
  }

  static MHD_Result Answer(MHD_Connection* connection, const HttpPage& page) {
    std::string body = page.body;  // the library takes a pointer to what it only copies
    MHD_Response* response =
        MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page.type.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (page.code == MHD_HTTP_METHOD_NOT_ALLOWED)
      MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const MHD_Result queued =
        MHD_queue_response(connection, static_cast<unsigned>(page.code), response);
    MHD_destroy_response(response);
    return queued;
  }

  const std::map<std::string, HttpHandler> pages_;
  std::string name_;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace

Result<HttpAddress> ParseHttpAddress(std::string_view text) {
  const auto refuse = [&] {
    return SqlStatus(
        fmt::format("not an address to listen on: \"{}\"", text),
        {.hint = "A port, or a host and a port: 8080, :8080, 0.0.0.0:8080, [::]:8080."});
  };
  HttpAddress address{.host = "127.0.0.1"};
  std::string_view port = text;
  if (const size_t colon = text.rfind(':'); colon != text.npos) {
    port = text.substr(colon + 1);
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') != host.ends_with(']')) return refuse();
    if (host.starts_with('['))
      host = host.substr(1, host.size() - 2);
    else if (host.find(':') != host.npos)
      return refuse();  // an IPv6 address without brackets
    if (!host.empty()) address.host = host;
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return refuse();
  return address;
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpAddress& address,
                                                      std::map<std::string, HttpHandler> pages) {
  auto server = std::make_unique<Daemon>(std::move(pages));
  LEAT_RETURN(server->Listen(address));
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace leat
