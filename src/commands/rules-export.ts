import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { openOutput } from './output.ts';
import { present } from './present.ts';
import { parseRange } from './arguments.ts';

export default class RulesExport extends Command {
  static override summary = 'The rules as alerting rules for Prometheus.';
  static override description =
    'YAML that promtool accepts, made of the signals and limits that the verdict is made of. Rules that a server cannot ' +
    'judge are left out, and the head of the file says which and why.';
  static override examples = [
    '<%= config.bin %> rules export --output /etc/prometheus/rules/pktcost.yml',
    '<%= config.bin %> rules export --config limits.json --range 10m',
  ];
  static override flags = {
    range: Flags.string({
      default: '5m',
      description: 'what rates and counts are of, four scrapes or more',
      helpValue: 'DURATION',
    }),
    config: Flags.string({ description: 'limits of your own, as for diagnose', helpValue: 'FILE' }),
    output: Flags.string({
      char: 'o',
      description: 'replace this file, readable by all, instead of printing',
      helpValue: 'FILE',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(RulesExport);
    const range = parseRange(flags.range);
    const { configuredLimits } = await import('./config.ts');
    const { rules } = await import('../rules/index.ts');
    const { alertRules } = await import('../rules/alerts.ts');
    const { renderAlertRules } = await import('../report/prometheus/alert-rules.ts');
    const overrides = await configuredLimits(flags.config);
    const page = renderAlertRules(alertRules(rules, overrides, range), this.config.version);
    await present(page, await openOutput(flags.output, 'replace', 0o644));
  }
}
