import type { CompletionCommand, CompletionOption } from './tree.ts'

export function bashScript(commands: readonly CompletionCommand[], globals: readonly CompletionOption[]): string {
  const globalWords = [...commands.map(({ name }) => name), 'help', ...words(globals)]
  return `# Completion of holdfast for bash: source it, or save it as
# ~/.local/share/bash-completion/completions/holdfast
_holdfast() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" verb="" skip="" word index
  (( COMP_CWORD > 0 )) && previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for (( index = 1; index < COMP_CWORD; index++ )); do
    word="\${COMP_WORDS[index]}"
    if [[ -n $skip ]]; then skip=""
    elif [[ $word == ${valuePattern(globals)} ]]; then skip=1
    elif [[ $word != -* ]]; then verb="$word"; break
    fi
  done
  COMPREPLY=()
  case "$verb" in
    "")
      case "$previous" in
${optionCases(globals, '        ')}
      esac
      COMPREPLY=($(compgen -W "${globalWords.join(' ')}" -- "$current"))
      ;;
    help) COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')}" -- "$current")) ;;
${commands.map(commandCase).join('\n')}
  esac
}
complete -o filenames -F _holdfast holdfast
`
}

function commandCase({ name, options, choices, files }: CompletionCommand): string {
  const own =
    choices.length > 0
      ? `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current"))`
      : files
        ? 'COMPREPLY=($(compgen -f -- "$current"))'
        : ':'
  return `    ${name})
      case "$previous" in
${optionCases(options, '        ')}
      esac
      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "${words(options).join(' ')}" -- "$current"))
      else ${own}
      fi
      ;;`
}

/** What follows an option that takes a value: its choices, files, folders, or nothing that could be guessed. */
function optionCases(options: readonly CompletionOption[], indent: string): string {
  return options
    .filter(({ takesValue }) => takesValue)
    .map((option) => `${indent}${option.flags.join('|')}) ${values(option)}return ;;`)
    .join('\n')
}

function values({ choices, value }: CompletionOption): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current")); `
  if (value === 'file') return 'COMPREPLY=($(compgen -f -- "$current")); '
  return value === 'folder' ? 'COMPREPLY=($(compgen -d -- "$current")); ' : ''
}

function valuePattern(options: readonly CompletionOption[]): string {
  return `@(${options.flatMap(({ takesValue, flags }) => (takesValue ? flags : [])).join('|')})`
}

function words(options: readonly CompletionOption[]): string[] {
  return options.flatMap(({ flags }) => flags)
}
