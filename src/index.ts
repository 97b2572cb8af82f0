import { fileURLToPath } from 'node:url';

import { run } from '@oclif/core/run';
import { flush } from '@oclif/core/flush';

import Compare from './commands/compare.ts';
import Diagnose from './commands/diagnose.ts';
import Doctor from './commands/doctor.ts';
import { explainFailure } from './commands/failure.ts';
import FleetCommand from './commands/fleet.ts';
import Metrics from './commands/metrics.ts';
import Record from './commands/record.ts';
import Replay from './commands/replay.ts';
import Rules from './commands/rules.ts';
import RulesExplain from './commands/rules-explain.ts';
import RulesExport from './commands/rules-export.ts';
import Taps from './commands/taps.ts';

/** Read by oclif (package.json: oclif.commands). */
export const COMMANDS = {
  compare: Compare,
  diagnose: Diagnose,
  doctor: Doctor,
  fleet: FleetCommand,
  metrics: Metrics,
  record: Record,
  replay: Replay,
  rules: Rules,
  'rules:explain': RulesExplain,
  'rules:export': RulesExport,
  taps: Taps,
};

/** Until stdout took everything; oclif's flush waits in vain on a pipe whose reader left early, which is no error. */
async function flushed(): Promise<void> {
  if (process.stdout.errored !== null) return;
  const left = new Promise<void>((resolve) => {
    process.stdout.once('error', () => {
      resolve();
    });
  });
  await Promise.race([flush(), left]);
}

/** Runs the command line; whatever goes wrong becomes one line on stderr and an exit code. */
export async function main(argv: readonly string[], directory: string): Promise<void> {
  try {
    // There are no plugins: looking for some in a home that is not to be read (sudo, setpriv) would only warn.
    await run([...argv], { root: fileURLToPath(directory), userPlugins: false });
    await flushed();
  } catch (error) {
    const { line, exitCode } = explainFailure(error, Object.keys(COMMANDS));
    if (line !== '') process.stderr.write(`${line}\n`);
    process.exitCode = exitCode;
  }
}
