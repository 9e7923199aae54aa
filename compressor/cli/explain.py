"""``edgec explain CODE``: the long form of an error code."""

from __future__ import annotations

import json
import textwrap

import click

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError


@click.command()
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(code: str | None, as_json: bool) -> None:
    """Explain an error CODE such as EC201; without one, list them all."""
    chosen = list(Code) if code is None else [_find(code)]
    if as_json:
        click.echo(json.dumps([_to_json(one) for one in chosen], indent=1))
    elif code is None:
        click.echo("\n".join(f"{one.ident}  {_title(one)}" for one in chosen))
    else:
        click.echo(_page(chosen[0]))


def _find(ident: str) -> Code:
    code = Code.find(ident)
    if code is None:
        known = [one.ident for one in Code]
        raise EdgecError(
            Code.UNKNOWN_CODE,
            f"there is no error code '{ident}'",
            expected="a code that edgec prints, such as EC201",
            hint=f"{nearest(ident.upper(), known)}; `edgec explain` lists them all",
        )
    return code


def _title(code: Code) -> str:
    return code.name.replace("_", " ").lower()


def _page(code: Code) -> str:
    status = f"exit status {int(code.exit_code)} ({code.exit_code.name.lower()})"
    text = textwrap.fill(code.explanation, width=88)
    return f"{code.ident}: {_title(code)}, {status}\n\n{text}"


def _to_json(code: Code) -> dict[str, str | int]:
    return {
        "code": code.ident,
        "name": _title(code),
        "exit_status": int(code.exit_code),
        "explanation": code.explanation,
    }
