"""Other servers' habits, each translated into the documented shape. Works on parsed JSON, on copies.

| said | read as | who |
| --- | --- | --- |
| ``reasoning``, ``thinking``, ``reasoning_text`` | ``reasoning_content``, where that is absent, null or empty | vLLM, Ollama, OpenRouter, Copilot |
| ``content`` as a list of parts | their texts, joined; parts of type ``thinking`` or the like are reasoning; kept as it came if it says more | Mistral, gateways |
| ``finish_reason`` as an object with a ``type`` | that word | SGLang's own |
| ``finish_reason: ""`` or a word for null, ``role: ""`` | null | StepFun, gateways |
| ``tool_calls: []`` | null | vLLM (not streamed), some reasoning deltas |
| ``index`` in a whole message's tool call | its place in the list | DeepSeek's own sample |
| a call's ``arguments`` as an object | its JSON, as text | llama.cpp |
| ``message`` for ``delta`` or the reverse; ``text`` for both, and both for ``text`` | what the endpoint's own shape has | gateways |
| hits and misses inside ``prompt_tokens_details`` | beside it | one text of the Chinese page |
| a usage in which nothing is said | null | gateways |
| ``usage`` in a choice, its delta or its message, or in ``x_groq`` | also beside them | Moonshot, Groq |
| ``logprob: null`` | -9999, "no probability" | LoRAX, Xinference |
| ``prob`` and ``top_probs`` | their logarithms | llama.cpp |
| logprobs of one endpoint in the shape of the other | the endpoint's own | llama.cpp, Together |
| a choice or a call that stands alone | a list of one | gateways |
"""  # noqa: E501 - a table
