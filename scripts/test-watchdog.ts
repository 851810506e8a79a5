/**
 * Loaded into every test process: ends one that something keeps alive long after its tests, and says what that is. The
 * runner's own time limits are for single tests.
 */
import { isMainThread } from 'node:worker_threads'

const limitMinutes = 10

if (isMainThread) setTimeout(giveUp, limitMinutes * 60_000).unref()

function giveUp(): void {
  const [, file] = process.argv
  console.error(
    `${file} still runs after ${limitMinutes} minutes, held by: ${process.getActiveResourcesInfo().join(', ')}`,
  )
  process.exit(1)
}
