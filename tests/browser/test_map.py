"""The map of a network in a real Chromium: what it draws, says, and lets people take along."""

from __future__ import annotations

import io
import itertools
import math
import re
import xml.etree.ElementTree as ET
from importlib import resources
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pcn_course.look import LOOK
from tests.browser.map import networks, scene
from tests.browser.map.networks import Rows
from tests.browser.map.scene import WIDGETS, open_map, prompts, show
from tests.support import accessible

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SVG = "{http://www.w3.org/2000/svg}"
HEADS = [
    *("Person", "Role", "Sector", "Closeness", "Place", "Invitation"),
    *("You give", "You get", "Tied to"),
]
ALL = {
    "nobody": ([], []),
    "one": (networks.star()[0][:1], []),
    "star": networks.star(),
    "twelve": networks.twelve(),
    "sixty": networks.network(60, seed=1),
    "hostile": networks.hostile(),
}


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page that can load the map, and nothing from any host."""
    scene.serve(context)
    return context.new_page()


def drawing(page: Page) -> dict[str, Any]:
    """The picture as numbers: rings as radii, marks and ties where they are on the drawing."""
    found: dict[str, Any] = page.evaluate(
        r"""() => {
          const [back, ties, marks] = document.querySelector(".pcn-drawing").children;
          const numbers = (text) => text.match(/-?[\d.]+/g).map(Number);
          const rings = [...back.querySelectorAll("ellipse")].map((el) =>
            ["cx", "cy", "rx", "ry"].map((name) => Number(el.getAttribute(name))));
          return {
            rings: rings.reverse(),
            rim: [...back.querySelectorAll("textPath")].map((el) => el.textContent),
            marks: [...marks.children].map((el) => ({
              at: numbers(el.getAttribute("transform")), says: el.getAttribute("aria-label"),
              number: el.querySelector("text").textContent,
              dashed: el.querySelector("path").getAttribute("stroke-dasharray") !== "",
              filled: el.querySelector("path").getAttribute("fill") === "var(--teal)",
              crossed: el.querySelectorAll("path")[1].getAttribute("d") !== "",
            })),
            ties: [...ties.children].map((el) => {
              const [x, y, , , dx, dy] = numbers(el.getAttribute("d"));
              const dash = el.getAttribute("stroke-dasharray");
              return { ends: [[x, y], [x + dx, y + dy]], dash };
            }),
          };
        }"""
    )
    return found


def table(page: Page) -> list[list[str]]:
    """The cells of the table's rows, the head of each row first."""
    rows: list[list[str]] = page.evaluate(
        """() => [...document.querySelectorAll(".pcn-table tbody tr")]
          .map((row) => [...row.children].map((cell) => cell.textContent))"""
    )
    return rows


def ring_of(at: tuple[float, float], rings: list[list[float]]) -> int:
    """Of the rings from inside out, the number of those that ``at`` lies beyond."""
    return sum(math.hypot((at[0] - x) / rx, (at[1] - y) / ry) > 1 for x, y, rx, ry in rings)


def agree(page: Page) -> None:
    """Assert that the picture and the table say the same, both ways."""
    picture, rows = drawing(page), table(page)
    assert len(picture["marks"]) == len(rows)
    by_place = {}
    for mark, (person, *facts) in zip(picture["marks"], rows, strict=True):
        said = [
            f"{head}: {fact}"
            for head, fact in zip(HEADS[1:], facts, strict=True)
            if fact not in ("Not said", "Nobody yet")
        ]
        assert mark["says"] == f"{person}. " + " · ".join(said)
        assert mark["number"] == person.partition(".")[0]
        _, _, closeness, _, status, *_ = facts
        ring = ring_of(mark["at"], picture["rings"])
        assert (f"{5 - ring} of 5" if ring < 5 else "Not said") == closeness
        assert mark["dashed"] == (status in ("Planned", "Asked, no answer yet"))
        assert mark["filled"] == (status == "Accepted")
        assert mark["crossed"] == (status in ("Declined", "Withdrawn"))
        by_place[tuple(mark["at"])] = person
    assert sectors_around(picture, rows) == len({row[2] for row in rows}) == len(picture["rim"])
    drawn = sorted(
        tuple(sorted((by_place[tuple(one)], by_place[tuple(other)])))
        for one, other in (tie["ends"] for tie in picture["ties"])
    )
    told = [
        tuple(sorted((row[0], re.sub(r" \([^()]*\)$", "", other))))
        for row in rows
        if row[-1] != "Nobody yet"
        for other in row[-1].split("; ")
    ]
    assert sorted([*drawn, *drawn]) == sorted(told)


