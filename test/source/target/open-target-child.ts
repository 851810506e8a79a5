/** Opens a new restore target, as another user, and says how it went. */
import { HoldfastError } from '../../../src/errors.ts'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'

async function attempt(path: string): Promise<string> {
  try {
    await using _ = await openTarget(path, { pageSize: 4096, pageCount: 4 })
    return 'opened'
  } catch (thrown) {
    return thrown instanceof HoldfastError ? thrown.code : String(thrown)
  }
}

const answer = await attempt(process.argv[2] ?? '')
process.send?.(answer, () => process.disconnect())
