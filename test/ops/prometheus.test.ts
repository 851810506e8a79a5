/** Prometheus itself judges the alert rules and the dashboard, by what the agent's metrics tell it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { Metrics } from '../../src/agent/metrics/metrics.ts'
import { requirePart } from '../support/real-part.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { alertCases, type Expectation } from './support/alert-cases.ts'
import { type AgentLife, scrapesOf, tellAllIsWell } from './support/scraped-agent.ts'

const promtool = requirePart('promtool')
const ops = join(import.meta.dirname, '../../ops')
const rulesFile = join(ops, 'prometheus-alerts.yaml')
const { groups } = z
  .object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            alert: z.string(),
            labels: z.object({ severity: z.string() }),
            annotations: z.object({ summary: z.string(), description: z.string() }),
          }),
        ),
      }),
    ),
  })
  .parse(parse(readFileSync(rulesFile, 'utf8')))
const rules = groups.flatMap((group) => group.rules)

async function runPromtool(args: readonly string[], input = ''): Promise<void> {
  try {
    const running = promisify(execFile)(promtool.path, args)
    running.child.stdin?.end(input)
    await running
  } catch (thrown) {
    const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(thrown)
    assert.fail(`${stdout}\n${stderr}`)
  }
}

/** @param life undefined: Prometheus knows of no agent */
async function prove(life: AgentLife | undefined, expected: readonly Expectation[]): Promise<void> {
  using folder = temporaryFolder()
  const file = folder.file('test.yaml')
  const count = 'count by (alertname) (ALERTS{alertstate="firing"})'
  const document = {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: life === undefined ? [] : (await scrapesOf(life)).inputSeries,
        promql_expr_test: expected.map(({ at, firing }) => {
          const samples = firing === undefined ? [] : [{ labels: `{alertname="${firing}"}`, value: 1 }]
          return { expr: count, eval_time: `${at}m`, exp_samples: samples }
        }),
        alert_rule_test: expected.flatMap(({ at, firing, told }) => {
          const rule = rules.find(({ alert }) => alert === firing)
          if (told === undefined || rule === undefined) return []
          const { description } = rule.annotations
          const exp_annotations = { summary: told.summary, description: withLabels(description, told.labels) }
          const exp_labels = { ...told.labels, severity: rule.labels.severity }
          return [{ eval_time: `${at}m`, alertname: firing, exp_alerts: [{ exp_labels, exp_annotations }] }]
        }),
      },
    ],
  }
  writeFileSync(file, stringify(document))
  await runPromtool(['test', 'rules', file])
}

function withLabels(template: string, labels: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '')
}

describe('Prometheus', () => {
  test('finds nothing to blame in the metrics', promtool, async () => {
    const metrics = new Metrics()
    tellAllIsWell(metrics, 0)
    await runPromtool(['check', 'metrics'], (await metrics.render()).body)
  })

  test('understands the alert rules', promtool, async () => {
    await runPromtool(['check', 'rules', rulesFile])
  })

  test('understands every query of the dashboard', promtool, async () => {
    using folder = temporaryFolder()
    const { panels } = z
      .object({ panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })) })) })
      .parse(JSON.parse(readFileSync(join(ops, 'grafana-dashboard.json'), 'utf8')))
    const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    const recorded = queries.map((expr, i) => {
      return { record: `panel:${i}`, expr: expr.replaceAll('$__rate_interval', '5m') }
    })
    const file = folder.file('dashboard.yaml')
    writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules: recorded }] }))
    await runPromtool(['check', 'rules', file])
  })

  test('tells of nothing while all is well, also when the agent is started again', promtool, async () => {
    const life = { minutes: 240, restartsIn: [120], answers: (at: number) => at !== 119 }
    await prove(life, [{ at: 1 }, { at: 60 }, { at: 119 }, { at: 121 }, { at: 180 }, { at: 239 }])
  })

  for (const [alert, lives] of Object.entries(alertCases))
    for (const { life, expected } of lives)
      test(`fires ${alert}${life?.restartsIn === undefined ? '' : ' after each start'}`, promtool, async () => {
        assert.ok(expected.some(({ firing }) => firing === alert))
        await prove(life, expected)
      })

  test('has a proof of each rule', () => {
    assert.deepEqual(Object.keys(alertCases).toSorted(), rules.map(({ alert }) => alert).toSorted())
  })
})
