import * as Flags from '@oclif/core/flags';

/** Where /proc, /sys and the root file system are found; node_exporter's flag names. */
export const pathFlags = {
  'path.procfs': Flags.string({ default: '/proc', helpGroup: 'PATHS', description: 'procfs mount point' }),
  'path.sysfs': Flags.string({ default: '/sys', helpGroup: 'PATHS', description: 'sysfs mount point' }),
  'path.rootfs': Flags.string({ default: '/', helpGroup: 'PATHS', description: 'root file system' }),
};
