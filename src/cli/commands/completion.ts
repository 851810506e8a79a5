import { Argument } from 'commander'
import type { ResultData } from '../json/schemas.ts'
import { type AddCommand, examples } from '../program.ts'

type Shell = ResultData<'completion'>['shell']

export const addCompletion: AddCommand = (program, run) => {
  program
    .command('completion')
    .summary('print the completion script of a shell')
    .description('Prints a script that lets a shell complete commands, options and their values.')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      examples([
        ['source <(holdfast completion bash)', 'for this bash'],
        ['holdfast completion zsh > ~/.zfunc/_holdfast', 'for every zsh, with ~/.zfunc in $fpath'],
        ['holdfast completion fish > ~/.config/fish/completions/holdfast.fish', 'for every fish'],
      ]),
    )
    .action((shell: Shell, _flags, command) =>
      run(command, 'completion', async () => {
        const { completionTree } = await import('../completion/tree.ts')
        const { commands, options } = completionTree(program)
        const write = await scriptWriter(shell)
        const script = write(commands, options)
        return { data: { shell, script }, text: script.trimEnd() }
      }),
    )
}

async function scriptWriter(shell: Shell) {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashScript
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshScript
    case 'fish':
      return (await import('../completion/fish.ts')).fishScript
  }
}
