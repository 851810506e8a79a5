import type { Command, Option } from 'commander'

/** What shells complete: the commands with their options, as commander knows them. */
export interface CompletionOption {
  readonly flags: readonly string[]
  readonly description: string
  readonly takesValue: boolean
  readonly choices: readonly string[]
  readonly value: 'file' | 'folder' | 'other'
}

export interface CompletionCommand {
  readonly name: string
  readonly summary: string
  readonly options: readonly CompletionOption[]
  /** What its arguments are: words to choose from, or files. */
  readonly choices: readonly string[]
  readonly files: boolean
}

export function completionTree(program: Command): { commands: CompletionCommand[]; options: CompletionOption[] } {
  const help = program.createHelp()
  const own = (command: Command) => help.visibleOptions(command).map(completionOption)
  const globals = own(program)
  const commands = program.commands.map((command): CompletionCommand => {
    // Of those below a command, its words are told apart no further: `audit export` completes the options of `audit` too.
    const local = [command, ...command.commands].flatMap(own)
    const known = new Set(local.flatMap(({ flags }) => flags))
    return {
      name: command.name(),
      summary: command.summary(),
      options: [...local, ...globals.filter(({ flags }) => !flags.some((flag) => known.has(flag)))],
      choices: [
        ...command.commands.map((below) => below.name()),
        ...command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
      ],
      files: command.registeredArguments.some((argument) => /path|name in the repository/.test(argument.description)),
    }
  })
  return { commands, options: globals }
}

function completionOption(option: Option): CompletionOption {
  const place = /<(path|place|folder)>/.exec(option.flags)?.[1]
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    description: option.description.replaceAll('\n', ' '),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
    value: place === undefined ? 'other' : place === 'path' ? 'file' : 'folder',
  }
}
