import { maxPageSize } from './limits.ts'

/** Room for one page, by bytes and by aligned words; used again for every page. */
export class PageScratch {
  readonly bytes: Uint8Array
  readonly words: Int32Array
  /** For words that lie askew. May be read up to eight bytes beyond the page, where anything may stand. */
  readonly view: DataView

  constructor() {
    const memory = new ArrayBuffer(maxPageSize + 8)
    this.bytes = new Uint8Array(memory)
    this.words = new Int32Array(memory)
    this.view = new DataView(memory)
  }
}
