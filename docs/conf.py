"""Sphinx configuration. See docs/contributing.md for the build command."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import ecgbeat

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))
from inventories import write_inventories  # noqa: E402 - requires the path above

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
nitpicky = True  # warn about references without a target
default_role = "autolink"  # link `name` if it can be imported, otherwise use italics
rst_prolog = ".. currentmodule:: ecgbeat\n"  # allows `BeatAnnotator` in examples
# inventories.txt lists the linked names of other projects, so the build does not download them
intersphinx_mapping = write_inventories(DOCS / "inventories.txt", DOCS / "_build" / "inventories")

# --- docstrings ---------------------------------------------------------------------
autosummary_generate = True
autodoc_typehints = "none"  # types, shapes and units are in the docstrings
autodoc_preserve_defaults = True  # show "nn.CrossEntropyLoss" instead of its repr
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # members are selected in the templates
numpydoc_attributes_as_param_list = True
# documented methods of the classifiers; the other methods override hooks of skorch
CLASSIFIER_METHODS = {"fit", "partial_fit", "predict", "predict_proba"}

# --- pages --------------------------------------------------------------------------
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# --- examples -----------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",  # run the examples
    "ignore_pattern": r"^(?!plot_)",  # hide all other scripts
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("ecgbeat",),
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "capture_repr": ("_repr_html_",),  # show tables, but no "<... object at 0x...>"
    "write_computation_times": False,
    "thumbnail_size": (600, 420),  # sharp on all screens, where it is about 300 px wide
    "plot_gallery": "True",
}

# --- look ---------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = f"ecgbeat {release}"
html_static_path = ["_static"]
html_css_files = ["ecgbeat.css"]
html_show_sourcelink = False
smartquotes = False  # keep quotation marks in default="beat"
# pages without subpages
PAGES_WITHOUT_SIDEBAR = "installation tutorial training contributing changelog citing"
html_sidebars = {page: [] for page in PAGES_WITHOUT_SIDEBAR.split()}
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


def documented_names() -> dict[str, str]:
    """Map each public name to its full name in the API reference."""
    modules = dict.fromkeys(ecgbeat._DEFINED_IN, "ecgbeat")
    for package in ecgbeat._MODULES:
        for name in importlib.import_module(f"ecgbeat.{package}").__all__:
            modules.setdefault(name, f"ecgbeat.{package}")
    return {name: f"{module}.{name}" for name, module in modules.items()}


def resolve_public_name(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Resolve references such as `extract_beats` and `ecgbeat.preprocessing.ZScoreScaler`."""
    target = node.get("reftarget", "")
    full_name = documented_names().get(target.rpartition(".")[2])
    if node.get("refdomain") != "py" or full_name is None:
        return None
    if "." in target and not target.startswith("ecgbeat."):
        return None
    domain = env.domains["py"]
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", full_name, node, content)


def skip_inherited_members(_app: Any, what: str, name: str, member: Any, *_: Any) -> bool | None:
    """Skip members defined by scikit-learn, skorch or torch, and overridden hooks of skorch."""
    function = getattr(member, "fget", member)
    module = getattr(function, "__module__", None) or ""
    if what != "class" or not callable(function):
        return None
    is_hook = module.startswith("ecgbeat.classifiers") and name not in CLASSIFIER_METHODS
    return True if is_hook or not module.startswith("ecgbeat") else None


def escape_trailing_underscores(*arguments: Any) -> None:
    """Escape "of shape (n_features_in_,)", which is a link in reStructuredText."""
    lines = arguments[-1]
    for i, line in enumerate(lines):
        if " of shape (" in line and "`" not in line:
            lines[i] = re.sub(r"(\w)_(?=[,) ])", r"\1\\_", line)


def ignore_markdown_in_gallery(_app: Any, config: Any) -> None:
    """Prevent the gallery from using examples/benchmarks/README.md as a header."""
    config.sphinx_gallery_conf["source_suffix"] = {".rst": "restructuredtext"}


def setup(app: Any) -> None:
    """Register the event handlers."""
    app.connect("config-inited", ignore_markdown_in_gallery, priority=900)
    app.connect("autodoc-process-docstring", escape_trailing_underscores, priority=400)
    app.connect("autodoc-skip-member", skip_inherited_members)
    app.connect("missing-reference", resolve_public_name)
