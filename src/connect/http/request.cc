#include "connect/http/request.h"

#include <curl/curl.h>

#include <mutex>

#include "base/ascii.h"

namespace leat {
namespace {

struct Receiver {
  HttpAnswer answer;
  int64_t body_bytes_max = 0;
  bool too_large = false;
};

size_t TakeBody(char* bytes, size_t, size_t size, void* user) {
  auto& receiver = *static_cast<Receiver*>(user);
  if (static_cast<int64_t>(receiver.answer.body.size() + size) > receiver.body_bytes_max) {
    receiver.too_large = true;
    return 0;
  }
  receiver.answer.body.append(bytes, size);
  return size;
}

size_t TakeHeader(char* bytes, size_t, size_t size, void* user) {
  auto& receiver = *static_cast<Receiver*>(user);
  const std::string_view line(bytes, size);
  if (line.starts_with("HTTP/")) receiver.answer.headers.clear();
  const size_t colon = line.find(':');
  if (colon == line.npos) return size;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && static_cast<uint8_t>(value.back()) <= ' ') value.remove_suffix(1);
  receiver.answer.headers[LowerAscii(line.substr(0, colon))] = value;
  return size;
}

}  // namespace

HttpClient::HttpClient() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  curl_ = curl_easy_init();
}

HttpClient::~HttpClient() { curl_easy_cleanup(curl_); }

Result<HttpAnswer> HttpClient::Get(const HttpRequest& request) {
  if (curl_ == nullptr) return Status::IOError("could not start libcurl");
  curl_easy_reset(curl_);
  Receiver receiver{.body_bytes_max = request.body_bytes_max};
  curl_slist* headers = nullptr;
  for (const std::string& header : request.headers) {
    headers = curl_slist_append(headers, header.c_str());
  }
  curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl_, CURLOPT_USERAGENT, "leat");
  curl_easy_setopt(curl_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &receiver);
  const CURLcode code = curl_easy_perform(curl_);
  curl_slist_free_all(headers);
  if (receiver.too_large) {
    return IOErrorF("the answer has more than {} bytes", request.body_bytes_max);
  }
  if (code != CURLE_OK) return Status::IOError(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  receiver.answer.status = static_cast<int>(status);
  return std::move(receiver.answer);
}

std::string UrlEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

}  // namespace leat
