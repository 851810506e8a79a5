import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '../../../src/engine/serve.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { sampleApi } from './sample-api.ts'
import { sampleError } from './sample-errors.ts'

serve(sampleApi, {
  echo: async (input) => input,
  environment: async () => ({
    pid: process.pid,
    execArgv: process.execArgv,
    nodeOptions: process.env['NODE_OPTIONS'] ?? '',
    cwd: process.cwd(),
  }),
  fail: async (name) => {
    throw sampleError(name)
  },
  wait: async ({ cleanUpMs, trace }, { signal, emit }) => {
    emit(`${process.pid}`)
    if (!signal.aborted) await once(signal, 'abort')
    await sleep(cleanUpMs)
    writeFileSync(trace, 'cleaned up')
    throw new HoldfastError('ABORTED', 'Stopped and cleaned up.', { cause: signal.reason })
  },
  ignoreAbort: async (_, { emit }) => {
    emit(`${process.pid}`)
    await sleep(600_000)
    return null
  },
  block: async (_, { emit }) => {
    emit(`${process.pid}`)
    await sleep(10)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000)
    return null
  },
  count: async (to, { emit }) => {
    for (let n = 1; n <= to; n++) emit(n)
    return to
  },
  die: async ({ words, code }) => {
    process.stderr.write(words)
    process.exit(code)
  },
  wrongOutput: async () => Number.NaN,
  sayNonsense: async () => {
    process.send?.({ type: 'gibberish' })
    return null
  },
})
