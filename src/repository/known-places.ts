/**
 * Which repositories this user has had in folders of this machine: a small file in the user's state folder. An empty folder where
 * one was is most likely a place where its disk is not mounted; a new repository that is begun there would be hidden when it is.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError, hasCode } from '../errors.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import { replacePrivateFile } from '../util/replace-private-file.ts'
import { userStateFolder } from '../util/user-state-folder.ts'
import { Repository } from './repository.ts'

const placesFile = z.strictObject({ version: z.literal(1), places: z.record(z.string(), z.string()) })
type Places = z.infer<typeof placesFile>['places']

/** A program that makes up ever new ones must not let the file grow. */
const mostPlaces = 200

/** Opens a repository, and remembers where it is. @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, INTEGRITY, STORAGE_*, ABORTED */
export async function openKnown(
  storage: BackupStorage,
  options: OperationOptions = {},
  known: KnownPlaces = new KnownPlaces(),
): Promise<Repository> {
  try {
    const repository = await Repository.open(storage, options)
    await known.note(repository)
    return repository
  } catch (error) {
    if (!hasCode(error, 'REPOSITORY_NOT_FOUND')) throw error
    const id = await known.idAt(storage.url)
    if (id === undefined) throw error
    throw new HoldfastError(error.code, `There is no repository at ${storage.url}, where ${id} was before.`, {
      object: storage.url,
      cause: error,
      hint: 'If it is on a disk that is not mounted, mount that. To begin a new one in its place, run "holdfast init".',
    })
  }
}

export class KnownPlaces {
  readonly #path: string

  /** @param folder default: the user's state folder */
  constructor(folder: string = userStateFolder()) {
    this.#path = join(folder, 'repositories.json')
  }

  /** Id of the repository that was there when somebody last looked; undefined if none ever was, as far as is known. Never fails. */
  async idAt(url: string): Promise<string | undefined> {
    return (await this.#places())[url]
  }

  /** Never fails: what is not remembered only protects less. */
  async note({ url, id }: Pick<Repository, 'url' | 'id'>): Promise<void> {
    // Other storages are there, or say that they are not.
    if (!url.startsWith('file:')) return
    const { [url]: known, ...others } = await this.#places()
    if (known === id) return
    const newest = Object.entries(others).slice(-mostPlaces + 1)
    const places: Places = { ...Object.fromEntries(newest), [url]: id }
    try {
      await replacePrivateFile(this.#path, `${JSON.stringify({ version: 1, places }, null, 2)}\n`)
    } catch {
      return
    }
  }

  async #places(): Promise<Places> {
    try {
      const parsed = placesFile.safeParse(JSON.parse(await readFile(this.#path, 'utf8')))
      return parsed.success ? parsed.data.places : {}
    } catch {
      return {}
    }
  }
}
