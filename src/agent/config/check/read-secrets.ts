import { resolve } from 'node:path'
import { notifySchema } from '../schema/notify-schema.ts'
import { parseWhatIsRight } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { Reporter } from './reporter.ts'
import { isMissingFile, type ReadFile, systemCode } from './unreadable.ts'

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
    const found = await readSecret(place, folder, readFile)
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

/** No problem names the file: somebody may have put the secret itself where its file belongs. */
async function readSecret(
  path: string,
  folder: string,
  readFile: ReadFile,
): Promise<string | { readonly problem: string }> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (thrown) {
    return { problem: whyUnreadable(thrown, folder) }
  }
  if (bytes.length > longestSecret) return { problem: 'The file is too large for what it should hold.' }
  const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, '')
  return text === '' ? { problem: 'The file is empty.' } : text
}

function whyUnreadable(thrown: unknown, folder: string): string {
  const code = systemCode(thrown)
  if (isMissingFile(thrown) || code === 'ENAMETOOLONG')
    return `There is no such file. A path that does not begin with "/" is looked for in ${folder}.`
  if (code === 'EISDIR') return 'This is a folder, not a file.'
  if (code === 'EACCES' || code === 'EPERM') return 'Access to the file is denied.'
  return `The file cannot be read${typeof code === 'string' ? ` (${code})` : ''}.`
}
