/**
 * Runs a program as root and is nobody from then on, who may not end it: what a program is that becomes another user by itself.
 * Prints the result. Arguments: the options of `runProgram` as JSON.
 */
import { runProgram } from '../../../src/util/run-program.ts'

const nobody = 65_534
const [options = ''] = process.argv.slice(2)
const running = runProgram(JSON.parse(options))
process.setuid?.(nobody)
console.log(JSON.stringify(await running))
