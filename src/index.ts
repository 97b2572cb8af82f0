/** The part that says what commands there are and how they are used; those that are run are in the other parts. */
import { run } from '@oclif/core/run';

import Compare from './commands/compare.ts';
import Diagnose from './commands/diagnose.ts';
import Doctor from './commands/doctor.ts';
import FleetCommand from './commands/fleet.ts';
import Metrics from './commands/metrics.ts';
import RecordCommand from './commands/record.ts';
import Replay from './commands/replay.ts';
import Rules from './commands/rules.ts';
import RulesExplain from './commands/rules-explain.ts';
import RulesExport from './commands/rules-export.ts';
import Taps from './commands/taps.ts';
import Watch from './commands/watch.ts';
import { runToItsEnd } from './commands/run.ts';

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

/** What people try first, as oclif has it. */
function wordsOf([first = '', ...others]: readonly string[]): string[] {
  if (first === 'help') return [...others, '--help'];
  if (first === 'version') return ['--version', ...others];
  return [first, ...others].filter((word, index) => index > 0 || word !== '');
}

/** Answers a command line that runs no command: with help, or why it is none. */
export default async function answer(argv: readonly string[], directory: string): Promise<boolean> {
  // There are no plugins: looking for some in a home that is not to be read (sudo, setpriv) would only warn.
  await runToItsEnd(() => run(wordsOf(argv), { root: directory, userPlugins: false }), Object.keys(COMMANDS));
  return true;
}
