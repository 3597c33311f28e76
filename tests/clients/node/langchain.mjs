// @langchain/deepseek: ChatDeepSeek.

import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatDeepSeek } from '@langchain/deepseek'
import { z } from 'zod'
import {
  BASE, CALL, CUT, HELLO, KEY, MODEL, PIECES, REFUSE, SAY, STREAM, SUNNY, THINK, WEATHER, case_of, play, play_scripts,
  requests, same, told,
} from './playing.mjs'

const made = (more) => new ChatDeepSeek({ model: MODEL, apiKey: KEY, configuration: { baseURL: BASE }, ...more })
const get_weather = tool(async ({ city }) => `sun in ${city}`, {
  name: 'get_weather', description: 'The weather of a city.', schema: z.object({ city: z.string() }),
})

case_of('chat', async () => {
  await play_scripts(SAY)
  same((await made().invoke(HELLO)).content, 'Hello there.')
})
case_of('stream', async () => {
  await play_scripts(STREAM)
  const pieces = []
  for await (const part of await made().stream(HELLO)) pieces.push(part.content)
  same(pieces.filter(Boolean), PIECES)
})
const loop = async (first, more) => {
  await play_scripts(first, SUNNY)
  const bound = made(more).bindTools([get_weather])
  const messages = [new HumanMessage(WEATHER)]
  const answer = await bound.invoke(messages)
  const asked = answer.tool_calls[0]
  messages.push(answer, new ToolMessage({ content: await get_weather.invoke(asked.args), tool_call_id: asked.id }))
  same((await bound.invoke(messages)).content, 'Sunny.')
}
case_of('tool loop', async () => {
  await loop(CALL, { modelKwargs: { thinking: { type: 'disabled' } } })
  return 'yes, with thinking off'
})
case_of('structured output', async () => {
  const schema = z.object({ name: z.string(), inhabitants: z.number() })
  const model = made({ modelKwargs: { thinking: { type: 'disabled' } } })
  const city = await model.withStructuredOutput(schema, { method: 'functionCalling' }).invoke('Describe a city.')
  same(typeof city.name, 'string')
  return 'yes, with thinking off: it forces the tool'
})
case_of('thinking with a tool turn', async () => {
  try {
    await loop(THINK)
  } catch (error) {
    if (`${error.message}`.includes('reasoning_content'))
      return 'loses reasoning_content: the second turn is refused, as by the API'
    throw error
  }
  same((await requests()).at(-1).body.messages[1].reasoning_content, 'Hm, the weather.')
})
case_of('429', async () => {
  await play_scripts(REFUSE, SAY)
  try {
    same((await made().invoke(HELLO)).content, 'Hello there.')
  } catch (error) {
    if (error.status === 429 || `${error.message}`.startsWith('429'))
      return `raised at once, ${(await requests()).length} request`
    throw error
  }
  return `${(await requests()).length} requests`
})
case_of('cut', async () => {
  await play_scripts(CUT)
  let text = '', error
  try {
    for await (const part of await made().stream(HELLO)) text += part.content
  } catch (caught) { error = caught }
  return told(error, text)
})
await play('@langchain/deepseek', '@langchain/core')
