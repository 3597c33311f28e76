#!/bin/bash
# openai's `client.chat.completions.stream(…)` is the documented helper for streams, of plain text too. If such an answer reaches
# max_tokens, its loop shows all of the text, and then get_final_completion raises LengthFinishReasonError: "Could not parse response
# content", though nothing was to be parsed. `create(…, stream=True)` and `create(…)` return the same answer with its finish reason.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q openai==3.57.0 || exit 2
"$folder/v/bin/python" - <<'END'
import http.server, json, threading
import openai

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        streamed = json.loads(self.rfile.read(int(self.headers["content-length"]))).get("stream")
        head = {"id": "1", "created": 1, "model": "m", "object": "chat.completion" + (".chunk" if streamed else "")}
        said = {"role": "assistant", "content": "Once upon a time"}
        parts = [(said, None), ({}, "length")] if streamed else [(said, "length")]
        name = "delta" if streamed else "message"
        lines = [json.dumps({**head, "choices": [{"index": 0, name: what, "finish_reason": why}]}) for what, why in parts]
        body = "".join(f"data: {line}\n\n" for line in lines) + "data: [DONE]\n\n" if streamed else lines[0]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
completions = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}", api_key="any", max_retries=0).chat.completions
ask = {"model": "m", "messages": [{"role": "user", "content": "A story."}], "max_tokens": 4}
whole = completions.create(**ask).choices[0].finish_reason
chunks = [chunk.choices[0].finish_reason for chunk in completions.create(**ask, stream=True)][-1]
text, raised = "", None
try:
    with completions.stream(**ask) as stream:
        for event in stream:
            if event.type == "content.delta":
                text += event.delta
        stream.get_final_completion()
except Exception as error:
    raised = error
print("openai", openai.__version__, f"create: {whole!r}; create(stream=True): {chunks!r}; stream(): {text!r}, then {type(raised).__name__}: {raised}")
assert openai.__version__ == "3.57.0"
assert (whole, chunks, text) == ("length", "length", "Once upon a time")
assert isinstance(raised, openai.LengthFinishReasonError) and not isinstance(raised, openai.APIError), "the behaviour has changed"
END
