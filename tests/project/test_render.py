"""Rendering: the same bytes every time, and every place shown where a person can edit it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from aigym_db.errors import AigymError, BadSql, BadTemplate, StrayFile
from aigym_db.model.source import Source
from aigym_db.project.config import Project
from aigym_db.project.render import render, render_file
from aigym_db.syntax.parse import parse

Make = Callable[[dict[str, str]], Project]
Card = Callable[..., str]


def rendered(make: Make, text: str, **macros: str) -> Source:
    """The template schema/a/_types.sql.j2 with this text, rendered."""
    files = {f"schema/_macros/{name}.sql.j2": macro for name, macro in macros.items()}
    project = make({"schema/a/_types.sql.j2": text, **files})
    return render_file(project, project.root / "schema/a/_types.sql.j2")


def where(source: Source, piece: str) -> tuple[str, int, int]:
    place = source.place(source.text.index(piece))
    return place.file, place.line, place.column


def template_error(make: Make, text: str, **macros: str) -> BadTemplate:
    with pytest.raises(BadTemplate) as caught:
        rendered(make, text, **macros)
    return caught.value


def at(error: AigymError) -> tuple[str, int, int]:
    assert error.place is not None
    return error.place.file, error.place.line, error.place.column


FILE = "schema/a/_types.sql.j2"


def test_a_syntax_error_in_line_40_is_in_line_40_after_an_emoji_in_line_3(make: Make) -> None:
    lines = ["select 1;"] * 39
    lines[2] = "comment on schema a is '😀é';"
    lines[4] = "{% for n in range(30) %}"
    lines[6] = "{% endfor %}"

    source = rendered(make, "\n".join([*lines, "select 'ü', 1 from where x;"]))

    with pytest.raises(BadSql) as caught:
        parse(source)
    assert at(caught.value) == (FILE, 40, 20)
    assert caught.value.place is not None
    assert caught.value.place.text == "select 'ü', 1 from where x;"


def test_a_syntax_error_inside_a_macro_is_in_the_macro(make: Make) -> None:
    source = rendered(
        make,
        '{% from "_macros/m.sql.j2" import m %}\n{{ m("é") }}',
        m="{# 😀 #}\n{% macro m(x) -%}\n  select '{{ x }}'\n    from from t;\n{%- endmacro %}",
    )

    with pytest.raises(BadSql) as caught:
        parse(source)

    assert at(caught.value) == ("schema/_macros/m.sql.j2", 4, 10)


def test_what_an_expression_writes_is_placed_at_the_expression(make: Make) -> None:
    source = rendered(
        make, "{% for x in ['one', 'two'] %}\nselect {{ x }}, 'end';\n{{ x ~ 1 }}\n{% endfor %}"
    )

    assert where(source, "one") == (FILE, 2, 8)
    assert where(source, "ne") == (FILE, 2, 8)
    assert where(source, ", 'end'") == (FILE, 2, 15)
    assert where(source, "two1") == (FILE, 3, 1)


def test_text_after_white_space_control_is_placed_right(make: Make) -> None:
    source = rendered(
        make,
        "a1\n  {%- if true %}\n   b2\n   {%- endif +%}\n  {# c #} c3\n"
        "{%+ if true -%}  \n d4{% endif %}\n{{- 'e5' -}}\n f6",
    )

    assert source.text == "a1   b2\n c3\nd4e5f6\n"
    assert [where(source, piece)[1:] for piece in ("a1", "b2", "c3", "d4", "e5", "f6")] == [
        (1, 1), (3, 4), (5, 11), (7, 2), (8, 1), (9, 2),
    ]  # fmt: skip


def test_raw_text_is_placed_right(make: Make) -> None:
    source = rendered(make, "select 1;\n{% raw %}\nselect '{{ x }}';\n{%- endraw %}\nselect 3;")

    assert where(source, "'{{ x }}'") == (FILE, 3, 8)
    assert where(source, "select 3") == (FILE, 5, 1)


@pytest.mark.parametrize(
    "template",
    [
        "{% filter upper %}\nselect a,\n  b\n{% endfilter %}",
        "{% set x %}\n  select 1\n{% endset %}{{ x | trim }};{{ x | length }};{{ x | replace('1', '2') }}",
        "{% macro m() %}ab{% endmacro %}{% if m() == 'ab' %}yes{% else %}no{% endif %}",
        "{% macro m() %}{{ '' }}{% endmacro %}{% if m() %}yes{% else %}no{% endif %}",
        "{% macro m() %}\n  {{ caller() | trim }}|{{ caller() | indent(4) }}\n{% endmacro %}"
        "{% call m() %} a\n b{% endcall %}",
        "{% macro m() %}cab{% endmacro %}{{ m() | list | sort | join }}{{ m()[1] }}{{ m() | first }}",
        "{% macro m() %}1{% endmacro %}{{ [10, 20][m() | int] }}{{ 1 // (m() | length) }}",
        "{% macro m() %}b{% endmacro %}{{ {'b': 'found'}[m()] }}",
        "{% macro m() %}{% raw %}\\U000f0000{% endraw %}\\\\U000f0001'{% endmacro %}{{ m() }}",
        "{% set ns = namespace(n='') %}{% for i in range(3) %}"
        "{% set ns.n %}{{ ns.n }}{{ i }}{% endset %}{% endfor %}{{ ns.n }}",
    ],
)
def test_marks_never_show_in_what_is_rendered(make: Make, template: str) -> None:
    expected = plain_jinja(template)

    assert rendered(make, template).text == expected.rstrip() + "\n"


def test_a_template_that_looks_into_its_own_text_still_gets_places_by_line(make: Make) -> None:
    source = rendered(
        make,
        "{% set x %}ab{% endset %}\n{% if x == 'ab' %}\nselect 1, 2, 3;\n{% endif %}\n\nselect 'x' | y;\n",
    )

    assert source.text == "select 1, 2, 3;\n\nselect 'x' | y;\n"
    assert where(source, "2, 3") == (FILE, 3, 11)
    assert where(source, "'x'") == (FILE, 6, 8)


WRITTEN = ("a", "é😀", "'", "\\", "\\U000f0000", "\n", "\n\n  ", " ", "\t", "$$", "#}", "%}")
TAGS = ("{{ 'v' }}", "{{- 'w' -}}", "{{ t }}", "{# c #}", "{#- c -#}", "{% set x = 1 %}", "{%- set x = 1 -%}")
BLOCKS = ("{% if 1 %}", "{%- if 1 -%}", "{%+ if 1 +%}", "{% raw %}{{ r }}\n {%- endraw %}")


@given(st.lists(st.sampled_from([*WRITTEN, *TAGS, *BLOCKS]), max_size=25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rendering_gives_what_jinja_gives_and_each_constant_its_place(make: Make, pieces: list[str]) -> None:
    ends = "{% endif %}" * sum("if 1" in piece for piece in pieces)
    template = "".join(["{% set t = 'T' %}", *pieces, ends])

    source = rendered(make, template)

    assert source.text == plain_jinja(template).rstrip() + "\n"
    assert [piece for piece in constants(source) if piece[0] != piece[1]] == []


def constants(source: Source) -> list[tuple[str, str]]:
    """Each piece of the text that its span calls constant, and the text of the template there."""
    starts = [*(span.start for span in source.spans[1:]), len(source.text) - 1]
    return [
        (source.text[span.start : end], source.originals[span.file][span.offset :][: end - span.start])
        for span, after in zip(source.spans, starts, strict=True)
        if (end := min(after, span.start + (span.width or 0))) > span.start
    ]


def plain_jinja(template: str) -> str:
    return PLAIN.from_string(template).render()


PLAIN = Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)


def test_rendering_twice_gives_the_same_bytes(make: Make, card: Card) -> None:
    project = make(
        {
            "schema/a/t.sql.j2": card("a.t", rows="7") + "create table a.t ({{ table.expected_rows }});",
            "policies/a.sql.j2": "-- {{ tables | join }} {{ domains | map(attribute='name') | join(' ') }}",
        }
    )

    first, second = render(project), render(project)

    assert [source.file for source in first] == ["policies/a.sql.j2", "schema/a/t.sql.j2"]
    assert first[0].text == "-- a.t a b auth\n"
    assert [source.text for source in first] == [source.text for source in second]


@pytest.mark.parametrize("ending", ["", "\n", "\n\n\n", "  \n \n", "\r\n"])
def test_a_rendered_text_ends_in_one_line_end(make: Make, ending: str) -> None:
    assert rendered(make, f"\ufeffselect 1;\r\nselect '\r';{ending}").text == "select 1;\nselect '\n';\n"


def test_an_undefined_variable_is_shown_where_it_stands(make: Make) -> None:
    error = template_error(make, "-- é\n{% set number = 1 %}\nselect 1, {{ numbr }};")

    assert at(error) == (FILE, 3, 14)
    assert error.hint == "Write `number`."


def test_an_undefined_variable_inside_a_macro_is_shown_in_the_macro(make: Make) -> None:
    error = template_error(
        make,
        '\n{% from "_macros/m.sql.j2" import m %}\n\n{{ m(1) }}',
        m="{% macro m(number) %}\nselect 😀,\n  {{ other(\n   2, number) }}{% endmacro %}",
    )

    assert at(error) == ("schema/_macros/m.sql.j2", 3, 6)
    assert error.detail == f"in {FILE}, line 4"


@pytest.mark.parametrize(
    ("template", "line", "words", "hint"),
    [
        ("\n{% fro x %}", 2, "unknown tag 'fro'", "Write `f"),
        ("\n\n{{ x | uper }}", 3, "No filter named 'uper'", "Write `upper`."),
        ("\n{% if x %}", 2, "Unexpected end of template", ""),
        ("\n{{ x", 2, "unexpected end of template", ""),
        ("\n{% import '_macros/n.sql.j2' as m %}", 2, "no template", "Write `_macros/m.sql.j2`."),
        ("\n{% from '_macros/m.sql.j2' import colums %}{{ colums() }}", 2, "not export", "Write `columns`."),
        ("{% from '_macros/m.sql.j2' import columns %}\n{{ columns(5) }}", 2, "takes not more", "Compare"),
        ("\n{{ ''.__class__.__mro__ }}", 2, "unsafe", "Use the fields"),
        ("\n{{ [1, 2] }}", 2, "a list", "Choose a field"),
        ("\n{{ none }}", 2, "None", "Choose a field"),
        ("\n{{ 'x'.upper }}", 2, "a builtin_function_or_method", "Choose a field"),
        ("\n{{ 1 // 0 }}", 2, "division", ""),
        ("\n{{ range(1000000000) | length }}", 2, "Range too big", ""),
        ("\n{{ lipsum() }}", 2, "'lipsum' is undefined", ""),
        ("\n{{ [1, 2] | random }}", 2, "No filter named 'random'", ""),
        ("{% macro m() %}\n{{ m() }}{% endmacro %}{{ m() }}", 2, "without end", ""),
        ("\n{% include '../domains.toml' %}", 2, "no template", ""),
        ("\n{{ tables.x }}", 2, "has no attribute 'x'", ""),
        ("\n{{ domains[0].purpos }}", 2, "no attribute 'purpos'", "Write `purpose`."),
        ("\n{{ table.name }}", 2, "'table' is undefined", "Name it in the call"),
    ],
)  # fmt: skip
def test_an_error_of_jinja_is_reported_with_its_line(
    make: Make, template: str, line: int, words: str, hint: str
) -> None:
    error = template_error(make, template, m="{% macro columns() %}{% endmacro %}")

    assert words in error.message
    assert at(error)[:2] == (FILE, line)
    assert error.hint.startswith(hint)
    assert error.place is not None
    assert error.place.text == template.split("\n")[line - 1]


def test_a_template_cannot_change_what_others_see(make: Make) -> None:
    error = template_error(make, "{{ tables.update({'x': 1}) }}")

    assert "unsafe" in error.message


def test_a_macro_that_does_not_parse_is_shown_in_its_file(make: Make) -> None:
    error = template_error(make, "{% from '_macros/m.sql.j2' import m %}", m="\n\n{% macro m( %}")

    assert at(error)[:2] == ("schema/_macros/m.sql.j2", 3)


def test_a_private_character_in_a_template_is_rejected_at_its_place(make: Make) -> None:
    error = template_error(make, "select 1;\nselect '\U000f0042';")

    assert at(error) == (FILE, 2, 9)
    assert "U+F0042" in error.message


def test_a_file_that_is_no_text_is_rejected_at_its_place(make: Make) -> None:
    error = template_error(make, "select 'é';\nselect '\udcff';")

    assert at(error) == (FILE, 2, 9)
    assert "UTF-8" in error.message


@pytest.mark.parametrize(
    "file",
    [
        "schema/a/t.sql",
        "schema/a/T.sql.j2",
        "schema/t.sql.j2",
        "schema/a/_function/f.sql.j2",
        "schema/a/_other.sql.j2",
        "schema/a/x/y.sql.j2",
        "schema/notes.txt",
        "policies/a/b.sql.j2",
        "policies/_helpers/b.sql.j2",
        "policies/a.acess.toml",
        "schema/_macros/m.sql",
    ],
)
def test_a_file_that_nothing_would_read_is_rejected(make: Make, file: str) -> None:
    with pytest.raises(StrayFile, match=re.escape(file)) as caught:
        render(make({file: "select 1;"}))

    assert caught.value.hint


def test_hidden_files_and_markdown_may_stand_anywhere(make: Make) -> None:
    project = make(
        {
            "schema/a/.gitkeep": "",
            "schema/README.md": "",
            "schema/a/.t.sql.j2.swp": "",
            "schema/a/t.sql.j2~": "",
        }
    )

    assert render(project) == ()


def test_a_project_without_state_renders_nothing(tmp_path: Any) -> None:
    assert render(Project(tmp_path)) == ()


def test_a_file_outside_the_project_is_no_template(make: Make) -> None:
    project = make({})

    with pytest.raises(StrayFile):
        render_file(project, project.root / "schema" / "a" / "missing.sql.j2")


def test_macros_of_one_tree_are_not_seen_in_the_other(make: Make) -> None:
    project = make(
        {"schema/_macros/m.sql.j2": "", "policies/a.sql.j2": "{% import '_macros/m.sql.j2' as m %}"}
    )

    with pytest.raises(BadTemplate, match="no template"):
        render(project)
