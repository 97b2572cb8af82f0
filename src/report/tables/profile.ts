import { processText } from '../../base/process-text.ts';
import type { Profile, ProfileDevice, ProfileDirection, ProfilePart } from '../../generated/report.ts';
import { howMany, formats } from '../words/formats.ts';
import { placed } from '../words/phrases.ts';
import type { Table } from './table.ts';

/** What a packet costs in one direction, largest part first. */
export const partTable: Table<ProfilePart> = [
  { label: 'Part', unit: 'words', cell: ({ title }) => title },
  { label: 'Per packet', unit: 'ns', cell: ({ ns }) => ns },
  { label: 'Share', unit: 'percent', cell: ({ share }) => ({ figure: share, bar: share }) },
  { label: 'Give or take', unit: 'percent', cell: ({ error }) => error },
  { label: 'Samples', unit: 'count', cell: ({ samples }) => samples, detail: true },
  { label: 'Whose', unit: 'words', cell: ({ owner }) => payerWords[owner] ?? owner },
];

/** Devices by what their packets cost after tc ingress. */
export const deviceProfileTable: Table<ProfileDevice> = [
  { label: 'Device', unit: 'name', cell: ({ device, netns }) => placed(device, netns) },
  { label: 'Packets', unit: 'rate', cell: ({ packetsPerSecond }) => packetsPerSecond },
  { label: 'Per packet, after tc', unit: 'ns', cell: ({ nsPerPacket }) => nsPerPacket },
  {
    label: 'Largest parts',
    unit: 'words',
    cell: ({ parts }) =>
      parts
        .slice(0, 3)
        .map(({ title, share }) => `${title} ${formats.percent(share)}`)
        .join(', '),
  },
];

/** Where to look for whom to ask. */
const payerWords: Readonly<Record<string, string>> = {
  driver: 'driver, NIC',
  kernel: 'kernel',
  'packet-sockets': 'packet sockets',
  'bpf-programs': 'BPF programs',
  netfilter: 'firewall rules',
  tc: 'tc',
  'virtual-device': 'virtual devices',
  tunnel: 'tunnels, VPN',
  sockets: 'programs and their sockets',
  tracing: 'tracing tools',
  security: 'security, audit',
  pktcost: 'pktcost',
};

/** The part that is pktcost's own work, and the share of it from which others are the same with and without it. */
const OWN_PART = 'self';
const LEAST_OWN = 0.005;

/** Smaller parts are told together. */
const LEAST_SHARE = 0.01;

export interface DirectionWords {
  /** Of the direction alone. */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly ProfilePart[];
  /** What is below the last row; empty when nothing is. */
  readonly below: string;
  /** What else is known: hooks, payers, programs, functions without a part. */
  readonly lines: readonly string[];
}

const directionNames = { receive: 'Receiving', transmit: 'Sending', socket: 'Socket calls' } as const;

/** A direction in words and rows, the same in every format. */
export function directionWords(direction: ProfileDirection, most: number): DirectionWords {
  const { parts, samples, nsPerPacket, nsError, reason } = direction;
  const shown = parts.filter(({ share }) => share >= LEAST_SHARE).slice(0, most);
  const rest = parts.slice(shown.length);
  const share = rest.reduce((sum, part) => sum + part.share, 0);
  const priced =
    nsPerPacket === null
      ? `not priced, ${reason ?? 'why is not known'}`
      : `${formats.ns(nsPerPacket)} per packet${nsError === null || nsError === 0 ? '' : `, give or take ${formats.ns(nsError)}`}`;
  const name = directionNames[direction.direction];
  const few = nsPerPacket === null && samples < FEW;
  return {
    name,
    // Why there is no price says already how few they were.
    title: `${name}: ${priced}; ${formats.percent(direction.cpuShare)} of a CPU${few ? '' : `, ${howMany(samples, 'samples')}`}`,
    rows: few ? [] : shown,
    below:
      rest.length === 0
        ? ''
        : `and ${rest.length} smaller part${rest.length === 1 ? '' : 's'}, together ${formats.percent(share)}`,
    lines: [
      ...rulerLine(direction),
      ...ownLine(direction),
      ...hookLine(direction),
      ...payerLines(direction),
      ...otherLine(direction),
    ],
  };
}

