#include <algorithm>
#include <charconv>
#include <thread>

#include "base/file_system.h"
#include "connect/http/answer.h"
#include "connect/http/http.h"
#include "connect/http/request.h"
#include "connect/read_column.h"
#include "format/infer.h"

namespace leat {
namespace {

constexpr std::chrono::milliseconds kPauseFirst(500);
constexpr std::chrono::milliseconds kPauseMax(60'000);

// What asks and waits. The clock is the world's: when something was asked is part of the answer,
// and kept with it.
class Asker {
 public:
  explicit Asker(const HttpQuery& query) : query_(query) {}

  Result<KeptAnswer> Ask(const HttpPosition& position) {
    const EachRow& row = query_.each[static_cast<size_t>(position.each)];
    LEAT_ASSIGN(std::string path, PathOf(position, row));
    HttpRequest request{.url = query_.base + path, .timeout = query_.timeout};
    for (const std::string& header : query_.headers) {
      LEAT_ASSIGN(std::string filled, query_.Fill(header, row, position.since, /*encode=*/false));
      if (filled.find_first_of("\r\n") != filled.npos) {
        return InvalidValue("headers", header, "A header is one line.");
      }
      request.headers.push_back(std::move(filled));
    }
    KeptAnswer kept{.place = query_.Redact(std::move(path))};
    auto pause = kPauseFirst;
    for (int64_t tries = 0;; ++tries) {
      kept.requested_at = SystemClock().Now();
      auto answer = client_.Get(request);
      const bool again = !answer.ok() || answer->status == 429 || answer->status >= 500;
      if (!again) return Keep(*std::move(answer), std::move(kept));
      if (tries >= query_.retries) {
        return IOErrorF("\"{}\": {}", kept.place,
                        answer.ok() ? fmt::format("HTTP {}", answer->status)
                                    : query_.Redact(answer.status().message()));
      }
      std::this_thread::sleep_for(
          std::min(answer.ok() ? PauseOf(*answer, pause) : pause, kPauseMax));
      pause = std::min(pause * 2, kPauseMax);
    }
  }

 private:
  Result<std::string> PathOf(const HttpPosition& position, const EachRow& row) const {
    if (!position.next.empty()) {
      return query_.Fill(position.next.starts_with('/') ? position.next : "/" + position.next, row,
                         position.since, /*encode=*/true);
    }
    LEAT_ASSIGN(std::string path, query_.Fill(query_.path, row, position.since, /*encode=*/true));
    if (query_.page.empty()) return path;
    return fmt::format("{}{}{}={}", path, path.find('?') == path.npos ? '?' : '&', query_.page,
                       query_.page_first + position.page);
  }

  Result<KeptAnswer> Keep(HttpAnswer answer, KeptAnswer kept) const {
    if (answer.status == 401 || answer.status == 403) {
      return IOErrorF("\"{}\": HTTP {}: the server refuses these credentials", kept.place,
                      answer.status);
    }
    kept.status = answer.status;
    kept.link = query_.Redact(answer.headers["link"]);
    kept.body = std::move(answer.body);
    return kept;
  }

  // Seconds; a date is taken for a minute.
  static std::chrono::milliseconds PauseOf(const HttpAnswer& answer,
                                           std::chrono::milliseconds otherwise) {
    const auto found = answer.headers.find("retry-after");
    if (found == answer.headers.end()) return otherwise;
    int64_t seconds = 0;
    const char* const end = found->second.data() + found->second.size();
    const auto [at, error] = std::from_chars(found->second.data(), end, seconds);
    if (error != std::errc() || at != end || seconds < 0) return kPauseMax;
    return std::chrono::seconds(std::min<int64_t>(seconds, 3600));
  }

  const HttpQuery& query_;
  HttpClient client_;
};

class HttpSource : public Source {
 public:
  HttpSource(AnswerReader reader, std::string spool)
      : reader_(std::move(reader)), asker_(reader_.query()), spool_(std::move(spool)) {}

  Status Seek(const Offset& offset) override {
    LEAT_ASSIGN(position_, DecodeHttpPosition(offset));
    round_at_start_ = position_.round;
    return Status::OK();
  }
  void Follow() override { following_ = true; }
  bool Wait(std::chrono::milliseconds at_most) override {
    const auto due = std::chrono::microseconds(std::max<Micros>(DueIn(), 0));
    std::this_thread::sleep_for(std::min<std::chrono::microseconds>(due, at_most));
    return DueIn() <= 0;
  }

  Result<std::optional<Arrival>> Poll(int64_t) override {
    if (reader_.query().each.empty()) return std::nullopt;
    const bool begins = position_.each == 0 && position_.page == 0;
    if (begins && !following_ && position_.round > round_at_start_) return std::nullopt;
    if (begins && following_ && DueIn() > 0) return std::nullopt;
    HttpPosition position = position_;
    if (position.each >= static_cast<int64_t>(reader_.query().each.size())) {
      position.each = position.page = 0;  // `for_each` became shorter
      position.next.clear();
    }
    if (begins) {
      position.round_began = SystemClock().Now();
      LEAT_RETURN(reader_.Begin(&position));
    }
    LEAT_ASSIGN(const KeptAnswer answer, asker_.Ask(position));
    if (!spool_.empty()) {
      LEAT_RETURN(PosixFileSystem()->CreateDirectories(spool_));
      LEAT_RETURN(
          WriteFileAtomically(PosixFileSystem(), PathOf(position.answers), EncodeAnswer(answer)));
    }
    LEAT_ASSIGN(Arrival arrival, reader_.Read(answer, &position));
    position_ = std::move(position);
    return arrival;
  }

  // One answer, or several, as they were: what was asked and when does not matter any more.
  Result<Arrival> Reread(const Offset& end) override {
    LEAT_ASSIGN(const HttpPosition target, DecodeHttpPosition(end));
    if (target.answers != position_.answers + 1) {
      return IOErrorF("answer {} cannot be read after answer {}", target.answers,
                      position_.answers);
    }
    LEAT_ASSIGN(const auto bytes, PosixFileSystem()->Read(PathOf(position_.answers)));
    LEAT_ASSIGN(const KeptAnswer answer, DecodeAnswer(bytes->bytes()));
    LEAT_ASSIGN(Arrival arrival, reader_.Read(answer, &position_));
    position_ = target;
    arrival.end = end;
    return arrival;
  }

  Status Limit(const Offset&) override {
    return NotSupported("answers that were read cannot be asked for again", -1,
                        "Keep the view's rows: WITH (key = '…'), or WITH (stored = true).");
  }

  Status Acknowledge(const Offset& end) override {
    LEAT_ASSIGN(const HttpPosition position, DecodeHttpPosition(end));
    if (spool_.empty()) return Status::OK();
    for (int64_t i = position.answers - 1; i >= 0 && PosixFileSystem()->Exists(PathOf(i)); --i) {
      LEAT_RETURN(PosixFileSystem()->Remove(PathOf(i)));
    }
    return Status::OK();
  }

 private:
  std::string PathOf(int64_t answer) const {
    return fmt::format("{}/answer-{:012d}", spool_, answer);
  }
  // Until the next round begins.
  Micros DueIn() const {
    if (position_.round_began == 0 || position_.each != 0 || position_.page != 0) return 0;
    return position_.round_began + reader_.query().every.count() - SystemClock().Now();
  }

  const AnswerReader reader_;
  Asker asker_;
  const std::string spool_;
  HttpPosition position_;
  int64_t round_at_start_ = 0;
  bool following_ = false;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeHttpSource(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(AnswerReader reader, AnswerReader::Make(server, relation));
  return std::make_unique<HttpSource>(std::move(reader), OptionOr(server.options, "spool", ""));
}

Result<std::unique_ptr<Sink>> RefuseHttpSink(SinkSpec spec) {
  return NotSupported(fmt::format("sink \"{}\": an http server is only read", spec.name));
}

Result<std::optional<Mark>> NoHttpMark(const SinkSpec&) { return std::nullopt; }

Result<Schema> InferAnswerColumns(const Server& server, const Relation& relation) {
  LEAT_ASSIGN(const AnswerReader reader, AnswerReader::Make(server, relation));
  if (reader.query().each.empty()) {
    return SqlStatus(
        fmt::format("could not infer the columns of \"{}\": which rows are asked for is not known",
                    relation.name),
        {.location = relation.location, .hint = "Declare the columns."});
  }
  HttpPosition position;
  LEAT_RETURN(reader.Begin(&position));
  LEAT_ASSIGN(const KeptAnswer answer, Asker(reader.query()).Ask(position));
  LEAT_ASSIGN(const TimeSpelling times, TimeSpellingOf(relation));
  return InferObjects(answer.place, reader.Rows(answer.body), times);
}

Status ReadAnswers(const Server& server, const Relation& relation, const ArrivalVisitor& visit) {
  LEAT_ASSIGN(const auto source, MakeHttpSource(server, relation));
  while (true) {
    LEAT_ASSIGN(const auto arrival, source->Poll(1 << 20));
    if (!arrival) return Status::OK();
    LEAT_RETURN(visit(*arrival));
  }
}

}  // namespace leat
