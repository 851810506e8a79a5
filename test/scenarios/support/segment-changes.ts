import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { readRetention } from '../../../src/repository/retention-record.ts'

/** What came and went in a repository between two looks at it, for whoever has to find out why a storm failed. */
export class SegmentChanges {
  #known: ReadonlyMap<string, string> = new Map()

  /** A line for each segment that is new, is to be deleted, is needed again, or is gone. */
  async since(database: DatabaseRepository): Promise<string[]> {
    const { segments, backups } = await database.catalog()
    const { trash } = await readRetention(database)
    const now = new Map(
      segments.map(({ key, kind, from, to, epoch }) => {
        const names = backups.flatMap(({ id, segment }) => (segment === key ? [id] : []))
        const since = trash[key] === undefined ? '' : ` in the trash since ${trash[key].since}`
        return [key, `${kind} (${from}, ${to}] ${epoch} ${names.join()}${since}`]
      }),
    )
    const former = this.#known
    this.#known = now
    return [
      ...[...now].flatMap(([key, line]) => (former.get(key) === line ? [] : [`  + ${line}`])),
      ...[...former].flatMap(([key, line]) => (now.has(key) ? [] : [`  - ${line}`])),
    ]
  }
}
