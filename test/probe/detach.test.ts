import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

const module = new URL('../../src/probe/detach.js', import.meta.url).href;

describe('what a probe leaves behind is taken away', () => {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'])
    it(`when ${signal} ends a process that answers no signals itself`, () => {
      const script = `
        import { writeSync } from 'node:fs';
        import { ExitWatch } from ${JSON.stringify(module)};
        new ExitWatch(() => writeSync(1, 'removed')).start();
        setInterval(() => undefined, 1000);
        process.kill(process.pid, '${signal}');`;
      const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      assert.deepEqual([ended.stdout, ended.signal, ended.stderr], ['removed', signal, '']);
    });
});
