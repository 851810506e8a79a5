import type { DatabaseFacts } from '../../src/source/facts.ts'
import type { PageBatch } from '../../src/source/page-batch.ts'
import type { BackupSource, Inspection, SourceSnapshot, ValidationLevel } from '../../src/source/source.ts'
import { lockPage } from '../../src/util/lock-page.ts'
import { pageHash } from '../../src/util/page-hash.ts'

/** A database that is nothing but pages in memory: what a backup must bring back, without an engine in the way. */
export class PageSource implements BackupSource {
  readonly kind = 'sqlite'
  readonly location: string
  readonly defaultName: string
  pageSize = 512
  /** Page 1 is the first. */
  pages: Uint8Array[] = []
  findings: string[] = []
  level: ValidationLevel = 'quick'
  now: () => number = Date.now

  constructor(location = '/data/app.db', defaultName = 'app') {
    this.location = location
    this.defaultName = defaultName
  }

  fill(count: number, seed: number): this {
    this.pages = Array.from({ length: count }, (_, i) => new Uint8Array(this.pageSize).fill((seed * 31 + i) % 251))
    return this
  }

  change(page: number, value: number): this {
    this.pages[page - 1] = new Uint8Array(this.pageSize).fill(value)
    return this
  }

  /** All bytes, as a restored file would hold them. */
  image(): Buffer {
    return Buffer.concat(this.pages)
  }

  async openSnapshot(): Promise<SourceSnapshot> {
    const { pageSize, findings } = this
    const pages = [...this.pages]
    const facts: DatabaseFacts = {
      kind: 'sqlite',
      engineVersion: '3.53.4',
      pageSize,
      pageCount: pages.length,
      encoding: 'UTF-8',
      journalMode: 'wal',
      autoVacuum: 'none',
      userVersion: 0,
      applicationId: 0,
      schemaDigest: '0'.repeat(64),
      tables: [{ name: 'orders', rows: 3 }],
    }
    const inspection: Inspection = {
      facts,
      validation: { level: this.level, ok: findings.length === 0, findings, foreignKeyViolations: 0, durationMs: 1 },
    }
    return {
      pageSize,
      pageCount: pages.length,
      capturedAt: this.now(),
      blocksWriters: false,
      pages: () => batches(pages, pageSize),
      inspect: async () => inspection,
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

const pagesPerBatch = 8

async function* batches(pages: readonly Uint8Array[], pageSize: number): AsyncGenerator<PageBatch> {
  for (let start = 0; start < pages.length; start += pagesPerBatch) {
    const numbers = pages.slice(start, start + pagesPerBatch).flatMap((_, i) => {
      const page = start + i + 1
      return page === lockPage(pageSize) ? [] : [page]
    })
    const values = numbers.map((page) => pages[page - 1] ?? new Uint8Array(pageSize))
    yield {
      pages: Uint32Array.from(numbers),
      values: new Uint8Array(Buffer.concat(values)),
      hashes: BigUint64Array.from(values, (value, i) => pageHash(numbers[i] ?? 0, value)),
    }
  }
}
