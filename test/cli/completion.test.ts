import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { cliOk, scratchFolder } from './support/cli.ts'

/** What bash offers after these words; the last is the one that is being typed. */
function offered(script: string, cwd: string, ...words: string[]): string[] {
  const program = `source /dev/stdin <<< "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _holdfast
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const printed = execFileSync('bash', ['--noprofile', '--norc', '-c', program, 'bash', script, 'holdfast', ...words], {
    cwd,
    encoding: 'utf8',
  })
  return printed.split('\n').filter((word) => word !== '')
}

it('bash completes commands, options, their values and files, from the real script', async (context) => {
  const cwd = await scratchFolder(context)
  mkdirSync(join(cwd, 'data'))
  writeFileSync(join(cwd, 'data.db'), '')
  const { stdout: script } = await cliOk(['completion', 'bash'], { cwd })
  const complete = (...words: string[]) => offered(script, cwd, ...words)
  assert.deepEqual(complete('re'), ['restore'])
  assert.deepEqual(complete('st'), ['status', 'stats'])
  assert.deepEqual(complete('--repository', 'elsewhere', 'res'), ['restore'])
  assert.deepEqual(complete('backup', '--type', ''), ['full', 'incremental', 'snapshot'])
  assert.deepEqual(complete('backup', '--type', 's'), ['snapshot'])
  assert.deepEqual(complete('backup', 'x.db', '--allow'), ['--allow-damaged'])
  assert.deepEqual(complete('backup', 'x.db', '--rep'), ['--repository'])
  assert.deepEqual(complete('backup', 'dat').sort(), ['data', 'data.db'])
  assert.deepEqual(complete('restore', 'app', '--to', 'data.').sort(), ['data.db'])
  assert.deepEqual(complete('list', '--repository', 'dat'), ['data'])
  assert.deepEqual(complete('restore', 'app', '--at', ''), [])
  assert.deepEqual(complete('completion', ''), ['bash', 'zsh', 'fish'])
  assert.deepEqual(complete('help', 'veri'), ['verify'])
  assert.deepEqual(complete('audit', ''), ['verify', 'export'])
  assert.deepEqual(complete('audit', 'export', '--to', 'data.'), ['data.db'])
})

it('every command is in every script', async (context) => {
  const cwd = await scratchFolder(context)
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await cliOk(['completion', shell], { cwd })
    for (const verb of [
      'init',
      'backup',
      'list',
      'show',
      'history',
      'stats',
      'audit',
      'points',
      'estimate',
      'restore',
      'verify',
      'delete',
      'pin',
      'unpin',
      'expire',
      'compact',
      'doctor',
      'completion',
    ]) {
      assert.match(stdout, new RegExp(`\\b${verb}\\b`), `${shell}: ${verb}`)
    }
  }
})
