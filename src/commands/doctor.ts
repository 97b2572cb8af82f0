import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { exitCodes } from '../usage.ts';
import { pathFlags, probeFlags } from './flags.ts';

export default class Doctor extends Command {
  static override summary = 'What can be measured on this host, and what the probe would do to each device.';
  static override description = 'Changes nothing, except with --clean.';
  static override flags = {
    clean: Flags.boolean({
      description:
        'remove the packet filters that a killed pktcost left on kernels without TCX (before 6.6); only its own',
    }),
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const roots = { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] };
    const { clean, examine } = await import('../doctor.ts');
    if (flags.clean) {
      const { lines, ok } = clean(roots);
      process.stdout.write(`${lines.join('\n')}\n`);
      if (!ok) process.exitCode = exitCodes.internal;
      return;
    }
    const lines = await examine(roots, {
      probe: flags.probe,
      ...(flags['xdp-mode'] === undefined ? {} : { xdpMode: flags['xdp-mode'] }),
      allowSystemChanges: flags['allow-system-changes'],
    });
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}
