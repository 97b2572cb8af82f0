import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { formatFlag, formatOf, outputFlag } from './flags.ts';
import { openOutput } from './output.ts';
import { present, textStyle } from './present.ts';

const formats = ['text', 'json'] as const;

export default class Rules extends Command {
  static override summary = 'Lists the rules; explains one (rules explain), or makes alerts (rules export).';
  static override examples = [
    '<%= config.bin %> rules',
    '<%= config.bin %> rules --json',
    '<%= config.bin %> rules explain PKT0201',
    '<%= config.bin %> rules export',
  ];
  static override flags = {
    format: formatFlag(formats, 'list'),
    json: Flags.boolean({ description: 'everything about each rule, with the PromQL of its signals' }),
    output: outputFlag,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Rules);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
    const { rules } = await import('../rules/index.ts');
    const output = await openOutput(flags.output, 'create', 0o600);
    if (format === 'json') {
      const { describeRule } = await import('../rules/describe.ts');
      await present(`${JSON.stringify(rules.map(describeRule), null, 2)}\n`, output);
      return;
    }
    const { ruleList } = await import('../report/text/rule-page.ts');
    await present(`${ruleList(rules, textStyle(output)).join('\n')}\n`, output);
  }
}
