"""docs/up.svg shows what `aigym-db up` prints for the reference database.

After a change of the output, run in a fresh clone:
`aigym-db up | PYTHONPATH=. python tests/freshness/test_picture.py`
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

from aigym_db.verify.check import checks

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs/up.svg"
GREEN, LETTER, LINE, MARGIN, TOP = "#98c379", 8.2, 18, 16.0, 46
"""The colour of words of success; the width of a letter, the height of a line, the margins, in pixels."""
STYLED = re.compile(r"^(\$|applied|ok)(.*?)(\(\d+ ms\))?$")
FOLDER = "/srv/aigym-db"
"""The folder of the project in the picture."""


def lines_of_picture() -> list[str]:
    """The lines of the picture by their position, empty lines included."""
    rows = {
        int(position): html.unescape(re.sub("<[^>]+>", "", content))
        for position, content in re.findall(r'<text y="(\d+)"[^>]*>(.*?)</text>', PICTURE.read_text())
    }
    return [rows.get(position, "") for position in range(TOP, max(rows) + 1, LINE)]


def picture(lines: list[str]) -> str:
    """Return the lines as an SVG picture of a terminal."""
    width, height = round(MARGIN * 2 + LETTER * max(map(len, lines))), TOP + LINE * len(lines) + 16
    rows = [
        f'<text y="{TOP + LINE * number}" xml:space="preserve">{styled(line)}</text>'
        for number, line in enumerate(lines)
        if line
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="aigym-db up in a terminal">',
            f'<rect width="{width}" height="{height}" rx="8" fill="#1e222a"/>',
            '<circle cx="20" cy="18" r="6" fill="#e06c75"/><circle cx="40" cy="18" r="6" fill="#e5c07b"/>'
            f'<circle cx="60" cy="18" r="6" fill="{GREEN}"/>',
            "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" "
            'font-size="13.5" fill="#d7dae0">',
            *rows,
            "</g>",
            "</svg>",
            "",
        ]
    )


def styled(line: str) -> str:
    """Return the text spans of a line: green words of success, dim durations, a bold connection string."""
    if line.startswith("postgresql://"):
        return span(0, line, ' font-weight="bold"')
    match = STYLED.match(line)
    if match is None:
        return span(0, line)
    first, text, duration = match[1], match[2], match[3] or ""
    bold = ' font-weight="bold"' if first == "$" else ""
    spans = span(0, first, f' fill="{GREEN}"{bold}') + span(len(first), text)
    return spans + (span(len(first + text), duration, ' opacity="0.6"') if duration else "")


def span(column: int, text: str, attributes: str = "") -> str:
    return f'<tspan x="{MARGIN + LETTER * column:.1f}"{attributes}>{html.escape(text, quote=False)}</tspan>'


def test_the_picture_is_drawn_from_its_lines() -> None:
    assert PICTURE.read_text() == picture(lines_of_picture())


def test_the_picture_shows_every_migration_and_every_check() -> None:
    shown = [re.sub(r" \(\d+ ms\)$", "", line) for line in lines_of_picture()]
    files = sorted(path.stem.replace("_", " ", 1) for path in (ROOT / "migrations").glob("*.sql"))

    assert shown[: len(files) + 2] == [
        "$ aigym-db up",
        *(f"applied {label}" for label in files),
        f"ok      migrate   {len(files)} applied, {len(files)} in all",
    ]
    (verify,) = (line for line in shown if line.startswith("ok      verify"))
    assert int(re.findall(r"\d+", verify)[0]) == len(checks())


def test_the_picture_shows_the_lines_of_the_page_that_is_executed() -> None:
    """`up` in README.md is executed by test_documentation, with other numbers and names."""
    page = (ROOT / "README.md").read_text().partition("\n$ aigym-db up\n")[2].partition("\n```")[0]

    def without_numbers(lines: list[str]) -> list[str]:
        kept = (line for line in lines if not line.startswith(("applied", "ok      seed", "ok      access")))
        return [re.sub(r"\?host=.*", "", re.sub(r"[\d…]+", "N", line)) for line in kept]

    assert without_numbers(lines_of_picture()[1:]) == without_numbers(page.split("\n"))


if __name__ == "__main__":
    printed = re.sub(r"host=\S*/\.aigym-db/", f"host={FOLDER}/.aigym-db/", sys.stdin.read())
    PICTURE.write_text(picture(["$ aigym-db up", *printed.rstrip("\n").split("\n")]))
