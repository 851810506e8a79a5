import { closeSync, openSync, writeFileSync } from 'node:fs'
import { CommitStream } from '../../../src/source/sqlite/follow/commit-stream.ts'
import { LogCursor } from '../../../src/source/sqlite/follow/log-cursor.ts'
import { PageTable } from '../../../src/source/sqlite/follow/page-table.ts'
import { addBytes } from '../../../src/source/sqlite/log/checksum.ts'
import { frameHeaderBytes } from '../../../src/source/sqlite/log/page-map.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { FollowedCopy } from './followed-copy.ts'

export const pageSize = 512
export const salts = Buffer.from('5a175a175a17c0de', 'hex')

/** A page's content: the same byte all over. */
export interface MadeFrame {
  readonly page: number
  readonly fill: number
  /** Pages of the database, if the frame ends a transaction. */
  readonly commit?: number
}

/** A log as SQLite would write it. */
export function makeLog(frames: readonly MadeFrame[], bigEndian = false): Buffer {
  const header = Buffer.alloc(32)
  header.writeUInt32BE(bigEndian ? 0x377f0683 : 0x377f0682, 0)
  header.writeUInt32BE(3007000, 4)
  header.writeUInt32BE(pageSize, 8)
  salts.copy(header, 16)
  const sum = { first: 0, second: 0 }
  const store = (target: Buffer, offset: number) => {
    target.writeInt32BE(sum.first, offset)
    target.writeInt32BE(sum.second, offset + 4)
  }
  addBytes(sum, header.subarray(0, 24), bigEndian)
  store(header, 24)
  const parts = frames.map(({ page, fill, commit }) => {
    const bytes = Buffer.alloc(frameHeaderBytes + pageSize, fill)
    bytes.writeUInt32BE(page, 0)
    bytes.writeUInt32BE(commit ?? 0, 4)
    salts.copy(bytes, 8)
    addBytes(sum, bytes.subarray(0, 8), bigEndian)
    addBytes(sum, bytes.subarray(frameHeaderBytes), bigEndian)
    store(bytes, 16)
    return bytes
  })
  return Buffer.concat([header, ...parts])
}

/** A database of a page per fill byte, and a stream that stands at the start of the log. */
export function openMade(
  log: Buffer,
  database: readonly number[],
  fileMayBeAheadUntil = 0,
): Disposable & { readonly stream: CommitStream; readonly copy: FollowedCopy; readonly logPath: string } {
  const folder = temporaryFolder()
  writeFileSync(folder.file('log'), log)
  const copy = new FollowedCopy(pageSize)
  copy.adopt(Buffer.concat(database.map((fill) => Buffer.alloc(pageSize, fill))))
  writeFileSync(folder.file('database'), copy.image)
  const [logDescriptor, databaseDescriptor] = ['log', 'database'].map((name) => openSync(folder.file(name), 'r'))
  const stream = new CommitStream({
    file: '1:1',
    database: databaseDescriptor ?? -1,
    cursor: new LogCursor({ path: 'log', descriptor: logDescriptor ?? -1 }, pageSize, {
      salts,
      frame: 0,
      checksum: [0, 0],
    }),
    table: new PageTable(pageSize, {
      pageCount: database.length,
      hashes: copy.hashes,
      frames: new Uint32Array(0),
    }),
    fileMayBeAheadUntil,
    clock: Date.now,
  })
  return {
    stream,
    copy,
    logPath: folder.file('log'),
    [Symbol.dispose]() {
      for (const descriptor of [logDescriptor, databaseDescriptor]) closeSync(descriptor ?? -1)
      folder[Symbol.dispose]()
    },
  }
}
