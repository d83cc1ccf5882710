// An answer of an API as rows: what the source does with it, and does again in a replay.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "connect/http/position.h"
#include "connect/http/query.h"
#include "connect/source.h"
#include "format/json_rows.h"

namespace leat {

// An answer as it is kept: nothing in it is secret but what the server itself says.
struct KeptAnswer {
  std::string place;  // what was asked for: the path, its secrets in braces
  Micros requested_at = 0;
  int64_t status = 200;
  std::string link;  // the header that links to the next answer, or ""
  std::string body;
};
std::string EncodeAnswer(const KeptAnswer& answer);
Result<KeptAnswer> DecodeAnswer(std::string_view text);

class AnswerReader {
 public:
  static Result<AnswerReader> Make(const Server& server, const Relation& relation);

  const HttpQuery& query() const { return query_; }
  // The rows of the answer that was asked for at `position`, which moves behind it.
  Result<Arrival> Read(const KeptAnswer& answer, HttpPosition* position) const;
  // The objects of an answer's body that are rows.
  std::vector<std::string_view> Rows(std::string_view body) const;
  // The beginning of a round: its {cursor}.
  Status Begin(HttpPosition* position) const;

 private:
  AnswerReader(Relation relation, HttpQuery query)
      : relation_(std::move(relation)), query_(std::move(query)) {}
  std::vector<JsonExtent> ExtentsOf(std::string_view body) const;
  Result<ReadChunk> Parse(const KeptAnswer& answer) const;
  Status AddMetadata(const KeptAnswer& answer, const EachRow& row, ReadChunk* chunk) const;
  // Takes out rows that were seen before, and remembers the others.
  Status PassOver(ReadChunk* chunk, HttpPosition* position) const;
  Status MoveOn(const KeptAnswer& answer, int64_t rows, HttpPosition* position) const;
  void EndRound(HttpPosition* position) const;

  Relation relation_;
  HttpQuery query_;
  TextSettings text_;
  std::vector<std::string> metadata_;  // by column of the relation; "" in the rows
  std::vector<ReadColumn> all_;
  std::shared_ptr<JsonPlan> plan_;
};

}  // namespace leat
