import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';

import { repository } from '../support/fixture.ts';
import { allDoors } from './doors.ts';
import { fuzz, trying } from './run.ts';

describe('ten thousand inputs that somebody may have made', () => {
  it('are refused or understood, whatever they are', async () => {
    const { finds, tried } = await fuzz({ inputs: 10_000, minutes: Infinity, seed: 20_261_129 });
    assert.equal(tried, 10_000);
    assert.deepEqual(
      finds.map(({ door, error }) => `${door}: ${error}`),
      [],
    );
  });
});

describe('an input that once was a find', async () => {
  const doors = await allDoors();
  const folder = `${repository}/test/fixtures/fuzz`;
  for (const file of readdirSync(folder)) {
    it(`${file} is none any more`, async () => {
      const door = doors.find(({ name }) => file.startsWith(`${name}-`));
      const input = readFileSync(`${folder}/${file}`);
      assert.deepEqual(await trying(() => door!.open(input)), []);
    });
  }
  for (const { close } of doors) after(() => close?.());
});
