import { randomBytes } from 'node:crypto'
import { chown, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import { syncFolder } from '../../storage/local/durable-folder.ts'

/**
 * Puts another text into a file, all at once and durably; its mode and owner stay. What a link leads to is replaced, not the link.
 * @param before what was in it when the change was thought out
 * @throws USAGE if something else is in it by now; ACCESS_DENIED, DISK_FULL
 */
export async function replaceFile(path: string, before: string, after: string): Promise<void> {
  const target = await realpath(path)
  const temporary = join(dirname(target), `.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const { mode, uid, gid } = await stat(target)
    await using file = await open(temporary, 'wx', mode & 0o777)
    try {
      await file.chmod(mode & 0o777)
      if (uid !== process.geteuid?.() || gid !== process.getegid?.()) await chown(temporary, uid, gid)
      await file.writeFile(after)
      await file.sync()
      if ((await readFile(target, 'utf8')) !== before) throw changedMeanwhile(path)
      await rename(temporary, target)
    } catch (thrown) {
      await rm(temporary, { force: true })
      throw thrown
    }
    await syncFolder(dirname(target))
  } catch (thrown) {
    throw toHoldfastError(thrown, path)
  }
}

function changedMeanwhile(path: string): HoldfastError {
  return new HoldfastError('USAGE', `${path} was changed by somebody else meanwhile.`, {
    object: path,
    hint: 'Run the command again.',
  })
}
