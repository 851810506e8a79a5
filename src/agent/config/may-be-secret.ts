import { configSchema } from './schema/config-schema.ts'
import { knownKeys, mayHoldAnyKey } from './schema/known-keys.ts'
import type { ConfigPath } from './yaml/config-path.ts'

/** Somewhere in these stand passwords, addresses that are as good as passwords, and commands that hold them. */
const confidential: readonly (string | number)[] = ['notify', 'mirrors', 'repository', 'encryption', 'hooks', 'command']

/**
 * Whether what stands at a place of the configuration, as it was written, may be a secret. What is unknown may: a mistyped key, a
 * section that does not exist, a file that is another file.
 */
export function mayBeSecret(path: ConfigPath): boolean {
  if (path.length === 0) return true
  return path.some((step, index) => {
    if (confidential.includes(step)) return true
    if (typeof step === 'number') return false
    const inside = path.slice(0, index)
    return !knownKeys(configSchema, inside).includes(step) && !mayHoldAnyKey(configSchema, inside)
  })
}
