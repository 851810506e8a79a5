import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { AgentLock, agentSocket } from '../../src/agent/agent-lock.ts'
import { hasCode } from '../../src/errors.ts'
import { currentProcess } from '../../src/util/process-identity.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const isHeld = (error: unknown): boolean => hasCode(error, 'LEASE_HELD')
const isNotRunning = (error: unknown): boolean => hasCode(error, 'NOT_RUNNING')

/** A process that takes the lock, says so, and holds it until it is killed. */
async function holder(folder: string): Promise<{ readonly pid: number; kill(): Promise<void> }> {
  const program = `
    import { AgentLock } from ${JSON.stringify(new URL('../../src/agent/agent-lock.ts', import.meta.url).href)}
    globalThis.lock = await AgentLock.take(${JSON.stringify(folder)}, '/run/socket')
    console.log('taken')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  return {
    pid: child.pid ?? assert.fail(),
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}

describe('the lock of the state folder', () => {
  it('is taken by one of many that ask at once, and is free when that one lets go', async () => {
    using folder = temporaryFolder()
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => AgentLock.take(folder.path, null)))
    const taken = asked.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
    assert.equal(taken.length, 1)
    for (const each of asked) if (each.status === 'rejected') assert.ok(isHeld(each.reason), String(each.reason))
    await taken[0]?.[Symbol.asyncDispose]()
    await using again = await AgentLock.take(folder.path, '/run/socket')
    assert.ok(again)
    assert.equal(await agentSocket(folder.path), '/run/socket')
  })

  it('is held by a process as long as that lives, and names it; a killed one keeps nobody out', async () => {
    using folder = temporaryFolder()
    const other = await holder(folder.path)
    await assert.rejects(AgentLock.take(folder.path, null), (error) => {
      return isHeld(error) && error instanceof Error && error.message.includes(`process ${other.pid} on`)
    })
    assert.equal(await agentSocket(folder.path), '/run/socket')
    await other.kill()
    await assert.rejects(agentSocket(folder.path), isNotRunning)
    await using lock = await AgentLock.take(folder.path, null)
    assert.ok(lock)
  })

  it('is free after the end of a process of which nothing can be known, as of a container that was thrown away', async () => {
    using folder = temporaryFolder()
    const owner = { ...currentProcess(), host: 'a1b2c3d4', bootId: 'other/pid:[4026532000]/', pid: 1 }
    writeFileSync(folder.file('agent.json'), JSON.stringify({ owner, control: '/run/gone' }))
    await using lock = await AgentLock.take(folder.path, null)
    assert.ok(lock)
  })

  it('does not mind what power loss left of the document, and leaves nothing of its own', async () => {
    for (const left of ['', '{"owner', '[]', '\0\0\0\0']) {
      using folder = temporaryFolder()
      writeFileSync(folder.file('agent.json'), left)
      await assert.rejects(agentSocket(folder.path), isNotRunning)
      const lock = await AgentLock.take(folder.path, '/run/socket')
      assert.equal(await agentSocket(folder.path), '/run/socket')
      await lock[Symbol.asyncDispose]()
      await assert.rejects(agentSocket(folder.path), isNotRunning)
      assert.deepEqual(readdirSync(folder.path), ['lock'])
    }
  })
})
