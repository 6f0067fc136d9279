"""Files: their contents, changes after they were applied, and error positions."""

from __future__ import annotations

import unicodedata

import pytest

from aigym_db.cli.main import status
from aigym_db.migrate.apply import migrate

BEGIN_AND_END = {
    "commit": "commit;",
    "begin and commit": "begin;\ninsert into a values (2);\ncommit;",
    "rollback": "rollback;",
    "start transaction": "start transaction;",
    "end": "end;",
    "abort": "abort and chain;",
    "savepoint": "savepoint s;",
    "two-phase commit": "prepare transaction 'x';",
    "in capitals after a comment": "/* /* ; */ */ CoMMiT -- now\n;",
}


@pytest.mark.promise('`COMMIT` inside a "transactional" file leaves it partially applied')
@pytest.mark.parametrize("ending", BEGIN_AND_END.values(), ids=BEGIN_AND_END)
def test_commit_in_a_transactional_file_is_rejected_before_anything_is_sent(
    project, other, ending: str
) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_half", f"insert into a values (1);\n{ending}\nselect 1 / 0;")

    seen = project.run("migrate")

    assert seen.status == 2
    assert "error AIG-P010 " in seen.out
    assert "migrations/0002_half.sql:3:" in seen.out
    assert other.one("select to_regclass('a') is null and to_regclass('aigym_db.event') is null")


def edit(project) -> None:
    file = project.file("0001_table")
    file.write_text(file.read_text().replace("x int", "x bigint"))


def freeze_anew(project) -> None:
    (project.folder / "migrations" / "LOCK").unlink()
    project.freeze()


@pytest.mark.promise("an edited applied file goes unnoticed")
@pytest.mark.parametrize("command", ["migrate", "rollback", "status"])
def test_an_edited_applied_file_is_rejected_with_a_diff_against_the_ledger(
    project, other, command: str
) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.run("migrate")
    before = other.events()
    edit(project)

    assert project.run(command).status == 5
    freeze_anew(project)
    seen = project.run(command)

    assert seen.status == 5
    assert "error AIG-T003 migrations/0001_table.sql differs from 0001 table as it was applied." in seen.out
    assert "-create table a (x int);" in seen.out
    assert "+create table a (x bigint);" in seen.out
    assert other.events() == before


@pytest.mark.promise("a deleted applied file goes unnoticed")
@pytest.mark.parametrize("command", ["migrate", "rollback", "status"])
def test_a_deleted_applied_file_is_rejected(project, other, command: str) -> None:
    project.migration("0001_table", "create table a (x int);")
    project.migration("0002_more", "alter table a add column y int;")
    project.run("migrate")
    before = other.events()
    project.file("0002_more").unlink()

    assert project.run(command).status == 5
    freeze_anew(project)
    seen = project.run(command)

    assert seen.status == 5
    assert "error AIG-T002 0002 more is applied but missing from migrations/" in seen.out
    assert other.events() == before


@pytest.mark.promise("lower-numbered file arrives later")
def test_a_late_lower_numbered_file_is_rejected_or_recorded_as_out_of_order(project, other) -> None:
    for name in ("0001_table", "0002_late", "0003_late_too", "0004_last"):
        project.migration(name, "select 1;")
    # As on a branch without two of the files.
    migrate(project.dsn, tuple(file for file in project.files() if file.version in (1, 4)))

    rejected = project.run("migrate")
    partly_allowed = project.run("migrate", "--allow-out-of-order", "2")
    both = project.run("migrate", "--allow-out-of-order", "2", "--allow-out-of-order", "3")

    assert (rejected.status, partly_allowed.status, both.status) == (5, 5, 0), both.out
    assert "error AIG-T004 0002 late and 0003 late_too" in rejected.out
    assert "error AIG-T004 0003 late_too" in partly_allowed.out
    assert other.applied() == [1, 2, 3, 4]
    recorded = other.execute(
        "select version, detail -> 'after' from aigym_db.event where detail ? 'out_of_order' order by 1"
    )
    assert recorded.fetchall() == [(2, 4), (3, 4)]


BETWEEN = ";\n-- it's; $$ a comment\n/* /* ; ' */ -- \" ; */;; "
"""The text between two statements."""

