/**
 * Milliseconds of a clock that never steps back, from some moment before. The same clock as performance.now(), for which Node loads a
 * module of 2 ms when it is first asked.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Milliseconds of CPU time that this process has taken. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
