// NOT NULL and CHECK of a relation, checked on rows just read.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "format/format.h"

namespace leat {

// Takes the rows that break a constraint out of the chunk and adds a reject for each, in file
// order, in PostgreSQL's words; or fails, where `on_error` says so. Also fails for a reject that
// the reader made in a column, or a table, of `on_error 'fail'`. `place` names the file in that
// error. `put_in_place` gives every reject its final place before that. REQUIRES: the batch has the
// relation's columns.
Status ApplyConstraints(const Relation& relation, const std::string& place, ReadChunk* chunk,
                        const std::function<void(Reject*)>& put_in_place = nullptr);

// Fails for the first reject whose column, or table, has `on_error 'fail'`.
Status FailOnFatal(const Relation& relation, const std::string& place,
                   const std::vector<Reject>& rejects);

}  // namespace leat
