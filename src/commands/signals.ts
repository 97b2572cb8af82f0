/** The first SIGINT or SIGTERM ends the window; a second one ends pktcost as usual. */
export function stopOnSignal(): { signal: AbortSignal; received: () => number; release: () => void } {
  const controller = new AbortController();
  let number = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    number = signal === 'SIGINT' ? 2 : 15;
    controller.abort();
    release();
  };
  const release = (): void => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { signal: controller.signal, received: () => number, release };
}
