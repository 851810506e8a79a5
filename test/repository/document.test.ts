import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { hasCode } from '../../src/errors.ts'
import { decodeDocument, encodeDocument } from '../../src/repository/document.ts'
import { readDocument, writeDocument } from '../../src/repository/documents.ts'
import { readCatalog } from '../../src/repository/read-catalog.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'

const schema = z.strictObject({ text: z.string(), number: z.number() })
const body = { text: 'zwölf\n"Äpfel"', number: 12 }

describe('documents', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer(), (text, number) => {
        assert.deepEqual(decodeDocument('test', schema, encodeDocument('test', { text, number }), 'k'), {
          text,
          number,
        })
      }),
    )
  })

  it('too large to be read again are not written', async () => {
    const storage = new MemoryStorage()
    await assert.rejects(
      () => writeDocument(storage, 'test', 'k', { text: 'x'.repeat(64 << 20), number: 1 }),
      (error) => hasCode(error, 'DATABASE_UNSUPPORTED'),
    )
    assert.equal(await storage.head('k'), undefined)
  })

  it('can be checked with tail and sha256sum', () => {
    const text = Buffer.from(encodeDocument('test', body)).toString()
    const rest = text.slice(text.indexOf('\n') + 1)
    assert.equal(JSON.parse(text.split('\n')[0] ?? '').sha256, createHash('sha256').update(rest).digest('hex'))
  })

  it('are refused when any single bit is flipped, or any end cut off', () => {
    const bytes = encodeDocument('test', body)
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Uint8Array.from(bytes)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      // A flip in the header's version number alone may read as a later version; never as a sound document.
      assert.throws(
        () => decodeDocument('test', schema, damaged, 'k'),
        (error) => hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW'),
      )
    }
    for (let end = 0; end < bytes.length; end += 1) {
      assert.throws(
        () => decodeDocument('test', schema, bytes.subarray(0, end), 'k'),
        (error) => hasCode(error, 'INTEGRITY'),
      )
    }
  })

  it('of another kind, of a newer version, or with another shape are refused', () => {
    assert.throws(
      () => decodeDocument('other', schema, encodeDocument('test', body), 'k'),
      /is a "test" document, not "other"/,
    )
    assert.throws(
      () => decodeDocument('test', schema, encodeDocument('test', { text: 1 }), 'k'),
      (error) => hasCode(error, 'INTEGRITY'),
    )
    const newer = Buffer.from(encodeDocument('test', body)).toString().replace('"version":1', '"version":2')
    assert.throws(
      () => decodeDocument('test', schema, Buffer.from(newer), 'k'),
      (error) => hasCode(error, 'FORMAT_TOO_NEW'),
    )
  })

  it('are damaged if they are larger than any document is, also where they are only sought in a listing', async () => {
    const storage = new MemoryStorage()
    await Repository.init(storage)
    const chunk = new Uint8Array(1024 * 1024)
    const huge = async function* () {
      for (let megabyte = 0; megabyte <= 64; megabyte += 1) yield chunk
    }
    const key = 'databases/app/backups/20260101T000000000Z-full-aaaaaaaaaaaa.json'
    await storage.put(key, huge())
    await assert.rejects(readDocument(storage, 'backup', schema, key), { code: 'INTEGRITY', object: key })
    assert.equal((await readCatalog(storage, 'app', {})).problems[0]?.key, key)
  })

  it('survive garbage without another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.throws(
          () => decodeDocument('test', schema, bytes, 'k'),
          (error) => hasCode(error, 'INTEGRITY'),
        )
      }),
    )
  })
})
