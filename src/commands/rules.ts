import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

export default class Rules extends Command {
  static override summary = 'The catalogue of rules.';
  static override examples = [
    '<%= config.bin %> rules',
    '<%= config.bin %> rules --json',
    '<%= config.bin %> rules explain PKT0201',
    '<%= config.bin %> rules export',
  ];
  static override flags = {
    json: Flags.boolean({ description: 'everything about each rule, with the PromQL of its signals' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Rules);
    const { rules } = await import('../rules/index.ts');
    if (flags.json) {
      const { describeRule } = await import('../rules/describe.ts');
      process.stdout.write(`${JSON.stringify(rules.map(describeRule), null, 2)}\n`);
      return;
    }
    const width = Math.max(...rules.map(({ id }) => id.length));
    for (const { code, id, title } of rules) process.stdout.write(`${code}  ${id.padEnd(width)}  ${title}\n`);
  }
}
