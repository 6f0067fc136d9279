"""Lines of SQL and other files end with a line feed, as in PostgreSQL and editors."""

from __future__ import annotations

import pytest

from aigym_db.model.source import Source, lines_of


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_only_a_line_feed_ends_a_line(character: str) -> None:
    text = f"a{character}b\n\nc"
    assert lines_of(text) == [f"a{character}b", "", "c"]
    assert Source("x.sql", text).place(len(text)).line == len(lines_of(text))


@pytest.mark.parametrize("text", ["", "a", "a\n", "\n", "a\n\nb", "a\n\n"])
def test_lines_with_their_ends_make_up_the_text(text: str) -> None:
    assert "".join(lines_of(text, keepends=True)) == text
    assert lines_of(text) == text.splitlines()
