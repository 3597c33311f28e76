// @ai-sdk/deepseek with the ai package.

import { createDeepSeek } from '@ai-sdk/deepseek'
import * as ai from 'ai'
import { z } from 'zod'
import {
  BASE, CALL, CUT, HELLO, KEY, MODEL, PIECES, REFUSE, SAY, STREAM, SUNNY, THINK, WEATHER, case_of, play, play_scripts,
  requests, same, told,
} from './playing.mjs'

globalThis.AI_SDK_LOG_WARNINGS = false
const model = createDeepSeek({ baseURL: BASE, apiKey: KEY })(MODEL)
const get_weather = ai.tool({
  description: 'The weather of a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sun in ${city}`,
})
const agent = { model, prompt: WEATHER, tools: { get_weather }, stopWhen: (ai.isStepCount ?? ai.stepCountIs)(3) }

case_of('chat', async () => {
  await play_scripts(SAY)
  same((await ai.generateText({ model, prompt: HELLO })).text, 'Hello there.')
})
case_of('stream', async () => {
  await play_scripts(STREAM)
  const pieces = []
  for await (const piece of ai.streamText({ model, prompt: HELLO }).textStream) pieces.push(piece)
  same(pieces.join(''), PIECES.join(''))
})
case_of('tool loop', async () => {
  await play_scripts(CALL, SUNNY)
  same((await ai.generateText(agent)).text, 'Sunny.')
})
case_of('structured output', async () => {
  const schema = z.object({ name: z.string(), inhabitants: z.number() })
  await play_scripts({ say: '{"name": "Bern", "inhabitants": 134000}' })
  const asked = { model, prompt: 'Describe Bern as JSON.' }
  const output = ai.generateObject
    ? (await ai.generateObject({ ...asked, schema })).object
    : (await ai.generateText({ ...asked, output: ai.Output.object({ schema }) })).output
  same(output, { name: 'Bern', inhabitants: 134000 })
})
case_of('thinking with a tool turn', async () => {
  await play_scripts(THINK, SUNNY)
  same((await ai.generateText(agent)).text, 'Sunny.')
  same((await requests()).at(-1).body.messages[1].reasoning_content, 'Hm, the weather.')
})
case_of('429', async () => {
  await play_scripts(REFUSE, SAY)
  same((await ai.generateText({ model, prompt: HELLO })).text, 'Hello there.')
  return `${(await requests()).length} requests`
})
case_of('cut', async () => {
  await play_scripts(CUT)
  let text = '', error
  try {
    const result = ai.streamText({ model, prompt: HELLO, onError: ({ error: caught }) => { error = caught } })
    for await (const piece of result.textStream) text += piece
  } catch (caught) { error = caught }
  return told(error, text)
})
await play('@ai-sdk/deepseek', 'ai')