/** Below so many samples a table of parts would be a table of chances. */
const FEW = 100;

function rulerLine({ rulersDiffer, otherNs, nsPerPacket, ruler }: ProfileDirection): string[] {
  if (!rulersDiffer || otherNs === null || nsPerPacket === null) return [];
  const by = ruler === 'net_rx' ? 'the samples alone' : "the probe's time of NET_RX";
  return [`Two rulers differ: by ${by} it would be ${formats.ns(otherNs)} per packet.`];
}

/** Of the same samples findings say shares that are larger by as much. */
function ownLine({ parts }: ProfileDirection): string[] {
  const own = parts.find(({ part }) => part === OWN_PART)?.share ?? 0;
  return own < LEAST_OWN ? [] : [`${formats.percent(own)} is pktcost itself, which the shares in findings leave out.`];
}

function hookLine({ netfilter }: ProfileDirection): string[] {
  const told = netfilter.filter(({ share }) => share >= LEAST_SHARE);
  if (told.length === 0) return [];
  return [
    `Netfilter by hook: ${told
      .slice(0, 6)
      .map(({ hook, engine, share }) => `${hook} ${engine === 'other' ? 'hooks' : engine} ${formats.percent(share)}`)
      .join(', ')}.`,
  ];
}

function payerLines({ processes, programs }: ProfileDirection): string[] {
  const told = processes.filter(({ share }) => share >= LEAST_SHARE).slice(0, 5);
  const ran = programs.filter(({ share }) => share >= LEAST_SHARE).slice(0, 5);
  const processWords = ({ name, id, share }: (typeof told)[number]): string =>
    `${processText({ comm: unlessUnnamed(name), pid: id })} ${formats.percent(share)}`;
  const programWords = ({ name, id, share }: (typeof ran)[number]): string =>
    `${unlessUnnamed(name)} (id ${id}) ${formats.percent(share)}`;
  return [
    ...(told.length === 0 ? [] : [`Paid by ${told.map(processWords).join(', ')}.`]),
    ...(ran.length === 0 ? [] : [`BPF programs on the way: ${ran.map(programWords).join(', ')}.`]),
  ];
}

function unlessUnnamed(name: string): string {
  return name === '' ? 'unnamed' : name;
}

function otherLine({ other, parts }: ProfileDirection): string[] {
  const share = parts.find(({ part }) => part === 'other')?.share ?? 0;
  if (share < LEAST_SHARE) return [];
  return [
    `Of no part: ${other
      .slice(0, 5)
      .map(({ stack }) => stack)
      .join(', ')}.`,
  ];
}

/** How the samples were taken, or why there are none. */
export function samplingWords(profile: Profile, machine: string | null): string {
  const { reason, clock, periodNs, cpus, lost, ownNs, seconds } = profile;
  if (reason !== null || periodNs === null) return `Not sampled: ${reason ?? 'no reason given'}.`;
  const clockWords =
    clock !== 'cycles'
      ? 'a timer, which under-counts what runs with interrupts off'
      : machine === 'aarch64'
        ? 'the cycle counter, which under-counts what runs with interrupts off unless the kernel has pseudo-NMIs'
        : 'the cycle counter';
  const own =
    ownNs === null || seconds === null || cpus === null
      ? ''
      : `; sampling took ${formats.percent(ownNs / 1e9 / seconds / Math.max(cpus, 1))} of the CPUs`;
  const missed = lost === null || lost === 0 ? '' : `; ${howMany(lost, 'samples')} lost`;
  return `Sampled every ${formats.ns(periodNs)} on ${howMany(cpus ?? 0, 'CPUs')} by ${clockWords}${missed}${own}.`;
}
