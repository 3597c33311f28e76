#!/bin/bash
# litellm takes `num_retries=2` and retries a 429 by it, once the package tenacity is there, which litellm does not install. Without it the
# caller gets neither a retry nor litellm's RateLimitError, but a bare Exception that speaks of an import.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q litellm==1.110.2
"$folder/v/bin/pip" uninstall -q -y tenacity 2>/dev/null || true
cat > "$folder/ask.py" <<'END'
import http.server, json, os, threading
from importlib.metadata import version

asked = []

class Busy(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        asked.append(self.path)
        body = json.dumps({"error": {"message": "Too many requests", "type": "rate_limit_error"}}).encode()
        self.send_response(429)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

litellm.suppress_debug_info = True
thrown = None
try:
    litellm.completion(model="deepseek/deepseek-chat", api_base=f"http://127.0.0.1:{server.server_port}", api_key="any",
                       messages=[{"role": "user", "content": "Hi"}], num_retries=2, max_retries=0)
except Exception as error:
    thrown = error
print("litellm", version("litellm"), "->", type(thrown).__name__ + ":", str(thrown)[:90], "|", len(asked), "requests")
assert type(thrown) is Exception and "tenacity" in str(thrown), "the behaviour has changed"
print("as described")
END
"$folder/v/bin/python" "$folder/ask.py"
