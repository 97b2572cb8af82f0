import { Command } from '@oclif/core/command';

import { pathFlags } from './flags.ts';

export default class Doctor extends Command {
  static override summary = 'What can be measured on this host, and why not the rest. Changes nothing.';
  static override flags = pathFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { examine } = await import('../doctor.ts');
    const lines = examine({ procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] });
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}
