import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { configDocument } from '../../../src/agent/config/show/config-document.ts'
import { loadOk, problemsOf } from './support/load-text.ts'

const database = 'databases: [{ path: app.db }]\n'

describe('mirrors in a configuration', () => {
  it('are brought up to date every hour, or as they say', async () => {
    const text = `${database}timeZone: Europe/Berlin
mirrors:
  - nas
  - { to: "file:///mnt/usb", every: daily, at: "04:00", grace: 30d, maxDelete: 3 }
`
    const config = await loadOk(text)
    const [first, second] = config.mirrors
    assert.match(first?.name ?? '', /^file:\/\/\/.*\/nas$/)
    assert.equal(first?.schedule.id, 'mirror-hourly')
    assert.deepEqual([first?.graceMs, first?.maxDelete], [7 * 86_400_000, undefined])
    assert.equal(second?.name, 'file:///mnt/usb')
    assert.deepEqual(second?.schedule.trigger, { on: 'calendar', every: 'daily', at: 240, timeZone: 'Europe/Berlin' })
    assert.deepEqual([second?.graceMs, second?.maxDelete], [30 * 86_400_000, 3])
    const again = await loadOk(stringify(configDocument(config)))
    assert.deepEqual(
      again.mirrors,
      config.mirrors.map((each, index) => ({ ...each, schedule: again.mirrors[index]?.schedule })),
    )
    assert.deepEqual(
      again.mirrors.map(({ schedule }) => schedule.trigger),
      config.mirrors.map(({ schedule }) => schedule.trigger),
    )
  })

  it('are shown with the hooks of the file, which stand there once', async () => {
    const text = `databases: [{ path: app.db, hooks: [{ before: drill, command: own }] }, { path: b.db }]
mirrors: [nas]
hooks: [{ after: mirror, command: shared, when: failure }, { before: all, command: [a, b], onFailure: warn }]
`
    const config = await loadOk(text)
    assert.equal(config.mirrors[0]?.hooks.length, 2)
    const again = await loadOk(stringify(configDocument(config)))
    assert.deepEqual(again.mirrors[0]?.hooks, config.mirrors[0]?.hooks)
    assert.deepEqual(
      again.databases.map(({ hooks }) => hooks),
      config.databases.map(({ hooks }) => hooks),
    )
  })

  it('that make no sense are told with their place', async () => {
    const text = `${database}repository: backups
mirrors:
  - backups
  - one
  - { to: ./one, every: sometimes }
  - { every: hourly }
`
    const problems = await problemsOf(text)
    const found = problems.map(({ path, message }) => `${path}: ${message}`)
    assert.ok(
      found.some((each) => /^mirrors\[0\]: This is the repository itself/.test(each)),
      found.join('\n'),
    )
    assert.ok(
      found.some((each) => /^mirrors\[2\]\.every: /.test(each)),
      found.join('\n'),
    )
    assert.ok(
      found.some((each) => /^mirrors\[2\]\.to: mirrors\[1\] is the same place/.test(each)),
      found.join('\n'),
    )
    assert.ok(
      found.some((each) => /^mirrors\[3\]/.test(each)),
      found.join('\n'),
    )
  })

  it('are not in the folder of the repository, nor around it', async () => {
    const problems = await problemsOf(
      `${database}repository: disk/backups\nmirrors: [disk/backups/nas, disk, { to: ./disk/backups-2 }, { to: other }]\n`,
    )
    assert.deepEqual(
      problems.map(({ path, message }) => `${path}: ${message}`),
      ['mirrors[0]: This lies in the folder of the repository.', 'mirrors[1]: The repository lies in this folder.'].map(
        (problem) => `${problem} A mirror belongs in another place, best on another disk.`,
      ),
    )
  })

  it('are missed where a schedule would mirror to nowhere', async () => {
    const schedules = '[{ type: incremental, every: daily }, { type: mirror, every: 6h }]'
    const text = `databases: [{ path: app.db, schedules: ${schedules} }]\n`
    const [problem] = await problemsOf(text)
    assert.equal(problem?.path, 'databases[0].schedules[1].type')
    assert.match(problem.message, /nowhere to mirror to/)
    const [empty] = await problemsOf(`${text}mirrors: []\n`)
    assert.deepEqual([empty?.path, empty?.message], [problem.path, problem.message])
    const config = await loadOk(`${text}mirrors: [nas]\n`)
    assert.ok(config.databases[0]?.schedules.some(({ action }) => action === 'mirror'))
  })
})
