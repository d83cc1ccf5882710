#!/usr/bin/env python3
"""Asks a PostgreSQL 15 what the data_test fixtures in this folder must answer.

usage: make_from_postgres.py CONNINFO     writes text.tsv and numeric.tsv

A line of text.tsv is: zone, type, input, answer; of numeric.tsv: operation, operands, answer. An
answer is "=" and PostgreSQL's text, or "!", SQLSTATE, message, "|", detail. Backslash escapes tab,
newline and itself; a blank at the end of a line is \\s.
"""
import pathlib
import random
import re
import subprocess
import sys

TRY = """
CREATE OR REPLACE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text; state text; message text; detail text;
BEGIN
  EXECUTE query INTO answer;
  RETURN '=' || answer;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  RETURN '!' || state || ' ' || message || '|' || detail;
END $$;
"""

TEXTS = {
    'boolean': ['t', 'true', ' TRUE ', 'f', 'of', 'o', 'on', 'off', 'yes', 'ye', 'n', '1', '0', '2', '', 'tr', 'truee'],
    'smallint': ['1', '-32768', '32768', ' 5 ', '+7', '1.5', 'x', ''],
    'integer': ['0', '-0', '+12', ' 42\t', '2147483647', '2147483648', '-2147483648', '-2147483649', '99999999999',
                '99999999999999999999999', 'x', '', '-', '+', '--1', '+-1', '1 2', '1e3', '0x10', '1_000'],
    'bigint': ['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '12a'],
    'double precision': ['0', '-0', '1', '1.5', '.5', '5.', '1e20', '1e15', '1e14', '123456789012345678', '0.0001',
                         '0.00001', '1e-5', '1e-300', '1e400', '-1e400', '1e-400', 'NaN', 'nan', 'inf', '-inf', 'Infinity',
                         '+infinity', ' 1.25 ', 'x', '', '1.2.3', '1e', '4.9e-324', '1.7976931348623157e308', '0.1', '100000',
                         '999999999999999.9', '999999999999999', '1234567.891', '-', '.', '1e+5', '2.2250738585072014e-308'],
    'real': ['0.1', '1e6', '999999', '1000000', '1234567', '123456.7', '16777216', '1e-4', '1e-5', '1e39', '1e-50', '-0',
             '3.4028235e38', 'NaN', '1.1', '0.3333333333'],
    'numeric': ['0', '-0', '1.50', ' 12.340 ', '1e10', '1e-10', '1.5e3', '1.5e-3', '-.5', '5.', '.', '', 'x', 'NaN', 'nan', 'inf',
                '-Infinity', '+inf', '00012.500', '123456789012345678901234567890.123456789', '1e131071', '1e131072', '1e-16383', '1e-16384',
                '1e99999999999', '- 1', '1 2', '+1.0', 'e5', '1e', '1e+', '12345678901234567890', '0.000', '0e5', '0e-5', '100e-2'],
    'numeric(5,2)': ['1', '1.005', '1.004', '-1.005', '999.99', '999.994', '999.995', '1000', '-999.995', 'inf', '1e3', '0.001'],
    'numeric(3,0)': ['999.4', '999.5', '0.5', '-0.5', '1.5', '2.5'],
    'numeric(2,2)': ['0.99', '0.994', '0.995', '1'],
    'numeric(3,5)': ['0.00999', '0.001', '0.01', '0.009994', '0.009996'],
    'numeric(3,-2)': ['12345', '99949', '99950', '50', '49', '-150'],
    'numeric(40,3)': ['1.2345', '1234567890123456789012345678901234567.9995', '9999999999999999999999999999999999999.9995'],
    'text': ['', 'a b', ' x '],
    'character varying(3)': ['abc', 'abcd', 'abc  ', 'ab ', 'äöü', 'äöüß', ''],
    'character(3)': ['abc', 'a', 'abcd', 'abc  ', 'ä', '', 'äöüß'],
    'bytea': ['\\x', '\\x0aFF', '\\x0', '\\xzz', '\\x 0a 0b', 'abc', 'a\\\\b', '\\001\\377', '\\400', 'a\\', 'ä'],
    'uuid': ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}',
             'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11', 'a0eebc99', '', 'g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
             '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0e-ebc999c0b4ef8bb6d6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 '],
    'date': ['2024-01-05', '2024-1-5', '20240105', '240105', '1/5/2024', '1/5/24', '1/5/70', '1-5-2024', '13/01/2024', '2024-02-30', '2023-02-29',
             '2024-02-29', '1900-02-29', '2000-02-29', 'Jan 5 2024', 'January 5, 2024', '5 Jan 2024', '5-Jan-2024', 'Jan-05-2024', '2024-Jan-05', '05-Jan-24',
             'Fri Jan 5 2024', '2024-01-05 10:00', '2024-01-05T10:00:00Z', 'infinity', '-infinity', 'epoch', '0044-03-15 BC', '4713-11-24 BC', '4713-11-23 BC', '4714-11-24 BC',
             '5874897-12-31', '5874898-01-01', '0000-01-01', '2024-00-01', '2024-13-01', '2024-01-32', '2024-01-00', 'x', '', '2024', '2024-01', '  2024-01-05  ',
             '2024.005', '2024-005', '10000-01-01', '0001-01-01', '99-01-05', '2024/01/05', '2024.01.05', '05.01.2024', '2024-01-05 x', '1 2 3 4', 'Sept 1 2024', 'Foo 5 2024',
             '19990108', '990108', 'January 8, 99 BC', '2024-01-05+02', '-2024-01-05', '2024-01-05 25:00', '1999-01-08 04:05:06 -8:00', '08-Jan-1999', 'Jan-08-1999', '99-Jan-08', '1999-Jan-08', '08-Jan-99', 'Jan-08-99'],
    'time': ['14:05:13', '14:05', '14:05:13.123456', '14:05:13.1234567', '14:05:13.9999999', '24:00:00', '24:00:01', '25:00', '14:60', '14:05:60', '14:05:61', '2:05 PM', '02:05:06 AM', '12:00 AM', '12:00 PM', '13:00 PM',
             'allballs', '140513', '1405', '14:05:13+02', 'x', '', '14', '04:05:06.789-8', '2024-01-05 14:05:13', '00:00'],
    'timestamp': ['2019-06-04 14:05:13', '2019-06-04T14:05:13', '2019-06-04T14:05:13Z', '2019-06-04 14:05:13+02', '2019-06-04 14:05:13.5', '2019-06-04 14:05:13.123456', '2019-06-04 14:05:13.1234565', '2019-06-04 14:05:13.1234567',
                  '2019-06-04 14:05:13.9999999', '2019-06-04', '2019-06-04 14:05', '2019-06-04 24:00:00', '2019-06-04 23:59:60', '2019-06-04 25:00:00', 'Jan 5 2024 3:04 PM', 'Jun 4 14:05:13 2019', '20190604T140513', '20190604 140513',
                  'infinity', '-infinity', 'epoch', '294246-12-31 23:59:59.999999', '294277-01-01', '4714-11-24 00:00:00 BC', '4713-01-01 00:00:00 BC', '4715-01-01 BC', '0001-12-31 23:59:59 BC', 'x', '', '2019-06-04 x', '2019-06-04 14:05:13 America/New_York',
                  '2019-06-04 14:05:13 PST', 'Tue Jun 04 14:05:13 2019', 'Tue Jun 04 14:05:13 PDT 2019', '2019-06-04 14:05:13 AD', '06/04/2019 14:05', '2019-06-04  14:05:13', '2019-06-04 14:5:3', '2019-6-4 1:2:3', '2019-06-04 14', '2019-06-04T14', '2019-06-04 14:05:13,5', '14:05 2019-06-04', '2019-06-04 1405', '2019-155', '2019-06-04 14:05:13.', '2019-06-04 14:05:13 UTC', '2019-06-04 14:05:13z', '2019-06-04 14:05:13 +02:00'],
    'timestamp with time zone': ['2019-06-04 14:05:13', '2019-06-04T14:05:13Z', '2019-06-04 14:05:13+02', '2019-06-04 14:05:13-05:30', '2019-06-04 14:05:13+0530', '2019-06-04 14:05:13+05:30:15', '2019-06-04 14:05:13 PST', '2019-06-04 14:05:13 EDT', '2019-06-04 14:05:13 America/New_York',
                 '2019-06-04 14:05:13 europe/vienna', '2019-06-04 14:05:13+16', '2019-06-04 14:05:13+15:59', '2019-06-04 14:05:13 Nowhere/City', 'infinity', 'epoch', '2024-03-31 02:30:00 Europe/Vienna', '2024-10-27 02:30:00 Europe/Vienna', '1890-01-01 00:00 Europe/Vienna', '2050-07-01 12:00 Europe/Vienna', '2050-01-01 12:00 Europe/Vienna',
                 '2019-06-04', '2024-06-01 12:00 utc', '2024-06-01 12:00 EST5EDT', '2024-03-10 02:30:00', '2024-11-03 01:30:00', '2024-11-03 01:30:00-05', '1883-11-18 12:00:00', '0044-03-15 12:00 BC', '2019-06-04 14:05:13.000001+00', '2019-06-04 14:05:13 Z', '2019-06-04 14:05:13 GMT', '2019-06-04 14:05:13 CEST'],
    'interval': ['1 day 02:03:04', '90 days', 'P1Y2M', 'P1Y2M3W4DT5H6M7.5S', 'PT0.5S', 'P-1Y-2M3D', 'P0001-02-03T04:05:06', '1 mon -1 days', '-1 mon +1 day', '1 year 2 mons', '-1 year', '1.5 days', '1.5 months', '1.5 years', '0.3 years', '1.1 weeks', '2 weeks', '90', '1:30', '1:30:15.5', '-1:30', '1 12:59:10',
                 '1-2', '-1-2', '1 day ago', '1 day -1 hour ago', '1h', '5m', '3s', '100ms', '5us', '1 decade', '1 century', '1 millennium', '0', '', 'x', '1 x', '1 day 1 day', '1 day 2', '@ 1 minute', '1 minute 30', '10000000000 years', '1 hour 30 minutes', '25 hours', '100 hours 70 minutes', '-0.5 seconds', '1.000001 seconds',
                 '1 day -00:00:01', '-1 day +00:00:01', '1 mon 1 day -1 hour', '1 day 25:00', '0:0:0.0000005', '1.5 hours', '0.1 days', 'P', 'PT', 'P1', 'P1YT', '1 year ago 2 days', 'P1.5D', 'P1DT12H', '1 day,2 hours', '3.5:00', '1:60', '12:34.5', '1:2:3:4', '+1 day', '1 - 2', '1.2.3 days', '1e3 days'],
    'json': ['{"a":1}', ' {"b" : [1, 2.0, 1e5]} ', '[]', '"x"', 'null', 'tru', '{', '{"a"}', '[1,]', '{"a":1,}', '01', '1.', '-', '-0', '"\\u00e4"', '"\\ud83d\\ude00"', '"\\x"', '"a', '', 'nan', "{'a':1}", '1 2', '"\\u00"', '[1 2]', '{"a" 1}', '"\t"', 'truex', '{1:2}', '1e999999'],
    'jsonb': ['{"b":1,"a":2}', '{"aa":1,"b":2,"a":3}', '{"a":1,"a":2}', ' [1,2.0,1e5, 1E-3, -0, 100.00] ', '"\\u00e4\\n\\u0001\\/"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\u0000"', '{"a":{"c":[],"b":{}}}', 'true', '{"ä":1,"zz":2}', '12345678901234567890.12345', '"\\b\\f\\r\\t\\\\\\""', '{"":1}', '[[[1]]]'],
    'integer[]': ['{}', '{1,2,3}', '{1,NULL,null}', ' { 1 , 2 } ', '{1,x}', '{1', '1,2', '{1,,2}', '{1,}', '{1}x', '{"1","2"}', '{1 2}', '{99999999999}'],
    'text[]': ['{}', '{a,b}', '{"a b",c}', '{"NULL",NULL}', '{"a\\"b","c\\\\d"}', '{a\\,b}', '{""}', '{"{x}"}', '{ a b , c }', '{"a"b}', '{null}', '{nUll}'],
    'double precision[]': ['{1,1.5,NaN,1e20}'],
    'date[]': ['{2024-01-05,infinity}'],
    'numeric(5,2)[]': ['{1,2.345}'],
}
ZONES = {'timestamp with time zone': ['UTC', 'America/New_York', 'Europe/Vienna', 'Asia/Kolkata', 'EST5EDT', '<+02>-2']}


