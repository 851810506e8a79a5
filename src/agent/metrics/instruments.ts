import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { MetricDefinition } from './metric-definitions.ts'

/** @param collect called whenever somebody asks for the value */
export function gauge(definition: MetricDefinition, registry: Registry, collect?: (gauge: Gauge) => void): Gauge {
  const made: Gauge = new Gauge(settings(definition, registry, collect && (() => collect(made))))
  return made
}

/** @param collect called whenever somebody asks for the value */
export function counter(
  definition: MetricDefinition,
  registry: Registry,
  collect?: (counter: Counter) => void,
): Counter {
  const made: Counter = new Counter(settings(definition, registry, collect && (() => collect(made))))
  return made
}

export function histogram(definition: MetricDefinition, registry: Registry): Histogram {
  return new Histogram({ ...settings(definition, registry), buckets: [...(definition.buckets ?? [])] })
}

function settings({ name, help, labels }: MetricDefinition, registry: Registry, collect?: () => void) {
  return { name, help, labelNames: labels, registers: [registry], ...(collect === undefined ? {} : { collect }) }
}
