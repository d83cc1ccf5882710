#include "connect/source.h"

#include <algorithm>

namespace leat {
namespace {

template <typename Of>
int64_t Sum(const Arrival& arrival, const Of& of) {
  int64_t sum = of(arrival);
  for (const Arrival& part : arrival.parts) sum += of(part);
  return sum;
}

}  // namespace

int64_t RowsRejected(const Arrival& part) {
  // A row that was refused may still take out the one with its key.
  if (!part.upserts) return part.rows_read - part.batch.rows;
  return std::count_if(part.rejects.begin(), part.rejects.end(),
                       [](const Reject& reject) { return !reject.row_kept; });
}

int64_t RowsNumbered(const Arrival& arrival) {
  return Sum(arrival, [](const Arrival& part) { return part.batch.rows; });
}
int64_t RowsRead(const Arrival& arrival) {
  return Sum(arrival, [](const Arrival& part) { return part.rows_read; });
}
int64_t RowsUsed(const Arrival& arrival) {
  return Sum(arrival, [](const Arrival& part) { return part.rows_read - RowsRejected(part); });
}
int64_t BytesRead(const Arrival& arrival) {
  return Sum(arrival, [](const Arrival& part) { return part.bytes_read; });
}

}  // namespace leat
