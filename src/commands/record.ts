import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { parsePercent, parseWindow } from '../usage.ts';
import { BundleFile, bundleFlags } from './bundle-file.ts';
import { pathFlags, probeFlags } from './flags.ts';
import { stopOnSignal } from './signals.ts';

export default class Record extends Command {
  static override summary = 'Evidence without a verdict: what diagnose reads, as a bundle.';
  static override description =
    'Samples the host twice, as diagnose does, and writes everything that was read to FILE. Whoever gets it makes the ' +
    'verdict with replay, without access to this host. The file is there whole or not at all, readable by its owner only.';
  static override examples = ['<%= config.bin %> record --window 30s --bundle /tmp/db1.tar.gz --redact'];
  static override flags = {
    ...bundleFlags,
    bundle: Flags.string({
      required: true,
      helpGroup: 'BUNDLE',
      description: 'the archive to write',
      helpValue: 'FILE.tar.gz',
    }),
    window: Flags.string({ char: 'w', default: '30s', description: 'length of the window, 500ms to 1h' }),
    netns: Flags.string({
      default: 'all',
      description: 'namespaces to look into besides the own one: all, none, or a name or PID',
      helpValue: 'all|none|NAME|PID',
    }),
    'max-overhead': Flags.string({
      default: '1%',
      helpGroup: 'PROBE',
      description: "share of the host's CPU time the probe may take",
    }),
    quiet: Flags.boolean({ char: 'q', description: 'no progress line' }),
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Record);
    const { runDiagnosis } = await import('../diagnose.ts');
    const { startProgress } = await import('./progress.ts');
    const seconds = parseWindow(flags.window);
    const maxOverhead = parsePercent(flags['max-overhead']);
    const { version } = this.config;
    const { redact } = flags;
    const bundle = await BundleFile.open(flags.bundle, '--bundle', { version, devices: [], redact, verdict: false });
    const stop = stopOnSignal();
    const progress = await startProgress(seconds, flags.quiet);
    try {
      const report = await runDiagnosis({
        seconds,
        roots: { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] },
        devices: [],
        netns: flags.netns,
        probe: flags.probe,
        ...(flags['xdp-mode'] === undefined ? {} : { xdpMode: flags['xdp-mode'] }),
        allowSystemChanges: flags['allow-system-changes'],
        maxOverhead,
        overrides: {},
        baseline: undefined,
        version,
        stop: stop.signal,
        onTick: (left) => {
          progress.tick(left);
        },
        onSample: bundle.onSample,
      });
      await bundle.write(report, {}, null);
    } finally {
      progress.stop();
      stop.release();
    }
    process.exitCode = stop.received() === 0 ? 0 : 128 + stop.received();
  }
}
