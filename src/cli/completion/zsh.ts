import type { CompletionCommand, CompletionOption } from './tree.ts'

export function zshScript(commands: readonly CompletionCommand[], globals: readonly CompletionOption[]): string {
  return `#compdef holdfast
# Completion of holdfast for zsh: save it as _holdfast in a folder of $fpath, or
# source it after compinit.
_holdfast() {
  local -a commands
  local state line
  commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
    'help:print the help of a command'
  )
  _arguments -C \\
${specs(globals, '    ')} \\
    '1: :->command' \\
    '*:: :->argument'
  case "$state" in
    command) _describe command commands ;;
    argument)
      case "$line[1]" in
        help) _describe command commands ;;
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
}
if [ "$funcstack[1]" = "_holdfast" ]; then _holdfast "$@"; else compdef _holdfast holdfast; fi
`
}

function commandCase({ name, options, choices, files }: CompletionCommand): string {
  const own =
    choices.length > 0 ? `'*:argument:(${choices.join(' ')})'` : files ? "'*:database:_files'" : "'*:argument: '"
  return `        ${name})
          _arguments \\
${specs(options, '            ')} \\
            ${own}
          ;;`
}

function specs(options: readonly CompletionOption[], indent: string): string {
  return options.flatMap((option) => option.flags.map((flag) => `${indent}${quote(spec(flag, option))}`)).join(' \\\n')
}

/** `*` lets an option come more than once, which some may. */
function spec(flag: string, { description, takesValue, choices, value }: CompletionOption): string {
  const text = description.replaceAll(/[[\]:]/g, (character) => `\\${character}`)
  if (!takesValue) return `*${flag}[${text}]`
  const action =
    choices.length > 0 ? `(${choices.join(' ')})` : value === 'file' ? '_files' : value === 'folder' ? '_files -/' : ' '
  return `*${flag}[${text}]:value:${action}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
