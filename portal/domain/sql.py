"""SQL from outside, as a parser's tree: one SELECT, short and shallow. Parts that are not known are refused by name."""

from __future__ import annotations

import logging
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError
from sqlglot.tokens import Token, Tokenizer, TokenType

from portal.domain.metrics import NotMeasured

DEEPEST = 20  # brackets and NOTs within each other
FORM = "SELECT <aggregate> FROM events WHERE <condition>"
MOST_TOKENS = 1000
QUOTED = 60  # characters of a part that is named
OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)
BEFORE = (TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE)
CLAUSES = {"group": "GROUP BY", "order": "ORDER BY", "joins": "JOIN", "db": "A schema", "query": "A query within"}

# What cannot be read is told to whoever wrote it, and not to our log.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def parsed(sql: str) -> exp.Select:
    """The tree of `sql`. Raises NotMeasured; RecursionError where the parser had to climb too deep."""
    try:
        tokens = Tokenizer().tokenize(sql)
        _refuse_shape(tokens)
        trees = sqlglot.parse(sql, error_level=ErrorLevel.IMMEDIATE)
    except (SqlglotError, UnicodeError) as error:
        raise NotMeasured(f"sql cannot be read{_place(error)}; write {FORM}") from None
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1 or not isinstance(found[0], exp.Select):
        raise NotMeasured("sql must be one SELECT")
    return found[0]


def _refuse_shape(tokens: list[Token]) -> None:
    """Before parsing: nothing but a SELECT, and none that the parser would have to climb into for long."""
    if not tokens or tokens[0].token_type != TokenType.SELECT:
        raise NotMeasured("sql must be one SELECT, such as SELECT SUM(bytes) FROM events WHERE region = 'eu'")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens[:-1]):
        raise NotMeasured("sql must be one SELECT, and nothing behind it")
    if len(tokens) > MOST_TOKENS:
        raise NotMeasured(f"sql may have at most {MOST_TOKENS} words and signs")
    depth = row = 0
    for token in tokens:
        depth += (token.token_type in OPENING) - (token.token_type in CLOSING)
        row = row + 1 if token.token_type in BEFORE else 0
        if depth + row > DEEPEST:
            raise too_deep()


def too_deep() -> NotMeasured:
    return NotMeasured(f"sql may be nested at most {DEEPEST} levels deep")


def _place(error: Exception) -> str:
    if not isinstance(error, ParseError) or not error.errors:
        return ""
    found = error.errors[0]
    near = str(found.get("highlight") or "")[:QUOTED]
    return f" at line {found.get('line')}, column {found.get('col')}" + (f", near {near!r}" if near else "")


def only(node: exp.Expression, *known: str) -> None:
    """Refuses whatever else the parser found in `node`: GROUP BY, JOIN, LIMIT, FILTER, ESCAPE and so on."""
    for name, found in node.args.items():
        if found and name not in known:
            what = CLAUSES.get(name, name.strip("_").replace("_", " ").upper())
            raise NotMeasured(f"{what} cannot be used: a metric is {FORM}")


def quoted(node: Any) -> str:
    text = node.sql() if isinstance(node, exp.Expression) else str(node)
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"
