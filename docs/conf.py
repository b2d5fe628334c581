"""How Sphinx builds the documentation; docs/contributing.md names the command."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import ecgbeat

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))
from inventories import write_inventories  # noqa: E402 - lies beside this file

project = "ecgbeat"
author = "The ecgbeat developers"
project_copyright = author
version = release = ecgbeat.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
root_doc = "index"
exclude_patterns = ["_build", "gallery/**/*.ipynb", "gallery/**/*.py"]
templates_path = ["_templates"]

# --- cross-references ---------------------------------------------------------------
nitpicky = True  # a name in a docstring or page that leads nowhere is a warning
default_role = "autolink"  # `name` is a link if it can be imported, else set in italics
rst_prolog = ".. currentmodule:: ecgbeat\n"  # so that examples may write `BeatAnnotator`
# inventories.txt holds the names that we link to; nothing is downloaded
intersphinx_mapping = write_inventories(DOCS / "inventories.txt", DOCS / "_build" / "inventories")

# --- docstrings ---------------------------------------------------------------------
autosummary_generate = True
autodoc_typehints = "none"  # the docstrings tell types, with shapes and units
autodoc_preserve_defaults = True  # as written: "nn.CrossEntropyLoss", not its repr
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the templates say which members are shown
numpydoc_attributes_as_param_list = True
# of the nets' methods, what users call; the rest are skorch's hooks
USED_OF_NETS = {"fit", "partial_fit", "predict", "predict_proba"}

# --- pages --------------------------------------------------------------------------
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# --- examples -----------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",  # run these
    "ignore_pattern": r"^(?!plot_)",  # and show no others
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("ecgbeat",),
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "capture_repr": ("_repr_html_",),  # tables; "<... object at 0x...>" tells nobody anything
    "write_computation_times": False,
    "plot_gallery": "True",
}

# --- look ---------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = f"ecgbeat {release}"
html_static_path = ["_static"]
html_css_files = ["ecgbeat.css"]
html_show_sourcelink = False
smartquotes = False  # default="beat" in a docstring is code
# pages without pages below them need no navigation at their side
WITHOUT_SIDEBAR = "installation tutorial training benchmarks contributing changelog citing"
html_sidebars = {page: [] for page in WITHOUT_SIDEBAR.split()}
html_theme_options = {
    "logo": {"text": "ecgbeat"},
    "show_prev_next": True,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "search_as_you_type": False,
}


def public_places() -> dict[str, str]:
    """Map every public name to the place where api/ describes it."""
    places = dict.fromkeys(ecgbeat._CLASSES, "ecgbeat")
    for room in ecgbeat._MODULES:
        for name in importlib.import_module(f"ecgbeat.{room}").__all__:
            places.setdefault(name, f"ecgbeat.{room}")
    return {name: f"{room}.{name}" for name, room in places.items()}


def link_to_public_place(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Find `extract_beats` and `ecgbeat.preprocessing.ZScoreScaler` from wherever they stand."""
    target = node.get("reftarget", "")
    place = public_places().get(target.rpartition(".")[2])
    if node.get("refdomain") != "py" or place is None:
        return None
    if "." in target and not target.startswith("ecgbeat."):
        return None
    python = env.domains["py"]
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", place, node, content)


def hide_what_others_document(_app: Any, what: str, name: str, member: Any, *_: Any) -> bool | None:
    """Leave out members that scikit-learn, skorch or torch define, and hooks of skorch."""
    function = getattr(member, "fget", member)
    module = getattr(function, "__module__", None) or ""
    if what != "class" or not callable(function):
        return None
    is_hook = module.startswith("ecgbeat.classifiers") and name not in USED_OF_NETS
    return True if is_hook or not module.startswith("ecgbeat") else None


def escape_learned_names(*arguments: Any) -> None:
    """Keep reStructuredText from taking "of shape (n_features_in_,)" for a link."""
    lines = arguments[-1]
    for i, line in enumerate(lines):
        if " of shape (" in line and "`" not in line:
            lines[i] = re.sub(r"(\w)_(?=[,) ])", r"\1\\_", line)


def take_rst_headers_only(_app: Any, config: Any) -> None:
    """Keep the gallery from taking examples/benchmarks/README.md for a header of its own."""
    config.sphinx_gallery_conf["source_suffix"] = {".rst": "restructuredtext"}


def setup(app: Any) -> None:
    """Connect the functions above to Sphinx."""
    app.connect("config-inited", take_rst_headers_only, priority=900)
    app.connect("autodoc-process-docstring", escape_learned_names, priority=400)
    app.connect("autodoc-skip-member", hide_what_others_document)
    app.connect("missing-reference", link_to_public_place)
