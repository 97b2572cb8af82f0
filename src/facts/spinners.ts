/** Who waits for locks, told by the stacks of the profile. */
import type { Signal } from './signal.ts';

/** The functions of locks themselves, in which a stack ends. */
const LOCKS =
  /^(?:(?:__pv_|native_)?queued_(?:spin|read|write)_lock_slowpath|_raw_(?:spin|read|write)_\w*lock\w*|mutex_\w+|__mutex_\w+|osq_lock|rwsem_\w+|lock_sock_nested|pv_\w+|kvm_wait)$/;

/** Callers of locks in a direction, by how many samples waited there, most first. */
export function spinners(stacks: readonly Signal[], direction: string): readonly { name: string; samples: number }[] {
  const callers = new Map<string, number>();
  for (const { labels, value } of stacks) {
    if (labels['direction'] !== direction) continue;
    const frames = (labels['stack'] ?? '').split(';');
    const at = frames.findIndex((frame) => LOCKS.test(frame));
    if (at <= 0) continue;
    const caller = frames[at - 1]!;
    callers.set(caller, (callers.get(caller) ?? 0) + value);
  }
  return [...callers].sort(([, a], [, b]) => b - a).map(([name, samples]) => ({ name, samples }));
}
