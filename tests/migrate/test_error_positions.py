"""The position of a server error in the file."""

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
def test_the_caret_marks_the_error_position_also_in_a_do_block(
    database, write, body: str, marked: str, options: str
) -> None:
    with pytest.raises((StatementFailed, PartiallyApplied)) as error:
        migrate(database, (write(1, f"-- é😀\n{body}", options=options),))

    place = error.value.place
    assert place.text[place.column - 1 :].startswith(marked)


def test_the_query_inside_a_function_is_shown_with_its_own_caret(database, write) -> None:
    with pytest.raises(StatementFailed) as error:
        migrate(database, (write(1, IN_FUNCTION),))

    assert error.value.place.text == "select f();"
    detail = error.value.detail
    assert "CONTEXT: PL/pgSQL function f() line 3 at RETURN" in detail
    lines = detail.splitlines()
    shown = next(number for number, line in enumerate(lines) if "from nowhere" in line)
    assert lines[shown + 1].index("^") == lines[shown].index("nowhere")


def test_deallocating_the_prepared_statements_of_the_runner_is_an_error(database, write) -> None:
    with pytest.raises(StatementFailed) as error:
        migrate(database, (write(1, "do $$ begin execute 'deallocate all'; end $$;"),))
    assert "DEALLOCATE ALL" in error.value.hint


def test_an_unsafe_use_of_a_new_enum_value_is_rejected_by_the_server(database, write) -> None:
    made = write(1, "create type kind as enum ('a'); create table k (k kind);")
    migrate(database, (made,))

    with pytest.raises(StatementFailed, match="unsafe use of new value") as error:
        migrate(database, (made, write(2, "alter type kind add value 'b';\ninsert into k values ('b');")))

    assert (error.value.place.line, error.value.hint) == (
        4,
        "Put the use of the new value into the next migration.",
    )
