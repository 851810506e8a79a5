import { engineEntry } from '../../engine/entry.ts'
import { defaultSilenceMs, type Engine, startEngine } from '../../engine/host.ts'
import { hasCode } from '../../errors.ts'
import { formatDuration } from '../../util/format-duration.ts'
import type { Assertion } from './assertion.ts'
import type { DrillCheck } from './drill-options.ts'
import { type Judgement, judgeAssertion, rowsNeeded } from './judge-assertion.ts'
import { type QuerySignatures, queryApi } from './query-api.ts'

export interface AssertionOptions {
  /** For each, in milliseconds. */
  readonly timeLimitMs: number
  readonly signal?: AbortSignal | undefined
  readonly onDone?: ((done: number) => void) | undefined
}

/** A query cannot be asked to stop: its process is ended this long after its time is over. */
const graceMs = 200

/** Tries the assertions on a database file that nobody writes to, one after the other, also after one that failed. @throws ABORTED */
export async function runAssertions(
  path: string,
  assertions: readonly Assertion[],
  options: AssertionOptions,
): Promise<DrillCheck[]> {
  const checks: DrillCheck[] = []
  await using engine = new QueryEngine()
  for (const assertion of assertions) {
    const startedAt = performance.now()
    const judgement = await engine.try(path, assertion, options)
    const durationMs = Math.round(performance.now() - startedAt)
    checks.push({ kind: 'assertion', name: assertion.name ?? assertion.sql, ...judgement, durationMs })
    options.onDone?.(checks.length)
  }
  return checks
}

/** A process for queries, replaced by a fresh one when a query took it down. */
class QueryEngine implements AsyncDisposable {
  #engine: Engine<QuerySignatures> | undefined

  async try(path: string, assertion: Assertion, { timeLimitMs, signal }: AssertionOptions): Promise<Judgement> {
    signal?.throwIfAborted()
    try {
      const engine = await this.#started(path, { timeLimitMs, signal })
      const deadline = AbortSignal.timeout(timeLimitMs)
      const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
      const input = { path, sql: assertion.sql, most: rowsNeeded(assertion) }
      return judgeAssertion(assertion, await engine.call('query', input, { signal: stop }))
    } catch (error) {
      await this[Symbol.asyncDispose]()
      signal?.throwIfAborted()
      if (hasCode(error, 'ABORTED'))
        return { outcome: 'inconclusive', detail: `It took longer than ${formatDuration(timeLimitMs)}.` }
      if (hasCode(error, 'ENGINE_DIED')) return { outcome: 'inconclusive', detail: error.message }
      throw error
    }
  }

  /** The time that a process takes to start is no time of the query's. */
  async #started(
    path: string,
    { timeLimitMs, signal }: Pick<AssertionOptions, 'timeLimitMs' | 'signal'>,
  ): Promise<Engine<QuerySignatures>> {
    if (this.#engine !== undefined) return this.#engine
    // A query keeps it from answering, and may take its time.
    const silenceMs = Math.max(timeLimitMs, defaultSilenceMs)
    const entry = engineEntry(import.meta.url, 'query-engine')
    const engine = startEngine(entry, queryApi, { graceMs, silenceMs })
    this.#engine = engine
    await engine.call('query', { path, sql: 'SELECT 1', most: 1 }, { signal })
    return engine
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const engine = this.#engine
    this.#engine = undefined
    await engine?.close()
  }
}
