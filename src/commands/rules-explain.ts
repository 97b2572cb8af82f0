import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';

import { nearest, UsageError } from '../usage.ts';

export default class RulesExplain extends Command {
  static override summary = 'What a rule means, how it decides, its limits and its signals.';
  static override examples = ['<%= config.bin %> rules explain PKT0201'];
  static override args = {
    code: Args.string({ required: true, description: 'a code such as PKT0201, or the name of a rule' }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(RulesExplain);
    const { rules } = await import('../rules/index.ts');
    const { describeRule } = await import('../rules/describe.ts');
    const rule = rules.find(({ code, id }) => code === args.code.toUpperCase() || id === args.code.toLowerCase());
    if (rule === undefined) {
      const near = nearest(
        args.code.toUpperCase(),
        rules.map(({ code }) => code),
      );
      const hint = near === undefined ? 'pktcost rules lists them' : `did you mean ${near}?`;
      throw new UsageError(`there is no rule "${args.code}": ${hint}`);
    }
    const { signals, thresholds, scope } = describeRule(rule);
    const lines = [
      `${rule.code} ${rule.id}: ${rule.title}`,
      '',
      `Judged once for ${scope.length === 0 ? 'the host' : `each ${scope.join(' and ')}`}; the seed's ${rule.seed}.`,
      '',
      'Signals',
      ...signals.flatMap(({ name, required, promql, sources }) => [
        `  ${name}${required ? '' : ' (optional)'}, from ${sources.join(', ')}`,
        `    ${promql}`,
      ]),
      '',
      'Limits (change them with --config)',
      ...thresholds.flatMap(({ name, value, unit, help, source }) => [
        `  ${name} = ${value} ${unit === 'none' ? '' : unit}`.trimEnd(),
        `    ${help}`,
        `    Source: ${source}.`,
      ]),
      '',
      await pageOf(rule.code, this.config.root),
    ];
    process.stdout.write(`${lines.join('\n').trimEnd()}\n`);
  }
}

/** The rule's page without its title, as it stands in docs/rules. */
async function pageOf(code: string, root: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const path = await import('node:path');
  const page = await readFile(path.join(root, 'docs', 'rules', `${code}.md`), 'utf8');
  return page.replace(/^# .*\n+/, '');
}
