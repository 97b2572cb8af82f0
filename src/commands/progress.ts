import { isTerminal, unicodeTerminal } from './present.ts';

/** The line that tells how long the window still lasts: on stderr, on a terminal only. */
export interface ProgressLine {
  tick(secondsLeft: number): void;
  stop(): void;
}

const silent: ProgressLine = { tick: () => undefined, stop: () => undefined };

export async function startProgress(windowSeconds: number, quiet: boolean): Promise<ProgressLine> {
  if (quiet || !isTerminal('stderr')) return silent;
  // A terminal that was never given a size (serial console, script, expect) says 0, and ora would clear infinitely many
  // lines of it.
  if (process.stderr.columns === 0) return silent;
  const { default: ora } = await import('ora');
  // ora would take over stdin, and with it the interrupt key, unless told not to. To show the cursor again it would answer
  // signals, and end the process before there is a report (restore-cursor).
  const spinner = ora({
    stream: process.stderr,
    discardStdin: false,
    hideCursor: false,
    interval: 500,
    // ora asks only TERM, and what a terminal shows is what its locale says.
    spinner: unicodeTerminal() ? 'dots' : 'line',
    text: '',
  }).start();
  const tick = (left: number): void => {
    spinner.text =
      left > 0 ? `measuring for ${windowSeconds} s, ${Math.ceil(left)} s left (interrupt ends it early)` : 'judging';
  };
  tick(windowSeconds);
  const stop = (): void => void spinner.stop();
  // So that nothing is left on the line when a second signal ends it.
  process.once('exit', stop);
  return { tick, stop };
}
