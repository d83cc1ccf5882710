"""An API that answers as OpenWeather does, failures included, and one with pages and a cursor."""
import http.server
import json
import signal
import sqlite3
import threading
import time
import urllib.parse

import pytest

WEATHER = """
CREATE SERVER api FOREIGN DATA WRAPPER http OPTIONS (url '${API}');
CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (appid '${KEY}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');
CREATE TABLE places (place text, lat double precision, lon double precision);
INSERT INTO places VALUES ('Vienna', 48.2, 16.4), ('São Paulo', -23.5, -46.6), ('Nowhere', 0, 0);
CREATE FOREIGN TABLE weather (
    place    text             OPTIONS (metadata 'each.place'),
    asked    timestamptz      OPTIONS (metadata 'requested_at'),
    raw      json             OPTIONS (metadata 'body'),
    city     text             OPTIONS (name 'name') NOT NULL,
    temp     double precision OPTIONS (path '$.main.temp'),
    temp_max double precision OPTIONS (path '$.main.temp_max'),
    dt       bigint
) SERVER api OPTIONS (path '/data/2.5/weather?q={place}&appid={appid}', for_each 'places',
                      every '200 ms', retries '2', timeout '5s');
CREATE FOREIGN TABLE observations () SERVER warehouse;
CREATE FOREIGN TABLE warmest () SERVER warehouse OPTIONS (key 'place');
INSERT INTO observations SELECT place, city, temp, dt, raw, asked FROM weather;
INSERT INTO warmest SELECT place, max(temp_max) AS temp_max FROM weather GROUP BY place;
"""
KEY = "s3cret/key"


class Api(http.server.BaseHTTPRequestHandler):
    """What the tests say is in `server.script`: path → answers to come, before the usual one."""
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.server.asked.append((url.path, query, dict(self.headers)))
        script = self.server.script.get(query.get("q", url.path), [])
        status, headers, body = script.pop(0) if script else self.server.answer(url.path, query)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def weather(path, query):
    if query.get("appid") != KEY:
        return 401, {}, {"cod": 401, "message": "Invalid API key."}
    if "lat" in query:
        return 200, {}, {"coord": {"lat": float(query["lat"]), "lon": float(query["lon"])},
                         "main": {"temp": 300.5, "temp_max": 301}, "dt": 1, "name": "there"}
    if query["q"] == "Nowhere":
        return 404, {}, {"cod": "404", "message": "city not found"}
    return 200, {}, {"main": {"temp": 290.25, "temp_max": 295.5}, "dt": 1700000000,
                     "name": query["q"]}


@pytest.fixture
def api(leat):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.script, server.asked, server.answer = {}, [], weather
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    leat.environment = {"API": f"http://127.0.0.1:{server.server_port}", "KEY": KEY}
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def table(leat, query):
    with sqlite3.connect(leat.home / "w.db") as db:
        return db.execute(query).fetchall()


