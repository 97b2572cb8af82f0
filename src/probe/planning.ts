/** What can be attached to the host's devices, planned before anything is, and said again once it was. */
import { fail, ok, type Result } from '../base/result.ts';
import type { ProbePlan } from '../generated/report.ts';
import type { AttachStatus, DeviceReading } from '../readings/reading.ts';
import { readCapabilities, type Capabilities } from './capabilities.ts';
import { ownNetns, readDeviceFacts, type NetnsTarget } from './facts.ts';
import { planDevices, type AttachPlan, type ProbeChoice } from './plan.ts';

/** Everything that can be planned without touching the host: what `doctor` prints and `open` carries out. */
export interface ProbePlanning {
  readonly capabilities: Capabilities;
  readonly plans: readonly AttachPlan[];
  readonly netnsNames: Readonly<Record<string, string>>;
  readonly gaps: readonly string[];
}

export interface PlanningOptions extends ProbeChoice {
  /** Only these devices; empty for all. */
  readonly devices: readonly string[];
  /** Namespaces whose devices are probed besides those of the own one. */
  readonly namespaces: readonly { readonly name: string; readonly inode: number; readonly path: string }[];
  readonly sysfs: string;
  readonly procfs: string;
}

export function planProbe(options: PlanningOptions): Result<ProbePlanning> {
  const capabilities = readCapabilities(options.sysfs, options.procfs);
  const own = ownNetns();
  const netnsNames: Record<string, string> = { [own.id]: '' };
  const targets: NetnsTarget[] = [own];
  for (const { name, inode, path } of options.namespaces) {
    if (String(inode) in netnsNames) continue;
    netnsNames[String(inode)] = name;
    targets.push({ id: String(inode), path });
  }
  const gaps: string[] = [];
  const devices = targets.flatMap((target) => {
    const facts = readDeviceFacts(target, options.devices.length === 0 ? undefined : options.devices);
    if (!facts.ok)
      gaps.push(
        `devices of ${netnsNames[target.id] === '' ? 'this namespace' : (netnsNames[target.id] ?? '')}: ${facts.reason}`,
      );
    return facts.ok ? facts.value : [];
  });
  if (devices.length === 0 && gaps.length > 0) return fail(gaps.join('; '));
  return ok({ capabilities, plans: planDevices(devices, options, capabilities), netnsNames, gaps });
}

/** Where the namespace of a planned device is entered; undefined for the own one. */
export function pathOf({ plans, netnsNames }: ProbePlanning, netns: string): string | undefined {
  if (netnsNames[netns] === '') return undefined;
  return plans.find(({ device }) => device.netns.id === netns)?.device.netns.path;
}

/** The plan as the report and `doctor` show it. NET_RX is timed per CPU, not per device, and is said once. */
export function planLines({ plans, netnsNames }: ProbePlanning): ProbePlan[] {
  const lines = plans.flatMap(({ device, steps }) =>
    steps.map(({ span, hook, mode, decision, reason, price }) => ({
      netns: span === 'net_rx' ? '' : (netnsNames[device.netns.id] ?? ''),
      device: span === 'net_rx' ? '' : device.name,
      driver: span === 'net_rx' ? null : (device.driver ?? null),
      span,
      mode: mode === 'tracepoint' ? hook : mode,
      attach: decision === 'attach',
      reason,
      price,
    })),
  );
  const netRx = lines.find(({ span }) => span === 'net_rx');
  return [...lines.filter(({ span }) => span !== 'net_rx'), ...(netRx === undefined ? [] : [netRx])];
}

/** What became of the plan: the kernel may refuse what was planned, and only the attempt shows whether it permits fentry. */
export function asAttached(
  plan: readonly ProbePlan[],
  attach: readonly AttachStatus[],
  devices: readonly DeviceReading[],
  netnsNames: Readonly<Record<string, string>>,
): ProbePlan[] {
  const gone = devices.filter(({ present, note }) => !present && note !== undefined);
  const lines = plan.map((line) => {
    const refused = attach.find(
      ({ attached, span, target, netns = '' }) =>
        !attached &&
        span === line.span &&
        (span === 'net_rx' || (target === line.device && (netnsNames[netns] ?? '') === line.netns)),
    );
    if (!line.attach) return line;
    if (refused !== undefined) return { ...line, attach: false, reason: refused.reason ?? 'refused', price: 'none' };
    const left = gone.find(({ device, netns }) => device === line.device && (netnsNames[netns] ?? '') === line.netns);
    return left?.note === undefined ? line : { ...line, reason: `${line.reason}; ${left.note}` };
  });
  const sent = attach.find(({ span }) => span === 'transmit');
  if (sent !== undefined) lines.push(sentLine(sent));
  const sockets = attach.find(({ span }) => span === 'sockets');
  if (sockets === undefined) return lines;
  const reason = sockets.reason ?? 'fentry and fexit time each packet socket on its own';
  const price = sockets.attached ? 'two programs per packet and socket, the clock read on 1 packet in N' : 'none';
  const { attached } = sockets;
  const line = {
    netns: '',
    device: '',
    driver: null,
    span: 'sockets',
    mode: 'fentry',
    attach: attached,
    reason,
    price,
  };
  return [...lines, line];
}

/** Taps on transmit, where fentry does not time them: said only where there is a tap. */
function sentLine({ attached, reason }: AttachStatus): ProbePlan {
  return {
    ...{ netns: '', device: '', driver: null, span: 'transmit', mode: 'tracepoint', attach: attached },
    reason: reason ?? 'net_dev_queue, qdisc_dequeue and net_dev_xmit to net_dev_start_xmit: the taps on sent packets',
    price: attached ? 'two to four programs per packet sent, a quarter of the time at most' : 'none',
  };
}
