import * as Args from '@oclif/core/args';
import { Command } from '@oclif/core/command';

import { formatFlag, formatOf, jsonFlag, outputFlag } from './flags.ts';
import { openOutput } from './output.ts';
import { present, textStyle } from './present.ts';
import { nearest, UsageError } from '../base/usage.ts';

/** The PromQL of a signal has no bound of its own. */
const LONGEST = 20_000;
const formats = ['text', 'json'] as const;

export default class RulesExplain extends Command {
  static override summary = 'What a rule means, how it decides, its limits and its signals.';
  static override examples = ['<%= config.bin %> rules explain PKT0201'];
  static override args = {
    code: Args.string({ required: true, description: 'a code such as PKT0201, or the name of a rule' }),
  };

  static override flags = {
    format: formatFlag(formats),
    json: jsonFlag,
    output: outputFlag,
  };

  override async run(): Promise<void> {
    const { args, flags, metadata } = await this.parse(RulesExplain);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
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
    const described = describeRule(rule);
    const page = (await pageOf(rule.code, this.config.root)).trimEnd();
    const output = await openOutput(flags.output, 'create', 0o600);
    if (format === 'json') {
      await present(`${JSON.stringify({ ...described, page }, null, 2)}\n`, output);
      return;
    }
    const { signals, thresholds, scope } = described;
    const { reflowed } = await import('../report/text/rule-page.ts');
    const { paragraph, show } = await import('../report/text/layout.ts');
    const style = textStyle(output);
    const say = (text: string, indent = '', hang = 0): string[] => paragraph(text, style.width, indent, hang);
    const lines = [
      ...say(`${rule.code} ${rule.id}: ${rule.title}`),
      '',
      ...reflowed(page, style),
      '',
      '## Limits and signals',
      '',
      `Judged once for ${scope.length === 0 ? 'the host' : `each ${scope.join(' and ')}`}.`,
      '',
      'Limits (change them with --config)',
      ...thresholds.flatMap(({ name, value, unit, help, source }) => [
        `  ${name} = ${value} ${unit === 'none' ? '' : unit}`.trimEnd(),
        ...say(help, '    '),
        ...say(`Source: ${source}.`, '    '),
      ]),
      '',
      'Signals',
      ...signals.flatMap(({ name, required, promql, sources }) => [
        ...say(`${name}${required ? '' : ' (optional)'}, from ${sources.join(', ')}`, '  ', 2),
        // To be copied.
        `    ${promql}`,
      ]),
    ];
    // A terminal that knows no UTF-8 has no µ.
    const shown = lines.map((line) => show(style, line, LONGEST));
    await present(`${shown.join('\n').trimEnd()}\n`, output);
  }
}

/** The rule's page without its title, as it stands in docs/rules. */
async function pageOf(code: string, root: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const path = await import('node:path');
  const page = await readFile(path.join(root, 'docs', 'rules', `${code}.md`), 'utf8');
  return page.replace(/^# .*\n+/, '');
}