def sectors_around(picture: dict[str, Any], rows: list[list[str]]) -> int:
    """How often the sector changes on one way around, so each has but one slice if it is few."""
    if not rows:
        return 0
    x, y, *_ = picture["rings"][-1]
    _, _, rx, ry = picture["rings"][-1]

    def turn(mark: dict[str, Any]) -> float:
        across, down = (mark["at"][0] - x) / rx, (mark["at"][1] - y) / ry
        return math.atan2(across, -down) % (2 * math.pi)

    paired = zip(picture["marks"], rows, strict=True)
    around = [row[2] for _, row in sorted(paired, key=lambda pair: turn(pair[0]))]
    return len(list(itertools.groupby(around)))


# ---- The picture and the table -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["one", "star", "twelve", "sixty"])
@pytest.mark.parametrize("width", [1280, 320])
def test_the_table_says_what_is_drawn_and_nothing_else(page: Page, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_map(page, *ALL[name])
    agree(page)
    heads = page.locator(".pcn-table thead th")
    assert heads.all_text_contents() == HEADS
    assert {head.get_attribute("scope") for head in heads.all()} == {"col"}
    expect(page.locator(".pcn-table tbody th").first).to_have_attribute("scope", "row")
    said = page.locator(".pcn-map > p").first.text_content() or ""
    assert said in (page.locator(".pcn-drawing").get_attribute("aria-label") or "")
    assert said in page.locator(".pcn-table caption").text_content()  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(6))
def test_any_network_is_told_as_it_is_drawn(page: Page, seed: int) -> None:
    open_map(page, *networks.network(5 + 9 * seed, seed, sectors=2 + seed))
    agree(page)


def test_ties_are_told_apart_by_dashes_and_counted(page: Page) -> None:
    open_map(page, *networks.twelve())
    dashes = [tie["dash"] for tie in drawing(page)["ties"]]
    assert sorted(dashes) == sorted(["", "6 4", "1 4", "", "6 4", "9 3 2 3", "", "1 4"])
    expect(page.locator(".pcn-map > p").first).to_have_text("12 members, 8 ties")
    legend = page.locator(".pcn-drawing > g").last
    for text in ("They work together: 3", "They know each other: 2", "Kind of tie not said: 1"):
        expect(legend.get_by_text(text, exact=True)).to_have_count(1)


def test_nobody_yet_is_explained(page: Page) -> None:
    open_map(page)
    expect(page.get_by_text("Add people above, and they appear here.")).to_be_visible()
    for part in (".pcn-facts", ".pcn-map details", ".pcn-map .pcn-actions"):
        expect(page.locator(part)).to_be_hidden()
    assert drawing(page)["marks"] == []
    show(page, [{"id": "r1"}, {"id": "r2", "person": "", "channels": []}], [])
    assert drawing(page)["marks"] == []


def test_a_few_members_have_their_names_beside_them(page: Page) -> None:
    open_map(page, *networks.star())
    expect(page.locator(".pcn-mark").first).to_contain_text("County navigator")


# ---- Room ----------------------------------------------------------------------------------------

OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(".pcn-mark")].map((el) =>
    [...el.children].map((part) => [el.dataset.key, part.getBoundingClientRect()])).flat();
  const meet = (a, b) => a.left < b.right - .5 && b.left < a.right - .5 &&
    a.top < b.bottom - .5 && b.top < a.bottom - .5;
  return boxes.flatMap(([key, a], n) =>
    boxes.slice(n).filter(([other, b]) => key !== other && meet(a, b))
    .map(([other]) => [key, other]));
}"""


@pytest.mark.parametrize("width", [1280, 360, 320])
@pytest.mark.parametrize(("sectors", "rings"), [(10, 6), (1, 6), (10, 1), (1, 1)], ids=str)
def test_no_mark_lies_on_another(page: Page, width: int, sectors: int, rings: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_map(page)
    for size in (6, 12, 24, 60):
        show(page, *networks.network(size, size + sectors, sectors=sectors, rings=rings))
        assert page.evaluate(OVERLAPS) == []
        sides = page.evaluate(
            """() => [...document.querySelectorAll(".pcn-mark > circle")].map((el) =>
              Math.min(el.getBoundingClientRect().width, el.getBoundingClientRect().height))"""
        )
        assert len(sides) == size
        assert min(sides) >= 24


@pytest.mark.parametrize("name", list(ALL))
def test_nothing_scrolls_sideways_at_320_px(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    open_map(page, *ALL[name])
    if name != "nobody":
        page.get_by_text("The same as a table").click()
    assert accessible.cut_off(page) == []
    assert accessible.small(page) == []
    inside = page.evaluate(
        """() => {
          const edge = document.querySelector(".pcn-drawing").getBoundingClientRect();
          return [...document.querySelectorAll(".pcn-drawing text")].filter((el) => {
            const box = el.getBoundingClientRect();
            return box.left < edge.left - 2 || box.right > edge.right + 2 ||
              box.top < edge.top - 2 || box.bottom > edge.bottom + 2;
          }).map((el) => el.textContent);
        }"""
    )
    assert inside == []


def test_a_mark_stays_where_it_is_when_words_change_or_somebody_is_added(page: Page) -> None:
    rows, ties = networks.star()
    open_map(page, rows, ties)
    before = [mark["at"] for mark in drawing(page)["marks"]]
    renamed = [{**row, "person": "Somebody with a longer name"} for row in rows]
    show(page, renamed, ties)
    assert [mark["at"] for mark in drawing(page)["marks"]] == before
    show(page, [*renamed, {**rows[5], "id": "new"}], ties)
    assert [mark["at"] for mark in drawing(page)["marks"]][:6] == before


# ---- By keyboard, finger and mouse ---------------------------------------------------------------


def focused(page: Page) -> str:
    label: str = page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
    return label


def test_every_member_is_reached_by_keyboard(page: Page) -> None:
    rows, ties = networks.network(60, seed=1)
    open_map(page, rows, ties)
    expect(page.locator(".pcn-drawing [tabindex='0']")).to_have_count(1)
    page.keyboard.press("Tab")
    names = [mark["says"] for mark in drawing(page)["marks"]]
    for name in names:
        assert focused(page) == name
        expect(page.locator(".pcn-facts")).to_have_text(name)
        page.keyboard.press("ArrowRight")
    assert focused(page) == names[0]
    for key, at in [("End", -1), ("ArrowUp", -2), ("Home", 0), ("ArrowDown", 1), ("ArrowLeft", 0)]:
        page.keyboard.press(key)
        assert focused(page) == names[at]
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.localName") == "summary"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == names[-1]
    assert len(set(names)) == 60


def test_names_say_all_about_a_member(page: Page) -> None:
    open_map(page, *networks.twelve())
    row = next(row for row in table(page) if row[-1] != "Nobody yet")
    mark = page.locator(f'.pcn-mark[aria-label^="{row[0]}"]')
    label = mark.get_attribute("aria-label") or ""
    for fact in row[1:]:
        assert fact in label or fact == "Not said"


def test_a_tap_or_a_pointer_shows_a_member_and_their_ties(page: Page) -> None:
    open_map(page, *networks.twelve())
    facts, lit = page.locator(".pcn-facts"), page.locator(".pcn-on")
    expect(facts).to_contain_text("Point at a mark")
    first, third = page.locator(".pcn-mark").nth(0), page.locator(".pcn-mark").nth(2)
    third.hover()
    expect(facts).to_have_text(third.get_attribute("aria-label") or "")
    expect(lit).to_have_count(2)
    first.click()
    expect(facts).to_have_text(first.get_attribute("aria-label") or "")
    expect(lit).to_have_count(3)
    page.mouse.move(2, 2)
    expect(facts).to_have_text(first.get_attribute("aria-label") or "")


# ---- Edits ---------------------------------------------------------------------------------------


def test_edits_are_shown_and_the_focus_stays(page: Page) -> None:
    rows, ties = networks.twelve()
    open_map(page, rows, ties)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    rows[1] = {**rows[1], "person": "Ferry pilot", "sector": "business", "closeness": 1}
    show(page, rows, ties[1:])
    agree(page)
    assert focused(page).startswith("2. Ferry pilot. ")
    assert "Sector: Business · Closeness: 1 of 5" in focused(page)
    expect(page.locator(".pcn-facts")).to_contain_text("Ferry pilot")
    # The row moves, and then it goes.
    show(page, [*rows[2:], *rows[:2]], ties)
    agree(page)
    assert focused(page).startswith("12. Ferry pilot. ")
    show(page, [row for row in rows if row["id"] != "r1"], ties)
    agree(page)
    expect(page.locator(".pcn-facts")).to_contain_text("Point at a mark")
    expect(page.locator(".pcn-drawing [tabindex='0']")).to_have_count(1)
    show(page, [], [])
    assert drawing(page)["marks"] == []
    expect(page.get_by_text("Add people above")).to_be_visible()


def test_the_same_rows_change_nothing(page: Page) -> None:
    rows, ties = networks.twelve()
    open_map(page, rows, ties)
    page.evaluate(
        """() => {
          window.changes = 0;
          new MutationObserver((all) => (changes += all.length)).observe(made.el,
            { subtree: true, childList: true, attributes: true, characterData: true });
        }"""
    )
    show(page, rows, ties)
    assert page.evaluate("changes") == 0
    show(page, rows[:3], ties)
    assert page.evaluate("changes") > 0


# ---- For every eye and ear -----------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Browser, scheme: Any) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    try:
        scene.serve(context)
        for name, rows in ALL.items():
            page = open_map(context.new_page(), *rows)
            if name != "nobody":
                page.get_by_text("The same as a table").click()
                page.locator(".pcn-mark").first.focus()
            assert accessible.axe(page) == [], name
            assert accessible.tree(page) == [], name
            assert accessible.faint(page) == [], name
            page.close()
    finally:
        context.close()


# What is drawn against what it stands on: every colour of the picture, computed.
PAINTED = """() => {
  const all = document.querySelectorAll(".pcn-drawing :is(circle, ellipse, path, text)");
  return [...all].map((el) => getComputedStyle(el)).flatMap(({ fill, stroke }) => [fill, stroke]);
}"""


def light(color: str) -> float:
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", color)[:3])

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def ratio(one: str, other: str) -> float:
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signs_stand_out_from_their_ground(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    open_map(page, *networks.network(60, seed=1))
    colors = page.evaluate(
        """() => Object.fromEntries(
          ["card", "ink", "soft", "teal", "teal-wash", "on-teal", "edge"].map((name) => {
            const probe = document.createElement("i");
            probe.style.color = `var(--${name})`;
            document.querySelector(".pcn").append(probe);
            return [name, getComputedStyle(probe).color];
          }))"""
    )
    painted = page.evaluate(PAINTED)
    assert set(painted) <= {*colors.values(), "none", "rgba(0, 0, 0, 0)"}
    for ground in ("card", "teal-wash"):
        assert ratio(colors["ink"], colors[ground]) >= 4.5
        assert ratio(colors["soft"], colors[ground]) >= 4.5
        assert ratio(colors["teal"], colors[ground]) >= 3
        assert ratio(colors["edge"], colors[ground]) >= 3
    assert ratio(colors["on-teal"], colors["teal"]) >= 4.5
    assert ratio(colors["card"], colors["ink"]) >= 4.5


def test_the_systems_own_colours_are_taken(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    open_map(page, *networks.twelve())
    marks = page.locator(".pcn-mark > path:nth-of-type(1)")
    strokes = marks.evaluate_all("(all) => all.map((el) => getComputedStyle(el).stroke)")
    assert set(strokes) == {page.evaluate("getComputedStyle(document.body).color")}


def test_paper_has_the_map_and_the_table(page: Page) -> None:
    open_map(page, *networks.star())
    page.emulate_media(media="print")
    expect(page.locator(".pcn-drawing")).to_be_visible()
    expect(page.locator(".pcn-table")).to_be_visible()
    assert page.locator(".pcn-table").evaluate("(el) => el.getBoundingClientRect().height") > 100
    for part in (".pcn-facts", ".pcn-map summary", ".pcn-map button"):
        expect(page.locator(part).first).to_be_hidden()


# ---- Taking it along -----------------------------------------------------------------------------


def picture(page: Page, rows: Rows, ties: Rows) -> str:
    text: str = page.evaluate(
        "([people, ties, rows, pairs]) => map.mapSvg(people, ties, rows, pairs)",
        [*prompts().values(), rows, ties],
    )
    return text


@pytest.mark.parametrize("name", list(ALL))
def test_the_drawing_stands_alone(page: Page, name: str) -> None:
    page.emulate_media(color_scheme="dark")
    open_map(page)
    text = picture(page, *ALL[name])
    root = ET.fromstring(text)  # noqa: S314 (our own drawing)
    marks = [el for el in root.iter(f"{SVG}g") if el.get("class") == "pcn-mark"]
    expected = {"nobody": 0, "one": 1, "star": 6, "twelve": 12, "sixty": 60, "hostile": 16}
    assert len(marks) == expected[name]
    count = f"{len(marks)} member{'' if len(marks) == 1 else 's'}"
    assert (root.findtext(f"{SVG}title") or "").startswith(f"My network: {count}, ")
    assert root.findtext(f"{SVG}desc")
    assert root.get("width") == "720"
    attributes = [pair for el in root.iter() for pair in el.items()]
    for attribute, value in attributes:
        assert attribute not in ("style", "src", "onerror")
        if attribute in ("fill", "stroke"):
            assert re.fullmatch(r"#[0-9a-f]{3,6}|none|transparent", value)
        if attribute == "href":
            assert value.startswith("#map-rim")
    ground = root.find(f"{SVG}rect")
    assert ground is not None
    assert ground.get("fill") == "#fff"
    assert {el.tag for el in root.iter()}.isdisjoint({f"{SVG}script", f"{SVG}image"})


def test_a_drawing_with_numbers_lists_the_names(page: Page) -> None:
    open_map(page)
    root = ET.fromstring(picture(page, *networks.network(60, 1)))  # noqa: S314
    texts = [el.text for el in root.iter(f"{SVG}text")]
    assert "2. KR" in texts
    assert sum(bool(re.match(r"\d+\. ", text or "")) for text in texts) == 60


def test_the_pictures_colours_are_the_looks_light_ones(page: Page) -> None:
    source = (WIDGETS / "map.js").read_text("utf-8")
    block = re.search(r"const LIGHT = \{(.*?)\};", source, re.DOTALL)
    assert block
    colors = dict(re.findall(r'"?([\w-]+)"?: "(#\w+)"', block.group(1)))
    look = dict(re.findall(r"--([\w-]+): (#\w+)", LOOK.read_text("utf-8").partition("@media")[0]))
    assert colors
    assert {name: look[name] for name in colors} == colors


@pytest.mark.parametrize("name", ["nobody", "star", "sixty", "hostile"])
def test_the_picture_opens(page: Page, name: str) -> None:
    open_map(page)
    svg = picture(page, *ALL[name])
    data = page.evaluate(
        """async (svg) => {
          const blob = await map.mapPng(svg);
          return [blob.type, ...new Uint8Array(await blob.arrayBuffer())];
        }""",
        svg,
    )
    assert data[0] == "image/png"
    image = Image.open(io.BytesIO(bytes(data[1:]))).convert("RGB")
    height = re.search(r' height="(\d+)"', svg)
    assert height
    assert image.size == (1440, 2 * int(height.group(1)))
    assert image.getpixel((2, 2)) == (255, 255, 255)
    colors = image.getcolors(1 << 24) or []
    assert len(colors) > 20


def test_both_files_come_from_the_buttons(page: Page) -> None:
    open_map(page, *networks.star())
    with page.expect_download() as png:
        page.get_by_role("button", name="Download as picture (PNG)").click()
    assert png.value.suggested_filename == "my-network.png"
    assert Image.open(png.value.path()).format == "PNG"
    with page.expect_download() as svg:
        page.get_by_role("button", name="Download as drawing (SVG)").click()
    assert svg.value.suggested_filename == "my-network.svg"
    assert ET.parse(svg.value.path()).getroot().tag == f"{SVG}svg"  # noqa: S314


# ---- What a broken or mean file holds ------------------------------------------------------------


def test_hostile_rows_are_text_and_harm_nothing(page: Page) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    rows, ties = networks.hostile()
    open_map(page, rows, ties)
    assert page.locator(".pcn-map :is(img, script, b)").count() == 0
    assert len(table(page)) == len(drawing(page)["marks"]) == 16
    assert page.evaluate("Object.keys(Object.prototype).length + ('n' in {})") == 0
    assert len(drawing(page)["ties"]) == 2
    expect(page.locator(".pcn-table")).to_contain_text("<img src=x onerror=alert(1)>")
    page.evaluate("([rows, ties]) => { made.set(rows, ties); made.set(null, 'rows'); }", [1, 2])
    assert drawing(page)["marks"] == []
    assert wrong == []


# ---- The interactive view ------------------------------------------------------------------------

PLOTLY = """window.loaded = (window.loaded ?? 0) + 1;
window.Plotly = {
  react: async (el, ...given) => { el.textContent = "drawn"; window.given = given; },
};
"""


def test_the_interactive_view_comes_from_our_host_and_follows_edits(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/pcn/plotly.min.js", lambda route: route.fulfill(body=PLOTLY))
    rows, ties = networks.twelve()
    rows[0]["person"] = "<b>KR</b> & co"
    open_map(page, rows, ties)
    assert not any("plotly" in address for address in asked)
    button = page.get_by_role("button", name="Open the interactive view")
    button.click()
    expect(page.locator(".pcn-plot")).to_have_text("drawn")
    expect(page.locator(".pcn-plot")).to_have_attribute("aria-label", re.compile("table says"))
    expect(button).to_be_hidden()
    expect(page.locator(".pcn-plot")).to_be_focused()
    assert [address for address in asked if "plotly" in address] == [
        "http://map.test/pcn/plotly.min.js"
    ]
    traces, layout, config = page.evaluate("given")
    assert [len(trace["x"]) for trace in traces] == [2] * 8 + [13]
    assert traces[-1]["text"][1] == "&lt;b>KR&lt;/b> &amp; co"
    assert "Tied to" in " ".join(traces[-1]["hovertext"])
    assert layout["paper_bgcolor"].strip() == "#fff"
    assert config["displaylogo"] is False
    assert config["showSendToCloud"] is False
    assert config["plotlyServerURL"] == ""
    show(page, rows[:4], ties)
    assert len(page.evaluate("given")[0][-1]["x"]) == 5
    assert page.evaluate("loaded") == 1
    assert accessible.axe(page) == []


def test_plotly_itself_draws_and_offers_to_send_nothing_away(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    script = resources.files("plotly") / "package_data" / "plotly.min.js"
    page.route("**/pcn/plotly.min.js", lambda route: route.fulfill(body=script.read_bytes()))
    open_map(page, *networks.twelve())
    page.get_by_role("button", name="Open the interactive view").click()
    view = page.locator(".pcn-plot")
    expect(view.locator(".scatterlayer .trace")).to_have_count(9, timeout=60_000)
    expect(view.locator("text").get_by_text("Grant officer", exact=True)).to_be_visible()
    titles = view.locator(".modebar-btn").evaluate_all(
        "(all) => all.map((el) => el.dataset.title ?? el.getAttribute('aria-label'))"
    )
    assert "Zoom in" in titles
    away = re.compile("share|cloud|send|upload", re.IGNORECASE)
    assert [title for title in titles if away.search(title)] == []
    assert all(address.startswith(scene.ADDRESS) for address in asked)
    assert accessible.axe(page) == []
    assert accessible.small(page) == []


def test_without_the_interactive_view_the_map_stays(page: Page) -> None:
    open_map(page, *networks.star())
    page.get_by_role("button", name="Open the interactive view").click()
    expect(page.locator(".pcn-map [role=status]")).to_contain_text("did not load")
    expect(page.locator(".pcn-plot")).to_be_hidden()
    agree(page)
    page.route("**/pcn/plotly.min.js", lambda route: route.fulfill(body=PLOTLY))
    page.get_by_role("button", name="Open the interactive view").click()
    expect(page.locator(".pcn-plot")).to_have_text("drawn")


def test_without_a_host_of_our_own_there_is_no_interactive_view(page: Page) -> None:
    open_map(page, *networks.star(), site=None)
    expect(page.get_by_role("button", name="Download as picture (PNG)")).to_be_visible()
    expect(page.get_by_role("button", name="Open the interactive view")).to_have_count(0)
