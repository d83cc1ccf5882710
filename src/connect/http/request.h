// One GET by libcurl, in the one place that knows it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace leat {

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; of the last answer
  std::string body;
};

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;  // "Accept: application/json"
  std::chrono::milliseconds timeout{30'000};
  int64_t body_bytes_max = 256 << 20;
};

// Keeps its connections. Used by one thread at a time.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  // Whatever the server answered; an IOError, without the url, where it did not. Redirects are not
  // followed: they would take the request's secrets elsewhere.
  Result<HttpAnswer> Get(const HttpRequest& request);

 private:
  void* curl_;
};

// Percent-encodes all but the unreserved characters of RFC 3986.
std::string UrlEncode(std::string_view text);

}  // namespace leat
