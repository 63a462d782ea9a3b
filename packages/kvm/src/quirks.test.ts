import {describe, expect, test} from 'vitest';
import {QUIRKS, quirksOf} from './quirks.js';

describe('quirksOf', () => {
  test('names none on a host that does as the manual says', () =>
    expect(quirksOf({probes: Object.fromEntries(QUIRKS.map(({probe, expected}) => [probe, expected]))})).toEqual([]));
  test('names those whose probe answered otherwise', () =>
    expect(quirksOf({probes: {cpl3_syscall: 'stays-cpl3', cpl3_step: 'ok'}}).map(({id}) => id)).toEqual([
      'syscall-stays-in-ring-3',
    ]));
  test('concludes nothing from a probe that an older fingerprint lacks', () =>
    expect(quirksOf({probes: {}})).toEqual([]));
  test('have ids of their own and sentences', () => {
    expect(new Set(QUIRKS.map(({id}) => id)).size).toBe(QUIRKS.length);
    for (const {sentence} of QUIRKS) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });
});
