import { type AddCommand, examples } from '../program.ts'

export const addConfig: AddCommand = (program, run) => {
  const config = program
    .command('config')
    .summary('check or show the configuration, or begin one')
    .description(
      'Works on the configuration of the agent: holdfast.yaml in this folder, or the file that --config or HOLDFAST_CONFIG names. docs/configuration.md describes it.',
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast config example > holdfast.yaml', 'begin one'],
        ['holdfast config check', 'is it right?'],
        ['holdfast config show', 'what it comes down to'],
      ]),
    )
  config
    .command('check')
    .summary('find all that is wrong')
    .description('Lists every problem with its line. Exit status 0 if there is none, else 2.')
    .argument('[path]', 'of the file; default: holdfast.yaml')
    .addHelpText(
      'after',
      examples([
        ['holdfast config check', 'the file in this folder'],
        ['holdfast config check /etc/holdfast.yaml', 'another one'],
      ]),
    )
    .action((path: string | undefined, _flags, command) =>
      run(command, 'config check', async ({ configFile }) => {
        const { checkConfig } = await import('../config/check-config.ts')
        return await checkConfig(path ?? configFile.path)
      }),
    )
  config
    .command('show')
    .summary('show what it comes down to')
    .description(
      'Prints the configuration with all that it leaves unsaid, paths in full, and secrets masked. What it prints means the same, but for the secrets.',
    )
    .argument('[path]', 'of the file; default: holdfast.yaml')
    .addHelpText(
      'after',
      examples([
        ['holdfast config show', 'as YAML'],
        ["holdfast config show --json | jq '.config.databases'", 'for programs'],
      ]),
    )
    .action((path: string | undefined, _flags, command) =>
      run(command, 'config show', async ({ configFile }) => {
        const { showConfig } = await import('../config/show-config.ts')
        return await showConfig(path ?? configFile.path)
      }),
    )
  config
    .command('example')
    .summary('print a complete example')
    .description('Prints a complete configuration with comments, to begin with.')
    .addHelpText(
      'after',
      examples([
        ['holdfast config example > holdfast.yaml', 'begin one'],
        ['holdfast config example | less', 'read it'],
      ]),
    )
    .action((_flags, command) =>
      run(command, 'config example', async () => {
        const { exampleConfig } = await import('../../agent/config/example.ts')
        return { data: { text: exampleConfig }, text: exampleConfig.trimEnd() }
      }),
    )
}