def everything(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_each_place_is_asked_for(leat, api):
    pipeline = leat.write("weather.sql", WEATHER)
    _, said = leat.finish(["run", pipeline, "--state", leat.home / "state"], 0)
    assert [query["q"] for _, query, _ in api.asked] == ["Vienna", "São Paulo", "Nowhere"]
    assert table(leat, "SELECT place, city, temp, dt FROM observations") == [
        ("Vienna", "Vienna", 290.25, 1700000000), ("São Paulo", "São Paulo", 290.25, 1700000000)]
    raw = json.loads(table(leat, "SELECT raw FROM observations LIMIT 1")[0][0])
    assert raw["main"] == {"temp": 290.25, "temp_max": 295.5}
    rejected = leat("rejects", pipeline, "--state", leat.home / "state")
    assert "HTTP 404" in rejected and "city not found" in rejected
    # The key is nowhere: neither as it is nor as urls spell it.
    for secret in (KEY, urllib.parse.quote(KEY, safe="")):
        assert secret not in said + rejected
        assert secret.encode() not in everything(leat.home / "state")
        assert secret.encode() not in (leat.home / "w.db").read_bytes()
    # Answers that a checkpoint has are not kept.
    assert not list((leat.home / "state").rglob("answer-*"))
    leat.run(pipeline)
    assert len(api.asked) == 6 and len(table(leat, "SELECT 1 FROM observations")) == 4


def test_by_latitude_and_longitude(leat, api):
    pipeline = leat.write("weather.sql", WEATHER.replace("q={place}", "lat={lat}&lon={lon}"))
    leat.run(pipeline)
    assert [(query["lat"], query["lon"]) for _, query, _ in api.asked][0] == ("48.2", "16.4")
    assert table(leat, "SELECT place, city, temp FROM observations")[0] == ("Vienna", "there", 300.5)


def test_busy_servers_are_asked_again(leat, api):
    api.script = {"Vienna": [(429, {"Retry-After": "0"}, {"cod": 429}), (503, {}, b"away")]}
    pipeline = leat.write("weather.sql", WEATHER)
    leat.run(pipeline)
    assert [query["q"] for _, query, _ in api.asked] == ["Vienna"] * 3 + ["São Paulo", "Nowhere"]
    assert len(table(leat, "SELECT 1 FROM observations")) == 2
    api.script = {"São Paulo": [(500, {}, b"") for _ in range(9)]}
    said = leat.fails("run", pipeline, "--state", leat.home / "state", code=1)
    assert "HTTP 500" in said and "{appid}" in said and "s3cret" not in said
    # Nothing of the run that failed was committed, so its round begins again.
    api.script, api.asked[:] = {}, []
    leat.run(pipeline)
    assert [query["q"] for _, query, _ in api.asked] == ["Vienna", "São Paulo", "Nowhere"]
    assert len(table(leat, "SELECT 1 FROM observations WHERE place = 'Vienna'")) == 2


def test_a_wrong_key_is_said(leat, api):
    leat.environment["KEY"] = "0ther"
    said = leat.fails("run", leat.write("weather.sql", WEATHER), "--state", leat.home / "s", code=1)
    assert "HTTP 401" in said and "0ther" not in said


def test_killed_while_following(leat, api):
    pipeline = leat.write("weather.sql", WEATHER)
    served = []

    def counted(path, query):
        status, headers, body = weather(path, query)
        if status == 200:
            body["dt"] = len(served)
            served.append(query["q"])
        return status, headers, body
    api.answer = counted
    for i in range(5):
        process = leat.start("run", pipeline, "--follow", "--state", leat.home / "state",
                             "--checkpoint-interval", "1")
        time.sleep(0.4 + 0.17 * i)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    leat.run(pipeline)
    seen = [row[0] for row in table(leat, "SELECT dt FROM observations ORDER BY dt")]
    assert len(seen) > 6 and len(seen) == len(set(seen)), "an answer came twice"
    # At each kill one answer may have been on its way; none that was taken is missing.
    assert len(served) - 5 <= len(seen) <= len(served)


PAGES = """
CREATE SERVER api FOREIGN DATA WRAPPER http OPTIONS (url '${API}');
CREATE SERVER warehouse FOREIGN DATA WRAPPER database OPTIONS (url 'sqlite:w.db');
CREATE FOREIGN TABLE orders (id bigint PRIMARY KEY, updated timestamptz, amount numeric(8,2))
    SERVER api OPTIONS (path '/orders?since={cursor}', headers 'X-Team: data', root 'items', PAGING,
                        cursor 'updated', cursor_start '2024-01-01', overlap '1 hour');
CREATE FOREIGN TABLE copies () SERVER warehouse;
INSERT INTO copies SELECT id, amount FROM orders;
"""


@pytest.mark.parametrize("paging", ["next '$.paging.next'", "next 'link'",
                                    "page 'p', page_first '0'"])
def test_pages_and_a_cursor(leat, api, paging):
    orders = [{"id": i, "updated": f"2024-05-01T{i:02d}:00:00Z", "amount": "1.50"}
              for i in range(10)]

    def answer(_, query):
        since, page = query["since"], int(query.get("p", 0))
        found = [order for order in orders if order["updated"] >= since]
        rest = found[page * 3 + 3:]
        link = f"/orders?since={since}&p={page + 1}"
        body = {"items": found[page * 3:page * 3 + 3],
                "paging": {"next": link if rest else None}}
        return 200, {"Link": f'<{link}>; rel="next"'} if rest else {}, body
    api.answer = answer
    pipeline = leat.write("orders.sql", PAGES.replace("PAGING", paging))
    leat.run(pipeline)
    assert [row[0] for row in table(leat, "SELECT id FROM copies")] == list(range(10))
    assert api.asked[0][1]["since"] == "2024-01-01" and api.asked[0][2]["X-Team"] == "data"
    # One that came late, within the overlap, and a new one; the others are known.
    orders.append({"id": 100, "updated": "2024-05-01T08:30:00Z", "amount": "2"})
    orders.append({"id": 101, "updated": "2024-05-01T11:00:00Z", "amount": "3"})
    api.asked[:] = []
    leat.run(pipeline)
    assert api.asked[0][1]["since"] == "2024-05-01T08:00:00Z"
    assert sorted(row[0] for row in table(leat, "SELECT id FROM copies")) == [*range(10), 100, 101]


def test_links_to_another_server_are_not_followed(leat, api):
    api.answer = lambda *_: (200, {"Link": '<http://elsewhere.example/orders>; rel="next"'},
                             {"items": []})
    pipeline = leat.write("orders.sql", PAGES.replace("PAGING", "next 'link'"))
    said = leat.fails("run", pipeline, "--state", leat.home / "state", code=1)
    assert "links to another server" in said


def test_what_it_cannot_do_is_refused(leat, api):
    said = leat.fails("check", leat.write("a.sql", PAGES.replace("PAGING", "nxt 'link'")), code=2)
    assert "invalid option \"nxt\"" in said
    wrong = PAGES.replace("PAGING", "next 'link'").replace("{cursor}", "{cursr}")
    said = leat.fails("run", leat.write("b.sql", wrong), "--state", leat.home / "s", code=2)
    assert '"{cursr}" in the option "path" names nothing' in said
    said = leat.fails("run", leat.write("c.sql", WEATHER.replace("'places'", "'plces'")),
                      "--state", leat.home / "s", code=2)
    assert 'relation "plces" does not exist' in said


def test_the_example_over_openweather(leat, api, root):
    leat.environment = {"OPENWEATHER": leat.environment["API"], "OPENWEATHER_KEY": KEY,
                        "WAREHOUSE": f"sqlite:{leat.home}/w.db", "ARCHIVE": str(leat.home / "raw")}
    leat.run(root / "examples/weather/api.sql")
    assert [query["q"] for _, query, _ in api.asked] == ["Vienna", "Lagos", "Lima"]
    assert table(leat, "SELECT day, temp_avg FROM daily_from_api") == [("2023-11-14", 290.25)]
    assert len(list((leat.home / "raw").rglob("*.ndjson"))) == 1
