import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { formatFlag, formatOf, jsonFlag } from './flags.ts';
import { openOutput } from './output.ts';
import { exitCodeOf, failOn, judgedReport } from './exit-code.ts';
import { presentReport, reportFormats } from './present.ts';

export default class Replay extends Command {
  static override summary = 'Judges recorded evidence: a bundle, copies of /proc and /sys, or a sosreport.';
  static override description =
    'PATH is a JSON report, which is shown as it is, a bundle of diagnose --bundle or of record (the archive or its folder), a folder with before/ and after/ ' +
    'that hold proc/ and sys/, or one copy such as a sosreport (folder, .tar, .tar.gz or .tar.xz), which tells levels and totals since boot; two of them, ' +
    'the earlier one first, tell rates. A saved page of node_exporter or of pktcost metrics does as well, and two tell rates. ' +
    'Needs neither root nor network, and reads nothing of this machine. The verdict of a bundle is the recorded one; ' +
    'with another version or other limits, what differs is said on stderr.';
  static override examples = [
    '<%= config.bin %> replay pktcost-db1-2026-03-01-09-30-4f1c22ab.tar.gz',
    '<%= config.bin %> replay sosreport-db1-2026-03-01/ --json',
    '<%= config.bin %> replay before.prom after.prom',
  ];
  static override args = {
    path: Args.string({
      required: true,
      description: 'bundle, sosreport, folder with copies of /proc and /sys, or saved page of metrics',
    }),
    after: Args.string({ description: 'a later sosreport, copy or page of the same host: the two make a window' }),
  };
  static override flags = {
    format: formatFlag(reportFormats, 'report'),
    json: jsonFlag,
    output: Flags.string({
      char: 'o',
      description: 'write the report to a new file instead of stdout',
      helpValue: 'FILE',
    }),
    config: Flags.string({
      description: 'JSON file with limits of your own, instead of the recorded',
      helpValue: 'FILE',
    }),
    'fail-on': Flags.option({ options: failOn, default: 'warning' as const })({
      description: 'the least outcome that makes the exit code non-zero',
    }),
    verbose: Flags.boolean({
      char: 'v',
      description: 'everything: evidence, taps, losses, the cost of a packet, what was found in order, every collector',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags, metadata } = await this.parse(Replay);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
    const { visible } = await import('../report/escape.ts');
    const { replay } = await import('../jobs/replay.ts');
    const overrides =
      flags.config === undefined ? undefined : await (await import('./config.ts')).readConfig(flags.config);
    const { report, notes, baseline } = await replay(args.path, this.config.version, overrides, args.after);
    const output = await openOutput(flags.output, 'create', 0o600);
    for (const note of notes) process.stderr.write(`pktcost: ${visible(note, 1000)}\n`);
    await presentReport(report, {
      format,
      verbose: flags.verbose,
      output,
      baseline,
    });
    process.exitCode = exitCodeOf(judgedReport(report), flags['fail-on']);
  }
}
