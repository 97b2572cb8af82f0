/** The answer of the reader's dump `profile`: plain JSON, the same live and from a bundle, where it is checked like any input. */
import { fail, ok, type Result } from '../base/result.ts';
import { directions, type Direction } from './direction.ts';

/**
 * `cpu-clock`: a timer, which fires late where interrupts are off. `cycles`: the CPU's own counter, by NMI; on arm64 only where the
 * kernel was started with irqchip.gicv3_pseudo_nmi=1 (drivers/irqchip/irq-gic-v3.c), else as late as the timer.
 */
export type ProfileClock = 'cpu-clock' | 'cycles';

export interface ProfileAnswer {
  readonly version: 1;
  readonly clock: ProfileClock;
  /** Nanoseconds of one CPU that a sample stands for. */
  readonly periodNs: number;
  /** How long it sampled; 0 at the first sample. */
  readonly seconds: number;
  /** CPUs that were sampled, of those online. */
  readonly cpus: number;
  readonly online: number;
  /** Samples taken in the kernel, on the way of a packet or not. */
  readonly samples: number;
  readonly lost: ProfileLost;
  /** What the sampler's program took, where the kernel counted it; null otherwise. */
  readonly ownNs: number | null;
  /** pktcost's own process. */
  readonly ownPid: number;
  readonly functions: readonly FunctionRow[];
  readonly stacks: readonly StackRow[];
  readonly processes: readonly { readonly pid: number; readonly comm: string }[];
  readonly programs: readonly ProgramRow[];
  readonly devices: readonly { readonly device: string; readonly netns: string }[];
}

export interface ProfileLost {
  /** No stack could be taken. */
  readonly stacks: number;
  /** The tables were full. */
  readonly table: number;
  /** Addresses that no symbol explains. */
  readonly symbols: number;
}

export interface FunctionRow {
  readonly name: string;
  /** Id of the BPF program that it is; null for the kernel's own functions. */
  readonly program: number | null;
}

export interface ProgramRow {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly own: boolean;
}

/** Samples that share a stack. It begins where its direction does. */
export interface StackRow {
  readonly direction: Direction;
  readonly cpu: number;
  /** 0 where no process pays: in a softirq. */
  readonly pid: number;
  /** Which of `devices` the packet came in by; null where that is not known. */
  readonly device: number | null;
  readonly samples: number;
  /** Which of `functions`, from the beginning to the leaf. */
  readonly functions: readonly number[];
}

/** As it stands in a dump: a list of numbers on as many lines would be most of a bundle. */
export function encodeProfile(answer: ProfileAnswer): unknown {
  return { ...answer, stacks: answer.stacks.map((row) => ({ ...row, functions: row.functions.join(' ') })) };
}

class MalformedStack extends Error {}

export function decodeProfile(answer: unknown): Result<ProfileAnswer> {
  try {
    return ok(profile(answer));
  } catch (error) {
    if (error instanceof MalformedStack) return fail(`malformed profile: ${error.message}`);
    throw error;
  }
}

function profile(answer: unknown): ProfileAnswer {
  const from = record(answer);
  if (from['version'] !== 1) throw new MalformedStack(`version ${String(from['version'])}, not 1`);
  const clock = from['clock'];
  if (clock !== 'cpu-clock' && clock !== 'cycles') throw new MalformedStack('no clock');
  const lost = record(from['lost']);
  const functions = list(from['functions'], ({ name, program }) => ({
    name: text(name),
    program: program === null ? null : count(program),
  }));
  const devices = list(from['devices'], ({ device, netns }) => ({ device: text(device), netns: text(netns) }));
  return {
    version: 1,
    clock,
    periodNs: positive(from['periodNs']),
    seconds: amount(from['seconds']),
    cpus: count(from['cpus']),
    online: count(from['online']),
    samples: count(from['samples']),
    lost: { stacks: count(lost['stacks']), table: count(lost['table']), symbols: count(lost['symbols']) },
    ownNs: from['ownNs'] === null ? null : amount(from['ownNs']),
    ownPid: count(from['ownPid']),
    functions,
    stacks: list(from['stacks'], (row) => ({
      direction: direction(row['direction']),
      cpu: count(row['cpu']),
      pid: count(row['pid']),
      device: row['device'] === null ? null : index(row['device'], devices.length),
      samples: count(row['samples']),
      functions: text(row['functions'])
        .split(' ')
        .map((each) => index(Number(each), functions.length)),
    })),
    processes: list(from['processes'], ({ pid, comm }) => ({ pid: count(pid), comm: text(comm) })),
    programs: list(from['programs'], ({ id, name, type, own }) => ({
      id: count(id),
      name: text(name),
      type: count(type),
      own: own === true,
    })),
    devices,
  };
}

type StackFields = Readonly<Record<string, unknown>>;

function record(value: unknown): StackFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedStack('no object');
  return value as StackFields;
}

function list<T>(value: unknown, row: (fields: StackFields) => T): readonly T[] {
  if (!Array.isArray(value)) throw new MalformedStack('no list');
  return value.map((each) => row(record(each)));
}

function amount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new MalformedStack('no amount');
  return value;
}

function positive(value: unknown): number {
  const number = amount(value);
  if (number === 0) throw new MalformedStack('a period of nothing');
  return number;
}

function count(value: unknown): number {
  const number = amount(value);
  if (!Number.isSafeInteger(number)) throw new MalformedStack('no count');
  return number;
}

function index(value: unknown, length: number): number {
  const number = count(value);
  if (number >= length) throw new MalformedStack('a reference to nothing');
  return number;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new MalformedStack('no text');
  return value;
}

function direction(value: unknown): Direction {
  const known = directions.find((each) => each === value);
  if (known === undefined) throw new MalformedStack('no direction');
  return known;
}
