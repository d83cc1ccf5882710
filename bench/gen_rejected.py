#!/usr/bin/env python3
"""Write a synthetic LendingClub-style "rejected loans" CSV (gzip, one member).

Deterministic for given options.  Dates ascend.  The yearly volumes, the
share of missing scores (62 %) and the text columns only resemble the public file
(27,648,741 rows): they are estimates, tuned to about 66 bytes a row raw, 10 gzipped.
"""
import argparse
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

HEADER = ("Amount Requested,Application Date,Loan Title,Risk_Score,"
          "Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code\n")
CHUNK = 1 << 18                                     # rows generated at a time
FIRST, LAST = "2007-05-26", "2018-12-31"

# applications a year, in thousands, 2007..2018; later years are like the last
VOLUME = [5, 25, 57, 112, 218, 338, 761, 1933, 2860, 4769, 7021, 9550]

# (text, weight) while titles were free text, and after they became a menu
FREE_TEXT = [("debt_consolidation", 28), ("other", 14), ("credit_card", 9), ("car", 6),
             ("small_business", 6), ("home_improvement", 6), ("major_purchase", 4),
             ("moving", 4), ("medical", 4), ("Wedding Covered but No Honeymoon", 1),
             ("Consolidating Debt", 3), ("Want to consolidate my debt", 1), ("consolidate", 2),
             ("Trying to buy a car, need help", 1), ('"Quick" loan for my son\'s school', .5),
             ('He said "no", she said "yes"', .3), ("bills, bills, bills", .6),
             ("JAFO", .2), ("Café & crêpes start-up", .1), ("", .3)]
MENU = [("Debt consolidation", 56), ("Credit card refinancing", 12), ("Other", 14),
        ("Home improvement", 5), ("Car financing", 5), ("Medical expenses", 3.5),
        ("Moving and relocation", 3), ("Major purchase", 3), ("Business", 2), ("Vacation", 1.2),
        ("Home buying", 1.2), ("Business Loan, second attempt", .05), ('a "green" loan', .03)]
EMPLOYMENT = [("< 1 year", 90), ("5 years", 5), ("", 3), ("10+ years", 2), ("1 year", 1),
              ("2 years", .8), ("3 years", .7), ("4 years", .5), ("6 years", .3),
              ("7 years", .3), ("8 years", .2), ("9 years", .2)]
# state, weight, first and last three-digit zip
STATES = [("CA", 12, 900, 961), ("TX", 9, 750, 799), ("FL", 8, 320, 349), ("NY", 8, 100, 149),
          ("PA", 4.5, 150, 196), ("OH", 4.3, 430, 458), ("GA", 4.3, 300, 319), ("IL", 4, 600, 629),
          ("NC", 3.3, 270, 289), ("NJ", 3.3, 70, 89), ("VA", 2.9, 220, 246), ("MI", 2.9, 480, 499),
          ("MD", 2.2, 206, 219), ("AZ", 2.2, 850, 865), ("TN", 2.2, 370, 385), ("AL", 2, 350, 369),
          ("MA", 2, 10, 27), ("IN", 2, 460, 479), ("MO", 1.9, 630, 658), ("SC", 1.9, 290, 299),
          ("LA", 1.8, 700, 714), ("WA", 1.8, 980, 994), ("CO", 1.5, 800, 816), ("KY", 1.5, 400, 427),
          ("WI", 1.3, 530, 549), ("NV", 1.3, 889, 898), ("CT", 1.2, 60, 69), ("MS", 1.2, 386, 397),
          ("MN", 1.2, 550, 567), ("OK", 1.1, 730, 749), ("AR", 1, 716, 729), ("OR", .9, 970, 979),
          ("KS", .7, 660, 679), ("NM", .6, 870, 884), ("WV", .6, 247, 268), ("UT", .5, 840, 847),
          ("HI", .4, 967, 968), ("NH", .4, 30, 38), ("RI", .4, 28, 29), ("DE", .3, 197, 199),
          ("ME", .3, 39, 49), ("DC", .2, 200, 205), ("MT", .2, 590, 599), ("SD", .2, 570, 577),
          ("AK", .2, 995, 999), ("VT", .15, 50, 59), ("WY", .15, 820, 831), ("ND", .1, 580, 588),
          ("NE", .1, 680, 693), ("ID", .05, 832, 838), ("IA", .01, 500, 528)]


def quote(text):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


def pool(weighted):
    """The texts, CSV-quoted, and the running total of their weights scaled to 1."""
    weights = np.cumsum([w for _, w in weighted])
    return pa.array([quote(t) for t, _ in weighted]), weights / weights[-1]


def draw(rng, cumulative, n):
    return np.minimum(np.searchsorted(cumulative, rng.random(n)), len(cumulative) - 1)


def calendar(rows, first, last):
    """The days, and for every day the number of rows up to and including it."""
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    year = days.astype("datetime64[Y]").astype(int) - 37              # 2007 -> 0
    volume = np.array(VOLUME, float)[np.clip(year, 0, len(VOLUME) - 1)]
    weight = volume / np.bincount(year - year[0])[year - year[0]]
    weight *= np.where((days.astype(int) + 3) % 7 >= 5, .5, 1.2)      # quiet weekends
    total = np.cumsum(weight)
    return days, np.round(total / total[-1] * rows).astype(np.int64)


AMOUNTS = pa.array([f"{a:.1f}" for a in range(0, 40001, 25)])
RATIOS = pa.array(["-1%", "0%", "100%"] + [f"{i / 100:.2f}".rstrip("0").rstrip(".") + "%"
                                          for i in range(1, 20000)])
