import { counter, gauge } from '../metric.ts';

const profile = { collector: 'profile', source: 'profile', unit: 'number' } as const;
const samples = { ...profile, sparse: true } as const;

export const profileSamples = counter('pktcost_profile_samples_total', {
  ...samples,
  labels: ['direction', 'cpu', 'part'],
  help: 'Samples of a CPU clock that met the packet path, by direction (receive, transmit, socket) and by the part that its stack names.',
});
export const profileTapSamples = counter('pktcost_profile_tap_samples_total', {
  ...samples,
  labels: ['direction', 'hook'],
  help: "Samples inside a packet socket's receive function, by that function: what tells a ring's taps from those that queue for recv().",
});
export const profileEntranceTracing = counter('pktcost_profile_entrance_tracing_samples_total', {
  ...samples,
  labels: ['cpu'],
  help: "Of the received packets' samples of tracing, those where packets enter the stack or before: the probe's split of NET_RX has them on the driver's side.",
});
export const profileLeafSamples = counter('pktcost_profile_leaf_samples_total', {
  ...samples,
  labels: ['direction', 'part', 'leaf'],
  help: 'The same by what the part was doing: copy, allocation, freeing, lock, wake-up, lookup, checksum, timestamp, crypto, or its own code.',
});
export const profileDeviceSamples = counter('pktcost_profile_device_samples_total', {
  ...samples,
  labels: ['direction', 'device', 'cpu', 'part'],
  perNetns: true,
  help: 'The same by the device whose packet the CPU took up last, for devices that the probe watches; what comes before tc ingress is not among them.',
});
export const profileProcessSamples = counter('pktcost_profile_process_samples_total', {
  ...samples,
  labels: ['direction', 'pid', 'comm', 'part'],
  help: 'Samples in which a process paid, for the processes that paid most: in socket calls and on the way out.',
});
export const profileProgramSamples = counter('pktcost_profile_program_samples_total', {
  ...samples,
  labels: ['direction', 'program_id', 'name', 'part'],
  help: "Samples with a BPF program's own code on the stack, whatever it had called; pktcost's programs left out.",
});
export const profileNetfilterSamples = counter('pktcost_profile_netfilter_samples_total', {
  ...samples,
  labels: ['direction', 'family', 'hook', 'engine'],
  help: 'Samples inside a netfilter hook, by the hook, by its family as nftables calls it (inet, netdev, bridge, arp) and by what was on it: nftables, iptables, ebtables, conntrack, nat or other.',
});
export const profileOtherSamples = counter('pktcost_profile_other_samples_total', {
  ...samples,
  labels: ['direction', 'function'],
  help: 'Samples that no part names, by the innermost function, the busiest of them.',
});
export const profileStackSamples = counter('pktcost_profile_stack_samples_total', {
  ...samples,
  labels: ['direction', 'stack'],
  help: 'Samples by stack, its functions joined by semicolons from where the direction begins; rare stacks are cut to what they share with others.',
});
export const profilePeriod = gauge('pktcost_profile_period_seconds', {
  ...profile,
  labels: ['clock'],
  unit: 'seconds',
  help: 'Time of one CPU that a sample stands for. By cpu-clock, a timer, time with interrupts off is under-counted; cycles are counted by NMI, on arm64 only with pseudo-NMIs.',
});
export const profileSeconds = gauge('pktcost_profile_seconds', {
  ...profile,
  labels: [],
  unit: 'seconds',
  help: 'How long the profile has sampled.',
});
export const profileCpus = gauge('pktcost_profile_cpus', {
  ...profile,
  labels: ['state'],
  unit: 'cpus',
  help: 'CPUs that the profile samples, and those online.',
});
export const profileLost = counter('pktcost_profile_lost_total', {
  ...profile,
  labels: ['reason'],
  help: 'Samples taken and not counted: no stack could be had, the tables were full, or no symbol explains the address.',
});
export const profileOwnNanoseconds = counter('pktcost_profile_own_nanoseconds_total', {
  ...profile,
  labels: [],
  unit: 'nanoseconds',
  help: "Time of the sampler's own program, where the kernel counted it.",
});
