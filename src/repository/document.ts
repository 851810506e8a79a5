/**
 * Small objects are documents: a header line that names kind, format version and SHA-256 of all that follows it, then
 * readable JSON. So `tail -n +2 FILE | sha256sum` checks one without Holdfast.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { HoldfastError } from '../errors.ts'

export const documentVersion = 1

const header = z.strictObject({ holdfast: z.string(), version: z.int().min(1), sha256: z.string() })

export function encodeDocument(kind: string, body: unknown): Uint8Array {
  const text = `${JSON.stringify(body, null, 2)}\n`
  const line = JSON.stringify({ holdfast: kind, version: documentVersion, sha256: sha256(text) })
  return Buffer.from(`${line}\n${text}`)
}

/** @throws INTEGRITY, FORMAT_TOO_NEW */
export function decodeDocument<T>(kind: string, schema: z.ZodType<T>, bytes: Uint8Array, key: string): T {
  const text = Buffer.from(bytes).toString('utf8')
  const end = text.indexOf('\n')
  const first = header.safeParse(parseJson(text.slice(0, Math.max(end, 0))))
  if (!first.success) throw damaged(key, 'its first line is not a document header')
  if (first.data.holdfast !== kind) throw damaged(key, `it is a "${first.data.holdfast}" document, not "${kind}"`)
  const body = text.slice(end + 1)
  if (sha256(body) !== first.data.sha256) throw damaged(key, 'its checksum does not match')
  if (first.data.version > documentVersion) throw tooNew(key, first.data.version)
  const parsed = schema.safeParse(parseJson(body))
  if (!parsed.success) throw damaged(key, z.prettifyError(parsed.error).replaceAll('\n', ' '))
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function damaged(key: string, why: string): HoldfastError {
  return new HoldfastError('INTEGRITY', `The object ${key} is damaged: ${why}.`, {
    object: key,
    hint: 'Run "holdfast verify" to see what else is affected.',
  })
}

function tooNew(key: string, version: number): HoldfastError {
  return new HoldfastError(
    'FORMAT_TOO_NEW',
    `The object ${key} has format version ${version}; this Holdfast reads up to ${documentVersion}.`,
    {
      object: key,
      hint: 'Use the version of Holdfast that wrote this repository, or a newer one.',
    },
  )
}
