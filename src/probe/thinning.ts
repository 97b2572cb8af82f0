/** Fewer samples from now on, in all programs of a session alike. */
import { ok, type Result } from '../base/result.ts';
import { variables } from '../generated/kernel-layout.ts';
import type { Attached } from './attach.ts';
import { changeAll, type JointChange } from './changes.ts';
import type { LoadedObject } from './libbpf.ts';
import type { TransmitSpans } from './transmit.ts';
import { every } from './watched.ts';

interface Sampled extends Pick<Attached, 'bpf' | 'host' | 'softirq' | 'sockets' | 'devices'> {
  readonly transmit: TransmitSpans | undefined;
}

/** With some of them changed the counts would be taken for more than they stand for, or less: all are, or none. */
export function thinOut(
  { bpf, host, softirq, sockets, devices, transmit }: Sampled,
  { sampleEvery, stackEvery, netRxEvery }: Readonly<Record<'sampleEvery' | 'stackEvery' | 'netRxEvery', number>>,
  factor: number,
): Result<void> {
  const change = (from: number, set: JointChange['set']): JointChange => ({ from, to: from * factor, set });
  const write = (object: LoadedObject, section: string, value: number): Result<void> => {
    const map = object.map(section);
    return map.ok ? bpf.writeOnly(map.value, every(value)) : map;
  };
  return changeAll([
    change(sampleEvery, (value) => write(host, variables.sampleEvery.section, value)),
    change(netRxEvery, (value) => (softirq ? write(softirq, variables.netRxEvery.section, value) : ok(undefined))),
    change(sampleEvery, (value) => sockets?.setEvery(value) ?? ok(undefined)),
    change(sampleEvery, (value) => transmit?.setEvery(value) ?? ok(undefined)),
    ...devices.map((device) => change(stackEvery, (value) => device.setStackEvery(value))),
  ]);
}
