import { throwIfAborted } from '../util/abort.ts'
import type { EngineApi, Signatures } from './api.ts'
import { engineEntry } from './entry.ts'
import { type EngineCallOptions, type EngineOptions, startEngine } from './host.ts'

/** Where the program of an engine is: beside the module that has this URL, under this name. */
export interface EngineProgram<S extends Signatures> {
  readonly beside: string
  readonly name: string
  readonly api: EngineApi<S>
}

/**
 * Runs one function in an engine of its own, which is gone afterwards: what it opened is closed, what it used is freed, and
 * whatever befalls it befalls this one operation.
 */
export async function runInEngine<S extends Signatures, Name extends keyof S & string>(
  { beside, name: entry, api }: EngineProgram<S>,
  name: Name,
  input: S[Name]['input'],
  options: EngineOptions & EngineCallOptions<S[Name]['event']>,
): Promise<S[Name]['output']> {
  const { signal, onEvent, ...engineOptions } = options
  throwIfAborted(signal)
  await using engine = startEngine(engineEntry(beside, entry), api, engineOptions)
  return await engine.call(name, input, { signal, onEvent })
}
