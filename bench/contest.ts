/** What is compared, and how one comparison runs. */
import { spawnSync } from 'node:child_process'
import { measure, type Usage } from './measure.ts'

export interface Contestant {
  readonly name: string
  /** A function, if only what was set up tells. */
  readonly command: readonly string[] | (() => readonly string[])
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Not timed; before every run. */
  readonly prepare?: (() => void) | undefined
  /** Not timed; after every run: the bytes that it stored. */
  readonly stored?: ((stdout: string) => number) | undefined
  /** Not timed; after every run. */
  readonly cleanUp?: (() => void) | undefined
  /** The operation's own duration in seconds, without the start of the process, from what it printed. */
  readonly ownSeconds?: ((stdout: string) => number) | undefined
}

export interface Contest {
  /** For `--only`. */
  readonly id: string
  readonly title: string
  /** Name of the contestant that ratios are of. */
  readonly reference: string
  /** Not timed; once. */
  readonly setUp?: (() => void | Promise<void>) | undefined
  readonly contestants: readonly Contestant[]
}

export interface Standing {
  readonly name: string
  readonly runs: readonly (Usage & { readonly own: number | undefined })[]
  readonly storedBytes: number | undefined
}

/** Every contestant once, then every contestant again: what disturbs the machine disturbs all alike. */
export async function runContest(
  contest: Contest,
  options: { readonly repeat: number; readonly folder: string; readonly note: (line: string) => void },
): Promise<Standing[]> {
  const runs = new Map<Contestant, (Usage & { own: number | undefined })[]>()
  const stored = new Map<Contestant, number>()
  await contest.setUp?.()
  for (let round = 1; round <= options.repeat; round++) {
    for (const contestant of contest.contestants) {
      options.note(`${contest.title}, round ${round}: ${contestant.name}`)
      contestant.prepare?.()
      flush(options.folder)
      const { command } = contestant
      const { stdout, ...usage } = measure(typeof command === 'function' ? command() : command, {
        folder: options.folder,
        env: contestant.env,
      })
      const bytes = contestant.stored?.(stdout)
      if (bytes !== undefined) stored.set(contestant, bytes)
      const own = contestant.ownSeconds?.(stdout)
      runs.set(contestant, [...(runs.get(contestant) ?? []), { ...usage, stdout: '', own }])
      contestant.cleanUp?.()
    }
  }
  return contest.contestants.map((contestant) => ({
    name: contestant.name,
    runs: runs.get(contestant) ?? [],
    storedBytes: stored.get(contestant),
  }))
}

/** What one run left to be written must not slow the next one down. */
function flush(folder: string): void {
  spawnSync('sync', ['-f', folder])
}
