import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { engineEnvironment, keptOptions } from '../../src/engine/exec-options.ts'

describe('what an engine inherits of the host’s Node.js options', () => {
  it('leaves out debugger, loaders, preloads, evaluated code and memory limits', () => {
    const host = [
      '--inspect=0.0.0.0:9229',
      '--import',
      'tsx',
      '--require=./hook.cjs',
      '-e',
      'code',
      '--max-old-space-size=64',
    ]
    assert.deepEqual(keptOptions(host), [])
  })

  it('keeps how other machines are found and trusted, with values in both forms', () => {
    const host = [
      '--inspect',
      '--use-system-ca',
      '--dns-result-order',
      'ipv4first',
      '--openssl-config=/etc/ssl.cnf',
      '--watch',
    ]
    assert.deepEqual(keptOptions(host), [
      '--use-system-ca',
      '--dns-result-order',
      'ipv4first',
      '--openssl-config=/etc/ssl.cnf',
    ])
  })

  it('treats NODE_OPTIONS likewise, quotes included, and leaves the rest of the environment alone', () => {
    const options = '--require "/a b/hook.js" --use-system-ca --openssl-config="/etc/my ssl.cnf" --inspect'
    assert.deepEqual(engineEnvironment({ HOME: '/home/me', NODE_OPTIONS: options }), {
      HOME: '/home/me',
      NODE_OPTIONS: '--use-system-ca --openssl-config="/etc/my ssl.cnf"',
    })
    assert.deepEqual(engineEnvironment({ HOME: '/home/me', NODE_OPTIONS: '--inspect' }), { HOME: '/home/me' })
  })
})
