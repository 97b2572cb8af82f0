import { closeSync, openSync } from 'node:fs';

import { ifAllowed } from './errno.ts';
import { readFileGuarded } from './file.ts';

/** With more, even two thousand devices leave enough. Node itself raises the limit as far as it may. */
const PLENTY = 16_384;

/** Whether a probe on many devices could use up all descriptors: what is needed after it is then loaded before it. */
export function fewDescriptors(): boolean {
  const limits = readFileGuarded('/proc/self/limits', 64 * 1024);
  const soft = limits.ok ? /^Max open files\s+(\d+)/m.exec(limits.value.toString('latin1'))?.[1] : undefined;
  return soft !== undefined && Number(soft) < PLENTY;
}

/** Enough for reading the host and for writing what comes of it. */
const SPARE = 16;

/** Keeps some descriptors back from `how`, and gives them up when it is done. */
export async function keepingSpare<T>(how: () => Promise<T>): Promise<T> {
  const spare = Array.from({ length: SPARE }, () => ifAllowed(() => openSync('/dev/null', 'r')));
  try {
    return await how();
  } finally {
    for (const fd of spare) if (fd !== undefined) closeSync(fd);
  }
}
