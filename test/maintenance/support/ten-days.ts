import { day, KeptHistory } from './kept-history.ts'

/** Ten days of logs, of one base; a backup in the midst of each day. */
export async function followed(seed = 1): Promise<{ history: KeptHistory; backups: number[] }> {
  const history = await KeptHistory.make(seed)
  await history.base()
  const backups: number[] = []
  for (let n = 0; n < 10; n += 1) {
    await history.log(6, day / 2)
    await history.log(6, day / 2)
    const { lsn } = await history.backup(history.lsn - 3)
    backups.push(lsn)
  }
  return { history, backups }
}
