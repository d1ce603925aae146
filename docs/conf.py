"""The documentation site: `make docs` builds it from the root of the repository, so that its pages
link to each other and to the sources as they do where the repository is read."""

import re
from pathlib import Path

from pygments.lexers.rust import RustLexer
from sphinx.application import Sphinx

import clazar_auth

project = "clazar-auth"
version = release = clazar_auth.__version__
author = "The clazar-auth developers"
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_inline_tabs"]
include_patterns = ["docs/*.md", "CHANGELOG.md", "SECURITY.md"]
root_doc = "docs/index"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# The standard library and the HTTP libraries are documented elsewhere.
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(aiohttp|datetime|opentelemetry|os|prometheus_client|requests)\..*|PreparedRequest|Client.*"
        r"|Metric|(Meter|Tracer)Provider",
    )
]

# In code, which much of the text is about, a quote is a quote.
smartquotes = False

html_theme = "furo"
html_title = f"clazar-auth {release}"
html_copy_source = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_extra_path = [str(Path(__file__).parents[1] / "target" / "reference")]


LANGUAGES = {"python": "Python", "sh": "Shell", "c": "C", "cpp": "C++", "rust": "Rust"}
BLOCK = rf"^```({'|'.join(LANGUAGES)})\b.*?^```\n"
SEVERAL = re.compile(rf"(?:{BLOCK}\n){{2,}}", re.DOTALL | re.MULTILINE)


def in_tabs(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Code blocks one right after the other are the same in several languages: a tab for each.

    So the pages need no directives, which a forge would show as they are.
    """

    def tab(block: re.Match[str]) -> str:
        return f":::{{tab}} {LANGUAGES[block[1]]}\n{block[0]}:::\n"

    def tabs(blocks: re.Match[str]) -> str:
        return re.sub(BLOCK, tab, blocks[0], flags=re.DOTALL | re.MULTILINE)

    source[0] = SEVERAL.sub(tabs, source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", in_tabs)
    # What rustdoc calls an example that is compiled and not run.
    app.add_lexer("rust,no_run", RustLexer)
