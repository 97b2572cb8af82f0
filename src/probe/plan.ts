/**
 * Which hook goes on which device, decided from facts and before anything is touched: `doctor` prints this and changes nothing,
 * a session carries it out. Every decision has its reason and its price.
 */
import type { Capabilities } from './capabilities.ts';
import { driverRow, metadataOf, type DriverRow } from './drivers.ts';
import type { DeviceFacts } from './facts.ts';
import type { Hook, SpanName, XdpMode } from '../readings/reading.ts';
import { SLOTS } from './layout.ts';

export type TcChoice = 'auto' | 'tcx' | 'clsact';

export interface ProbeChoice {
  readonly probe: 'auto' | 'xdp' | 'taps' | 'off';
  readonly xdpMode?: XdpMode;
  readonly allowSystemChanges?: boolean;
  readonly tc?: TcChoice;
}

/** `skip`: not wanted here. `refused`: wanted, but impossible or not allowed. */
export type Decision = 'attach' | 'skip' | 'refused';

export interface PlanStep {
  readonly span: SpanName;
  readonly hook: Hook;
  readonly mode: XdpMode | 'tracepoint';
  readonly decision: Decision;
  readonly reason: string;
  readonly price: string;
  /** Measured on the development machine (bench/probe/README.md), per packet. */
  readonly priceNs?: number;
}

export interface AttachPlan {
  readonly device: DeviceFacts;
  readonly steps: readonly PlanStep[];
}

