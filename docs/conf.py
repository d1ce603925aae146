"""The documentation site: `make docs` builds it from the root of the repository, so that its pages
link to each other and to the sources as they do where the repository is read."""

from pathlib import Path

from pygments.lexers.rust import RustLexer
from sphinx.application import Sphinx

import clazar_auth

project = "clazar-auth"
version = release = clazar_auth.__version__
author = "The clazar-auth developers"
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = ["docs/*.md", "CHANGELOG.md", "SECURITY.md"]
root_doc = "docs/index"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# The standard library and the HTTP libraries are documented elsewhere.
nitpick_ignore_regex = [(r"py:.*", r"(aiohttp|datetime|os|requests)\..*|PreparedRequest|Client.*")]

# In code, which much of the text is about, a quote is a quote.
smartquotes = False

html_theme = "furo"
html_title = f"clazar-auth {release}"
html_copy_source = False
html_extra_path = [str(Path(__file__).parents[1] / "target" / "reference")]


def setup(app: Sphinx) -> None:
    # What rustdoc calls an example that is compiled and not run.
    app.add_lexer("rust,no_run", RustLexer)
