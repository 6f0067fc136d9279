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

    def reasons(
        self, survivors: Collection[str], killed: Collection[str], untested: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Return the reason of each surviving mutant that has an entry, by its name.

        Raise BadAccessMatrix (AIG-P012) if an entry matches a killed mutant or no mutant.
        """
        reasons: dict[str, str] = {}
        unused: dict[str, str] = {}
        for mutant, reason in self.entries.items():
            pattern = re.compile(".*".join(map(re.escape, mutant.split("*"))))
            matching = [name for name in survivors if pattern.fullmatch(name)]
            matching_killed = [name for name in killed if pattern.fullmatch(name)]
            reasons.update(dict.fromkeys(matching, reason))
            if matching_killed:
                unused[mutant] = f"The mutant `{matching_killed[0]}` is killed by a cell."
            elif not any(pattern.fullmatch(name) for name in (*matching, *untested)):
                unused[mutant] = f"There is no mutant `{mutant}`."
        if unused and self.doc:
            first = next(iter(unused))
            raise BadAccessMatrix(
                unused[first],
                place=self.doc.source.place(max(self.doc.source.text.find(first), 0)),
                detail="\n".join(list(unused.values())[1:]),
                hint="Remove or narrow the entry.",
            )
        return reasons


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
