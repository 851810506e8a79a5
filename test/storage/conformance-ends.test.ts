import assert from 'node:assert/strict'
import { it } from 'node:test'
import { conditionCases } from '../../src/conformance/storage/conditions.ts'
import { interruptionCases } from '../../src/conformance/storage/interruption.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'

class DeafStorage extends MemoryStorage {
  override async put(key: string, body: PutBody, options: PutOptions = {}): Promise<ObjectInfo> {
    return await super.put(key, body, { ...options, signal: undefined })
  }
}

class OneVersionStorage extends MemoryStorage {
  override async head(key: string): Promise<ObjectInfo | undefined> {
    const info = await super.head(key)
    return info && { ...info, etag: 'always' }
  }
}

const wrong = [
  [new DeafStorage(), 'a put that is aborted midway leaves nothing behind', /AbortError|not INTERNAL|read on/],
  [
    new OneVersionStorage(),
    'no increment is lost between writers that read, add one and put with ifMatch',
    /again and again/,
  ],
] as const

for (const [storage, name, says] of wrong)
  it(`the conformance kit ends, and fails, with a ${storage.constructor.name}`, { timeout: 60_000 }, async () => {
    const found = [...interruptionCases, ...conditionCases].find((one) => one.name === name)
    assert.ok(found !== undefined)
    await assert.rejects(found.run({ storage, other: storage, prefix: 'kit/' }), says)
  })
