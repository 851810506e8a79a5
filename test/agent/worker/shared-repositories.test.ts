import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SharedRepositories } from '../../../src/agent/worker/shared-repositories.ts'
import { HoldfastError, hasCode } from '../../../src/errors.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'

const on = () => new AbortController().signal

class Places {
  opened = 0
  closed = 0
  isAway = false
  readonly shared = new SharedRepositories<string>(async () => {
    if (this.isAway) throw new HoldfastError('STORAGE_TRANSIENT', 'It is away.')
    this.opened += 1
    const storage = new MemoryStorage({ name: undefined })
    await Repository.init(storage)
    return Object.assign(storage, {
      close: async () => {
        this.closed += 1
      },
    })
  })
}

describe('the repositories of a worker', () => {
  it('are opened once for all databases, and closed with the last', async () => {
    const places = new Places()
    const users = await Promise.all([1, 2, 3].map(() => places.shared.use('here', on())))
    assert.equal(new Set(users.map(({ repository }) => repository)).size, 1)
    await using elsewhere = await places.shared.use('elsewhere', on())
    assert.notEqual(elsewhere.repository, users[0]?.repository)
    assert.equal(places.opened, 2)
    for (const user of users.slice(1)) await user[Symbol.asyncDispose]()
    await users[1]?.[Symbol.asyncDispose]()
    assert.equal(places.closed, 0)
    await users[0]?.[Symbol.asyncDispose]()
    assert.equal(places.closed, 1)
    await (await places.shared.use('here', on()))[Symbol.asyncDispose]()
    assert.deepEqual([places.opened, places.closed], [3, 2])
  })

  it('are tried again after a failure', async () => {
    const places = new Places()
    places.isAway = true
    const failed = await Promise.allSettled([places.shared.use('here', on()), places.shared.use('here', on())])
    assert(failed.every((each) => each.status === 'rejected' && hasCode(each.reason, 'STORAGE_TRANSIENT')))
    places.isAway = false
    await using user = await places.shared.use('here', on())
    assert(user.repository.id !== '')
  })

  it('are opened for the others though the first gives up', async () => {
    const places = new Places()
    const off = new AbortController()
    const first = places.shared.use('here', off.signal)
    const second = places.shared.use('here', on())
    off.abort()
    await assert.rejects(first, (error) => hasCode(error, 'ABORTED'))
    await using user = await second
    assert.equal(user.repository.id, user.repository.id)
    assert.deepEqual([places.opened, places.closed], [1, 0])
  })
})
