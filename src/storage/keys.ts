import { HoldfastError } from '../errors.ts'

const maximumKeyLength = 1024
/** The longest name that common file systems take; so every key can be a path. */
const maximumPartLength = 255
const legalPart = /^[a-zA-Z0-9._=+-]+$/
const legalBeginning = /^[a-zA-Z0-9._=+-]*$/

export function isKeyPart(part: string): boolean {
  return part.length <= maximumPartLength && part !== '.' && part !== '..' && legalPart.test(part)
}

export function isKey(key: string): boolean {
  return key.length <= maximumKeyLength && key.split('/').every(isKeyPart)
}

/** @throws USAGE */
export function checkKey(key: string): void {
  if (isKey(key)) return
  throw new HoldfastError('USAGE', `Not a storage key: ${quote(key)}.`, {
    object: key,
    hint: 'A key has at most 1024 bytes of letters, digits and . _ - = + in parts of at most 255, separated by "/"; no part is empty, "." or "..".',
  })
}

/**
 * Refuses a prefix that no key can begin with: it would list nothing, which would hide the mistake.
 * @throws USAGE
 */
export function checkPrefix(prefix: string): void {
  const parts = prefix.split('/')
  const last = parts.pop() ?? ''
  if (parts.every(isKeyPart) && legalBeginning.test(last) && prefix.length <= maximumKeyLength) return
  throw new HoldfastError('USAGE', `No storage key begins with ${quote(prefix)}.`, { object: prefix })
}

/** Ascending order of the keys' bytes: keys are ASCII, so code units are bytes. */
export function compareKeys(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
