// Real network namespaces, named after this process and gone with it on every way out.
import { spawnSync } from 'node:child_process';

let made = 0;

/** @template T @param {number} count @param {(names: readonly string[]) => T | Promise<T>} work @returns {Promise<T>} */
export async function withNamespaces(count, work) {
  const mark = `pkp${process.pid}-${(made += 1)}`;
  const names = Array.from({ length: count }, (_, index) => `${mark}-${index}`);
  /** @param {string} verb */
  const ip = (verb) =>
    spawnSync('ip', ['-force', '-batch', '-'], { input: names.map((name) => `netns ${verb} ${name}\n`).join('') });
  const remove = () => ip('delete');
  const leave = () => process.exit(1);
  process.once('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, leave);
  try {
    if (ip('add').status !== 0) throw new Error('ip netns add failed: it needs root');
    return await work(names);
  } finally {
    remove();
    process.off('exit', remove);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, leave);
  }
}
