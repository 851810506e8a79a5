import { z } from 'zod'
import type { EngineApi } from '../../../src/engine/api.ts'

export type SampleSignatures = {
  echo: { input: unknown; event: never; output: unknown }
  environment: {
    input: null
    event: never
    output: { pid: number; execArgv: string[]; nodeOptions: string; cwd: string }
  }
  fail: { input: string; event: never; output: null }
  /** Waits for the abort, then cleans up for so many milliseconds, and leaves a file at `trace` when it has. */
  wait: { input: { cleanUpMs: number; trace: string }; event: string; output: null }
  /** Works on without looking at the signal. */
  ignoreAbort: { input: null; event: string; output: null }
  block: { input: null; event: string; output: null }
  count: { input: number; event: number; output: number }
  die: { input: { words: string; code: number }; event: never; output: null }
  wrongOutput: { input: null; event: never; output: number }
  sayNonsense: { input: null; event: never; output: null }
}

export const sampleApi: EngineApi<SampleSignatures> = {
  echo: { input: z.unknown(), event: z.never(), output: z.unknown() },
  environment: {
    input: z.null(),
    event: z.never(),
    output: z.strictObject({ pid: z.int(), execArgv: z.array(z.string()), nodeOptions: z.string(), cwd: z.string() }),
  },
  fail: { input: z.string(), event: z.never(), output: z.null() },
  wait: { input: z.strictObject({ cleanUpMs: z.number(), trace: z.string() }), event: z.string(), output: z.null() },
  ignoreAbort: { input: z.null(), event: z.string(), output: z.null() },
  block: { input: z.null(), event: z.string(), output: z.null() },
  count: { input: z.int(), event: z.int(), output: z.int() },
  die: { input: z.strictObject({ words: z.string(), code: z.int() }), event: z.never(), output: z.null() },
  wrongOutput: { input: z.null(), event: z.never(), output: z.int() },
  sayNonsense: { input: z.null(), event: z.never(), output: z.null() },
}
