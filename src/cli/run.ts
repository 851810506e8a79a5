import { type Command, CommanderError } from 'commander'
import { exitCodes, HoldfastError } from '../errors.ts'
import { configFileOf } from './config/config-file.ts'
import { locateRepository } from './config/locate-repository.ts'
import type { CommandName } from './json/schemas.ts'
import { Output } from './output.ts'
import { buildProgram, type GlobalFlags, type Run } from './program.ts'
import { BarReporter } from './progress/bar-reporter.ts'
import { JsonReporter } from './progress/json-reporter.ts'
import { LineReporter } from './progress/line-reporter.ts'
import { noProgress, type ProgressReporter } from './progress/reporter.ts'
import { CommandJournal } from './record/command-journal.ts'
import { errorDetails, errorFacts } from './report-error.ts'
import type { Interruption, listenForInterrupts } from './signals.ts'

export interface Surroundings {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly now: () => number
  readonly listen: typeof listenForInterrupts
}

/** Runs one command line. @returns the exit status */
export async function runProgram(args: readonly string[], surroundings: Surroundings): Promise<number> {
  // Known before the arguments are parsed, so that complaints about them have the right form.
  let output = new Output(surroundings, {
    json: hasFlag(args, '--json'),
    quiet: false,
    verbose: hasFlag(args, '--verbose', '-v'),
  })
  let exitCode: number = exitCodes.ok
  let running: CommandName | undefined
  let canWait = false
  let interruption: Interruption | undefined

  const run: Run = async (command, name, work) => {
    running = name
    canWait = command.options.some(({ long }) => long === '--wait')
    const flags = command.optsWithGlobals<GlobalFlags>()
    output = new Output(surroundings, {
      json: flags.json === true,
      quiet: flags.quiet === true,
      verbose: flags.verbose === true,
    })
    output.progress = progressReporter(output, surroundings)
    // The agent says so in its log.
    const onInterrupt =
      name === 'run' ? () => {} : () => output.note('\nStopping and cleaning up. Once more to leave at once.')
    // To the agent a hang-up means to read its configuration anew.
    interruption = surroundings.listen(onInterrupt, name === 'run' ? 'SIGHUP' : undefined)
    const { stdin, stderr, now } = surroundings
    const interactive = stdin.isTTY === true && stderr.isTTY === true && !output.json
    const { signal } = interruption
    const configFile = configFileOf(flags)
    const { location, isImplied: isLocationImplied } = await locateRepository(command, name, flags, configFile)
    const journal = new CommandJournal({ command: `holdfast ${name}`, location, output, now })
    const place = { location, isLocationImplied, configFile }
    const outcome = await work({ output, stderr, ...place, signal, now, journal, interactive }).finally(() =>
      journal.close(),
    )
    exitCode = outcome.exitCode ?? (output.warned ? exitCodes.warnings : exitCodes.ok)
    if (output.json) output.printJson({ type: 'result', command: name, exitCode, ...outcome.data })
    else output.print(output.quiet ? (outcome.brief ?? outcome.text) : outcome.text)
  }

  const program = buildProgram(run, output)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError && isHelp(thrown, args)) return exitCodes.ok
    const error = thrown instanceof CommanderError ? usageFrom(thrown, verbsOf(program, args)) : thrown
    const facts = errorFacts(error, { interruptedBy: interruption?.received(), canWait })
    output.error({ type: 'error', command: running ?? null, ...facts }, errorDetails(error))
    return facts.exitCode
  }
}

function progressReporter(output: Output, { stderr, now }: Surroundings): ProgressReporter {
  if (output.quiet) return noProgress
  if (output.json) return new JsonReporter((line) => output.printJson(line), now)
  return stderr.isTTY ? new BarReporter(stderr, now) : new LineReporter((line) => output.note(line), now)
}

/** Help and version were asked for and printed. Without any command, help is printed too, but something is missing. */
function isHelp(error: CommanderError, args: readonly string[]): boolean {
  if (error.code === 'commander.help') return args[0] === 'help'
  return error.code === 'commander.helpDisplayed' || error.code === 'commander.version'
}

/** commander's complaints in our form: a sentence, and what to do. */
function usageFrom(error: CommanderError, verbs: readonly string[]): HoldfastError {
  if (error.code === 'commander.help') {
    return new HoldfastError('USAGE', 'A command is missing.', { hint: 'Begin with one of those above.' })
  }
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = /\((Did you mean .*\?)\)/.exec(rest.join(' '))?.[1]
  const help = ['holdfast', ...verbs, '--help'].join(' ')
  const message = `${first.charAt(0).toUpperCase()}${first.slice(1)}${/[.!?]$/.test(first) ? '' : '.'}`
  return new HoldfastError('USAGE', message, { hint: suggestion ?? `See "${help}".`, cause: undefined })
}

/** The command that was meant, as far as there is one: `schedule run`. */
function verbsOf(program: Command, args: readonly string[]): string[] {
  const verbs: string[] = []
  let command: Command | undefined = program
  for (const arg of args) {
    if (arg.startsWith('-')) continue
    command = command?.commands.find((each) => each.name() === arg)
    if (command === undefined) break
    verbs.push(arg)
  }
  return verbs
}

function hasFlag(args: readonly string[], ...flags: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).some((arg) => flags.includes(arg))
}
