/** The alert rules and the dashboard in ops/ speak of metrics and labels that exist. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { operationKinds, operationOutcomes } from '../../../src/agent/journal/operation.ts'
import { metricDefinitions } from '../../../src/agent/metrics/metric-definitions.ts'
import { alertKinds, severities } from '../../../src/agent/notify/alert.ts'
import { deliveryResults } from '../../../src/agent/notify/delivery/channel-queue.ts'
import { type LabelMatcher, type PromQl, parsePromQl } from './support/promql.ts'

const ops = (name: string) => readFile(join(import.meta.dirname, '../../../ops', name), 'utf8')

/** What Prometheus adds by itself. */
const targetLabels = ['instance', 'job']
const labelsByMetric = new Map<string, readonly string[]>([['up', []]])
for (const { name, labels, type } of metricDefinitions) {
  if (type !== 'histogram') labelsByMetric.set(name, labels)
  else
    for (const [ending, more] of [
      ['_bucket', ['le']],
      ['_sum', []],
      ['_count', []],
    ] as const)
      labelsByMetric.set(name + ending, [...labels, ...more])
}

function labelsOf(metric: string): readonly string[] {
  const labels = labelsByMetric.get(metric)
  assert.ok(labels !== undefined, `There is no metric ${metric}.`)
  return [...labels, ...targetLabels]
}

/** Those of which all values are known. */
const labelValues: Readonly<Record<string, readonly string[]>> = {
  job: ['holdfast'],
  kind: alertKinds,
  operation: operationKinds,
  outcome: operationOutcomes,
  result: deliveryResults,
  severity: severities,
}

/** Whether that is there which the matcher wants, or wants not. A variable of a dashboard may be anything. */
function canMatch({ label, operator, value }: LabelMatcher): boolean {
  const known = labelValues[label]
  if (known === undefined || value.includes('$')) return true
  return operator.endsWith('~') ? known.some((each) => RegExp(`^(?:${value})$`).test(each)) : known.includes(value)
}

/** The labels that the result has; undefined for a plain number. Fails where a metric or a label does not exist. */
function resultLabels(query: PromQl): readonly string[] | undefined {
  switch (query.kind) {
    case 'number':
    case 'string':
      return undefined
    case 'selector': {
      const known = labelsOf(query.metric)
      for (const matcher of query.matchers) {
        assert.ok(known.includes(matcher.label), `${query.metric} has no label ${matcher.label}.`)
        assert.ok(canMatch(matcher), `The label ${matcher.label} is never ${matcher.value}.`)
      }
      return known
    }
    case 'call': {
      const labels = query.args.map(resultLabels).findLast((each) => each !== undefined)
      if (query.name === 'absent' || query.name === 'vector') return []
      if (query.name !== 'histogram_quantile') return labels
      assert.ok(labels?.includes('le') === true, 'A quantile needs the label le.')
      return labels.filter((label) => label !== 'le')
    }
    case 'aggregate': {
      const labels = query.args.map(resultLabels).findLast((each) => each !== undefined) ?? []
      for (const label of query.by) assert.ok(labels.includes(label), `There is no label ${label} to group by.`)
      return query.by
    }
    case 'binary': {
      const left = resultLabels(query.left)
      const right = resultLabels(query.right)
      return left === undefined || right === undefined ? (left ?? right) : left.filter((label) => right.includes(label))
    }
  }
}

const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Holdfast[A-Z][A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[smhd]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({ summary: z.string().endsWith('.'), description: z.string().endsWith('.') }),
        }),
      ),
    }),
  ),
})

describe('the alert rules for Prometheus', () => {
  test('parse, and use metrics and labels that exist', async () => {
    const { groups } = rulesSchema.parse(parse(await ops('prometheus-alerts.yaml')))
    const rules = groups.flatMap((group) => group.rules)
    assert.ok(rules.length > 10)
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
    for (const { alert, expr, annotations } of rules) {
      const labels = resultLabels(parsePromQl(expr))
      assert.ok(labels !== undefined, `${alert} compares only numbers.`)
      for (const [, name = ''] of Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g))
        assert.ok(labels.includes(name), `${alert} speaks of the label ${name}, which it does not have.`)
      for (const [, template = ''] of Object.values(annotations)
        .join(' ')
        .matchAll(/\{\{(.*?)\}\}/g))
        assert.match(template, /^ \$(labels\.\w+|value( \| (humanize|humanize1024|humanizeDuration))?) $/)
    }
  })
})

