"""The web page in a headless Chromium; requests to any other host are blocked and counted."""

import io
import json
import re
import shutil
import subprocess
import tarfile
import threading

import numpy as np
import pytest

from ecgbeat.annotation import AnnotatedBeats, encode_beats, summarize_beats
from ecgbeat.app._annotations import beats_part, signal_part
from ecgbeat.app._models import Model
from ecgbeat.app._report import _summary_page
from ecgbeat.app._requests import RequestError
from ecgbeat.app._uploads import Recording
from ecgbeat.datasets import make_heartbeats, make_recording
from ecgbeat.datasets.wfdb.record import parse_annotation
from ecgbeat.pretrained import load_pretrained

sync_api = pytest.importorskip("playwright.sync_api", reason="requires Playwright")
expect = sync_api.expect
AXE = "axe-core@4.14.1"
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
HOSTILE = '<img src=x onerror="window.hacked=1">'

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("requires a Chromium")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, server):
    """Return a function that opens the page in a window of its own."""
    contexts, foreign, errors = [], [], []

    def block(route):
        foreign.append(route.request.url)
        route.abort()

    def open_in(viewport=DESK, **options):
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        contexts.append(context)
        context.route(lambda url: not url.startswith((server, "blob:")), block)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: "Content Security" in message.text and errors.append(message.text),
        )
        page.set_default_timeout(30_000)
        page.goto(server)
        return page

    yield open_in
    for context in contexts:
        context.close()
    assert foreign == []
    assert errors == []


@pytest.fixture
def page(open_page):
    return open_page()


class KnownBeats:
    """Annotator that finds the beats that it was given."""

    def __init__(self, beats, fitted):
        self.beats, self.classes_ = beats, fitted.classes_
        self.symbols, self.mapping = fitted.symbols, fitted.mapping

    def predict(self, recordings, *, fs):  # noqa: ARG002
        return [self.beats]


def in_parts(*parts):
    """Return the body of an answer."""
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)


@pytest.fixture(scope="module")
def made(quick_models):
    """Body of a recording with known beats, errors, a gap and uncertain beats."""
    ecg = make_recording(120, n_leads=2, weights={"N": 0.8, "A": 0.1, "V": 0.1}, random_state=1)
    label = np.where(ecg.symbols == "A", "S", ecg.symbols).astype("<U1")
    fitted = quick_models("nsvf")
    classes = fitted.classes_.tolist()
    probability = np.full((len(label), len(classes)), 0.02)
    probability[np.arange(len(label)), [classes.index(name) for name in label]] = 0.94
    probability[[7, 30]] = 0.25
    beats = AnnotatedBeats(ecg.r_peaks, label.astype(object), probability)
    beats.unreadable = np.array([[20 * 360, 24 * 360]])
    reference = ecg.symbols.copy()
    reference[12] = "V" if label[12] != "V" else "N"
    annotation = ecg.annotation._replace(
        sample=np.delete(ecg.r_peaks, 40), symbol=np.delete(reference, 40)
    )
    recording = Recording(ecg.signal, ecg.fs, ecg.lead_names, HOSTILE, annotation)
    card = {"name": "nsvf", "title": "N, S, V and F", "not_for": "Not a medical device."}
    model = Model(KnownBeats(beats, fitted), card)
    return in_parts(signal_part(recording, model), beats_part(recording, model))


def beats_of(body):
    return json.loads(body[4 + int.from_bytes(body[:4], "little") + 4 :])


def show(page, body):
    """Show a body as the answer to the button of a simulated patient."""
    page.route("**/page/simulate", lambda route: route.fulfill(body=body))
    page.click("#simulate")
    page.wait_for_selector("#view-recording:not([hidden])")
    page.wait_for_selector("#rows .row")


@pytest.fixture
def shown(page, made):
    show(page, made)
    return page


def status(page):
    page.wait_for_timeout(60)
    return page.text_content("#status")


def bytes_of(page, selector):
    """Return the pixels of a canvas as text, to compare."""
    page.wait_for_timeout(60)
    return page.evaluate("selector => document.querySelector(selector).toDataURL()", selector)


def save(page, selector, tmp_path):
    with page.expect_download() as download:
        page.click(selector)
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


# --- opening ----------------------------------------------------------------------------


