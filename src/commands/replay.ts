import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { exitCodeOf, failOn, presentReport, reportFormats } from './present.ts';

export default class Replay extends Command {
  static override summary = 'The verdict of recorded evidence: a bundle, two copies of /proc and /sys, or a sosreport.';
  static override description =
    'PATH is a bundle of diagnose --bundle or of record (the archive or its folder), a folder with before/ and after/ ' +
    'that hold proc/ and sys/, or a folder with one proc/ and sys/ such as an unpacked sosreport, which tells no rates. ' +
    'Needs neither root nor network, and reads nothing of this machine. The verdict of a bundle is the recorded one; ' +
    'with another version or other limits, what differs is said on stderr.';
  static override examples = [
    '<%= config.bin %> replay pktcost-db1-2026-03-01-09-30-4f1c22ab.tar.gz',
    '<%= config.bin %> replay sosreport-db1-2026-03-01/ --json',
  ];
  static override args = {
    path: Args.string({ required: true, description: 'bundle, or folder with copies of /proc and /sys' }),
  };
  static override flags = {
    format: Flags.option({ options: reportFormats, default: 'text' as const })({
      char: 'f',
      description: 'form of the report',
    }),
    json: Flags.boolean({ description: 'the same as --format json' }),
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
    verbose: Flags.boolean({ char: 'v', description: 'also show what was found in order, and every collector' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Replay);
    const { visible } = await import('../report/escape.ts');
    const { replay } = await import('../replay.ts');
    const overrides =
      flags.config === undefined ? undefined : await (await import('./config.ts')).readConfig(flags.config);
    const { report, notes, baseline } = await replay(args.path, this.config.version, overrides);
    const output =
      flags.output === undefined
        ? undefined
        : await (await import('./output.ts')).OutputFile.open(flags.output, 'create', 0o600);
    for (const note of notes) process.stderr.write(`pktcost: ${visible(note, 1000)}\n`);
    await presentReport(report, {
      format: flags.json ? 'json' : flags.format,
      verbose: flags.verbose,
      output,
      baseline,
    });
    process.exitCode = exitCodeOf(report.verdict.outcome, flags['fail-on']);
  }
}
