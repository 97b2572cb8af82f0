/**
 * The price of taps on transmit without fentry (bpf/transmit.bpf.c): the host's devices by slot, the spans of each, and how many
 * packets went by. Its tracepoints are there only while some device has a tap; they run for every packet that is sent.
 */
import { variables, xmitLayout } from '../generated/kernel-layout.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { WAYS, type ProbeReading, type TransmitReading, type WayReading } from '../readings/reading.ts';
import type { DeviceFacts } from './facts.ts';
import { readMoments, readSpan, SLOTS, SPAN_BYTES } from './layout.ts';
import type { Libbpf, LoadedObject, MapFd } from './libbpf.ts';
import { SentStrata, type SentClock, type SentMoment } from './sent-strata.ts';
import { every, inOrder, type DeviceWorkshop } from './watched.ts';

/** What ends a span before what begins one. */
export const TRANSMIT_PROGRAMS = ['pktcost_left', 'pktcost_start', 'pktcost_dequeue', 'pktcost_queue'];

/** Two of them for a packet that goes straight to the driver, and what follows it; four through a queue. */
export const TRANSMIT_RUNS_PER_PACKET = 3;

type Shop = Pick<DeviceWorkshop, 'bpf' | 'cpus' | 'resting' | 'object'>;
type Sender = Pick<DeviceFacts, 'name' | 'ifindex' | 'netns' | 'qdisc'>;

const keyOf = ({ netns, ifindex }: TransmitReading): string => `${netns}/${ifindex}`;

export class TransmitSpans {
  readonly #bpf: Libbpf;
  readonly object: LoadedObject;
  readonly #spans: MapFd;
  readonly #outs: MapFd;
  readonly #cpus: MapFd;
  readonly #senders: readonly Sender[];
  #strata: SentStrata | undefined;

  private constructor(bpf: Libbpf, object: LoadedObject, maps: readonly MapFd[], senders: readonly Sender[]) {
    this.#bpf = bpf;
    this.object = object;
    [this.#spans, this.#outs, this.#cpus] = maps as [MapFd, MapFd, MapFd];
    this.#senders = senders;
  }

  /** Loads the programs for these devices, as many as there are slots; one more is for calibration. Attaches nothing. */
  static async load(shop: Shop, all: readonly Sender[], sampleEvery: number): Promise<Result<TransmitSpans>> {
    const bytes = shop.object('transmit');
    if (!bytes.ok) return bytes;
    const senders = all.slice(0, SLOTS - 1);
    const object = await shop.bpf.loadObject('pktcost', bytes.value, (open) =>
      inOrder(
        () => open.expectValueSize('pktcost_sent', SPAN_BYTES),
        () => open.expectValueSize('pktcost_xmits', xmitLayout.bytes),
        () => open.shareMap('pktcost_cpus', shop.cpus),
        () => open.shareMap('pktcost_resting', shop.resting),
        () => open.setEntries('pktcost_sent', (senders.length + 1) * WAYS.length),
        () => open.setValue(variables.sampleEvery.section, every(sampleEvery)),
      ),
    );
    if (!object.ok) return object;
    const maps: MapFd[] = [];
    for (const name of ['pktcost_sent', 'pktcost_outs', 'pktcost_xmits']) {
      const map = object.value.map(name);
      if (!map.ok) return map;
      maps.push(map.value);
    }
    const spans = new TransmitSpans(shop.bpf, object.value, maps, senders);
    for (const [slot, sender] of senders.entries()) {
      const noted = spans.#note(sender, slot);
      if (!noted.ok) return noted;
    }
    return ok(spans);
  }

  #note({ ifindex, netns }: Pick<Sender, 'ifindex' | 'netns'>, slot: number): Result<void> {
    const inode = Number(netns.id);
    if (!Number.isInteger(inode)) return fail('the number of its network namespace is not known');
    const key = Buffer.alloc(8);
    key.writeUInt32LE(ifindex, 0);
    key.writeUInt32LE(inode, 4);
    return this.#bpf.write(this.#outs, key, every(slot));
  }

  setEvery(value: number): Result<void> {
    const map = this.object.map(variables.sampleEvery.section);
    return map.ok ? this.#bpf.writeOnly(map.value, every(value)) : map;
  }

  /** Its programs are attached. */
  begin(clock: SentClock): void {
    this.#strata = new SentStrata(this.#moment(this.timed(), clock));
  }

  /** At the end of a slice, and before samples stand for more packets. */
  closeStratum(clock: SentClock): void {
    this.#strata?.close(this.#moment(this.timed(), clock));
  }

  #moment(devices: readonly TransmitReading[], clock: SentClock): SentMoment {
    const counts = devices.map(
      (device) => [keyOf(device), device.ways.reduce((sum, { count }) => sum + count, 0)] as const,
    );
    return { ...clock, counts: new Map(counts) };
  }

  read(
    gaps: string[],
    clock: SentClock,
  ): Required<Pick<ProbeReading, 'transmit' | 'transmitCalls'>> & Pick<ProbeReading, 'transmitWholeNs'> {
    const devices = this.#devices(gaps, readSpan);
    const whole = this.#strata?.whole(this.#moment(devices, clock));
    const transmitCalls = this.#calls(gaps);
    if (whole === undefined) return { transmit: devices, transmitCalls };
    const transmit = devices.map((device) => ({ ...device, packets: whole.packets.get(keyOf(device)) ?? 0 }));
    return { transmit, transmitCalls, transmitWholeNs: whole.nanoseconds };
  }

  /** Without the buckets. */
  timed(): TransmitReading[] {
    return this.#devices([], readMoments);
  }

  #devices(gaps: string[], decode: typeof readSpan): TransmitReading[] {
    return this.#senders.flatMap((sender, slot): TransmitReading[] => {
      const ways = this.#readWays(slot, decode);
      if (!ways.ok) gaps.push(`${sender.name} transmit: ${ways.reason}`);
      const { name, ifindex, netns, qdisc = 'unknown' } = sender;
      return ways.ok ? [{ device: name, ifindex, netns: netns.id, queue: qdisc, ways: ways.value }] : [];
    });
  }

  #calls(gaps: string[]): number {
    const bytes = Buffer.allocUnsafeSlow(xmitLayout.bytes * this.#bpf.possibleCpus);
    const read = this.#bpf.lookupOnly(this.#cpus, bytes);
    if (!read.ok) gaps.push(`sent packets: ${read.reason}`);
    let calls = 0;
    for (let at = xmitLayout.calls; read.ok && at < bytes.length; at += xmitLayout.bytes)
      calls += Number(bytes.readBigUInt64LE(at));
    return calls;
  }

  #readWays(slot: number, decode = readSpan): Result<WayReading[]> {
    const ways: WayReading[] = [];
    for (const [index, way] of WAYS.entries()) {
      const bytes = Buffer.allocUnsafeSlow(SPAN_BYTES * this.#bpf.possibleCpus);
      const read = this.#bpf.lookup(this.#spans, every(slot * WAYS.length + index), bytes);
      if (!read.ok) return read;
      ways.push({ way, ...decode(bytes, this.#bpf.possibleCpus) });
    }
    return ok(ways);
  }

  /** A device outside the readings, in the slot that is left for it: see transmit-floor.ts. */
  watchForCalibration(device: Pick<Sender, 'ifindex' | 'netns'>): Result<() => Result<WayReading[]>> {
    const slot = this.#senders.length;
    const noted = this.#note(device, slot);
    return noted.ok ? ok(() => this.#readWays(slot)) : noted;
  }

  close(): void {
    this.object.close();
  }
}
