"""``deepseek-async chat``: one question, its answer as it comes; without a question a conversation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .attachments import content_of
from .defaults import defaults
from .encoding import argument
from .endings import told

_ALTERNATIVES = 5  # what --logprobs asks for: as many as fit beside a token


def chat(
    prompt: Annotated[
        str | None, typer.Argument(help="What to ask; - or nothing: read it from stdin.", show_default=False)
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="What it is about: text, images, PDFs; - is stdin.", show_default=False),
    ] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Ask an embedded server: no key, no network.")] = False,
    model: Annotated[str | None, typer.Option("--model", "-m", show_default="deepseek-flash")] = None,
    system: Annotated[str | None, typer.Option("--system", "-s", help="Instructions for the model.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 to 2.")] = None,
    top_p: Annotated[float | None, typer.Option(help="0 to 1.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="The answer's length at most, reasoning included.")] = None,
    stop: Annotated[list[str] | None, typer.Option(help="End before this text; may be given several times.")] = None,
    seed: Annotated[int | None, typer.Option(help="Repeatable answers, on servers that take it.")] = None,
    logprobs: Annotated[
        bool, typer.Option("--logprobs", help="Colour each token by its probability; end with a table of them.")
    ] = False,
    top_logprobs: Annotated[
        int | None, typer.Option(help="Alternatives a token, 0 to 20; implies --logprobs.", show_default="5")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the tokens with their alternatives as a page.")
    ] = None,
    thinking: Annotated[
        bool | None, typer.Option("--thinking/--no-thinking", help="Whether to reason first.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole completion as JSON.")] = False,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Wait for the answer in one piece.")] = False,
    base_url: Annotated[
        str | None, typer.Option(help="A server: vLLM, SGLang, llama.cpp; else DEEPSEEK_BASE_URL, else the API.")
    ] = None,
) -> None:
    """Ask one question; the answer streams to stdout. Without a question, in a terminal, hold a conversation.

    In a terminal reasoning is dimmed and lines break between words. In a pipe stdout holds the answer and nothing
    else; reasoning and the table of --logprobs go to stderr.

    Defaults: ~/.config/deepseek-async/config.toml with model, system, thinking and others, and variables such as
    DEEPSEEK_MODEL over it.
    """
    if sandbox and base_url is not None:
        raise typer.BadParameter("it is a server itself; leave --base-url out", param_hint="--sandbox")
    with told():
        mine = defaults()
        base_url = base_url if base_url is not None or sandbox else mine.get("base_url")
        system = mine.get("system") if system is None else system
        given: dict[str, Any] = {
            "model": model,
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_tokens,
            "thinking": thinking,
        }
        wanted = {name: mine.get(name) if value is None else value for name, value in given.items()}
        wanted["model"] = wanted["model"] or "deepseek-flash"
        wanted |= {"stop": stop or None, "extra_body": None if seed is None else {"seed": seed}}
        if (thinks := wanted["thinking"]) is not None:
            wanted["thinking"] = {"type": "enabled" if thinks else "disabled"}
        if logprobs or top_logprobs is not None or html is not None:
            wanted["logprobs"] = True
            wanted["top_logprobs"] = _ALTERNATIVES if top_logprobs is None else top_logprobs
        parameters = {name: value for name, value in wanted.items() if value is not None}
        if prompt is None and not as_json and html is None and sys.stdin.isatty() and sys.stdout.isatty():
            from .dialogue import talk  # the network's libraries load here

            is_shown = mine.get("reasoning") != "fold"
            talk({**parameters, "system": system}, base_url=base_url, sandbox=sandbox, shows_reasoning=is_shown)
            return
        files = files or []
        if files.count("-") + (prompt is None or prompt == "-") > 1:
            raise typer.BadParameter("stdin can be read once", param_hint="-")
        messages = [{"role": "user", "content": content_of(_prompt(prompt), map(argument, files))}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        parameters["messages"] = messages

        from .conversation import ask  # the network's libraries load here

        ask(
            parameters,
            base_url=base_url,
            sandbox=sandbox,
            streamed=not no_stream,
            as_json=as_json,
            has_table=logprobs or top_logprobs is not None,
            html=html,
        )


def _prompt(given: str | None) -> str:
    """The prompt itself, or what stdin holds.

    Raises:
        typer.BadParameter: There is none, or it is no text.
    """
    if given is not None and given != "-":
        return argument(given)
    if given is None and sys.stdin.isatty():
        raise typer.BadParameter('nothing to ask: deepseek-async chat "…", or pipe it in', param_hint="PROMPT")
    try:
        text = sys.stdin.buffer.read().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"stdin is not UTF-8 at byte {error.start:,}", param_hint="PROMPT") from None
    if not text:
        raise typer.BadParameter(
            "stdin is empty; give a question, or hold a conversation in a terminal", param_hint="PROMPT"
        )
    return text
