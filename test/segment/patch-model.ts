/** Patches as docs/format.md describes them, byte by byte and without regard for speed, from and to those of the pure model. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Patch } from '../../src/history/record.ts'

/** A patch with all sources. */
export type ModelPatch = Required<Patch> & { readonly sources: Uint32Array }

export function toModel(patch: Uint8Array, pageSize: number): ModelPatch {
  const xor = new Uint8Array(pageSize)
  const sources = new Uint32Array(pageSize)
  let [read, at, shift] = [0, 0, 0]
  const varint = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = patch[read++] ?? assert.fail('a number runs past the end')
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
  }
  const take = (count: number) => {
    for (const end = at + count; at < end; at++) sources[at] = at + shift
  }
  while (read < patch.length) {
    take(varint())
    const length = varint()
    if (length === 0) {
      const code = varint()
      shift = code % 2 === 0 ? code / 2 : -(code + 1) / 2
    } else {
      xor.set(patch.subarray(read, read + length), at)
      read += length
      take(length)
    }
  }
  take(pageSize - at)
  return { xor, sources }
}

/** A run for every byte that differs, and a change of shift wherever one is needed. */
export function toBytes({ xor, sources }: ModelPatch): Uint8Array {
  const bytes: number[] = []
  let [done, shift] = [0, 0]
  const varint = (value: number) => {
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return bytes.push(rest)
      bytes.push(128 + (rest % 128))
    }
  }
  for (const [at, byte] of xor.entries()) {
    const wanted = (sources[at] ?? 0) - at
    if (wanted !== shift) {
      varint(at - done)
      bytes.push(0)
      varint(wanted < 0 ? -2 * wanted - 1 : 2 * wanted)
      done = at
      shift = wanted
    }
    if (byte === 0) continue
    varint(at - done)
    bytes.push(1, byte)
    done = at + 1
  }
  return Uint8Array.from(bytes)
}

/** Stretches of any length from anywhere, some of them changed here and there, some wholly. */
export function anyMoves(pageSize: number): fc.Arbitrary<ModelPatch> {
  const stretch = fc.record({
    length: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: pageSize })),
    from: fc.option(fc.nat(), { freq: 3 }),
    xor: fc.uint8Array({ maxLength: 40 }),
  })
  return fc.array(stretch, { maxLength: 60 }).map((stretches) => {
    const xor = new Uint8Array(pageSize)
    const sources = Uint32Array.from(xor.keys())
    let start = 0
    for (const { length, from, xor: changed } of stretches) {
      const end = Math.min(pageSize, start + length)
      const source = from === null ? start : from % (pageSize - (end - start) + 1)
      for (let at = start; at < end; at++) sources[at] = source + at - start
      xor.set(changed.subarray(0, end - start), start)
      start = end
    }
    return { xor, sources }
  })
}
