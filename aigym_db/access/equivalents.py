"""`policies/equivalents.toml`: mutants that are equivalent to the original, each with the reason.

[[equivalent]]
mutant = "iam.units units_select: USING without deleted_at IS NULL"
reason = "The restrictive policy of the same table has the same condition."
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aigym_db.errors import BadAccessMatrix
from aigym_db.project.toml import Document, read_document

FILE = "policies/equivalents.toml"
KEYS = ("mutant", "reason")


@dataclass(frozen=True, slots=True)
class Equivalents:
    """The mutants that are equivalent to the original and therefore survive, with their reasons."""

    doc: Document | None
    entries: Mapping[str, str]

    def reason(self, mutant: str) -> str:
        """Return the reason of the first entry that matches a mutant; empty if there is none."""
        return next((self.entries[entry] for entry in self.entries if _matches(entry, mutant)), "")

    def check(self, mutants: Collection[str], killed: Collection[str]) -> None:
        """Raise BadAccessMatrix (AIG-P012) if an entry matches a killed mutant or none of all mutants."""
        unused: dict[str, str] = {}
        for entry in self.entries:
            matching_killed = [name for name in killed if _matches(entry, name)]
            if matching_killed:
                unused[entry] = f"The mutant `{matching_killed[0]}` is killed by a cell."
            elif not any(_matches(entry, name) for name in mutants):
                unused[entry] = f"There is no mutant `{entry}`."
        if unused and self.doc:
            first = next(iter(unused))
            raise BadAccessMatrix(
                unused[first],
                place=self.doc.source.place(max(self.doc.source.text.find(first), 0)),
                detail="\n".join(list(unused.values())[1:]),
                hint="Remove or narrow the entry.",
            )


def _matches(entry: str, mutant: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, entry.split("*"))), mutant) is not None


def read_equivalents(root: Path) -> Equivalents:
    """Read `policies/equivalents.toml` of the project at `root`; without the file, return no entries.

    Raise BadAccessMatrix (AIG-P012) for an unknown key, or an entry without mutant or reason.
    """
    if not (root / FILE).is_file():
        return Equivalents(None, {})
    doc = read_document(root, FILE, BadAccessMatrix)
    doc.only(doc.values, ("equivalent",), subject="The list of equivalents")
    entries: dict[str, str] = {}
    for number, entry in enumerate(doc.values.get("equivalent", [])):
        table = doc.only(entry, KEYS, "equivalent", number, subject="An equivalent")
        for key in KEYS:
            if not table.get(key):
                raise doc.wrong(
                    f"An equivalent has no `{key}`.", "equivalent", number, hint=f"Add `{key} = …`."
                )
        mutants = table["mutant"] if isinstance(table["mutant"], list) else [table["mutant"]]
        for mutant in doc.strings(mutants, "equivalent", number, subject="`mutant`"):
            if mutant in entries:
                raise doc.wrong(
                    f"The mutant `{mutant}` has two entries.", "equivalent", number, hint="Remove one entry."
                )
            entries[mutant] = doc.text(table["reason"], "equivalent", number, subject="`reason`")
    return Equivalents(doc, entries)
