import type { Counter, Gauge, Registry } from 'prom-client'
import { counter, gauge } from './instruments.ts'
import { databaseCounters, databaseGauges } from './metric-definitions.ts'

type GaugeName = keyof typeof databaseGauges
type CounterName = keyof typeof databaseCounters

/** The label of what cannot have one of its own any more. */
const others = '(others)'

/**
 * The series that carry a database's name. There may be thousands of databases, and each costs a dozen series: those beyond
 * the limit have no gauges, and their counters are added up. What is forgotten makes room.
 */
export class DatabaseSeries {
  readonly #limit: number
  readonly #gauges: ReadonlyMap<GaugeName, Gauge>
  readonly #counters: ReadonlyMap<CounterName, Counter>
  /** By database: how to remove its gauges, by what identifies each. */
  readonly #known = new Map<string, Map<string, () => void>>()

  constructor(registry: Registry, limit: number) {
    this.#limit = limit
    this.#gauges = new Map(gaugeNames.map((key) => [key, gauge(databaseGauges[key], registry)]))
    this.#counters = new Map(counterNames.map((key) => [key, counter(databaseCounters[key], registry)]))
  }

  /** @param value undefined removes the series */
  set(
    name: GaugeName,
    database: string,
    value: number | undefined,
    labels: Readonly<Record<string, string>> = {},
  ): void {
    if (!this.#admits(database)) return
    const made = this.#gauges.get(name)
    const series = this.#known.get(database)
    const all = { database, ...labels }
    const identity = JSON.stringify([name, labels])
    if (value === undefined) {
      series?.get(identity)?.()
      series?.delete(identity)
      return
    }
    made?.set(all, value)
    series?.set(identity, () => made?.remove(all))
  }

  /** As {@link set}, for what happens to databases: of those beyond the limit it is told together. */
  mark(name: GaugeName, database: string, value: number): void {
    if (this.#admits(database)) this.set(name, database, value)
    else this.#gauges.get(name)?.set({ database: others }, value)
  }

  /** The counters of the database are there from now on, so that the first event is an increase. */
  begin(database: string): void {
    for (const name of counterNames) this.add(name, database, 0)
  }

  add(name: CounterName, database: string, value = 1): void {
    const label = this.#admits(database) ? database : others
    this.#counters.get(name)?.inc({ database: label }, value)
  }

  /** Only these databases are looked after from now on: what is known of others goes. */
  keep(databases: ReadonlySet<string>): void {
    for (const [database, series] of this.#known) {
      if (databases.has(database)) continue
      for (const remove of series.values()) remove()
      for (const made of this.#counters.values()) made.remove({ database })
      this.#known.delete(database)
    }
  }

  #admits(database: string): boolean {
    if (this.#known.has(database)) return true
    if (this.#known.size >= this.#limit) return false
    this.#known.set(database, new Map())
    return true
  }
}

const gaugeNames = Object.keys(databaseGauges).filter((key): key is GaugeName => Object.hasOwn(databaseGauges, key))
const counterNames = Object.keys(databaseCounters).filter((key): key is CounterName =>
  Object.hasOwn(databaseCounters, key),
)
