"""Matching constraints with offers: the subset of LDAP filters that demands are made of."""

from __future__ import annotations

import re

from golem_bridge.golem.types import Properties

_TERM = re.compile(r"\(([^()&|!=<>]+?)(>=|<=|>|<|=)([^()]*)\)")


def matches(constraints: str, offer: Properties) -> bool:
    """Whether an offer meets a conjunction of comparisons. Raises ValueError for anything else."""
    if re.search(r"\([|!]", constraints):
        raise ValueError(f"constraint not supported by the memory Golem: {constraints}")
    terms: list[tuple[str, str, str]] = _TERM.findall(constraints)
    return all(_holds(offer, *term) for term in terms)


def _holds(offer: Properties, name: str, comparison: str, wanted: str) -> bool:
    value = offer.get(name)
    if value is None:
        return False
    if comparison == "=":
        values = value if isinstance(value, list | tuple) else [value]
        return wanted == "*" or any(str(item) == _unescaped(wanted) for item in values)
    number = float(str(value))
    return {
        ">=": number >= float(wanted),
        "<=": number <= float(wanted),
        ">": number > float(wanted),
        "<": number < float(wanted),
    }[comparison]


def _unescaped(value: str) -> str:
    return re.sub(r"\\([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), value)