NASTY = {
    "nested comments": ["select /* a /* ; ' */ -- \" ; */ 1", "select 2 /* $$ ; */ + 1"],
    "a line comment with a quote": ["select 1 -- it's; $$\n + 1"],
    "escape strings": [r"select E'\'; select 1 / 0; --', E'\\'", "select 'it''s;'"],
    "a backslash that escapes nothing": ["select 'c:\\'", "select ';'"],
    "unicode escapes": [
        "select U&'\\0027; \\+01F600'",
        """select U&"a\\003B" from (values (1)) as t(U&"a!003B" uescape '!')""",
    ],
    "quoted identifiers": ["""create table "a;b""'$$" (x int)""", """drop table "a;b""'$$\""""],
    "dollar quotes in each other": ["do $a$ begin perform $b$ ; $$ ; $b$; end $a$"],
    "a dollar in a name": ["create table a$b$ (c$d int)", "create table e$b$ (x int)"],
    "begin atomic": [
        "create function f(n int) returns int language sql begin atomic select 1; "
        "select case when n > 0 then n else 0 end; end",
        "select f(1)",
    ],
    "a procedure with begin atomic": [
        "create table p (x int)",
        "create procedure fill() language sql begin atomic insert into p values (1); "
        "insert into p values (2); end",
        "call fill()",
    ],
    "a rule with semicolons": [
        "create table r (x int)",
        "create table log (x int)",
        "create rule r_log as on insert to r do also (insert into log values (new.x); notify r; )",
        "insert into r values (1)",
    ],
    "a string continued on the next line": ["select 'a;'\n  ';b'"],
    "words that look like ours": ["select '-- migrate:down', $$\n-- migrate:down\n$$"],
    "schema elements": [
        "create schema s create table t (x int) create view v as select * from t",
        "create table s.u (x int)",
    ],
    "a block with transactions of its own": [
        "create table d (x int)",
        "do $$ begin insert into d values (1); commit; insert into d values (2); rollback; end $$",
    ],
    "operators of comment signs": ["select 3 --1\n, 2 - -1, 4 / 2", "select 1 <-- 2\n2"],
    "a semicolon in a check": ["create table c (x text check (x <> ';'), y text default $x$;$x$)"],
}


@pytest.mark.promise(
    "valid SQL split wrongly in a non-transactional file "
    "(nested comments, E'', U&'', dollar quotes, BEGIN ATOMIC, rules with `;`)"
)
@pytest.mark.parametrize("name", NASTY)
def test_valid_sql_of_a_non_transactional_file_is_split_as_by_postgresql(project, other, name: str) -> None:
    statements = [
        "create table before (x int)",
        *NASTY[name],
        "create index concurrently before_x_idx on before (x)",
    ]
    project.migration("0001_nasty", BETWEEN.join(statements), options="transaction:false")

    seen = project.run("migrate")

    assert (seen.status, seen.out.splitlines()[-1]) == (0, "1 applied."), seen.out
    done = other.all("select sql from aigym_db.event where kind = 'done' order by statement")
    assert done == statements
    assert other.one("select indisvalid from pg_index where indexrelid = 'before_x_idx'::regclass")


PLACES = {
    "after emoji and combining letters": "select '😀é̈ü', nope;",
    "after a wide letter and a tab": "select\t'日本',\tnope;",
    "in a statement that is not the first": "select '😀'; select 1; select nope;",
    "after a comment of other letters": "/* Ж😀 */ select nope;",
    "after letters from right to left": "select 'שלום', nope;",
}


@pytest.mark.promise("error position wrong after non-ASCII text, relative to stripped text, or missing")
@pytest.mark.parametrize("options", ["", "transaction:false"], ids=["transactional", "non-transactional"])
@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_an_error_position_is_a_line_and_column_in_characters_of_the_file(
    project, text: str, options: str
) -> None:
    project.migration("0001_place", f"-- Übersicht 😀\n\n   \n{text}", options=options)
    first = text.count(";") == 1

    seen = project.run("migrate")

    where = seen.out.index(f"--> migrations/0001_place.sql:5:{text.index('nope') + 1}\n")
    shown, caret = seen.out[where:].splitlines()[1:3]
    assert 'column "nope" does not exist' in seen.out
    assert seen.status == (4 if first or not options else 7)
    assert shown.strip().startswith("5 | ")
    assert width(shown[: shown.index("nope")]) == width(caret[: caret.index("^")])


def width(text: str) -> int:
    """The width of a text in terminal columns."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


@pytest.mark.promise("a BOM, CRLF after apply")
def test_a_bom_and_crlf_after_apply_do_not_change_the_checksum(project, other) -> None:
    project.migration("0001_table", "create table a (x int);\ncomment on table a is 'é\n€';")
    project.run("migrate")
    file = project.file("0001_table")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))

    seen = project.run("migrate")

    assert (seen.status, seen.out) == (0, "Nothing to apply: the database is up to date.\n")
    assert status(["-C", str(project.folder), "freeze"]) == 0
    assert project.run("rollback").status == 0


@pytest.mark.promise("a BOM, CRLF after apply")
def test_a_file_with_bom_and_crlf_has_the_checksum_of_the_file_without(project, other) -> None:
    project.migration("0001_table", "create table a (x int);\ncomment on table a is 'é\n€';", frozen=False)
    file = project.file("0001_table")
    plain = file.read_bytes()
    file.write_bytes(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n"))
    project.freeze()

    assert project.run("migrate").status == 0
    file.write_bytes(plain)
    seen = project.run("migrate")

    assert (seen.status, seen.out) == (0, "Nothing to apply: the database is up to date.\n")
    assert other.one("select obj_description('a'::regclass)") == "é\n€"
