import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { exitCodes } from './arguments.ts';
import {
  formatFlag,
  formatOf,
  jsonFlag,
  outputFlag,
  pathFlags,
  probeChoiceOf,
  probeFlags,
  rootsOf,
  interfaceFlag,
} from './flags.ts';
import { openOutput, stdout } from './output.ts';
import { present, textStyle } from './present.ts';

const formats = ['text', 'json'] as const;

export default class Doctor extends Command {
  static override summary = 'What can be measured here, and what the probe would do to each device.';
  static override description = 'Changes nothing, except with --clean.';
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --interface eth0',
    '<%= config.bin %> doctor --clean',
  ];
  static override flags = {
    clean: Flags.boolean({
      description:
        'remove the packet filters that a killed pktcost left on kernels without TCX (before 6.6); only its own',
    }),
    interface: interfaceFlag('plan the probe for this device only (repeatable)'),
    format: formatFlag(formats),
    json: jsonFlag,
    output: outputFlag,
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Doctor);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
    const roots = rootsOf(flags);
    const { clean, examine } = await import('../jobs/doctor.ts');
    if (flags.clean) {
      const { lines, ok } = clean(roots);
      await stdout.write(`${lines.join('\n')}\n`);
      if (!ok) process.exitCode = exitCodes.internal;
      return;
    }
    const output = await openOutput(flags.output, 'create', 0o600);
    const examined = await examine(roots, probeChoiceOf(flags), flags.interface ?? []);
    if (format === 'json') await present(`${JSON.stringify(examined, null, 2)}\n`, output);
    else {
      const { renderDoctor } = await import('../report/text/doctor.ts');
      await present(renderDoctor(examined, textStyle(output)), output);
    }
  }
}
