import { createHash } from 'node:crypto';

import { allDoors } from './doors.ts';
import { Chance } from './mutate.ts';

export interface Plan {
  readonly inputs: number;
  readonly minutes: number;
  readonly seed: number;
}

export interface Find {
  readonly door: string;
  readonly error: string;
  readonly input: Uint8Array;
}

export interface Fuzzed {
  readonly tried: number;
  readonly finds: readonly Find[];
}

/** CPU seconds that one input may take; the time of the clock depends on the machine. */
const MOST_CPU_SECONDS = 10;
/** By how much one input may raise the most memory that the process ever had, in MiB. Inputs are of 1 MiB at most. */
const MOST_MEMORY = 400;

/** Opens a door for an input. @returns what it did that it may not, such as to take too long */
export async function trying(open: () => void | Promise<void>): Promise<readonly string[]> {
  const errors: string[] = [];
  const [began, most] = [process.cpuUsage(), process.resourceUsage().maxRSS];
  try {
    await open();
  } catch (error) {
    errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { user, system } = process.cpuUsage(began);
  if ((user + system) / 1e6 > MOST_CPU_SECONDS) errors.push(`took more than ${MOST_CPU_SECONDS} s of CPU`);
  if ((process.resourceUsage().maxRSS - most) / 1024 > MOST_MEMORY) errors.push(`took more than ${MOST_MEMORY} MiB`);
  return errors;
}

/** Opens every door in turn, with an input of its own each time, until inputs or minutes are used up. */
export async function fuzz({ inputs, minutes, seed }: Plan): Promise<Fuzzed> {
  const doors = await allDoors();
  const chance = new Chance(seed);
  const until = performance.now() + minutes * 60_000;
  const finds = new Map<string, Find>();
  let tried = 0;
  for (; tried < inputs && performance.now() < until; tried += 1) {
    const door = doors[tried % doors.length]!;
    const input = door.input(chance);
    for (const error of await trying(() => door.open(input))) {
      const key = createHash('sha256')
        .update(`${door.name} ${error.slice(0, 200)}`)
        .digest('hex');
      if (!finds.has(key)) finds.set(key, { door: door.name, error, input });
    }
  }
  for (const { close } of doors) close?.();
  return { tried, finds: [...finds.values()] };
}
