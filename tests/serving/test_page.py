"""The page in a real browser: Chromium without a window, driven by Playwright, against a server of ours."""

import re
import shutil
import sqlite3
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import pytest

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.generate import Completion
from forge_lib.models.opening import _weights
from forge_lib.serving import model as models
from forge_lib.serving.demo import serving
from forge_lib.serving.model import Model
from forge_lib.tasks.sql.prompt import NO_ANSWER
from forge_lib.tasks.sql.review import read_decisions

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.enable_socket,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed"),
]
expect = playwright.expect
EVIL = "<img src=x onerror=\"window.hacked='rows'\"> ${window.hacked='t'} {{value}}"
ANSWERS = {
    "Sales by city": "SELECT city, sales FROM shops",
    "Who is the owner?": NO_ANSWER,
}
WAIT_MS = 30_000  # what a busy machine may take


def by_heart(messages, limit: int, grammar: str | None = None) -> Completion:
    return Completion(ANSWERS[messages[-1]["content"]], 99, 9, 0.5, True)


def make(path: Path, script: str) -> Path:
    with sqlite3.connect(path) as database:
        database.executescript(script)
    database.close()
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory, random_llama, tokenizer):
    """A served page with two models: one that knows its answers by heart, and a real one of two narrow layers."""
    folder = tmp_path_factory.mktemp("site")
    shops = make(folder / "shops.sqlite", f"""
        CREATE TABLE shops (id INTEGER PRIMARY KEY, city TEXT, sales REAL);
        CREATE TABLE staff (id INTEGER PRIMARY KEY, shop_id INTEGER REFERENCES shops(id), name TEXT);
        INSERT INTO shops VALUES (1, 'Lund', 10.5), (2, 'Łódź', 7), (3, '{EVIL.replace("'", "''")}', 3);
    """)  # fmt: skip
    small = models.served(_weights("small", "Random weights.", PROFILES["cpu"], random_llama()))
    short = Model(
        "small", small.about, small.tokenizer, lambda messages, limit, grammar: small.complete(messages, 8, grammar)
    )
    heart = Model(f"by heart {EVIL}", "It knows two answers.", tokenizer, by_heart)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_HEARTBEAT_INTERVAL", "1")
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
        review = folder / "own" / "decisions.jsonl"
        with serving(
            [heart, short], {"shops": shops}, folder / "up", review, {}, f"A remark {EVIL}", port=None, max_mb=1
        ) as url:
            yield url, folder


