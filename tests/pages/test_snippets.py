"""The code that the pages show signs in and changes a password, in every language."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services88.contract import AGENTS
from services88.pages.snippets import snippets
from tests import languages
from tests.databases import Databases
from tests.running import RunningServer, running

pytestmark = pytest.mark.one_database("the pages are made from the contract")


@pytest.fixture(scope="module")
def server(shared_databases: Databases) -> Iterator[RunningServer]:
    with running(shared_databases.new()) as server:
        server.add_user("JANE", "the password")
        yield server


def _curl(folder: Path, code: str, ticket: str) -> str:
    languages.found("bash", "curl")
    return languages.ran(folder, "bash", "-euc", code, TICKET=ticket)


def _python(folder: Path, code: str, ticket: str) -> str:
    return languages.ran(
        folder, sys.executable, "-c", f"ticket = '{ticket}'\n{code}\nprint(answer)"
    )


def _php(folder: Path, code: str, ticket: str) -> str:
    begun = code.replace("<?php\n", f"<?php\n$ticket = '{ticket}';\n")
    return languages.php(folder, f"{begun}print_r($answer);")


def _node(folder: Path, code: str, ticket: str) -> str:
    whole = f"const ticket = '{ticket}';\n{code}console.log(JSON.stringify(answer));"
    return languages.node(folder, "snippet.mjs", whole)


def _csharp(folder: Path, code: str, ticket: str) -> str:
    using, body = code.split("\n\n", 1)
    return languages.csharp(
        folder,
        f"using System;\nusing System.Threading.Tasks;\n{using}\n"
        "static class Program {\n"
        "static void Main() { Run().GetAwaiter().GetResult(); }\n"
        f'static async Task Run() {{\nvar ticket = "{ticket}";\n{body}'
        "Console.WriteLine(answer);\n}}",
    )


def _java(folder: Path, code: str, ticket: str) -> str:
    imports, body = code.split("\n\n", 1)
    return languages.java(
        folder,
        f"{imports}\nclass Program {{\n"
        f'public static void main(String[] given) throws Exception {{\nvar ticket = "{ticket}";\n'
        f"{body}System.out.println(answer);\n}}}}",
    )


Run = Callable[[Path, str, str], str]
RUNS: dict[str, Run] = {
    "curl": _curl,
    "python": _python,
    "php": _php,
    "csharp": _csharp,
    "node": _node,
    "java": _java,
}


def _shown(server: RunningServer, service: str, operation: str, language: str) -> str:
    agent = AGENTS[service]
    url = f"{server.url}/Remote/Services88/{service}.svc"
    codes = {one.language: one.code for one in snippets(agent, agent.operations[operation], url)}
    assert set(codes) == set(RUNS)
    return codes[language]


@pytest.mark.parametrize("language", RUNS)
def test_it_signs_in(server: RunningServer, tmp_path: Path, language: str) -> None:
    code = _shown(server, "SoPrincipal", "AuthenticateUsernamePassword", language)
    assert "7T:" in RUNS[language](tmp_path, code, "")


@pytest.mark.parametrize("language", RUNS)
def test_it_changes_the_password(server: RunningServer, tmp_path: Path, language: str) -> None:
    name = language.upper()
    server.add_user(name, "the old password")
    ticket = server.sign_in(name, "the old password")
    assert ticket is not None
    code = _shown(server, "User", "ChangeOwnPassword", language)
    RUNS[language](tmp_path, code, ticket)
    assert server.sign_in(name, "the new password")
    assert not server.sign_in(name, "the old password")


def _bodies(language: str) -> list[str]:
    shown = [
        one.code.split("\n\n", 1)[1]
        for agent in AGENTS.values()
        for operation in agent.operations.values()
        for one in snippets(agent, operation, "http://localhost/x.svc")
        if one.language == language
    ]
    assert len(shown) > 50
    return shown


def test_csharp_of_every_operation_compiles(tmp_path: Path) -> None:
    languages.found("mcs")
    methods = "".join(
        f"static async Task<string> M{number}(string ticket) {{\n{body}return answer;\n}}\n"
        for number, body in enumerate(_bodies("csharp"))
    )
    using = "using System.Net.Http;\nusing System.Text;\nusing System.Threading.Tasks;\n"
    (tmp_path / "all.cs").write_text(f"{using}static class All {{\n{methods}}}")
    languages.ran(tmp_path, "mcs", "-target:library", "-r:System.Net.Http", "all.cs")


def test_java_of_every_operation_compiles(tmp_path: Path) -> None:
    languages.found("javac")
    methods = "".join(
        f"String m{number}(String ticket) throws Exception {{\n{body}return answer;\n}}\n"
        for number, body in enumerate(_bodies("java"))
    )
    imports = "import java.net.URI;\nimport java.net.http.*;\n"
    (tmp_path / "All.java").write_text(f"{imports}class All {{\n{methods}}}")
    languages.ran(tmp_path, "javac", "-d", ".", "All.java")
