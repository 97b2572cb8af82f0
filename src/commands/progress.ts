/** The line that tells how long the window still lasts: on stderr, on a terminal only. */
export interface Progress {
  tick(secondsLeft: number): void;
  stop(): void;
}

const silent: Progress = { tick: () => undefined, stop: () => undefined };

export async function startProgress(windowSeconds: number, quiet: boolean): Promise<Progress> {
  if (quiet || !process.stderr.isTTY) return silent;
  // A terminal that was never given a size (serial console, script, expect) says 0, and ora would clear infinitely many
  // lines of it.
  if (process.stderr.columns === 0) return silent;
  const { default: ora } = await import('ora');
  // ora would take over stdin, and with it the interrupt key, unless told not to.
  const spinner = ora({ stream: process.stderr, discardStdin: false, interval: 500, text: '' }).start();
  const tick = (left: number): void => {
    spinner.text =
      left > 0 ? `measuring for ${windowSeconds} s, ${Math.ceil(left)} s left (interrupt ends it early)` : 'judging';
  };
  tick(windowSeconds);
  return { tick, stop: () => void spinner.stop() };
}
