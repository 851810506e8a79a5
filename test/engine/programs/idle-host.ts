import { startEngine } from '../../../src/engine/host.ts'
import { sampleApi } from './sample-api.ts'

const engine = startEngine(new URL('./sample-engine.ts', import.meta.url), sampleApi)
await engine.call('echo', 1)
process.send?.(engine.pid)
// Ends here, with the engine open and idle.
