/** What all parts of the command line have in common: a run from its words to its exit code. */
import { join } from 'node:path';

import type { Command } from '@oclif/core/command';
import { flush } from '@oclif/core/flush';

import { readFileGuarded } from '../base/file.ts';
import { UsageError } from '../base/usage.ts';
import { explainFailure } from './failure.ts';
import { OutputError, reasonOf, stdout } from './output.ts';
import { endOnSignals } from './signals.ts';

interface CommandClass {
  new (argv: string[], config: Command['config']): Pick<Command, 'run'>;
  readonly args: Readonly<Record<string, unknown>>;
  readonly flags: Readonly<Record<string, { env?: string; type?: string }>>;
}

/** The commands of a part, by their words with a colon in between: each is loaded when it is asked for. */
export type Commands = Readonly<Record<string, () => Promise<{ readonly default: CommandClass }>>>;

const used = new Set<'stdout' | 'stderr'>();

/** Listens to a stream of the process from its first use on: until then Node has not made it, which takes 5 ms. */
function whenUsed(name: 'stdout' | 'stderr', failed: (error: NodeJS.ErrnoException) => void): void {
  const made = Object.getOwnPropertyDescriptor(process, name);
  if (made?.get === undefined) {
    used.add(name);
    process[name].on('error', failed);
    return;
  }
  Object.defineProperty(process, name, {
    ...made,
    get: () => {
      Object.defineProperty(process, name, made);
      used.add(name);
      return process[name].on('error', failed);
    },
  });
}

/** oclif writes its help by itself, and its flush waits in vain on a pipe whose reader left early, which is no error. */
async function flushed(): Promise<void> {
  if (!used.has('stdout') || process.stdout.errored !== null) return;
  const left = new Promise<void>((resolve) => {
    process.stdout.once('error', () => {
      resolve();
    });
  });
  await Promise.race([flush(), left]);
}

function stdoutFailed(error: Error): OutputError {
  return new OutputError(`stdout: not written: ${reasonOf(error)}`);
}

/** One line and an exit code, whatever it was and wherever it came from. */
function end(error: unknown, commands: readonly string[]): void {
  const ofStdout = error instanceof Error && 'syscall' in error && error.syscall === 'write';
  // oclif's flush writes once more where we could not.
  if (ofStdout && stdout.failed) return;
  const { line, exitCode } = explainFailure(ofStdout ? stdoutFailed(error) : error, commands);
  if (line !== '') process.stderr.write(`${line}\n`);
  process.exitCode = exitCode;
}

/**
 * Runs what the words ask for.
 * @param commands all there are, for what is said of one that there is not
 */
export async function runToItsEnd(run: () => Promise<unknown>, commands: readonly string[] = []): Promise<void> {
  endOnSignals();
  // With any other value oclif looks for TypeScript beside the bundle and warns of what it finds; a theme is a file of
  // whoever's home this is.
  process.env['NODE_ENV'] = 'production';
  process.env['PKTCOST_DISABLE_THEME'] = '1';
  // Nobody is left to tell.
  whenUsed('stderr', () => undefined);
  whenUsed('stdout', (error) => {
    if (error.code !== 'EPIPE' && !stdout.failed) end(stdoutFailed(error), commands);
  });
  // Node would print the line of the bundle that threw, which is all of it.
  process.on('uncaughtException', (error) => {
    end(error, commands);
    process.exit();
  });
  try {
    await run();
    await flushed();
  } catch (error) {
    end(error, commands);
  }
}

/** Every flag can be given by the environment: --fail-on as PKTCOST_FAIL_ON. What stands on the command line goes before it. */
export function withEnvironment({ flags }: Pick<CommandClass, 'flags'>): void {
  for (const [name, flag] of Object.entries(flags))
    flag.env ??= `PKTCOST_${name.toUpperCase().replaceAll(/[^A-Z]/g, '_')}`;
}

/** As oclif reads them; it takes anything else for no, silently, which for --redact would be a name given away. */
const SWITCHED = ['1', 'true', 'y', 'yes', '0', 'false', 'n', 'no', ''];

/** @throws UsageError for a switch in the environment that is neither on nor off */
function checkSwitches({ flags }: Pick<CommandClass, 'flags'>): void {
  for (const { env = '', type } of Object.values(flags)) {
    const value = process.env[env] ?? '';
    if (type === 'boolean' && !SWITCHED.includes(value.toLowerCase()))
      throw new UsageError(`${env}=${value}: must be 1, true, yes, 0, false or no`);
  }
}

/**
 * The main function of a part: runs the command that the words ask for as oclif would, without what it looks for before that
 * (plugins, hooks, themes, its own package twice over), which takes a third of the time of a start.
 * @returns of that function: whether it is one of these commands, and no question about one
 */
export function mainOf(
  commands: Commands,
  prepare: () => Promise<void> = () => Promise.resolve(),
): (argv: readonly string[], directory: string) => Promise<boolean> {
  return async (argv, directory) => {
    const [id, words] = commandIn(argv, commands);
    const load = commands[id];
    if (load === undefined || asksForHelp(argv)) return false;
    const { default: Command } = await load();
    // oclif takes the next word for a part of the command's name, where the command takes none.
    if (Object.keys(Command.args).length === 0 && words[0]?.startsWith('-') === false) return false;
    await runToItsEnd(async () => {
      await prepare();
      withEnvironment(Command);
      checkSwitches(Command);
      await new Command(words, configIn(directory)).run();
    });
    return true;
  };
}

/** The command that words begin with, the longest there is, and the words behind it. */
function commandIn(argv: readonly string[], commands: Commands): readonly [id: string, words: string[]] {
  for (const length of [2, 1]) {
    const id = argv.slice(0, length).join(':');
    if (Object.hasOwn(commands, id)) return [id, argv.slice(length)];
  }
  return ['', []];
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

/** As much of oclif's configuration as its commands ask for. */
function configIn(directory: string): Command['config'] {
  const own = readFileGuarded(join(directory, 'package.json'));
  if (!own.ok) throw new Error(`package.json: ${own.reason}`);
  const { version } = JSON.parse(own.value.toString()) as { version: string };
  const config = {
    bin: 'pktcost',
    root: directory,
    version,
    topicSeparator: ':',
    runHook: () => Promise.resolve({ successes: [], failures: [] }),
  };
  return config as unknown as Command['config'];
}

/**
 * New objects get no more room than at first, which is a quarter of the memory, and on Node 20 code is optimised later, which is a part
 * of the CPU time; later versions have no such flag. Once the bundle is compiled: V8 refuses what it compiled under other flags.
 */
export async function forAShortRun(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=1500000');
}
