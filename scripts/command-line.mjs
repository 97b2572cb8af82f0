// The command line as data, from the commands themselves: what oclif is given, and what man pages and completion are made of.
import { readFileSync } from 'node:fs';

import { COMMANDS } from '../build/src/index.js';

/**
 * @typedef {{
 *   name: string, char: string | undefined, description: string, boolean: boolean, value: string,
 *   options: readonly string[], default: string | undefined, multiple: boolean, required: boolean, group: string,
 * }} Flag
 * @typedef {{ name: string, description: string, required: boolean }} Argument
 * @typedef {{
 *   words: string[], summary: string, description: string, arguments: Argument[], flags: Flag[], examples: string[],
 * }} CommandLine
 */

export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Every command, by name. @type {CommandLine[]} */
export const commands = Object.entries(COMMANDS)
  .map(([id, command]) => ({
    words: id.split(':'),
    summary: command.summary ?? '',
    description: command.description ?? '',
    arguments: Object.entries(command.args ?? {}).map(([name, { description, required }]) => ({
      name: name.toUpperCase(),
      description: description ?? '',
      required: required === true,
    })),
    flags: Object.entries(command.flags ?? {}).map(([name, flag]) => flagOf(name, flag)),
    examples: (command.examples ?? []).map((each) => each.replaceAll('<%= config.bin %>', 'pktcost')),
  }))
  .sort((a, b) => (a.words.join(' ') < b.words.join(' ') ? -1 : 1));

/** What every command takes; oclif has it from package.json. @type {Flag} */
export const help = {
  ...flagOf('help', { type: 'boolean', description: 'what the command does, and its flags' }),
  char: 'h',
};

/** @returns {Flag} */
function flagOf(name, flag) {
  return {
    name,
    char: flag.char,
    description: flag.description ?? '',
    boolean: flag.type === 'boolean',
    value: flag.helpValue ?? flag.options?.join('|') ?? 'VALUE',
    options: flag.options ?? [],
    default: flag.type === 'boolean' ? undefined : flag.default,
    multiple: flag.multiple === true,
    required: flag.required === true,
    group: flag.helpGroup ?? '',
  };
}
