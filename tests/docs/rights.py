"""The table in docs/rights.md, from the declarations. ``python -m tests.docs.rights`` writes it."""

from pathlib import Path

from services88.contract import AGENTS
from services88.contract.access import Who
from services88.contract.model import Operation
from services88.pages.describing import areas, concerned, is_guarded

__all__ = ["PAGE", "written"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rights.md"
_BEGIN, _END = "<!-- rights:begin -->\n", "<!-- rights:end -->\n"
_WHO = {
    (Who.ANYBODY, False): "anybody, without a ticket",
    (Who.SIGNED_IN, False): "signed in",
    (Who.SIGNED_IN, True): "own",
    (Who.EMPLOYEES, False): "employees",
    (Who.EMPLOYEES, True): "employees: own",
}


def written(page: str) -> str:
    """Return the page with the table of today's declarations."""
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}{_table()}{_END}{after}"


def _table() -> str:
    lines: list[str] = []
    for agent in AGENTS.values():
        for area, operations in areas(agent).items():
            lines += ["", f"### {agent.name}: {area}", ""]
            lines += ["| operation | who may | what it concerns | source |", "|---|---|---|---|"]
            lines += [_row(one) for one in operations]
    return "\n".join(lines[1:]) + "\n"


def _row(operation: Operation) -> str:
    access = operation.access
    who = [_WHO[access.who, access.own]] if access.who is not Who.HOLDERS else []
    who += [f"`{right}`" for right in access.rights]
    if access.who is not Who.ANYBODY and access.own and not access.rights:
        who.append("system users")
    guarded = " †" if is_guarded(access) else ""
    source = "ours" if access.our_choice else "documented"
    return f"| {operation.name} | {', '.join(who)}{guarded} | {concerned(operation)} | {source} |"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
