#!/usr/bin/env node
// The command `hyperscope`: the built program, or a sentence where nothing is built yet.

import {existsSync} from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('hyperscope is not built yet. Run `npm start` or `npm test` once in the root of the repository.');
  process.exit(1);
}
await import(main.href);
