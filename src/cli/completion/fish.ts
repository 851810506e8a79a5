import type { CompletionCommand, CompletionOption } from './tree.ts'

export function fishScript(commands: readonly CompletionCommand[], globals: readonly CompletionOption[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const lines = [
    '# Completion of holdfast for fish: save it as ~/.config/fish/completions/holdfast.fish',
    'complete -c holdfast -f',
    ...commands.map(
      ({ name, summary }) => `complete -c holdfast -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`,
    ),
    `complete -c holdfast -n __fish_use_subcommand -a help -d 'print the help of a command'`,
    `complete -c holdfast -n '__fish_seen_subcommand_from help' -a ${quote(names)}`,
    ...globals.map((option) => optionLine('__fish_use_subcommand', option)),
    ...commands.flatMap(commandLines),
  ]
  return `${lines.join('\n')}\n`
}

function commandLines({ name, options, choices, files }: CompletionCommand): string[] {
  const here = `__fish_seen_subcommand_from ${name}`
  return [
    ...(choices.length > 0 ? [`complete -c holdfast -n ${quote(here)} -a ${quote(choices.join(' '))}`] : []),
    ...(files ? [`complete -c holdfast -n ${quote(here)} -F`] : []),
    ...options.map((option) => optionLine(here, option)),
  ]
}

function optionLine(condition: string, { flags, description, takesValue, choices, value }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ')
  const wanted = !takesValue
    ? ''
    : choices.length > 0
      ? ` -x -a ${quote(choices.join(' '))}`
      : value === 'other'
        ? ' -x'
        : ' -r -F'
  return `complete -c holdfast -n ${quote(condition)} ${names}${wanted} -d ${quote(description)}`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
