/** Programs that are in a control group of their own from their first moment on. */
import { mkdirSync, rmdirSync } from 'node:fs';
import type { Kit, Program } from './hosts.ts';

/**
 * Makes the group and starts the program in it: a socket belongs to the group that its process was in when it was made. Both go
 * with the scenario.
 * @param setUp what is written to the group before
 */
export async function startInGroup(
  kit: Kit,
  folder: string,
  argv: readonly string[],
  setUp: () => Promise<unknown>,
): Promise<Program> {
  mkdirSync(folder);
  const started: Program[] = [];
  kit.undo(() => {
    for (const { pid } of started) process.kill(pid, 'SIGKILL');
    for (let tries = 0; ; tries += 1) {
      try {
        rmdirSync(folder);
        return;
      } catch (error) {
        // Busy until the program is gone.
        if (tries > 200) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  });
  await setUp();
  const enter = ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', folder];
  const program = await kit.itself().start([...enter, ...argv], { ready: /^ready$/m });
  started.push(program);
  return program;
}
