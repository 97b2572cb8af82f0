import {
  cpuSeconds,
  profileCpus,
  profileDeviceSamples,
  profilePeriod,
  profileSamples,
  profileSeconds,
  receivePackets,
  softnetProcessed,
  spanPackets,
  spanUnmarked,
  transmitPackets,
} from '../../src/metrics/catalogue/index.ts';
import type { Cell } from './window.ts';

interface Path {
  readonly direction?: 'receive' | 'transmit' | 'socket';
  /** Received and sent per second. */
  readonly packets?: number;
  /** Of profile; ten, as of the window, when not given. */
  readonly sampled?: number;
}

/** A window of ten seconds with samples of a millisecond: 1,000 of them are a tenth of a CPU. */
export function pathCells(
  parts: Readonly<Record<string, number>>,
  { direction = 'receive', packets = 10_000, sampled = 10 }: Path = {},
): Cell[] {
  return [
    [profilePeriod, { clock: 'cpu-clock' }, 0.001, 0.001],
    [profileSeconds, {}, 0, sampled],
    ...Object.entries(parts).map(([part, samples]): Cell => [
      profileSamples,
      { direction, cpu: '0', part },
      0,
      samples,
    ]),
    [softnetProcessed, { cpu: '0' }, 1000, 1000 + packets * 10],
    [receivePackets, { device: 'eth0' }, 0, packets * 10],
    [transmitPackets, { device: 'eth0' }, 500, 500 + packets * 10],
    [cpuSeconds, { cpu: '0', mode: 'idle' }, 0, 10],
    [cpuSeconds, { cpu: '1', mode: 'idle' }, 0, 10],
  ];
}

export const frameCells = (name: string, packets: number): Cell => [receivePackets, { device: name }, 0, packets * 10];

/**
 * What a device received per second, and the samples of its packets by part.
 *
 * @param unmarked of its packets those that came while samples were of no device; null where that is not told
 */
export const deviceCells = (
  name: string,
  packets: number,
  parts: Readonly<Record<string, number>>,
  unmarked: number | null = 0,
): Cell[] => [
  ...Object.entries(parts).map(([part, samples]): Cell => [
    profileDeviceSamples,
    { direction: 'receive', device: name, part },
    0,
    samples,
  ]),
  [spanPackets, { device: name }, 0, packets * 10],
  ...(unmarked === null ? [] : [[spanUnmarked, { device: name }, null, unmarked] satisfies Cell]),
  frameCells(name, packets),
];

/** The same with the profile's counts fallen below what they were. */
export function pathReset(part: string): Cell[] {
  return [
    ...pathCells({ udp: 3000 }).filter(([metric]) => metric !== profileSamples),
    [profileSamples, { direction: 'receive', cpu: '0', part }, 9000, 10],
  ];
}

interface Lacking {
  readonly name: string;
  readonly cells: Cell[];
  readonly failed?: Readonly<Record<string, { readonly path: string; readonly reason: string }>>;
  readonly outcome: 'not-measured';
  readonly missing: RegExp;
}

/** The cases that every rule about parts has: it says nothing without a profile, of one that began anew, or of too few samples. */
export function pathLacking(part: string): readonly Lacking[] {
  return [
    {
      name: 'a profile that began anew in the window',
      cells: pathReset(part),
      outcome: 'not-measured',
      missing: /reset/,
    },
    {
      name: 'no profile, and why',
      cells: pathCells({}).filter(([{ collector }]) => collector !== 'profile'),
      failed: { profile: { path: 'profile', reason: 'symbols are hidden: kernel.kptr_restrict is 2' } },
      outcome: 'not-measured',
      missing: /kptr_restrict/,
    },
    {
      name: 'a profile that began late on a busy host, and met few packets',
      cells: pathCells({ [part]: 60, gro: 10 }, { sampled: 0.1, packets: 16_000 }),
      outcome: 'not-measured',
      missing: /70 samples|fewer than 100 samples/,
    },
    {
      name: 'fewer packets than the report prices one by',
      cells: pathCells({ [part]: 6000, gro: 3000 }, { packets: 90 }),
      outcome: 'not-measured',
      missing: /only 900 packets in the window, too few to price one/,
    },
    {
      name: 'a profile that had a clock on some CPUs only, which clears nothing',
      cells: [
        ...pathCells({ ip: 300 }),
        [profileCpus, { state: 'sampled' }, null, 3],
        [profileCpus, { state: 'online' }, null, 8],
      ],
      outcome: 'not-measured',
      missing: /only 3 of 8 CPUs were sampled/,
    },
    {
      name: 'a profile that never began',
      cells: pathCells({}, { sampled: 0 }),
      outcome: 'not-measured',
      missing: /did not sample/,
    },
  ];
}
