import { samplesOf } from '../../agent/metrics/support/samples.ts'

const target = 'instance="db1:7420",job="holdfast"'

/** What Prometheus gets of one agent, which it asks every minute; as the input of a test by `promtool`. */
export class Scrapes {
  readonly #values = new Map<string, string[]>()
  #count = 0

  /** @param page undefined if the agent does not answer */
  add(page: string | undefined): void {
    this.#note(`up{${target}}`, page === undefined ? 0 : 1)
    for (const [series, value] of samplesOf(page ?? '')) this.#note(withTarget(series), value)
    this.#count += 1
  }

  get inputSeries(): readonly { readonly series: string; readonly values: string }[] {
    return [...this.#values].map(([series, values]) => ({ series, values: values.join(' ') }))
  }

  #note(series: string, value: number): void {
    const values = this.#values.get(series) ?? []
    while (values.length < this.#count) values.push('_')
    values.push(String(value))
    this.#values.set(series, values)
  }
}

function withTarget(series: string): string {
  const [name = '', labels] = series.split(/\{(.*)\}$/)
  return labels === undefined ? `${name}{${target}}` : `${name}{${labels},${target}}`
}
