#!/usr/bin/env node
// Written for old versions of Node.js, so that they can read this file and say what is missing.
const needed = 24
const version = process.versions.node
if (Number(version.split('.')[0]) < needed) {
  console.error(
    `Holdfast needs Node.js ${needed} or newer, but this is Node.js ${version}: install one, for example from https://nodejs.org, or begin the command with "npx --yes -p node@${needed} holdfast".`,
  )
  process.exit(1)
}
void import('../dist/cli/main.js')
