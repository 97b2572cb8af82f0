import { isSystemError } from '../base/errno.ts';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { UsageError } from '../base/usage.ts';
import type { WatchSummary, SeenWindow, Occurrence } from '../jobs/watch/loop.ts';
import type { WindowEvidence } from '../jobs/watch/live.ts';
import { exitCodes, parseLength, parsePercent, parseWindow } from './arguments.ts';
import { bundleFlags } from './bundle-file.ts';
import { exitCodeOf, failOn, judgedReport } from './exit-code.ts';
import {
  formatFlag,
  netnsFlag,
  overheadFlag,
  pathFlags,
  probeChoiceOf,
  probeFlags,
  rootsOf,
  interfaceFlag,
} from './flags.ts';
import { openOutput, OutputError, stdout } from './output.ts';
import { eachOnItsOwn, presentReport, reportFormats, textStyle } from './present.ts';
import { stopOnSignal } from './signals.ts';

/** The longest watch; whoever wants more starts it anew. */
const LONGEST_SECONDS = 31 * 86_400;

export default class Watch extends Command {
  static override summary = 'Waits for trouble that comes and goes, and keeps the evidence of it.';
  static override description =
    'Windows without the probe follow one another, cheaply, one line each, with the time (UTC) at which it ended. What is lost is seen in its window; a queue that is full ' +
    'and loses nothing, a new tap or a setting only when all is read, every one to five minutes. When the condition comes to be met, the next ' +
    'window is taken with the probe and the profile, and three bundles are kept: of the window before, of the one in which it ' +
    'happened (its line says met), and of the one with the probe. At its end, or when a signal ends it, it prints the report of the worst window.';
  static override examples = [
    '<%= config.bin %> watch --for 8h --window 10s --bundle /var/lib/pktcost/night',
    '<%= config.bin %> watch --until PKT0405,listen-queue-overflow:critical --for 1h --json',
  ];
  static override flags = {
    until: Flags.string({
      default: 'warning',
      description:
        'what to wait for: warning, critical, the code or name of a rule, CODE:critical; several with commas between',
      helpValue: 'CONDITION',
    }),
    for: Flags.string({ default: '8h', description: 'how long to watch, 1s to 744h', helpValue: 'DURATION' }),
    window: Flags.string({
      char: 'w',
      default: '10s',
      description: 'length of a window, 500ms to 1h',
      helpValue: 'DURATION',
    }),
    interface: interfaceFlag('judge only this device (repeatable)'),
    netns: netnsFlag('all'),
    json: Flags.boolean({ description: 'one object a line; the last one holds the report of the worst window' }),
    output: Flags.string({
      char: 'o',
      description: 'write the report of the worst window to a new file',
      helpValue: 'FILE',
    }),
    format: formatFlag(reportFormats, 'report that --output writes'),
    config: Flags.string({ description: 'JSON file with limits of your own', helpValue: 'FILE' }),
    'fail-on': Flags.option({ options: failOn, default: 'warning' as const })({
      description: 'the least outcome of the worst window that makes the exit code non-zero',
    }),
    quiet: Flags.boolean({ char: 'q', description: 'no line for a window in which the condition is not met' }),
    ...bundleFlags,
    bundle: Flags.string({
      helpGroup: 'BUNDLE',
      description: 'keep bundles of what happened in this folder, which is made if it is not there',
      helpValue: 'FOLDER',
    }),
    keep: Flags.integer({
      default: 5,
      min: 1,
      helpGroup: 'BUNDLE',
      description: 'most events to keep bundles of, the latest',
      helpValue: 'N',
    }),
    'max-overhead': overheadFlag,
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Watch);
    const seconds = parseWindow(flags.window);
    const forSeconds = parseLength('--for', flags.for);
    if (forSeconds < 1 || forSeconds > LONGEST_SECONDS)
      throw new UsageError(`--for ${flags.for} is out of range: from 1s to 744h`);
    if (flags.redact && flags.bundle === undefined)
      throw new UsageError('--redact is for the bundles: it takes --bundle');
    if (flags.bundle === undefined && metadata.flags['keep']?.setFromDefault !== true)
      throw new UsageError('--keep is for the bundles: it takes --bundle');
    if (flags.output === undefined && metadata.flags['format']?.setFromDefault !== true)
      throw new UsageError('--format is for the file with the report: it takes --output');
    const { rules } = await import('../rules/index.ts');
    const { parseCondition } = await import('../jobs/watch/condition.ts');
    const { watch } = await import('../jobs/watch/loop.ts');
    const { liveWindows } = await import('../jobs/watch/live.ts');
    const { WatchBundles } = await import('./watch-bundles.ts');
    const condition = parseCondition(flags.until, rules);
    const overrides = await (await import('./config.ts')).configuredLimits(flags.config);
    const { version } = this.config;
    const unread = new AbortController();
    const stop = AbortSignal.any([stopOnSignal(), unread.signal]);
    const bundles =
      flags.bundle === undefined
        ? undefined
        : WatchBundles.open(flags.bundle, flags.keep, { version, redact: flags.redact }, overrides);
    const output = flags.output === undefined ? undefined : await openOutput(flags.output, 'create', 0o600);
    const say = await sayer(flags.json);
    const windows = await liveWindows({
      seconds,
      forSeconds,
      roots: rootsOf(flags),
      devices: flags.interface ?? [],
      netns: flags.netns,
      ...probeChoiceOf(flags),
      maxOverhead: parsePercent(flags['max-overhead']),
      stop,
      overrides,
      version,
      recording: bundles !== undefined,
      ready: async () => {
        await Promise.all([import('../jobs/bundle.ts'), import('../report/text/index.ts')]);
      },
    });
    const seen = await watch<WindowEvidence>({
      windows,
      condition,
      onWindow: async (window) => {
        if (!flags.quiet || window.cause !== undefined || window.probed) await say.window(window);
        // Of `| head` nobody waits for the other hours.
        if (stdout.gone && bundles === undefined && output === undefined) unread.abort();
      },
      onEvent: async (event) => {
        if (bundles !== undefined) await orSaid(() => bundles.save(event).then((saved) => say.event(event, saved)));
      },
    });
    process.exitCode = exitCodeOf(judgedReport(seen.worst), flags['fail-on']);
    await eachOnItsOwn(
      () => say.end(seen),
      async () =>
        output === undefined ? undefined : presentReport(seen.worst, { format: flags.format, verbose: true, output }),
    );
    if (lastSaid !== '') process.exitCode = exitCodes.internal;
  }
}