def test_wfdb_record_opens_with_its_errors_and_report(page, tmp_path):
    ecg = make_recording(40, n_leads=2, weights={"N": 0.8, "V": 0.2}, random_state=5)
    n_times = ecg.signal.shape[1]
    lines = [f"mine 2 360 {n_times}", *("mine.dat 16 1000" for _ in ecg.lead_names)]
    (tmp_path / "mine.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (1000 * ecg.signal.T).round().astype("<i2").tofile(tmp_path / "mine.dat")
    beats = AnnotatedBeats(ecg.r_peaks, ecg.symbols, None)
    (content,) = encode_beats(beats, fs=360, format="wfdb", record_name="mine").values()
    (tmp_path / "mine.atr").write_bytes(content)
    files = [tmp_path / f"mine.{kind}" for kind in ("hea", "dat")]
    page.set_input_files("#files", files[0])
    expect(page.locator("#needed")).to_contain_text(".dat")
    assert page.is_hidden("#annotate")
    page.set_input_files("#files", [files[1], tmp_path / "mine.atr"])
    page.wait_for_selector("#view-recording:not([hidden])")
    assert page.inner_text("#record-name") == "mine"
    assert "2 leads" in page.inner_text("#record-facts")
    page.click("#ec57 summary")
    assert "EC57" in page.inner_text("#ec57-text")


def test_numpy_file_asks_for_rate_and_unit(page, tmp_path):
    np.save(tmp_path / "ward.npy", 1000 * make_recording(10, random_state=2).signal)
    page.set_input_files("#files", tmp_path / "ward.npy")
    page.wait_for_selector("#fs", state="visible")
    page.fill("#fs", "360")
    page.select_option("#unit", "uV")
    page.click("#annotate")
    page.wait_for_selector("#view-recording:not([hidden])")
    assert page.inner_text("#record-facts").startswith("10 s · ")
    # not stretched over the whole paper
    assert ", 25 mm/s, " in page.inner_text("#reading")


def test_chosen_lead_is_read(page, tmp_path):
    leads = make_recording(10, n_leads=2, random_state=2).signal
    text = "\n".join(["I,V5", *(f"{a:.3f},{b:.3f}" for a, b in leads.T)])
    (tmp_path / "two.csv").write_text(text)
    page.click("#reading-options summary")
    page.fill("#leads", "V5")
    page.set_input_files("#files", tmp_path / "two.csv")
    page.wait_for_selector("#fs", state="visible")
    page.fill("#fs", "360")
    page.click("#annotate")
    page.wait_for_selector("#view-recording:not([hidden])")
    assert " · lead V5 · " in page.inner_text("#record-facts")


def test_damaged_file_is_read_if_asked(page, tmp_path):
    edfio = pytest.importorskip("edfio", reason="requires the extra data")
    record = make_recording(10, random_state=2)
    signal = edfio.EdfSignal(record.signal, 360, label="ECG II", physical_dimension="mV")
    edfio.Edf([signal], data_record_duration=1).write(tmp_path / "cut.edf")
    whole = (tmp_path / "cut.edf").read_bytes()
    file = {"name": "cut.edf", "mimeType": "", "buffer": whole[:-500]}
    page.set_input_files("#files", file)
    page.wait_for_selector("[role=alert] .alert")
    page.click("#reading-options summary")
    page.check("#damaged")
    page.click("#annotate")
    page.wait_for_selector("#view-recording:not([hidden])")
    assert page.inner_text("#record-facts").startswith("9 s")


def test_dropped_file_opens(page):
    numbers = make_recording(20, random_state=2).signal
    text = "ECG\n" + "\n".join(f"{value:.3f}" for value in numbers)
    transfer = page.evaluate_handle(
        "text => { const data = new DataTransfer();"
        "data.items.add(new File([text], 'dropped.csv')); return data; }",
        text,
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    page.wait_for_selector("#fs", state="visible")
    page.fill("#fs", "360")
    page.press("#fs", "Enter")
    page.wait_for_selector("#view-recording:not([hidden])")
    assert page.inner_text("#record-name") == "dropped"


def test_simulated_patient_of_the_server_is_drawn(page):
    page.click("#simulate")
    page.wait_for_selector("#view-recording:not([hidden])", timeout=60_000)
    assert page.inner_text("#record-facts").startswith("10 min · 2 leads")


def test_error_of_the_server_is_shown_as_its_sentence(page):
    page.set_input_files("#files", {"name": "a.edf", "mimeType": "", "buffer": b"no EDF at all"})
    page.wait_for_selector("[role=alert] .alert")
    assert page.inner_text("[role=alert] span").endswith(".")
    page.click("[role=alert] button")
    assert page.inner_text("[role=alert]") == ""


def test_progress_of_a_slow_upload_is_shown_in_percent(page):
    content = io.BytesIO()
    np.save(content, np.tile(make_recording(100, random_state=2).signal, 10))
    network = page.context.new_cdp_session(page)
    speed = len(content.getvalue()) / 3  # bytes per second
    network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": speed},
    )
    file = {"name": "a.npy", "mimeType": "", "buffer": content.getvalue()}
    page.set_input_files("#files", file)
    page.fill("#fs", "360")
    page.click("#annotate")
    shares = []
    while page.is_hidden("#view-recording"):
        words = page.text_content("#busy-text")
        if found := re.fullmatch(r"Uploading … (\d+) %", words):
            shares.append(int(found[1]))
        page.wait_for_timeout(50)
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert 0 <= shares[0] < 60 < shares[-1] <= 100
    page.wait_for_selector("#rows .row", timeout=60_000)


def test_waiting_can_be_canceled(page):
    page.route("**/page/annotate", lambda _: None)
    page.set_input_files("#files", {"name": "a.edf", "mimeType": "", "buffer": b"0"})
    page.wait_for_selector("#busy[open]")
    page.click("#cancel")
    page.wait_for_selector("#busy", state="hidden")
    assert page.is_visible("#view-start")
    assert page.inner_text("[role=alert]") == ""


# --- beats that come after the signal ---------------------------------------------------


@pytest.fixture
def hold(monkeypatch):
    """Let the server wait for an event before it looks for beats, and then call a function."""

    def hold_until(event, work=beats_part):
        def wait(*args):
            assert event.wait(60)
            return work(*args)

        monkeypatch.setattr("ecgbeat.app._server.beats_part", wait)

    return hold_until


def open_patient(page):
    page.click("#simulate")
    page.wait_for_selector("#view-recording:not([hidden])", timeout=60_000)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_signal_is_used_while_its_beats_are_found(open_page, hold, viewport):
    page, found = open_page(viewport), threading.Event()
    hold(found)
    open_patient(page)
    assert page.inner_text("#pending").startswith("Finding beats …")
    assert status(page) == "The signal is drawn. Finding beats."
    assert page.is_hidden("#findings")
    assert page.is_disabled("#report")
    top = page.locator("#paper").bounding_box()
    pictures = [bytes_of(page, "#paper"), bytes_of(page, "#overview")]
    for key in ("PageDown", "+", "v", "n"):
        page.keyboard.press(key)
        pictures[0:0] = [bytes_of(page, "#paper")]
    assert len(set(pictures)) == 4  # v and n find no beats
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    place = page.inner_text("#reading")
    found.set()
    page.wait_for_selector("#rows .row", timeout=60_000)
    assert status(page).endswith(" beats were found.")
    assert page.is_hidden("#pending")
    assert page.is_enabled("#report")
    assert page.inner_text("#reading") == place
    assert page.locator("#paper").bounding_box()["y"] == top["y"]
    assert bytes_of(page, "#paper") not in pictures


def test_search_for_beats_can_be_canceled(page, hold):
    found = threading.Event()
    hold(found)
    open_patient(page)
    page.click("#pending-cancel")
    expect(page.locator("#pending-text")).to_have_text("Beats: canceled")
    assert page.evaluate("document.activeElement.id") == "paper"
    found.set()
    page.wait_for_timeout(500)
    assert page.is_hidden("#findings")
    before = bytes_of(page, "#paper")
    page.keyboard.press("PageDown")
    assert bytes_of(page, "#paper") != before


def test_error_after_the_signal_is_shown_as_its_sentence(page, hold):
    def fail(*_):
        raise RequestError(422, "No such beats.")

    found = threading.Event()
    found.set()
    hold(found, fail)
    open_patient(page)
    page.wait_for_selector("[role=alert] .alert")
    assert page.inner_text("[role=alert] span") == "No such beats."
    assert "error" in page.inner_text("#pending")


def test_answer_that_breaks_off_is_told(page, made):
    page.route("**/page/simulate", lambda route: route.fulfill(body=made[:-20]))
    open_patient(page)
    expect(page.locator("[role=alert]")).to_contain_text("incomplete")


def test_beats_of_a_recording_that_was_left_do_not_reach_the_next_one(page, hold, made):
    found = threading.Event()
    hold(found)
    open_patient(page)
    page.click("nav [data-go=start]")
    show(page, made)
    facts, rows = page.inner_text("#record-facts"), page.inner_text("#rows")
    found.set()
    page.wait_for_timeout(1500)
    assert page.inner_text("#record-name") == HOSTILE
    assert (page.inner_text("#record-facts"), page.inner_text("#rows")) == (facts, rows)
    assert page.is_hidden("#pending")


# --- recording --------------------------------------------------------------------------


def test_html_in_names_is_text(shown):
    assert shown.inner_text("#record-name") == HOSTILE
    assert shown.evaluate("window.hacked") is None
    assert shown.query_selector("main img") is None


def test_scrolling_by_wheel_drag_and_keys(shown):
    assert shown.evaluate("document.activeElement.id") == "paper"
    seen = {shown.inner_text("#reading")}
    box = shown.locator("#paper").bounding_box()
    x, y = box["x"] + 600, box["y"] + 200
    shown.mouse.move(x, y)
    for act in (
        lambda: shown.mouse.wheel(0, 400),
        lambda: shown.mouse.wheel(300, 0),
        lambda: shown.keyboard.press("ArrowRight"),
        lambda: shown.keyboard.press("Shift+ArrowRight"),
        lambda: shown.keyboard.press("End"),
    ):
        act()
        shown.wait_for_timeout(100)
        seen.add(shown.inner_text("#reading"))
    assert len(seen) == 6
    shown.keyboard.press("Home")
    shown.mouse.down()
    shown.mouse.move(x - 189, y, steps=4)
    shown.mouse.up()
    shown.wait_for_timeout(60)
    # 189 pixels are 50 mm, which are 2 s
    assert shown.inner_text("#reading").startswith("0:02.0 to ")
    assert shown.is_hidden("#menu")


def test_speed_and_gain_in_mm(shown):
    pictures = {bytes_of(shown, "#paper")}
    for selector, value, text in (
        ("#speed", "50", "50 mm/s"),
        ("#speed", "12.5", "12.5 mm/s"),
        ("#gain", "20", "20 mm/mV"),
        ("#gain", "5", "5 mm/mV"),
    ):
        shown.select_option(selector, value)
        pictures.add(bytes_of(shown, "#paper"))
        assert text in shown.inner_text("#reading")
    assert len(pictures) == 5


def test_zoom_to_the_whole_recording(shown):
    shown.keyboard.press("+")
    shown.wait_for_timeout(60)
    assert "37.5 mm/s" in shown.inner_text("#reading")
    shown.click("#zoom-all")
    shown.wait_for_timeout(60)
    assert shown.inner_text("#reading").startswith("0:00.0 to 2:00.0")


def test_touch_scrolls_and_pinch_zooms(open_page, made):
    page = open_page(PHONE, has_touch=True, is_mobile=True)
    show(page, made)
    move = """([type, id, x]) => {
        const paper = document.querySelector('#paper');
        paper.setPointerCapture = () => {};
        const { left } = paper.getBoundingClientRect();
        paper.dispatchEvent(new PointerEvent(type, {
            pointerId: id, clientX: left + x, clientY: 300, pointerType: 'touch', bubbles: true,
        }));
    }"""
    for step in (("pointerdown", 1, 300), ("pointermove", 1, 111), ("pointerup", 1, 111)):
        page.evaluate(move, step)
    page.wait_for_timeout(60)
    assert page.inner_text("#reading").startswith("0:02.0")
    for step in (
        ("pointerdown", 1, 100),
        ("pointerdown", 2, 200),
        ("pointermove", 2, 300),
        ("pointerup", 2, 300),
        ("pointerup", 1, 100),
    ):
        page.evaluate(move, step)
    page.wait_for_timeout(60)
    assert "50 mm/s" in page.inner_text("#reading")


@pytest.mark.parametrize(("key", "word"), [("v", ": V, "), ("u", "uncertain"), ("e", "reference")])
def test_keys_jump_to_beats_of_a_kind(shown, key, word):
    shown.keyboard.press(key)
    first = status(shown)
    assert word in first
    shown.keyboard.press(key)
    assert status(shown) != first
    shown.keyboard.press(f"Shift+{key.upper()}")
    assert status(shown) == first
    shown.keyboard.press(f"Shift+{key.upper()}")
    assert status(shown).startswith("No earlier ")


def test_overview_is_a_scroll_bar(shown):
    box = shown.locator("#overview").bounding_box()
    shown.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + 20)
    shown.wait_for_timeout(60)
    before = int(shown.get_attribute("#overview", "aria-valuenow"))
    assert 60 < before < 90
    shown.keyboard.press("ArrowLeft")
    shown.wait_for_timeout(60)
    assert int(shown.get_attribute("#overview", "aria-valuenow")) < before


