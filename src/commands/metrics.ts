import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { netnsFlag, overheadFlag, pathFlags, probeChoiceOf, probeFlags, rootsOf } from './flags.ts';
import { visible } from '../report/escape.ts';
import { openOutput } from './output.ts';
import { isTerminal, present } from './present.ts';
import { signalled, stopOnSignal } from './signals.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { UsageError } from '../base/usage.ts';
import { parsePercent, parseWindow } from './arguments.ts';

export default class Metrics extends Command {
  static override summary = 'One sample as a page in Prometheus exposition format.';
  static override description =
    "node_exporter's names where it has them, pktcost_* where not. With --output the file is replaced in one step, as " +
    "node_exporter's textfile collector wants it (name it *.prom); the collectors of the same node_exporter must not run " +
    'beside the whole page, only beside one with --own. With --window the probe measures for so long, as root, and its ' +
    'series are on the page; what they count begins anew each time.';
  static override examples = [
    '<%= config.bin %> metrics --netns all --output /var/lib/pktcost/pktcost.prom',
    '<%= config.bin %> metrics --own --output /run/textfile/pktcost.prom',
    '<%= config.bin %> metrics --own --window 5s --output /run/textfile/pktcost.prom',
  ];
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: 'replace this file, readable by all, instead of printing',
      helpValue: 'FILE',
    }),
    own: Flags.boolean({ description: 'only what node_exporter has no name for: it shows the rest itself' }),
    netns: netnsFlag('none'),
    window: Flags.string({
      char: 'w',
      description: 'measure packet times for so long, 500ms to 1h',
      helpValue: 'DURATION',
    }),
    'max-overhead': overheadFlag,
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Metrics);
    const { sampleOnce, sampleWithProbe } = await import('../jobs/metrics.ts');
    const { expose, isOwn } = await import('../metrics/exposition.ts');
    const { describePage } = await import('../metrics/page.ts');
    const roots = rootsOf(flags);
    const seconds = flags.window === undefined ? undefined : parseWindow(flags.window);
    const maxOverhead = parsePercent(flags['max-overhead']);
    const ofProbe = (['probe', 'xdp-mode', 'allow-system-changes', 'max-overhead'] as const).find(
      (name) => flags[name] !== undefined && metadata.flags[name]?.setFromDefault !== true,
    );
    if (seconds === undefined && ofProbe !== undefined)
      throw new UsageError(`--${ofProbe} is for the probe: it takes --window`);
    const output = await openOutput(flags.output, 'replace', 0o644);
    const keep = flags.own ? isOwn : undefined;
    const write = async (snapshot: Snapshot): Promise<void> => {
      const page = expose(describePage(snapshot, keep), keep);
      await present(output.isStdout && isTerminal('stdout') ? visibleLines(page) : page, output);
    };
    if (seconds === undefined) {
      await write(await sampleOnce(roots, flags.netns));
      return;
    }
    const { snapshot, reason } = await sampleWithProbe({
      seconds,
      roots,
      netns: flags.netns,
      ...probeChoiceOf(flags),
      maxOverhead,
      stop: stopOnSignal(),
    });
    if (reason !== null) process.stderr.write(`pktcost: the probe: ${visible(reason, 1000)}\n`);
    await write(snapshot);
    process.exitCode = signalled() === 0 ? 0 : 128 + signalled();
  }
}

/** The format allows any byte but a line end in a name; a terminal would obey some of them. */
function visibleLines(page: string): string {
  return page
    .split('\n')
    .map((line) => visible(line, Infinity))
    .join('\n');
}
