import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { pathFlags } from './flags.ts';

export default class Metrics extends Command {
  static override summary = 'One sample as a page in Prometheus exposition format.';
  static override description =
    "node_exporter's names where it has them, pktcost_* where not. With --output the file is replaced in one step, as " +
    "node_exporter's textfile collector wants it (name it *.prom); the collectors of the same node_exporter must not run " +
    'beside the whole page, only beside one with --own.';
  static override examples = [
    '<%= config.bin %> metrics --netns all --output /var/lib/pktcost/pktcost.prom',
    '<%= config.bin %> metrics --own --output /var/lib/node_exporter/textfile/pktcost.prom',
  ];
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: 'replace this file, readable by all, instead of printing',
      helpValue: 'FILE',
    }),
    own: Flags.boolean({ description: 'only what node_exporter has no name for: it shows the rest itself' }),
    netns: Flags.string({
      default: 'none',
      description: 'namespaces to look into besides the own one: all, none, or a name or PID',
      helpValue: 'all|none|NAME|PID',
    }),
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Metrics);
    const { OutputFile } = await import('./output.ts');
    const { sampleOnce } = await import('../diagnose.ts');
    const { expose, isOwn } = await import('../metrics/exposition.ts');
    const output = flags.output === undefined ? undefined : await OutputFile.open(flags.output, 'replace', 0o644);
    const roots = { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] };
    const page = expose(sampleOnce(roots, flags.netns), flags.own ? isOwn : undefined);
    if (output === undefined) process.stdout.write(page);
    else await output.write(page);
  }
}
