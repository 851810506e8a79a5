import { startEngine } from '../../../src/engine/host.ts'
import { sampleApi } from './sample-api.ts'

const engine = startEngine(new URL('./sample-engine.ts', import.meta.url), sampleApi)
const trace = process.argv[2] ?? ''
process.on('message', () => process.exit(3))
await engine.call('wait', { cleanUpMs: 20, trace }, { onEvent: (pid) => process.send?.(Number(pid)) })
