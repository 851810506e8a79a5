import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { JournalFile } from '../../../src/agent/journal/journal-file.ts'
import { WriteQueue } from '../../../src/agent/journal/write-queue.ts'

const writeMs = 10
const works = 200

test('a slow disk is not asked anew for each of many writes that come one after the other', async () => {
  using database = new DatabaseSync(':memory:')
  let writes = 0
  const file: Pick<JournalFile, 'write'> = {
    write: async (work) => {
      writes += 1
      for (const end = performance.now() + writeMs; performance.now() < end; );
      return work(database)
    },
  }
  const queue = new WriteQueue(file)
  const done: Promise<number>[] = []
  for (let index = 0; index < works; index += 1) {
    done.push(queue.add(() => index))
    await turn()
  }
  assert.deepEqual(
    await Promise.all(done),
    Array.from({ length: works }, (_, index) => index),
  )
  assert(writes <= works / 4, `${writes} writes`)
})
