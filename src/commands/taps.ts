import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { parsePercent, parseWindow } from '../usage.ts';
import { pathFlags, probeFlags } from './flags.ts';
import { present, textStyle } from './present.ts';

export default class Taps extends Command {
  static override summary =
    'Every packet socket in every namespace: hook, device, filter, ring, owner; with --window its price.';
  static override examples = ['<%= config.bin %> taps', '<%= config.bin %> taps --window 10s'];
  static override flags = {
    window: Flags.string({ char: 'w', description: 'measure this long what the taps cost, 500ms to 1h' }),
    netns: Flags.string({
      default: 'all',
      description: 'namespaces to look into besides the own one: all, none, or a name or PID',
      helpValue: 'all|none|NAME|PID',
    }),
    json: Flags.boolean({ description: 'taps[] of the report as JSON' }),
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Taps);
    const { listTaps, runDiagnosis } = await import('../diagnose.ts');
    const { tapsSection } = await import('../report/text-cost.ts');
    const roots = { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] };
    const seconds = flags.window === undefined ? undefined : parseWindow(flags.window);
    const taps =
      seconds === undefined
        ? listTaps(roots, flags.netns)
        : (
            await runDiagnosis({
              seconds,
              roots,
              devices: [],
              netns: flags.netns,
              probe: flags.probe,
              ...(flags['xdp-mode'] === undefined ? {} : { xdpMode: flags['xdp-mode'] }),
              allowSystemChanges: flags['allow-system-changes'],
              maxOverhead: parsePercent('1%'),
              overrides: {},
              baseline: undefined,
              version: this.config.version,
              stop: new AbortController().signal,
              onTick: () => undefined,
            })
          ).taps;
    if (flags.json) await present(`${JSON.stringify(taps, null, 2)}\n`, undefined);
    else if (taps.length === 0) await present('No packet socket in the namespaces looked into.\n', undefined);
    else await present(`${tapsSection({ taps }, textStyle(undefined), true).join('\n').trim()}\n`, undefined);
  }
}
