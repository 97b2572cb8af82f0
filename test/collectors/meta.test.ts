import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { collectors } from '../../src/collectors/index.ts';
import { template } from '../../src/collectors/template.ts';
import { repository } from '../support/fixture.ts';

describe('the collectors', () => {
  it('run in their turns, each in one of its own, the template in none', () => {
    const turns = collectors.map(({ turn }) => turn);
    assert.deepEqual(
      turns,
      [...new Set(turns)].sort((a, b) => a - b),
    );
    assert.ok(!collectors.includes(template));
  });

  for (const { id } of collectors) {
    it(`${id} leaves nothing of the template to be filled in`, () => {
      for (const path of [
        `src/collectors/${id}.ts`,
        `test/collectors/${id}.test.ts`,
        `src/metrics/catalogue/${id}.ts`,
      ]) {
        const file = `${repository}/${path}`;
        if (existsSync(file)) assert.doesNotMatch(readFileSync(file, 'utf8'), /TODO/, path);
      }
    });
  }
});
