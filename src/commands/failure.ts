import { stripVTControlCharacters } from 'node:util';

import { visible } from '../report/escape.ts';
import { nearest, UsageError } from '../base/usage.ts';
import { exitCodes } from './arguments.ts';
import { OutputError } from './output.ts';

export interface Failed {
  /** '' when there is nothing to say: the command has said it. */
  readonly line: string;
  readonly exitCode: number;
}

/**
 * Turns whatever was thrown into one line and an exit code; the stack only with DEBUG=pktcost.
 * @param typed the command line: oclif's message cuts what stands on it at each colon
 */
export function explainFailure(
  error: unknown,
  commands: readonly string[],
  typed: readonly string[] = process.argv.slice(2),
): Failed {
  if (process.env['DEBUG'] === 'pktcost' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  // It may quote a file, a page or a server.
  if (error instanceof UsageError)
    return { line: `pktcost: ${visible(error.message, 2000)}`, exitCode: exitCodes.usage };
  if (error instanceof OutputError)
    return { line: `pktcost: ${visible(error.message, 2000)}`, exitCode: exitCodes.internal };
  if (!(error instanceof Error)) return { line: `pktcost: ${String(error)}`, exitCode: exitCodes.internal };
  if ('code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE'))
    return { line: 'pktcost: too many open files: raise the limit (ulimit -n 256)', exitCode: exitCodes.internal };
  const exit = oclifExit(error);
  if ('code' in error && error.code === 'EEXIT') return { line: '', exitCode: exit ?? 0 };
  const message = oneLine(error.message);
  // With --help it is the help that does not find it, and says so with a capital.
  const unknownCommand = /^command (.+?) not found/i.exec(message)?.[1];
  if (unknownCommand !== undefined) {
    return { line: `pktcost: ${noCommand(unknownCommand.split(/[: ]/), commands, typed)}`, exitCode: exitCodes.usage };
  }
  if (exit !== undefined || 'parse' in error)
    return { line: `pktcost: ${visible(misuse(error, message), 2000)}`, exitCode: exitCodes.usage };
  return {
    line: `pktcost: internal error: ${message} (DEBUG=pktcost shows where; please report it)`,
    exitCode: exitCodes.internal,
  };
}

/** oclif's messages carry a usage hint, line breaks and, on a terminal, colours; the first lines say what is wrong. */
function oneLine(message: string): string {
  return stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('See more help'))
    .join('; ')
    .replaceAll(':; ', ': ');
}

/** Of the commands that the words may have been meant for, the one of most words: `rules explan CODE`, not `rules`. */
function noCommand(words: readonly string[], commands: readonly string[], typed: readonly string[]): string {
  const known = commands.map((name) => name.split(':'));
  const longest = Math.max(...known.map(({ length }) => length));
  for (let length = Math.min(longest, words.length); length > 0; length -= 1) {
    const asked = words.slice(0, length).join(' ');
    const near = nearest(
      asked,
      known.filter((name) => name.length === length).map((name) => name.join(' ')),
    );
    if (near === undefined) continue;
    if (near === asked) {
      const word = words[length] ?? '';
      const whole = typed.find((each) => each.startsWith(`${word}:`)) ?? word;
      return `${asked} takes no "${visible(whole, 200)}": see pktcost ${asked} --help`;
    }
    return `there is no command "${asked}": did you mean "pktcost ${near}"?`;
  }
  const [first = ''] = words;
  return first.startsWith('-')
    ? `there is no flag ${first} without a command; see pktcost --help`
    : `there is no command "${words.join(' ')}": see pktcost --help`;
}

/** oclif's words for what is wrong with a command line, and ours. */
const misuses: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [
    /^The following errors? occurred: (.*)$/,
    (all = '') => all.replace(/Missing required flag (\S+)/g, '--$1 is missing'),
  ],
  [/^Unexpected arguments?: (.*)$/, (all = '') => `too many arguments: ${all}`],
  [
    /^Parsing (--\S+); Expected (.*) but received: (.*)$/,
    (flag = '', what = '', got = '') => `${flag} ${got}: must be ${what}`,
  ],
  [
    /^Expected (--\S+?)=(.*) to be one of: (.*)$/,
    (flag = '', got = '', all = '') => `${flag} ${got}: must be one of ${all}`,
  ],
  [/^Flag (--\S+) expects a value$/, (flag = '') => `${flag} takes a value`],
  [/^Flag (--\S+) can only be specified once$/, (flag = '') => `${flag} is given twice`],
];

function misuse(error: Error, message: string): string {
  const missing = /^Nonexistent flags?: (.*)$/.exec(message)?.[1]?.split(', ');
  if (missing !== undefined) return `there is no flag ${missing.join(', ')}${flagHint(error, missing[0] ?? '')}`;
  const lacking = argumentsOf(error);
  if (message.startsWith('Missing ') && lacking.length > 0) return `${lacking.join('; ')}; see --help`;
  for (const [pattern, ours] of misuses) {
    const found = pattern.exec(message);
    if (found !== null) return `${ours(...found.slice(1))}; see --help`;
  }
  return `${message}; see --help`;
}

/** The arguments that oclif finds wanting: in its words they are a table as wide as the terminal. */
function argumentsOf(error: Error): string[] {
  if (!('args' in error) || !Array.isArray(error.args)) return [];
  return (error.args as { readonly name?: string; readonly description?: string }[]).map(
    ({ name = '', description = '' }) => `${name.toUpperCase()} is missing: ${description}`,
  );
}

function flagHint(error: Error, flag: string): string {
  const near = nearest(flag.replace(/^--?/, ''), knownFlags(error));
  return near === undefined ? '; see --help' : `: did you mean --${near}?`;
}

function knownFlags(error: Error): string[] {
  if (!('parse' in error) || typeof error.parse !== 'object' || error.parse === null) return [];
  const parse = error.parse as { input?: { flags?: Record<string, unknown> } };
  return Object.keys(parse.input?.flags ?? {});
}

function oclifExit(error: Error): number | undefined {
  if (!('oclif' in error) || typeof error.oclif !== 'object' || error.oclif === null) return undefined;
  const exit = (error.oclif as { exit?: unknown }).exit;
  return typeof exit === 'number' ? exit : undefined;
}
