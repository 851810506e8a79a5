import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DeviceBook } from '../../../src/agent/discovery/device-book.ts'

/** Folders of a machine, and the numbers of their file systems; what is not named is not there. */
class Machine {
  devices: Record<string, number>
  asked = 0

  constructor(devices: Record<string, number>) {
    this.devices = devices
  }

  readonly deviceOf = async (folder: string): Promise<number> => {
    this.asked += 1
    const device = this.devices[folder]
    if (device === -1) throw Object.assign(new Error('ESTALE: stale file handle'), { code: 'ESTALE' })
    if (device === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    return device
  }
}

const start = Date.UTC(2026, 0, 1)
const hour = 3_600_000
const mounted = { '/': 1, '/t': 1, '/t/a': 1, '/t/b': 5 }

async function book(devices: Record<string, number> = {}) {
  const machine = new Machine(mounted)
  const known = new DeviceBook(devices, machine.deviceOf)
  await known.note(['/t/a/x.db', '/t/b/x.db'], { anew: false, now: start })
  return { machine, known }
}

describe('a database that is gone', () => {
  it('was deleted where its file system is still there, with its folder or without', async () => {
    const { machine, known } = await book()
    assert.equal(await known.isAway('/t/b/x.db'), false)
    machine.devices = { '/': 1, '/t': 1 }
    assert.equal(await known.isAway('/t/a/x.db'), false)
  })

  it('went away where its mount point is an ordinary folder now, or is gone, or cannot be looked at', async () => {
    const { machine, known } = await book()
    for (const device of [1, undefined, -1]) {
      machine.devices = { '/': 1, '/t': 1, ...(device === undefined ? {} : { '/t/b': device }) }
      assert.equal(await known.isAway('/t/b/x.db'), true, String(device))
    }
  })

  it('went away with what was mounted when another process looked', async () => {
    const { machine, known } = await book()
    const later = new DeviceBook(known.keep(['/t/b/x.db']), machine.deviceOf)
    machine.devices = { '/': 1, '/t': 1, '/t/a': 1, '/t/b': 1 }
    await later.note(['/t/a/x.db'], { anew: false, now: start })
    assert.equal(await later.isAway('/t/b/x.db'), true)
  })

  it('was deleted where file systems have other numbers, as others on the same one show', async () => {
    const { machine, known } = await book()
    const paths = ['/t/a/x.db', '/t/b/x.db', '/t/b/y.db']
    await known.note(paths, { anew: false, now: start })
    const later = new DeviceBook(known.keep(paths), machine.deviceOf)
    machine.devices = { '/': 21, '/t': 21, '/t/a': 21, '/t/b': 25 }
    await later.note(['/t/a/x.db', '/t/b/y.db'], { anew: false, now: start })
    assert.equal(await later.isAway('/t/b/x.db'), false)
  })

  it('went away, though what lay below its mount point shows now', async () => {
    const { machine, known } = await book()
    machine.devices = { '/': 1, '/t': 1, '/t/a': 1, '/t/b': 1 }
    await known.note(['/t/a/x.db', '/t/b/below.db'], { anew: true, now: start })
    assert.equal(await known.isAway('/t/b/x.db'), true)
  })

  it('was deleted where its file system was mounted anew since the start, and was seen there within the last hour', async () => {
    const { machine, known } = await book()
    machine.devices = { ...mounted, '/t/b': 7 }
    await known.note(['/t/a/x.db', '/t/b/x.db'], { anew: false, now: start + hour })
    assert.equal(await known.isAway('/t/b/x.db'), false)
    machine.devices = mounted
    await known.note(['/t/a/x.db'], { anew: false, now: start + hour + 30_000 })
    machine.devices = { ...mounted, '/t/b': 1 }
    assert.equal(await known.isAway('/t/b/x.db'), true, 'unmounted again')
  })

  it('is asked about again after an hour, and after the clock was set back', async () => {
    const { machine, known } = await book()
    const paths = ['/t/a/x.db', '/t/b/x.db']
    const askedAt = async (now: number): Promise<number> => {
      const { asked } = machine
      await known.note(paths, { anew: false, now })
      return machine.asked - asked
    }
    assert.equal(await askedAt(start + hour - 1), 0)
    assert.equal(await askedAt(start + hour), 2)
    assert.equal(await askedAt(start + hour + 30_000), 0)
    assert.equal(await askedAt(start - 30 * hour), 2)
    assert.equal(await askedAt(start - 29.5 * hour), 0)
  })

  it('is asked about once for each folder, unless it is looked anew', async () => {
    const { machine, known } = await book()
    const { asked } = machine
    await known.note(['/t/a/x.db', '/t/b/x.db'], { anew: false, now: start })
    assert.equal(machine.asked, asked)
    await known.note(['/t/a/x.db', '/t/a/y.db', '/t/b/x.db'], { anew: true, now: start })
    assert.equal(machine.asked, asked + 2)
  })
})
