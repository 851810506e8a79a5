import { spawnSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh folder, removed in the end. */
export class Workspace implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))

  path(name: string): string {
    return join(this.folder, name)
  }

  remove(...names: readonly string[]): void {
    for (const name of names) rmSync(this.path(name), { recursive: true, force: true })
  }

  copyIn(file: string, name: string): void {
    this.remove(name, `${name}-wal`, `${name}-shm`)
    copyFileSync(file, this.path(name))
  }

  /** By hard links: what is in a repository is never written again. */
  cloneFolder(from: string, to: string): void {
    this.remove(to)
    run(['cp', '-al', this.path(from), this.path(to)])
  }

  bytes(name: string): number {
    const path = this.path(name)
    if (!lstatSync(path).isDirectory()) return statSync(path).size
    const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    return entries.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Runs what a contest needs beforehand. */
export function run(command: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const [program = '', ...args] = command
  const result = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.error) throw result.error
  if (result.status !== 0)
    throw new Error(`${command.join(' ')} ended with ${result.status}:\n${result.stdout}${result.stderr}`)
  return result.stdout
}

/** Into the page cache. */
export function readOnce(path: string): void {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(1 << 20)
    while (readSync(file, buffer) > 0);
  } finally {
    closeSync(file)
  }
}
