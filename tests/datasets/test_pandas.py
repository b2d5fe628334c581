import sys

import pytest

from ecgbeat.datasets._pandas import import_pandas


def test_pandas_is_imported():
    pandas = pytest.importorskip("pandas", reason="takes the extra 'data'")
    assert import_pandas("A table") is pandas


def test_how_to_install_pandas_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'A table needs pandas: pip install "ecgbeat\[data\]"'):
        import_pandas("A table")
