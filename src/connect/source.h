// A system outside that is read.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "data/batch.h"
#include "flow/upserts.h"
#include "format/format.h"

namespace leat {

// A place in a source, in its own words (JSON text, canonical: equal places, equal bytes). "" is
// the very beginning.
using Offset = std::string;

// How an offset goes on from the one before it: `front` bytes of its beginning and `back` bytes of
// its end stay, `between` is what lies between them now. A file source's offset names every file
// that was ever read, and from one arrival to the next one of them changes.
struct OffsetStep {
  size_t front = 0, back = 0;
  std::string between;
};
// In the time of what changes, where that is near the end. IOError if `offset` is too short for it.
Status GoOn(const OffsetStep& step, Offset* offset);
// The shortest step from `before` to `end`.
OffsetStep StepTo(const Offset& end, const Offset& before);

// What one Poll gave.
struct Arrival {
  int relation = 0;  // which of the source's relations
  Batch batch;       // weights as the source says (absent: all came); no seq yet
  std::vector<Reject> rejects;
  std::string place;       // what a reject's offset is of: the file's name, the topic-partition
  int64_t rows_read = 0;   // batch.rows + rows rejected
  int64_t bytes_read = 0;  // uncompressed
  uint64_t checksum = 0;   // of the bytes read, so that a replay notices a changed file
  Offset end;              // after it; empty where there is a step
  // Instead of `end`: how it goes on from where this Poll began (Source::GiveSteps).
  std::optional<OffsetStep> step;
  // Set where the relation's rows are held (SourceTraits::held): how `batch` is meant. Such rows
  // are checked against constraints when they are complete, by `run`.
  std::optional<Upserts> upserts;
  std::vector<int64_t> offsets;  // with `upserts`: where each row stands, for a reject
  // What else was read up to the same `end`, of this relation and of others. Their own `end` means
  // nothing, and their counts are not in this one's.
  std::vector<Arrival> parts;
  // In the middle of a transaction: the epoch goes on until an arrival after which it is not.
  bool goes_on = false;
};
// Takes `offset` from before the arrival to after it.
Status GoOn(const Arrival& arrival, Offset* offset);

// Of one part: rows that were read and are not used.
int64_t RowsRejected(const Arrival& part);
// Over an arrival and its parts: rows that get a number, rows that were read, and those of them
// that are used.
int64_t RowsNumbered(const Arrival& arrival);
int64_t RowsRead(const Arrival& arrival);
int64_t RowsUsed(const Arrival& arrival);
int64_t BytesRead(const Arrival& arrival);

// What of a source is to be read again (`leat replay`).
struct AgainSpec {
  // A part of it in its own words (a file, a glob), or a time since which parts changed; "": none.
  std::string from;
  bool as_new = false;  // the part's rows come once more; else all is read from the beginning
};
struct AgainPlan {
  Offset from;                     // where reading begins
  std::vector<std::string> parts;  // a line for a person about each part that was named
};

using ArrivalVisitor = std::function<Status(const Arrival& arrival)>;

// What is known of the rows of a relation that a source gives, before any is read.
struct SourceTraits {
  // The columns by which changes name rows: it may take rows back. Empty: rows only come.
  std::vector<int> key;
  // Without a key: a change names a row by all of its values, one of those that are equal.
  bool whole = false;
  // Its rows are held (flow/keyed_rows.h), so that it is known what a change takes back.
  bool held() const { return whole || !key.empty(); }
  // All such relations of a server are read by one source, their transactions whole.
  bool shared = false;
};

// Reads a system outside, in order, from where the last checkpoint left off; several relations may
// share it. Used by one thread at a time. Never retries: it returns the error, `run` decides.
class Source {
 public:
  virtual ~Source() = default;
  // Goes to a place that an Arrival ended with. Fails if the system there is not the same any more.
  virtual Status Seek(const Offset& offset) = 0;
  // Returns the next rows of one relation, at most about `bytes_max`, and the offset after them; or
  // nothing: there is no more now. Never splits a transaction.
  virtual Result<std::optional<Arrival>> Poll(int64_t bytes_max) = 0;
  // More will come after the first Poll that gives nothing: what somebody still writes is left for
  // later. Called before the first Poll, if at all.
  virtual void Follow() {}
  // From now on Poll may say with a step where it came to, if that is less than the whole offset.
  virtual void GiveSteps() {}
  // After a Poll that gave nothing: waits until more may be there, at most about `at_most`. False:
  // nothing came, another Poll would be for nothing. Not called where no thread may wait.
  virtual bool Wait(std::chrono::milliseconds at_most) {
    std::this_thread::sleep_for(at_most);
    return true;
  }
  // Reads again exactly what a Poll at this place gave up to `end`.
  virtual Result<Arrival> Reread(const Offset& end) = 0;
  // Makes `end` the end of the world: Poll gives what lies before it, in the order in which it was
  // read then, and nothing after. Called after Seek(""): a query as of the last commit.
  virtual Status Limit(const Offset& end) = 0;
  // Bytes that are known to lie outside, as they lie there, and were not read yet; -1: it cannot
  // say. Asks nobody: of what the last Poll saw.
  virtual int64_t lag_bytes() const { return -1; }
  // How much older what was read last is than what lies outside, by the clock there; 0: nothing
  // lies outside; -1: it cannot say. As of the last Poll.
  virtual Micros lag_time() const { return -1; }
  // How all that lies before `end` is read once more: the parts that are named as they are now,
  // the others in the same order and refused if they are not what they were. Or, `as_new`, how the
  // named parts are read once more as if they had just come. SqlStatus where nothing fits.
  virtual Result<AgainPlan> Again(const Offset& end, const AgainSpec& spec);
  // Everything before `end` is in a durable checkpoint: the system outside may forget it.
  virtual Status Acknowledge(const Offset& end) {
    (void)end;
    return Status::OK();
  }
};

inline Result<AgainPlan> Source::Again(const Offset&, const AgainSpec&) {
  return NotSupported("a source of this kind cannot be read again from its beginning");
}

}  // namespace leat
