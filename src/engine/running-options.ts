/** What accompanies a call and cannot cross to another process: from JavaScript it may be anything. */
import { z } from 'zod'
import { parseOptions } from './parse-options.ts'

/** Not `instanceof`: a signal may come from another realm, or from a library that makes its own. */
const signal = z.custom<AbortSignal>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'addEventListener' in value &&
    typeof value.addEventListener === 'function',
)
const onProgress = z.custom<(...args: never) => unknown>((value) => typeof value === 'function')

export const runningKeys = { signal: signal.optional(), onProgress: onProgress.optional() }

const runningOptions = z.looseObject(runningKeys)

/** @throws USAGE for a signal that is none, or a listener that is no function */
export function checkRunning(options: { readonly signal?: unknown; readonly onProgress?: unknown }): void {
  parseOptions(runningOptions, options)
}
