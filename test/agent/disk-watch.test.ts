import assert from 'node:assert/strict'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { describe, it } from 'node:test'
import { DiskWatch } from '../../src/agent/disk-watch.ts'
import type { Alert } from '../../src/agent/notify/alert.ts'
import { diskKey } from '../../src/agent/notify/conditions/disk.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { anAlert } from './notify/support/alerts.ts'

const full = { freeBytes: 1, totalBytes: 1024 ** 4 }

function scene({ patienceMs }: { patienceMs?: number } = {}) {
  const folder = temporaryFolder()
  for (const name of ['state', 'backups', 'data']) mkdirSync(folder.file(name))
  const databases: { name: string; path: string }[] = []
  const firing: Alert[] = []
  const lines: string[] = []
  const measured: string[] = []
  const devices = new Map<string, number>()
  const size = { answer: async () => full }
  const watch = new DiskWatch({
    folders: () => [
      { what: 'the state folder', path: folder.file('state') },
      { what: 'the repository', path: folder.file('backups') },
    ],
    databases: () => databases,
    deviceOf: async (path) => {
      statSync(path)
      return devices.get(path) ?? 1
    },
    measure: async (path) => {
      measured.push(path)
      return await size.answer()
    },
    notifier: { firing },
    log: { debug: (message) => void lines.push(message) },
    now: () => 0,
    patienceMs,
  })
  const look = async () =>
    (await watch.look()).map((each) =>
      each.what === 'present' ? each.condition.summary.replace(/ is nearly full: .*/, '') : each,
    )
  return { ...folder, look, devices, databases, firing, lines, measured, size }
}

describe('the disks of an agent', () => {
  it('are measured once each, and named after all that they hold', async () => {
    using all = scene()
    const { look, devices, databases, measured, file } = all
    for (const name of ['a', 'b']) databases.push({ name, path: file(`data/${name}.db`) })
    devices.set(file('backups'), 2)
    assert.deepEqual(await look(), [
      'The disk that holds the state folder, a and b',
      'The disk that holds the repository',
    ])
    assert.deepEqual(measured, [file('state'), file('backups')])
  })

  it('with more databases than can be named tell how many', async () => {
    using all = scene()
    const { look, databases, file } = all
    for (let each = 0; each < 12; each += 1) databases.push({ name: `t${each}`, path: file(`data/${each}.db`) })
    assert.deepEqual(await look(), ['The disk that holds the state folder, the repository and 12 databases'])
  })

  it('that nothing of ours lies on any more are over; those that cannot be looked at stay as they were', async () => {
    using all = scene()
    const { look, firing, lines, file } = all
    for (const path of [file('gone'), file('backups')]) firing.push(anAlert({ kind: 'disk', key: diskKey(path) }))
    rmSync(file('backups'), { recursive: true })
    const [, ...over] = await look()
    assert.deepEqual(over, [{ what: 'absent', key: diskKey(file('gone')) }])
    assert.match(lines.join(), /^The disk of .*backups could not be looked at/)
  })

  it('of which one hangs hold nobody up, and are not asked again before they answer', async () => {
    using all = scene({ patienceMs: 1 })
    const { look, lines, measured, size } = all
    const { promise, resolve } = Promise.withResolvers<typeof full>()
    size.answer = () => promise
    assert.deepEqual(await look(), [])
    assert.deepEqual(await look(), [])
    assert.equal(measured.length, 1)
    assert.match(lines.join(), /A disk does not say how full it is/)
    resolve(full)
    await promise
    for (let times = 0; times < 100 && (await look()).length === 0; times += 1);
    assert.ok((await look()).length > 0)
  })
})
