/** Reproducible random numbers (mulberry32). */
export interface Random {
  /** An integer in `[0, limit)`. */
  below(limit: number): number
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean
  pick<T>(choices: readonly [T, ...T[]]): T
  bytes(length: number): Uint8Array
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number) => Math.floor((next() / 2 ** 32) * limit)
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: ([first, ...rest]) => {
      const index = below(rest.length + 1)
      return index === 0 ? first : (rest[index - 1] ?? first)
    },
    bytes: (length) => {
      const bytes = new Uint8Array(length)
      for (let index = 0; index < length; index++) bytes[index] = next()
      return bytes
    },
  }
}

/** The seed of this run: `HOLDFAST_SEED` or a random one. Tests print it, so that a failure can be run again. */
export function testSeed(): number {
  const given = process.env['HOLDFAST_SEED']
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given)
}
