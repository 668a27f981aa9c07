"""Of what a page sends along, only pictures that can do nothing go into a document."""

from __future__ import annotations

import base64

import pytest

from pcn_course.widgets.drawings import MAX_PNG, MAX_SVG, png, safe_svg

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


def drawing(inside: str) -> str:
    return f"{OPEN}{inside}</svg>"


def test_a_drawing_keeps_its_shapes_texts_and_inner_links() -> None:
    words = '<text><textPath href="#a">A &amp; B</textPath></text>'
    made = safe_svg(drawing(f'<g id="a"><path d="M0 0"/>{words} tail</g><title>2 &lt; 3</title>'))
    assert made == (
        '<svg xmlns="http://www.w3.org/2000/svg"><g id="a"><path d="M0 0"></path>'
        f"{words} tail</g><title>2 &lt; 3</title></svg>"
    )
    assert safe_svg(drawing('<path xlink:href="#b"/>')).count(' href="#b"') == 1


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<style>* { color: red }</style>",
        '<path onclick="alert(1)"/>',
        '<path ONLOAD="alert(1)"/>'.lower(),
        '<path style="fill: red"/>',
        '<path fill="url(https://elsewhere.test/a)"/>',
        '<path fill="URL(#a)"/>',
        '<a href="https://elsewhere.test"><path/></a>',
        '<textPath href="https://elsewhere.test#a"/>',
        '<textPath xlink:href="data:text/html,x"/>',
        '<textPath href="javascript:alert(1)"/>',
        '<image href="#a"/>',
        '<use href="#a"/>',
        "<animate/>",
        "<foreignObject><b/></foreignObject>",
        '<html xmlns="http://www.w3.org/1999/xhtml"/>',
        "<g>",
        "\x00",
        "<g>" * 50_000,
        "<g>" * 20_000 + "</g>" * 20_000,
    ],
)
def test_a_drawing_that_could_do_something_is_left_out(inside: str) -> None:
    assert safe_svg(drawing("<path/>")) != ""
    assert safe_svg(drawing(inside)) == ""


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "words",
        "<svg/>",
        "<g xmlns='http://www.w3.org/2000/svg'/>",
        f'<!DOCTYPE svg [<!ENTITY a "aaaa">]>{OPEN}<title>&a;</title></svg>',
        f"<!doctype svg>{OPEN}</svg>",
        drawing("<title>" + "x" * MAX_SVG + "</title>"),
    ],
)
def test_what_is_no_drawing_is_left_out(text: str | None) -> None:
    assert safe_svg(text) == ""


def test_words_that_look_like_markup_stay_words_in_a_page() -> None:
    made = safe_svg(drawing("<desc><![CDATA[<img src=x onerror=alert(1)>]]><!--> <b> --></desc>"))
    assert "<img" not in made
    assert "<!" not in made
    assert "&lt;img" in made


def test_only_a_png_is_a_picture() -> None:
    content = b"\x89PNG\r\n\x1a\n" + b"x" * 10
    assert png(base64.b64encode(content).decode()) == content
    for data in (None, "", "no base64!", base64.b64encode(b"GIF89a").decode()):
        assert png(data) is None
    assert png(base64.b64encode(content + b"x" * MAX_PNG).decode()) is None
