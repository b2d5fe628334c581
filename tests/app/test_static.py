"""Files of the web page: their size, and that they request nothing from elsewhere."""

import re
from pathlib import Path

import pytest

import ecgbeat.app

FOLDER = Path(ecgbeat.app.__file__).parent
STATIC = sorted(path for path in (FOLDER / "static").rglob("*") if path.is_file())
MODULES = [path for path in STATIC if path.suffix == ".js"]
PAGE = (FOLDER / "templates" / "index.html").read_text(encoding="utf-8")
NAMESPACE = "http://www.w3.org/2000/svg"


def test_scripts_are_small():
    assert 0 < sum(path.stat().st_size for path in MODULES) <= 300_000


@pytest.mark.parametrize("path", STATIC, ids=lambda path: path.name)
def test_files_name_no_other_host(path):
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    assert not re.search(r"(?:https?:)?//\w+\.\w", text)


def test_page_has_neither_inline_scripts_nor_inline_styles():
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", PAGE) == []


def test_page_names_files_of_the_server_only():
    addresses = re.findall(r"(?:src|href)=\"([^\"#]+)\"", PAGE)
    assert {name for name in addresses if name != "/"} == {
        "/static/icon.svg",
        "/static/main.js",
        "/static/style.css",
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_import_files_that_exist_and_never_read_text_as_html(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"from \"(.+?)\"", text):
        assert name.startswith("./")
        assert (path.parent / name).is_file()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)


def test_each_element_that_scripts_name_is_in_the_page():
    ids = set(re.findall(r"\bid=\"([\w-]+)\"", PAGE))
    for path in MODULES:
        named = re.findall(r"byId\(\"([\w-]+)\"\)", path.read_text(encoding="utf-8"))
        assert set(named) <= ids
