import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { pathFlags, probeFlags } from './flags.ts';
import { stopOnSignal } from './signals.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { parsePercent, parseWindow, UsageError } from '../usage.ts';

export default class Metrics extends Command {
  static override summary = 'One sample as a page in Prometheus exposition format.';
  static override description =
    "node_exporter's names where it has them, pktcost_* where not. With --output the file is replaced in one step, as " +
    "node_exporter's textfile collector wants it (name it *.prom); the collectors of the same node_exporter must not run " +
    'beside the whole page, only beside one with --own. With --window the probe measures for so long, as root, and its ' +
    'series are on the page; what they count begins anew each time.';
  static override examples = [
    '<%= config.bin %> metrics --netns all --output /var/lib/pktcost/pktcost.prom',
    '<%= config.bin %> metrics --own --output /var/lib/node_exporter/textfile/pktcost.prom',
    '<%= config.bin %> metrics --own --window 5s --output /var/lib/node_exporter/textfile/pktcost.prom',
  ];
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: 'replace this file, readable by all, instead of printing',
      helpValue: 'FILE',
    }),
    own: Flags.boolean({ description: 'only what node_exporter has no name for: it shows the rest itself' }),
    netns: Flags.string({
      default: 'none',
      description: 'namespaces to look into besides the own one: all, none, or a name or PID',
      helpValue: 'all|none|NAME|PID',
    }),
    window: Flags.string({ char: 'w', description: 'measure packet times for so long, 500ms to 1h' }),
    'max-overhead': Flags.string({
      default: '1%',
      helpGroup: 'PROBE',
      description: "share of the host's CPU time the probe may take",
    }),
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Metrics);
    const { OutputFile } = await import('./output.ts');
    const { sampleOnce, sampleWithProbe } = await import('../scrape.ts');
    const { expose, isOwn } = await import('../metrics/exposition.ts');
    const { describePage } = await import('../metrics/page.ts');
    const roots = { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] };
    const seconds = flags.window === undefined ? undefined : parseWindow(flags.window);
    const maxOverhead = parsePercent(flags['max-overhead']);
    const ofProbe = (['probe', 'xdp-mode', 'allow-system-changes', 'max-overhead'] as const).find(
      (name) => flags[name] !== undefined && metadata.flags[name]?.setFromDefault !== true,
    );
    if (seconds === undefined && ofProbe !== undefined)
      throw new UsageError(`--${ofProbe} is for the probe: it takes --window`);
    const output = flags.output === undefined ? undefined : await OutputFile.open(flags.output, 'replace', 0o644);
    const keep = flags.own ? isOwn : undefined;
    const write = async (snapshot: Snapshot): Promise<void> => {
      const page = expose(describePage(snapshot, keep), keep);
      if (output === undefined) process.stdout.write(page);
      else await output.write(page);
    };
    if (seconds === undefined) {
      await write(await sampleOnce(roots, flags.netns));
      return;
    }
    const stop = stopOnSignal();
    try {
      const { snapshot, reason } = await sampleWithProbe({
        seconds,
        roots,
        netns: flags.netns,
        probe: flags.probe,
        ...(flags['xdp-mode'] === undefined ? {} : { xdpMode: flags['xdp-mode'] }),
        allowSystemChanges: flags['allow-system-changes'],
        maxOverhead,
        stop: stop.signal,
      });
      const { visible } = await import('../report/escape.ts');
      if (reason !== null) process.stderr.write(`pktcost: the probe: ${visible(reason, 1000)}\n`);
      await write(snapshot);
    } finally {
      stop.release();
    }
    process.exitCode = stop.received() === 0 ? 0 : 128 + stop.received();
  }
}
