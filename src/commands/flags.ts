import { statSync } from 'node:fs';

import * as Flags from '@oclif/core/flags';

import { systemErrorReason } from '../base/errno.ts';
import { UsageError } from '../base/usage.ts';
import type { ProbeChoice } from '../probe/plan.ts';
import type { Roots } from '../sources/live-reader.ts';

/** Where /proc, /sys and the root file system are found; node_exporter's flag names. */
export const pathFlags = {
  'path.procfs': Flags.string({
    default: '/proc',
    helpGroup: 'PATH',
    description: 'procfs mount point',
    helpValue: 'FOLDER',
  }),
  'path.sysfs': Flags.string({
    default: '/sys',
    helpGroup: 'PATH',
    description: 'sysfs mount point',
    helpValue: 'FOLDER',
  }),
  'path.rootfs': Flags.string({
    default: '/',
    helpGroup: 'PATH',
    description: 'root file system',
    helpValue: 'FOLDER',
  }),
};

/**
 * The roots as given.
 * @throws UsageError for one that is no folder: a host without /proc would have no fault
 */
export function rootsOf(flags: Readonly<Record<keyof typeof pathFlags, string>>): Roots {
  for (const name of ['path.procfs', 'path.sysfs', 'path.rootfs'] as const) {
    const reason = whyNoFolder(flags[name]);
    // A kernel without sysfs is said to be one by the report.
    if (reason !== undefined && flags[name] !== pathFlags[name].default)
      throw new UsageError(`--${name} ${flags[name]}: ${reason}`);
  }
  return { procfs: flags['path.procfs'], sysfs: flags['path.sysfs'], rootfs: flags['path.rootfs'] };
}

function whyNoFolder(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : 'not a folder';
  } catch (error) {
    return systemErrorReason(error);
  }
}

export const outputFlag = Flags.string({
  char: 'o',
  description: 'write to a new file instead of stdout',
  helpValue: 'FILE',
});

/** The forms that a command has; text where none is asked for. */
export const formatFlag = <const Formats extends readonly string[]>(options: Formats, what = 'result') =>
  Flags.option({ options, default: 'text' as Formats[number] })({ char: 'f', description: `form of the ${what}` });

export const jsonFlag = Flags.boolean({ description: 'the same as --format json' });

export const interfaceFlag = (description: string) =>
  Flags.string({ char: 'i', multiple: true, description, helpValue: 'DEVICE' });

/** Which namespaces are looked into; the one pktcost runs in always is. */
export const netnsFlag = (byDefault: 'all' | 'none') =>
  Flags.string({
    default: byDefault,
    description: 'namespaces to look into besides the own one: all, none, or a name or PID',
    helpValue: 'all|none|NAME|PID',
  });

const probes = ['auto', 'taps', 'xdp', 'off'] as const;
const xdpModes = ['native', 'generic'] as const;

/** What may be attached. */
export const probeFlags = {
  probe: Flags.option({ options: probes, default: 'auto' as const })({
    helpGroup: 'PROBE',
    description:
      'measure packet times with eBPF: where that disturbs nothing (auto), taps only, with XDP as well, or not at all',
  }),
  'xdp-mode': Flags.option({ options: xdpModes })({
    helpGroup: 'PROBE',
    description: 'with --probe xdp: where the XDP program runs',
  }),
  'allow-system-changes': Flags.boolean({
    helpGroup: 'PROBE',
    description: 'allow what resets a link, clears an offload or loads a module; what was changed is put back',
  }),
};

/** The share of CPU time that the probe may take, where somebody may choose it. */
export const overheadFlag = Flags.string({
  default: '1%',
  helpGroup: 'PROBE',
  description: "share of the host's CPU time the probe may take",
  helpValue: 'SHARE',
});

/** @throws UsageError where the one says something of what the other leaves out */
export function probeChoiceOf(flags: {
  readonly probe: (typeof probes)[number];
  readonly 'xdp-mode'?: (typeof xdpModes)[number] | undefined;
  readonly 'allow-system-changes': boolean;
}): ProbeChoice {
  const { probe, 'xdp-mode': xdpMode, 'allow-system-changes': allowSystemChanges } = flags;
  if (xdpMode !== undefined && probe !== 'xdp')
    throw new UsageError(`--xdp-mode ${xdpMode} is for the XDP program: it takes --probe xdp`);
  return { probe, allowSystemChanges, ...(xdpMode === undefined ? {} : { xdpMode }) };
}

/**
 * The form that was asked for.
 * @param given whether --format was, and is no default
 * @throws UsageError where --json says something else
 */
export function formatOf<Format extends string>(
  { json, format }: { readonly json: boolean; readonly format: Format },
  given: boolean,
): Format | 'json' {
  if (!json) return format;
  if (given && format !== 'json') throw new UsageError(`--json and --format ${format} contradict each other: give one`);
  return 'json';
}
