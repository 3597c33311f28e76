// openai for Node: the client that DeepSeek's own samples use.

import OpenAI from 'openai'
import {
  BASE, CALL, CUT, HELLO, KEY, MODEL, PIECES, REFUSE, SAY, STREAM, SUNNY, THINK, WEATHER, case_of, play, play_scripts,
  requests, same, told,
} from './playing.mjs'

const client = new OpenAI({ baseURL: BASE, apiKey: KEY })
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tools = [{ type: 'function', function: { name: 'get_weather', parameters } }]
const hello = [{ role: 'user', content: HELLO }]
const ask = (more) => client.chat.completions.create({ model: MODEL, messages: hello, ...more })

case_of('chat', async () => {
  await play_scripts(SAY)
  same((await ask()).choices[0].message.content, 'Hello there.')
})
case_of('stream', async () => {
  await play_scripts(STREAM)
  const pieces = []
  for await (const chunk of await ask({ stream: true })) pieces.push(chunk.choices[0]?.delta.content)
  same(pieces.filter(Boolean), PIECES)
})
const loop = async (first) => {
  await play_scripts(first, SUNNY)
  const messages = [{ role: 'user', content: WEATHER }]
  const answer = (await ask({ messages, tools })).choices[0].message
  same(JSON.parse(answer.tool_calls[0].function.arguments), { city: 'Paris' })
  messages.push(answer, { role: 'tool', tool_call_id: answer.tool_calls[0].id, content: 'sun' })
  same((await ask({ messages, tools })).choices[0].message.content, 'Sunny.')
}
case_of('tool loop', () => loop(CALL))
case_of('structured output', async () => {
  const messages = [{ role: 'user', content: 'A city as JSON.' }]
  JSON.parse((await ask({ messages, response_format: { type: 'json_object' } })).choices[0].message.content)
})
case_of('thinking with a tool turn', async () => {
  await loop(THINK)
  same((await requests()).at(-1).body.messages[1].reasoning_content, 'Hm, the weather.')
})
case_of('429', async () => {
  await play_scripts(REFUSE, SAY)
  same((await ask()).choices[0].message.content, 'Hello there.')
  return `${(await requests()).length} requests`
})
case_of('cut', async () => {
  await play_scripts(CUT)
  let text = '', error
  try {
    for await (const chunk of await ask({ stream: true })) text += chunk.choices[0].delta.content ?? ''
  } catch (caught) { error = caught }
  return told(error, text)
})
await play('openai')
