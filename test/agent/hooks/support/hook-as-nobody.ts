/** Runs a hook as root and is nobody from then on, who may not end it. Prints what it led to. Arguments: hook and context, as JSON. */
import { runHook } from '../../../../src/agent/hooks/run-hook.ts'

const nobody = 65_534
const [hook = '', context = ''] = process.argv.slice(2)
const running = runHook(JSON.parse(hook), JSON.parse(context))
process.setuid?.(nobody)
const result = await running
const told =
  result.verdict === 'failed' ? result.error.message : result.verdict === 'go-on' ? result.warning : result.reason
console.log(JSON.stringify({ verdict: result.verdict, told, output: result.output }))
