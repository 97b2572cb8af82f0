import { run } from '@oclif/core/run';
import { flush } from '@oclif/core/flush';

import Compare from './commands/compare.ts';
import Diagnose from './commands/diagnose.ts';
import Doctor from './commands/doctor.ts';
import { explainFailure } from './commands/failure.ts';
import { OutputError, reasonOf, stdout } from './commands/output.ts';
import FleetCommand from './commands/fleet.ts';
import Metrics from './commands/metrics.ts';
import RecordCommand from './commands/record.ts';
import Replay from './commands/replay.ts';
import Rules from './commands/rules.ts';
import RulesExplain from './commands/rules-explain.ts';
import RulesExport from './commands/rules-export.ts';
import { endOnSignals } from './commands/signals.ts';
import Taps from './commands/taps.ts';
import Watch from './commands/watch.ts';

/** Read by oclif (package.json: oclif.commands). */
export const COMMANDS = {
  compare: Compare,
  diagnose: Diagnose,
  doctor: Doctor,
  fleet: FleetCommand,
  metrics: Metrics,
  record: RecordCommand,
  replay: Replay,
  rules: Rules,
  'rules:explain': RulesExplain,
  'rules:export': RulesExport,
  taps: Taps,
  watch: Watch,
};

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
function end(error: unknown): void {
  const ofStdout = error instanceof Error && 'syscall' in error && error.syscall === 'write';
  // oclif's flush writes once more where we could not.
  if (ofStdout && stdout.failed) return;
  const { line, exitCode } = explainFailure(ofStdout ? stdoutFailed(error) : error, Object.keys(COMMANDS));
  if (line !== '') process.stderr.write(`${line}\n`);
  process.exitCode = exitCode;
}

/** Every flag can be given by the environment: --fail-on as PKTCOST_FAIL_ON. What stands on the command line goes before it. */
function withEnvironment(): void {
  for (const { flags } of Object.values(COMMANDS)) {
    for (const [name, flag] of Object.entries<{ env?: string }>(flags))
      flag.env ??= `PKTCOST_${name.toUpperCase().replaceAll(/[^A-Z]/g, '_')}`;
  }
}

/** What people try first, as oclif has it. */
function wordsOf([first = '', ...others]: readonly string[]): string[] {
  if (first === 'help') return [...others, '--help'];
  if (first === 'version') return ['--version', ...others];
  return [first, ...others].filter((word, index) => index > 0 || word !== '');
}

/**
 * New objects get no more room than at first, which is a quarter of the memory, and on Node 20 code is optimised later, which is a part
 * of the CPU time; later versions have no such flag. Once the bundle is compiled: V8 refuses what it compiled under other flags.
 */
async function forAShortRun(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=1500000');
}

/** Runs the command line; whatever goes wrong becomes one line on stderr and an exit code. */
export async function main(argv: readonly string[], directory: string): Promise<void> {
  endOnSignals();
  // With any other value oclif looks for TypeScript beside the bundle and warns of what it finds; a theme is a file of
  // whoever's home this is.
  process.env['NODE_ENV'] = 'production';
  process.env['PKTCOST_DISABLE_THEME'] = '1';
  const words = wordsOf(argv);
  // The help would say it of each flag; it says it once.
  if (!words.some((word) => word === '--help' || word === '-h')) withEnvironment();
  // What is set there takes as long as the list of rules.
  if (words[0] !== undefined && !words[0].startsWith('-') && words[0] !== 'rules') await forAShortRun();
  // Nobody is left to tell.
  whenUsed('stderr', () => undefined);
  whenUsed('stdout', (error) => {
    if (error.code !== 'EPIPE' && !stdout.failed) end(stdoutFailed(error));
  });
  // Node would print the line of the bundle that threw, which is all of it.
  process.on('uncaughtException', (error) => {
    end(error);
    process.exit();
  });
  try {
    // There are no plugins: looking for some in a home that is not to be read (sudo, setpriv) would only warn.
    await run(words, { root: directory, userPlugins: false });
    await flushed();
  } catch (error) {
    end(error);
  }
}
