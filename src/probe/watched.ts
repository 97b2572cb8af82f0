/** One device under watch: its own copy of the programs, its hooks, and the reading of its counts. */
import { askInNamespace } from '../ffi/namespaces.ts';
import { variables } from '../generated/kernel-layout.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { driverOf } from '../ffi/ethtool.ts';
import type { DeviceFacts } from './facts.ts';
import { readMoments, readSpan, SPAN_BYTES, SLOTS, type CpuState } from './layout.ts';
import {
  AttachType,
  XdpFlags,
  XDP_HAS_FRAGS,
  type Libbpf,
  type LinkFd,
  type LoadedObject,
  type MapFd,
  type OpenObject,
  type ProgramFd,
} from './libbpf.ts';
import type { ObjectName } from './objects.ts';
import type { AttachPlan, PlanStep } from './plan.ts';
import type { SpanHistogram } from '../readings/histogram.ts';
import type { AttachStatus, DeviceReading, SpanReading, XdpMode } from '../readings/reading.ts';
import type { WholeCount } from './rest-counts.ts';
import { attachTc, attachTcxAgain, type TcDirection, type TcAttachment } from './tc.ts';

export interface DeviceWorkshop {
  readonly bpf: Libbpf;
  readonly cpus: MapFd;
  /** The switch of bpf/span.h, one for all programs. */
  readonly resting: MapFd;
  readonly stackEvery: number;
  object(name: ObjectName): Result<Buffer>;
  report(status: AttachStatus): void;
}

