// Vectors captured from a real 286 in real mode, where they are at hand. Those that a modern processor must agree with
// (class `modern`) are all compared: registers, defined flags, memory, and the exception that was taken.

import {existsSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {gunzipSync} from 'node:zlib';
import {expect, test} from 'vitest';
import {readPacked} from './packed-reader.js';
import {VectorReport} from './vector-report.js';

const folder =
  process.env['HYPERSCOPE_VECTORS'] ?? fileURLToPath(new URL('../../../../../shared/vectors', import.meta.url));
const file = `${folder}/real286.ndjson.gz`;
const MODERN = 30_941;

test.skipIf(!existsSync(file))(
  'what a real 286 did in real mode, the machine does (skipped where the vectors are not at hand)',
  {timeout: 300_000},
  () => {
    const modern = new VectorReport();
    const others = new VectorReport();
    for (const vector of readPacked(gunzipSync(readFileSync(file)).toString()))
      (vector.kind === 'modern' ? modern : others).add(vector);
    const right = modern.forms.reduce((sum, form) => sum + form.right, 0);
    const wrong = [...modern.forms, ...others.forms].filter(form => form.wrong > 0);
    expect(wrong.map(({form, firstWrong}) => ({form, firstWrong}))).toEqual([]);
    expect([modern.ran, right]).toEqual([MODERN, MODERN]);
  },
);
