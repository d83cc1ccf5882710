// The `http` kind: an API that is asked for its rows.
#pragma once

#include <array>
#include <memory>

#include "connect/options.h"
#include "connect/sink.h"
#include "connect/source.h"

namespace leat {

inline constexpr std::array kHttpOptions = {
    OptionSpec{
        "spool", OptionPlace::kServer, "in the state's folder",
        "The folder where answers are kept until a checkpoint has them: they cannot be asked "
        "for again."},
    OptionSpec{"for_each_rows", OptionPlace::kServer, "the rows of `for_each`",
               "The rows of which each is asked for: a JSON array of objects."},
    OptionSpec{
        "path", OptionPlace::kTable, "",
        "What is asked for, below the server's url: `/weather?q={place}&appid={key}`. A name "
        "in braces is a column of `for_each`, or an option of the USER MAPPING, which is "
        "shown nowhere; `{cursor}` is where the last round came to."},
    OptionSpec{"headers", OptionPlace::kTable, "",
               "Headers of the request, each on a line of its own, with such names in braces."},
    OptionSpec{"for_each", OptionPlace::kTable, "",
               "A relation: its rows are asked for one after another, in every round."},
    OptionSpec{"format", OptionPlace::kTable, "json", "Of the answers: `json`."},
    OptionSpec{"root", OptionPlace::kTable, "",
               "The key of an answer whose array holds the rows. Without it rows are the outermost "
               "objects."},
    OptionSpec{"next", OptionPlace::kTable, "",
               "Where an answer says what follows it: a place in its JSON, `$.paging.next`, or "
               "`link`, the header."},
    OptionSpec{"page", OptionPlace::kTable, "",
               "The parameter that counts pages, until one has no rows."},
    OptionSpec{"page_first", OptionPlace::kTable, "1", "The first page's number."},
    OptionSpec{"cursor", OptionPlace::kTable, "",
               "The column whose greatest value is the next round's `{cursor}`."},
    OptionSpec{"cursor_start", OptionPlace::kTable, "1970-01-01, or 0",
               "The first round's `{cursor}`."},
    OptionSpec{"overlap", OptionPlace::kTable, "0",
               "How far before the greatest value the next round begins, so that rows that came "
               "late are read: a span of time, or a number. Rows read twice are passed over if the "
               "table has a `key`."},
    OptionSpec{"timeout", OptionPlace::kTable, "30s", "How long an answer may take."},
    OptionSpec{"retries", OptionPlace::kTable, "3",
               "How often a request is tried again after an answer 429 or 5xx or none, with pauses "
               "that double, or as long as `Retry-After` says, a minute at most."},
    OptionSpec{"metadata", OptionPlace::kColumn, "",
               "The column is not in the answer's rows: `requested_at` (timestamptz), `body` (the "
               "whole answer: json), or `each.NAME`, a column of `for_each`."},
};

Result<std::unique_ptr<Source>> MakeHttpSource(const Server& server, const Relation& relation);
Result<std::unique_ptr<Sink>> RefuseHttpSink(SinkSpec spec);
Result<Schema> InferAnswerColumns(const Server& server, const Relation& relation);
Status ReadAnswers(const Server& server, const Relation& relation, const ArrivalVisitor& visit);
Result<std::optional<Mark>> NoHttpMark(const SinkSpec& spec);

}  // namespace leat