export function every(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The first failure of a list of steps, each run only if the ones before went well. */
export function inOrder(...steps: (() => Result<unknown>)[]): Result<void> {
  for (const step of steps) {
    const done = step();
    if (!done.ok) return done;
  }
  return ok(undefined);
}

export class WatchedDevice {
  readonly facts: DeviceFacts;
  readonly slot: number;
  readonly #shop: DeviceWorkshop;
  readonly #object: LoadedObject;
  readonly tc: TcAttachment[] = [];
  readonly programs: ProgramFd[] = [];
  xdp: { readonly mode: XdpMode; readonly link: LinkFd } | undefined;
  /** The link comes or goes, and the kernel's lock of all devices is held: nothing is asked meanwhile. */
  #changing = false;
  #absent: string | undefined;
  /** Why it could not be attached again. */
  #lost: string | undefined;
  /** Of a time in which nothing is timed. */
  #still: { readonly epoch: number; readonly taps: Result<SpanHistogram> } | undefined;

  private constructor(shop: DeviceWorkshop, facts: DeviceFacts, slot: number, object: LoadedObject) {
    this.#shop = shop;
    this.facts = facts;
    this.slot = slot;
    this.#object = object;
  }

  /** Loads and attaches what the plan says. A stack span that fails leaves the taps span standing. */
  static async attach(shop: DeviceWorkshop, plan: AttachPlan, slot: number): Promise<WatchedDevice | undefined> {
    const taps = plan.steps.find((step) => step.span === 'taps');
    const stack = plan.steps.find((step) => step.span === 'stack');
    const say = (step: PlanStep, reason?: string): void => {
      shop.report({
        target: plan.device.name,
        netns: plan.device.netns.id,
        span: step.span,
        hook: step.hook,
        attached: reason === undefined,
        ...(reason !== undefined && { reason }),
      });
    };
    if (taps?.decision !== 'attach') {
      if (taps) say(taps, taps.reason);
      if (stack) say(stack, stack.reason);
      return undefined;
    }
    const how = taps.hook === 'clsact' ? 'clsact' : 'tcx';
    if (stack && stack.decision !== 'attach') say(stack, stack.reason);
    const wantsStack = stack?.decision === 'attach';
    let device = await WatchedDevice.#load(shop, plan.device, slot, wantsStack ? stack : undefined);
    if (!device.ok && wantsStack) {
      say(stack, device.reason);
      device = await WatchedDevice.#load(shop, plan.device, slot, undefined);
    } else if (device.ok && wantsStack) {
      const attached = device.value.#attachStack(how, stack.mode === 'native' ? 'native' : 'generic');
      say(stack, attached.ok ? undefined : attached.reason);
    }
    if (!device.ok) {
      say(taps, device.reason);
      return undefined;
    }
    const attached = device.value.#attachTc(how, 'ingress', 'pktcost_in');
    say(taps, attached.ok ? undefined : attached.reason);
    return device.value;
  }

  static async #load(
    shop: DeviceWorkshop,
    facts: DeviceFacts,
    slot: number,
    stack: PlanStep | undefined,
  ): Promise<Result<WatchedDevice>> {
    if (slot >= SLOTS) return fail(`only ${String(SLOTS)} devices are watched at once`);
    const bytes = shop.object(stack ? 'stack' : 'device');
    if (!bytes.ok) return bytes;
    const prepare =
      (flags: number) =>
      (object: OpenObject): Result<void> =>
        inOrder(
          () => object.expectValueSize('pktcost_taps', SPAN_BYTES),
          () => object.shareMap('pktcost_cpus', shop.cpus),
          () => object.shareMap('pktcost_resting', shop.resting),
          () => object.setValue(variables.slot.section, every(slot)),
          ...(stack
            ? [
                (): Result<void> => object.expectValueSize('pktcost_stack_in', SPAN_BYTES),
                (): Result<void> => object.setValue(variables.stackEvery.section, every(shop.stackEvery)),
                (): Result<void> => (flags === 0 ? ok(undefined) : object.setFlags('pktcost_xdp', flags)),
              ]
            : []),
        );
    // With fragments a driver takes jumbo frames and keeps TSO on the peer (5.18); without, older kernels load it too.
    const wanted = stack?.mode === 'native' ? [XDP_HAS_FRAGS, 0] : [0];
    let refused: Result<WatchedDevice> = fail('not tried');
    for (const flags of wanted) {
      const loaded = await shop.bpf.loadObject('pktcost', bytes.value, prepare(flags));
      if (loaded.ok) return ok(new WatchedDevice(shop, facts, slot, loaded.value));
      refused = loaded;
    }
    return refused;
  }

  #attachTc(how: 'tcx' | 'clsact', direction: TcDirection, name: string): Result<void> {
    const program = this.#object.program(name);
    if (!program.ok) return program;
    const { netns, ifindex } = this.facts;
    const attached = attachTc(this.#shop.bpf, how, netns, ifindex, direction, program.value);
    if (!attached.ok) return attached;
    this.tc.push(attached.value);
    this.programs.push(program.value);
    return ok(undefined);
  }

  #attachStack(how: 'tcx' | 'clsact', mode: XdpMode): Result<void> {
    const egress = this.#attachTc(how, 'egress', 'pktcost_out');
    if (!egress.ok) return egress;
    const program = this.#object.program('pktcost_xdp');
    if (!program.ok) return program;
    const { netns, ifindex } = this.facts;
    const link = askInNamespace(netns.path, () =>
      this.#shop.bpf.linkCreate(program.value, ifindex, AttachType.xdp, XdpFlags[mode]),
    );
    if (!link.ok) return link;
    this.xdp = { mode, link: link.value };
    this.programs.push(program.value);
    return ok(undefined);
  }

  links(): LinkFd[] {
    const links = this.tc.flatMap((attachment) => (attachment.link === undefined ? [] : [attachment.link]));
    return this.xdp ? [this.xdp.link, ...links] : links;
  }

  /** Whether the program may be away for a while: see tc-rests.ts. */
  get canRest(): boolean {
    const [only] = this.tc;
    return !this.xdp && this.tc.length === 1 && only?.link !== undefined;
  }

  async detachForRest(): Promise<void> {
    const [attachment] = this.tc;
    if (attachment?.link === undefined) return;
    const { link, ...without } = attachment;
    this.tc[0] = without;
    this.#changing = true;
    await this.#shop.bpf.closeLinkAside(link);
    this.#changing = false;
  }

  async attachAfterRest(): Promise<Result<void>> {
    const [[attachment], [program]] = [this.tc, this.programs];
    if (attachment === undefined || program === undefined) return fail('nothing is attached');
    this.#changing = true;
    const attached = await attachTcxAgain(this.#shop.bpf, attachment, program);
    this.#changing = false;
    if (attached.ok) this.tc[0] = attached.value;
    this.#lost = attached.ok ? undefined : `the TC program could not be attached again: ${attached.reason}`;
    return this.#lost === undefined ? ok(undefined) : fail(this.#lost);
  }

  setStackEvery(value: number): Result<void> {
    if (!this.xdp) return ok(undefined);
    const map = this.#object.map(variables.stackEvery.section);
    return map.ok ? this.#shop.bpf.writeOnly(map.value, every(value)) : map;
  }

  /** `still` numbers a time in which the tracepoints are away: the taps span is then read once. `whole`: it rested at times. */
  read(
    cpus: readonly CpuState[],
    { sampleEvery, stackEvery, still }: { sampleEvery: number; stackEvery: number; still: number | undefined },
    { whole, unmarked }: { whole: WholeCount | undefined; unmarked: number },
    gaps: string[],
  ): DeviceReading {
    const spans: SpanReading[] = [];
    const add = (map: string, span: SpanReading['span'], mode: SpanReading['mode'], sampled: number): void => {
      const histogram = span === 'taps' ? this.#tapsAt(still) : this.#readSpan(map);
      if (histogram.ok) spans.push({ span, mode, sampleEvery: sampled, ...histogram.value });
      else gaps.push(`${this.facts.name} ${span}: ${histogram.reason}`);
    };
    if (this.tc.some((attachment) => attachment.direction === 'ingress'))
      add('pktcost_taps', 'taps', 'tracepoint', sampleEvery);
    if (this.xdp) {
      add('pktcost_stack_in', 'stack', this.xdp.mode, stackEvery);
      add('pktcost_stack_out', 'forward', this.xdp.mode, stackEvery);
    }
    const packetsByCpu = whole?.byCpu ?? cpus.map((cpu) => cpu.packets[this.slot] ?? 0);
    if (!this.#changing) this.#absent = this.#absence();
    const absence = this.#absent;
    return {
      device: this.facts.name,
      ifindex: this.facts.ifindex,
      netns: this.facts.netns.id,
      present: absence === undefined,
      ...(absence !== undefined && { note: absence }),
      packets: packetsByCpu.reduce((sum, packets) => sum + packets, 0),
      packetsByCpu,
      ...(whole !== undefined && { counted: whole.counted, packetsError: whole.error }),
      ...(unmarked > 0 && { unmarked }),
      spans,
    };
  }

  #tapsAt(still: number | undefined): Result<SpanHistogram> {
    if (still === undefined) return this.readTaps();
    if (this.#still?.epoch !== still) this.#still = { epoch: still, taps: this.readTaps() };
    return this.#still.taps;
  }

  /** The taps span alone, without its buckets. */
  timed(): Pick<DeviceReading, 'device' | 'ifindex' | 'netns' | 'spans'> {
    const { name, ifindex, netns } = this.facts;
    const taps = this.#readSpan('pktcost_taps', readMoments);
    const spans = taps.ok ? [{ span: 'taps', mode: 'tracepoint', sampleEvery: 0, ...taps.value } as const] : [];
    return { device: name, ifindex, netns: netns.id, spans };
  }

  readTaps(): Result<SpanHistogram> {
    return this.#readSpan('pktcost_taps');
  }

  #readSpan(name: string, decode = readSpan): Result<SpanHistogram> {
    const map = this.#object.map(name);
    if (!map.ok) return map;
    const cpus = this.#shop.bpf.possibleCpus;
    const bytes = Buffer.allocUnsafeSlow(SPAN_BYTES * cpus);
    const read = this.#shop.bpf.lookupOnly(map.value, bytes);
    return read.ok ? ok(decode(bytes, cpus)) : read;
  }

  /** Why no more packets will be counted here, if so. */
  #absence(): string | undefined {
    const ingress = this.tc.find((attachment) => attachment.direction === 'ingress');
    if (!ingress) return 'nothing is attached';
    const gone = 'the device has gone; what it counted before stands';
    if (ingress.link === undefined) {
      // A filter goes with its device and tells nobody; a device without a driver's name still answers, with EOPNOTSUPP.
      const asked = askInNamespace(this.facts.netns.path, () => driverOf(this.facts.name));
      return !asked.ok && asked.errno === 'ENODEV' ? gone : this.#lost;
    }
    const ifindex = this.#shop.bpf.linkIfindex(ingress.link);
    if (!ifindex.ok) return ifindex.reason;
    return ifindex.value === 0 ? gone : undefined;
  }

  close(): void {
    this.#object.close();
  }
}
