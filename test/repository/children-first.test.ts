import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { createBackup } from '../../src/backup/create-backup.ts'
import { childrenFirst } from '../../src/repository/children-first.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { PageSource } from '../support/page-source.ts'

it('no backup comes before one that builds on it, whatever their numbers and times', async () => {
  const repository = await Repository.init(new MemoryStorage())
  const { metadata } = await createBackup(new PageSource().fill(3, 1), repository, { type: 'full' })
  const parents = fc.array(fc.option(fc.nat({ max: 9 })), { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(parents, (all) => {
      // Each builds on one of those before it, or on none; `others` may lead in circles.
      const make = (parentOf: (index: number) => number | undefined) =>
        all.map((_, index) => ({ ...metadata, id: `${index}`, parent: parentOf(index)?.toString() ?? null }))
      const sound = make((index) => {
        const parent = all[index]
        return parent === null || parent === undefined || parent >= index ? undefined : parent
      })
      const order = childrenFirst(sound).map(({ id }) => id)
      assert.deepEqual(order.toSorted(), sound.map(({ id }) => id).toSorted())
      for (const { id, parent } of sound)
        if (parent !== null) assert.ok(order.indexOf(id) < order.indexOf(parent), `${id} builds on ${parent}`)
      assert.equal(childrenFirst(make((index) => all[index] ?? undefined)).length, all.length)
    }),
  )
})
