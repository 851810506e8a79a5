import { resolve } from 'node:path'
import { notifySchema } from '../schema/notify-schema.ts'
import { parseWhatIsRight } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { Reporter } from './reporter.ts'
import { type ReadFile, unreadable } from './unreadable.ts'

/** Longer than any secret or list of certificates: a wrong file is meant. */
const longestSecret = 1024 * 1024

/** The files that the channels name, by absolute path, without the line break at the end. */
export async function readSecrets(
  raws: readonly unknown[],
  folder: string,
  readFile: ReadFile,
  report: Reporter,
): Promise<ReadonlyMap<string, string>> {
  const secrets = new Map<string, string>()
  const read = async (file: string | undefined, path: ConfigPath) => {
    if (file === undefined) return
    const place = resolve(folder, file)
    const found = await readSecret(place, readFile)
    if (typeof found === 'string') secrets.set(place, found)
    else report.value(path, found.problem)
  }
  for (const [index, raw] of raws.entries()) {
    const { webhook, email } = parseWhatIsRight(notifySchema, raw) ?? {}
    const path: ConfigPath = ['notify', index]
    if (typeof webhook === 'object') await read(webhook.secretFile, [...path, 'webhook', 'secretFile'])
    await read(email?.passwordFile, [...path, 'email', 'passwordFile'])
    await read(email?.caFile, [...path, 'email', 'caFile'])
  }
  return secrets
}

async function readSecret(path: string, readFile: ReadFile): Promise<string | { readonly problem: string }> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (thrown) {
    return { problem: unreadable(path, thrown) }
  }
  if (bytes.length > longestSecret) return { problem: `${path} is too large for what it should hold.` }
  const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, '')
  return text === '' ? { problem: `${path} is empty.` } : text
}