def escape(text):
    return text.replace('\\', '\\\\').replace('\t', '\\t').replace('\n', '\\n')


def literal(text):
    return "E'" + text.replace('\\', '\\\\').replace("'", "\\'").replace('\t', '\\t').replace('\n', '\\n') + "'"


def ask(conninfo, queries):
    """The answers of (zone, query) pairs, in order."""
    script = [TRY]
    zone = None
    for wanted, query in queries:
        if wanted != zone:
            script.append(f"SET timezone = '{wanted}';")
            zone = wanted
        answer = f'pg_temp.try({literal(query)})'
        script.append("SELECT replace(replace(replace(%s, '\\', '\\\\'), E'\\t', '\\t'), E'\\n', '\\n');" % answer)
    done = subprocess.run(['psql', '-X', '-q', '-A', '-t', conninfo], input='\n'.join(script), text=True,
                          capture_output=True, check=True)
    answers = done.stdout.split('\n')[:-1]
    if len(answers) != len(queries):
        sys.exit(f'{len(queries)} questions, {len(answers)} answers\n{done.stderr}')
    return answers


def make_text(conninfo):
    cases = [(zone, kind, text) for kind, texts in TEXTS.items() for zone in ZONES.get(kind, ['UTC']) for text in texts]
    # Lengths as in an assignment: a cast would cut.
    inputs = {'character varying(3)': 'varcharin({}::cstring, 0, 7)', 'character(3)': 'bpcharin({}::cstring, 0, 7)'}
    answers = ask(conninfo, [(zone, f"SELECT concat({inputs.get(kind, '{}::' + kind).format(literal(text))})") for zone, kind, text in cases])
    return [f'{zone}\t{kind}\t{escape(text)}\t{answer}' for (zone, kind, text), answer in zip(cases, answers)]


