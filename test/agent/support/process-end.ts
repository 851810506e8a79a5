import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when a process has ended; one whose parent has not asked for its status yet has. */
export async function processEnd(pid: string | number): Promise<void> {
  for (;;) {
    const stat = await readFile(`/proc/${String(pid).trim()}/stat`, 'utf8').catch(() => undefined)
    if (stat === undefined || /\) [ZX] /.test(stat)) return
    await sleep(5)
  }
}
