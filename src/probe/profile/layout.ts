/** bpf/sampler.h seen from user space. */
import { chainLayout, sampleLayout } from '../../generated/kernel-layout.ts';
import { addressAt, type Address } from '../address.ts';

const FRAME_BYTES = 8;
export const CHAIN_BYTES = chainLayout.bytes;
const FRAMES = (CHAIN_BYTES - chainLayout.ips) / FRAME_BYTES;
export const SAMPLE_BYTES = sampleLayout.bytes;
export const COMM_BYTES = 16;

/** enum pktcost_sampler_count: the entries of pktcost_sampler_counts. */
export const COUNTS = ['samples', 'noStack', 'tableFull', 'ownNs'] as const;
export type SamplerCounts = Readonly<Record<(typeof COUNTS)[number], number>>;

export interface RawSample {
  /** Key of its chain, as it stands in the map. */
  readonly chain: string;
  readonly leaf: Address;
  readonly cpu: number;
  readonly pid: number;
  /** Slot of the device whose packet was taken up last; undefined when there was none. */
  readonly slot: number | undefined;
  readonly count: number;
}

export function readSample(key: Buffer, value: Buffer): RawSample {
  const slot = key.readUInt32LE(sampleLayout.slot);
  return {
    chain: key.toString('latin1', sampleLayout.chain, sampleLayout.chain + 8),
    leaf: addressAt(key, sampleLayout.leaf),
    cpu: key.readUInt32LE(sampleLayout.cpu),
    pid: key.readUInt32LE(sampleLayout.tgid),
    slot: slot === 0 ? undefined : slot - 1,
    count: Number(value.readBigUInt64LE(0)),
  };
}

/** The callers of a leaf, the nearest first. An address behind the call is the next function's when the call was the last thing. */
export function readChain(value: Buffer): readonly Address[] {
  const frames = Math.min(value.readUInt32LE(chainLayout.frames), FRAMES);
  const callers = chainLayout.ips + FRAME_BYTES;
  return Array.from(
    { length: Math.max(0, frames - 1) },
    (_, index) => addressAt(value, callers + index * FRAME_BYTES) - 1,
  );
}
