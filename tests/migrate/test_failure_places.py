"""Where a failure of the server is, in the file that a person edits."""

from __future__ import annotations

import pytest

from aigym_db.errors import PartiallyApplied, StatementFailed
from aigym_db.migrate.apply import migrate

IN_FUNCTION = """create function f() returns int language plpgsql as $$
begin
  return (select 1
          from nowhere);
end $$;
select f();"""


@pytest.mark.parametrize("options", ["", " transaction:false"])
@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("do $$\nbegin\n  perform 1;\n  raise exception 'no é';\nend $$;", "raise exception"),
        ("do language plpgsql -- 'é'\n  $a$ begin\n\tperform 1/0;\nend $a$;", "perform 1/0"),
        ("DO 'begin\n raise exception ''y'';\nend';", "raise exception"),
        ("do $$ begin raise exception 'x'; end $$;", "$$ begin"),
        ("do $$\nbegin\n  execute 'select nope';\nend $$;", "nope"),
        ("do $$\nbegin\n  raise exception 'inline_code_block line 40';\nend $$;", "raise"),
        ("select 'é' || nope();", "nope"),
    ],
)
def test_the_caret_is_under_what_failed_also_inside_a_do_block(
    database, write, body: str, marked: str, options: str
) -> None:
    with pytest.raises((StatementFailed, PartiallyApplied)) as refusal:
        migrate(database, (write(1, f"-- é😀\n{body}", options=options),))

    place = refusal.value.place
    assert place.text[place.column - 1 :].startswith(marked)


def test_the_query_inside_a_function_is_shown_with_its_own_caret(database, write) -> None:
    with pytest.raises(StatementFailed) as refusal:
        migrate(database, (write(1, IN_FUNCTION),))

    assert refusal.value.place.text == "select f();"
    detail = refusal.value.detail
    assert "CONTEXT: PL/pgSQL function f() line 3 at RETURN" in detail
    lines = detail.splitlines()
    shown = next(number for number, line in enumerate(lines) if "from nowhere" in line)
    assert lines[shown + 1].index("^") == lines[shown].index("nowhere")


def test_a_file_that_throws_away_our_prepared_statements_is_told_so(database, write) -> None:
    with pytest.raises(StatementFailed) as refusal:
        migrate(database, (write(1, "do $$ begin execute 'deallocate all'; end $$;"),))
    assert "DEALLOCATE ALL" in refusal.value.hint


def test_a_value_added_to_an_enum_is_refused_by_the_server_where_only_it_can_tell(database, write) -> None:
    made = write(1, "create type kind as enum ('a'); create table k (k kind);")
    migrate(database, (made,))

    with pytest.raises(StatementFailed, match="unsafe use of new value") as refusal:
        migrate(database, (made, write(2, "alter type kind add value 'b';\ninsert into k values ('b');")))

    assert (refusal.value.place.line, refusal.value.hint) == (
        4,
        "Put the use of the new value into the next migration.",
    )
