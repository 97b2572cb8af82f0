import type { Advice } from '../finding.ts';

/** For CPU time that the hypervisor takes. */
export const askHypervisor: Advice = {
  action:
    'Have whoever runs the hypervisor give this guest CPUs of its own, or move it to a host with room; nothing inside ' +
    'the guest helps. Until then compare prices only between runs with as much steal.',
  command: "grep '^cpu' /proc/stat",
  verify: 'vmstat 1 5',
};