@pytest.fixture(scope="module")
def browser(site):
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(site, browser):
    """The page, loaded; at the end nothing was asked of another host, and no script of a database has run."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page, hosts, problems = context.new_page(), set(), []
    page.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    page.on("request", lambda request: hosts.add(urlparse(request.url).hostname))
    page.on("dialog", lambda dialog: problems.append(dialog.message) or dialog.dismiss())
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(site[0])
    expect(page.locator("#schema svg")).to_be_visible()
    yield page
    assert page.evaluate("window.hacked") is None and problems == []
    assert hosts <= {"127.0.0.1", "localhost", None, ""}
    context.close()


def upload(page, path: Path) -> None:
    page.locator("#upload").locator("xpath=..").locator("input[type=file]").first.set_input_files(str(path))


def write_sql(page, sql: str) -> None:
    page.locator("#sql-0 .cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(sql)


def test_a_database_is_uploaded_asked_corrected_and_judged(page, site):
    _, folder = site
    own = make(folder / "магазин.db", """
        CREATE TABLE "Продажи 2024" (город TEXT, сумма REAL); INSERT INTO "Продажи 2024" VALUES ('Казань', 2.5), ('Омск', 1);
    """)  # fmt: skip
    upload(page, own)
    expect(page.locator("#uploaded")).to_contain_text("магазин.db is here")
    expect(page.locator("#schema")).to_contain_text("Продажи 2024")
    assert len(list((folder / "up").rglob("*.sqlite"))) == 1 and not list((folder / "gradio").rglob("*.db"))
    page.locator("#question textarea").fill("How much was sold?")
    page.locator("#ask").click()
    expect(page.locator("#note-1")).to_contain_text(re.compile(r"\d+ tokens read, \d+ written"))  # of the real model
    expect(page.locator("#note-0")).to_contain_text("failed")  # the other does not know this one; nothing is lost
    expect(page.locator("#question textarea")).to_have_value("How much was sold?")
    page.locator("#up-0").click()
    expect(page.locator("#thanks-0")).to_contain_text("There is no answer yet")
    write_sql(page, 'SELECT город, сумма FROM "Продажи 2024"')
    page.locator("#run-0").click()
    expect(page.locator("#note-0")).to_contain_text("2 rows")
    expect(page.locator("#rows-0")).to_contain_text("Казань")
    expect(page.locator("#chart-0 canvas, #chart-0 svg").first).to_be_visible()
    page.locator("#up-0").click()
    expect(page.locator("#thanks-0")).to_contain_text("which notebook 10 reads")
    (decision,) = read_decisions(folder / "own" / "decisions.jsonl")
    assert (decision.verdict, decision.db_id, decision.question) == ("accept", "магазин", "How much was sold?")
    assert decision.sql == 'SELECT город, сумма FROM "Продажи 2024"'
    page.goto("about:blank")  # the page is closed, as far as the server knows
    ends = time.monotonic() + WAIT_MS / 1000
    while (left := list((folder / "up").rglob("*.sqlite"))) and time.monotonic() < ends:
        time.sleep(0.1)
    assert left == []


def test_what_a_database_holds_is_shown_and_not_run(page):
    page.locator("#question textarea").fill("Sales by city")
    page.keyboard.press("Enter")
    expect(page.locator("#note-0")).to_contain_text("3 rows")
    expect(page.locator("#rows-0")).to_contain_text("<img src=x onerror=")
    expect(page.locator("#model-0 h3")).to_contain_text("{{value}}")
    expect(page.locator("#chart-0 canvas, #chart-0 svg").first).to_be_visible()
    write_sql(page, "SELECT '<script>window.hacked=1</script>' AS \"<img src=x onerror=window.hacked=2>\"")
    page.locator("#run-0").click()
    expect(page.locator("#note-0")).to_contain_text("1 row,")
    expect(page.locator("#rows-0")).to_contain_text("<script>window.hacked=1</script>")
    write_sql(page, 'SELECT "<img src=x onerror=window.hacked=3>${window.hacked=4}" FROM shops, staff WHERE x{{value}}')
    page.locator("#run-0").click()
    expect(page.locator("#note-0")).to_contain_text("The query does not run")
    assert page.evaluate("window.hacked") is None, "something of a database has run as a script"


def test_the_unanswerable_is_said_plainly(page):
    page.locator("#question textarea").fill("Who is the owner?")
    page.locator("#ask").click()
    expect(page.locator("#note-0")).to_contain_text("This looks unanswerable")
    expect(page.locator("#rows-0")).to_be_hidden()
    assert "the model says that these tables do not hold the answer" in page.locator("#note-0").inner_text()


@pytest.mark.parametrize("sql", ["DROP TABLE shops", "ATTACH 'x.db' AS x", "SELECT 1; DELETE FROM shops"])
def test_hostile_sql_is_refused_and_changes_nothing(page, site, sql):
    before = (site[1] / "shops.sqlite").read_bytes()
    write_sql(page, sql)
    page.locator("#run-0").click()
    expect(page.locator("#note-0 .note.error")).to_be_visible()
    assert (site[1] / "shops.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("photo.db", b"\xff\xd8\xff", "photo.db is not a SQLite database"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("large.db", b"0" * (3 * 2**20), 'exceed the maximum allowed size of 1.0 Mb: "large.db"'),
    ],
)
def test_a_bad_upload_is_one_sentence_and_loses_nothing(page, site, tmp_path, name, content, sentence):
    page.locator("#question textarea").fill("Sales by city")
    (tmp_path / name).write_bytes(content)
    upload(page, tmp_path / name)
    expect(page.locator("body")).to_contain_text(sentence)
    expect(page.locator("#question textarea")).to_have_value("Sales by city")
    expect(page.locator("#schema")).to_contain_text("shops")
    assert not list((site[1] / "up").rglob(name))


def test_a_large_upload_past_the_page_is_refused_too(site):
    with pytest.raises(urllib.error.HTTPError) as refused:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="large.db"\r\n\r\n'
            + b"0" * 2**21
            + b"\r\n--x--\r\n"
        )
        request = urllib.request.Request(
            f"{site[0]}gradio_api/upload", body, {"Content-Type": "multipart/form-data; boundary=x"}
        )
        urllib.request.urlopen(request)
    assert refused.value.code == 413 and not list(site[1].rglob("large.db"))


def test_a_phone_shows_all_of_it_in_its_width(site, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(site[0])
    expect(page.locator("#schema svg")).to_be_visible(timeout=WAIT_MS)
    page.locator("#question textarea").fill("Sales by city")
    page.locator("#ask").click()
    expect(page.locator("#note-0")).to_contain_text("3 rows", timeout=WAIT_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in ("#database", "#upload", "#question", "#ask", "#sql-0", "#run-0", "#rows-0", "#up-0"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, part
    write_sql(page, f"SELECT '{'wide ' * 40}' AS a, '{'wide ' * 40}' AS b")
    page.locator("#run-0").click()
    expect(page.locator("#note-0")).to_contain_text("1 row,", timeout=WAIT_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
