#!/bin/bash
# litellm has a table of finish reasons and calls every other one "stop". DeepSeek documents one of its own that is not in it,
# "insufficient_system_resource": the server ran out of capacity and broke the answer off. Through litellm, also as provider "deepseek",
# such an answer has ended well. A whole answer has the server's word in provider_specific_fields; a stream has it nowhere.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q litellm==1.110.2 || exit 2
cat > "$folder/ask.py" <<'END'
import http.server, json, os, threading
from importlib.metadata import version

reason = ""

class DeepSeek(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        streamed = json.loads(self.rfile.read(int(self.headers["content-length"]))).get("stream")
        head = {"id": "1", "created": 1, "model": "m", "object": "chat.completion" + (".chunk" if streamed else "")}
        said = {"role": "assistant", "content": "The three causes are: first,"}
        parts = [(said, None), ({}, reason)] if streamed else [(said, reason)]
        name = "delta" if streamed else "message"
        lines = [json.dumps({**head, "choices": [{"index": 0, name: what, "finish_reason": why}]}) for what, why in parts]
        body = "".join(f"data: {line}\n\n" for line in lines) + "data: [DONE]\n\n" if streamed else lines[0]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), DeepSeek)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

litellm.suppress_debug_info = True
ask = {"model": "deepseek/deepseek-chat", "messages": [{"role": "user", "content": "Why?"}], "api_key": "any", "num_retries": 0,
       "api_base": f"http://127.0.0.1:{server.server_port}"}
print("litellm", version("litellm"))
for reason in ("length", "insufficient_system_resource"):
    whole = litellm.completion(**ask).choices[0]
    chunks = list(litellm.completion(**ask, stream=True))
    streamed = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason]
    is_kept = reason in "".join(chunk.model_dump_json() for chunk in chunks)
    print(f"the server says {reason!r}: whole {whole.finish_reason!r}, streamed {streamed}; the word itself in the stream: {is_kept}")
    assert (whole.finish_reason, streamed, is_kept) == (("length", ["length"], True) if reason == "length" else ("stop", ["stop"], False)), "the behaviour has changed"
END
"$folder/v/bin/python" "$folder/ask.py" 2> "$folder/log" || { tail -5 "$folder/log" >&2; exit 1; }
