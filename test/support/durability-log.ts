import assert from 'node:assert/strict'
import fs, { fstatSync, statSync } from 'node:fs'
import fsPromises, { open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname } from 'node:path'
import { mock } from 'node:test'

/** Something was written to or flushed through a handle, became visible under a name, or lost it. */
export type DurabilityEvent =
  | { readonly what: 'write' | 'sync'; readonly inode: number }
  | { readonly what: 'gone'; readonly path: string; readonly inode: number }
  | { readonly what: 'name'; readonly path: string; readonly inode: number }

/** What this process flushes and names, in order, until it is disposed of. Power loss cannot be tried; that it is provided for can. */
export async function recordDurability(): Promise<Disposable & { readonly events: readonly DurabilityEvent[] }> {
  const events: DurabilityEvent[] = []
  const synced = (descriptor: number) => events.push({ what: 'sync', inode: fstatSync(descriptor).ino })
  const named = (path: fs.PathLike) => events.push({ what: 'name', path: String(path), inode: statSync(path).ino })

  const handle = await open(import.meta.filename)
  const prototype: fsPromises.FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  for (const name of ['sync', 'datasync'] as const) {
    const real = prototype[name]
    mock.method(prototype, name, async function (this: fsPromises.FileHandle) {
      await real.call(this)
      synced(this.fd)
    })
  }
  const { write } = prototype
  mock.method(prototype, 'write', async function (this: fsPromises.FileHandle, ...args: Parameters<typeof write>) {
    events.push({ what: 'write', inode: fstatSync(this.fd).ino })
    return await write.apply(this, args)
  })
  const { fsyncSync, renameSync, rmSync, writeSync } = fs
  mock.method(fs, 'writeSync', (descriptor: number, ...args: [NodeJS.ArrayBufferView, number, number, number]) => {
    // Standard output and error go through here, too.
    if (descriptor > 2) events.push({ what: 'write', inode: fstatSync(descriptor).ino })
    return writeSync(descriptor, ...args)
  })
  mock.method(fs, 'rmSync', (path: fs.PathLike, options?: fs.RmOptions) => {
    const stats = statSync(path, { throwIfNoEntry: false })
    rmSync(path, options)
    if (stats !== undefined) events.push({ what: 'gone', path: String(path), inode: stats.ino })
  })
  mock.method(fs, 'fsyncSync', (descriptor: number) => {
    fsyncSync(descriptor)
    synced(descriptor)
  })
  mock.method(fs, 'renameSync', (from: fs.PathLike, to: fs.PathLike) => {
    renameSync(from, to)
    named(to)
  })
  for (const name of ['rename', 'link'] as const) {
    const real = fsPromises[name]
    mock.method(fsPromises, name, async (from: fs.PathLike, to: fs.PathLike) => {
      await real(from, to)
      named(to)
    })
  }
  syncBuiltinESMExports()
  return {
    events,
    [Symbol.dispose]() {
      mock.restoreAll()
      syncBuiltinESMExports()
    },
  }
}

/** A file is flushed before it has its name, and its folder after. */
export function assertDurable(events: readonly DurabilityEvent[], path: string): void {
  const { ino } = statSync(path)
  const folder = statSync(dirname(path)).ino
  const named = events.findLastIndex((event) => event.what === 'name' && event.path === path)
  assert.ok(named >= 0, `${path} has got its name`)
  assert.ok(
    events.slice(0, named).some(({ what, inode }) => what === 'sync' && inode === ino),
    'its bytes were flushed before',
  )
  assert.ok(
    events.slice(named).some(({ what, inode }) => what === 'sync' && inode === folder),
    'its name was flushed after',
  )
}
