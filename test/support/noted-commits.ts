/** What writers know of their commits, from outside: kept in a file that outlives a `kill -9` of any of them. */
import { openSync, readFileSync, writeSync } from 'node:fs'
import type { CommitStamp } from './commit-stamp.ts'

export interface NotedCommit extends CommitStamp {
  /** Right before COMMIT, and right after; milliseconds since 1970. Without the second, whether there was one is not known. */
  readonly begunAt: number
  readonly endedAt: number | undefined
}

type Line = CommitStamp & ({ readonly begunAt: number } | { readonly endedAt: number })

/** Every line is one write to the end of the file, which several processes may share. */
export class CommitNotes {
  readonly #descriptor: number

  constructor(path: string) {
    this.#descriptor = openSync(path, 'a')
  }

  begin(stamp: CommitStamp): void {
    this.#add({ ...stamp, begunAt: Date.now() })
  }

  end(stamp: CommitStamp): void {
    this.#add({ ...stamp, endedAt: Date.now() })
  }

  #add(line: Line): void {
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`)
  }
}

export function readNotedCommits(path: string): NotedCommit[] {
  const commits = new Map<string, NotedCommit>()
  for (const text of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const line: Line = JSON.parse(text)
    const { seq, mark } = line
    const known = commits.get(keyOf(line))
    if ('begunAt' in line) commits.set(keyOf(line), known ?? { seq, mark, begunAt: line.begunAt, endedAt: undefined })
    else if (known !== undefined) commits.set(keyOf(line), { ...known, endedAt: line.endedAt })
  }
  return [...commits.values()]
}

export function keyOf({ seq, mark }: CommitStamp): string {
  return `${seq} ${mark}`
}