/** Their packets were stamped on the lower device and come back through another_round (__netif_receive_skb_core). */
const SECOND_ROUND = new Set(['vlan', 'bond', 'team', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap']);

const TAPS_PRICE =
  'two programs per packet (the tracepoint until enough are timed, a quarter of the time at most), the clock read on 1 packet in N; link, GRO and TSO untouched';
const NET_RX_PRICE =
  'two programs per softirq run a quarter of the time at most, one more per frame and poll a sixteenth, the clock read on 1 run in N';

export function planDevices(devices: readonly DeviceFacts[], choice: ProbeChoice, can: Capabilities): AttachPlan[] {
  let slots = 0;
  return devices.map((device) => {
    const taps = planTaps(device, choice, can, slots < SLOTS);
    if (taps.decision === 'attach') slots++;
    return { device, steps: [taps, planStack(device, choice, can, taps), planNetRx(choice, can)] };
  });
}

function chosenHook(choice: ProbeChoice, can: Capabilities): 'tcx' | 'clsact' {
  if (choice.tc === 'tcx' || choice.tc === 'clsact') return choice.tc;
  return can.tcx ? 'tcx' : 'clsact';
}

function planTaps(device: DeviceFacts, choice: ProbeChoice, can: Capabilities, slotFree: boolean): PlanStep {
  const hook = chosenHook(choice, can);
  const step = (decision: Decision, reason: string): PlanStep => ({
    span: 'taps',
    hook,
    mode: 'tracepoint',
    decision,
    reason,
    price: decision === 'attach' ? TAPS_PRICE : 'none',
    ...(decision === 'attach' && { priceNs: 40 }),
  });
  if (choice.probe === 'off') return step('skip', 'the probe is off');
  if (!can.btf) return step('refused', `this kernel gives no BTF, which tp_btf programs need (${can.source})`);
  if (choice.tc === 'tcx' && !can.tcx) return step('refused', 'this kernel has no TCX (6.6)');
  if (!device.up) return step('skip', 'the device is down: no packet, no span');
  if (device.kind !== undefined && SECOND_ROUND.has(device.kind))
    return step('skip', `a ${device.kind} device passes its lower device's packets on: they are measured there`);
  if (!slotFree) return step('skip', `only ${String(SLOTS)} devices are watched at once: name the one you mean`);
  const others = hook === 'tcx' ? device.tcxPrograms : device.filters;
  // Links can ask to be first; of two filters with the same priority the older one is (cls_bpf_change, tcf_proto lists).
  const order =
    hook === 'clsact' && device.firstPriority === 1
      ? 'go before ours: what they decide on is not seen by it'
      : 'stay, ours goes first';
  const there = others === undefined || others === 0 ? '' : `; ${String(others)} other program(s) ${order}`;
  // TCX comes before clsact (sch_handle_ingress): whatever their priority, filters are after ours.
  const after =
    hook === 'tcx' && device.filters > 0 ? `; ${String(device.filters)} clsact filter(s) stay, after ours` : '';
  const beside = there + after;
  const safe =
    hook === 'tcx'
      ? 'held by a link, gone with the process'
      : 'a clsact filter, removed on exit and by `doctor --clean`';
  return step('attach', `read-only TC program, ${safe}${beside}`);
}

function planNetRx(choice: ProbeChoice, can: Capabilities): PlanStep {
  const base = { span: 'net_rx', hook: 'softirq', mode: 'tracepoint' } as const;
  if (choice.probe === 'off') return { ...base, decision: 'skip', reason: 'the probe is off', price: 'none' };
  if (!can.btf)
    return { ...base, decision: 'refused', reason: `this kernel gives no BTF (${can.source})`, price: 'none' };
  return {
    ...base,
    decision: 'attach',
    reason: 'host-wide tracepoints softirq_entry and softirq_exit; napi_poll and napi_gro_receive_exit for the driver',
    price: NET_RX_PRICE,
    priceNs: 40,
  };
}

function planStack(device: DeviceFacts, choice: ProbeChoice, can: Capabilities, taps: PlanStep): PlanStep {
  const entry = driverRow(device.driver);
  const mode = choice.xdpMode ?? defaultMode(entry, can);
  const step = (decision: Decision, reason: string, price: string): PlanStep => ({
    span: 'stack',
    hook: 'xdp',
    mode,
    decision,
    reason,
    price,
  });
  if (choice.probe === 'off') return step('skip', 'the probe is off', 'none');
  if (choice.probe === 'taps') return step('skip', 'only taps were asked for', 'none');
  if (taps.decision !== 'attach') return step(taps.decision, `needs the TC program: ${taps.reason}`, 'none');
  if (device.xdp)
    return step(
      'refused',
      `an XDP program is there (${device.xdp.mode}, id ${device.xdp.programs.map(({ id }) => id).join(', ')}) and is never replaced`,
      'none',
    );
  if (device.upperHasXdp)
    return step('refused', 'its upper device has an XDP program: the kernel refuses a second one', 'none');
  return mode === 'native' ? planNative(device, choice, can, entry, step) : planGeneric(device, choice, entry, step);
}

type Step = (decision: Decision, reason: string, price: string) => PlanStep;

function quietNative(entry: DriverRow | undefined, can: Capabilities): boolean {
  return entry?.effect === 'none' && metadataOf(entry, can.kernel) === 'kept';
}

function defaultMode(entry: DriverRow | undefined, can: Capabilities): XdpMode {
  return quietNative(entry, can) ? 'native' : 'generic';
}

function planNative(
  device: DeviceFacts,
  choice: ProbeChoice,
  can: Capabilities,
  entry: DriverRow | undefined,
  step: Step,
): PlanStep {
  const allowed = choice.allowSystemChanges === true;
  if (entry === undefined) {
    const who = `driver ${device.driver ?? 'unknown'} is not in the table: what attaching does to it is not known`;
    return allowed
      ? step('attach', `${who}; allowed`, 'unknown')
      : step('refused', `${who}; --allow-system-changes tries it`, 'none');
  }
  const does = `${entry.driver} ${entry.does} (${entry.source})`;
  if (entry.effect === 'unavailable') return step('refused', does, 'none');
  const metadata = metadataOf(entry, can.kernel);
  if (metadata !== 'kept') {
    const why =
      metadata === 'refused'
        ? 'has no room for a stamp in front of the packet'
        : 'does not carry the stamp on to the sk_buff';
    return step('refused', `on ${can.kernel} ${entry.driver} ${why}`, 'none');
  }
  if (entry.maxMtu !== undefined && device.mtu > entry.maxMtu && entry.driver !== 'veth')
    return step(
      'refused',
      `MTU ${String(device.mtu)} is above what ${entry.driver} takes with XDP (${String(entry.maxMtu)})`,
      'none',
    );
  if (entry.effect === 'none') return step('attach', does, 'one program per packet; no effect on link or offloads');
  if (allowed) return step('attach', `${does}; allowed`, `${entry.does}, at attach and at detach`);
  return step('refused', `${does}: needs --allow-system-changes`, 'none');
}

/**
 * Generic XDP switches GRO off for the device while it is there (netif_elide_gro), copies every packet that is not linear
 * (netif_skb_check_for_xdp), and clears LRO and hardware GRO for good (generic_xdp_install). On veth that took TCP bulk to
 * well below the required 0.97 of its throughput, sampled or not (bench/probe/README.md), so `auto` never takes it.
 */
function planGeneric(device: DeviceFacts, choice: ProbeChoice, entry: DriverRow | undefined, step: Step): PlanStep {
  const price = 'GRO off and packets made linear on this device while it lasts';
  if (choice.probe === 'auto' && choice.xdpMode === undefined) {
    const native = entry === undefined ? 'its driver is not in the table' : `native XDP: ${entry.driver} ${entry.does}`;
    return step('skip', `generic XDP turns GRO off and copies packets; ${native}; --probe xdp attaches it`, 'none');
  }
  const cleared = ['rx-lro', 'rx-gro-hw'].filter((feature) => device.features?.[feature] === true);
  if (cleared.length > 0 && choice.allowSystemChanges !== true)
    return step(
      'refused',
      `generic XDP clears ${cleared.join(' and ')}, which may reset the device: needs --allow-system-changes`,
      'none',
    );
  const restored = cleared.length > 0 ? `; ${cleared.join(' and ')} are cleared, and put back afterwards` : '';
  return step('attach', `generic XDP, asked for${restored}`, price);
}
