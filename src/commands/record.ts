import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { parsePercent, parseWindow } from './arguments.ts';
import { BundleFile, bundleFlags } from './bundle-file.ts';
import { netnsFlag, overheadFlag, pathFlags, probeChoiceOf, probeFlags, rootsOf } from './flags.ts';
import { stdout } from './output.ts';
import { signalled, stopOnSignal } from './signals.ts';

export default class RecordCommand extends Command {
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
    window: Flags.string({
      char: 'w',
      default: '30s',
      description: 'length of the window, 500ms to 1h',
      helpValue: 'DURATION',
    }),
    netns: netnsFlag('all'),
    'max-overhead': overheadFlag,
    quiet: Flags.boolean({ char: 'q', description: 'no progress line, and not what was written' }),
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RecordCommand);
    const { recordEvidence } = await import('../jobs/record.ts');
    const { startProgress } = await import('./progress.ts');
    const seconds = parseWindow(flags.window);
    const maxOverhead = parsePercent(flags['max-overhead']);
    const { version } = this.config;
    const { redact } = flags;
    const stop = stopOnSignal();
    const bundle = await BundleFile.open(flags.bundle, '--bundle', { version, redact });
    const progress = await startProgress(seconds, flags.quiet);
    try {
      const run = await recordEvidence({
        seconds,
        roots: rootsOf(flags),
        devices: [],
        netns: flags.netns,
        ...probeChoiceOf(flags),
        maxOverhead,
        stop,
        onTick: (left) => {
          progress.tick(left);
        },
        onFewDescriptors: () => bundle.ready(),
        onSample: bundle.onSample,
      });
      await bundle.write({ run, report: null, overrides: {}, baseline: null });
      progress.stop();
      if (!flags.quiet) await stdout.write(`${await wroteWords(flags.bundle)}\n`);
    } finally {
      progress.stop();
    }
    process.exitCode = signalled() === 0 ? 0 : 128 + signalled();
  }
}

async function wroteWords(path: string): Promise<string> {
  const { statSync } = await import('node:fs');
  const { formats } = await import('../report/words/formats.ts');
  const { visible } = await import('../report/escape.ts');
  const shown = visible(path, 1000);
  return `Wrote ${shown}, ${formats.bytes(statSync(path).size)}. The verdict: pktcost replay ${shown}`;
}
