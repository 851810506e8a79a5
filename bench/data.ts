/** The generated databases, made once and kept in a cache folder of the system's temporary folder. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { changedPages, changePages, extractPages } from './change.ts'
import { generateDatabase } from './generate.ts'

/** Raise it when what is generated changes. */
const generation = 1

export interface ChangedDatabase {
  readonly path: string
  /** Pages that differ from the original's. */
  readonly pages: number
  /** A file of nothing but the changed pages. */
  readonly onlyChanges: string
}

export interface BenchData {
  /** Of 10^9 bytes. */
  readonly gigabytes: number
  readonly original: string
  readonly bytes: number
  /** By the part of the pages that was changed, in percent. */
  readonly changed: Readonly<Record<'1' | '10', ChangedDatabase>>
}

export function benchData(gigabytes: number, note: (line: string) => void): BenchData {
  const folder = folderOf(gigabytes)
  const original = originalDatabase(gigabytes, note)
  const changed = (percent: number): ChangedDatabase => {
    const path = join(folder, `changed-${percent}.db`)
    const onlyChanges = join(folder, `changed-${percent}.pages`)
    const count = join(folder, `changed-${percent}.count`)
    make(path, note, (fresh) => {
      copyFileSync(original, fresh)
      changePages(fresh, original, percent / 100)
    })
    make(count, note, (fresh) => {
      const pages = changedPages(original, path)
      extractPages(path, pages, onlyChanges)
      writeFileSync(fresh, String(pages.length))
    })
    return { path, onlyChanges, pages: Number(readFileSync(count, 'utf8')) }
  }
  return {
    gigabytes,
    original,
    bytes: statSync(original).size,
    changed: { 1: changed(1), 10: changed(10) },
  }
}

/** Path of the generated database alone. */
export function originalDatabase(gigabytes: number, note: (line: string) => void): string {
  const folder = folderOf(gigabytes)
  mkdirSync(folder, { recursive: true })
  const original = join(folder, 'original.db')
  make(original, note, (path) => generateDatabase(path, gigabytes * 1e9))
  return original
}

function folderOf(gigabytes: number): string {
  return join(tmpdir(), `holdfast-bench-data-${generation}`, `${gigabytes}gb`)
}

/** A file that a killed run left half-made never gets the name. */
function make(path: string, note: (line: string) => void, write: (fresh: string) => void): void {
  if (existsSync(path)) return
  note(`making ${path}`)
  const fresh = `${path}.new`
  rmSync(fresh, { force: true })
  write(fresh)
  renameSync(fresh, path)
}
