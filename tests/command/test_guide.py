"""Tests of the commands and of the output in the documentation."""

import re
import shlex
from pathlib import Path

import pytest

from ecgbeat.command._main import _parser

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide" / "command.md"
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if GUIDE.exists() else []

pytestmark = pytest.mark.skipif(not GUIDE.exists(), reason="requires the repository")


def commands() -> list[str]:
    """Return all commands of the README and the documentation."""
    blocks = [
        block
        for file in FILES
        for block in re.findall(r"^```bash\n(.*?)^```", file.read_text("utf-8"), re.DOTALL | re.M)
    ]
    return sorted(
        {line for block in blocks for line in block.splitlines() if line[:8] == "ecgbeat "}
    )


def test_commands_are_found():
    assert len(commands()) >= 10


@pytest.mark.parametrize("command", commands())
def test_arguments_of_commands_are_understood(command):
    words = shlex.split(re.split(r" [&|>]", command)[0], comments=True)
    assert callable(_parser().parse_args(words[1:]).run)


@pytest.mark.parametrize("name", ["annotate", "train", "export", "app", "stream"])
def test_every_subcommand_is_shown(name):
    assert any(command.startswith(f"ecgbeat {name}") for command in commands())
