/** How a session goes away: links within a deadline, and filters even when something else ends the process. */
import type { Libbpf, LinkFd } from './libbpf.ts';

export const DETACH_DEADLINE_MS = 5000;

/** On libuv's threads, because the detach of an XDP link can wait for the driver; answers how many did not come back. */
export async function closeLinks(bpf: Libbpf, links: readonly LinkFd[], deadlineMs: number): Promise<number> {
  let open = links.length;
  const all = Promise.all(
    links.map(async (link) => {
      await bpf.closeLinkAside(link);
      open--;
    }),
  );
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([all, deadline]);
  clearTimeout(timer);
  return open;
}

const DEADLY = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

/** A filter outlives its process, so one who leaves some behind must not end without `remove`; links need none of it. */
export class ExitWatch {
  readonly #remove: () => void;

  constructor(remove: () => void) {
    this.#remove = remove;
  }

  /** Without a handler these end the process before its 'exit' event; with one of the command's own, that one decides. */
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#remove();
    this.stop();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };

  start(): void {
    process.on('exit', this.#remove);
    for (const signal of DEADLY) if (process.listenerCount(signal) === 0) process.on(signal, this.#onSignal);
  }

  stop(): void {
    process.off('exit', this.#remove);
    for (const signal of DEADLY) process.off(signal, this.#onSignal);
  }
}
