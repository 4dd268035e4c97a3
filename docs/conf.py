"""The site: the project's documents as they are, in one place. `make docs` builds it."""

project = "skiff"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "docs/index.md",
    "docs/convert.md",
    "docs/stream.md",
    "docs/operate.md",
    "docs/exactness.md",
    "docs/performance.md",
    "docs/faq.md",
    "README.md",
    "convert/README.md",
    "convert/skiff_convert/lift/README.md",
    "deploy/README.md",
    "inference/bundle/SPEC.md",
    "models/taxi/README.md",
    ".github/CHANGELOG.md",
    ".github/CONTRIBUTING.md",
]
myst_heading_anchors = 4  # as GitHub has them, so that links with # work in both
suppress_warnings = [
    "myst.header",
    "misc.highlighting_failure",
]  # headings as GitHub shows them; sessions with … in them
nitpick_ignore_regex = [
    ("myst", r"(\.\./)*[\w/]+")
]  # a folder, which the site has no page of: the link is its text
html_theme = "furo"
html_title = "skiff"
html_show_sphinx = False
html_show_copyright = False
