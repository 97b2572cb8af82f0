import { fail, ok, type Result } from '../base/result.ts';
import { cgroupSocketMemoryRefused, cgroupSocketMemoryUsed, readerMemoryGroup } from '../metrics/catalogue/index.ts';
import { groupsAbove, type ProcessGroups } from './cgroups.ts';
import type { Emit, Host } from './collector.ts';
import { utf8Text } from './cursor.ts';

/** Control groups that bound the memory of their sockets, and how often one refused it; each group is read once. */
export class MemoryGroups {
  readonly #host: Host;
  readonly #emit: Emit;
  readonly #limited = new Map<string, boolean>();

  constructor(host: Host, emit: Emit) {
    this.#host = host;
    this.#emit = emit;
  }

  /** The groups of a process, its own and those above. */
  of(pid: string, groups: ProcessGroups): void {
    for (const { version, at, path } of groups.placesOf('memory'))
      for (const cgroup of groupsAbove(path))
        if (this.#isLimited(version, at, cgroup)) this.#emit(readerMemoryGroup, { pid, cgroup }, 1);
  }

  #isLimited(version: 1 | 2, at: string, cgroup: string): boolean {
    const key = `${version} ${cgroup}`;
    const known = this.#limited.get(key);
    if (known !== undefined) return known;
    const folder = `${at}${cgroup}`;
    const [limit, refused] =
      version === 2
        ? [
            this.#host.parseIfPresent(`${folder}/memory.max`, parseLimit),
            this.#host.parseIfPresent(`${folder}/memory.events`, parseMaxEvents),
          ]
        : [
            this.#host.parseIfPresent(`${folder}/memory.kmem.tcp.limit_in_bytes`, parseLimit),
            this.#host.parseIfPresent(`${folder}/memory.kmem.tcp.failcnt`, parseLimit),
          ];
    const limited = limit !== undefined && limit < UNLIMITED && refused !== undefined;
    this.#limited.set(key, limited);
    if (!limited) return false;
    this.#emit(cgroupSocketMemoryRefused, { cgroup, version: `v${version}` }, refused);
    // Of version 1 the count of refusals stands still on Linux 6.18, where the level still tells.
    const used =
      version === 1 && limit > 0
        ? this.#host.parseIfPresent(`${folder}/memory.kmem.tcp.usage_in_bytes`, parseLimit)
        : undefined;
    if (used !== undefined) this.#emit(cgroupSocketMemoryUsed, { cgroup }, used / limit);
    return true;
  }
}

/** What version 1 shows for no limit: PAGE_COUNTER_MAX in bytes, near 2^63. */
const UNLIMITED = 2 ** 60;

/** Parses a file of one number of bytes or events, or `max`. */
export function parseLimit(bytes: Uint8Array): Result<number> {
  const word = utf8Text(bytes).trim();
  if (word === 'max') return ok(Infinity);
  return /^\d{1,20}$/.test(word) ? ok(Number(word)) : fail('no number', 0);
}

/** Parses memory.events of version 2 for how often the limit was met. Source: mm/memcontrol.c:__memory_events_show. */
export function parseMaxEvents(bytes: Uint8Array): Result<number> {
  const [, count] = /^max (\d{1,20})$/m.exec(utf8Text(bytes)) ?? [];
  return count === undefined ? fail('no line "max"', 0) : ok(Number(count));
}
