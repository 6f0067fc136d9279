"""Invalid values of options, in text and JSON."""

from __future__ import annotations

import json

import pytest

NOT_UTF8 = "\udcff\udcfe"


def rejected(out: str) -> tuple[str, str]:
    """The code and the message of the one finding of a document."""
    (finding,) = json.loads(out)["findings"]
    assert finding["hint"].endswith(".")
    return finding["code"], finding["message"]


def test_a_connection_string_that_is_not_utf8_is_rejected(steps) -> None:
    code, out, err = steps.run("--format", "json", "--database", NOT_UTF8, "migrate")

    assert (code, "Traceback" in err) == (2, False)
    assert rejected(out) == ("AIG-P013", "The connection string cannot be read.\nIt is not UTF-8.")


@pytest.mark.parametrize("name", ["PGUSER", "PGPASSWORD"])
def test_a_variable_that_is_not_utf8_is_rejected_by_its_name(steps, name: str) -> None:
    code, out, err = steps.run("--format", "json", "migrate", variables={name: NOT_UTF8})

    assert (code, "Traceback" in err) == (2, False)
    assert rejected(out) == ("AIG-P013", f"{name}, or the service's value for it, is not UTF-8.")


def test_a_target_whose_variable_is_not_utf8_is_rejected_at_its_place(steps) -> None:
    (steps.folder / "targets.toml").write_text('[[target]]\nname = "one"\ndsn_env = "ONE"\n')

    code, _, err = steps.run("migrate", "--targets", "targets.toml", variables={"ONE": NOT_UTF8})

    assert code == 2
    assert err.startswith("error AIG-P013 The connection string cannot be read.\n  --> targets.toml:1:1\n")


@pytest.mark.parametrize("command", ["migrate", "rollback"])
@pytest.mark.parametrize("seconds", ["nan", "-1", "-inf"])
def test_a_wait_that_is_no_number_of_seconds_is_rejected(steps, command: str, seconds: str) -> None:
    code, out, _ = steps.run("--format", "json", command, "--lock-wait", seconds)

    assert code == 2
    assert rejected(out) == (
        "AIG-P013",
        f"Invalid value for '--lock-wait': {seconds} is not a number of seconds ≥ 0.",
    )
