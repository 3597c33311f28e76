// The npm openai package, unchanged, against a sandbox whose address is in DEEPSEEK_BASE_URL.
// Scripts go in the header x-sandbox-script: that is how a client in another language asks for them.

import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";

const baseURL = process.env.DEEPSEEK_BASE_URL;
const apiKey = "sk-test";
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "Tell me about streams." }];
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

const scripted = (script) => ({ headers: { "x-sandbox-script": JSON.stringify(script) } });

test("chat", async () => {
  const completion = await client.chat.completions.create({ model: "deepseek-flash", messages });
  assert.equal(completion.object, "chat.completion");
  assert.ok(completion.choices[0].message.content);
  assert.ok(completion.choices[0].message.reasoning_content);
  assert.equal(completion.usage.prompt_cache_miss_tokens, completion.usage.prompt_tokens);
});

test("a stream equals the whole", async () => {
  const options = { model: "deepseek-flash", messages, seed: 3 };
  const whole = await client.chat.completions.create(options);
  let content = "";
  let reasoning = "";
  let usage;
  for await (const chunk of await client.chat.completions.create({ ...options, stream: true })) {
    content += chunk.choices[0].delta.content ?? "";
    reasoning += chunk.choices[0].delta.reasoning_content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(content, whole.choices[0].message.content);
  assert.equal(reasoning, whole.choices[0].message.reasoning_content);
  assert.deepEqual(usage, whole.usage);
});

test("its stream helper folds the same, logprobs included", async () => {
  const options = { model: "deepseek-chat", messages, seed: 3, logprobs: true, top_logprobs: 3 };
  const whole = await client.chat.completions.create(options);
  const folded = await client.chat.completions.stream(options).finalChatCompletion();
  assert.equal(folded.choices[0].message.content, whole.choices[0].message.content);
  assert.deepEqual(folded.choices[0].logprobs.content, whole.choices[0].logprobs.content);
  assert.equal(folded.id, whole.id);
});

test("logprobs", async () => {
  const options = { model: "deepseek-chat", messages, logprobs: true, top_logprobs: 5, max_tokens: 10 };
  const { choices } = await client.chat.completions.create(options);
  const bytes = choices[0].logprobs.content.flatMap((token) => token.bytes);
  assert.equal(Buffer.from(bytes).toString(), choices[0].message.content);
  assert.ok(choices[0].logprobs.content.every((token) => token.top_logprobs.length === 5));
});

test("tools, there and back", async () => {
  const ask = [{ role: "user", content: "How is the weather in Paris?" }];
  const options = { model: "deepseek-flash", tools: [weather], seed: 3 };
  const completion = await client.chat.completions.create({ ...options, messages: ask });
  const [call] = completion.choices[0].message.tool_calls;
  assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
  const folded = await client.chat.completions.stream({ ...options, messages: ask }).finalChatCompletion();
  assert.equal(folded.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
  const result = { role: "tool", tool_call_id: call.id, content: "sunny" };
  const again = [...ask, completion.choices[0].message, result];
  const answer = await client.chat.completions.create({ ...options, messages: again });
  assert.equal(answer.choices[0].finish_reason, "stop");
});

test("JSON mode", async () => {
  const ask = [{ role: "user", content: "A JSON object with a name" }];
  const options = { model: "deepseek-chat", messages: ask, response_format: { type: "json_object" } };
  const completion = await client.chat.completions.create(options);
  assert.equal(typeof JSON.parse(completion.choices[0].message.content), "object");
});

test("FIM on the beta base URL", async () => {
  const beta = new OpenAI({ baseURL: `${baseURL}/beta`, apiKey });
  const fim = await beta.completions.create({ model: "deepseek-chat", prompt: "def f(", suffix: "return", logprobs: 2 });
  assert.equal(fim.choices[0].logprobs.tokens.join(""), fim.choices[0].text);
});

test("error cases", async () => {
  const cases = { 400: "BadRequestError", 401: "AuthenticationError", 402: "APIError", 422: "UnprocessableEntityError" };
  Object.assign(cases, { 429: "RateLimitError", 500: "InternalServerError", 503: "InternalServerError" });
  for (const [status, name] of Object.entries(cases)) {
    const script = { faults: [{ refuse: { status: Number(status) } }] };
    await assert.rejects(
      client.chat.completions.create({ model: "deepseek-chat", messages }, scripted(script)),
      (error) => error instanceof OpenAI[name] && error.status === Number(status) && Boolean(error.error.message),
    );
  }
  await assert.rejects(
    client.chat.completions.create({ model: "deepseek-chat", messages, max_tokens: 0 }),
    /valid range of max_tokens is \[1, 393216\]/,
  );
});

test("scripts by header", async () => {
  const options = { model: "deepseek-chat", messages, stream: true };
  const faults = [{ keep_alives: { count: 2 } }, { line_ends: { ends: "crlf" } }, { split: { size: 3 } }];
  let text = "";
  const stream = await client.chat.completions.create(options, scripted({ say: "Hi, wörld.", faults }));
  for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
  assert.equal(text, "Hi, wörld.");
  const cut = await client.chat.completions.create(options, scripted({ say: "Hi.", faults: [{ cut: { at_byte: 300 } }] }));
  await assert.rejects(async () => {
    for await (const _ of cut);
  });
});
