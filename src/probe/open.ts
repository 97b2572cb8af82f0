/** Opens the probe of a host: the one that measures, or the one that says why there is none. */
import { fail, type Result } from '../base/result.ts';
import { AbsentProbe } from './absent.ts';
import type { HostProbe } from './host-probe.ts';
import { loadLibbpf } from './libbpf.ts';
import { LiveProbe, type ProbedWindow } from './live.ts';
import { findObjects } from './objects.ts';
import { planLines, planProbe, type PlanningOptions, type ProbePlanning } from './planning.ts';
import { ProfileDump } from './profile/dump.ts';
import { Sampler } from './profile/sampler.ts';
import { lackingFor } from './privilege.ts';
import { openSession, type ProbeSession } from './session.ts';
import type { KernelSymbols } from './symbols.ts';

export interface HostProbeOptions extends PlanningOptions, ProbedWindow {
  /** Whether a packet socket fills a ring. */
  readonly rings?: boolean;
  readonly symbols: KernelSymbols;
  /** Why `probe` is off, where nobody asked for that. */
  readonly whyOff?: string;
}

/** Never fails: what cannot be attached is a reason in the report. */
export async function openHostProbe(options: HostProbeOptions): Promise<HostProbe> {
  const without = (status: 'off' | 'not-measured', reason: string): HostProbe =>
    new AbsentProbe({ status, reason, plan: [], refused: false }, new ProfileDump(fail(reason)));
  if (options.probe === 'off') return without('off', options.whyOff ?? 'the probe was not asked for (--probe off)');
  const lacking = lackingFor('attaching eBPF programs');
  if (lacking !== undefined) return without('not-measured', lacking);
  const planned = planProbe(options);
  if (!planned.ok) return without('not-measured', planned.reason);
  const planning = planned.value;
  const { plans, capabilities } = planning;
  const { rings = false, procfs } = options;
  const session = await openSession({ plans, capabilities, sockets: true, rings, procfs });
  const profile = new ProfileDump(await openSampler(options, planning, session.ok ? session.value : undefined));
  if (session.ok) return LiveProbe.settle(options, planning, session.value, profile);
  const { reason } = session;
  return new AbsentProbe({ status: 'not-measured', reason, plan: planLines(planning), refused: true }, profile);
}

/** It needs neither BTF nor a device, and gets on without a session. */
async function openSampler(
  { procfs, symbols, sysfs, windowSeconds, overhead }: HostProbeOptions,
  { netnsNames }: ProbePlanning,
  session: ProbeSession | undefined,
): Promise<Result<Sampler>> {
  const bpf = loadLibbpf();
  if (!bpf.ok) return bpf;
  const objects = findObjects();
  if (!objects.ok) return objects;
  return Sampler.open({
    ...{ bpf: bpf.value, objects: objects.value, procfs, symbols, sysfs, windowSeconds, overhead },
    ...{ cpus: session?.cpus, home: session?.home },
    // Once the programs of the devices have left, whose packet a CPU has is no longer known.
    devices: () =>
      session === undefined || session.closed
        ? []
        : session.devices.map(({ slot, facts }) => ({
            slot,
            device: facts.name,
            netns: netnsNames[facts.netns.id] ?? '',
          })),
    ownPrograms: () => session?.programIds() ?? [],
  });
}
