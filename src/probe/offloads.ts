/**
 * What attaching XDP did to offloads: seen after the attach, put back and verified after the detach. Of all devices of the plan
 * and not only of those with a program: on veth it is the peer whose segmentation offloads go (veth.c:veth_xdp_set).
 */
import { askInNamespace } from '../ffi/namespaces.ts';
import { isGone } from '../base/errno.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { changedFeatures, featuresOf, setFeatures, type Features } from './ethtool.ts';
import type { DeviceFacts } from './facts.ts';

export interface OffloadChange {
  readonly facts: DeviceFacts;
  /** As they were before. */
  readonly before: Features;
  readonly changed: readonly string[];
}

/** Offloads that are no longer what they were when the plan was made. */
export function offloadChanges(devices: readonly DeviceFacts[]): OffloadChange[] {
  return devices.flatMap((facts) => {
    const { features, name, netns } = facts;
    if (features === undefined) return [];
    const now = askInNamespace(netns.path, () => featuresOf(name));
    // A device that went in the meantime has nothing to put back.
    const changed = now.ok ? Object.keys(changedFeatures(features, now.value)) : [];
    return changed.length === 0 ? [] : [{ facts, before: features, changed }];
  });
}

export interface Restored {
  /** What is as it was before. */
  readonly done: readonly string[];
  readonly problems: readonly string[];
}

/** After the detach. Most drivers put them back by themselves; LRO and hardware GRO stay off (dev.c:generic_xdp_install). */
export function restoreOffloads(changes: readonly OffloadChange[]): Restored {
  const done: string[] = [];
  const problems: string[] = [];
  for (const { facts, before, changed } of changes) {
    const restored = askInNamespace(facts.netns.path, () => putBack(facts.name, before));
    if (restored.ok) done.push(`${facts.name}: ${changed.join(', ')} changed by XDP and put back`);
    else if (!isGone(restored)) problems.push(`${facts.name}: ${restored.reason}`);
  }
  return { done, problems };
}

function putBack(name: string, before: Features): Result<void> {
  const now = featuresOf(name);
  if (!now.ok) return now;
  const wanted = changedFeatures(before, now.value);
  if (Object.keys(wanted).length === 0) return ok(undefined);
  // changedFeatures names what was before, which is what has to be asked for.
  const put = setFeatures(name, wanted);
  const again = featuresOf(name);
  if (!again.ok) return again;
  const left = Object.keys(changedFeatures(before, again.value));
  return left.length === 0
    ? ok(undefined)
    : fail(`${left.join(', ')} differ from before${put.ok ? '' : ` (${put.reason})`}`);
}
