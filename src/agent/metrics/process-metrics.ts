import { readdirSync } from 'node:fs'
import type { Registry } from 'prom-client'
import { counter, gauge } from './instruments.ts'
import { processMetrics } from './metric-definitions.ts'

/** prom-client's own set watches the event loop a hundred times a second; these cost nothing until somebody asks. */
export function addProcessMetrics(registry: Registry): void {
  gauge(processMetrics.startTime, registry).set(Date.now() / 1000 - process.uptime())
  gauge(processMetrics.residentBytes, registry, (made) => made.set(process.memoryUsage.rss()))
  counter(processMetrics.cpuSeconds, registry, (made) => {
    const { user, system } = process.cpuUsage()
    made.reset()
    made.inc((user + system) / 1_000_000)
  })
  if (process.platform === 'linux')
    gauge(processMetrics.openFiles, registry, (made) => made.set(readdirSync('/proc/self/fd').length))
}
