#include "test/sim/scenario.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace leat::sim {
namespace {

// A standing query; {s} and {t} are two of the pipeline's sources.
struct Shape {
  const char* sql;
  const char* modes;          // which a sink of it may have: a(ppend), u(psert), r(eplace)
  const char* key = "";       // for upsert
  const char* sane = "true";  // {ok} in the reference: the rows that can be computed
  bool two_sources = false;   // reads {t} too
};

constexpr auto kShapes = std::to_array<Shape>({
    // Row by row.
    {"SELECT id, k, v * 2 AS v2, upper(name) AS name FROM {s} WHERE v > 20", "aur", "id"},
    {"SELECT id, 100 / (v % 7) AS q FROM {s} WHERE {ok}", "aur", "id", "(v % 7 <> 0 OR v IS NULL)"},
    {"SELECT id, 'x' AS side, v FROM {s} UNION ALL SELECT id, 'y', v FROM {t}", "aur", "id, side",
     "true", true},
    // Aggregates.
    {"SELECT coalesce(k, -1) AS k, count(*) AS n, sum(v) AS s, sum(w) AS w, min(v) AS lo, "
     "max(name) AS hi, avg(w) AS mean FROM {s} GROUP BY 1",
     "ur", "k"},
    {"SELECT k, name, count(v) AS n FROM {s} GROUP BY k, name HAVING count(*) > 1", "r"},
    {"SELECT count(*) AS n, sum(v) AS s, max(w) AS w FROM {s}", "r"},
    {"SELECT coalesce(k, -1) AS k, count(DISTINCT name) AS names, count(*) FILTER (WHERE v > 50) "
     "AS many FROM {s} GROUP BY 1",
     "ur", "k"},
    {"SELECT coalesce(k, -1) AS k, sum(100 / (v % 5)) AS s FROM {s} WHERE {ok} GROUP BY 1", "ur",
     "k", "(v % 5 <> 0 OR v IS NULL)"},
    {"SELECT DISTINCT k, name FROM {s}", "ar"},
    {"SELECT DISTINCT k, name FROM (SELECT k, name FROM {s} UNION ALL SELECT k, name FROM {t}) u",
     "ar", "", "true", true},
    // Joins.
    {"SELECT l.id, r.id AS other, l.v + r.v AS v FROM {s} l JOIN {t} r ON l.k = r.k "
     "WHERE l.v > 50 AND r.v > 50",
     "aur", "id, other", "true", true},
    {"SELECT l.id, l.k, r.n FROM {s} l LEFT JOIN (SELECT k, count(*) AS n FROM {t} GROUP BY k) r "
     "ON r.k = l.k",
     "ur", "id", "true", true},
    {"SELECT id, k FROM {s} l WHERE NOT EXISTS (SELECT 1 FROM {t} r WHERE r.k = l.k AND r.v > 50)",
     "ur", "id", "true", true},
    {"SELECT l.id, d.label FROM {s} l JOIN labels d ON d.k = l.k", "aur", "id, label"},
    // Windows.
    {"SELECT id, avg(w) OVER (ROWS 4 PRECEDING) AS m, sum(v) OVER (PARTITION BY k ROWS 2 "
     "PRECEDING) AS s, lag(v) OVER (PARTITION BY k) AS before FROM {s}",
     "aur", "id"},
    {"SELECT id, rank() OVER (PARTITION BY k ORDER BY v DESC) AS place FROM {s}", "ur", "id"},
    {"SELECT id, ema(w, 5) OVER (PARTITION BY k) AS e FROM {s}", "aur", "id"},
    {"SELECT side, id, sum(v) OVER (ROWS 3 PRECEDING) AS s FROM (SELECT 'x' AS side, id, v FROM "
     "{s} UNION ALL SELECT 'y', id, v FROM {t}) u",
     "aur", "side, id", "true", true},
    {"SELECT side, id, sum(v) OVER (ROWS 3 PRECEDING) AS s FROM (SELECT 'x' AS side, id, v FROM "
     "{s} UNION ALL SELECT 'y', id, v FROM {s} WHERE v > 30) u",
     "ur", "side, id"},
    // The best.
    {"SELECT id, k, v FROM (SELECT id, k, v, row_number() OVER (PARTITION BY k ORDER BY v DESC, "
     "id) AS place FROM {s}) u WHERE place <= 2",
     "ur", "id"},
    {"SELECT DISTINCT ON (k) k, id, v FROM {s} WHERE k IS NOT NULL ORDER BY k, v DESC, id", "ur",
     "k"},
    {"SELECT id, v FROM {s} ORDER BY v DESC, id LIMIT 5", "ur", "id"},
    // What was rejected.
    {"SELECT reason, count(*) AS n FROM {s}__rejects GROUP BY reason", "ur", "reason"},
    {"SELECT file, line, raw, reason, epoch, rejected_at FROM {s}__rejects", "ar"},
    // Through a stored view.
    {"SELECT k, n FROM {s}_by_k WHERE n > 1", "ur", "k"},
});

constexpr const char* kServers = R"(
CREATE SERVER files FOREIGN DATA WRAPPER file OPTIONS (url './sim');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:sim.db');
CREATE TABLE labels (k integer, label text);
INSERT INTO labels VALUES (0, 'none'), (1, 'one'), (2, 'two'), (2, 'deux');
)";

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class Writer {
 public:
  explicit Writer(Random* random) : random_(*random) {}

  Scenario Write() {
    sources_ = 1 + random_.Below(3);
    Both(kServers);
    const auto rows_max = static_cast<int64_t>(random_.OneIn(4) ? 200 : 50);
    for (size_t i = 0; i < sources_; ++i) {
      WriteSource(i);
      scenario_.upstreams.emplace_back(NameOf(i), rows_max, random_.Fork());
    }
    const uint64_t sinks = 1 + random_.Below(3);
    for (uint64_t i = 0; i < sinks; ++i) WriteSink(i);
    // Each source is read by something.
    for (size_t i = 0; i < sources_; ++i) {
      Both(
          fmt::format("CREATE MATERIALIZED VIEW {0}_by_k WITH (key = 'k') AS SELECT coalesce(k, "
                      "-1) AS k, count(*) AS n, sum(w) AS w FROM {0} GROUP BY 1;\n",
                      NameOf(i)));
    }
    DrawOptions();
    return std::move(scenario_);
  }

 private:
  static std::string NameOf(size_t source) {
    return std::string(1, static_cast<char>('a' + source));
  }

  void Both(const std::string& text) {
    scenario_.sql += text;
    scenario_.reference_sql += text;
  }

  void WriteSource(size_t i) {
    const std::string key = random_.OneIn(3) ? ", PRIMARY KEY (id)" : "";
    const std::string after =
        i > 0 && random_.OneIn(4) ? fmt::format(", after '{}'", NameOf(i - 1)) : "";
    Both(fmt::format("CREATE FOREIGN TABLE {} ({}{}) SERVER files OPTIONS (path '{}/*.csv'{});\n",
                     NameOf(i), kUpstreamColumns, key, NameOf(i), after));
  }

  void WriteSink(uint64_t i) {
    const Shape* shape = &kShapes[random_.Below(kShapes.size())];
    while (shape->two_sources && sources_ < 2) shape = &kShapes[random_.Below(kShapes.size())];
    const size_t first = random_.Below(sources_);
    const size_t second = (first + 1) % sources_;
    const std::string_view modes = shape->modes;
    const char mode = modes[random_.Below(modes.size())];
    std::string options = mode == 'a'   ? "mode 'append'"
                          : mode == 'r' ? "mode 'replace'"
                                        : fmt::format("mode 'upsert', key '{}'", shape->key);
    if (random_.OneIn(3)) options += fmt::format(", flush_bytes '{}B'", 1 + random_.Below(4000));
    Both(fmt::format("CREATE FOREIGN TABLE out{} () SERVER {} OPTIONS ({});\n", i,
                     mode == 'u' ? "warehouse" : "files", options));
    std::string query = fmt::format("INSERT INTO out{} {};\n", i, shape->sql);
    query = Replaced(Replaced(query, "{s}", NameOf(first)), "{t}", NameOf(second));
    scenario_.sql += Replaced(query, "{ok}", "true");
    scenario_.reference_sql += Replaced(query, "{ok}", shape->sane);
  }

  void DrawOptions() {
    scenario_.poll_rows_max = 1 + static_cast<int64_t>(random_.Below(random_.OneIn(2) ? 4 : 40));
    scenario_.options.epoch_bytes_max =
        1 + static_cast<int64_t>(random_.Below(random_.OneIn(2) ? 300 : 4000));
    scenario_.options.queue_bytes_max = 1 + static_cast<int64_t>(random_.Below(2000));
    scenario_.options.checkpoint_interval = std::chrono::seconds(random_.Below(8));
  }

  Random& random_;
  size_t sources_ = 1;
  Scenario scenario_;
};

// Where pipelines are written down to be loaded; gone with the process.
class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "leat_sim_XXXXXX").string();
    LEAT_CHECK(::mkdtemp(path.data()) != nullptr, "no folder in {}", path);
    path_ = path;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file() const { return path_ + "/pipeline.sql"; }

 private:
  std::string path_;
};

}  // namespace

Scenario DrawScenario(Random* random) { return Writer(random).Write(); }

Result<Pipeline> LoadText(const std::string& sql) {
  static const Folder folder;
  std::ofstream(folder.file()) << sql;
  return LoadPipeline({.path = folder.file()}, nullptr);
}

}  // namespace leat::sim
