import { toLsn } from '../../src/history/lsn.ts'
import { planRestore } from '../../src/history/plan.ts'
import { openChain } from '../../src/repository/chain.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'

/** A state's bytes, put together naively: every segment of the chain, whole, in order. */
export async function readState(database: DatabaseRepository, lsn: number): Promise<Buffer> {
  const { segments } = await database.catalog()
  const { links, pageSize } = await openChain(database, planRestore(segments, toLsn(lsn)))
  let image = Buffer.alloc(0)
  for (const { reader } of links) {
    const next = Buffer.alloc(reader.end.pageCount * pageSize)
    image.copy(next)
    image = next
    for await (const { pages, values } of reader.records()) {
      for (const [i, page] of pages.entries())
        image.set(values.subarray(i * pageSize, (i + 1) * pageSize), (page - 1) * pageSize)
    }
  }
  return image
}
