import subprocess
import sys
import textwrap

import pytest

TERMINAL = ""
# tqdm detects a notebook by these
NOTEBOOK = """
    import sys
    import types

    class ZMQInteractiveShell:
        config = {"IPKernelApp": {}}

    sys.modules["ipykernel.zmqshell"] = types.ModuleType("ipykernel.zmqshell")
    sys.modules["IPython"] = types.SimpleNamespace(get_ipython=ZMQInteractiveShell)
"""
WITHOUT_WIDGETS = """
    sys.modules["ipywidgets"] = None
"""
WITH_WIDGETS = """
    class HBox:
        pass

    widgets = types.SimpleNamespace(HBox=HBox, HTML=object, FloatProgress=object)
    sys.modules["ipywidgets"] = widgets
"""


def draws_widgets(setting: str) -> bool:
    """Return whether a fresh interpreter gets the notebook bar, with warnings as errors."""
    code = f"{textwrap.dedent(setting)}\nfrom ecgbeat._progress import tqdm\nprint(*tqdm.__mro__)"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return "tqdm.notebook" in done.stdout


@pytest.mark.parametrize(
    ("setting", "expected"),
    [(TERMINAL, False), (NOTEBOOK + WITHOUT_WIDGETS, False), (NOTEBOOK + WITH_WIDGETS, True)],
    ids=["terminal", "notebook without ipywidgets", "notebook"],
)
def test_bar_suits_terminal_and_notebook(setting, expected):
    assert draws_widgets(setting) == expected
