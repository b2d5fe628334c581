"""Tests of the README: code, commands and links."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"

pytestmark = pytest.mark.skipif(not README.exists(), reason="requires the repository")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_python_code_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    code = blocks("python")
    assert len(code) == 6
    for block in code:
        exec(compile(block, str(README), "exec"), namespace)
    printed = capsys.readouterr().out
    assert "rpeaksegmenter__after" in printed
    assert "with a confidence of" in printed
    assert printed.count("held out") == len(namespace["net"].history) <= 10
    assert "VEB" in printed
    assert sorted(path.name for path in (tmp_path / "annotated").iterdir()) == [
        "eve.ecgbeat",
        "fay.ecgbeat",
    ]
    assert (tmp_path / "annotator.safetensors").is_file()


def test_commands_are_run_by_ci():
    ci = README.with_name(".ci") / "run"
    names = re.findall(r"command_of README.md (\w+)\)", ci.read_text(encoding="utf-8"))
    assert sorted(names) == ["quickstart", "tests", "training"]
    for name in names:
        command = re.search(rf"<!-- {name} -->\n```bash\n(.*?)```", README.read_text(), re.DOTALL)
        assert command is not None
        is_in_same_environment = name == "training"
        assert ("pip install -c .ci/constraints.txt" in command.group(1)) != is_in_same_environment


def headings(page):
    """Return the anchors of the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_linked_files_and_headings_exist():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README.read_text(encoding="utf-8"))
    assert any("#" in link for link in links)
    for link in links:
        path, _, heading = link.partition("#")
        assert (README.parent / path).exists()
        assert not heading or heading in headings(README.parent / path)