const panelSchema = z.looseObject({
  id: z.int(),
  type: z.enum(['stat', 'timeseries', 'table']),
  title: z.string(),
  description: z.string().endsWith('.'),
  gridPos: z.strictObject({ h: z.int(), w: z.int(), x: z.int(), y: z.int() }),
  targets: z.array(z.looseObject({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).min(1),
})
const dashboardSchema = z.looseObject({
  title: z.string(),
  uid: z.string(),
  templating: z.strictObject({
    list: z.array(
      z.looseObject({ name: z.string(), query: z.union([z.string(), z.looseObject({ query: z.string() })]) }),
    ),
  }),
  panels: z.array(panelSchema).min(10),
})

describe('the dashboard for Grafana', () => {
  test('uses metrics, labels and variables that exist', async () => {
    const { panels, templating } = dashboardSchema.parse(JSON.parse(await ops('grafana-dashboard.json')))
    const variables = templating.list.map(({ name }) => name)
    for (const { title, targets } of panels) {
      for (const { expr, legendFormat } of targets) {
        for (const [, name = ''] of expr.matchAll(/\$(\w+)/g))
          assert.ok([...variables, '__rate_interval'].includes(name), `${title}: ${name}`)
        const labels = resultLabels(parsePromQl(expr.replaceAll('$__rate_interval', '5m')))
        for (const [, name = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          assert.ok(labels?.includes(name), `${title} shows the label ${name}, which it does not have.`)
      }
    }
    for (const { query } of templating.list) {
      if (typeof query === 'string') continue
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query.query) ?? []
      assert.ok(resultLabels(parsePromQl(selector))?.includes(label), query.query)
    }
  })

  test('has panels of their own numbers that do not lie upon one another, and shows every metric', async () => {
    const text = await ops('grafana-dashboard.json')
    const { panels } = dashboardSchema.parse(JSON.parse(text))
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const taken = new Map<string, string>()
    for (const { title, gridPos } of panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.equal(taken.get(`${x} ${y}`), undefined, title)
          taken.set(`${x} ${y}`, title)
        }
    }
    const notForPeople = [
      'holdfast_durable_lsn',
      'holdfast_spool_segments',
      'process_start_time_seconds',
      'process_open_fds',
    ]
    for (const { name } of metricDefinitions)
      if (!notForPeople.includes(name)) assert.ok(text.includes(name), `Nothing shows ${name}.`)
  })
})

test('what is no PromQL, or speaks of what does not exist, is found', () => {
  for (const query of [
    'holdfast_databases >',
    'sum(holdfast_databases',
    'sum by (job holdfast_databases)',
    'rate(holdfast_gaps_total)',
    'rate(holdfast_gaps_total[5])',
    'holdfast_gaps_total{database=x}',
    'holdfast_gaps_total{database="x"',
    'humanise(holdfast_databases)',
    'holdfast_databases holdfast_databases',
    'time() - 5m',
    'holdfast_gaps_total == "a" "b"',
  ])
    assert.throws(() => parsePromQl(query), query)
  for (const query of [
    'holdfast_nothing',
    'holdfast_databases{database="x"}',
    'sum by (code) (holdfast_operations_total)',
    'holdfast_alerts_firing{severity="dire"}',
    'holdfast_operations_total{outcome=~"succeded|warnings"}',
    'holdfast_write_lock_held_seconds',
    'histogram_quantile(0.9, sum by (instance) (rate(holdfast_write_lock_held_seconds_bucket[5m])))',
  ])
    assert.throws(() => resultLabels(parsePromQl(query)), query)
})
