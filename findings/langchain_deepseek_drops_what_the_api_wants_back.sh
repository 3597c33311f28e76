#!/bin/bash
# langchain-deepseek reads a thinking answer's reasoning into additional_kwargs["reasoning_content"], and leaves it out when that message
# goes back with a tool's result. DeepSeek wants it there: in thinking mode with tools it refuses such a request with 400 ("The
# `reasoning_content` in the thinking mode must be passed back to the API"). So the second turn of every tool loop fails.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q langchain-deepseek==1.1.1 || exit 2
"$folder/v/bin/python" - <<'END'
import http.server, json, threading
from importlib.metadata import version

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_deepseek import ChatDeepSeek

asked = []

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["messages"])
        call = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
        message = {"role": "assistant", "content": "", "reasoning_content": "I need the time.", "tool_calls": [call]}
        status, body = 200, {"id": "1", "created": 1, "model": "m", "object": "chat.completion",
                             "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
        # As the official API in thinking mode, in its own words.
        if any(m["role"] == "assistant" and m.get("reasoning_content") is None for m in asked[-1]):
            said = "The `reasoning_content` in the thinking mode must be passed back to the API."
            status, body = 400, {"error": {"message": said, "type": "invalid_request_error"}}
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
model = ChatDeepSeek(model="m", api_base=f"http://127.0.0.1:{server.server_port}", api_key="any", max_retries=0)
model = model.bind_tools([{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}])
question = HumanMessage("What time is it?")
answer = model.invoke([question])
print("langchain-deepseek", version("langchain-deepseek"), "read:", answer.additional_kwargs.get("reasoning_content"))
refused = None
try:
    model.invoke([question, answer, ToolMessage("18:40", tool_call_id="call_1")])
except Exception as error:
    refused = error
print("sent back:", json.dumps(asked[-1][1]))
print(type(refused).__name__, str(refused)[:160])
assert version("langchain-deepseek") == "1.1.1"
assert answer.additional_kwargs["reasoning_content"] == "I need the time."
assert "reasoning_content" not in asked[-1][1] and "must be passed back" in str(refused), "the behaviour has changed"
END
