import { gauge } from '../metric.ts';

export const kernelLogLines = gauge('pktcost_kernel_log_lines', {
  unit: 'number',
  labels: ['about'],
  collector: 'kernellog',
  source: 'dmesg',
  sparse: true,
  help: 'Lines of the kernel log about a loss, by what they are about. In copies that hold the output of dmesg.',
});
