/** What people, shells, service managers and a lost ssh session send to end a program. */
const numbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
type Ending = keyof typeof numbers;

/** A wrapper such as npm or timeout passes on the signal that the terminal has sent already: that is no second one. */
const SAME_MS = 250;

let received = 0;
/** Whether what comes now is still taken for the first one, passed on. */
let same = false;
let window: AbortController | undefined;

/** Number of the first signal that was to end pktcost, or 0. */
export function signalled(): number {
  return received;
}

/**
 * From now on the first signal ends the window, and what was measured is still reported. Called before an output is
 * opened. Until then, and in commands that never call it, the first one ends pktcost.
 */
export function stopOnSignal(): AbortSignal {
  answerSignals();
  window ??= new AbortController();
  return window.signal;
}

let answering = false;

/**
 * To be called by whatever leaves something behind that has to be taken away. Until then there is no handler, and pktcost
 * ends at once: what answers signals in JavaScript waits for the end of a parse, which may take a minute. No handler is ever taken away: one that was let go before the report is
 * written would lose it.
 */
export function answerSignals(): void {
  if (answering) return;
  answering = true;
  for (const signal of Object.keys(numbers) as Ending[]) process.on(signal, onSignal);
}

/** To be called first. What runs as the first process of a container is ended by no signal that it has no handler for. */
export function endOnSignals(): void {
  if (process.pid === 1) answerSignals();
}

function onSignal(signal: Ending): void {
  const again = received !== 0;
  if (again && same) return;
  if (!again) {
    received = numbers[signal];
    same = true;
    // Not by the clock: where this process was busy meanwhile, what was sent in time is delivered late, by the poll phase
    // that lies between a timer and an immediate.
    setTimeout(() => setImmediate(() => (same = false)), SAME_MS).unref();
  }
  if (again || window === undefined) return endAtOnce(signal);
  // Past its end nothing is cut short, but what was asked to end does not end with 0.
  if ((process.exitCode ?? 0) === 0) process.exitCode = 128 + received;
  window.abort();
}

/** Temporary files and packet filters are taken away by whoever made them; then by the signal, as shells expect it. */
function endAtOnce(signal: Ending): never {
  process.off(signal, onSignal);
  process.once('exit', () => process.kill(process.pid, signal));
  process.exit(128 + numbers[signal]);
}
