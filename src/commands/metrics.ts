import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { pathFlags } from './flags.ts';

export default class Metrics extends Command {
  static override summary = 'One sample as a page in Prometheus exposition format.';
  static override description =
    "node_exporter's names where it has them, pktcost_* where not. With --output the file is replaced in one step, as " +
    "node_exporter's textfile collector wants it (name it *.prom).";
  static override examples = ['<%= config.bin %> metrics --output /var/lib/node_exporter/textfile/pktcost.prom'];
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: 'replace this file, readable by all, instead of printing',
      helpValue: 'FILE',
    }),
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Metrics);
    const { OutputFile } = await import('./output.ts');
    const { sampleOnce } = await import('../diagnose.ts');
    const { expose } = await import('../metrics/exposition.ts');
    const { describePage } = await import('../metrics/page.ts');
    const output = flags.output === undefined ? undefined : await OutputFile.open(flags.output, 'replace', 0o644);
    const roots = { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] };
    const page = expose(describePage(sampleOnce(roots)));
    if (output === undefined) process.stdout.write(page);
    else await output.write(page);
  }
}
