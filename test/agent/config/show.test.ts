// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are what the configuration has
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { configDocument } from '../../../src/agent/config/show/config-document.ts'
import { maskCommands } from '../../../src/agent/config/show/mask.ts'
import { loadOk } from './support/load-text.ts'

describe('what is shown of a configuration', () => {
  it('means the same when it is read again, also where it has "${"', async () => {
    const text = `databases:
  - path: "a$\${b.db"
    tags: { team: "$\${TEAM}", two: "$\${a}$\${b}", dollars: "$$$\${c} $$ $& $1" }
    hooks: [{ before: backup, command: 'echo "$\${HOME}" $$ $1' }, { after: all, command: [sh, "$\${X:-y}"] }]
    drill: { command: 'test "$\${1}"', assertions: ["SELECT '$\${x}' <> ''"] }
hooks: [{ before: drill, command: "$\${PROGRAM}" }]
`
    const config = await loadOk(text)
    assert.deepEqual(config.databases[0]?.tags, { team: '${TEAM}', two: '${a}${b}', dollars: '$$${c} $$ $& $1' })
    assert.equal(config.databases[0]?.hooks[1]?.command, 'echo "${HOME}" $$ $1')
    const again = await loadOk(stringify(configDocument(config)))
    assert.deepEqual(configDocument(again), configDocument(config))
    const [one, other] = [again.databases[0], config.databases[0]]
    assert.deepEqual([one?.source, one?.tags, one?.drill], [other?.source, other?.tags, other?.drill])
    assert.deepEqual(
      one?.hooks.map(({ command }) => command),
      other?.hooks.map(({ command }) => command),
    )
  })

  it('hides what came into commands from the environment, whatever it is, and nothing else', async () => {
    const text = `databases:
  - path: app.db
    hooks: [{ before: backup, command: "login \${PASSWORD} $\${USER}; ls /home/me" }]
`
    const env = { PASSWORD: 'a${b}$&', USER: 'me' }
    const config = await loadOk(text, { env })
    const shown = maskCommands(configDocument(config), text, env)
    const again = await loadOk(stringify(shown))
    assert.equal(again.databases[0]?.hooks[0]?.command, 'login *** ${USER}; ls /home/me')
  })
})
