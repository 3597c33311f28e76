// What the scripts of all Node clients share: scripts for the sandbox, and a line of JSON for each case.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

export const BASE = process.env.SANDBOX
export const KEY = 'sk-any'
export const MODEL = 'deepseek-flash'
export const HELLO = 'Say hello.'
export const WEATHER = 'What is the weather in Paris? Use the tool.'
export const PIECES = ['Hel', 'lo ', 'the', 're.']
export const SAY = { say: 'Hello there.' }
export const STREAM = { say: PIECES }
export const SUNNY = { say: 'Sunny.' }
export const CALL = { calls: [{ name: 'get_weather', arguments: { city: 'Paris' } }] }
export const THINK = { ...CALL, think: 'Hm, the weather.' }
export const REFUSE = { faults: [{ refuse: { status: 429 } }] }
export const CUT = { say: PIECES, faults: [{ cut: { after_chunk: 3 } }] }
export const same = assert.deepEqual

const control = async (path, init) => (await fetch(`${BASE}/sandbox/${path}`, init)).json()
const cases = new Map()

export const play_scripts = (...scripts) => control('scripts', {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ scripts }),
})
export const requests = async () => (await control('requests')).requests
export const told = (error, text) => error ? `told: ${error.name}` : `not told: ${JSON.stringify(text)} is the answer`
export const case_of = (name, play) => cases.set(name, play)

export async function play(...packages) {
  const versions = {}
  for (const name of packages) versions[name] = JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version
  console.log(JSON.stringify({ versions }))
  for (const [name, run] of cases) {
    await control('scripts', { method: 'DELETE' })
    await control('requests', { method: 'DELETE' })
    try {
      console.log(JSON.stringify({ case: name, words: (await run()) ?? 'yes' }))
    } catch (error) {
      console.log(JSON.stringify({ case: name, failed: `${error.name}: ${error.message}`.slice(0, 400) }))
    }
  }
}
