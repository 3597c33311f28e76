#!/bin/bash
# pydantic-ai puts a chat answer's log probabilities into the response's provider_details["logprobs"]. Of an answer in one piece they are
# those of all tokens; of the same answer streamed they are those of its last chunk that had any, since each chunk's details replace the
# ones before. Nothing tells that the rest is missing.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q "pydantic-ai-slim[openai]==2.38.0" || exit 2
"$folder/v/bin/python" - <<'END'
import asyncio, http.server, json, threading
from importlib.metadata import version

from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

WORDS = ["Yes", ",", " of", " course"]

def tokens(*words):
    return {"content": [{"token": word, "logprob": -0.5, "bytes": list(word.encode()), "top_logprobs": []} for word in words]}

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        streamed = json.loads(self.rfile.read(int(self.headers["content-length"]))).get("stream")
        head = {"id": "1", "created": 1, "model": "m", "object": "chat.completion" + (".chunk" if streamed else "")}
        if streamed:
            choices = [{"index": 0, "delta": {"role": "assistant", "content": word}, "logprobs": tokens(word), "finish_reason": None} for word in WORDS]
            choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"})
            body = "".join("data: " + json.dumps({**head, "choices": [each]}) + "\n\n" for each in choices) + "data: [DONE]\n\n"
        else:
            message = {"role": "assistant", "content": "".join(WORDS)}
            body = json.dumps({**head, "choices": [{"index": 0, "message": message, "logprobs": tokens(*WORDS), "finish_reason": "stop"}]})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()

def words_of(result):
    details = result.all_messages()[-1].provider_details
    return [token["token"] for token in details["logprobs"]]

async def main():
    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{server.server_port}", api_key="any", max_retries=0)
    agent = Agent(OpenAIChatModel("m", provider=OpenAIProvider(openai_client=client), settings={"openai_logprobs": True}))
    whole = await agent.run("Is it?")
    async with agent.run_stream("Is it?") as stream:
        text = await stream.get_output()
    print("pydantic-ai", version("pydantic-ai-slim"), f"whole: {whole.output!r} {words_of(whole)}; streamed: {text!r} {words_of(stream)}")
    assert version("pydantic-ai-slim") == "2.38.0"
    assert whole.output == text == "".join(WORDS)
    assert (words_of(whole), words_of(stream)) == (WORDS, WORDS[-1:]), "the behaviour has changed"

asyncio.run(main())
END
