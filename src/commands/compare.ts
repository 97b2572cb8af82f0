import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { exitCodeOf, failOn, judgedComparison } from './exit-code.ts';
import { formatFlag, formatOf, jsonFlag } from './flags.ts';
import { openOutput } from './output.ts';
import { present, textStyle } from './present.ts';

const formats = ['text', 'json', 'markdown'] as const;

export default class Compare extends Command {
  static override summary = 'What two windows differ in, and whether that is more than noise.';
  static override description =
    'BEFORE and AFTER are JSON reports, bundles, or whatever else replay takes: say, before and during a capture. ' +
    'Compared are the cost of a packet, spans, softirq, drops, taps and findings; each figure with the noise of the ' +
    'two windows, and how that is judged.';
  static override examples = [
    '<%= config.bin %> compare calm.tar.gz during-capture.tar.gz',
    '<%= config.bin %> compare monday.json today.json --json',
    '<%= config.bin %> compare calm.tar.gz sick.tar.gz --format markdown --output ticket.md',
  ];
  static override args = {
    before: Args.string({ required: true, description: 'report or bundle' }),
    after: Args.string({ required: true, description: 'report or bundle' }),
  };
  static override flags = {
    format: formatFlag(formats),
    json: jsonFlag,
    output: Flags.string({ char: 'o', description: 'write to a new file instead of stdout', helpValue: 'FILE' }),
    'fail-on': Flags.option({ options: failOn, default: 'warning' as const })({
      description: 'the least that is new or worse after which the exit code is non-zero',
    }),
    verbose: Flags.boolean({ char: 'v', default: false, description: 'also show what is within noise' }),
  };

  override async run(): Promise<void> {
    const { args, flags, metadata } = await this.parse(Compare);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
    const { visible } = await import('../report/escape.ts');
    const { openSide } = await import('../jobs/compare.ts');
    const { compareReports } = await import('../report/compare/index.ts');
    const { version } = this.config;
    const [before, after] = [await openSide(args.before, version), await openSide(args.after, version)];
    const output = await openOutput(flags.output, 'create', 0o600);
    for (const { source, notes } of [before, after]) {
      for (const note of notes) process.stderr.write(`pktcost: ${visible(source, 200)}: ${visible(note, 1000)}\n`);
    }
    const comparison = compareReports(before, after, version);
    process.exitCode = exitCodeOf(judgedComparison(comparison), flags['fail-on']);
    if (format === 'json') {
      const { renderJson } = await import('../report/json.ts');
      await present(renderJson(comparison), output);
    } else if (format === 'markdown') {
      const { renderComparisonMarkdown } = await import('../report/markdown/comparison.ts');
      await present(renderComparisonMarkdown(comparison, { verbose: flags.verbose }), output);
    } else {
      const { renderComparisonText } = await import('../report/text/comparison.ts');
      await present(renderComparisonText(comparison, { ...textStyle(output), verbose: flags.verbose }), output);
    }
  }
}