interface Sayer {
  window(seen: SeenWindow): Promise<void>;
  event(event: Occurrence<WindowEvidence>, saved: readonly string[]): Promise<void>;
  end(seen: WatchSummary): Promise<void>;
}

/** Lines for people, or objects for programs. */
async function sayer(json: boolean): Promise<Sayer> {
  const { bundleLines, watchLine, watchObject } = await import('../report/text/watch-line.ts');
  const style = textStyle(stdout);
  const line = (text: string): Promise<void> => orSaid(() => stdout.write(`${text}\n`));
  const object = (content: object): Promise<void> => line(JSON.stringify(content));
  if (json) {
    return {
      window: (seen) => object(watchObject(seen)),
      event: ({ cause }, bundles) => object({ kind: 'event', code: cause.code, bundles }),
      end: ({ windows, events, worst }) => object({ kind: 'end', windows, events, worst }),
    };
  }
  return {
    window: (seen) => line(watchLine(seen, style)),
    event: (_, bundles) => line(bundleLines(bundles, style).join('\n')),
    end: async ({ windows, events, worst }) => {
      const met = events === 0 ? 'never met' : events === 1 ? 'met once' : `met ${events} times`;
      await line(`\n${windows} window${windows === 1 ? '' : 's'}, the condition was ${met}. The worst window:\n`);
      await orSaid(() => presentReport(worst, { format: 'text', verbose: false, output: stdout }));
    },
  };
}

let lastSaid = '';

/** A disk or a log that is full ends no watch: it is said, and again only when something else is wrong. */
async function orSaid(write: () => Promise<void>): Promise<void> {
  const { visible } = await import('../report/escape.ts');
  try {
    await write();
    lastSaid = '';
  } catch (error) {
    if (!(error instanceof OutputError) && !(error instanceof UsageError) && !isSystemError(error)) throw error;
    if (error.message !== lastSaid) process.stderr.write(`pktcost: ${visible(error.message, 2000)}\n`);
    lastSaid = error.message;
  }
}
