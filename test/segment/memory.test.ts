import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

async function growth(mode: 'write' | 'read', mebibytes: number): Promise<number> {
  const child = new URL('./memory-child.ts', import.meta.url).pathname
  const { stdout } = await run(process.execPath, ['--max-old-space-size=64', child, mode, String(mebibytes)])
  return Number(stdout)
}

test('writing 1 GiB takes no more memory than a few blocks need', async () => {
  const grown = await growth('write', 1024)
  assert.ok(grown < 180, `${grown} MiB`)
})

test('reading and checking a segment takes no more memory than a few range reads need', async () => {
  const grown = await growth('read', 384)
  assert.ok(grown < 220, `${grown} MiB`)
})
