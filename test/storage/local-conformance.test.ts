import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after } from 'node:test'
import { testBackupStorage } from '../../src/conformance/index.ts'
import { LocalStorage, type LocalStorageOptions } from '../../src/storage/local.ts'
import { RetryStorage } from '../../src/storage/retry/retry-storage.ts'
import type { BackupStorage } from '../../src/storage/storage.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const parent = temporaryFolder()
after(() => parent[Symbol.dispose]())

/** FAT file systems have no hard links; their driver answers EPERM. */
const withoutLinks: LocalStorageOptions = {
  link: async () => {
    throw Object.assign(new Error('operation not permitted'), { code: 'EPERM' })
  },
}

conformance('LocalStorage', (folder) => new LocalStorage(folder))
conformance('LocalStorage on a file system without hard links', (folder) => new LocalStorage(folder, withoutLinks))
conformance('RetryStorage over local', (folder) => new RetryStorage(new LocalStorage(folder)))

function conformance(name: string, open: (folder: string) => BackupStorage): void {
  const folder = join(parent.path, name.replaceAll(' ', '-'))
  testBackupStorage({ name, open: async () => open(folder), cleanUp: () => assertOnlyLeftTidy(folder) })
}

/** Nothing of the kit's interrupted and refused puts is left, under any name. */
async function assertOnlyLeftTidy(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  assert.deepEqual(
    entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name),
    ['.lock@holdfast'],
  )
}
