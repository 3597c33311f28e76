#!/bin/bash
# litellm.stream_chunk_builder makes of a stream's chunks the completion that the same call without stream returns, less the log
# probabilities, which every chunk had; and of a request with n=2 the second answer's "length" becomes "stop": litellm's stream ends
# with the first finish reason that it meets, and the builder gives that one to all.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q litellm==1.110.2 || exit 2
cat > "$folder/ask.py" <<'END'
import http.server, json, os, threading
from importlib.metadata import version

def tokens(text):
    return {"content": [{"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": []}]}

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        streamed, ends = asked.get("stream"), ["stop", "length"][: asked.get("n", 1)]
        head = {"id": "1", "created": 1, "model": "m", "object": "chat.completion" + (".chunk" if streamed else "")}
        said = {"role": "assistant", "content": "Yes"}
        if streamed:
            choices = [[{"index": n, "delta": said, "logprobs": tokens("Yes"), "finish_reason": None}] for n in range(len(ends))]
            choices += [[{"index": n, "delta": {}, "logprobs": None, "finish_reason": end}] for n, end in enumerate(ends)]
            body = "".join("data: " + json.dumps({**head, "choices": each}) + "\n\n" for each in choices) + "data: [DONE]\n\n"
        else:
            choices = [{"index": n, "message": said, "logprobs": tokens("Yes"), "finish_reason": end} for n, end in enumerate(ends)]
            body = json.dumps({**head, "choices": choices})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

litellm.suppress_debug_info = True

def facts(completion):
    return [(choice.finish_reason, len((getattr(choice, "logprobs", None) or {"content": []})["content"])) for choice in completion.choices]

print("litellm", version("litellm"))
ask = {"model": "deepseek/deepseek-chat", "messages": [{"role": "user", "content": "Is it?"}], "api_key": "any", "num_retries": 0,
       "api_base": f"http://127.0.0.1:{server.server_port}", "logprobs": True}
seen = []
for n in (1, 2):
    whole = facts(litellm.completion(**ask, n=n))
    chunks = list(litellm.completion(**ask, n=n, stream=True))
    in_chunks = sum(bool(getattr(choice, "logprobs", None)) for chunk in chunks for choice in chunk.choices)
    built = facts(litellm.stream_chunk_builder(chunks))
    print(f"n={n}: (finish reason, tokens with log probabilities) whole {whole}, built {built}; chunks with them: {in_chunks}")
    seen.append((whole, built, in_chunks))
assert seen == [([("stop", 1)], [("stop", 0)], 1), ([("stop", 1), ("length", 1)], [("stop", 0), ("stop", 0)], 2)], "the behaviour has changed"
END
"$folder/v/bin/python" "$folder/ask.py" 2> "$folder/log" || { tail -5 "$folder/log" >&2; exit 1; }
