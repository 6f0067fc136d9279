"""Cards: every error has the place of the word that is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aigym_db.errors import AigymError, BadCard
from aigym_db.model.card import Partitioning, PersonalColumn
from aigym_db.model.source import Source
from aigym_db.project.card_checks import check_columns
from aigym_db.project.cards import REQUIRED, cards
from aigym_db.project.cards import card as read_card
from aigym_db.project.config import Project
from aigym_db.project.order import ordered
from aigym_db.syntax.parse import parse

Make = Callable[[dict[str, str]], Project]
Write = Callable[..., str]
FILE = "schema/a/t.sql.j2"


def at(error: AigymError) -> tuple[int, str]:
    """The line of an error, and the rest of the line from its column on."""
    assert error.place is not None
    assert error.place.file == FILE
    return error.place.line, error.place.text[error.place.column - 1 :]


def card_error(text: str) -> BadCard:
    with pytest.raises(BadCard) as caught:
        read_card(Source(FILE, text))
    return caught.value


def test_a_card_is_read_whole(card: Write) -> None:
    text = card(
        "a.t",
        tenancy="owner_tenant",
        owner="user_id",
        tenant="tenant_id",
        mfa="enrolled",
        personal="user_id personal delete, note special anonymise",
        basis="contract",
        retention="30",
        audit="diff",
        rows="10000000",
        partition="range created_at month keep 24",
    )

    parsed = read_card(Source(FILE, text))

    assert (parsed.name, parsed.purpose) == ("a.t", "rows for a test.")
    assert parsed.tenancy == "owner_tenant"
    assert (parsed.owner_column, parsed.tenant_column) == ("user_id", "tenant_id")
    assert (parsed.mfa, parsed.audit) == ("enrolled", "diff")
    assert (parsed.retention, parsed.expected_rows) == ("30", 10_000_000)
    assert parsed.personal == {
        "user_id": PersonalColumn("personal", "delete"),
        "note": PersonalColumn("special", "anonymise"),
    }
    assert parsed.legal_basis == "contract"
    assert parsed.partitioning == Partitioning("range", "created_at", "month", 24)


def test_hash_partitioning_is_read(card: Write) -> None:
    parsed = read_card(Source(FILE, card("a.t", partition="hash user_id 16")))

    assert parsed.partitioning == Partitioning("hash", "user_id", modulus=16)


def test_the_card_ends_with_the_first_line_that_is_no_comment(card: Write) -> None:
    parsed = read_card(Source(FILE, card("a.t") + "\n-- colour: red\ncreate table a.t ();"))

    assert parsed.partitioning is None


@pytest.mark.parametrize(
    ("values", "shown", "hint"),
    [
        ({"colour": "red"}, (12, "colour: red"), "Use one of"),
        ({"retension": "5"}, (12, "retension: 5"), "Write `retention`."),
        ({"tenancy": "onwer"}, (2, "onwer"), "Write `owner`."),
        ({"tenancy": ""}, (2, ""), "Use one of"),
        ({"tenancy": "owner"}, (3, "-"), "Name the column"),
        ({"tenancy": "tenant"}, (4, "-"), "Name the column"),
        ({"tenancy": "owner_tenant", "owner": "user_id"}, (4, "-"), "Name the column"),
        ({"tenancy": "child"}, (5, "-"), "Name the table"),
        ({"tenancy": "child", "parent": "a.t"}, (5, "a.t"), "Name another table"),
        ({"tenancy": "child", "parent": "t"}, (5, "t"), "Write a table with its schema"),
        ({"owner": "User"}, (3, "User"), "Write a column's name"),
        ({"mfa": "maybe"}, (6, "maybe"), "Use one of"),
        ({"personal": "x personal delete, y secrt delete"}, (7, "secrt delete"), "Write `secret`."),
        ({"personal": "x personal erase"}, (7, "erase"), "Use one of"),
        ({"personal": "x personal"}, (7, "x personal"), "Write `column class erasure`"),
        ({"personal": "x personal delete,"}, (7, ""), "Write `column class erasure`"),
        ({"personal": "x secret delete, x secret retain"}, (7, "x secret retain"), "Remove one"),
        ({"personal": "x personal delete"}, (8, "-"), "Use one of: consent"),
        ({"basis": "consnt"}, (8, "consnt"), "Write `consent`."),
        ({"retention": "forever"}, (9, "forever"), "Write a number of days"),
        ({"retention": "0"}, (9, "0"), "Write a number of days"),
        ({"retention": "parent"}, (9, "parent"), "Write a number of days or `life`"),
        ({"audit": "fulll"}, (10, "fulll"), "Write `full`."),
        ({"rows": "10k"}, (11, "10k"), "Write digits"),
        ({"rows": "-5"}, (11, "-5"), "Write digits"),
        ({"partition": "list kind"}, (12, "list kind"), "Use one of: range, hash"),
        ({"partition": "range at week keep 3"}, (12, "week keep 3"), "Use one of: day, month"),
        ({"partition": "range at month keep 0"}, (12, "0"), "Write digits"),
        ({"partition": "range at month"}, (12, "range at month"), "Write `range <column>"),
        ({"partition": "hash user_id 1"}, (12, "1"), "Write digits"),
        ({"partition": ""}, (12, ""), "Use one of: range, hash"),
    ],
)
def test_a_mistake_is_shown_at_its_word(
    card: Write, values: dict[str, str], shown: tuple[int, str], hint: str
) -> None:
    error = card_error(card("a.t", **values) + "create table a.t ();")

    assert at(error) == shown
    assert error.hint.startswith(hint)


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named(card: Write, key: str) -> None:
    error = card_error(card("a.t", **{key: None}) + "create table a.t ();")

    assert f"`{key}`" in error.message
    assert error.place is not None
    assert error.place.line == 10


@pytest.mark.parametrize(
    "first",
    ["", "create table a.t ();", "-- a.u: other rows.\n", "-- t: no schema.\n", "-- a.t:\n", "\n-- a.t: x."],
)
def test_a_file_starts_with_the_card_of_its_own_table(first: str) -> None:
    error = card_error(first)

    assert error.hint == "Begin the file with `-- a.t: what a row of it is.`"


def test_a_duplicate_key_is_rejected(card: Write) -> None:
    assert at(card_error(card("a.t") + "-- rows: 5\n")) == (12, "rows: 5")


def test_a_line_without_a_key_is_rejected(card: Write) -> None:
    assert at(card_error(card("a.t") + "-- and so on\n")) == (12, "-- and so on")


def test_tables_of_an_external_domain_need_no_card(make: Make, card: Write) -> None:
    project = make({"schema/auth/users.sql.j2": "create table auth.users ();", FILE: card("a.t")})

    assert list(cards(project)) == ["a.t"]


def checked(card: Write, sql: str, **values: str) -> BadCard:
    source = Source(FILE, card("a.t", **values) + sql)

    with pytest.raises(BadCard) as caught:
        check_columns(read_card(source), parse(source))

    return caught.value


@pytest.mark.parametrize(
    ("values", "shown", "hint"),
    [
        ({"owner": "user_idd"}, (3, "user_idd"), "Write `user_id`."),
        ({"tenant": "tenant_id"}, (4, "tenant_id"), ""),
        ({"personal": "user_id secret delete, nte secret delete"}, (7, "nte secret delete"), "Write `note`."),
        ({"partition": "hash user_id 4"}, (12, "user_id 4"), "Correct"),
    ],
)
def test_a_column_that_the_table_lacks_is_shown_on_the_card(
    card: Write, values: dict[str, str], shown: tuple[int, str], hint: str
) -> None:
    error = checked(card, "create table a.t (user_id uuid, note text, kind text);", **values)

    assert at(error) == shown
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("table", "values", "words"),
    [
        ("create table a.t (x int) partition by hash (x)", {}, "has no key `partition`"),
        ("create table a.t (x int) partition by hash (x)", {"partition": "range x day keep 3"}, "by hash x"),
        ("create table a.t (x int, y int) partition by hash (y)", {"partition": "hash x 4"}, "by hash y"),
        ("create table a.u (x int)", {}, "does not create that table"),
    ],
)
def test_a_card_with_another_partitioning_than_its_table_is_rejected(
    card: Write, table: str, values: dict[str, str], words: str
) -> None:
    assert words in checked(card, table, **values).message


def test_a_card_that_fits_its_table_is_accepted(card: Write) -> None:
    text = card("a.t", owner="x", partition="range at day keep 3")
    table = "create table a.t (at date) partition by range (at); alter table a.t add x uuid;"
    source = Source(FILE, text + table)

    check_columns(read_card(source), parse(source))


def test_a_parent_that_does_not_exist_is_rejected(make: Make, card: Write) -> None:
    text = card("a.t", tenancy="child", parent="b.u") + "create table a.t ();"
    project = make({FILE: text, "schema/a/_schema.sql.j2": "create schema a;"})

    with pytest.raises(BadCard, match=r"parent b\.u") as caught:
        ordered(project)

    assert at(caught.value) == (5, "b.u")
