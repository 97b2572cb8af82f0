/** A clock on every CPU, behind which the sampling program runs. */
import { fail, ok, type Result } from '../../base/result.ts';
import { closeClock, openClock, runOnClock, type ClockEvent } from '../../ffi/perf-event.ts';
import type { ProfileClock } from '../../profile/stacks.ts';
import type { LoadedObject } from '../libbpf.ts';

interface Clocks {
  readonly openClock: typeof openClock;
  readonly runOnClock: typeof runOnClock;
  readonly closeClock: typeof closeClock;
}

/** The cycle counter where every CPU gives one: by NMI it also sees what runs with interrupts off. The timer everywhere else. */
export function openClocks(
  object: LoadedObject,
  cpus: readonly number[],
  rate: number,
  make: Clocks = { openClock, runOnClock, closeClock },
): Result<{ readonly clocks: readonly number[]; readonly clock: ProfileClock }> {
  const program = object.program('pktcost_sample');
  if (!program.ok) return program;
  const cycles = openOn(make, { kind: 'cycles', frequency: rate }, cpus, program.value);
  if (cycles.ok && cycles.value.length === cpus.length) return ok({ clocks: cycles.value, clock: 'cycles' });
  const timers = openOn(make, { kind: 'cpu-clock', periodNs: Math.round(1e9 / rate) }, cpus, program.value);
  // A counter that somebody else has taken on some CPUs would leave those out.
  const [counted, timed] = [cycles, timers].map((clocks) => (clocks.ok ? clocks.value.length : 0));
  const [better, other] = counted! > timed! ? [cycles, timers] : [timers, cycles];
  for (const clock of other.ok ? other.value : []) make.closeClock(clock);
  return better.ok ? ok({ clocks: better.value, clock: better === cycles ? 'cycles' : 'cpu-clock' }) : better;
}

/** On as many CPUs as can be had; fails only where there is none, with the reason of the first. */
function openOn(
  { openClock, runOnClock, closeClock }: Clocks,
  event: ClockEvent,
  cpus: readonly number[],
  program: number,
): Result<readonly number[]> {
  const clocks: number[] = [];
  let refused: Result<never> | undefined;
  for (const cpu of cpus) {
    const clock = openClock(event, cpu);
    if (clock.ok) {
      const running = runOnClock(clock.value, program);
      if (running.ok) {
        clocks.push(clock.value);
        continue;
      }
      closeClock(clock.value);
      refused ??= running;
    } else refused ??= clock;
    // A counter that the first CPU does not have, no other has.
    if (clocks.length === 0) break;
  }
  return clocks.length > 0 ? ok(clocks) : (refused ?? fail('no CPU is online'));
}
