"""Whether two Parquet outputs of a job agree. usage: equal.py JOB OURS THEIRS; exits 1 if not.

ma, events: the same rows in the same order, floats to the bit. day: the same rows in any order,
floats to 1e-12 of their size.
"""
import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

RELATIVE_MAX = 1e-12
CHUNK = 1 << 20


def files(path):
    path = pathlib.Path(path)
    return [path] if path.is_file() else sorted(
        f for f in path.rglob("*.parquet") if not f.name.startswith((".", "_")))


def plain(table):
    """Text as text, numbers as numbers: how a system encodes them is its own affair."""
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.large_string()
        elif pa.types.is_string(kind):
            kind = pa.large_string()
        elif pa.types.is_integer(kind):
            kind = pa.int64()
        columns.append(column.cast(kind).combine_chunks())
    return pa.table(columns, names=table.column_names)


def chunks(path):
    """Tables of exactly CHUNK rows (the last may be shorter), in file order."""
    held, rows = [], 0
    for file in files(path):
        for batch in pq.ParquetFile(file).iter_batches(CHUNK):
            held.append(pa.Table.from_batches([batch]))
            rows += batch.num_rows
            while rows >= CHUNK:
                table = pa.concat_tables(held)
                yield plain(table.slice(0, CHUNK))
                held, rows = [table.slice(CHUNK)], rows - CHUNK
    if rows:
        yield plain(pa.concat_tables(held))


def bits(column):
    """Floats as integers, so that equal means the same bits; other columns as they are."""
    if not pa.types.is_floating(column.type):
        return column
    values = column.fill_null(0.0).to_numpy(zero_copy_only=False).view(np.int64)
    return pa.array(values, mask=column.is_null().to_numpy(zero_copy_only=False))


def array(column):
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def different(ours, theirs, row):
    """Says where two chunks first differ; None if nowhere."""
    if ours.column_names != theirs.column_names:
        return f"columns {ours.column_names} against {theirs.column_names}"
    if len(ours) != len(theirs):
        return f"{len(ours)} rows against {len(theirs)} after row {row}"
    for name in ours.column_names:
        a, b = bits(array(ours[name])), bits(array(theirs[name]))
        if a.equals(b):
            continue
        if a.type != b.type:
            return f"column {name} is {a.type} against {b.type}"
        same = pc.fill_null(pc.equal(a, b), False).to_numpy(zero_copy_only=False)
        both_null = (a.is_null().to_numpy(zero_copy_only=False)
                     & b.is_null().to_numpy(zero_copy_only=False))
        at = int(np.argmin(same | both_null))
        return f"row {row + at}, {name}: {ours[name][at]} against {theirs[name][at]}"
    return None


def compare_in_order(ours, theirs):
    row = 0
    a, b = chunks(ours), chunks(theirs)
    while True:
        x, y = next(a, None), next(b, None)
        if x is None or y is None:
            return (None if x is y else f"one ends at row {row}"), row
        found = different(x, y, row)
        if found:
            return found, row
        row += len(x)


def compare_any_order(ours, theirs):
    keys = ["Application Date", "State"]
    order = [(key, "ascending") for key in keys]
    a, b = (pa.concat_tables(chunks(path)).sort_by(order) for path in (ours, theirs))
    if a.num_rows != b.num_rows or a.column_names != b.column_names:
        return f"{a.num_rows} rows {a.column_names} against {b.num_rows} {b.column_names}", 0
    for name in a.column_names:
        x, y = array(a[name]), array(b[name])
        if not pa.types.is_floating(x.type):
            if not x.equals(y):
                return f"column {name} differs", 0
            continue
        if not x.is_null().equals(y.is_null()):
            return f"column {name} has other nulls", 0
        x, y = (np.asarray(v.fill_null(0.0)) for v in (x, y))
        worst = np.max(np.abs(x - y) / np.maximum(np.abs(y), 1e-300), initial=0)
        if worst > RELATIVE_MAX:
            return f"column {name} differs by {worst:.3g} of its size", 0
    return None, a.num_rows


def main():
    job, ours, theirs = sys.argv[1:4]
    found, rows = (compare_any_order if job == "day" else compare_in_order)(ours, theirs)
    name = pathlib.Path(ours).name
    print(f"{name}: {found}" if found else f"{name}: {rows} rows equal", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
