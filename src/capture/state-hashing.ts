import { addHash, emptyState } from '../history/state-checksum.ts'
import type { PageBatch } from '../source/page-batch.ts'

/** Collects the hash of every page of a state, entry `page - 1`; the lock page's stays 0. */
export class StateHashing {
  readonly hashes: BigUint64Array
  state = emptyState

  constructor(pageCount: number) {
    this.hashes = new BigUint64Array(pageCount)
  }

  add({ pages, hashes }: PageBatch): void {
    pages.forEach((page, at) => {
      const hash = hashes[at] ?? 0n
      this.hashes[page - 1] = hash
      this.state = addHash(this.state, hash)
    })
  }
}
