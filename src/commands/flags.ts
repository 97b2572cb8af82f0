import * as Flags from '@oclif/core/flags';

/** Where /proc, /sys and the root file system are found; node_exporter's flag names. */
export const pathFlags = {
  'path.procfs': Flags.string({ default: '/proc', helpGroup: 'PATHS', description: 'procfs mount point' }),
  'path.sysfs': Flags.string({ default: '/sys', helpGroup: 'PATHS', description: 'sysfs mount point' }),
  'path.rootfs': Flags.string({ default: '/', helpGroup: 'PATHS', description: 'root file system' }),
};

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
