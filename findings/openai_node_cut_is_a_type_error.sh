#!/bin/bash
# The npm package openai turns a connection that is refused into its own APIConnectionError. A connection that breaks in the middle of
# a stream is not one of its errors: the loop over the chunks throws a bare TypeError ("terminated") of fetch, so that
# `catch (error) { if (error instanceof OpenAI.APIError) … }` misses it. The Python package raises its APIConnectionError there.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true, "type": "module"}' > package.json
npm install --no-fund --no-audit --silent openai@6.49.0
python3 -m venv v
v/bin/pip install -q openai==3.57.0
cat > cut.mjs <<'END'
import http from 'node:http'
import { spawnSync, spawn } from 'node:child_process'
import OpenAI from 'openai'

const event = (text) => `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', created: 1, model: 'm',
  choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`
const server = http.createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(event('Hel'))
  setTimeout(() => response.socket.destroy(), 200)
}).listen(0, '127.0.0.1', async () => {
  const baseURL = `http://127.0.0.1:${server.address().port}`
  const ask = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true }
  let thrown
  try {
    for await (const chunk of await new OpenAI({ baseURL, apiKey: 'any' }).chat.completions.create(ask)) void chunk
  } catch (error) { thrown = error }
  console.log('node', process.version, 'openai 6.49.0:', thrown?.name, JSON.stringify(thrown?.message),
    'instanceof OpenAI.APIError:', thrown instanceof OpenAI.APIError)
  const python = spawn('v/bin/python', ['-c', `
import openai
try:
    for chunk in openai.OpenAI(base_url="${baseURL}", api_key="any").chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], stream=True): pass
except Exception as error:
    print("python openai", openai.__version__ + ":", type(error).__name__, "isinstance of openai.APIError:", isinstance(error, openai.APIError))
`])
  let said = ''
  python.stdout.on('data', (data) => { said += data })
  python.on('close', () => {
    process.stdout.write(said)
    const same = thrown?.name === 'TypeError' && !(thrown instanceof OpenAI.APIError) && said.includes('openai.APIError: True')
    console.log(same ? 'as described' : 'the behaviour has changed')
    process.exit(same ? 0 : 1)
  })
})
END
node cut.mjs
