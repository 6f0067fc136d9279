"""Mutation operators for functions: their checks and conditions, their privileges and their search_path."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from aigym_db.access.call_graph import CallGraph, FunctionDefinition, Node, statements_of
from aigym_db.access.expression_mutations import of_expression, of_statements
from aigym_db.syntax.plpgsql import FunctionPart
from aigym_db.syntax.tree import ast, dotted, is_a, nodes, words

WITHOUT_PATH = "without SET search_path"
"""The operator whose mutants only a caller with another search_path can distinguish."""

_ROLE_WORDS = ("current_user", "current_role", "session_user", "user", "row_security_active", "pg_has_role")


class FunctionOperators:
    """The mutation operators, and the functions of a database that they are applied to."""

    def __init__(self, graph: CallGraph, callable_functions: Collection[int]) -> None:
        """`callable_functions` are those that actors can execute."""
        self._graph = graph
        self._callable = frozenset(callable_functions)
        self._raising = _raising(graph)

    def mutations(self, function: FunctionDefinition) -> Iterator[tuple[str, str, str]]:
        """Yield (operator, DDL, reason) for each mutant of a function.

        The reason is empty unless it is known without a test that the mutant is equivalent.
        """
        if not function.parsed:
            head, _, tail = function.definition.rpartition(function.body)
            for operator, body in self._bodies(function):
                yield operator, f"{head} {body} {tail}", ""
        routine = f"alter routine {function.signature}"
        if function.definer:
            yield "SECURITY INVOKER", f"{routine} security invoker", self._same_privileges(function)
        else:
            reason = self._same_privileges(function) or self._no_privileges(function)
            yield "SECURITY DEFINER", f"{routine} security definer", reason
        if function.sets_path:
            yield WITHOUT_PATH, f"{routine} reset search_path", self._same_path(function)

    def _bodies(self, function: FunctionDefinition) -> Iterator[tuple[str, str]]:
        """Yield (operator, body) for each mutant of a body."""
        from pglast.parser import ParseError

        body = function.body
        if function.language == "sql":
            for removed, text in of_statements(body):
                yield f"without {removed}", text
            return
        from aigym_db.syntax.plpgsql import function_parts

        for part in function_parts(function.definition, body):
            try:
                changes = [*self._part(part)]
            except ParseError:
                continue
            for operator, text in changes:
                yield operator, f"{body[: part.start]}{text}{body[part.end :]}"

    def _part(self, part: FunctionPart) -> Iterator[tuple[str, str]]:
        """Yield (operator, text) for each mutant of a condition, value or statement of PL/pgSQL.

        Raise `pglast.parser.ParseError` if the part is not SQL.
        """
        if part.kind == "statement":
            for removed, text in of_statements(part.text):
                yield f"without {removed}", f"{text} {part.into}"
            return
        if part.kind == "perform":
            if self._raises(part.text):
                yield f"without PERFORM {_normalised(part.text)}", "null"
            return
        target, sign, value = part.text.partition(":=") if part.kind == "assignment" else ("", "", part.text)
        for removed, text in of_expression(value):
            yield f"without {removed}", f"{target}{sign} {text}"
        if part.raises:
            condition = _normalised(f"select {value}")
            yield f"without IF {condition}", "false" if part.raises == "then" else "true"
            yield f"IF {condition} negated", f"not ({value})"

    def _raises(self, text: str) -> bool:
        """Return True if a function that a statement calls can raise an error."""
        from pglast import parse_sql

        called = {dotted(node.funcname) for node in nodes(parse_sql(text)) if is_a(node, ast.FuncCall)}
        return any(self._raising.intersection(self._graph.names.get(name, ())) for name in called)

    def _same_privileges(self, function: FunctionDefinition) -> str:
        """The reason if only functions call it that are SECURITY DEFINER and have the same owner."""
        callers = self._callers(function)
        if callers and all(caller.definer and caller.owner == function.owner for caller in callers):
            return "Only SECURITY DEFINER functions of the same owner call it."
        return ""

    def _no_privileges(self, function: FunctionDefinition) -> str:
        """The reason if it needs no privileges and does not depend on the role that executes it."""
        from pglast.parser import scan

        words = {function.body[token.start : token.end + 1].lower() for token in scan(function.body)}
        dependent = any(
            word in _ROLE_WORDS or (word.startswith("has_") and word.endswith("_privilege")) for word in words
        )
        if dependent or self._graph.edges[function.oid]:
            return ""
        return "It accesses no relation and calls only functions of PostgreSQL."

    def _same_path(self, function: FunctionDefinition) -> str:
        """The reason if the search_path of its caller cannot have an effect."""
        if function.parsed:
            return "The names in its body were resolved when it was created."
        if not names_without_schema(function):
            return "Its body contains no name that is resolved through search_path."
        callers = self._callers(function)
        if callers and all(caller.sets_path for caller in callers):
            return "Every function that calls it sets search_path."
        return ""

    def _callers(self, function: FunctionDefinition) -> tuple[FunctionDefinition, ...]:
        """The functions that call it; empty if actors, policies or triggers call it, too."""
        callers: set[Node] = self._graph.callers(function.oid)
        if function.oid in self._callable or not callers.issubset(self._graph.functions):
            return ()
        return tuple(self._graph.functions[oid] for oid in callers if isinstance(oid, int))


def names_without_schema(function: FunctionDefinition) -> frozenset[str]:
    """Return the functions, operators, types and relations that a body names without a schema.

    DECLARE is included as a name: the types of variables are not examined.
    """
    from pglast import parse_sql
    from pglast.parser import ParseError, scan

    words_of_body = {function.body[token.start : token.end + 1].lower() for token in scan(function.body)}
    names = words_of_body & {"declare"}
    for text in statements_of(function):
        try:
            names.update(_names_of(tuple(raw.stmt for raw in parse_sql(text))))
        except ParseError:
            names.add(text)
    return frozenset(names)


def _names_of(trees: Any) -> Iterator[str]:
    from pglast.enums import A_Expr_Kind

    between = {A_Expr_Kind.AEXPR_BETWEEN, A_Expr_Kind.AEXPR_NOT_BETWEEN}
    for node in nodes(trees):
        if is_a(node, ast.FuncCall) and len(node.funcname) == 1:
            yield from words(node.funcname)
        elif is_a(node, ast.A_Expr) and len(node.name or ()) == 1:
            yield from ("<=", ">=", "<", ">") if node.kind in between else words(node.name)
        elif is_a(node, ast.SubLink) and node.testexpr is not None:
            yield from words(node.operName) or ("=",)
        elif (is_a(node, ast.CaseExpr) and node.arg is not None) or (
            is_a(node, ast.JoinExpr) and node.usingClause
        ):
            yield "="
        elif is_a(node, ast.TypeName) and len(node.names or ()) == 1:
            yield from words(node.names)
        elif is_a(node, ast.RangeVar) and not node.schemaname:
            yield node.relname


def _raising(graph: CallGraph) -> frozenset[Node]:
    """The functions that can raise an error, themselves or through functions that they call."""
    from aigym_db.syntax.plpgsql import raises_error

    raising: set[Node] = {
        function.oid
        for function in graph.functions.values()
        if function.language == "plpgsql" and raises_error(function.definition)
    }
    return frozenset(oid for oid in graph.functions if not raising.isdisjoint(graph.reached([oid])))


def _normalised(text: str) -> str:
    """Return the value of a query `select …` in one line."""
    from pglast import parse_sql
    from pglast.stream import RawStream

    statement: Any = parse_sql(text)[0].stmt
    return RawStream()(statement)[len("SELECT ") :]
