"""The one module that a widget travels as: whole, lean, and read back as it was."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from pcn_course.widgets import bundle


def test_modules_come_after_those_that_they_import() -> None:
    module = bundle.bundle("form.js", css="form.css")
    packed = module.partition('inflate("')[2].partition('"')[0]
    content = json.loads(zlib.decompress(base64.b85decode(packed)))
    names = [name for name, _ in content["modules"]]
    assert names[-1] == "form.js"
    assert names.index("merge.js") < names.index("controls.js") < names.index("lists.js")
    assert len(set(names)) == len(names)
    assert ".pcn-map" in content["css"]
    assert "@import" not in content["css"]
    assert not bundle.LATE & set(names), "what is asked for later does not come at first"


def test_what_is_packed_can_be_written_into_a_script_and_into_json() -> None:
    packed = bundle.pack({"text": "“Grüße”", "many": list(range(300))})
    assert not set(packed) & set('"\\\n')
    assert json.loads(zlib.decompress(base64.b85decode(packed)))["text"] == "“Grüße”"


@pytest.mark.parametrize(
    ("source", "lean"),
    [
        ("const a = 1; // one\n\n  let b = a + 2;", "const a=1;let b=a+2;"),
        ("a = b - -c;\nd = e + +f;", "a=b- -c;d=e+ +f;"),
        ("if (x) {\n  y();\n}\nz();", "if(x){y();}\nz();"),
        ("say(\"a  //  b\", 'c  d');", "say(\"a  //  b\",'c  d');"),
        ("x = `a  ${ f(`b  c`) }  // d`;", "x=`a  ${ f(`b  c`) }  // d`;"),
        ('t.replace(/[/ "]  x/g, y)', 't.replace(/[/ "]  x/g,y)'),
        ("return /a  b/.test(c)", "return/a  b/.test(c)"),
        ("a / b  /  c", "a/b/c"),
        ("/* gone */ async () => await x in y", "async()=>await x in y"),
    ],
)
def test_only_space_that_says_nothing_goes(source: str, lean: str) -> None:
    assert bundle._squeezed(source) == lean


def test_a_late_module_is_one_of_the_known() -> None:
    assert "makeTakeover" in bundle.late("takeover.js")
    with pytest.raises(LookupError):
        bundle.late("../form.py")
