"""Hints for syntax errors, derived from the message and the text around the position."""

from __future__ import annotations

import re

from pglast.keywords import RESERVED_KEYWORDS

_STARTS = re.compile(
    r"alter|begin|call|comment|commit|copy|create|delete|do|drop|execute|explain|grant|insert|lock|merge"
    r"|notify|reassign|refresh|reindex|revoke|rollback|security|select|set|truncate|update|vacuum|values|with",
    re.IGNORECASE,
)
_LOOKALIKES = {
    "\u00a0": "a no-break space",
    "\u2009": "a thin space",
    "\u200b": "a zero-width space",
    "\u202f": "a narrow no-break space",
    "\ufeff": "a byte order mark",
    "\u2018": "a curly quote",
    "\u2019": "a curly quote",
    "\u201c": "a curly quote",
    "\u201d": "a curly quote",
    "\u2013": "a dash",
    "\u2014": "a dash",
}
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_UNTERMINATED = {
    "quoted string": "Close the string with a single quote; a quote inside it is written twice.",
    "dollar-quoted string": "Close the body with the same tag that opened it.",
    "quoted identifier": "Close the name with a double quote.",
    "/* comment": "Close the comment with `*/`; comments nest, so each `/*` needs its own.",
    "bit string literal": "Close the literal with a single quote.",
    "hexadecimal string literal": "Close the literal with a single quote.",
}


def meta_command(text: str, index: int) -> str:
    """Return the psql command at an index of a text, e.g. `\\connect`; an empty string if there is none."""
    match = re.compile(r"\\[A-Za-z!?.]\w*").match(text, index)
    return match[0] if match else ""


def after_meta_command(command: str) -> str:
    """Return the hint of the error about a psql command in a migration."""
    if command in ("\\c", "\\connect"):
        return "Remove it, or dump again without --create: a migration stays in the database it is run on."
    if command == "\\.":
        return "Remove the line: it ends the data of a COPY … FROM stdin, which is missing."
    return "Remove the line: aigym-db sends each statement to the server itself."


def hint(message: str, text: str, index: int) -> str:
    """Return a hint for a syntax error; an empty string if its cause is not recognized.

    `message` is that of PostgreSQL's parser, `index` the position of the error in `text`.
    """
    for kind, advice in _UNTERMINATED.items():
        if message.startswith(f"unterminated {kind}"):
            return advice
    if "end of input" in message and "`" in text[text.rfind(";") + 1 :]:
        return "Write names in double quotes, not in backticks."
    if "end of input" in message:
        return "Complete the last statement: a parenthesis, an END or an expression is missing."
    token = _token(text, index)
    before = _COMMENT.sub("", text[max(0, index - 2000) : index]).rstrip()
    return (
        _odd_character(text, index, message)
        or _left_from_elsewhere(text, index, before)
        or _punctuation(text, index, token, before)
        or (
            f'Write it in double quotes ("{token}") if it is a name: it is a reserved word.'
            if token.lower() in RESERVED_KEYWORDS
            else ""
        )
    )


def _token(text: str, index: int) -> str:
    match = re.compile(r"\w[\w$]*|.", re.DOTALL).match(text, index)
    return match[0] if match else ""


def _odd_character(text: str, index: int, message: str) -> str:
    last_word = text[max(0, index - 100) : index].rstrip(" \t\n").rpartition("\n")[2].split(" ")[-1]
    for character in last_word + text[index : index + 1] + message:
        if character in _LOOKALIKES:
            return f"Replace {_LOOKALIKES[character]} (U+{ord(character):04X}) by what the keyboard types."
    return ""


def _left_from_elsewhere(text: str, index: int, before: str) -> str:
    if text.startswith(("{{", "{%", "{#"), index):
        return "Render the template first: this is Jinja, and only files that end in `.sql.j2` are rendered."
    if text[index : index + 1] == "`":
        return "Write names in double quotes, not in backticks."
    if re.compile(r":['\"]?[A-Za-z_]").match(text, index):
        return "Write the value itself: variables such as `:name` are psql's."
    if re.search(r"\bfrom\s+stdin\b[^;]*;$", before, re.IGNORECASE):
        return (
            "End the data of the COPY with a line `\\.`, and put only a line break after the COPY's "
            "semicolon."
        )
    return ""


def _punctuation(text: str, index: int, token: str, before: str) -> str:
    if before.endswith(","):
        left_over = token in (")", ";") or token.lower() in ("from", "where")
        return "Remove the comma before it." if left_over else ""
    first_on_its_line = not text[text.rfind("\n", 0, index) + 1 : index].strip()
    if not first_on_its_line or not before:
        return ""
    if _STARTS.fullmatch(token):
        return "End the statement before it with a semicolon."
    if not before.endswith((";", "(")) and (token[0].isalpha() or token[0] in "_\"'"):
        return "Check the end of the line before: a comma or a semicolon may be missing."
    return ""