def random_numeric(rng):
    kind = rng.randrange(20)
    if kind == 0:
        return rng.choice(['NaN', 'Infinity', '-Infinity', '0', '0.000', '-1', '1', '1.0', '10', '0.5'])
    if kind == 1:
        digits, scale = rng.randint(30, 120), rng.randint(0, 60)
    elif kind < 8:
        digits, scale = rng.randint(1, 4), rng.randint(0, 4)
    else:
        digits, scale = rng.randint(1, 25), rng.randint(0, 25)
    number = rng.choice(['', '-']) + str(rng.randrange(10 ** digits)).zfill(scale + 1)
    return number[:-scale] + '.' + number[-scale:] if scale else number


def make_numeric(conninfo):
    rng = random.Random(15)
    operations = []
    for name in ['+', '-', '*', '/', '%', '=', '<']:
        for _ in range(70):
            operations.append((name, random_numeric(rng), random_numeric(rng)))
    for _ in range(50):
        operations.append(('div', random_numeric(rng), random_numeric(rng)))
    for name in ['round', 'trunc']:
        for _ in range(50):
            operations.append((name, random_numeric(rng), str(rng.randint(-5, 30))))
    for name in ['ceil', 'floor', 'abs', '-']:
        for _ in range(20):
            operations.append((name, random_numeric(rng)))
    positive = lambda: random_numeric(rng).lstrip('-') if rng.random() < 0.9 else random_numeric(rng)
    for name in ['sqrt', 'ln']:
        for _ in range(70):
            operations.append((name, positive()))
        for text in ['0', '1', '2', '1.0000000001', '0.99999999999999', '1e-100', '1e100', '0.000', '1.1', '0.9', '3']:
            operations.append((name, text))
    for text in ['0', '1', '-1', '2.5', '10', '100', '1000.5', '-100', '5999', '-5999', '6001', '-6001', '0.0001', '1e-20', '-14.5', '-13', '0.693147180559945', '37.2']:
        operations.append(('exp', text))
    for _ in range(50):
        operations.append(('exp', f'{rng.uniform(-60, 60):.{rng.randint(0, 20)}f}'))
    for _ in range(60):
        operations.append(('log', positive(), positive()))
    operations += [('log', '10', text) for text in ['1', '10', '100', '1000', '0.001', '2', '12345678901234567890']]
    for _ in range(60):
        operations.append(('power', random_numeric(rng)[:12].rstrip('.'), str(rng.randint(-30, 30))))
    for _ in range(80):
        operations.append(('power', f'{rng.uniform(0, 100):.{rng.randint(0, 8)}f}', f'{rng.uniform(-20, 20):.{rng.randint(1, 8)}f}'))
    operations += [('power', a, b) for a, b in [
        ('0', '0'), ('0', '1'), ('0', '-1'), ('0', '0.5'), ('0', '-0.5'), ('-2', '3'), ('-2', '0.5'), ('-8', '2'), ('2', '0.5'), ('10', '100'), ('10', '-100'), ('10', '131071'), ('10', '131072'), ('1', 'NaN'), ('NaN', '0'), ('NaN', '1'),
        ('Infinity', '0'), ('Infinity', '2'), ('Infinity', '-2'), ('-Infinity', '3'), ('-Infinity', '2'), ('-Infinity', '-3'), ('2', 'Infinity'), ('0.5', 'Infinity'), ('2', '-Infinity'), ('0.5', '-Infinity'), ('1', 'Infinity'), ('-1', 'Infinity'), ('-2', 'Infinity'), ('0', 'Infinity'), ('0', '-Infinity'),
        ('1.0000001', '1000000'), ('1.5', '1000'), ('0.5', '1000'), ('-1', '1000001'), ('3', '2147483648'), ('1', '2147483648'), ('-1', '2147483649'), ('0.1', '20000'), ('2', '3.0'), ('2.00', '3'), ('-2', '-3'), ('100', '0.5'), ('1.1', '1'), ('1.123456789012345678', '1'), ('7', '-1'), ('123.456', '2'),
        ('Infinity', '0.5'), ('-Infinity', '0.5'), ('NaN', 'NaN'), ('2', 'NaN'), ('12345.6789', '7.5'), ('0.00001', '3.3')]]
    def query(operation):
        name, *args = operation
        args = [f"'{arg}'::numeric" for arg in args]
        if name in ('round', 'trunc'):
            args[1] = args[1].replace('numeric', 'integer')
        return f'SELECT {name}({", ".join(args)})::text' if name.isalpha() else f'SELECT ({f" {name} ".join(args) if len(args) == 2 else name + args[0].join("()")})::text'
    answers = ask(conninfo, [('UTC', query(operation)) for operation in operations])
    return ['\t'.join(operation) + '\t' + answer for operation, answer in zip(operations, answers)]


def main():
    folder = pathlib.Path(__file__).parent
    for name, make in (('text.tsv', make_text), ('numeric.tsv', make_numeric)):
        lines = [re.sub(' +$', lambda blanks: '\\s' * len(blanks[0]), line) for line in make(sys.argv[1])]
        (folder / name).write_text('\n'.join(lines) + '\n')


main()
