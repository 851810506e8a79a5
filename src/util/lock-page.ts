// Apart from page-hash.ts: a thread that is terminated while WebAssembly is being compiled takes the whole process with it in Node.js 24.

/** The number of the page that holds SQLite's lock bytes (at 1 GiB); it is never stored nor hashed, and zero on restore. */
export function lockPage(pageSize: number): number {
  return 0x40000000 / pageSize + 1
}
