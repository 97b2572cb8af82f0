/** The end of a session: everything is detached, put back, and looked for. */
import { closeSync } from 'node:fs';
import { attachmentsOf, type Attached } from './attach.ts';
import { closeLinks } from './detach.ts';
import { offloadChanges, restoreOffloads } from './offloads.ts';
import { removeFilters, verifyRemoved } from './tc.ts';
import type { TcRests } from './tc-rests.ts';
import type { TransmitSpans } from './transmit.ts';

export interface CloseReport {
  /** Links are closed by all sessions: `done` is what was put back besides. */
  readonly links: { readonly closed: number; readonly of: number };
  readonly done: readonly string[];
  readonly problems: readonly string[];
  /** True when a look at the devices afterwards found nothing of ours. */
  readonly verified: boolean;
}

/** Detaches what a session attached, and looks whether it has gone. */
export async function detachAll(
  attached: Attached,
  { transmit, rests }: { readonly transmit: TransmitSpans | undefined; readonly rests: TcRests },
  deadlineMs: number,
): Promise<CloseReport> {
  const { bpf, tracepoints, devices, objects, heldNamespaces, exit, sockets, offloads: before } = attached;
  const problems: string[] = [];
  const done: string[] = [];
  const others = [...tracepoints.surrender(), ...attached.links];
  // What comes back just now is taken away with the others.
  const came = await rests.end(deadlineMs);
  const links = [...others, ...devices.flatMap((device) => device.links())];
  const hung = (await closeLinks(bpf, links, deadlineMs)) + (came ? 0 : 1);
  if (hung > 0) problems.push(`${String(hung)} detach(es) did not return within ${String(deadlineMs)} ms`);
  const attachments = attachmentsOf(devices);
  const filters = attachments.filter((attachment) => attachment.filter).length;
  problems.push(...removeFilters(bpf, attachments));
  if (filters > 0) done.push(`${String(filters)} clsact filter(s) removed`);
  exit.stop();
  for (const { xdp, facts } of devices) if (xdp) done.push(`XDP program (${xdp.mode}) taken off ${facts.name}`);
  // Looked at again, because a driver may change them a moment after the attach.
  const late = offloadChanges(devices.flatMap(({ xdp, facts }) => (xdp ? [facts] : [])));
  const known = new Set(before.map(({ facts }) => facts));
  const offloads = restoreOffloads([...before, ...late.filter(({ facts }) => !known.has(facts))]);
  done.push(...offloads.done);
  problems.push(...offloads.problems);
  const left = verifyRemoved(bpf, attachments);
  for (const device of devices) device.close();
  sockets?.close();
  transmit?.close();
  for (const object of objects) object.close();
  for (const fd of heldNamespaces) closeSync(fd);
  return {
    links: { closed: links.length - hung, of: links.length },
    done,
    problems: [...problems, ...left],
    verified: left.length === 0 && hung === 0,
  };
}
