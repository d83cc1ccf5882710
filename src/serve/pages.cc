#include "serve/pages.h"

#include "serve/health.h"
#include "serve/live_json.h"
#include "serve/metrics.h"

namespace leat {

std::map<std::string, HttpHandler> StatusPages(const StatusBoard* board, const Clock* clock) {
  std::map<std::string, HttpHandler> pages;
  pages["/health"] = [=] {
    const LiveStatus status = board->Read();
    const auto reasons = Diagnose(status, clock->Now());
    return HttpPage{.code = reasons.empty() ? 200 : 503, .body = HealthJson(status, reasons)};
  };
  pages["/metrics"] = [=] {
    return HttpPage{.type = "text/plain; version=0.0.4; charset=utf-8",
                    .body = MetricsText(board->Read(), clock->Now())};
  };
  pages["/status"] = [=] { return HttpPage{.body = ToJson(board->Read()) + "\n"}; };
  return pages;
}

}  // namespace leat
