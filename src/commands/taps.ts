import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { visible } from '../report/escape.ts';
import type { ListedTaps } from '../report/words/listed-taps.ts';
import { parsePercent, parseWindow } from './arguments.ts';
import {
  formatFlag,
  formatOf,
  jsonFlag,
  netnsFlag,
  outputFlag,
  pathFlags,
  probeChoiceOf,
  probeFlags,
  rootsOf,
  interfaceFlag,
} from './flags.ts';
import { openOutput, type Output } from './output.ts';
import { present, textStyle } from './present.ts';
import { startProgress } from './progress.ts';
import { signalled, stopOnSignal } from './signals.ts';

const formats = ['text', 'json', 'markdown'] as const;

export default class Taps extends Command {
  static override summary = 'Every packet socket of the host: hook, device, filter, ring, owner, and price.';
  static override description =
    'Looks into every network namespace. The price needs a window (--window), in which the probe measures it.';
  static override examples = ['<%= config.bin %> taps', '<%= config.bin %> taps --window 10s'];
  static override flags = {
    window: Flags.string({
      char: 'w',
      description: 'measure this long what the taps cost, 500ms to 1h',
      helpValue: 'DURATION',
    }),
    config: Flags.string({ description: 'JSON file with limits of your own', helpValue: 'FILE' }),
    netns: netnsFlag('all'),
    interface: interfaceFlag('only those on this device or on any (repeatable)'),
    format: formatFlag(formats),
    json: jsonFlag,
    output: outputFlag,
    quiet: Flags.boolean({ char: 'q', description: 'no progress line' }),
    ...probeFlags,
    ...pathFlags,
  };

  override async run(): Promise<void> {
    const { flags, metadata } = await this.parse(Taps);
    const format = formatOf(flags, metadata.flags['format']?.setFromDefault !== true);
    const { checkTapped, listTaps, priceTaps } = await import('../jobs/taps.ts');
    const { configuredLimits } = await import('./config.ts');
    const overrides = await configuredLimits(flags.config);
    const roots = rootsOf(flags);
    const seconds = flags.window === undefined ? undefined : parseWindow(flags.window);
    const devices = flags.interface ?? [];
    checkTapped(devices, flags.netns, roots);
    const output = await openOutput(flags.output, 'create', 0o600);
    const progress = await startProgress(seconds ?? 0, seconds === undefined || flags.quiet);
    const {
      taps: all,
      collectors,
      probe,
    } = seconds === undefined
      ? { ...listTaps(roots, flags.netns, overrides), probe: undefined }
      : await priceTaps(
          {
            seconds,
            roots,
            devices: [],
            netns: flags.netns,
            ...probeChoiceOf(flags),
            maxOverhead: parsePercent('1%'),
            stop: stopOnSignal(),
            onTick: (left) => {
              progress.tick(left);
            },
          },
          overrides,
        ).finally(() => {
          progress.stop();
        });
    const taps = all.filter(({ device }) => devices.length === 0 || device === 'any' || devices.includes(device));
    await present(await rendered({ taps, collectors, probe }, format, output), output);
    process.exitCode = signalled() === 0 ? 0 : 128 + signalled();
  }
}

/** `taps[]` of the report, in the form that was asked for. A list in JSON has no room for what could not be seen: that is on stderr. */
async function rendered(listed: ListedTaps, format: (typeof formats)[number], output: Output): Promise<string> {
  const { taps, collectors, probe } = listed;
  if (format === 'json') {
    const { unreadTaps } = await import('../report/words/listed-taps.ts');
    const { probeCaveat } = await import('../report/words/phrases.ts');
    const caveat = probe === undefined ? undefined : probeCaveat(probe);
    const unread = unreadTaps(collectors);
    if (caveat !== undefined) process.stderr.write(`pktcost: the probe: ${visible(caveat, 1000)}\n`);
    if (unread !== undefined) process.stderr.write(`pktcost: ${visible(unread, 1000)}\n`);
    return `${JSON.stringify(taps, null, 2)}\n`;
  }
  const more = process.geteuid?.() === 0 ? '' : 'Run it as root to look into the namespaces of others.\n';
  if (format === 'markdown') {
    const { tapsPage } = await import('../report/markdown/index.ts');
    return `${tapsPage(listed)}${more === '' ? '' : `\n${more}`}`;
  }
  const { renderTaps } = await import('../report/text/cost.ts');
  return `${renderTaps(listed, textStyle(output))}${more}`;
}
