"""The project's documents: every link among them, and to a file of the project, leads somewhere."""

import re
import subprocess
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout
DOCUMENTS = LISTED.split() or [str(path.relative_to(ROOT)) for path in ROOT.glob("[!.]*/**/*.md")]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)


def anchors(text):
    """What GitHub calls a document's headings."""
    found = set()
    for heading in HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        kept = (c for c in words if c in " -_" or unicodedata.category(c)[0] in "LN")
        found.add("".join(kept).replace(" ", "-"))
    return found


def test_there_are_documents():
    assert {"README.md", "docs/exactness.md", "deploy/README.md"} <= set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in LINK.findall(CODE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = ((ROOT / name).parent / path) if path else ROOT / name
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_a_broken_link_is_found():
    assert "there" in anchors("# There\n") and "there" not in anchors("```\n# There\n```\n")
    assert anchors("### `…-dead-letters`, 2 & more") == {"-dead-letters-2--more"}
