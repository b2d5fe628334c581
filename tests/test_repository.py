"""Tests of the project files: commands, versions, hooks, workflow and metadata."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# prefix of an extra that includes other extras
SELF = "ecgbeat"

pytestmark = pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="requires the repository")


def text_of(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def project_file() -> dict:
    return tomllib.loads(text_of("pyproject.toml"))


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    """Return the versions of a constraints file, by the name of the package."""
    lines = [line for line in text_of(file).splitlines() if not line.startswith("#")]
    return {normalized(name): version for name, _, version in (x.partition("==") for x in lines)}


def minimum_versions(requirements: list[str]) -> dict[str, str]:
    """Return the oldest versions that requirements allow, by the name of the package."""
    found = {}
    for requirement in requirements:
        match = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
        if match:
            found[normalized(match[1])] = match[2]
        else:
            assert requirement.startswith(SELF), f"{requirement} has no minimum version"
    return found


def release(version: str) -> list[str]:
    """Return the parts of a version without zeros at the end."""
    return re.sub(r"(\.0)+$", "", version).split(".")


def minimum_versions_of_tests() -> dict[str, str]:
    project = project_file()["project"]
    extras = project["optional-dependencies"]
    return minimum_versions(
        [*project["dependencies"], *extras["data"], *extras["plot"], *extras["test"]]
    )


@pytest.mark.parametrize("package", minimum_versions_of_tests())
def test_minimum_version_is_tested(package):
    assert release(pins(".ci/constraints-oldest.txt")[package]) == release(
        minimum_versions_of_tests()[package]
    )


def test_all_requirements_are_pinned():
    project = project_file()
    required = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
    ]
    assert set(minimum_versions(required)) | {"hatch"} <= set(pins(".ci/constraints.txt"))


def test_minimum_versions_have_a_reason():
    block = re.search(r"^dependencies = \[\n(.*?)^\]", text_of("pyproject.toml"), re.M | re.S)
    assert block is not None
    for line in block[1].splitlines():
        assert re.fullmatch(r' +"\S+", +# .+', line)


def test_hooks_run_the_pinned_versions():
    named = re.findall(r"\[([\w-]+)==([\w.]+)\]", text_of(".pre-commit-config.yaml"))
    assert {name for name, _ in named} == {"ruff", "pre-commit-hooks"}
    for name, version in named:
        assert pins(".ci/constraints.txt")[name] == version


def test_hooks_and_project_have_no_urls():
    assert "://" not in text_of(".pre-commit-config.yaml")
    assert "urls" not in project_file()["project"]


def test_contributing_guide_lists_every_command():
    scripts = project_file()["tool"]["hatch"]["envs"]["default"]["scripts"]
    assert {"test", "lint", "docs", "bench"} <= set(scripts)
    listed = re.findall(r"^\| `hatch run (\w+)` \|", text_of("docs/contributing.md"), re.MULTILINE)
    assert sorted(listed) == sorted(scripts)


def test_documentation_build_is_strict():
    scripts = project_file()["tool"]["hatch"]["envs"]["default"]["scripts"]
    assert re.match(r"python -m sphinx -W --keep-going .*docs docs/_build/html$", scripts["docs"])


def test_ci_runs_the_commands_of_the_contributing_guide():
    command = re.search(
        r"<!-- hatch -->\n```bash\n(.*?)```", text_of("docs/contributing.md"), re.DOTALL
    )
    assert command is not None
    assert command[1].startswith("pip install -c .ci/constraints.txt hatch")
    assert "command_of docs/contributing.md hatch" in text_of(".ci/run")


def test_ci_runs_every_part():
    script = text_of(".ci/run")
    (parts,) = re.findall(r"\|\| set -- (.*)$", script, re.MULTILINE)
    assert all(f"\n{part}() {{\n" in script for part in parts.split())
    assert set(parts.split()) == set(re.findall(r"^#   (\w+) +\S", script, re.MULTILINE))


def test_workflow_runs_all_supported_pythons():
    classifiers = project_file()["project"]["classifiers"]
    claimed = re.findall(r"Python :: (3\.\d+)$", "\n".join(classifiers), re.MULTILINE)
    (matrix,) = re.findall(r"python: \[(.*)\]", text_of(".github/workflows/tests.yml"))
    assert re.findall(r"3\.\d+", matrix) == claimed
    assert "- run: .ci/run" in text_of(".github/workflows/tests.yml")
    assert f"find_python {claimed[-1]})" in text_of(".ci/run")


def test_description_on_pypi_has_no_relative_links():
    try:
        metadata = importlib.metadata.metadata("ecgbeat")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("requires the installed package")
    description = metadata["Description"] or metadata.get_payload()
    assert "# ecgbeat" in description
    assert "](https://" in description
    assert "`docs/tutorial.md`" in description
    assert re.findall(r"\]\((?!https://)[^)]*\)", description) == []