def test_counts_and_mean_beats_of_each_class(shown, made):
    labels = beats_of(made)["beats"]["label"]
    for item in shown.query_selector_all("#counts li"):
        label = item.query_selector(".mark").inner_text()
        assert re.search(rf"\b{labels.count(label)}\b", item.inner_text())
    assert len(shown.query_selector_all("#means figure")) == len(set(labels))
    assert "Mean normal beat" in shown.get_attribute("#means canvas", "aria-label")


MEANS = """async () => {
    const { meanBeats } = await import('/static/means.js');
    const { decodeSignal, decodeBeats } = await import('/static/decode.js');
    const { Labels } = await import('/static/labels.js');
    const body = await (await fetch('/page/simulate', { method: 'POST' })).arrayBuffer();
    const n_bytes = new DataView(body).getUint32(0, true);
    const recording = decodeSignal(body.slice(4, 4 + n_bytes));
    Object.assign(recording, decodeBeats(body.slice(8 + n_bytes)));
    return meanBeats(recording, new Labels(recording.beats), recording.lead_names.map((_, i) => i));
}"""


@pytest.mark.parametrize(
    ("seconds", "atol"),
    [(60, 2e-4), (2400, 0.05)],  # one count, or the noise between minimum and maximum
    ids=["all samples", "minima and maxima"],
)
def test_mean_beats_are_those_of_the_signal(page, quick_models, seconds, atol):
    ecg = make_recording(seconds, n_leads=2, weights={"N": 0.8, "V": 0.2}, random_state=3)
    ecg.signal[:, ecg.r_peaks[7] + 40] = np.nan
    beats = AnnotatedBeats(ecg.r_peaks, ecg.symbols.astype("<U1"), None)
    recording = Recording(ecg.signal, ecg.fs, ecg.lead_names, "x")
    model = Model(KnownBeats(beats, quick_models("nsvf")), {"name": "nsvf"})
    body = in_parts(signal_part(recording, model), beats_part(recording, model))
    page.route("**/page/simulate", lambda route: route.fulfill(body=body))
    found = page.evaluate(MEANS)
    assert found["fs"] == (360 if seconds == 60 else 180)
    window = np.arange(-round(0.3 * 360), round(0.5 * 360))
    for label in ("N", "V"):
        peaks = ecg.r_peaks[ecg.symbols == label]
        peaks = peaks[:: -(-len(peaks) // 400)]
        peaks = peaks[(peaks >= 120) & (peaks < ecg.signal.shape[1] - 190)]
        waves = ecg.signal[:, peaks[:, np.newaxis] + window]
        waves = waves[:, np.isfinite(waves).all(axis=(0, 2))]
        expected = (waves - np.median(waves, axis=2, keepdims=True)).mean(axis=1)
        mean = np.array(found["classes"][label])
        np.testing.assert_allclose(mean, expected[:, :: window.size // mean.shape[1]], atol=atol)


def test_unreadable_stretch_is_gray(shown):
    shown.keyboard.press("PageDown")
    shown.wait_for_timeout(100)
    # 20 to 24 s are unreadable; the place is below the letters
    color = shown.evaluate(
        """() => {
            const paper = document.querySelector('#paper');
            const [start] = document.querySelector('#reading').textContent.match(/[\\d.]+(?= to)/);
            const x = (22 - Number(start)) * 25 * 96 / 25.4;
            const data = paper.getContext('2d').getImageData(x, 52, 40, 4).data;
            const at = (k) => data.filter((_, i) => i % 4 === k).reduce((a, b) => a + b) / 160;
            return [at(0), at(1), at(2)];
        }"""
    )
    assert max(color) - min(color) < 6
    assert 170 < color[0] < 225


def test_table_follows_and_holds_only_rows_in_view(shown, made):
    n_beats = len(beats_of(made)["beats"]["sample"])
    assert shown.get_attribute("#table", "aria-rowcount") == str(n_beats + 1)
    assert len(shown.query_selector_all("#rows .row")) < 40
    shown.focus("#table")
    for _ in range(3):
        shown.keyboard.press("ArrowDown")
    assert status(shown).startswith("Beat 3 ")
    shown.keyboard.press("End")
    assert status(shown).startswith(f"Beat {n_beats} ")
    assert f"beat-{n_beats - 1}" == shown.get_attribute("#table", "aria-activedescendant")
    shown.select_option("#filter", "uncertain")
    shown.wait_for_timeout(60)
    assert [row.get_attribute("id") for row in shown.query_selector_all("#rows .row")] == [
        "beat-7",
        "beat-30",
    ]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_menu_and_remark_of_a_row_are_in_view(open_page, made, viewport):
    page = open_page(viewport)
    show(page, made)
    page.focus("#table")
    page.keyboard.press("PageDown")
    page.keyboard.press("Enter")
    menu = page.locator("#menu").bounding_box()
    assert menu["y"] >= 0
    assert menu["y"] + menu["height"] <= viewport["height"]
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "table"
    assert page.inner_text("#beat-7 .remark") == "uncertain"


def test_correction_by_click_with_undo(shown, made):
    header = beats_of(made)
    box = shown.locator("#paper").bounding_box()
    x = header["beats"]["sample"][3] / 360 * 25 * 96 / 25.4
    before = header["beats"]["label"][3]
    shown.mouse.click(box["x"] + x, box["y"] + 100)
    assert shown.get_attribute("[role=menuitemradio][aria-checked=true] .mark", "data-class") == (
        before
    )
    shown.click("[role=menuitemradio]:has([data-class=F])")
    assert "F, " in status(shown)
    assert "corrected" in status(shown)
    assert f"corrected, was {before}" in shown.inner_text("#beat-3")
    shown.click("#undo")
    assert "corrected" not in status(shown)
    assert shown.is_disabled("#undo")


def test_correction_by_keyboard_alone_reaches_the_files(shown, made, tmp_path):
    header = beats_of(made)
    shown.keyboard.press("u")
    shown.keyboard.press("Enter")
    shown.keyboard.press("f")
    assert shown.evaluate("document.activeElement.id") == "paper"
    content = save(shown, "[data-download=json]", tmp_path).read_text(encoding="utf-8")
    labels = list(header["beats"]["label"])
    labels[7] = "F"
    assert json.loads(content)["label"] == labels
    assert save(shown, "[data-download=csv]", tmp_path).suffix == ".csv"
    assert save(shown, "[data-download=wfdb]", tmp_path).stat().st_size > 100


REDRAW_TABLE = """() => new Promise((resolve) => {
    document.querySelector('#table').dispatchEvent(new Event('scroll'));
    requestAnimationFrame(() => requestAnimationFrame(resolve));
})"""


def test_double_click_is_kept_while_the_table_is_drawn_again(shown):
    shown.locator("#beat-3").scroll_into_view_if_needed()
    box = shown.locator("#beat-3").bounding_box()
    shown.mouse.move(box["x"] + 20, box["y"] + 10)
    for n_clicks in (1, 2):
        shown.mouse.down(click_count=n_clicks)
        shown.evaluate(REDRAW_TABLE)
        shown.mouse.up(click_count=n_clicks)
    assert shown.is_visible("#menu")
    assert shown.locator("#rows [aria-selected=true]").get_attribute("id") == "beat-3"


# --- figures of corrected labels --------------------------------------------------------


def correct(page, index, letter):
    """Correct the label of a beat by its row in the table."""
    page.locator("#table").evaluate("(node, top) => { node.scrollTop = top; }", index * 34)
    page.dblclick(f"#beat-{index}")
    page.wait_for_selector("#menu")
    page.keyboard.press(letter)
    page.wait_for_selector("#menu", state="hidden")


def figures(page):
    """Return the number of errors in the tile, its note, the report of EC57, and the runs."""
    tile = page.locator("#tiles div", has=page.locator("dt", has_text="Errors"))
    note = tile.locator("small").text_content()
    number = tile.locator("dd").text_content().removesuffix(note)
    return number, note, page.text_content("#ec57-text"), page.inner_text("#events").split("\n")[0]


def expect_note(page, words):
    expect(page.locator("#tiles small", has_text=words)).to_be_visible()


def test_figures_follow_a_correction_and_its_undo(shown, made):
    first = figures(shown)
    assert first[:2] == ("2", f"of {len(beats_of(made)['reference']['sample'])} reference beats")
    error = beats_of(made)["errors"][0]
    correct(shown, 12, error["reference"])
    expect_note(shown, "computing …")
    assert shown.text_content("#ec57-state") == "computing …"
    expect_note(shown, "reference beats")
    after = figures(shown)
    assert after[0] == "1"
    assert after[2] != first[2]
    assert f"corrected, was {error['predicted']}" == shown.inner_text("#beat-12 .remark")
    shown.keyboard.press("e")
    assert "no beat in the reference" in status(shown)
    shown.click("#undo")
    expect_note(shown, "computing …")
    expect_note(shown, "reference beats")
    assert figures(shown) == first
    assert shown.inner_text("#beat-12 .remark") == f"reference: {error['reference']}"


def test_wrong_correction_is_an_error_with_a_frame(shown, made):
    before = bytes_of(shown, "#paper")
    index = 3
    label = beats_of(made)["beats"]["label"][index]
    correct(shown, index, "F")
    expect_note(shown, "reference beats")
    assert figures(shown)[0] == "3"
    assert (
        shown.inner_text(f"#beat-{index} .remark") == f"reference: {label}; corrected, was {label}"
    )
    corrected = bytes_of(shown, "#paper")
    shown.click("#undo")
    expect_note(shown, "computing …")
    expect_note(shown, "reference beats")
    shown.evaluate("document.querySelector('#paper').focus()")
    assert len({before, corrected, bytes_of(shown, "#paper")}) == 3


def test_runs_follow_corrections(shown):
    assert figures(shown)[3] == "Runs: 1"
    for index in (1, 2, 3):
        correct(shown, index, "v")
    expect(shown.locator("#events button").first).to_have_text(re.compile("^0:01 · 3 ventricular"))
    expect_note(shown, "reference beats")
    assert figures(shown)[3] == "Runs: 2"


# answers to the first requests come late, even if the page has given them up
DELAY = """(n_late) => {
    const real = window.fetch;
    window.late = [];
    window.fetch = async (address, { signal, ...options } = {}) => {
        if (address !== '/page/compare') return real(address, { signal, ...options });
        const answer = await real(address, options);
        if (window.late.length < n_late) {
            document.documentElement.dataset.late = '';
            await new Promise((resolve) => window.late.push(resolve));
        }
        return answer;
    };
}"""
RELEASE = (
    "async () => { for (const go of window.late) go(); await new Promise(requestAnimationFrame); }"
)


def test_older_figures_never_replace_newer_ones(shown):
    shown.evaluate(DELAY, 1)
    correct(shown, 3, "f")
    shown.wait_for_selector("html[data-late]")
    assert figures(shown)[:2] == ("2", "computing …")
    correct(shown, 4, "f")
    expect_note(shown, "reference beats")
    newer = figures(shown)
    assert newer[0] == "4"
    shown.evaluate(RELEASE)
    shown.wait_for_timeout(300)
    assert figures(shown) == newer


def test_figures_of_a_recording_that_was_left_do_not_reach_the_next_one(shown, made):
    first = figures(shown)
    shown.evaluate(DELAY, 1)
    correct(shown, 3, "f")
    shown.wait_for_selector("html[data-late]")
    shown.click("nav [data-go=start]")
    show(shown, made)
    shown.evaluate(RELEASE)
    shown.wait_for_timeout(300)
    assert figures(shown) == first


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_figures_before_a_correction_are_called_so(open_page, made, viewport):
    page = open_page(viewport)
    show(page, made)
    first = figures(page)
    answer = {"status": 503, "json": {"error": "The server is busy."}}
    page.route("**/page/compare", lambda route: route.fulfill(**answer))
    correct(page, 3, "f")
    expect(page.locator("[role=alert] span")).to_have_text(
        "Runs, errors and the EC57 report are those before the latest corrections. "
        "The server is busy."
    )
    page.click("[role=alert] button")
    assert page.is_visible("#figures-old")
    assert figures(page) == (
        first[0],
        "before the correction",
        first[2],
        f"{first[3]}, before the correction",
    )
    assert page.text_content("#ec57-state") == "before the correction"
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.unroute("**/page/compare")
    page.click("#figures-again")
    expect_note(page, "reference beats")
    assert figures(page)[0] == "3"
    assert page.is_hidden("#figures-old")
    assert page.text_content("#ec57-state") == ""


def test_report_and_files_agree_with_the_corrected_page(shown, tmp_path, monkeypatch):
    written = []

    def write(findings):
        written.append(findings)
        return _summary_page(findings)

    monkeypatch.setattr("ecgbeat.app._report._summary_page", write)
    for index in (7, 8, 9):  # the first of them was uncertain
        correct(shown, index, "v")
    expect_note(shown, "reference beats")
    save(shown, "#report", tmp_path)
    findings = written[0]
    summary = summarize_beats(findings.beats, fs=findings.fs, n_times=findings.n_times)
    assert len(summary.runs) == 2
    assert figures(shown)[3] == "Runs: 2"
    uncertain = shown.locator("#tiles div", has=shown.locator("dt", has_text="Uncertain"))
    assert uncertain.locator("dd").inner_text().split()[0] == str(summary.n_uncertain)
    for label, n_beats in summary.n_beats_of.items():
        item = shown.locator("#counts li", has=shown.locator(f"[data-class='{label}']"))
        assert f"{n_beats} · " in item.inner_text()
    labels = findings.beats.symbol.tolist()
    content = save(shown, "[data-download=json]", tmp_path).read_text(encoding="utf-8")
    assert json.loads(content)["label"] == labels
    rows = save(shown, "[data-download=csv]", tmp_path).read_text(encoding="utf-8").splitlines()
    column = rows[0].split(",").index("label")
    assert [row.split(",")[column] for row in rows[1:]] == labels
    content = save(shown, "[data-download=wfdb]", tmp_path).read_bytes()
    assert parse_annotation(content).symbol.tolist() == labels


def test_report_is_a_pdf(shown, tmp_path):
    assert save(shown, "#report", tmp_path).read_bytes().startswith(b"%PDF")


def test_lead_can_be_hidden(shown):
    before = shown.locator("#paper").bounding_box()["height"]
    shown.click("#lead-choice summary")
    shown.uncheck("#lead-list label:nth-of-type(2) input")
    shown.wait_for_timeout(60)
    assert shown.locator("#paper").bounding_box()["height"] < before


# --- one beat, and live -----------------------------------------------------------------


def test_pasted_beat_is_classified_with_its_saliency(page):
    beats = make_heartbeats(10, before=0.3, after=1.196, fs=125, random_state=0)
    row = np.interp(np.linspace(0, 1, 187), np.linspace(0, 1, beats.data.shape[1]), beats.data[0])
    row = (row - row.min()) / np.ptp(row)
    page.click("nav [data-go=beat]")
    page.fill("#beat-text", ", ".join(f"{value:.4f}" for value in [*row, 1.0]))
    page.click("#beat-form .primary")
    page.wait_for_selector("#beat-result:not([hidden])")
    assert page.inner_text("#beat-label") in ("normal", "abnormal")
    assert page.inner_text("#beat-confidence").endswith("confidence")
    assert len(page.query_selector_all("#beat-bars li")) == 2
    assert "depends most on" in page.get_attribute("#beat-canvas", "aria-label")
    page.fill("#beat-text", "1 2 3")
    assert page.is_hidden("#beat-result")  # which is that of other numbers
    page.click("#beat-form .primary")
    assert "187 numbers" in page.inner_text("[role=alert]")
    page.click("[data-example=normal]")
    page.wait_for_selector("#beat-result:not([hidden])")


def test_beat_that_is_not_classified_has_no_result_of_another_one(page):
    page.click("nav [data-go=beat]")
    page.click("[data-example=normal]")
    page.wait_for_selector("#beat-result:not([hidden])")
    page.route("**/api/beat", lambda route: route.abort())
    page.click("[data-example=abnormal]")
    expect(page.locator("[role=alert]")).to_contain_text("cannot be reached")
    assert page.is_hidden("#beat-result")
    assert page.is_enabled("#beat-form .primary")


@pytest.mark.parametrize("name", ["normal", "abnormal"])
def test_examples_are_what_they_are_called(page, name):
    page.click("nav [data-go=beat]")
    page.click(f"[data-example={name}]")
    page.wait_for_selector("#beat-result:not([hidden])")
    numbers = np.array(page.input_value("#beat-text").split(", "), np.float32)
    probability = load_pretrained("normal-abnormal-187").predict_proba(numbers[np.newaxis])
    assert ["abnormal", "normal"][probability.argmax()] == name
    assert probability.max() > 0.8


def test_dropped_file_of_one_beat_opens_as_a_beat(page):
    text = ",".join(["0.5"] * 60 + ["1"] + ["0.2"] * 126)
    page.set_input_files(
        "#files", {"name": "beat.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.wait_for_selector("#beat-result:not([hidden])")


def test_live_simulated_patient_starts_and_stops(page):
    page.click("nav [data-go=live]")
    page.select_option("#live-speed", "5")
    page.click("#live-start")
    expect(page.locator("#live-counts")).to_contain_text("N", timeout=30_000)
    expect(page.locator("#live-rate")).to_have_text(re.compile(r"^\d+$"), timeout=30_000)
    first = bytes_of(page, "#live-canvas")
    page.wait_for_timeout(300)
    assert bytes_of(page, "#live-canvas") != first
    page.click("#live-stop")
    assert page.inner_text("#live-state") == "Stopped"


def test_open_recording_is_replayed(shown):
    shown.click("nav [data-go=live]")
    shown.select_option("#live-source", "push")
    shown.select_option("#live-speed", "5")
    shown.click("#live-start")
    expect(shown.locator("#live-counts")).to_contain_text("N", timeout=30_000)


def test_alarms_are_announced_politely(page):
    message = {"start": 0, "samples": [[0.0] * 36], "beats": [], "heart_rate": None}
    alarm = {"kind": "run", "sample": 720, "text": "3 ventricular beats in a row."}

    def serve(socket):
        socket.on_message(
            lambda _: socket.send(json.dumps({**message, "alarms": [alarm], "ended": False}))
        )

    page.route_web_socket(re.compile("/api/live"), serve)
    page.click("nav [data-go=live]")
    page.click("#live-start")
    page.wait_for_selector("#alarms li")
    assert page.inner_text("#alarms li").endswith("3 ventricular beats in a row.")
    assert page.get_attribute("#alarms", "aria-live") == "polite"


# --- use by all, and speed --------------------------------------------------------------


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """Return the source of axe, from npm."""
    if shutil.which("npm") is None:
        pytest.skip("requires npm, for axe-core")
    folder = tmp_path_factory.mktemp("npm")
    packed = subprocess.run(
        ["npm", "pack", "--silent", AXE], cwd=folder, capture_output=True, text=True
    )
    if packed.returncode:
        pytest.skip(f"requires {AXE} from npm: {packed.stderr.strip()[:200]}")
    with tarfile.open(folder / packed.stdout.strip()) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_has_no_serious_findings(open_page, made, axe, viewport, scheme):
    page = open_page(viewport, color_scheme=scheme)

    def check(state):
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        serious = [
            (state, item["id"], [node["target"] for node in item["nodes"]][:4])
            for item in found
            if item["impact"] in ("serious", "critical")
        ]
        assert serious == []
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= viewport["width"], f"{state} is {wide} pixels wide"

    check("start")
    show(page, made)
    check("recording")
    page.keyboard.press("v")
    page.keyboard.press("Enter")
    check("menu")
    page.route("**/page/compare", lambda route: route.abort())
    page.keyboard.press("f")
    page.wait_for_selector("#figures-old:not([hidden])")
    check("figures before a correction")
    page.click("nav [data-go=beat]")
    page.click("[data-example=normal]")
    page.wait_for_selector("#beat-result:not([hidden])")
    check("beat")
    page.click("nav [data-go=live]")
    check("live")


def test_each_control_is_reached_by_tab_with_a_visible_focus(shown):
    reached = set()
    shown.evaluate("document.activeElement.blur()")
    for _ in range(60):
        shown.keyboard.press("Tab")
        name, width = shown.evaluate(
            "() => { const node = document.activeElement;"
            "return [node.id || node.textContent.trim().slice(0, 20),"
            "getComputedStyle(node).outlineWidth]; }"
        )
        reached.add(name)
        assert name == "" or width == "3px", name
    assert {"speed", "gain", "zoom-in", "paper", "overview", "table", "filter", "report"} <= reached


def test_dark_scheme_redraws_the_canvas(shown):
    before = bytes_of(shown, "#paper")
    shown.emulate_media(color_scheme="dark")
    assert bytes_of(shown, "#paper") != before


def test_disclaimer_is_visible(page):
    assert page.is_visible("text=Not a medical device")


def test_model_card_is_in_the_page(shown):
    shown.click("details:has(#card) summary")
    assert "Not a medical device." in shown.inner_text("#card")


def make_day(quick_models):
    """Return a recording of 24 h, and a model that knows its beats."""
    ecg = make_recording(600, fs=180, weights={"N": 0.8, "A": 0.1, "V": 0.1}, random_state=1)
    times = 144
    starts = len(ecg.signal) * np.arange(times)[:, np.newaxis]
    label = np.tile(np.where(ecg.symbols == "A", "S", ecg.symbols).astype("<U1"), times)
    beats = AnnotatedBeats((ecg.r_peaks + starts).ravel(), label.astype(object), None)
    beats.unreadable = np.empty((0, 2), np.int64)
    signal = np.tile(ecg.signal, times)[np.newaxis]
    card = {"name": "nsvf", "title": "N, S, V and F"}
    model = Model(KnownBeats(beats, quick_models("nsvf")), card)
    return Recording(signal, ecg.fs, ["MLII"], "day"), model


# from the beginning of each frame until its pixels can be read, in ms
FRAME_TIMES = """() => new Promise((resolve) => {
    const paper = document.querySelector('#paper');
    const times = [];
    const frame = (now) => {
        paper.getContext('2d').getImageData(0, 0, 1, 1);
        times.push(performance.now() - now);
        if (times.length === 40) resolve(times.slice(1).sort((a, b) => a - b));
        else {
            paper.dispatchEvent(new WheelEvent('wheel', { deltaX: 40, cancelable: true }));
            requestAnimationFrame(frame);
        }
    };
    requestAnimationFrame(frame);
})"""


def test_day_is_drawn_soon_and_scrolls_at_30_frames_a_second(page, quick_models, monkeypatch):
    day = make_day(quick_models)
    monkeypatch.setattr("ecgbeat.app._server._simulate", lambda _: day)
    page.click("#simulate")
    page.wait_for_selector("#view-recording:not([hidden])", timeout=10_000)
    page.wait_for_selector("#rows .row")
    assert page.inner_text("#record-facts").startswith("24 h")
    for n_clicks in (0, 4, 6, 6):
        for _ in range(n_clicks):
            page.click("#zoom-out")
        before = page.inner_text("#reading")
        times = page.evaluate(FRAME_TIMES)
        assert page.inner_text("#reading") != before
        # other processes of the tests slow some of the frames
        assert times[len(times) // 4] < 1000 / 30