SCORES = pa.array([""] + [f"{s}.0" for s in range(1, 991)])
ZIPS = pa.array([f"{z:03d}xx" for z in range(1000)])
CODES = pa.array(["0.0", "2.0"])
STATE_NAMES, STATE_CUM = pool([(s[0], s[1]) for s in STATES])
ZIP_LO, ZIP_HI = (np.array([s[i] for s in STATES]) for i in (2, 3))
TITLES = [pool(FREE_TEXT), pool(MENU)]
JOBS, JOBS_CUM = pool(EMPLOYMENT)


def chunk(index, count, seed, days, upto):
    """The CSV bytes of rows [index * CHUNK, index * CHUNK + count)."""
    rng = np.random.default_rng([seed, index])
    row = np.arange(count) + index * CHUNK
    day = np.searchsorted(upto, row, side="right")
    date = days[day]
    dates = pa.array(days[day[0]:day[-1] + 1]).cast(pa.string()).take(pa.array(day - day[0]))

    # amounts: mostly whole thousands, some five hundreds, a few anything
    grain = np.array([40, 200, 20, 4, 1])[draw(rng, np.cumsum([.70, .16, .10, .03, .01]), count)]
    amount = np.maximum(40, np.minimum(rng.gamma(1.6, 8200, count), 40000) / 25).astype(int)
    amount = np.minimum(np.maximum(amount // grain * grain, grain), 1600)

    # scores: nearly always known until late 2013, for a third after
    missing = rng.random(count) < np.where(date < np.datetime64("2013-11-01"), .04, .65)
    score = np.where(missing, 0, np.clip(rng.normal(637, 65, count), 1, 990).astype(int))

    kind = rng.random(count)
    ratio = np.where(kind < .05, 0, np.where(kind < .13, 1, np.where(kind < .23, 2,
                     3 + np.minimum(rng.gamma(1.5, 1500, count), 19998).astype(int))))
    # early files kept whole percents
    ratio = np.where((date < np.datetime64("2009-01-01")) & (ratio > 2),
                     2 + np.maximum(ratio // 100, 1) * 100, ratio)

    state = draw(rng, STATE_CUM, count)
    zip3 = ZIP_LO[state] + (rng.random(count) ** 2.2 * (ZIP_HI - ZIP_LO + 1)[state]).astype(int)

    (free, free_cum), (menu, menu_cum) = TITLES
    u = rng.random(count)
    is_menu = date >= np.datetime64("2014-01-01")
    title = np.where(is_menu, len(free) + np.searchsorted(menu_cum[:-1], u),
                     np.searchsorted(free_cum[:-1], u))
    titles = pa.concat_arrays([free, menu])

    columns = [AMOUNTS.take(pa.array(amount)), dates, titles.take(pa.array(title)),
               SCORES.take(pa.array(score)), RATIOS.take(pa.array(ratio)),
               ZIPS.take(pa.array(zip3)), STATE_NAMES.take(pa.array(state)),
               JOBS.take(pa.array(draw(rng, JOBS_CUM, count))),
               CODES.take(pa.array((rng.random(count) < .003).astype(int)))]
    lines = pc.binary_join_element_wise(*columns, ",")
    lines = pc.binary_join_element_wise(lines, "", "\n")
    first, last = (lines.buffers()[1][i * 4:i * 4 + 4] for i in (lines.offset, lines.offset + count))
    return lines.buffers()[2][int.from_bytes(first.to_pybytes(), "little"):
                              int.from_bytes(last.to_pybytes(), "little")]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("out", help="a path; '-' for standard output; not gzipped unless it ends in .gz")
    args.add_argument("--rows", type=int, default=27_648_741)
    args.add_argument("--seed", type=int, default=7)
    args.add_argument("--first", default=FIRST, help="the first day, 2007-01-01 or later")
    args.add_argument("--last", help=f"the last day; {LAST}, or the end of the first day's year")
    args.add_argument("--level", type=int, default=6, help="gzip level")
    parser, args = args, args.parse_args()
    last = args.last or max(LAST, f"{args.first[:4]}-12-31")
    if last < args.first:
        parser.error(f"the last day, {last}, is before the first, {args.first}")
    days, upto = calendar(args.rows, args.first, last)
    # the chunks are made by one thread while another compresses them
    jobs = [(i, min(CHUNK, args.rows - i * CHUNK)) for i in range(-(-args.rows // CHUNK))]
    raw = len(HEADER)
    out = sys.stdout.buffer if args.out == "-" else open(args.out, "wb")
    zipped = args.out.endswith(".gz")
    deflate = zlib.compressobj(args.level, zlib.DEFLATED, 31) if zipped else None
    put = (lambda b: out.write(deflate.compress(b))) if zipped else out.write
    put(HEADER.encode())
    with ThreadPoolExecutor(1) as maker:
        ahead = maker.submit(chunk, *jobs[0], args.seed, days, upto) if jobs else None
        for i in range(len(jobs)):
            body = ahead.result()
            if i + 1 < len(jobs):
                ahead = maker.submit(chunk, *jobs[i + 1], args.seed, days, upto)
            raw += len(body)
            put(body)
    if zipped:
        out.write(deflate.flush())
    size = out.tell() if args.out != "-" else raw
    out.close()
    print(f"{args.rows} rows, {raw} bytes raw ({raw / max(args.rows, 1):.1f} a row), "
          f"{size} written ({size / max(args.rows, 1):.1f} a row)", file=sys.stderr)


if __name__ == "__main__":
    main()
