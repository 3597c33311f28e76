"""The pytest plugin, in test suites of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = "pytester"


def passes(pytester: pytest.Pytester, text: str, count: int = 1) -> None:
    """Run a test file; all of it passes, and nothing warns."""
    pytester.makepyfile(text)
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers -p no:cacheprovider\n")
    pytester.runpytest_inprocess().assert_outcomes(passed=count)


def test_a_synchronous_test(pytester: pytest.Pytester) -> None:
    """A script is played, the request recorded; the environment points to the server while the test runs."""
    passes(
        pytester,
        """
        import os
        import openai
        from deepseek_async.sandbox import Script

        def test_it(deepseek_sandbox):
            deepseek_sandbox.script(Script(say="Hello."))
            assert os.environ["DEEPSEEK_BASE_URL"] == deepseek_sandbox.base_url
            messages = [{"role": "user", "content": "Hi"}]
            key = os.environ["DEEPSEEK_API_KEY"]
            with openai.OpenAI(base_url=deepseek_sandbox.base_url, api_key=key) as client:
                answer = client.chat.completions.create(model="deepseek-chat", messages=messages)
            assert answer.choices[0].message.content == "Hello."
            assert deepseek_sandbox.requests[-1].json["messages"] == messages

        def test_afterwards():
            assert "DEEPSEEK_BASE_URL" not in os.environ
        """,
        count=2,
    )


def test_an_asynchronous_test_with_our_client(pytester: pytest.Pytester) -> None:
    """Any async framework; the client finds the server by itself; each test has a server of its own."""
    passes(
        pytester,
        """
        import pytest
        from deepseek_async import AsyncClient
        from deepseek_async.sandbox import Script

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        @pytest.mark.parametrize("number", [1, 2])
        async def test_it(deepseek_sandbox, number):
            deepseek_sandbox.script(Script(say="Hello."))
            async with AsyncClient() as client:
                answer = await client.chat.completions.create(
                    model="deepseek-chat", messages=[{"role": "user", "content": "Hi"}]
                )
            assert answer.text == "Hello."
            assert len(deepseek_sandbox.requests) == 1
        """,
        count=2,
    )


def test_markers(pytester: pytest.Pytester) -> None:
    """Options for the server, and scripts that are played as they are read: module, class, function, top to bottom."""
    passes(
        pytester,
        """
        import json, urllib.error, urllib.request
        import pytest
        from deepseek_async.sandbox import Refuse, Script

        pytestmark = [
            pytest.mark.deepseek_sandbox(api_key="sk-1", seed=5), pytest.mark.deepseek_script(Script(say="0"))
        ]

        def ask(server):
            body = json.dumps({"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}]}).encode()
            headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-1"}
            request = urllib.request.Request(server.base_url + "/chat/completions", body, headers)
            try:
                with urllib.request.urlopen(request) as answer:
                    return json.load(answer)["choices"][0]["message"]["content"]
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        @pytest.mark.deepseek_script(Script(say="1"))
        class TestIt:
            @pytest.mark.deepseek_sandbox(rules="today")
            @pytest.mark.deepseek_sandbox(seed=6, rules="seed")
            @pytest.mark.deepseek_script(Script(say="2"), Script(say="3"))
            @pytest.mark.deepseek_script(Script(faults=(Refuse(status=429),)), times=2)
            def test_it(self, deepseek_sandbox):
                assert (deepseek_sandbox.api_key, deepseek_sandbox.seed, deepseek_sandbox.rules) == ("sk-1", 6, "seed")
                assert [ask(deepseek_sandbox) for _ in range(6)] == ["0", "1", "2", "3", 429, 429]
        """,
    )


def test_answers_are_repeatable_unless_asked_otherwise(pytester: pytest.Pytester) -> None:
    """seed=0 by default."""
    passes(
        pytester,
        """
        import pytest

        def test_default(deepseek_sandbox):
            assert deepseek_sandbox.seed == 0

        @pytest.mark.deepseek_sandbox(seed=None)
        def test_other(deepseek_sandbox):
            assert deepseek_sandbox.seed is None
        """,
        count=2,
    )


def test_a_wrong_option_is_an_error_of_the_test(pytester: pytest.Pytester) -> None:
    """The message is the constructor's."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.deepseek_sandbox(colour="red")
        def test_it(deepseek_sandbox):
            pass
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*SandboxServer has no 'colour'; it has host, port, seed*"])


ASK = """
import json, urllib.request
import pytest
from deepseek_async.sandbox import Script

def ask(base_url):
    body = json.dumps({"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    request = urllib.request.Request(base_url + "/chat/completions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
"""


def test_a_script_that_was_never_played_fails_its_test(pytester: pytest.Pytester) -> None:
    """The one that waited for it, and no other; with what came instead. Optional ones, and tests that fail, do not."""
    pytester.makepyfile(
        ASK
        + """
def test_forgotten(deepseek_sandbox):
    deepseek_sandbox.script(Script(say="Hello."), Script(say="never"))
    assert ask(deepseek_sandbox.base_url) == "Hello."

@pytest.mark.deepseek_script(Script(say="marked"))
def test_marked(deepseek_sandbox):
    pass

def test_optional(deepseek_sandbox):
    deepseek_sandbox.script(Script(say="Hello."), times=None, optional=True)

def test_played_in_part(deepseek_sandbox):
    deepseek_sandbox.script(Script(say="a"), times=3)
    assert ask(deepseek_sandbox.base_url) == "a"

def test_fails_for_another_reason(deepseek_sandbox):
    deepseek_sandbox.script(Script(say="Hello."))
    assert False, "the true reason"

def test_session(deepseek_sandbox_session):
    deepseek_sandbox_session.script(Script(say="x"))

def test_session_afterwards(deepseek_sandbox_session):
    assert ask(deepseek_sandbox_session.base_url) != "x"
"""
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=4, passed=3)
    result.stdout.fnmatch_lines(
        [
            "*1 script was never played: Script(say='never'*last requests: POST /chat/completions. *optional=True*",
            "*1 script was never played: Script(say='marked'*last requests: none.*",
            "*the true reason*",
        ]
    )


def test_unplayed_scripts_can_be_ignored(pytester: pytest.Pytester) -> None:
    """In the whole suite; a setting that does not exist is told."""
    pytester.makepyfile(ASK + "\ndef test_it(deepseek_sandbox):\n    deepseek_sandbox.script(Script(say='a'))\n")
    pytester.makeini("[pytest]\ndeepseek_unplayed = ignore\n")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    pytester.makeini("[pytest]\ndeepseek_unplayed = never\n")
    result = pytester.runpytest_inprocess()
    result.stderr.fnmatch_lines(["*deepseek_unplayed must be fail or ignore, got 'never'*"])


def test_servers_for_a_module_and_for_the_run(pytester: pytest.Pytester) -> None:
    """Each test sees the same one, with its options; scripts of a wider fixture are not a test's own; reset forgets."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def deepseek_sandbox_options():
            return {"seed": 4, "rules": "today"}
        """
    )
    passes(
        pytester,
        ASK
        + """
import os
pytestmark = pytest.mark.deepseek_sandbox(seed=9)
ports = set()

@pytest.fixture(scope="module")
def greeting(deepseek_sandbox_module):
    deepseek_sandbox_module.script(Script(say="Hello."), times=None)
    return deepseek_sandbox_module

@pytest.mark.parametrize("number", range(2))
def test_module(greeting, number):
    assert (greeting.seed, greeting.rules) == (9, "today")
    assert os.environ["DEEPSEEK_BASE_URL"] == greeting.base_url
    ports.add(greeting.base_url)
    assert len(ports) == 1

@pytest.mark.parametrize("number", range(2))
def test_session(deepseek_sandbox_session, number):
    assert deepseek_sandbox_session.seed == 4
    ports.add(deepseek_sandbox_session.base_url)
    assert len(ports) == 2
    deepseek_sandbox_session.reset()
    assert deepseek_sandbox_session.requests == []
""",
        count=4,
    )


def test_a_wrong_scope_is_explained(pytester: pytest.Pytester) -> None:
    """pytest says that the scopes do not fit; the report says which fixture does."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def wide(deepseek_sandbox):
            return deepseek_sandbox

        def test_it(wide):
            pass
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*takes deepseek_sandbox_module or deepseek_sandbox_session*"])


def test_it_is_found_and_described(pytester: pytest.Pytester) -> None:
    """Through the entry point, without -p; markers and fixture show their texts."""
    pytester.runpytest_inprocess("--markers").stdout.fnmatch_lines(
        ["@pytest.mark.deepseek_script(*scripts, times=1):*"]
    )
    pytester.runpytest_inprocess("--fixtures").stdout.fnmatch_lines(
        ["deepseek_sandbox*", "*A server of this test's own*"]
    )


def test_being_installed_costs_no_network_library() -> None:
    """pytest imports the plugin in every run of everybody: aiohttp, attrs and the server wait for the fixture."""
    code = (
        "import sys, pytest; before = set(sys.modules); import deepseek_async.contrib.pytest_plugin;"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['deepseek_async']"
