/**
 * How fast this machine's past restores were, by the kind of storage: a small file in the user's state folder. Estimates get
 * better by it; nothing depends on it.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { RestoreRates } from '../../history/estimate.ts'
import { replacePrivateFile } from '../../util/replace-private-file.ts'
import { userStateFolder } from '../../util/user-state-folder.ts'
import { defaultRates } from './default-rates.ts'
import { type KnownRates, learn, type RestoreMeasurement } from './learn.ts'

const rate = z.number().positive()
const knownRates: z.ZodType<KnownRates> = z.strictObject({
  restores: z.int().min(1),
  requestMs: rate,
  fetchBytesPerSecond: rate,
  writeBytesPerSecond: rate,
  commitsPerSecond: rate,
  proveBytesPerSecond: rate,
})
const rateFile = z.strictObject({ version: z.literal(1), places: z.record(z.string(), knownRates) })

/** A user has few storages; a program that makes up ever new ones must not let the file grow. */
const mostPlaces = 50

export class RateFile {
  readonly #path: string

  /** @param folder default: the user's state folder */
  constructor(folder: string = userStateFolder()) {
    this.#path = join(folder, 'restore-rates.json')
  }

  /** Rates of restores from that storage, or those of an ordinary machine. Never fails. */
  async read(url: string): Promise<RestoreRates> {
    return (await this.#places())[placeOf(url)] ?? defaultRates
  }

  /** Notes what a restore took. Never fails: an estimate that stays rough must not spoil a restore that went well. */
  async add(url: string, measured: RestoreMeasurement): Promise<void> {
    const place = placeOf(url)
    const { [place]: known, ...others } = await this.#places()
    const newest = Object.entries(others).slice(-mostPlaces + 1)
    const places = { ...Object.fromEntries(newest), [place]: learn(known, measured) }
    try {
      await replacePrivateFile(this.#path, `${JSON.stringify({ version: 1, places }, null, 2)}\n`)
    } catch {
      return
    }
  }

  async #places(): Promise<Readonly<Record<string, KnownRates>>> {
    try {
      const parsed = rateFile.safeParse(JSON.parse(await readFile(this.#path, 'utf8')))
      return parsed.success ? parsed.data.places : {}
    } catch {
      return {}
    }
  }
}

/** Kind and host of a storage: what its speed depends on. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return 'other'
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}
